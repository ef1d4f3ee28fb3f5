"""Capacity taken and given back, never more than there is."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_missing, insert_rows, lock_rows, table_of
from c2m.matching import queries
from c2m.matching.calendars import usual_capacity
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


def rebook(
    session: Session, wanted: Mapping[UUID, Mapping[date, int]], *, usual: Mapping[UUID, int], now: datetime
) -> None:
    """Have offers take these pieces by week instead of what they hold. The caller holds the lines' locks.

    Raises:
        sqlalchemy.exc.IntegrityError: a week would be overbooked; nothing may then be kept.
    """
    table = table_of(Booking)
    more: dict[LineWeek, int] = defaultdict(int)
    new: list[dict[str, object]] = []
    changed: list[dict[str, object]] = []
    left: list[dict[str, object]] = []
    added: list[tuple[WeeksTaken, date]] = []
    for offer_id, held in weeks_held(session, list(wanted)).items():
        pieces = wanted[offer_id]
        for week in sorted({*held.pieces, *pieces}):
            before, after = held.pieces.get(week, 0), pieces.get(week, 0)
            more[held.capability_id, week] += after - before
            if not after:
                left.append({"of_offer": offer_id, "of_week": week, "now": now})
            elif not before:
                row = {"offer_id": offer_id, "capability_id": held.capability_id, "week": week, "quantity": after}
                new.append(row)
                added.append((held, week))
            elif after != before:
                changed.append({"of_offer": offer_id, "of_week": week, "pieces": after})
    store_weeks(session, [(held.capability_id, week) for held, week in added], usual)
    _add(session, {line_week: pieces for line_week, pieces in more.items() if pieces})
    insert_rows(session, Booking, new)
    one = sa.update(table).where(table.c.offer_id == sa.bindparam("of_offer"), table.c.week == sa.bindparam("of_week"))
    if changed:
        session.connection().execute(one.values(quantity=sa.bindparam("pieces")), changed)
    if left:
        session.connection().execute(one.values(released_at=sa.bindparam("now")), left)


def weeks_held(session: Session, offer_ids: Sequence[UUID]) -> dict[UUID, WeeksTaken]:
    """What these offers hold of their lines now."""
    table = table_of(Booking)
    pieces: dict[tuple[UUID, UUID], dict[date, int]] = defaultdict(dict)
    for part in chunks(offer_ids):
        rows = session.execute(
            sa.select(table.c.offer_id, table.c.capability_id, table.c.week, table.c.quantity)
            .where(table.c.offer_id.in_(part), table.c.released_at.is_(None))
            .order_by(table.c.offer_id, table.c.week)
        )
        for row in rows:
            pieces[row.offer_id, row.capability_id][row.week] = row.quantity
    return {offer_id: WeeksTaken(offer_id, line, weeks) for (offer_id, line), weeks in pieces.items()}


def store_weeks(session: Session, weeks: Sequence[LineWeek], usual: Mapping[UUID, int]) -> None:
    """See that these weeks have a row; a new one starts at the line's usual capacity, its public holidays closed."""
    days = queries.days_a_week(session, sorted({line for line, _ in weeks}))
    rows = [
        {"capability_id": line, "week": week, "capacity": usual_capacity(usual[line], week, days[line])}
        for line, week in sorted(weeks)
    ]
    insert_missing(session, CapacityWeek, rows)


def add(session: Session, pieces: Mapping[LineWeek, int], *, usual: Mapping[UUID, int]) -> None:
    """Book pieces of line-weeks that no offer is about, or give them back (negative). The caller holds the locks.

    Raises:
        sqlalchemy.exc.IntegrityError: a week would be overbooked; nothing may then be kept.
    """
    store_weeks(session, [line_week for line_week in pieces if line_week[0] in usual], usual)
    _add(session, pieces)


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
