"""A factory's lines by weeks: capacity, holidays, and everything that takes of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import table_of
from c2m.demand.models import DemandSheet
from c2m.identity.models import Organisation, OrganisationState
from c2m.matching.calendars import Load, closed_days, usual_capacity
from c2m.matching.models import (
    OPEN,
    Booking,
    Capability,
    CapacityWeek,
    Factory,
    FactoryLevel,
    LineKind,
    Offer,
    OfferState,
    Reservation,
)
from c2m.matching.queries import capabilities

LineWeek = tuple[UUID, date]
ORDER = {LineKind.REGULAR: 0, LineKind.OVERTIME: 1, LineKind.IDLE: 2}


@dataclass(frozen=True)
class CapacityCell:
    """A week of a line: its capacity, what accepted offers and the factory's own orders take of it, and what is held
    for open offers."""

    week: date
    capacity: int
    booked: int
    held: int
    reserved: int = 0
    units: int = 0  # the capacity in the line's unit, as it was entered where it was
    by_hand: bool = False

    @property
    def taken(self) -> int:
        return self.booked + self.held + self.reserved

    @property
    def free(self) -> int:
        return self.capacity - self.taken

    @property
    def load_ppm(self) -> int:
        """How full the week is; a week without capacity is full."""
        return self.taken * 1_000_000 // self.capacity if self.capacity else 1_000_000


@dataclass(frozen=True)
class CapacityRow:
    capability: Capability
    cells: list[CapacityCell]


def capacity_map(session: Session, factory_id: UUID, weeks: Sequence[date]) -> list[CapacityRow]:
    """A factory's lines by weeks, for the heat-map: each with its overtime and idle weeks after it."""
    lines = sorted(capabilities(session, factory_id), key=lambda x: (x.category, x.process, ORDER[x.kind]))
    ids = [line.id for line in lines]
    stored = {
        (row.capability_id, row.week): (row.capacity, row.set_units)
        for row in session.execute(
            sa.select(table_of(CapacityWeek)).where(
                col(CapacityWeek.capability_id).in_(ids), col(CapacityWeek.week).in_(weeks)
            )
        )
    }
    taken, reserved = _taken(session, ids, weeks), _reserved(session, ids, weeks)

    def cell(line: Capability, week: date) -> CapacityCell:
        usual = usual_capacity(line.weekly_capacity, week, line.days_a_week)
        capacity, by_hand = stored.get((line.id, week), (usual, None))
        entered = line.weekly_units if by_hand is None else by_hand
        return CapacityCell(
            week=week,
            capacity=capacity,
            units=Load(line.load_num, line.load_den).figure(capacity, entered),
            by_hand=by_hand is not None,
            booked=taken[line.id, week, OfferState.ACCEPTED],
            held=sum(taken[line.id, week, state] for state in OPEN),
            reserved=reserved[line.id, week],
        )

    return [CapacityRow(line, [cell(line, week) for week in weeks]) for line in lines]


def holidays_of(rows: Sequence[CapacityRow], weeks: Sequence[date]) -> dict[date, str]:
    """The weeks in which a public holiday closes some line, with its name."""
    days = max((row.capability.days_a_week for row in rows), default=0)
    return {week: closed[0][1] for week in weeks if (closed := closed_days(week, days))}


def holiday_in(line: Capability, week: date) -> str:
    """The public holiday that closes a line in a week; empty where none does, or the line keeps no hours of its own."""
    closed = closed_days(week, line.days_a_week) if line.kind is not LineKind.IDLE else ()
    return closed[0][1] if closed else ""


@dataclass(frozen=True)
class WeekOfLine:
    """One week of a line with every booking and reservation in it, released ones too."""

    line: Capability
    cell: CapacityCell
    bookings: list[tuple[Booking, Offer, DemandSheet]]
    reservations: list[Reservation]


def week_of_line(session: Session, line: Capability, week: date) -> WeekOfLine:
    """What takes of a week of a line: who, how much, since when."""
    [row] = [row for row in capacity_map(session, line.factory_id, [week]) if row.capability.id == line.id]
    bookings = session.exec(
        select(Booking, Offer, DemandSheet)
        .join(Offer, col(Offer.id) == col(Booking.offer_id))
        .join(DemandSheet, col(DemandSheet.id) == col(Offer.sheet_id))
        .where(Booking.capability_id == line.id, Booking.week == week)
        .order_by(col(Booking.offer_id))
    ).all()
    reservations = session.exec(
        select(Reservation)
        .where(Reservation.capability_id == line.id, Reservation.week == week)
        .order_by(col(Reservation.id))
    ).all()
    return WeekOfLine(line, row.cells[0], [(b, o, s) for b, o, s in bookings], list(reservations))


def booked_since(booking: Booking, offer: Offer) -> datetime:
    """Since when a booking stands as it does: given back, taken when other terms were agreed on, or with the offer."""
    first = offer.explanation.get("offered", offer.explanation)["weeks"].get(booking.week.isoformat())
    agreed = offer.answered_at if first != booking.quantity else None
    return booking.released_at or agreed or offer.offered_at


@dataclass(frozen=True)
class IdleWeek:
    """Free pieces of a week that a verified factory offers at a discount."""

    week: date
    free: int
    line: Capability
    factory: Factory
    organisation: Organisation


def idle_weeks(session: Session, weeks: Sequence[date], *, category: str | None = None) -> list[IdleWeek]:
    """What verified factories offer of these weeks at a discount and take an order for, the nearest week first."""
    statement = (
        select(CapacityWeek, Capability, Factory, Organisation)
        .join(Capability, col(Capability.id) == col(CapacityWeek.capability_id))
        .join(Factory, col(Factory.id) == col(Capability.factory_id))
        .join(Organisation, col(Organisation.id) == col(Factory.id))
        .where(
            Capability.kind == LineKind.IDLE,
            Organisation.state == OrganisationState.ACTIVE,
            Factory.level != FactoryLevel.LISTED,
            col(CapacityWeek.week).in_(weeks),
            col(CapacityWeek.capacity) - col(CapacityWeek.booked) >= col(Capability.minimum),
        )
        .order_by(col(CapacityWeek.week), col(Capability.price_ppm), col(Capability.id))
    )
    if category:
        statement = statement.where(Capability.category == category)
    rows = session.exec(statement).all()
    return [IdleWeek(w.week, w.capacity - w.booked, line, factory, who) for w, line, factory, who in rows]


def _taken(session: Session, ids: Sequence[UUID], weeks: Sequence[date]) -> dict[tuple[UUID, date, OfferState], int]:
    booking, offer = table_of(Booking), table_of(Offer)
    rows = session.execute(
        sa.select(
            booking.c.capability_id, booking.c.week, offer.c.state, sa.func.sum(booking.c.quantity).label("pieces")
        )
        .join_from(booking, offer, offer.c.id == booking.c.offer_id)
        .where(booking.c.capability_id.in_(ids), booking.c.week.in_(weeks), booking.c.released_at.is_(None))
        .group_by(booking.c.capability_id, booking.c.week, offer.c.state)
    )
    found: dict[tuple[UUID, date, OfferState], int] = defaultdict(int)
    for row in rows:
        found[row.capability_id, row.week, OfferState(row.state)] = int(row.pieces)
    return found


def _reserved(session: Session, ids: Sequence[UUID], weeks: Sequence[date]) -> dict[LineWeek, int]:
    kept = table_of(Reservation).c
    rows = session.execute(
        sa.select(kept.capability_id, kept.week, sa.func.sum(kept.quantity).label("pieces"))
        .where(kept.capability_id.in_(ids), kept.week.in_(weeks), kept.released_at.is_(None))
        .group_by(kept.capability_id, kept.week)
    )
    found: dict[LineWeek, int] = defaultdict(int)
    found.update({(row.capability_id, row.week): int(row.pieces) for row in rows})
    return found
