"""Capacity taken and given back, never more than there is."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_missing, insert_rows, lock_rows, table_of
from c2m.matching.models import Booking, Capability, CapacityWeek

LineWeek = tuple[UUID, date]


@dataclass(frozen=True)
class WeeksTaken:
    """What one offer takes of a line, by week."""

    offer_id: UUID
    capability_id: UUID
    pieces: Mapping[date, int]


def take(session: Session, taken: Sequence[WeeksTaken], *, usual: Mapping[UUID, int]) -> None:
    """Book pieces for offers. The caller holds the lines' locks and has seen that there is room.

    Raises:
        sqlalchemy.exc.IntegrityError: a week would be overbooked; nothing may then be kept.
    """
    total: dict[LineWeek, int] = defaultdict(int)
    rows = []
    for one in taken:
        for week, quantity in one.pieces.items():
            total[one.capability_id, week] += quantity
            booking = {"offer_id": one.offer_id, "capability_id": one.capability_id, "week": week, "quantity": quantity}
            rows.append(booking)
    store_weeks(session, list(total), usual)
    _add(session, total)
    insert_rows(session, Booking, rows)


def release(session: Session, offer_ids: Sequence[UUID], *, now: datetime) -> None:
    """Give back what these offers took, each booking once."""
    table = table_of(Booking)
    held: list[sa.Row[tuple[UUID]]] = []
    for part in chunks(offer_ids):
        held += session.execute(sa.select(table.c.capability_id).where(table.c.offer_id.in_(part)).distinct()).all()
    lock_rows(session, Capability, sorted({row.capability_id for row in held}))
    pieces: dict[LineWeek, int] = defaultdict(int)
    for part in chunks(offer_ids):
        given_back = (
            sa.update(table)
            .where(table.c.offer_id.in_(part), table.c.released_at.is_(None))
            .values(released_at=now)
            .returning(table.c.capability_id, table.c.week, table.c.quantity)
        )
        for row in session.execute(given_back):
            pieces[row.capability_id, row.week] -= row.quantity
    _add(session, pieces)


def store_weeks(session: Session, weeks: Sequence[LineWeek], usual: Mapping[UUID, int]) -> None:
    """See that these weeks have a row; a new one starts at the line's usual capacity."""
    rows = [{"capability_id": line, "week": week, "capacity": usual[line]} for line, week in sorted(weeks)]
    insert_missing(session, CapacityWeek, rows)


def _add(session: Session, pieces: Mapping[LineWeek, int]) -> None:
    if not pieces:
        return
    table = table_of(CapacityWeek)
    session.connection().execute(
        sa.update(table)
        .where(table.c.capability_id == sa.bindparam("line"), table.c.week == sa.bindparam("of_week"))
        .values(booked=table.c.booked + sa.bindparam("more")),
        [{"line": line, "of_week": week, "more": more} for (line, week), more in sorted(pieces.items())],
    )
