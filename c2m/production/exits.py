"""Leaving free of charge: buyers may, while the first piece of what was a concept differs from its picture.

The window's end and every exit lock the sheet and its orders, in that order: an exit is either wholly before the end,
and its pieces are not made, or refused. Bulk waits for the row that says that the window has ended, not for a clock.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of, update_rows
from c2m.demand import fulfilment
from c2m.demand.models import (
    Campaign,
    ChangeKind,
    DemandSheet,
    Pledge,
    PledgeChange,
    PledgeState,
    Policy,
    SheetPledge,
)
from c2m.demand.queries import GONE
from c2m.errors import N_, Conflict
from c2m.ledger.models import AccountKind
from c2m.ledger.rules import AccountRef, Draft, move
from c2m.ledger.service import post
from c2m.matching.models import Offer
from c2m.outbox import announce
from c2m.production.deliveries import finish_orders
from c2m.production.models import FirstArticle, Milestone, WorkOrder, WorkOrderLine
from c2m.production.shipping import pieces_gone
from c2m.production.work_orders import lock_orders

ALL_LEFT = "production.all_left"
ALL_LEFT_REFERENCE = "all_left:"
ENDED = "production.exit_windows_ended"

article, order, line, sheet, campaign, offer, policy = (
    table_of(model) for model in (FirstArticle, WorkOrder, WorkOrderLine, DemandSheet, Campaign, Offer, Policy)
)


class ExitOver(Conflict):
    sentence = N_("The time to leave free of charge is over. Your order is being made.")


class OrderGone(Conflict):
    sentence = N_("This order has ended already, and nothing is being made for it.")


class NothingToLeave(Conflict):
    sentence = N_("No piece that differs is left for you to leave: the others are made as the picture shows.")


@dataclass(frozen=True)
class WayOut:
    """What a buyer may leave free of charge: until when, with how many pieces, and what comes back for them."""

    until: datetime
    pieces: int
    amount_minor: int


@dataclass(frozen=True)
class Exits:
    """How many buyers of a campaign left free of charge, with how many pieces, and what they were given back."""

    buyers: int = 0
    pieces: int = 0
    returned_minor: int = 0


def leave_free(session: Session, pledge: Pledge, *, now: datetime) -> int:
    """A buyer leaves because the first piece differs and gets everything back; return how many pieces are not made.

    The pieces come off the orders whose first piece differs. Where those are fewer than the pledge's, the rest of it
    stays: it is made elsewhere, as the picture shows.

    Raises:
        ExitOver, OrderGone, NothingToLeave
    """
    lock_orders(session, list(_differing(session, pledge.campaign_id, now)))
    session.refresh(pledge)
    if pledge.state in GONE:
        raise OrderGone(pledge_id=pledge.id)
    orders = _differing(session, pledge.campaign_id, now)
    if not orders or pledge.state is not PledgeState.CONFIRMED or pledge.merchant_funded:
        raise ExitOver(pledge_id=pledge.id)
    sheet_id = next(iter(orders.values())).sheet_id
    taken = _taken_off(session, list(orders), _waited_for(session, sheet_id, pledge.id))
    if not taken:
        raise NothingToLeave(pledge_id=pledge.id)
    pieces: dict[UUID, int] = defaultdict(int)
    for (_order_id, variant_id), quantity in taken.items():
        pieces[variant_id] += quantity
    fulfilment.leave_free(session, sheet_id, pledge.id, pieces, now=now)
    _lower(session, orders, taken, now)
    session.expire(pledge)
    return sum(pieces.values())


def end_exit_windows(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Who wanted to leave has left: the rest is made."""
    for part in chunks(ids):
        over = sa.and_(article.c.id.in_(part), article.c.leave_until <= now, article.c.window_ended_at.is_(None))
        lock_orders(session, list(session.execute(sa.select(article.c.work_order_id).where(over)).scalars()))
        ending = sa.update(article).where(over).values(window_ended_at=now).returning(article.c.id)
        announce(session, ENDED, sorted(session.connection().execute(ending).scalars()), now=now)


def open_window(session: Session, campaign_id: UUID, *, now: datetime) -> datetime | None:
    """Until when buyers of this campaign may leave free of charge; None where they may not, or no longer."""
    return max((row.leave_until for row in _differing(session, campaign_id, now).values()), default=None)


def way_out(session: Session, pledge: Pledge, *, now: datetime) -> WayOut | None:
    """What `leave_free` would do for this buyer now; None where nothing can be left."""
    orders = _differing(session, pledge.campaign_id, now)
    if not orders or pledge.state is not PledgeState.CONFIRMED or pledge.merchant_funded:
        return None
    waited_for = _waited_for(session, next(iter(orders.values())).sheet_id, pledge.id)
    if not (pieces := sum(_taken_off(session, list(orders), waited_for).values())):
        return None
    until = max(row.leave_until for row in orders.values())
    return WayOut(until, pieces, fulfilment.held_for(session, pledge.id, pieces))


def ways_out(session: Session, buyer_id: UUID, *, now: datetime) -> list[tuple[Pledge, Campaign, WayOut]]:
    """Which orders a buyer may leave free of charge now; the one whose time ends first comes first."""
    open_now = (
        sa.select(sheet.c.campaign_id)
        .join_from(article, order, order.c.id == article.c.work_order_id)
        .join(sheet, sheet.c.id == order.c.sheet_id)
        .where(article.c.leave_until > now, article.c.window_ended_at.is_(None))
    )
    statement = (
        select(Pledge, Campaign)
        .join(Campaign, col(Campaign.id) == col(Pledge.campaign_id))
        .where(Pledge.buyer_id == buyer_id, Pledge.state == PledgeState.CONFIRMED, col(Campaign.id).in_(open_now))
        .order_by(col(Pledge.id))
    )
    found = [(pledge, campaign, way_out(session, pledge, now=now)) for pledge, campaign in session.exec(statement)]
    return sorted(((p, c, way) for p, c, way in found if way is not None), key=lambda one: one[2].until)


def exits_of(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, Exits]:
    """Who left each of these campaigns free of charge."""
    change, pledge = table_of(PledgeChange), table_of(Pledge)
    sums = (
        sa.func.count(sa.distinct(pledge.c.buyer_id)),
        sa.func.sum(change.c.pieces),
        sa.func.sum(change.c.amount_minor),
    )
    found: dict[UUID, Exits] = defaultdict(Exits)
    for part in chunks(campaign_ids):
        rows = session.execute(
            sa.select(pledge.c.campaign_id, *sums)
            .join_from(change, pledge, pledge.c.id == change.c.pledge_id)
            .where(pledge.c.campaign_id.in_(part), change.c.kind == ChangeKind.LEFT_FREE)
            .group_by(pledge.c.campaign_id)
        )
        found |= {row[0]: Exits(*(int(total) for total in row[1:])) for row in rows}
    return found


def windows_under_way(session: Session, *, limit: int) -> list[tuple[FirstArticle, WorkOrder, Campaign]]:
    """First pieces that differ and whose buyers may still leave, with their orders; the first to end first."""
    statement = (
        select(FirstArticle, WorkOrder, Campaign)
        .join(WorkOrder, col(WorkOrder.id) == col(FirstArticle.work_order_id))
        .join(DemandSheet, col(DemandSheet.id) == col(WorkOrder.sheet_id))
        .join(Campaign, col(Campaign.id) == col(DemandSheet.campaign_id))
        .where(col(FirstArticle.leave_until).is_not(None), col(FirstArticle.window_ended_at).is_(None))
        .order_by(col(FirstArticle.leave_until), col(FirstArticle.id))
        .limit(limit)
    )
    return list(session.exec(statement).all())


def setups_of(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What each order's factory is paid for setting up, however many pieces are left."""
    found: dict[UUID, int] = {}
    for part in chunks(order_ids):
        rows = session.execute(
            sa.select(order.c.id, offer.c.setup_minor)
            .join_from(order, offer, offer.c.id == order.c.offer_id)
            .where(order.c.id.in_(part))
        )
        found |= {row.id: row.setup_minor for row in rows}
    return found


def _differing(session: Session, campaign_id: UUID, now: datetime) -> dict[UUID, sa.Row[Any]]:
    """The campaign's orders whose first piece differs and whose buyers may still leave, the first window's first."""
    columns = (order.c.id, order.c.sheet_id, order.c.factory_id, order.c.currency, article.c.leave_until)
    terms = (offer.c.unit_price_minor, campaign.c.organisation_id, policy.c.settlement_days)
    rows = session.execute(
        sa.select(*columns, *terms)
        .join_from(article, order, order.c.id == article.c.work_order_id)
        .join(offer, offer.c.id == order.c.offer_id)
        .join(sheet, sheet.c.id == order.c.sheet_id)
        .join(campaign, campaign.c.id == sheet.c.campaign_id)
        .join(policy, policy.c.id == campaign.c.policy_id)
        .where(campaign.c.id == campaign_id, article.c.leave_until > now, article.c.window_ended_at.is_(None))
        .order_by(article.c.leave_until, order.c.id)
    )
    return {row.id: row for row in rows}


def _waited_for(session: Session, sheet_id: UUID, pledge_id: UUID) -> dict[UUID, int]:
    """A pledge's pieces that are neither on their way nor released: variant → pieces."""
    made_of, gone = table_of(SheetPledge), pieces_gone(session, [sheet_id])
    rows = session.execute(
        sa.select(made_of.c.variant_id, made_of.c.quantity)
        .where(made_of.c.sheet_id == sheet_id, made_of.c.pledge_id == pledge_id)
        .order_by(made_of.c.variant_id)
    )
    return {row.variant_id: row.quantity - gone.get((sheet_id, row.variant_id, pledge_id), 0) for row in rows}


def _taken_off(session: Session, order_ids: Sequence[UUID], wanted: Mapping[UUID, int]) -> dict[tuple[UUID, UUID], int]:
    """Which orders are to make less of what: (order, variant) → pieces, as far as they have any."""
    rows = session.execute(sa.select(line).where(line.c.work_order_id.in_(order_ids)))
    ordered = {(row.work_order_id, row.variant_id): row.quantity for row in rows}
    left, taken = dict(wanted), {}
    for order_id in order_ids:
        for variant_id in wanted:
            if part := min(left[variant_id], ordered.get((order_id, variant_id), 0)):
                taken[order_id, variant_id] = part
                left[variant_id] -= part
    return taken


def _lower(
    session: Session, orders: Mapping[UUID, sa.Row[Any]], taken: Mapping[tuple[UUID, UUID], int], now: datetime
) -> None:
    """Count the orders down; one that nobody waits for any more is over, its setting up paid by the merchandiser."""
    fewer: dict[UUID, int] = defaultdict(int)
    for (order_id, _), pieces in taken.items():
        fewer[order_id] += pieces
    counts = ("quantity", "left_quantity")
    lines = [
        {"work_order_id": order_id, "variant_id": variant_id, "quantity": -pieces, "left_quantity": pieces}
        for (order_id, variant_id), pieces in taken.items()
    ]
    update_rows(session, WorkOrderLine, lines, by=("work_order_id", "variant_id"), add=counts)
    lowered = [
        {
            "id": order_id,
            "quantity": -pieces,
            "left_quantity": pieces,
            "total_minor": -pieces * orders[order_id].unit_price_minor,
        }
        for order_id, pieces in fewer.items()
    ]
    update_rows(session, WorkOrder, lowered, add=(*counts, "total_minor"))
    milestone = table_of(Milestone)
    for row in session.execute(
        sa.select(order.c.id, order.c.quantity, order.c.total_minor).where(order.c.id.in_(fewer))
    ):
        enough = sa.and_(milestone.c.work_order_id == row.id, milestone.c.done >= row.quantity)
        session.execute(sa.update(milestone).where(enough, milestone.c.completed_at.is_(None)).values(completed_at=now))
        if not row.quantity:
            _end_empty(session, orders[row.id], row.total_minor, now)


def _end_empty(session: Session, ended: sa.Row[Any], setup_minor: int, now: datetime) -> None:
    if setup_minor:
        merchandiser = AccountRef(AccountKind.MERCHANDISER_PAYABLE, ended.organisation_id, ended.currency)
        factory = AccountRef(AccountKind.FACTORY_PAYABLE, ended.factory_id, ended.currency)
        post(
            session, [Draft(all_left_reference(ended.id), ALL_LEFT, move(setup_minor, merchandiser, factory))], now=now
        )
        owed = {"id": ended.id, "earned_minor": setup_minor, "margin_minor": -setup_minor}
        update_rows(session, WorkOrder, [owed])
    finish_orders(session, {ended.id: ended.settlement_days}, now=now)


def all_left_reference(order_id: UUID) -> str:
    """Names the entry by which a merchandiser pays for the setting up of an order that all its buyers left."""
    return f"{ALL_LEFT_REFERENCE}{order_id.hex}"
