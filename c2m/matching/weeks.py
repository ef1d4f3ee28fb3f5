"""Single weeks of a factory's lines: set by hand in the line's own unit, or following its hours."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import lock_rows, table_of
from c2m.errors import N_, Conflict, Invalid
from c2m.matching import bookings
from c2m.matching.calendars import Load, usual_capacity
from c2m.matching.capacity import capacity_map
from c2m.matching.models import Capability, CapacityWeek, LineKind
from c2m.matching.queries import CapabilityNotFound, capability_of
from c2m.matching.rules import is_too_far, monday

LineWeek = tuple[UUID, date]


class CapacityBooked(Conflict):
    sentence = N_("In the week of %(week)s %(booked)s pieces are booked or held; the capacity can't be less.")


class InvalidWeek(Invalid):
    sentence = N_("This week can't be set so.")


def set_week_capacity(
    session: Session, factory_id: UUID, figures: Mapping[LineWeek, int], *, now: datetime
) -> list[LineWeek]:
    """Say what a factory's lines have in these weeks, each named by a day in it, in the line's own unit.

    A week whose figure is the one it shows stays as it is: it goes on following the line's hours. Returns the others.

    Raises:
        CapabilityNotFound: a line that is not the factory's.
        InvalidWeek: a negative figure, or a week that is over or more than two years ahead.
        CapacityBooked: less than what offers already take. In every case nothing is changed.
    """
    wanted = {(line, monday(day)): units for (line, day), units in figures.items()}
    if beyond := [week for _, week in wanted if is_too_far(week, monday(now.date()))]:
        raise InvalidWeek(errors={beyond[0].isoformat(): N_("This week lies more than two years ahead.")})
    rows = {row.capability.id: row for row in capacity_map(session, factory_id, sorted({w for _, w in wanted}))}
    for (line, week), units in wanted.items():
        if line not in rows:
            raise CapabilityNotFound(capability_id=line)
        if units < 0 or week < monday(now.date()):
            raise InvalidWeek(errors={week.isoformat(): N_("Give a capacity of 0 or more for a week not yet over.")})
    lock_rows(session, Capability, sorted({line for line, _ in wanted}))
    cells = {(line, cell.week): cell for line, row in rows.items() for cell in row.cells}
    changed = {at: units for at, units in wanted.items() if units != cells[at].units}
    pieces = {at: _load(rows[at[0]].capability).pieces(units) for at, units in changed.items()}
    bookings.store_weeks(session, list(changed), {line: row.capability.weekly_capacity for line, row in rows.items()})
    for (line, week), stored in _stored(session, list(changed)).items():
        if pieces[line, week] < stored.booked:
            raise CapacityBooked(capability_id=line, week=week, booked=stored.booked)
    _write(session, {at: (pieces[at], units) for at, units in changed.items()})
    return list(changed)


def follow_hours(session: Session, capability_id: UUID, day: date, *, factory_id: UUID, now: datetime) -> None:
    """Have a week that was set by hand follow its line's hours again.

    Raises:
        CapabilityNotFound: not the factory's, or idle weeks, which follow no hours.
        InvalidWeek: the week is over.
        CapacityBooked: more is taken of it than the hours give; nothing is changed.
    """
    line, week = capability_of(session, capability_id, factory_id=factory_id), monday(day)
    if line.kind is LineKind.IDLE:
        raise CapabilityNotFound(capability_id=capability_id)
    if week < monday(now.date()):
        raise InvalidWeek(errors={week.isoformat(): N_("Give a capacity of 0 or more for a week not yet over.")})
    lock_rows(session, Capability, [line.id])
    stored = _stored(session, [(line.id, week)]).get((line.id, week))
    if stored is None or stored.set_units is None:
        return
    pieces = usual_capacity(line.weekly_capacity, week, line.days_a_week) - _idle(session, line).get(week, 0)
    if pieces < stored.booked:
        raise CapacityBooked(capability_id=line.id, week=week, booked=stored.booked)
    _write(session, {(line.id, week): (pieces, None)})


def let_weeks_follow(session: Session, line: Capability, *, now: datetime) -> None:
    """Have the weeks to come of a regular line and its overtime follow hours that have changed, but for those set by
    hand; never below what is booked, and less what is offered as idle. The caller holds the line's lock."""
    lines = session.exec(
        select(Capability).where(
            sa.or_(col(Capability.id) == line.id, col(Capability.regular_id) == line.id),
            Capability.kind != LineKind.IDLE,
        )
    ).all()
    by_id = {one.id: one for one in lines}
    rows = session.exec(
        select(CapacityWeek)
        .where(
            col(CapacityWeek.capability_id).in_(list(by_id)),
            col(CapacityWeek.set_units).is_(None),
            CapacityWeek.week >= monday(now.date()),
        )
        .execution_options(populate_existing=True)
    ).all()
    idle = _idle(session, line)
    following: dict[LineWeek, tuple[int, int | None]] = {}
    for row in rows:
        one = by_id[row.capability_id]
        moved = idle.get(row.week, 0) if one.kind is LineKind.REGULAR else 0
        usual = usual_capacity(one.weekly_capacity, row.week, one.days_a_week) - moved
        following[one.id, row.week] = max(usual, row.booked), None
    _write(session, following)


def _load(line: Capability) -> Load:
    return Load(line.load_num, line.load_den)


def _idle(session: Session, line: Capability) -> dict[date, int]:
    """The pieces by week that a regular line has moved to its idle weeks."""
    week, capability = table_of(CapacityWeek).c, table_of(Capability).c
    rows = session.execute(
        sa.select(week.week, week.capacity)
        .join_from(table_of(CapacityWeek), table_of(Capability), capability.id == week.capability_id)
        .where(capability.regular_id == line.id, capability.kind == LineKind.IDLE)
    )
    return {row.week: row.capacity for row in rows}


def _stored(session: Session, weeks: list[LineWeek]) -> dict[LineWeek, CapacityWeek]:
    statement = select(CapacityWeek).where(
        col(CapacityWeek.capability_id).in_({line for line, _ in weeks}),
        col(CapacityWeek.week).in_({week for _, week in weeks}),
    )
    rows = session.exec(statement.execution_options(populate_existing=True)).all()
    return {at: row for row in rows if (at := (row.capability_id, row.week)) in set(weeks)}


def _write(session: Session, weeks: Mapping[LineWeek, tuple[int, int | None]]) -> None:
    """Store the pieces of these weeks, and what was entered for them by hand."""
    if not weeks:
        return
    table = table_of(CapacityWeek)
    session.connection().execute(
        sa.update(table)
        .where(table.c.capability_id == sa.bindparam("line"), table.c.week == sa.bindparam("of_week"))
        .values(capacity=sa.bindparam("pieces"), set_units=sa.bindparam("units")),
        [{"line": at[0], "of_week": at[1], "pieces": p, "units": u} for at, (p, u) in sorted(weeks.items())],
    )
