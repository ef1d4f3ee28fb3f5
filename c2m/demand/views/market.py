"""The marketplace and a campaign's page, as far as joining it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, cast
from uuid import UUID, uuid4

from flask import current_app, redirect, render_template, url_for
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.demand import marketplace, pledge_requests, queries
from c2m.demand.batcher import JOINS, JoinBatcher
from c2m.demand.campaigns import CampaignNotOpen
from c2m.demand.marketplace import Kind, Search, Sort
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Policy, Team, Variant
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.rules import Ladder
from c2m.demand.searched import SEARCHES, SearchLog
from c2m.demand.teams import view_of as team_view
from c2m.demand.views.blueprint import blueprint
from c2m.demand.views.campaign_parts import credit_part, outlook_part, sample_part, waiting_part
from c2m.demand.views.choosing import ChoiceForm, Chosen, Quote, choices_part, fits, quote_for
from c2m.demand.views.teams import campaign_part, team_joined
from c2m.design.categories import CATEGORIES
from c2m.design.views.showing import shown_faces
from c2m.errors import NotFound, Refusal, Unavailable
from c2m.identity.models import Organisation, Role
from c2m.web.access import allow, public
from c2m.web.context import db_session, request_time
from c2m.web.errors import wants_json
from c2m.web.flask_app import reads
from c2m.web.formats import in_language
from c2m.web.forms import Amount, Flag, Form, Submission, asked, queried, submitted
from c2m.web.paging import page_number, page_of
from c2m.web.viewer import signed_in_viewer, viewer

WINDOWS = {"1": timedelta(days=1), "3": timedelta(days=3), "7": timedelta(days=7)}


class SearchForm(Form):
    q: Annotated[str, Field(max_length=80)] = ""
    kind: Kind | None = None
    category: list[str] = Field(default_factory=list)
    lowest: Amount | None = None
    highest: Amount | None = None
    ends: Literal["1", "3", "7"] | None = None
    sort: Sort = Sort.NEXT_PRICE


class JoinForm(ChoiceForm):
    """What is chosen, and the key that makes sending it twice harmless."""

    idempotency_key: Annotated[str, Field(min_length=8, max_length=80)]
    takes_part: Flag = False  # of the waiting list: fewer pieces are welcome too
    team: Annotated[str, Field(max_length=16)] = ""  # the code of the team that is joined

    def request(self, campaign_id: UUID, buyer_id: UUID, region: str) -> PledgeRequest:
        """What a buyer asks for with this form; the team is looked up by whoever sends it."""
        return PledgeRequest(
            campaign_id=campaign_id,
            buyer_id=buyer_id,
            lines=self.lines,
            idempotency_key=self.idempotency_key,
            region=region,
            **self.agreed(),
        )


def quote_with_credit(campaign: Campaign, ladder: Ladder, chosen: Chosen) -> Quote:
    """What joining would cost this viewer, whose samples are taken off."""
    quote, who = quote_for(campaign, ladder, chosen), viewer()
    buyer_id = who.organisation_id if who and who.has(Role.BUYER) else None
    credit = credit_part(db_session(), campaign, buyer_id, unit_minor=quote.unit_price_minor, pieces=chosen.pieces)
    return replace(
        quote,
        pay_now_minor=quote.pay_now_minor - credit.off_minor,
        at_most_minor=quote.at_most_minor - credit.off_minor,
        credit_minor=credit.off_minor,
    )


@blueprint.get("/market", endpoint="marketplace")
@public
def market() -> str:
    """What is on offer, with every filter in the address."""
    form = queried(SearchForm)
    now, session = request_time(), db_session()
    search = Search(
        words=form.q,
        kind=form.kind,
        categories=tuple(code for code in form.category if code in CATEGORIES),
        lowest_minor=form.lowest,
        highest_minor=form.highest,
        ends_within=WINDOWS[form.ends] if form.ends else None,
        sort=form.sort,
    )
    if form.q and page_number() == 1:
        cast(SearchLog, current_app.extensions[SEARCHES]).note(form.q, now=now)
    page = page_of(session, marketplace.found(search, now=now), page=page_number())
    kinds, categories = marketplace.counts(session, search, now=now)
    ladders = queries.ladders(session, [row.id for row in page.rows if row.kind != Kind.CONCEPT])
    faces = shown_faces(session, [row.id for row in page.rows if row.kind == Kind.CONCEPT])
    return render_template(
        "demand/marketplace.html",
        page=page,
        form=form,
        search=search,
        kinds=kinds,
        categories=categories,
        catalogue=CATEGORIES,
        ladders=ladders,
        faces=faces,
    )


@blueprint.get("/campaigns/<uuid:campaign_id>")
@public
def campaign(campaign_id: UUID) -> str:
    """A campaign: price and stair, progress, time left, what there is to choose, terms."""
    return campaign_page(campaign_id, asked(JoinForm))[0]


@blueprint.post("/campaigns/<uuid:campaign_id>/quote")
@public
@reads
def quote(campaign_id: UUID) -> str:
    """The figures for the pieces chosen so far, as a part of the page."""
    found = _visible(campaign_id)
    form = submitted(JoinForm)
    ladder = queries.ladder(db_session(), campaign_id)
    chosen = form.parsed.chosen if form.parsed else Chosen()
    if refusal := _no_room(found, chosen):
        form.refuse(refusal)
    return render_template(
        "demand/_quoted.html",
        campaign=found,
        quote=quote_with_credit(found, ladder, chosen),
        form=form,
        ladder=ladder,
        next_tier=ladder.next_tier(found.certain_quantity),
        is_open=found.state is CampaignState.OPEN and request_time() < found.deadline,
        waiting=waiting_part(db_session(), found, None),
    )


@blueprint.post("/campaigns/<uuid:campaign_id>/checkout")
@allow(Role.BUYER)
@reads
def to_checkout(campaign_id: UUID) -> Response | tuple[str, int]:
    """Take a choice to the checkout's own address, where reloading and going back send nothing again."""
    form = submitted(JoinForm)
    if not _can_be_bought(_visible(campaign_id), form):
        return campaign_page(campaign_id, form)
    return redirect(url_for("demand.checkout", campaign_id=campaign_id, **form.query), 303)


@blueprint.get("/campaigns/<uuid:campaign_id>/checkout")
@allow(Role.BUYER)
def checkout(campaign_id: UUID) -> str | tuple[str, int]:
    """The order to confirm: pieces, what is paid now and later, terms in a sentence each."""
    found, session, form = _visible(campaign_id), db_session(), asked(JoinForm)
    if not _can_be_bought(found, form):
        return campaign_page(campaign_id, form)
    variants = {v.id: v for v in queries.variants(session, campaign_id)}
    ladder = queries.ladder(session, campaign_id)
    team = _team_of(form, campaign_id)
    return render_template(
        "demand/checkout.html",
        campaign=found,
        policy=session.get(Policy, found.policy_id),
        lines=[(variants[variant_id], pieces) for variant_id, pieces in form.value.lines],
        extras=dict(form.value.extras),
        team=team_view(session, team) if team else None,
        quote=quote_with_credit(found, ladder, form.value.chosen),
        ladder=ladder,
        form=form,
    )


def _can_be_bought(found: Campaign, form: Submission[JoinForm]) -> bool:
    """Whether a choice may go to the checkout; a sentence in the form where it may not."""
    session = db_session()
    if not form.accepted:
        if not form.errors:
            form.refuse(pledge_requests.NothingChosen())
        return False
    variants = queries.variants(session, found.id)
    chosen = {variant_id for variant_id, _ in (*form.value.lines, *form.value.extras)}
    if found.state is not CampaignState.OPEN or request_time() >= found.deadline:
        form.refuse(CampaignNotOpen())
    elif not form.value.lines:
        form.refuse(pledge_requests.NothingChosen())
    elif not chosen <= {variant.id for variant in variants}:
        form.refuse(pledge_requests.UnknownVariant())
    elif refusal := _no_room(found, form.value.chosen):
        form.refuse(refusal)
    elif fits(form, queries.ladder(session, found.id), {variant.colour for variant in variants}):
        _team_of(form, found.id)
    return form.accepted


def _no_room(found: Campaign, chosen: Chosen) -> Refusal | None:
    """Why the viewer can't have these pieces: none are left, or not so many for one buyer."""
    who = viewer()
    limited = who is not None and found.per_buyer_limit is not None
    return pledge_requests.no_room(
        chosen.pieces,
        chosen.flexible,
        limit=found.per_buyer_limit,
        held=queries.held_by(db_session(), found.id, who.organisation_id) if who and limited else 0,
        left=None if found.cap is None else found.cap - found.pledged_quantity,
    )


@blueprint.post("/campaigns/<uuid:campaign_id>/join")
@allow(Role.BUYER)
@reads  # the batcher writes, in a unit of work shared with whoever joins at the same time
def join(campaign_id: UUID) -> Response | tuple[str | dict[str, str], int]:
    """Join and go to the order; a program that accepts JSON is told its address (201), and refusals as problems."""
    form = submitted(JoinForm)
    if not form.accepted and not wants_json():
        return campaign_page(campaign_id, form)
    who = signed_in_viewer()
    request = form.value.request(campaign_id, who.organisation_id, who.region)
    try:
        team = team_joined(db_session(), campaign_id, form.value.team)
        pledge_id = _joins().join(replace(request, team_id=team.id if team else None))
    except (NotFound, Unavailable):
        raise
    except Refusal as refusal:
        if wants_json():
            raise
        form.refuse(refusal)
        return campaign_page(campaign_id, form)
    order = url_for("pages.order", pledge_id=pledge_id)
    if wants_json():
        return {"pledge_id": str(pledge_id), "order": order}, 201
    return redirect(order, 303)


def _team_of(form: Submission[JoinForm], campaign_id: UUID) -> Team | None:
    """The team a form joins; a sentence in the form when there is no such team."""
    try:
        return team_joined(db_session(), campaign_id, form.value.team)
    except pledge_requests.UnknownTeam as refusal:
        form.refuse(refusal, "team")
        return None


def _joins() -> JoinBatcher:
    return cast(JoinBatcher, current_app.extensions[JOINS])


def _visible(campaign_id: UUID) -> Campaign:
    """A campaign that has been opened; drafts are seen by their own merchandiser only.

    Raises:
        CampaignNotFound
    """
    found = queries.campaign(db_session(), campaign_id)
    who = viewer()
    if found.state is CampaignState.DRAFT and (who is None or who.organisation_id != found.organisation_id):
        raise queries.CampaignNotFound(campaign_id=campaign_id)
    return found


def campaign_page(campaign_id: UUID, form: Submission[JoinForm]) -> tuple[str, int]:
    """A campaign's page with the form as it was sent; status 409 when it came too late."""
    found, session, now = _visible(campaign_id), db_session(), request_time()
    is_open = found.state is CampaignState.OPEN and now < found.deadline
    ladder = queries.ladder(session, campaign_id)
    variants = queries.variants(session, campaign_id)
    chosen = {v.id: _entered(form, f"pieces.{v.id}") for v in variants}
    who = viewer()
    buyer_id = who.organisation_id if who and who.has(Role.BUYER) else None
    mine = queries.pledges_of(session, campaign_id, buyer_id) if buyer_id else []
    page, status = form.page(
        "demand/campaign.html",
        campaign=found,
        merchandiser=session.get(Organisation, found.organisation_id),
        policy=session.get(Policy, found.policy_id),
        ladder=ladder,
        next_tier=ladder.next_tier(found.certain_quantity),
        previous_round=queries.round_of(session, found.previous_round_id),
        next_round=queries.round_after(session, found.id) if found.state is CampaignState.FAILED else None,
        is_open=is_open,
        can_join=who is None or buyer_id is not None,
        matrix=_matrix(found, variants, "pieces", form),
        extras=_matrix(found, variants, "flexible", form),
        **choices_part(found, ladder, variants, form),
        quote=quote_with_credit(found, ladder, form.parsed.chosen if form.parsed else Chosen(sum(chosen.values()))),
        joiners=queries.recent_joiners(session, campaign_id),
        joined=queries.joined(session, campaign_id),
        curve=queries.pledge_curve(session, found),
        **outlook_part(session, found),
        mine=mine,
        stops=_stops(found, now),
        waiting=waiting_part(session, found, buyer_id),
        **sample_part(session, found),
        **campaign_part(session, found, buyer_id, form.entered if form.entered.get("idempotency_key") else {}),
        key=form.entered.get("idempotency_key") or str(uuid4()),
        carried_on=queries.carried_on(session, [pledge.id for pledge in mine]),
        kinds=CampaignKind,
    )
    return page, CampaignNotOpen.status if form.errors and not is_open else status


def _entered(form: Submission[JoinForm], name: str) -> int:
    text = str(form.entered.get(name, "")).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else 0


def _matrix(campaign: Campaign, variants: list[Variant], what: str, form: Submission[JoinForm]) -> dict[str, Any]:
    """Colours down, sizes across; a combination that isn't made has no cell."""
    colours = list(dict.fromkeys(v.colour for v in variants))
    sizes = list(dict.fromkeys(v.size for v in variants))
    by_place = {(v.colour, v.size): v for v in variants}
    limits = [n for n in (campaign.cap, campaign.per_buyer_limit) if n is not None]
    most = min(limits) if limits else None

    def cell(variant: Variant | None) -> dict[str, Any] | None:
        if variant is None:
            return None
        name = f"{what}.{variant.id}"
        return {"name": name, "value": _entered(form, name), "most": most}

    def row(colour: str) -> dict[str, Any]:
        cells = [cell(by_place.get((colour, size))) for size in sizes]
        return {"label": in_language(colour), "picture": "", "cells": cells}

    return {
        "columns": [{"label": in_language(size) or _("Pieces"), "hint": ""} for size in sizes],
        "rows": [row(colour) for colour in colours],
    }


def _stops(campaign: Campaign, now: datetime) -> list[dict[str, Any]]:
    """The way to the buyer: today, the deadline, the balance of a presale, delivery."""
    today = [] if now >= campaign.deadline else [{"name": _("Today"), "when": now, "state": "at"}]
    ended = "done" if now >= campaign.deadline else ""
    balance = []
    if campaign.balance_due_at is not None:
        paid = "done" if now >= campaign.balance_due_at else ""
        balance = [{"name": _("Balance by"), "when": campaign.balance_due_at, "state": paid}]
    return [
        *today,
        {"name": _("Closes"), "when": campaign.deadline, "state": ended},
        *balance,
        {"name": _("Delivered by"), "when": campaign.promised_date, "state": "end"},
    ]
