"""One order as its buyer follows it: from the pledge to the parcel, and every cent of it."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import Session, col, select
from werkzeug.wrappers import Response

from c2m.demand import queries as demand
from c2m.demand import samples
from c2m.demand.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    ChangeKind,
    Consent,
    DemandSheet,
    Evaluation,
    Pledge,
    PledgeChange,
    PledgeState,
    Policy,
    SheetPledge,
)
from c2m.demand.rounds import CARRIED_ON
from c2m.demand.views.teams import order_part
from c2m.identity.models import Role
from c2m.ledger.models import Direction, Transfer, TransferState
from c2m.ledger.queries import holds_of, transfers_of
from c2m.matching.models import Offer, OfferState
from c2m.pages.blueprint import blueprint
from c2m.pages.order_words import sentence
from c2m.pages.words import PURPOSES
from c2m.production import exits
from c2m.production import queries as production
from c2m.production.first_articles import accepted_of
from c2m.production.models import WorkOrder
from c2m.production.queries import ParcelView
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.formats import money, pieces
from c2m.web.forms import Flag, Form, Submission, Whole, amount_entry, blank, submitted
from c2m.web.viewer import signed_in_viewer


@blueprint.app_template_global("ways_out")
def ways_out() -> list[tuple[Pledge, Campaign, exits.WayOut]]:
    """The orders that the viewer may leave free of charge, for the list of orders."""
    return exits.ways_out(db_session(), signed_in_viewer().organisation_id, now=request_time())


@dataclass(frozen=True)
class MoneyLine:
    """One movement of a buyer's money: what for, in or back, how it stands."""

    words: str
    amount_minor: int
    back: bool
    state: TransferState | None  # None: it never left escrow
    at: datetime


class EvaluationForm(Form):
    quality: Annotated[Whole, Field(ge=1, le=5)]
    fit: Annotated[Whole, Field(ge=1, le=5)]
    would_order: Flag = False
    words: Annotated[str, Field(max_length=samples.LONGEST_WORDS)] = ""


@blueprint.get("/orders/<uuid:pledge_id>")
@allow(Role.BUYER)
def order(pledge_id: UUID) -> str:
    """The order's timeline, money, parcels and what can be done now."""
    return _order_page(pledge_id, blank(EvaluationForm))[0]


@blueprint.post("/orders/<uuid:pledge_id>/evaluation")
@allow(Role.BUYER)
def evaluate(pledge_id: UUID) -> Response | tuple[str, int]:
    """Say what a delivered sample is like."""
    session, form = db_session(), submitted(EvaluationForm)
    sample = demand.pledge_of(session, pledge_id, buyer_id=signed_in_viewer().organisation_id)
    if not form.accepted:
        return _order_page(pledge_id, form)
    said = form.value
    samples.evaluate_sample(
        session,
        sample,
        quality=said.quality,
        fit=said.fit,
        would_order=said.would_order,
        words=said.words,
        now=request_time(),
    )
    flash(_("Thank you. It now stands on the product's page."), "good")
    return redirect(url_for("pages.order", pledge_id=pledge_id, _anchor="evaluation"), HTTPStatus.SEE_OTHER)


@blueprint.post("/orders/<uuid:pledge_id>/leave-free")
@allow(Role.BUYER)
def leave(pledge_id: UUID) -> Response:
    """Leave because the first piece came out differently, and get everything back."""
    session = db_session()
    pledge = demand.pledge_of(session, pledge_id, buyer_id=signed_in_viewer().organisation_id)
    left = exits.leave_free(session, pledge, now=request_time())
    flash(_("You have left with %(pieces)s. Your money is on its way back.", pieces=pieces(left)), "good")
    return redirect(url_for("pages.order", pledge_id=pledge_id, _anchor="told-h"), HTTPStatus.SEE_OTHER)


def _order_page(pledge_id: UUID, form: Submission[EvaluationForm]) -> tuple[str, int]:
    session, now = db_session(), request_time()
    pledge = demand.pledge_of(session, pledge_id, buyer_id=signed_in_viewer().organisation_id)
    campaign = demand.campaign(session, pledge.campaign_id)
    variants = {v.id: v for v in demand.variants(session, campaign.id)}
    chosen = demand.pledge_lines(session, [pledge.id])[pledge.id]
    parcels = production.parcels_of(session, [pledge.id]).get(pledge.id, [])
    transfers = transfers_of(session, [pledge.id, *(parcel.id for parcel in parcels)])
    changes = demand.changes_of(session, pledge.id)
    next_order = demand.carried_to(session, pledge.id)
    running = campaign.state is CampaignState.OPEN and now < campaign.deadline
    left_free = any(change.kind is ChangeKind.LEFT_FREE for change in changes)
    was_made_for = left_free or pledge.state in (PledgeState.CONFIRMED, PledgeState.FULFILLED)
    return form.page(
        "pages/order.html",
        pledge=pledge,
        campaign=campaign,
        policy=session.get(Policy, campaign.policy_id),
        lines=[(variants[line.variant_id], line.quantity) for line in chosen],
        extras={line.variant_id: line.flexible_quantity for line in chosen if line.flexible_quantity},
        told=[sentence(change, pledge, campaign, variants) for change in changes],
        asked=_is_asked(pledge, campaign, now),
        next_order=next_order,
        steps=_timeline(session, pledge, campaign, parcels, now, goes_on=next_order is not None),
        money=_money(transfers, pledge, changes),
        bill=_bill(pledge, campaign),
        held_minor=sum(hold.remaining_minor for hold in holds_of(session, [pledge.id])),
        parcels=parcels,
        first_pieces=accepted_of(session, campaign.id) if campaign.concept_id and was_made_for else (),
        now=now,
        way_out=exits.way_out(session, pledge, now=now) if campaign.concept_id else None,
        unshipped=pledge.quantity - pledge.delivered_quantity - pledge.released_quantity,
        left_free=left_free,
        compensation_minor=sum(parcel.compensation_minor for parcel in parcels),
        can_cancel=pledge.state is PledgeState.PAID and running,
        balance_entry=amount_entry(pledge.balance_minor or 0, campaign.currency),
        evaluation=session.get(Evaluation, pledge.id) if campaign.kind is CampaignKind.SAMPLE else None,
        can_evaluate=campaign.kind is CampaignKind.SAMPLE and pledge.state is PledgeState.FULFILLED,
        **order_part(session, pledge, campaign),
        can_pay=pledge.state is PledgeState.BALANCE_DUE and _no_balance_in_flight(transfers),
    )


def _bill(pledge: Pledge, campaign: Campaign) -> list[tuple[str, int]]:
    """How an order's price and what is paid for it agree, where a sample or a deposit makes them differ."""
    bonus = (campaign.deposit_counts_minor - campaign.deposit_minor) * (pledge.quantity + pledge.flexible_quantity)
    if not (pledge.credit_minor or bonus) or pledge.state in demand.GONE or pledge.released_quantity:
        return []
    price = pledge.unit_price_minor if pledge.final_price_minor is None else pledge.final_price_minor
    if (
        pledge.final_price_minor is not None
        and pledge.balance_minor == 0
        and pledge.charged_minor == price * pledge.quantity
    ):
        return []
    count = pledge.quantity + pledge.flexible_quantity
    lines = [(f"{pieces(count)} × {money(price, campaign.currency)}", price * count)]
    if bonus:
        lines.append((_("What the deposit counts beyond its amount"), -bonus))
    if pledge.credit_minor:
        lines.append((_("Your sample’s price, taken off"), -pledge.credit_minor))
    return [*lines, (_("In all"), sum(minor for _words, minor in lines))]


def _is_asked(pledge: Pledge, campaign: Campaign, now: datetime) -> bool:
    """Whether the buyer still has to agree to an extension."""
    due = campaign.consents_due_at
    waits = pledge.state in (PledgeState.UNPAID, PledgeState.PAID) and campaign.state is CampaignState.OPEN
    return pledge.consent is Consent.ASKED and waits and due is not None and now < due


def _no_balance_in_flight(transfers: list[Transfer]) -> bool:
    return all(t.state is TransferState.FAILED for t in transfers if t.purpose == "demand.balance")


def _money(transfers: list[Transfer], pledge: Pledge, changes: list[PledgeChange]) -> list[MoneyLine]:
    lines = [
        MoneyLine(
            str(PURPOSES.get(t.purpose, t.purpose)),
            t.amount_minor,
            t.direction is not Direction.CHARGE,
            t.state,
            t.created_at,
        )
        for t in transfers
    ]
    if pledge.carried_from_id:
        words = str(_("Brought along from the last round"))
        lines.insert(0, MoneyLine(words, pledge.charged_minor, False, None, pledge.placed_at))
    words = str(PURPOSES[CARRIED_ON])
    carried = [change for change in changes if change.kind is ChangeKind.CARRIED_ON]
    return lines + [MoneyLine(words, c.amount_minor, True, None, c.changed_at) for c in carried]


def _refunded(pledge: Pledge) -> str:
    lapsed = pledge.balance_minor and pledge.final_price_minor is not None and not pledge.released_quantity
    return str(_("Balance not paid in time, deposit given back") if lapsed else _("Refunded"))


def _timeline(
    session: Session, pledge: Pledge, campaign: Campaign, parcels: list[ParcelView], now: datetime, *, goes_on: bool
) -> list[dict[str, Any]]:
    """What has happened and what comes next; an order that ended early stops there."""
    done: list[dict[str, Any]] = [{"title": _("Joined"), "when": pledge.placed_at, "state": "done"}]
    if pledge.paid_at:
        done.append({"title": _("Payment in escrow"), "when": pledge.paid_at, "state": "done"})
    if pledge.state in (PledgeState.CANCELLED, PledgeState.REFUNDED, PledgeState.FORFEITED):
        ends = {
            PledgeState.CANCELLED: _("Cancelled"),
            PledgeState.REFUNDED: _("On to the next round") if goes_on else _refunded(pledge),
            PledgeState.FORFEITED: _("Balance not paid in time, deposit forfeited"),
        }
        return [*done, {"title": ends[pledge.state], "when": pledge.ended_at, "state": "done"}]
    ahead: list[dict[str, Any]] = []
    closed = campaign.closed_at is not None
    (done if closed else ahead).append(
        {
            "title": _("Campaign closes"),
            "when": campaign.closed_at or campaign.deadline,
            "note": _closing_note(pledge, campaign),
        }
    )
    if campaign.kind is CampaignKind.PRESALE:
        paid = pledge.state in (PledgeState.CONFIRMED, PledgeState.FULFILLED)
        (done if paid else ahead).append(
            {"title": _("Balance paid"), "when": None if paid else campaign.balance_due_at}
        )
    made = _orders_behind(session, pledge)
    (done if made else ahead).append(
        {"title": _("A factory has taken it"), "when": min((o.planned_at for o in made), default=None)}
    )
    shipped = min((parcel.shipped_at for parcel in parcels), default=None)
    (done if shipped else ahead).append({"title": _("Shipped"), "when": shipped, "note": _making_note(made)})
    fulfilled = pledge.state is PledgeState.FULFILLED
    (done if fulfilled else ahead).append(
        {
            "title": _("Delivered"),
            "when": pledge.ended_at if fulfilled else campaign.promised_date,
            "tone": "bad" if not fulfilled and now > campaign.promised_date else "",
        }
    )
    first = [{**step, "state": "at"} for step in ahead[:1]]
    return [*({**step, "state": "done"} for step in done), *first, *({**step, "state": ""} for step in ahead[1:])]


def _closing_note(pledge: Pledge, campaign: Campaign) -> str:
    if pledge.final_price_minor is None or pledge.final_price_minor >= pledge.unit_price_minor:
        return ""
    if campaign.kind is CampaignKind.PRESALE:
        return str(_("Ended on a lower tier: the balance is smaller by the difference."))
    return str(_("Ended on a lower tier: the difference comes back by itself."))


def _making_note(orders: list[WorkOrder]) -> str:
    good, whole = sum(o.produced - o.rejected for o in orders), sum(o.quantity for o in orders)
    return str(_("%(made)s of %(all)s pieces of the whole order made", made=good, all=whole)) if whole else ""


def _orders_behind(session: Session, pledge: Pledge) -> list[WorkOrder]:
    """The work orders of the sheet this pledge stands in."""
    statement = (
        select(WorkOrder)
        .join(Offer, col(WorkOrder.offer_id) == col(Offer.id))
        .join(DemandSheet, col(Offer.sheet_id) == col(DemandSheet.id))
        .join(SheetPledge, col(SheetPledge.sheet_id) == col(DemandSheet.id))
        .where(SheetPledge.pledge_id == pledge.id, Offer.state == OfferState.ACCEPTED)
        .distinct()
    )
    return list(session.exec(statement).all())
