"""The arithmetic of making and delivering."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from c2m.clock import end_of_day
from c2m.design.categories import PROCESSES
from c2m.design.routes import GENERAL, ROUTES, STEPS, route_of
from c2m.production.rules import (
    StepCount,
    compensation,
    days_late,
    earned_for,
    lot_by_variant,
    payable,
    peg_oldest_first,
    pieces_needed,
    pieces_waiting,
    plan_backward,
    ready_to_ship,
    settle,
    share_with_factory,
    spend_in_order,
)
from tests.builders import MORNING

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def test_every_process_of_the_catalogue_has_a_route_whose_steps_have_names() -> None:
    assert ROUTES.keys() >= PROCESSES.keys()
    for route in ROUTES.values():
        assert all(step in STEPS and days > 0 for step, days in route)


def test_an_unknown_process_takes_the_general_route() -> None:
    assert route_of("glass_blowing") == GENERAL


def test_steps_are_planned_backward_from_the_finish() -> None:
    planned = plan_backward(route_of("sewing"), start=date(2026, 11, 2), finish=date(2026, 11, 30))
    assert planned == [date(2026, 11, day) for day in (21, 23, 28, 29, 30)]


def test_steps_shrink_when_the_route_is_longer_than_the_time_there_is() -> None:
    planned = plan_backward(route_of("sewing"), start=date(2026, 11, 24), finish=date(2026, 11, 30))
    assert planned == [date(2026, 11, day) for day in (26, 27, 30, 30, 30)]


def test_an_order_due_before_it_starts_is_planned_for_its_due_day() -> None:
    assert set(plan_backward(GENERAL, start=date(2026, 11, 9), finish=date(2026, 11, 2))) == {date(2026, 11, 2)}


def test_a_step_waits_for_the_good_pieces_of_the_one_before() -> None:
    steps = [StepCount(good=10, rejected=1), StepCount(good=4, rejected=2), StepCount()]
    assert [pieces_waiting(steps, i) for i in range(3)] == [None, 4, 4]


def test_what_later_steps_reject_has_to_be_made_again() -> None:
    steps = [StepCount(good=10), StepCount(good=8, rejected=2), StepCount(good=7, rejected=1)]
    assert [pieces_needed(steps, i, ordered=10) for i in range(3)] == [3, 3, 3]


def test_good_pieces_beyond_the_order_are_not_ready_to_ship() -> None:
    assert ready_to_ship(ordered=10, produced=8, rejected=1, shipped=3) == 4
    assert ready_to_ship(ordered=10, produced=15, rejected=1, shipped=3) == 7


def test_a_lot_keeps_the_size_curve() -> None:
    assert lot_by_variant({A: 6, B: 3, C: 1}, 5) == {A: 3, B: 2}
    assert lot_by_variant({A: 6, B: 3, C: 1}, 10) == {A: 6, B: 3, C: 1}


@pytest.mark.parametrize("quantity", [0, -1, 11])
def test_a_lot_of_pieces_that_are_not_there_is_an_error(quantity: int) -> None:
    with pytest.raises(ValueError, match="of 10 unshipped"):
        lot_by_variant({A: 6, B: 4}, quantity)


def test_the_oldest_pledge_is_served_first_and_the_last_one_in_part() -> None:
    assert peg_oldest_first({A: 3, B: 5, C: 9}, 6) == {A: 3, B: 3}


def test_pieces_nobody_waits_for_are_an_error() -> None:
    with pytest.raises(ValueError, match="2 of 10 pieces have no pledge"):
        peg_oldest_first({A: 3, B: 5}, 10)


def test_earnings_of_single_pieces_add_up_to_the_total() -> None:
    assert [earned_for(100, 3, delivered, 1) for delivered in range(3)] == [33, 33, 34]
    assert earned_for(100, 3, 0, 3) == 100


def test_the_first_payment_is_spent_before_the_next() -> None:
    assert spend_in_order([100, 400], 250) == [100, 150]
    assert spend_in_order([100, 400], 60) == [60, 0]


def test_more_than_was_paid_can_not_be_spent() -> None:
    with pytest.raises(ValueError, match="1 of 501"):
        spend_in_order([100, 400], 501)


def test_the_factory_is_served_first_and_the_merchandiser_bears_a_loss() -> None:
    assert share_with_factory([30, 70], 40) == [(30, 0), (10, 60)]
    assert share_with_factory([30, 70], 120) == [(30, 0), (90, -20)]
    assert share_with_factory([50], 50) == [(50, 0)]


@pytest.mark.parametrize(
    ("after", "days"),
    [
        (timedelta(days=-3), 0),
        (timedelta(0), 0),
        (timedelta(seconds=1), 1),
        (timedelta(days=1), 1),
        (timedelta(days=1, microseconds=1), 2),
    ],
)
def test_each_day_begun_after_the_promise_is_a_day_late(after: timedelta, days: int) -> None:
    assert days_late(MORNING, MORNING + after, "Asia/Shanghai") == days


@pytest.mark.parametrize(
    ("time_zone", "promised", "delivered", "days"),
    [
        ("Asia/Shanghai", "2026-12-20T13:00+08:00", "2026-12-20T23:59+08:00", 0),
        ("Asia/Shanghai", "2026-12-20T13:00+08:00", "2026-12-21T00:00+08:00", 1),
        ("Asia/Shanghai", "2026-12-20T13:00+08:00", "2026-12-21T23:59+08:00", 1),
        ("Asia/Shanghai", "2026-12-20T13:00+08:00", "2026-12-22T00:00+08:00", 2),
        ("Europe/London", "2026-10-24T09:00+01:00", "2026-10-25T23:59+00:00", 1),  # a day of 25 hours
        ("Europe/London", "2026-03-28T09:00+00:00", "2026-03-30T00:30+01:00", 2),  # after one of 23
    ],
)
def test_a_promise_holds_until_its_day_ends_where_it_was_made(
    time_zone: str, promised: str, delivered: str, days: int
) -> None:
    until = end_of_day(datetime.fromisoformat(promised), time_zone)
    assert days_late(until, datetime.fromisoformat(delivered), time_zone) == days


def test_compensation_is_a_share_of_the_price_for_each_day_up_to_the_cap() -> None:
    terms = {"ppm_per_day": 10_000, "cap_ppm": 300_000}
    assert compensation(100_00, 3, 4, **terms) == 12_00
    assert compensation(100_00, 3, 30, **terms) == 90_00
    assert compensation(100_00, 3, 31, **terms) == 90_00
    assert compensation(50, 1, 1, **terms) == 1
    assert compensation(49, 1, 1, **terms) == 0


def test_the_fee_is_taken_from_what_compensation_leaves() -> None:
    account = settle(1_000_00, 100_00, 30_000)
    assert (account.fee_minor, account.net_minor) == (27_00, 873_00)


def test_no_fee_is_taken_where_compensation_exceeds_earnings() -> None:
    account = settle(100_00, 130_00, 30_000)
    assert (account.fee_minor, account.net_minor) == (0, -30_00)


def test_earlier_debts_are_taken_off_what_is_paid() -> None:
    assert (payable(100, 0), payable(100, -30), payable(100, -130), payable(-20, 0)) == (100, 70, 0, 0)
