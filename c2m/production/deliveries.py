"""Deliveries: a parcel that arrived pays the factory and the merchandiser, and its buyer if it came late."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.db import chunks, table_of, update_rows
from c2m.demand.fulfilment import record_deliveries
from c2m.demand.models import Campaign, DemandSheet, Pledge, Policy
from c2m.demand.rules import share_of_units
from c2m.ledger.models import AccountKind
from c2m.ledger.queries import holds_of
from c2m.ledger.rules import AccountRef, Draft, Held, Leg, move
from c2m.ledger.service import Capture, capture, post
from c2m.outbox import announce
from c2m.production.compensation import Late, compensate
from c2m.production.models import Parcel, WorkOrder, WorkOrderState
from c2m.production.rules import days_late, earned_for, share_with_factory, spend_in_order
from c2m.production.settlement import SETTLE
from c2m.production.work_orders import lock_orders

DELIVERY = "production.delivery"
DELIVERY_REFERENCE = "delivery:"


def deliver_parcels(session: Session, parcel_ids: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """Count parcels as delivered, each once: pass their money on, compensate late ones; return those that are new.

    A work order whose last piece arrived is delivered, and its settlement falls due so many days later.
    """
    parcels = _lock_underway(session, parcel_ids)
    if not parcels:
        return []
    till = _Till.open(session, parcels)
    for parcel in parcels:
        till.deliver(parcel, now)
    _mark_delivered(session, parcels, now)
    capture(session, till.captures, now=now)
    post(session, till.unpaid, now=now)
    compensate(session, till.late, now=now)
    _write_orders(session, list(till.orders.values()))
    record_deliveries(session, till.delivered, now=now)
    finish_orders(session, {order.id: order.settlement_days for order in till.orders.values() if order.whole}, now=now)
    return [parcel.id for parcel in parcels]


def deliver_lots(session: Session, lot_ids: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """Count all parcels of these lots as delivered; return those that are new."""
    c = table_of(Parcel).c
    parcel_ids: list[UUID] = []
    for part in chunks(lot_ids):
        parcel_ids += session.execute(sa.select(c.id).where(c.lot_id.in_(part), c.delivered_at.is_(None))).scalars()
    return deliver_parcels(session, parcel_ids, now=now)


@dataclass
class _Order:
    """A work order's running account, and the terms its buyers were promised."""

    id: UUID
    factory_id: UUID
    merchandiser_id: UUID
    currency: str
    quantity: int
    total_minor: int
    delivered: int
    earned_minor: int
    margin_minor: int
    promised_date: datetime
    time_zone: str
    compensation_ppm_per_day: int
    compensation_cap_ppm: int
    settlement_days: int

    @property
    def whole(self) -> bool:
        return self.delivered == self.quantity


@dataclass
class _Purse:
    """What is still held for a pledge, payment by payment, and the pieces it is for."""

    price_minor: int
    outstanding: int
    holds: list[Held]
    left: list[int]

    def pay_for(self, units: int) -> list[tuple[Held, int]]:
        """Take out what these units cost, oldest payment first."""
        amount_minor = share_of_units(sum(self.left), self.outstanding, units)
        spent = spend_in_order(self.left, amount_minor)
        self.left = [left - part for left, part in zip(self.left, spent, strict=True)]
        self.outstanding -= units
        return [(hold, part) for hold, part in zip(self.holds, spent, strict=True) if part]


@dataclass
class _Till:
    """Where delivered parcels are counted through: orders, purses, and what follows for the ledger."""

    orders: dict[UUID, _Order]
    purses: dict[UUID, _Purse]
    captures: list[Capture] = field(default_factory=list)
    unpaid: list[Draft] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    delivered: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))  # pledge → pieces

    @classmethod
    def open(cls, session: Session, parcels: Sequence[sa.Row[Any]]) -> "_Till":
        return cls(
            orders=_orders(session, sorted({parcel.work_order_id for parcel in parcels})),
            purses=_purses(session, sorted({parcel.pledge_id for parcel in parcels})),
        )

    def deliver(self, parcel: sa.Row[Any], now: datetime) -> None:
        """Count one parcel: what its pieces cost the buyer goes to factory and merchandiser."""
        order, purse = self.orders[parcel.work_order_id], self.purses[parcel.pledge_id]
        earned = earned_for(order.total_minor, order.quantity, order.delivered, parcel.quantity)
        payments = purse.pay_for(parcel.quantity)
        self._share(parcel.id, order, purse, payments, earned)
        order.delivered += parcel.quantity
        order.earned_minor += earned
        order.margin_minor += sum(amount for _, amount in payments) - earned
        self.delivered[parcel.pledge_id] += parcel.quantity
        if days := days_late(order.promised_date, now, order.time_zone):
            self.late.append(self._late(parcel, order, purse, days))

    def _share(
        self, parcel_id: UUID, order: _Order, purse: _Purse, payments: list[tuple[Held, int]], earned_minor: int
    ) -> None:
        factory = AccountRef(AccountKind.FACTORY_PAYABLE, order.factory_id, order.currency)
        merchandiser = AccountRef(AccountKind.MERCHANDISER_PAYABLE, order.merchandiser_id, order.currency)
        if not payments:
            if earned_minor:
                reference = delivery_reference(parcel_id, purse.holds[0].id)
                self.unpaid.append(Draft(reference, DELIVERY, move(earned_minor, merchandiser, factory)))
            return
        shares = share_with_factory([amount for _, amount in payments], earned_minor)
        for (hold, amount_minor), (to_factory, to_merchandiser) in zip(payments, shares, strict=True):
            legs = [Leg(factory, "credit", to_factory)] if to_factory else []
            if to_merchandiser:
                side = "credit" if to_merchandiser > 0 else "debit"
                legs.append(Leg(merchandiser, side, abs(to_merchandiser)))
            reference = delivery_reference(parcel_id, hold.id)
            self.captures.append(Capture(hold, amount_minor, reference, DELIVERY, tuple(legs)))

    def _late(self, parcel: sa.Row[Any], order: _Order, purse: _Purse, days: int) -> Late:
        return Late(
            parcel_id=parcel.id,
            pledge_id=parcel.pledge_id,
            work_order_id=order.id,
            buyer_id=purse.holds[0].payer_id,
            factory_id=order.factory_id,
            currency=order.currency,
            units=parcel.quantity,
            price_minor=purse.price_minor,
            days=days,
            ppm_per_day=order.compensation_ppm_per_day,
            cap_ppm=order.compensation_cap_ppm,
        )


def delivery_reference(parcel_id: UUID, hold_id: UUID) -> str:
    """Names the entry by which a parcel takes its share of a hold."""
    return f"{DELIVERY_REFERENCE}{parcel_id.hex}:{hold_id.hex}"


def _lock_underway(session: Session, parcel_ids: Sequence[UUID]) -> list[sa.Row[Any]]:
    """Lock everything these parcels touch; return those not delivered yet, in id order."""
    c = table_of(Parcel).c
    ids = sorted(set(parcel_ids))
    order_ids: set[UUID] = set()
    for part in chunks(ids):
        order_ids.update(session.execute(sa.select(c.work_order_id).where(c.id.in_(part)).distinct()).scalars())
    lock_orders(session, sorted(order_ids))
    found: list[sa.Row[Any]] = []
    for part in chunks(ids):
        columns = (c.id, c.work_order_id, c.pledge_id, c.quantity)
        found += session.execute(sa.select(*columns).where(c.id.in_(part), c.delivered_at.is_(None)).order_by(c.id))
    return found


def _mark_delivered(session: Session, parcels: Sequence[sa.Row[Any]], now: datetime) -> None:
    table = table_of(Parcel)
    for part in chunks(parcels):
        session.execute(
            sa.update(table)
            .where(table.c.id.in_([parcel.id for parcel in part]), table.c.delivered_at.is_(None))
            .values(delivered_at=now)
        )


def _orders(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, _Order]:
    order, sheet, campaign, policy = (table_of(model) for model in (WorkOrder, DemandSheet, Campaign, Policy))
    columns = (
        order.c.id,
        order.c.factory_id,
        campaign.c.organisation_id,
        order.c.currency,
        order.c.quantity,
        order.c.total_minor,
        order.c.delivered,
        order.c.earned_minor,
        order.c.margin_minor,
        campaign.c.promised_date,
        policy.c.time_zone,
        policy.c.compensation_ppm_per_day,
        policy.c.compensation_cap_ppm,
        policy.c.settlement_days,
    )
    found: dict[UUID, _Order] = {}
    for part in chunks(order_ids):
        rows = session.execute(
            sa.select(*columns)
            .join_from(order, sheet, sheet.c.id == order.c.sheet_id)
            .join(campaign, campaign.c.id == sheet.c.campaign_id)
            .join(policy, policy.c.id == campaign.c.policy_id)
            .where(order.c.id.in_(part))
        )
        found |= {row.id: _Order(*row) for row in rows}
    return found


def _purses(session: Session, pledge_ids: Sequence[UUID]) -> dict[UUID, _Purse]:
    c = table_of(Pledge).c
    price = sa.func.coalesce(c.final_price_minor, c.unit_price_minor).label("price")
    outstanding = (c.quantity - c.delivered_quantity - c.released_quantity).label("outstanding")
    purses: dict[UUID, _Purse] = {}
    for part in chunks(pledge_ids):
        rows = session.execute(sa.select(c.id, price, outstanding).where(c.id.in_(part)))
        purses |= {row.id: _Purse(row.price, row.outstanding, [], []) for row in rows}
    for hold in holds_of(session, pledge_ids):
        purses[hold.subject_id].holds.append(hold)
        purses[hold.subject_id].left.append(hold.remaining_minor)
    return purses


def _write_orders(session: Session, orders: Sequence[_Order]) -> None:
    rows = [
        {"id": o.id, "delivered": o.delivered, "earned_minor": o.earned_minor, "margin_minor": o.margin_minor}
        for o in orders
    ]
    update_rows(session, WorkOrder, rows)


def finish_orders(session: Session, settlement_days: Mapping[UUID, int], *, now: datetime) -> None:
    """Orders with every piece delivered: tell who waits, and have them settled when their days are over."""
    table = table_of(WorkOrder)
    ids = list(settlement_days)
    for part in chunks(ids):
        session.execute(
            sa.update(table).where(table.c.id.in_(part)).values(state=WorkOrderState.DELIVERED, delivered_at=now)
        )
    work = [(f"settle:{i}", [i], now + timedelta(days=days)) for i, days in settlement_days.items()]
    jobs.enqueue_all(session, SETTLE, work, now=now)
    announce(session, "production.work_orders_delivered", ids, now=now)
