"""The marketplace and a campaign's page, as far as joining it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, cast
from uuid import UUID, uuid4

from flask import current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.demand import joining, marketplace, queries
from c2m.demand.batcher import JOINS, JoinBatcher
from c2m.demand.joining import PledgeRequest
from c2m.demand.marketplace import Kind, Search, Sort
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Policy, Variant
from c2m.demand.rules import Ladder, Outcome, charge_at_joining, outcomes
from c2m.demand.views.blueprint import blueprint
from c2m.design.categories import CATEGORIES
from c2m.errors import NotFound, Refusal, Unavailable
from c2m.identity.models import Organisation, Role
from c2m.web.access import allow, public
from c2m.web.context import db_session, request_time
from c2m.web.flask_app import reads
from c2m.web.formats import in_language
from c2m.web.forms import Amount, Form, Submission, Whole, blank, queried, submitted
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


class JoinForm(Form):
    """Pieces by variant: `pieces.<variant id>`, and the key that makes sending the form twice harmless."""

    pieces: dict[UUID, Annotated[Whole, Field(ge=0, le=1_000_000)]] = Field(default_factory=dict)
    idempotency_key: Annotated[str, Field(min_length=8, max_length=80)]

    @property
    def lines(self) -> tuple[tuple[UUID, int], ...]:
        return tuple((variant_id, pieces) for variant_id, pieces in self.pieces.items() if pieces)


@dataclass(frozen=True)
class Quote:
    """What joining with these pieces costs now, at most, and on each tier the campaign may end on."""

    pieces: int
    unit_price_minor: int
    pay_now_minor: int
    at_most_minor: int
    counts_minor: int  # what a presale's deposit counts for, else what is paid now
    outcomes: list[Outcome]


def quote_for(campaign: Campaign, ladder: Ladder, pieces: int) -> Quote:
    """What joining would cost; in a presale the deposit now and the balance later."""
    total = campaign.pledged_quantity + pieces
    price = ladder.price_at(total)
    now_minor = charge_at_joining(price, pieces, campaign.deposit_minor)
    extra = (campaign.deposit_counts_minor - campaign.deposit_minor) * pieces
    return Quote(
        pieces=pieces,
        unit_price_minor=price,
        pay_now_minor=now_minor,
        at_most_minor=max(price * pieces - extra, now_minor),
        counts_minor=campaign.deposit_counts_minor * pieces or now_minor,
        outcomes=outcomes(ladder, campaign.pledged_quantity, pieces, at_most=campaign.cap) if pieces else [],
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
    page = page_of(session, marketplace.found(search, now=now), page=page_number())
    kinds, categories = marketplace.counts(session, search, now=now)
    ladders = queries.ladders(session, [row.id for row in page.rows if row.kind != Kind.CONCEPT])
    return render_template(
        "demand/marketplace.html",
        page=page,
        form=form,
        search=search,
        kinds=kinds,
        categories=categories,
        catalogue=CATEGORIES,
        ladders=ladders,
    )


@blueprint.get("/campaigns/<uuid:campaign_id>")
@public
def campaign(campaign_id: UUID) -> str:
    """A campaign: price and stair, progress, time left, what there is to choose, terms."""
    return _campaign_page(campaign_id, blank(JoinForm))[0]


@blueprint.post("/campaigns/<uuid:campaign_id>/quote")
@public
@reads
def quote(campaign_id: UUID) -> str:
    """The figures for the pieces chosen so far, as a part of the page."""
    found = _visible(campaign_id)
    form = submitted(JoinForm)
    ladder = queries.ladder(db_session(), campaign_id)
    pieces = sum(pieces for _variant, pieces in form.parsed.lines) if form.parsed else 0
    return render_template(
        "demand/_quote.html", campaign=found, quote=quote_for(found, ladder, pieces), form=form, ladder=ladder
    )


@blueprint.post("/campaigns/<uuid:campaign_id>/checkout")
@allow(Role.BUYER)
@reads
def checkout(campaign_id: UUID) -> str | tuple[str, int]:
    """The order to confirm: pieces, what is paid now and later, terms in a sentence each."""
    form = submitted(JoinForm)
    if form.accepted and not form.value.lines:
        form.refuse(joining.NothingChosen(), "pieces")
    if not form.accepted:
        return _campaign_page(campaign_id, form)
    found = _visible(campaign_id)
    session = db_session()
    variants = {v.id: v for v in queries.variants(session, campaign_id)}
    if any(variant_id not in variants for variant_id, _pieces in form.value.lines):
        form.refuse(joining.UnknownVariant(), "pieces")
        return _campaign_page(campaign_id, form)
    ladder = queries.ladder(session, campaign_id)
    pieces = sum(pieces for _variant, pieces in form.value.lines)
    return render_template(
        "demand/checkout.html",
        campaign=found,
        policy=session.get(Policy, found.policy_id),
        lines=[(variants[variant_id], pieces) for variant_id, pieces in form.value.lines],
        quote=quote_for(found, ladder, pieces),
        ladder=ladder,
        form=form,
    )


@blueprint.post("/campaigns/<uuid:campaign_id>/join")
@allow(Role.BUYER)
@reads  # the batcher writes, in a unit of work shared with whoever joins at the same time
def join(campaign_id: UUID) -> Response | tuple[str, int]:
    """Join and go to the order."""
    form = submitted(JoinForm)
    if not form.accepted:
        return _campaign_page(campaign_id, form)
    who = signed_in_viewer()
    request = PledgeRequest(
        campaign_id=campaign_id,
        buyer_id=who.organisation_id,
        lines=form.value.lines,
        idempotency_key=form.value.idempotency_key,
        region=who.region,
    )
    try:
        pledge_id = _joins().join(request)
    except (NotFound, Unavailable):
        raise
    except Refusal as refusal:
        form.refuse(refusal, "pieces")
        return _campaign_page(campaign_id, form)
    flash(ngettext("You are in with one piece.", "You are in with %(num)s pieces.", request.quantity), "good")
    return redirect(url_for("pages.order", pledge_id=pledge_id), 303)


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


def _campaign_page(campaign_id: UUID, form: Submission[JoinForm]) -> tuple[str, int]:
    found, session, now = _visible(campaign_id), db_session(), request_time()
    ladder = queries.ladder(session, campaign_id)
    variants = queries.variants(session, campaign_id)
    chosen = {v.id: _entered(form, v.id) for v in variants}
    who = viewer()
    buyer_id = who.organisation_id if who and who.has(Role.BUYER) else None
    return form.page(
        "demand/campaign.html",
        campaign=found,
        merchandiser=session.get(Organisation, found.organisation_id),
        policy=session.get(Policy, found.policy_id),
        ladder=ladder,
        next_tier=ladder.next_tier(found.pledged_quantity),
        is_open=found.state is CampaignState.OPEN and now < found.deadline,
        can_join=who is None or buyer_id is not None,
        matrix=_matrix(found, variants, chosen),
        quote=quote_for(found, ladder, sum(chosen.values())),
        joiners=queries.recent_joiners(session, campaign_id),
        joined=queries.joined(session, campaign_id),
        curve=queries.pledge_curve(session, found),
        mine=queries.pledges_of(session, campaign_id, buyer_id) if buyer_id else [],
        stops=_stops(found, now),
        key=form.entered.get("idempotency_key") or str(uuid4()),
        kinds=CampaignKind,
    )


def _entered(form: Submission[JoinForm], variant_id: UUID) -> int:
    text = str(form.entered.get(f"pieces.{variant_id}", "")).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else 0


def _matrix(campaign: Campaign, variants: list[Variant], chosen: dict[UUID, int]) -> dict[str, Any]:
    """Colours down, sizes across; a combination that isn't made has no cell."""
    colours = list(dict.fromkeys(v.colour for v in variants))
    sizes = list(dict.fromkeys(v.size for v in variants))
    by_place = {(v.colour, v.size): v for v in variants}
    left = None if campaign.cap is None else campaign.cap - campaign.pledged_quantity
    limits = [n for n in (left, campaign.per_buyer_limit) if n is not None]
    most = min(limits) if limits else None

    def cell(variant: Variant | None) -> dict[str, Any] | None:
        if variant is None:
            return None
        return {"name": f"pieces.{variant.id}", "value": chosen[variant.id], "most": most}

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
