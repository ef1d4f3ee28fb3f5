"""A small market: pledges in escrow, a sheet, accepted offers, and a factory that can be told to make things."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of, uuid7
from c2m.demand.models import Campaign, DemandSheet, Pledge
from c2m.jobs import Job
from c2m.ledger.models import Account, AccountKind, Entry, Hold, Posting, Transfer
from c2m.ledger.provider import Answer
from c2m.ledger.queries import signed_amount
from c2m.ledger.service import record_answers
from c2m.outbox import Announcement
from c2m.production.deliveries import deliver_lots
from c2m.production.floor import ReportRequest, report_step
from c2m.production.models import (
    Compensation,
    Lot,
    Milestone,
    Parcel,
    ParcelLine,
    Report,
    Settlement,
    WorkOrder,
    WorkOrderLine,
)
from c2m.production.queries import work_order
from c2m.production.shipping import ShipRequest, ship_lot
from c2m.production.work_orders import create_work_orders
from tests.builders import MORNING, a_campaign, a_capability, a_confirmed_pledge, a_factory, a_sheet, an_offer

PROMISED = MORNING + timedelta(days=35)


def a_sold_campaign(
    session: Session,
    pledged: Sequence[int],
    *,
    price_minor: int = 100_00,
    payments: Sequence[Sequence[int]] | None = None,
    **fields: object,
) -> tuple[Campaign, UUID, list[Pledge], DemandSheet]:
    """A succeeded campaign of one variant: a pledge for each quantity, oldest first, all in one sheet."""
    campaign, [variant] = a_campaign(session, **fields)
    pledges = [
        a_confirmed_pledge(
            session,
            campaign,
            {variant.id: quantity},
            price_minor=price_minor,
            payments=payments[i] if payments else None,
            placed_at=MORNING + timedelta(minutes=i),
        )
        for i, quantity in enumerate(pledged)
    ]
    return campaign, variant.id, pledges, a_sheet(session, campaign, pledges)


def an_order(session: Session, sheet: DemandSheet, lines: Mapping[UUID, int], **fields: object) -> WorkOrder:
    """The work order of an accepted offer to a factory of its own."""
    capability = a_capability(session, a_factory(session))
    offer = an_offer(session, sheet, capability, lines, **fields)
    [order_id] = create_work_orders(session, [offer.id], now=MORNING)
    return work_order(session, order_id)


def make(session: Session, order: WorkOrder, pieces: int, *, rejected: int = 0, now: datetime = MORNING) -> None:
    """Report pieces through every step; those rejected fail at the last one."""
    milestone = table_of(Milestone)
    count = sa.select(sa.func.count()).where(milestone.c.work_order_id == order.id)
    steps = session.execute(count).scalar_one()
    for position in range(steps):
        failed = rejected if position == steps - 1 else 0
        report_step(session, ReportRequest(order.id, position, pieces, failed, str(uuid7())), now=now)


def ship(session: Session, order: WorkOrder, quantity: int | None = None, *, now: datetime = MORNING) -> UUID:
    """Ship a lot under a key of its own."""
    return ship_lot(session, ShipRequest(order.id, quantity, "SF Express", "SF1", str(uuid7())), now=now)


def deliver(session: Session, lot_id: UUID, *, now: datetime = PROMISED) -> list[UUID]:
    """Deliver every parcel of a lot, in time unless said otherwise."""
    return deliver_lots(session, [lot_id], now=now)


def pay_everything(session: Session, *, now: datetime) -> None:
    """The provider carries out every transfer that waits."""
    table = table_of(Transfer)
    waiting = session.execute(sa.select(table.c.id).where(table.c.state == "pending")).scalars().all()
    record_answers(session, [(i, Answer(accepted=True)) for i in waiting], "test", now=now)


def balances(session: Session) -> dict[AccountKind, int]:
    """Credits less debits by kind of account, those that are zero left out."""
    posting, account = table_of(Posting), table_of(Account)
    rows = session.execute(
        sa.select(account.c.kind, sa.func.sum(signed_amount()))
        .join_from(posting, account, account.c.id == posting.c.account_id)
        .group_by(account.c.kind)
    )
    return {kind: int(amount) for kind, amount in rows if amount}


def count(session: Session, *tables: type) -> list[int]:
    """Rows in each of these tables."""
    return [session.execute(sa.select(sa.func.count()).select_from(table_of(t))).scalar_one() for t in tables]


def announced(session: Session) -> list[tuple[str, list[str]]]:
    """What production has announced: topic and ids, oldest first."""
    table = table_of(Announcement)
    rows = session.execute(sa.select(table.c.topic, table.c.ids).order_by(table.c.id))
    return [(topic, ids) for topic, ids in rows if topic.startswith("production.")]


def everything(session: Session) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that production may touch, to show that a refusal changed nothing."""
    session.flush()
    tables = (WorkOrder, WorkOrderLine, Milestone, Report, Lot, Parcel, ParcelLine, Compensation, Settlement)
    touched = (*tables, Pledge, Hold, Entry, Posting, Transfer, Job, Announcement)
    return {
        table.__name__: sorted((tuple(row) for row in session.execute(sa.select(table_of(table)))), key=str)
        for table in touched
    }
