"""A factory's inbox: offers that fit, best first, and its answers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, jsonify, redirect, url_for
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.clock import end_of_day
from c2m.identity.models import Organisation, OrganisationState, Role
from c2m.matching import queries
from c2m.matching.bargaining import COUNTERS_AN_OFFER
from c2m.matching.counters import Counter, InvalidCounter, NoRoomForCounter, counters_of, make_counter
from c2m.matching.dispatch import backing
from c2m.matching.models import OPEN, OfferState
from c2m.matching.offers import Answer, InvalidPart, accept_offer, decline_offer
from c2m.matching.queries import OfferDetail
from c2m.matching.rules import CHOICES, WEIGHTS, Choice, FitPart
from c2m.matching.views.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.exports import csv_file
from c2m.web.forms import (
    Amount,
    Form,
    Submission,
    Whole,
    amount_entry,
    blank,
    queried,
    submitted,
)
from c2m.web.viewer import signed_in_viewer

PARTS: dict[FitPart, LazyString] = {
    FitPart.PROCESS: lazy_gettext("Process"),
    FitPart.CAPACITY: lazy_gettext("Capacity"),
    FitPart.COST: lazy_gettext("Cost"),
    FitPart.DATE: lazy_gettext("Date"),
    FitPart.QUALITY: lazy_gettext("On time"),
}


class InboxForm(Form):
    show: Literal["offered", "countered", "accepted", "declined", "expired"] = "offered"


class AnswerForm(Form):
    answer: Literal["accept", "part", "decline"]
    reason: Annotated[str, Field(max_length=300)] = ""
    pieces: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None  # of an offer taken in part


class CounterForm(Form):
    quantity: Annotated[Whole, Field(ge=1, le=1_000_000)]
    unit_price: Amount
    deliver_by: date
    note: Annotated[str, Field(max_length=300)] = ""


@blueprint.get("/factory/inbox")
@allow(Role.FACTORY)
def inbox() -> str:
    """Offers that fit, best first."""
    return _inbox(queried(InboxForm).show, None, blank(AnswerForm))[0]


@blueprint.get("/factory/inbox/<uuid:offer_id>")
@allow(Role.FACTORY)
def offer(offer_id: UUID) -> str:
    """One offer in full."""
    found = _own(offer_id)
    return _inbox(found.offer.state, found, blank(AnswerForm))[0]


@blueprint.get("/factory/inbox/<uuid:offer_id>.csv")
@allow(Role.FACTORY)
def offer_csv(offer_id: UUID) -> Response:
    """What the factory is asked to make, as a table."""
    found = _own(offer_id)
    rows = [(variant.colour, variant.size, pieces) for variant, pieces in found.pieces]
    return csv_file(found.sheet.number, (_("Colour"), _("Size"), _("Pieces")), rows)


@blueprint.get("/factory/inbox/<uuid:offer_id>.json")
@allow(Role.FACTORY)
def offer_json(offer_id: UUID) -> Response:
    """What the factory is asked to make, for machines."""
    found = _own(offer_id)
    document = {
        "sheet": found.sheet.number,
        "title": found.sheet.title,
        "category": found.sheet.category,
        "processes": found.sheet.processes,
        "quality_grade": found.sheet.quality_grade,
        "quantity": found.offer.quantity,
        "unit_price_minor": found.offer.unit_price_minor,
        "setup_minor": found.offer.setup_minor,
        "total_minor": found.offer.total_minor,
        "fee_minor": found.fee_minor,
        "net_minor": found.net_minor,
        "currency": found.offer.currency,
        "deliver_by": found.offer.deliver_by.isoformat(),
        "expires_at": found.offer.expires_at.isoformat(),
        "state": found.offer.state,
        "pieces": [{"colour": v.colour, "size": v.size, "quantity": pieces} for v, pieces in found.pieces],
        "weeks": {booking.week.isoformat(): booking.quantity for booking in found.weeks},
        "why": _why(found),
    }
    return jsonify(document)


@blueprint.post("/factory/inbox/<uuid:offer_id>/answer")
@allow(Role.FACTORY)
def answer(offer_id: UUID) -> Response | tuple[str, int]:
    """Accept an offer, in full or in part, or decline it."""
    found, form, who = _own(offer_id), submitted(AnswerForm), signed_in_viewer()
    if not form.accepted:
        return _inbox(found.offer.state, found, form)
    said = Answer(offer_id, who.organisation_id, who.user_id, form.value.reason or None)
    if form.value.answer != "decline":
        part = form.value.answer == "part"
        try:
            taken = replace(said, quantity=form.value.pieces or 0) if part else said
            accept_offer(db_session(), taken, now=request_time())
        except InvalidPart as refusal:
            form.refuse(InvalidPart(errors={"pieces": refusal.sentence}))  # beside the field that says how many
            return _inbox(found.offer.state, found, form)
        flash(_("Accepted. The work order is being planned."), "good")
        return redirect(url_for("production.work_orders"), 303)
    decline_offer(db_session(), said, now=request_time())
    flash(_("Declined. The capacity is free again and the order goes to others."), "good")
    return redirect(url_for("matching.inbox"), 303)


@blueprint.post("/factory/inbox/<uuid:offer_id>/counter")
@allow(Role.FACTORY)
def counter(offer_id: UUID) -> Response | tuple[str, int]:
    """Name other terms for an offer."""
    found, form, who = _own(offer_id), submitted(CounterForm), signed_in_viewer()
    if not form.accepted:
        return _inbox(found.offer.state, found, blank(AnswerForm), form)
    asked = form.value
    counter = Counter(
        offer_id,
        who.organisation_id,
        asked.quantity,
        asked.unit_price,
        _end_of(asked.deliver_by, found),
        note=asked.note,
        made_by=who.user_id,
    )
    try:
        make_counter(db_session(), counter, now=request_time())
    except (InvalidCounter, NoRoomForCounter) as refusal:
        form.refuse(refusal, "deliver_by" if isinstance(refusal, NoRoomForCounter) else "")
        return _inbox(found.offer.state, found, blank(AnswerForm), form)
    flash(_("Your terms are with the platform. The capacity stays held for you until it answers."), "good")
    return redirect(url_for("matching.offer", offer_id=offer_id), 303)


def _end_of(day: date, found: OfferDetail) -> datetime:
    """The instant an order must have arrived by on a day; that of the offer where it is the same day."""
    zone = ZoneInfo(found.policy.time_zone)
    if day == found.offer.deliver_by.astimezone(zone).date():
        return found.offer.deliver_by
    return end_of_day(datetime.combine(day, time(12), zone), found.policy.time_zone)


def _as_offered(found: OfferDetail) -> Submission[CounterForm]:
    """The counter-offer's form before anybody changes it: the terms that were offered."""
    offer = found.offer
    return blank(
        CounterForm,
        quantity=offer.quantity,
        unit_price=amount_entry(offer.unit_price_minor, offer.currency),
        deliver_by=offer.deliver_by.astimezone(ZoneInfo(found.policy.time_zone)).date().isoformat(),
    )


def _own(offer_id: UUID) -> OfferDetail:
    return queries.offer_detail(db_session(), offer_id, factory_id=signed_in_viewer().organisation_id)


def _inbox(
    state: str,
    shown: OfferDetail | None,
    form: Submission[AnswerForm],
    counter: Submission[CounterForm] | None = None,
) -> tuple[str, int]:
    session, factory_id = db_session(), signed_in_viewer().organisation_id
    items = queries.inbox(session, factory_id, state=OfferState(state))
    detail = shown or (queries.offer_detail(session, items[0].offer.id, factory_id=factory_id) if items else None)
    counts = queries.offers_by_state(session, factory_id)
    countered = counters_of(session, detail.offer.id) if detail else []
    return (counter or form).page(
        "matching/inbox.html",
        answered=form,
        counter=counter or (_as_offered(detail) if detail else None),
        countering=counter is not None,
        counters=countered,
        counters_left=COUNTERS_AN_OFFER - len(countered),
        backing=backing(session, factory_id) if state == OfferState.OFFERED else [],
        items=items,
        detail=detail,
        at_detail=shown is not None,
        matrix=_matrix(detail) if detail else None,
        choice=_(CHOICES[Choice(detail.offer.explanation["reason"])]) if detail else "",
        next_best=_next_best(detail) if detail else None,
        weights=WEIGHTS,
        parts=PARTS,
        shown=state,
        counts={str(s): counts.get(s, 0) for s in OfferState},
        organisation=session.get(Organisation, factory_id),
        verified=signed_in_viewer().organisation_state is OrganisationState.ACTIVE,
        lines=len(queries.capabilities(session, factory_id)),
    )


def _why(detail: OfferDetail) -> dict[str, Any]:
    """Why the offer came to this factory, for programs; what the next one would cost only once it is answered, as on
    the page."""
    why = detail.offer.explanation
    parts = [part | {"points": part["score"] * WEIGHTS[part["part"]] / 100} for part in why["fit"]["parts"]]
    return {
        "reason": why["reason"],
        "sentence": _(CHOICES[Choice(why["reason"])]),
        "fit": {"score": why["fit"]["score"], "parts": parts},
        "next_best": None if detail.offer.state in OPEN else _next_best(detail),
    }


def _next_best(detail: OfferDetail) -> Mapping[str, Any] | None:
    """What the next best factory would cost on top, a piece; factories don't see each other's names."""
    found = detail.offer.explanation["next_best"]
    if not found:
        return None
    return {"extra_each_minor": round(found["extra_minor"] / detail.offer.quantity)}


def _matrix(detail: OfferDetail) -> dict[str, Any]:
    """Pieces by colour and size with their sums."""
    sizes = list(dict.fromkeys(variant.size for variant, _pieces in detail.pieces))
    colours = list(dict.fromkeys(variant.colour for variant, _pieces in detail.pieces))
    pieces = {(variant.colour, variant.size): count for variant, count in detail.pieces}
    return {
        "sizes": sizes,
        "rows": [
            (colour, [pieces.get((colour, size), 0) for size in sizes], sum(pieces.get((colour, s), 0) for s in sizes))
            for colour in colours
        ],
        "sums": [sum(pieces.get((colour, size), 0) for colour in colours) for size in sizes],
        "total": detail.offer.quantity,
    }
