"""A factory's lines by weeks: capacity, what accepted offers take of it, what is held for open ones."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import table_of
from c2m.matching.models import Booking, Capability, CapacityWeek, Offer, OfferState
from c2m.matching.queries import OPEN, capabilities


@dataclass(frozen=True)
class CapacityCell:
    """A week of a line: its capacity, what accepted offers take of it, and what is held for open ones."""

    week: date
    capacity: int
    booked: int
    held: int

    @property
    def load_ppm(self) -> int:
        """How full the week is; a week without capacity is full."""
        return (self.booked + self.held) * 1_000_000 // self.capacity if self.capacity else 1_000_000


@dataclass(frozen=True)
class CapacityRow:
    capability: Capability
    cells: list[CapacityCell]


def capacity_map(session: Session, factory_id: UUID, weeks: Sequence[date]) -> list[CapacityRow]:
    """A factory's lines by weeks, for the heat-map."""
    lines = capabilities(session, factory_id)
    ids = [line.id for line in lines]
    stored = {
        (row.capability_id, row.week): row.capacity
        for row in session.exec(
            select(CapacityWeek).where(col(CapacityWeek.capability_id).in_(ids), col(CapacityWeek.week).in_(weeks))
        )
    }
    taken = _taken(session, ids, weeks)
    return [
        CapacityRow(
            line,
            [
                CapacityCell(
                    week=week,
                    capacity=stored.get((line.id, week), line.weekly_capacity),
                    booked=taken[line.id, week, OfferState.ACCEPTED],
                    held=sum(taken[line.id, week, state] for state in OPEN),
                )
                for week in weeks
            ],
        )
        for line in lines
    ]


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
