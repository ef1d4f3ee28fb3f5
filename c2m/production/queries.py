"""Reads for the pages: a factory's work orders, one of them in full, a buyer's parcels, settlements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.demand.models import Campaign, DemandSheet, Policy, Variant
from c2m.errors import N_, NotFound
from c2m.matching.models import Booking, Offer
from c2m.matching.rules import monday
from c2m.production.awaiting import BEFORE_BULK, awaiting_first_article
from c2m.production.models import (
    Compensation,
    Lot,
    Milestone,
    Parcel,
    ParcelLine,
    Settlement,
    WorkOrder,
    WorkOrderLine,
    WorkOrderState,
)
from c2m.production.rules import StepCount, days_late, pieces_needed, pieces_waiting, ready_to_ship, settle

UNDERWAY = (WorkOrderState.PLANNED, WorkOrderState.IN_PRODUCTION, WorkOrderState.SHIPPED)


class WorkOrderNotFound(NotFound):
    sentence = N_("There is no such work order.")


class LotNotFound(NotFound):
    sentence = N_("There is no such lot.")


class ParcelNotFound(NotFound):
    sentence = N_("There is no such parcel.")


@dataclass(frozen=True)
class StepProgress:
    """A milestone with what it may still report."""

    position: int
    step: str
    planned_on: date
    done: int
    rejected: int
    reportable: int  # good pieces it may report now
    completed_at: datetime | None


@dataclass(frozen=True)
class Progress:
    """A work order in a list: what it is, how far it has come, what is next."""

    order: WorkOrder
    title: str
    title_en: str
    category: str
    policy: Policy
    steps: tuple[StepProgress, ...]
    awaits_first_article: bool = False  # nothing past the first step may be reported

    @property
    def current(self) -> StepProgress | None:
        """The first step that isn't complete."""
        return next((step for step in self.steps if step.completed_at is None), None)

    @property
    def done_ppm(self) -> int:
        """How much of all steps is done, in parts per million."""
        whole = self.order.quantity * len(self.steps)
        done = sum(min(step.done, self.order.quantity) for step in self.steps)
        return done * 1_000_000 // whole if whole else 0

    def days_late(self, now: datetime) -> int:
        """Days since the day it was due; 0 within it, and once everything is delivered."""
        return days_late(self.order.due_at, now, self.policy.time_zone) if self.order.state in UNDERWAY else 0

    def net_minor(self, earned_minor: int) -> int:
        """What the factory is paid of what it earns, the platform's fee taken off, before any compensation."""
        return settle(earned_minor, 0, self.policy.fee_ppm).net_minor

    @property
    def ready(self) -> int:
        """Finished pieces that can be shipped now."""
        order = self.order
        return ready_to_ship(
            ordered=order.quantity, produced=order.produced, rejected=order.rejected, shipped=order.shipped
        )


@dataclass(frozen=True)
class VariantCount:
    """Pieces of one variant, of which so many have been shipped."""

    variant_id: UUID
    colour: str
    size: str
    quantity: int
    shipped: int


@dataclass(frozen=True)
class LotProgress:
    """A lot, its parcels, and how many of them have arrived."""

    lot: Lot
    parcels: int
    delivered_parcels: int
    delivered_pieces: int


@dataclass(frozen=True)
class ParcelView:
    """A parcel as its buyer sees it."""

    id: UUID
    pledge_id: UUID
    work_order_id: UUID
    lot_id: UUID
    quantity: int
    carrier: str
    tracking_number: str
    shipped_at: datetime
    delivered_at: datetime | None
    days_late: int
    compensation_minor: int
    currency: str
    lines: tuple[VariantCount, ...]


def work_order(session: Session, order_id: UUID, *, factory_id: UUID | None = None) -> WorkOrder:
    """The work order with this id; a factory finds only its own.

    Raises:
        WorkOrderNotFound
    """
    found = session.get(WorkOrder, order_id, populate_existing=True)
    if found is None or (factory_id is not None and found.factory_id != factory_id):
        raise WorkOrderNotFound(work_order_id=order_id)
    return found


def lot(session: Session, lot_id: UUID) -> Lot:
    """The lot with this id.

    Raises:
        LotNotFound
    """
    found = session.get(Lot, lot_id)
    if found is None:
        raise LotNotFound(lot_id=lot_id)
    return found


def work_orders_of(
    session: Session,
    factory_id: UUID,
    *,
    states: Sequence[WorkOrderState] | None = None,
    limit: int = 100,
    before: UUID | None = None,
) -> list[Progress]:
    """A factory's work orders with their progress, newest first, paged by id."""
    statement = select(WorkOrder).where(WorkOrder.factory_id == factory_id)
    if states is not None:
        statement = statement.where(col(WorkOrder.state).in_(states))
    if before is not None:
        statement = statement.where(col(WorkOrder.id) < before)
    orders = session.exec(
        statement.order_by(col(WorkOrder.id).desc()).limit(limit).execution_options(populate_existing=True)
    ).all()
    return progress_of(session, orders)


def orders_by_state(session: Session, factory_id: UUID) -> dict[WorkOrderState, int]:
    """How many work orders a factory has in each state."""
    c = table_of(WorkOrder).c
    rows = session.execute(sa.select(c.state, sa.func.count()).where(c.factory_id == factory_id).group_by(c.state))
    return {WorkOrderState(state): int(orders) for state, orders in rows}


def late_orders_of(session: Session, factory_id: UUID, *, states: Sequence[WorkOrderState], now: datetime) -> int:
    """How many of a factory's work orders in these states are past their due date."""
    c = table_of(WorkOrder).c
    late = sa.select(sa.func.count()).where(c.factory_id == factory_id, c.state.in_(states), c.due_at < now)
    return int(session.execute(late).scalar_one())


def unfinished_pieces(session: Session, factory_id: UUID, *, now: datetime) -> dict[UUID, int]:
    """Pieces still to be made by a factory's lines though the weeks planned for them are over: capability → pieces."""
    order, offer, booking = table_of(WorkOrder), table_of(Offer), table_of(Booking)
    taken = booking.c.offer_id == offer.c.id, booking.c.released_at.is_(None)
    last_week = sa.select(sa.func.max(booking.c.week)).where(*taken).scalar_subquery()
    left = sa.func.sum(order.c.quantity - order.c.produced + order.c.rejected)
    rows = session.execute(
        sa.select(offer.c.capability_id, left)
        .join_from(order, offer, offer.c.id == order.c.offer_id)
        .where(order.c.factory_id == factory_id, last_week < monday(now.date()))
        .where(order.c.state.in_((WorkOrderState.PLANNED, WorkOrderState.IN_PRODUCTION)))
        .group_by(offer.c.capability_id)
        .having(left > 0)
    )
    return {capability_id: int(pieces) for capability_id, pieces in rows}


def late_work_orders(session: Session, *, now: datetime, limit: int = 100) -> list[Progress]:
    """Work orders past their due date and not wholly delivered, the latest first."""
    orders = session.exec(
        select(WorkOrder)
        .where(col(WorkOrder.state).in_(UNDERWAY), WorkOrder.due_at < now)
        .order_by(col(WorkOrder.due_at), col(WorkOrder.id))
        .limit(limit)
        .execution_options(populate_existing=True)
    ).all()
    return progress_of(session, orders)


def progress_of(session: Session, orders: Sequence[WorkOrder]) -> list[Progress]:
    """Each of these orders with its product and steps."""
    sheet_ids = sorted({order.sheet_id for order in orders})
    sheets, policies = _sheets(session, sheet_ids), policies_of(session, sheet_ids)
    ids = [order.id for order in orders]
    milestones, awaiting = _milestones(session, ids), awaiting_first_article(session, ids)
    return [
        Progress(
            order=order,
            title=sheets[order.sheet_id].title,
            title_en=sheets[order.sheet_id].title_en,
            category=sheets[order.sheet_id].category,
            policy=policies[order.sheet_id],
            steps=_steps(milestones[order.id], order.quantity, order.id in awaiting),
            awaits_first_article=order.id in awaiting,
        )
        for order in orders
    ]


def lines_of(session: Session, order_id: UUID) -> list[VariantCount]:
    """An order's variants in the merchandiser's order."""
    rows = session.execute(
        sa.select(
            col(Variant.id),
            col(Variant.colour),
            col(Variant.size),
            col(WorkOrderLine.quantity),
            col(WorkOrderLine.shipped),
        )
        .join_from(WorkOrderLine, Variant, col(Variant.id) == col(WorkOrderLine.variant_id))
        .where(col(WorkOrderLine.work_order_id) == order_id)
        .order_by(col(Variant.position))
    )
    return [VariantCount(*row) for row in rows]


def lots_of(session: Session, order_id: UUID) -> list[LotProgress]:
    """An order's lots in the order they left, with how much of each has arrived."""
    lots = session.exec(select(Lot).where(Lot.work_order_id == order_id).order_by(col(Lot.position))).all()
    c = table_of(Parcel).c
    arrived = c.delivered_at.is_not(None)
    rows = session.execute(
        sa.select(
            c.lot_id,
            sa.func.count(),
            sa.func.sum(sa.case((arrived, 1), else_=0)),
            sa.func.sum(sa.case((arrived, c.quantity), else_=0)),
        )
        .where(c.work_order_id == order_id)
        .group_by(c.lot_id)
    )
    counts = {lot_id: (int(parcels), int(delivered), int(pieces)) for lot_id, parcels, delivered, pieces in rows}
    return [LotProgress(found, *counts[found.id]) for found in lots]


def parcel_of(session: Session, parcel_id: UUID, *, pledge_ids: Sequence[UUID]) -> Parcel:
    """A parcel that goes to one of these pledges.

    Raises:
        ParcelNotFound
    """
    found = session.get(Parcel, parcel_id)
    if found is None or found.pledge_id not in pledge_ids:
        raise ParcelNotFound(parcel_id=parcel_id)
    return found


def parcels_of(session: Session, pledge_ids: Sequence[UUID]) -> dict[UUID, list[ParcelView]]:
    """What has been sent to each pledge, oldest first: pledge → parcels."""
    parcel, sent, paid, order = (table_of(model) for model in (Parcel, Lot, Compensation, WorkOrder))
    found: dict[UUID, list[ParcelView]] = defaultdict(list)
    for part in chunks(pledge_ids):
        rows = session.execute(
            sa.select(
                parcel,
                sent.c.carrier,
                sent.c.tracking_number,
                sent.c.shipped_at,
                order.c.currency,
                sa.func.coalesce(paid.c.days_late, 0).label("days_late"),
                sa.func.coalesce(paid.c.amount_minor, 0).label("compensation_minor"),
            )
            .join_from(parcel, sent, sent.c.id == parcel.c.lot_id)
            .join(order, order.c.id == parcel.c.work_order_id)
            .outerjoin(paid, paid.c.parcel_id == parcel.c.id)
            .where(parcel.c.pledge_id.in_(part))
            .order_by(sent.c.shipped_at, parcel.c.id)
        ).all()
        contents = _contents(session, [row.id for row in rows])
        for row in rows:
            found[row.pledge_id].append(_parcel_view(row, contents[row.id]))
    return found


def settlements_of(
    session: Session, factory_id: UUID, *, limit: int = 100, before: UUID | None = None
) -> list[tuple[Settlement, WorkOrder]]:
    """A factory's settlements with their work orders, the latest order first, paged by work order id."""
    statement = (
        select(Settlement, WorkOrder)
        .join(WorkOrder, col(WorkOrder.id) == col(Settlement.work_order_id))
        .where(Settlement.factory_id == factory_id)
    )
    if before is not None:
        statement = statement.where(col(Settlement.work_order_id) < before)
    return list(session.exec(statement.order_by(col(Settlement.work_order_id).desc()).limit(limit)).all())


def _steps(milestones: Sequence[Milestone], ordered: int, awaits: bool) -> tuple[StepProgress, ...]:
    counts = [StepCount(milestone.done, milestone.rejected) for milestone in milestones]
    steps = []
    for i, milestone in enumerate(milestones):
        waiting = pieces_waiting(counts, i)
        needed = 0 if awaits and i >= BEFORE_BULK else pieces_needed(counts, i, ordered)
        steps.append(
            StepProgress(
                position=milestone.position,
                step=milestone.step,
                planned_on=milestone.planned_on,
                done=milestone.done,
                rejected=milestone.rejected,
                reportable=needed if waiting is None else min(waiting, needed),
                completed_at=milestone.completed_at,
            )
        )
    return tuple(steps)


def _milestones(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, list[Milestone]]:
    found: dict[UUID, list[Milestone]] = defaultdict(list)
    for part in chunks(order_ids):
        statement = select(Milestone).where(col(Milestone.work_order_id).in_(part)).order_by(col(Milestone.position))
        for milestone in session.exec(statement.execution_options(populate_existing=True)):
            found[milestone.work_order_id].append(milestone)
    return found


def _sheets(session: Session, sheet_ids: Sequence[UUID]) -> dict[UUID, DemandSheet]:
    found: dict[UUID, DemandSheet] = {}
    for part in chunks(sheet_ids):
        found |= {sheet.id: sheet for sheet in session.exec(select(DemandSheet).where(col(DemandSheet.id).in_(part)))}
    return found


def policies_of(session: Session, sheet_ids: Sequence[UUID]) -> dict[UUID, Policy]:
    """The terms behind each of these sheets."""
    found: dict[UUID, Policy] = {}
    for part in chunks(sheet_ids):
        rows = session.exec(
            select(DemandSheet.id, Policy)
            .join(Campaign, col(Campaign.id) == col(DemandSheet.campaign_id))
            .join(Policy, col(Policy.id) == col(Campaign.policy_id))
            .where(col(DemandSheet.id).in_(part))
        )
        found |= dict(rows.all())
    return found


def _contents(session: Session, parcel_ids: Sequence[UUID]) -> dict[UUID, list[VariantCount]]:
    line, variant = table_of(ParcelLine), table_of(Variant)
    found: dict[UUID, list[VariantCount]] = defaultdict(list)
    for part in chunks(parcel_ids):
        rows = session.execute(
            sa.select(line.c.parcel_id, variant.c.id, variant.c.colour, variant.c.size, line.c.quantity)
            .join_from(line, variant, variant.c.id == line.c.variant_id)
            .where(line.c.parcel_id.in_(part))
            .order_by(variant.c.position)
        )
        for parcel_id, variant_id, colour, size, quantity in rows:
            found[parcel_id].append(VariantCount(variant_id, colour, size, quantity, quantity))
    return found


def _parcel_view(row: sa.Row[Any], lines: Sequence[VariantCount]) -> ParcelView:
    return ParcelView(
        id=row.id,
        pledge_id=row.pledge_id,
        work_order_id=row.work_order_id,
        lot_id=row.lot_id,
        quantity=row.quantity,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        shipped_at=row.shipped_at,
        delivered_at=row.delivered_at,
        days_late=row.days_late,
        compensation_minor=row.compensation_minor,
        currency=row.currency,
        lines=tuple(lines),
    )
