"""Flexible capacity: holidays, units and shifts, overtime, idle weeks, reservations; a week is never given twice."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from c2m.audit import run
from c2m.db import Database, table_of
from c2m.errors import Refusal
from c2m.matching import hours, queries
from c2m.matching.calendars import Load, Shifts, closed_days, usual_capacity
from c2m.matching.factories import change_terms
from c2m.matching.hours import (
    InvalidHours,
    Keep,
    NoRoomLeft,
    ReservationNotFound,
    give_up_reservation,
    offer_idle_weeks,
    reserve,
    set_overtime,
    set_shifts,
)
from c2m.matching.models import Capability, CapacityUnit, CapacityWeek, LineKind, PriceBreak, Reservation
from c2m.matching.queries import CapabilityNotFound
from c2m.matching.rules import PriceStep, Terms
from tests.builders import MORNING, a_factory, a_line, an_open_sheet
from tests.matching.market import match, misbooked_weeks
from tests.matching.test_offers import at_once, without_capacity_check

WEEK = date(2026, 11, 9)
NATIONAL_DAY = date(2026, 9, 28)
THREADS = 16


@pytest.fixture
def line(database: Database) -> Capability:
    """A line that makes 100 a week at ¥60."""
    with database.transaction() as session:
        return a_line(session, weekly_capacity=100, prices={1: 60_00, 50: 55_00})


def free(database: Database, *lines: Capability, week: date = WEEK) -> list[int]:
    with database.reading() as session:
        found = queries.free_pieces(session, {line.id: line.weekly_capacity for line in lines}, [week])
        return [found[line.id][week] for line in lines]


def beside(session: Session, line: Capability, kind: LineKind) -> Capability:
    return session.exec(select(Capability).where(Capability.regular_id == line.id, Capability.kind == kind)).one()


def test_public_holidays_are_closed() -> None:
    assert usual_capacity(100, WEEK, 6) == 100
    assert [day for day, _ in closed_days(NATIONAL_DAY, 6)] == [date(2026, 10, day) for day in (1, 2, 3)]
    assert usual_capacity(100, NATIONAL_DAY, 6) == 50
    assert usual_capacity(100, date(2027, 2, 8), 5) == 40  # three days of the Spring Festival


def test_a_holiday_week_offers_what_its_days_make(database: Database, line: Capability) -> None:
    assert free(database, line, week=NATIONAL_DAY) == [50]
    with database.transaction() as session:
        keep = Keep(line.id, NATIONAL_DAY, 50)
        reserve(session, keep, factory_id=line.factory_id, now=MORNING - timedelta(days=60))
    assert free(database, line, week=NATIONAL_DAY) == [0]
    with database.reading() as session:
        assert session.exec(select(CapacityWeek.capacity)).one() == 50


def test_minutes_and_jobs_are_counted_in_whole_pieces() -> None:
    assert Load(127, 10).pieces(1000) == 78  # 12.7 minutes each
    assert Load(127, 10).figure(78, None) == 990
    assert Load(127, 10).figure(78, 1000) == 1000  # as it was entered
    assert Load(1, 40).pieces(3) == 120  # a filling of the kiln holds forty
    assert Load(1, 40).figure(60, None) == 1  # never more than there is


def test_shifts_say_what_an_ordinary_week_makes(database: Database, line: Capability) -> None:
    with database.transaction() as session:
        shifts = Shifts(days_a_week=5, shifts_a_day=2, units_a_shift=480)
        set_shifts(session, line.id, CapacityUnit.MINUTE, Load(12), shifts, factory_id=line.factory_id, now=MORNING)
    with database.reading() as session:
        found = session.get_one(Capability, line.id)
    assert (found.unit, found.weekly_capacity, found.days_a_week) == (CapacityUnit.MINUTE, 400, 5)


@pytest.mark.parametrize(
    ("unit", "load", "shifts", "field"),
    [
        (CapacityUnit.PIECE, Load(2), Shifts(5, 1, 100), "load"),
        (CapacityUnit.MINUTE, Load(0), Shifts(5, 1, 100), "load"),
        (CapacityUnit.MINUTE, Load(5), Shifts(8, 1, 100), "days"),
        (CapacityUnit.MINUTE, Load(5), Shifts(5, 4, 100), "shifts"),
        (CapacityUnit.JOB, Load(1, 40), Shifts(5, 1, -1), "units"),
    ],
)
def test_shifts_that_make_no_sense_are_refused(
    database: Database, line: Capability, unit: CapacityUnit, load: Load, shifts: Shifts, field: str
) -> None:
    with pytest.raises(InvalidHours) as refused, database.transaction() as session:
        set_shifts(session, line.id, unit, load, shifts, factory_id=line.factory_id, now=MORNING)
    assert refused.value.errors.keys() == {field}


def test_overtime_is_matched_at_its_premium_once_the_ordinary_hours_are_full(
    database: Database, line: Capability
) -> None:
    with database.transaction() as session:
        set_overtime(session, line.id, 30, 50_000, factory_id=line.factory_id, now=MORNING)
        due = MORNING + timedelta(days=17)  # one week of production
        for quantity in (100, 25):
            an_open_sheet(session, quantity, required_date=due)
    found = {offer.quantity: offer for offer in match(database, MORNING)}
    assert {quantity: offer.unit_price_minor for quantity, offer in found.items()} == {100: 55_00, 25: 63_00}
    with database.reading() as session:
        overtime = beside(session, line, LineKind.OVERTIME)
        assert found[25].capability_id == overtime.id
    assert free(database, overtime) == [5]


def test_overtime_follows_the_terms_of_its_line(database: Database, line: Capability) -> None:
    with database.transaction() as session:
        set_overtime(session, line.id, 30, 500_000, factory_id=line.factory_id, now=MORNING)
        terms = Terms(120, 10, 5_00, 4, (PriceStep(10, 40_00), PriceStep(100, None, 700_000)))
        change_terms(session, line.id, terms, factory_id=line.factory_id, now=MORNING)
    with database.reading() as session:
        overtime = beside(session, line, LineKind.OVERTIME)
        steps = queries.price_steps(session, [overtime.id])[overtime.id]
    assert (overtime.minimum, overtime.lead_days, overtime.weekly_capacity) == (10, 4, 30)
    assert steps == (PriceStep(10, 60_00), PriceStep(100, None, 1_050_000))


@pytest.mark.parametrize(("pieces", "premium"), [(-1, 0), (101, 0), (10, -1), (10, 2_000_001)])
def test_overtime_beyond_its_limits_is_refused(database: Database, line: Capability, pieces: int, premium: int) -> None:
    with pytest.raises(InvalidHours), database.transaction() as session:
        set_overtime(session, line.id, pieces, premium, factory_id=line.factory_id, now=MORNING)


def test_idle_weeks_move_pieces_to_a_lower_price_and_back(database: Database, line: Capability) -> None:
    for wanted, expected in ((60, [40, 60]), (20, [80, 20]), (0, [100, 0])):
        with database.transaction() as session:
            offer_idle_weeks(session, line.id, {WEEK: wanted}, 100_000, factory_id=line.factory_id, now=MORNING)
        with database.reading() as session:
            idle = beside(session, line, LineKind.IDLE)
            prices = session.exec(select(PriceBreak.unit_price_minor).where(PriceBreak.capability_id == idle.id)).all()
        assert sorted(prices, key=str) == [49_50, 54_00]
        assert free(database, line, idle) == expected


def test_idle_weeks_are_matched_first(database: Database, line: Capability) -> None:
    with database.transaction() as session:
        offer_idle_weeks(session, line.id, {WEEK: 60}, 100_000, factory_id=line.factory_id, now=MORNING)
        an_open_sheet(session, 30, required_date=MORNING + timedelta(days=17))
    [offer] = match(database, MORNING)
    assert offer.unit_price_minor == 54_00


def test_an_idle_week_never_offers_a_piece_twice(database: Database, line: Capability) -> None:
    with database.transaction() as session:
        reserve(session, Keep(line.id, WEEK, 50), factory_id=line.factory_id, now=MORNING)
    with pytest.raises(NoRoomLeft), database.transaction() as session:
        offer_idle_weeks(session, line.id, {WEEK: 51}, 100_000, factory_id=line.factory_id, now=MORNING)
    assert free(database, line) == [50]
    with database.transaction() as session:
        idle_id = offer_idle_weeks(session, line.id, {WEEK: 50}, 100_000, factory_id=line.factory_id, now=MORNING)
        reserve(session, Keep(idle_id, WEEK, 40), factory_id=line.factory_id, now=MORNING)
    with pytest.raises(NoRoomLeft), database.transaction() as session:
        offer_idle_weeks(session, line.id, {WEEK: 39}, 100_000, factory_id=line.factory_id, now=MORNING)


def test_a_reservation_keeps_pieces_until_it_is_given_up(database: Database, line: Capability) -> None:
    with database.transaction() as session:
        kept = reserve(session, Keep(line.id, WEEK, 70, "A regular customer"), factory_id=line.factory_id, now=MORNING)
    assert free(database, line) == [30]
    with pytest.raises(NoRoomLeft), database.transaction() as session:
        reserve(session, Keep(line.id, WEEK, 31), factory_id=line.factory_id, now=MORNING)
    with database.reading() as session:
        assert run(session, now=MORNING) == []
    for _ in range(2):
        with database.transaction() as session:
            give_up_reservation(session, kept, factory_id=line.factory_id, now=MORNING)
        assert free(database, line) == [100]


def test_strangers_find_neither_line_nor_reservation(database: Database, line: Capability) -> None:
    with database.transaction() as session:
        stranger = a_factory(session).id
        kept = reserve(session, Keep(line.id, WEEK, 10), factory_id=line.factory_id, now=MORNING)
    with pytest.raises(CapabilityNotFound), database.transaction() as session:
        reserve(session, Keep(line.id, WEEK, 1), factory_id=stranger, now=MORNING)
    with pytest.raises(CapabilityNotFound), database.transaction() as session:
        set_overtime(session, line.id, 1, 0, factory_id=stranger, now=MORNING)
    with pytest.raises(ReservationNotFound), database.transaction() as session:
        give_up_reservation(session, kept, factory_id=stranger, now=MORNING)


def reserve_at_once(database: Database, line: Capability) -> int:
    """Sixteen reservations of 30 of a week's 100 pieces at once; how many were made."""
    made: list[int] = []

    def act(number: int) -> None:
        try:
            with database.transaction() as session:
                reserve(session, Keep(line.id, WEEK, 30), factory_id=line.factory_id, now=MORNING)
        except (Refusal, sa.exc.IntegrityError):
            return
        made.append(number)

    assert at_once(THREADS, act) == []
    return len(made)


def test_many_reservations_at_once_never_overbook(database: Database, line: Capability) -> None:
    assert reserve_at_once(database, line) == 3
    with database.reading() as session:
        assert session.exec(select(sa.func.count()).select_from(Reservation)).one() == 3


def test_without_the_look_at_what_is_free_the_constraint_holds(
    database: Database, line: Capability, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hours.queries, "free_pieces", lambda _s, usual, weeks: {i: {weeks[0]: 10**6} for i in usual})
    assert reserve_at_once(database, line) == 3


def test_without_look_and_constraint_a_week_is_overbooked_and_the_audit_says_so(
    database: Database, line: Capability, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hours.queries, "free_pieces", lambda _s, usual, weeks: {i: {weeks[0]: 10**6} for i in usual})
    with without_capacity_check(database):
        assert reserve_at_once(database, line) == THREADS
        with database.reading() as session:
            sentences = {finding.sentence for finding in run(session, now=MORNING)}
    assert sentences == {"A week is booked beyond its capacity."}


def test_the_audit_misses_a_reservation_that_is_gone(database: Database, line: Capability) -> None:
    with database.writing() as session:
        reserve(session, Keep(line.id, WEEK, 30), factory_id=line.factory_id, now=MORNING)
        assert run(session, now=MORNING) == []
        session.execute(sa.delete(table_of(Reservation)))
        assert [f.sentence for f in run(session, now=MORNING)] == ["A week's bookings aren't what it says is booked."]
        session.rollback()
    with database.reading() as session:
        assert misbooked_weeks(session) == []
