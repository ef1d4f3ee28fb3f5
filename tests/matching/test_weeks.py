"""Weeks by hand and by the hours: figures stay as they were entered, and weeks not set by hand follow."""

from datetime import date

import pytest

from c2m.db import Database
from c2m.matching import calendar_files
from c2m.matching.calendars import Load, Shifts
from c2m.matching.capacity import capacity_map
from c2m.matching.factories import change_terms
from c2m.matching.hours import Keep, offer_idle_weeks, reserve, set_overtime, set_shifts
from c2m.matching.models import Capability, CapacityUnit
from c2m.matching.queries import CapabilityNotFound
from c2m.matching.rules import PriceStep, Terms
from c2m.matching.weeks import CapacityBooked, InvalidWeek, follow_hours, set_week_capacity
from tests.builders import MORNING, a_factory, a_line

pytestmark = pytest.mark.both_databases

WEEK, NEXT, LATER = date(2026, 11, 9), date(2026, 11, 16), date(2026, 11, 23)
OVER = date(2026, 10, 26)


@pytest.fixture
def line(database: Database) -> Capability:
    """A line that makes 100 a week at ¥60."""
    with database.transaction() as session:
        return a_line(session, weekly_capacity=100, prices={1: 60_00})


def weeks(database: Database, line: Capability) -> list[tuple[int, int, bool]]:
    """Pieces, figure and whether it was set by hand, of three weeks of the line."""
    with database.reading() as session:
        rows = capacity_map(session, line.factory_id, [WEEK, NEXT, LATER])
        [row] = [row for row in rows if row.capability.id == line.id]
        return [(cell.capacity, cell.units, cell.by_hand) for cell in row.cells]


def jobs_of_forty(database: Database, line: Capability, jobs: int | None) -> None:
    with database.transaction() as session:
        week = Shifts(days_a_week=5, shifts_a_day=1, units_a_shift=jobs)
        set_shifts(session, line.id, CapacityUnit.JOB, Load(1, 40), week, factory_id=line.factory_id, now=MORNING)


def test_a_week_entered_in_pieces_stays_as_it_is_when_only_the_unit_is_said(
    database: Database, line: Capability
) -> None:
    jobs_of_forty(database, line, None)
    assert weeks(database, line)[0] == (100, 2, False)  # two whole jobs in them; still a hundred pieces
    with database.transaction() as session:
        assert set_week_capacity(session, line.factory_id, {(line.id, WEEK): 2}, now=MORNING) == []
    assert weeks(database, line)[0] == (100, 2, False)


def test_overtime_keeps_its_pieces_where_its_figure_comes_back_unchanged(database: Database, line: Capability) -> None:
    with database.transaction() as session:
        overtime_id = set_overtime(session, line.id, 60, 300_000, factory_id=line.factory_id, now=MORNING)
    jobs_of_forty(database, line, None)
    with database.transaction() as session:
        set_overtime(session, line.id, 1, 250_000, factory_id=line.factory_id, now=MORNING)
    with database.reading() as session:
        overtime = session.get_one(Capability, overtime_id)
        assert (overtime.weekly_capacity, overtime.price_ppm) == (60, 1_250_000)
    with database.transaction() as session:
        set_overtime(session, line.id, 2, 250_000, factory_id=line.factory_id, now=MORNING)
    with database.reading() as session:
        assert session.get_one(Capability, overtime_id).weekly_capacity == 80


def test_a_round_trip_by_file_changes_nothing_in_any_unit(database: Database, line: Capability) -> None:
    with database.transaction() as session:
        week = Shifts(days_a_week=6, shifts_a_day=1, units_a_shift=160)
        minutes = Load(127, 10)
        set_shifts(session, line.id, CapacityUnit.MINUTE, minutes, week, factory_id=line.factory_id, now=MORNING)
        set_overtime(session, line.id, 333, 300_000, factory_id=line.factory_id, now=MORNING)
        set_week_capacity(session, line.factory_id, {(line.id, NEXT): 500}, now=MORNING)
        offer_idle_weeks(session, line.id, {LATER: 10}, 100_000, factory_id=line.factory_id, now=MORNING)
    before = weeks(database, line)
    assert before == [(75, 960, False), (39, 500, True), (65, 825, False)]
    with database.transaction() as session:
        rows = [r for r in capacity_map(session, line.factory_id, [WEEK, NEXT, LATER]) if r.capability.kind != "idle"]
        text = "\n".join(",".join(map(str, row)) for row in (calendar_files.HEAD, *calendar_files.rows_of(rows)))
        assert calendar_files.import_calendar(session, line.factory_id, text.encode(), now=MORNING) == 0
    assert weeks(database, line) == before


def test_weeks_follow_new_hours_unless_they_were_set_by_hand(database: Database, line: Capability) -> None:
    with database.transaction() as session:
        set_week_capacity(session, line.factory_id, {(line.id, NEXT): 30}, now=MORNING)
        reserve(session, Keep(line.id, WEEK, 90), factory_id=line.factory_id, now=MORNING)
        offer_idle_weeks(session, line.id, {LATER: 40}, 100_000, factory_id=line.factory_id, now=MORNING)
        halved = Terms(70, 1, 0, 2, (PriceStep(1, 60_00),))
        change_terms(session, line.id, halved, factory_id=line.factory_id, now=MORNING)
    assert weeks(database, line) == [(90, 90, False), (30, 30, True), (30, 30, False)]  # never below what is kept


def test_a_week_set_by_hand_follows_the_hours_again_once_it_is_reset(database: Database, line: Capability) -> None:
    with database.transaction() as session:
        set_week_capacity(session, line.factory_id, {(line.id, NEXT): 30, (line.id, LATER): 200}, now=MORNING)
        reserve(session, Keep(line.id, LATER, 150), factory_id=line.factory_id, now=MORNING)
        follow_hours(session, line.id, NEXT, factory_id=line.factory_id, now=MORNING)
    with pytest.raises(CapacityBooked), database.transaction() as session:
        follow_hours(session, line.id, LATER, factory_id=line.factory_id, now=MORNING)
    with pytest.raises(InvalidWeek), database.transaction() as session:
        follow_hours(session, line.id, OVER, factory_id=line.factory_id, now=MORNING)
    with pytest.raises(CapabilityNotFound), database.transaction() as session:
        follow_hours(session, line.id, LATER, factory_id=a_factory(session).id, now=MORNING)
    assert weeks(database, line) == [(100, 100, False), (100, 100, False), (200, 200, True)]
