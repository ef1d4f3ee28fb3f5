"""A factory's pages: the inbox of offers, capacity by weeks, and what it says about itself."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask import Response as FlaskResponse
from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import col, select
from werkzeug.wrappers import Response

from c2m.demand.models import DemandSheet
from c2m.demand.views.sheets import document_of, sheet_page
from c2m.design.categories import CATEGORIES, PROCESSES, category_of
from c2m.errors import Invalid, Refusal
from c2m.identity.models import Organisation, OrganisationState, Role
from c2m.matching import queries
from c2m.matching.factories import (
    NewCapability,
    Profile,
    add_capability,
    change_terms,
    create_profiles,
    describe,
    set_week_capacity,
)
from c2m.matching.market import HORIZON_WEEKS
from c2m.matching.models import Capability, Factory, OfferState
from c2m.matching.offers import Answer, accept_offer, decline_offer
from c2m.matching.queries import OfferDetail
from c2m.matching.rules import CHOICES, Choice, PriceStep, Terms, monday, unserved_sentence, weeks_from
from c2m.matching.searches import Search, search_for
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.exports import csv_file
from c2m.web.formats import money
from c2m.web.forms import (
    Amount,
    Form,
    Percent,
    Submission,
    Whole,
    amount_entry,
    blank,
    percent_entry,
    queried,
    submitted,
)
from c2m.web.viewer import signed_in_viewer

blueprint = Blueprint("matching", "c2m.matching")

PRICE_STEPS = 4  # shown for a line that has fewer
MOST_PRICE_STEPS = 20


@blueprint.app_template_filter("process_name")
def process_name(code: str) -> str:
    """What a process is called in the reader's language."""
    return str(_(PROCESSES[code])) if code in PROCESSES else code


@blueprint.app_template_filter("why_unserved")
def why_unserved(entry: Mapping[str, Any], sheet: DemandSheet | None) -> str:
    """Why a run left pieces of a sheet, in the reader's language; `entry` is what the run says about it."""
    currency = sheet.currency if sheet else edge().settings.currency
    figures = {
        "pieces_missing": entry.get("pieces_missing", ""),
        "earliest": entry.get("earliest", ""),
        "shortfall": money(entry["shortfall_minor"], currency) if "shortfall_minor" in entry else "",
    }
    return str(_(unserved_sentence(entry["reason"])) % figures)


@blueprint.app_template_global("search_of")
def search_of(campaign_id: UUID) -> Search | None:
    """Where the search for a campaign's factories stands, for pages of the rooms below."""
    return search_for(db_session(), campaign_id)


class InboxForm(Form):
    show: Literal["offered", "accepted", "declined", "expired"] = "offered"


class AnswerForm(Form):
    answer: Literal["accept", "decline"]
    reason: Annotated[str, Field(max_length=300)] = ""


class WeekForm(Form):
    capability: UUID
    week: date
    capacity: Annotated[Whole, Field(ge=0, le=1_000_000)]


class ProfileForm(Form):
    belt: Annotated[str, Field(min_length=1, max_length=60)]
    region: Annotated[str, Field(min_length=1, max_length=60)]
    about: Annotated[str, Field(max_length=500)] = ""


class PriceForm(Form):
    """A price step: from so many pieces an amount a piece, or a share of what the sheet may cost."""

    from_quantity: Annotated[Whole, Field(ge=1, le=1_000_000)]
    price: Amount | None = None
    share: Percent | None = None


class TermsForm(Form):
    """A line's terms; `prices.<n>.from_quantity`, `.price` and `.share` are its price steps."""

    weekly_capacity: Annotated[Whole, Field(ge=0, le=1_000_000)]
    minimum: Annotated[Whole, Field(ge=1, le=1_000_000)]
    setup: Amount = 0
    lead_days: Annotated[Whole, Field(ge=0, le=365)]
    prices: dict[Annotated[int, Field(ge=0, lt=MOST_PRICE_STEPS)], PriceForm] = Field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        steps = tuple(
            PriceStep(step.from_quantity, step.price, step.share) for _place, step in sorted(self.prices.items())
        )
        return Terms(self.weekly_capacity, self.minimum, self.setup, self.lead_days, steps)


class CapabilityForm(TermsForm):
    category: Annotated[str, Field(max_length=40)]


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
    }
    return jsonify(document)


@blueprint.get("/factory/inbox/<uuid:offer_id>/sheet")
@allow(Role.FACTORY)
def offer_sheet(offer_id: UUID) -> str:
    """The whole demand sheet behind an offer, its buyers masked."""
    found = _own(offer_id)
    return render_template("demand/sheet.html", **sheet_page(found.sheet), offer=found.offer, for_factory=True)


@blueprint.get("/factory/inbox/<uuid:offer_id>/sheet.json")
@allow(Role.FACTORY)
def offer_sheet_json(offer_id: UUID) -> Response:
    """The whole demand sheet behind an offer, for machines."""
    document = document_of(_own(offer_id).sheet, for_factory=True)
    return FlaskResponse(document.model_dump_json(), mimetype="application/json")


@blueprint.post("/factory/inbox/<uuid:offer_id>/answer")
@allow(Role.FACTORY)
def answer(offer_id: UUID) -> Response | tuple[str, int]:
    """Accept or decline an offer."""
    found, form, who = _own(offer_id), submitted(AnswerForm), signed_in_viewer()
    if not form.accepted:
        return _inbox(found.offer.state, found, form)
    said = Answer(offer_id, who.organisation_id, who.user_id, form.value.reason or None)
    if form.value.answer == "accept":
        accept_offer(db_session(), said, now=request_time())
        flash(_("Accepted. The work order is being planned."), "good")
        return redirect(url_for("production.work_orders"), 303)
    decline_offer(db_session(), said, now=request_time())
    flash(_("Declined. The capacity is free again and the order goes to others."), "good")
    return redirect(url_for("matching.inbox"), 303)


@blueprint.get("/factory/capacity")
@allow(Role.FACTORY)
def capacity() -> str:
    """How full each line is in the coming weeks."""
    return _capacity(None)[0]


@blueprint.post("/factory/capacity")
@allow(Role.FACTORY)
def set_capacity() -> Response | tuple[str, int]:
    """Say what a line can make in one week."""
    form = submitted(WeekForm)
    if not form.accepted:
        return _capacity(form)
    wanted = {(form.value.capability, form.value.week): form.value.capacity}
    try:
        set_week_capacity(db_session(), signed_in_viewer().organisation_id, wanted, now=request_time())
    except queries.CapabilityNotFound:
        raise
    except Refusal as refusal:
        form.refuse(refusal if not isinstance(refusal, Invalid) else _week_is_over(refusal), "capacity")
        return _capacity(form)
    flash(_("The week has been changed."), "good")
    return redirect(url_for("matching.capacity"), 303)


@blueprint.get("/factory/profile")
@allow(Role.FACTORY)
def profile() -> str:
    """What the factory says about itself, and its lines."""
    return _profile(None, None)[0]


@blueprint.post("/factory/profile")
@allow(Role.FACTORY)
def describe_factory() -> Response | tuple[str, int]:
    """Change how the factory presents itself; the first time creates its profile."""
    form, factory_id, session = submitted(ProfileForm), signed_in_viewer().organisation_id, db_session()
    if not form.accepted:
        return _profile(form, None)
    if session.get(Factory, factory_id) is None:
        new = Profile(factory_id, form.value.belt, form.value.region, edge().settings.currency, form.value.about)
        create_profiles(session, [new])
    else:
        describe(session, factory_id, belt=form.value.belt, region=form.value.region, about=form.value.about)
    flash(_("The profile has been saved."), "good")
    return redirect(url_for("matching.profile"), 303)


@blueprint.post("/factory/profile/lines")
@allow(Role.FACTORY)
def add_line() -> Response | tuple[str, int]:
    """Add a line: a category the factory makes, on its terms."""
    form, factory_id = submitted(CapabilityForm), signed_in_viewer().organisation_id
    if not form.accepted:
        return _profile(None, form)
    queries.factory(db_session(), factory_id)
    try:
        process = category_of(form.value.category).process
        add_capability(db_session(), NewCapability(factory_id, form.value.category, process, form.value.terms))
    except Refusal as refusal:
        form.refuse(refusal, "category")
        return _profile(None, form)
    flash(_("The line has been added."), "good")
    return redirect(url_for("matching.profile"), 303)


@blueprint.post("/factory/profile/lines/<uuid:capability_id>")
@allow(Role.FACTORY)
def change_line(capability_id: UUID) -> Response | tuple[str, int]:
    """New terms for a line, for offers made from now on."""
    form, factory_id = submitted(TermsForm), signed_in_viewer().organisation_id
    queries.capability_of(db_session(), capability_id, factory_id=factory_id)
    if not form.accepted:
        return _profile(None, form, changed=capability_id)
    try:
        change_terms(db_session(), capability_id, form.value.terms, factory_id=factory_id)
    except Refusal as refusal:
        form.refuse(refusal, "prices")
        return _profile(None, form, changed=capability_id)
    flash(_("The terms have been changed; they hold for new offers."), "good")
    return redirect(url_for("matching.profile"), 303)


def _own(offer_id: UUID) -> OfferDetail:
    return queries.offer_detail(db_session(), offer_id, factory_id=signed_in_viewer().organisation_id)


def _inbox(state: str, shown: OfferDetail | None, form: Submission[AnswerForm]) -> tuple[str, int]:
    session, factory_id = db_session(), signed_in_viewer().organisation_id
    items = queries.inbox(session, factory_id, state=OfferState(state))
    detail = shown or (queries.offer_detail(session, items[0].offer.id, factory_id=factory_id) if items else None)
    counts = queries.offers_by_state(session, factory_id)
    return form.page(
        "matching/inbox.html",
        items=items,
        detail=detail,
        at_detail=shown is not None,
        matrix=_matrix(detail) if detail else None,
        choice=_(CHOICES[Choice(detail.offer.explanation["reason"])]) if detail else "",
        next_best=_next_best(detail) if detail else None,
        shown=state,
        counts={str(s): counts.get(s, 0) for s in OfferState},
        organisation=session.get(Organisation, factory_id),
        verified=signed_in_viewer().organisation_state is OrganisationState.ACTIVE,
        lines=len(queries.capabilities(session, factory_id)),
    )


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


def _capacity(form: Submission[WeekForm] | None) -> tuple[str, int]:
    weeks = weeks_from(monday(request_time().date()), HORIZON_WEEKS)
    rows = queries.capacity_map(db_session(), signed_in_viewer().organisation_id, weeks)
    page = form or blank(WeekForm, **_week_chosen(rows))
    return page.page("matching/capacity.html", weeks=weeks, rows=rows)


def _week_chosen(rows: Sequence[queries.CapacityRow]) -> dict[str, Any]:
    """The week that the address names, as it stands."""
    for row in rows:
        for cell in row.cells:
            if (str(row.capability.id), cell.week.isoformat()) == (request.args.get("line"), request.args.get("week")):
                return {"capability": row.capability.id, "week": cell.week.isoformat(), "capacity": cell.capacity}
    return {}


def _week_is_over(refusal: Invalid) -> Invalid:
    """A refusal that names weeks, said beside the capacity field."""
    return Invalid(errors={"capacity": next(iter(refusal.errors.values()))})


def _profile(
    described: Submission[ProfileForm] | None, line: Submission[Any] | None, *, changed: UUID | None = None
) -> tuple[str, int]:
    session, who = db_session(), signed_in_viewer()
    factory = session.get(Factory, who.organisation_id)
    lines = queries.capabilities(session, who.organisation_id)
    organisation = session.exec(select(Organisation).where(col(Organisation.id) == who.organisation_id)).one()
    known = {"belt": factory.belt, "region": factory.region, "about": factory.about} if factory else {}
    steps = queries.price_steps(session, [found.id for found in lines])
    terms = {
        found.id: blank(TermsForm, **_entries(found, steps.get(found.id, ()), edge().settings.currency))
        for found in lines
    }
    if line and changed:
        terms[changed] = line
    page = line or described or blank(ProfileForm)
    return page.page(
        "matching/profile.html",
        factory=factory,
        organisation=organisation,
        described=described or blank(ProfileForm, **(known or {"region": organisation.region})),
        line=line if line and changed is None else blank(CapabilityForm),
        changed=changed,
        lines=lines,
        steps=steps,
        terms=terms,
        categories=[code for code in CATEGORIES if code != "general"],
        catalogue=CATEGORIES,
        places={found.id: _places(len(steps.get(found.id, ()))) for found in lines},
        new_places=_places(0),
    )


def _places(known: int) -> range:
    """Room for the price steps there are, and for another."""
    return range(min(max(PRICE_STEPS, known + 1), MOST_PRICE_STEPS))


def _entries(line: Capability, steps: Sequence[PriceStep], currency: str) -> dict[str, Any]:
    """A line's terms as they stand in its form before anybody changes them."""
    entered: dict[str, Any] = {
        "weekly_capacity": line.weekly_capacity,
        "minimum": line.minimum,
        "setup": amount_entry(line.setup_minor, currency),
        "lead_days": line.lead_days,
    }
    for place, step in enumerate(steps):
        entered[f"prices.{place}.from_quantity"] = step.from_quantity
        if step.unit_price_minor is not None:
            entered[f"prices.{place}.price"] = amount_entry(step.unit_price_minor, currency)
        if step.target_ppm is not None:
            entered[f"prices.{place}.share"] = percent_entry(step.target_ppm)
    return entered
