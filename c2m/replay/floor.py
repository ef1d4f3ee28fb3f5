"""The factories at work: they answer their inboxes, make what they took on, ship it, and it arrives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import Database, chunks, table_of
from c2m.design.categories import category_of
from c2m.design.routes import route_of
from c2m.errors import Refusal
from c2m.identity.models import Role
from c2m.identity.service import (
    Decision,
    Registered,
    Registration,
    decide_organisations,
    register_organisation,
    register_organisations,
)
from c2m.matching.factories import NewCapability, Profile, add_capabilities, create_profiles
from c2m.matching.models import Booking, Capability, Offer, OfferState
from c2m.matching.offers import Answer, accept_offers, decline_offers
from c2m.matching.rules import WEEK, starts_at
from c2m.money import PPM
from c2m.production.deliveries import deliver_lots
from c2m.production.floor import ReportRequest, report_progress
from c2m.production.models import WorkOrder
from c2m.production.shipping import ShipRequest, ship_lots
from c2m.replay.factories import PPM_PER_PERCENT, Maker
from c2m.replay.shop import CATEGORY, DOMAIN, NO_PASSWORD

LATEST_DAYS = 6  # a late order arrives so many days after its date at most
ORDERS_AT_ONCE = 500
CARRIER = "Replay Freight"
SEEN = "A maker of the replayed orders; there is no paper."  # what the replay's operator writes down


@dataclass(frozen=True, slots=True)
class Underway:
    """A work order that is being made: when its last week is over, and when its parcels arrive."""

    order_id: UUID
    made_at: datetime
    arrives_at: datetime


@dataclass(frozen=True, slots=True)
class Shipped:
    """A lot on its way."""

    lot_id: UUID
    arrives_at: datetime


class Floor:
    """All factories of a replay. Their luck, who is late and who declines, comes from the seed."""

    def __init__(self, database: Database, makers: Sequence[Maker], *, currency: str, seed: int, now: datetime) -> None:
        self.database = database
        self._luck = Random(f"floor {seed}")
        self._steps = len(route_of(category_of(CATEGORY).process))
        with database.transaction() as session:
            ids = _register(session, makers, now)
            create_profiles(session, [_profile(i, maker, currency) for i, maker in zip(ids, makers, strict=True)])
            process = category_of(CATEGORY).process
            lines = [NewCapability(i, CATEGORY, process, m.terms) for i, m in zip(ids, makers, strict=True)]
            add_capabilities(session, lines)
        self._makers = dict(zip(ids, makers, strict=True))

    def answer(self, *, now: datetime) -> list[UUID]:
        """Answer every open offer; returns those accepted."""
        with self.database.transaction() as session:
            offers = _open_offers(session, list(self._makers))
            declined = {answer.offer_id for answer in offers if self._declines(answer.factory_id)}
            decline_offers(session, [a for a in offers if a.offer_id in declined], now=now)
            taken = [answer for answer in offers if answer.offer_id not in declined]
            return [i for i in accept_offers(session, taken, now=now) if isinstance(i, UUID)]

    def begin(self, offer_ids: Sequence[UUID]) -> list[Underway]:
        """The work orders of accepted offers, with the days on which they will be made and arrive."""
        with self.database.reading() as session:
            return [self._underway(row) for part in chunks(offer_ids) for row in _orders(session, part)]

    def make(self, orders: Sequence[Underway], *, now: datetime) -> list[Shipped]:
        """Report every step of these orders wholly done, and ship them."""
        shipped: list[Shipped] = []
        for part in chunks(orders, ORDERS_AT_ONCE):
            with self.database.transaction() as session:
                quantities = _quantities(session, [order.order_id for order in part])
                reports = [
                    ReportRequest(order.order_id, step, quantities[order.order_id], 0, f"step {step}")
                    for order in part
                    for step in range(self._steps)
                ]
                _all_accepted(report_progress(session, reports, now=now))
                lots = [ShipRequest(o.order_id, None, CARRIER, f"{o.order_id.hex}", "lot 1") for o in part]
                ids = _all_accepted(ship_lots(session, lots, now=now))
            shipped += [Shipped(lot_id, order.arrives_at) for lot_id, order in zip(ids, part, strict=True)]
        return shipped

    def deliver(self, lots: Sequence[Shipped], *, now: datetime) -> None:
        """Hand these lots' parcels to their buyers."""
        for part in chunks(lots, ORDERS_AT_ONCE):
            with self.database.transaction() as session:
                deliver_lots(session, [lot.lot_id for lot in part], now=now)

    def _declines(self, factory_id: UUID) -> bool:
        return self._luck.random() * PPM < self._makers[factory_id].declines_percent * PPM_PER_PERCENT

    def _underway(self, order: sa.Row[tuple[UUID, UUID, int, datetime, datetime]]) -> Underway:
        made_at = starts_at(order.last_week) + WEEK
        arrives_at = made_at + timedelta(days=order.lead_days)
        if self._luck.random() * PPM >= self._makers[order.factory_id].on_time_ppm:
            arrives_at = max(arrives_at, order.due_at) + timedelta(days=self._luck.randint(1, LATEST_DAYS))
        return Underway(order.id, made_at, arrives_at)


def _register(session: Session, makers: Sequence[Maker], now: datetime) -> list[UUID]:
    """Register the factories and have an operator verify them."""
    operator = Registration(Role.OPERATOR, "The platform", f"operator@{DOMAIN}", "Operator", NO_PASSWORD)
    operator_id = register_organisation(session, operator, now=now).organisation_id
    registrations = [
        Registration(Role.FACTORY, m.name, f"factory-{i}@{DOMAIN}", m.name[:80], NO_PASSWORD, region=m.region)
        for i, m in enumerate(makers)
    ]
    answers = register_organisations(session, registrations, now=now)
    ids = [answer.organisation_id for answer in answers if isinstance(answer, Registered)]
    decide_organisations(session, [Decision(i, True, SEEN) for i in ids], operator_id, now=now)
    return ids


def _profile(factory_id: UUID, maker: Maker, currency: str) -> Profile:
    return Profile(factory_id, belt=maker.region, region=maker.region, currency=currency, on_time_ppm=maker.on_time_ppm)


def _open_offers(session: Session, factory_ids: Sequence[UUID]) -> list[Answer]:
    c = table_of(Offer).c
    found: list[Answer] = []
    for part in chunks(factory_ids):
        rows = session.execute(
            sa.select(c.id, c.factory_id).where(c.factory_id.in_(part), c.state == OfferState.OFFERED)
        )
        found += [Answer(row.id, row.factory_id) for row in rows]
    return sorted(found, key=lambda answer: answer.offer_id)


def _orders(
    session: Session, offer_ids: Sequence[UUID]
) -> Sequence[sa.Row[tuple[UUID, UUID, int, datetime, datetime]]]:
    order, offer, line, booking = (table_of(model) for model in (WorkOrder, Offer, Capability, Booking))
    last_week = sa.func.max(booking.c.week, type_=booking.c.week.type).label("last_week")
    return session.execute(
        sa.select(order.c.id, order.c.factory_id, line.c.lead_days, order.c.due_at, last_week)
        .join_from(order, offer, offer.c.id == order.c.offer_id)
        .join(line, line.c.id == offer.c.capability_id)
        .join(booking, booking.c.offer_id == offer.c.id)
        .where(offer.c.id.in_(offer_ids))
        .group_by(order.c.id, order.c.factory_id, line.c.lead_days, order.c.due_at)
        .order_by(order.c.id)
    ).all()


def _quantities(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    c = table_of(WorkOrder).c
    found: dict[UUID, int] = {}
    for part in chunks(order_ids):
        found |= {row.id: row.quantity for row in session.execute(sa.select(c.id, c.quantity).where(c.id.in_(part)))}
    return found


def _all_accepted(answers: Sequence[UUID | Refusal]) -> list[UUID]:
    ids = []
    for answer in answers:
        if isinstance(answer, Refusal):
            raise answer
        ids.append(answer)
    return ids
