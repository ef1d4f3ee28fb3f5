"""Lines become daily pledges, and pledges meet in windows."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from c2m.replay.lines import OrderLine
from c2m.replay.pooling import BadWindow, MarketDay, Mode, Window, market_days, takes_part, window_days

from .builders import a_line

MARCH_1 = date(2011, 3, 1)  # a Tuesday


def on_day(offset: int, product: str = "10001", **of: object) -> OrderLine:
    return a_line(product, day=MARCH_1 + timedelta(days=offset), **of)  # type: ignore[arg-type]


def windows(days: list[MarketDay]) -> list[tuple[str, int, int]]:
    opened = [window for day in days for window in day.opening]
    return [(w.product_key, (w.opens_on - MARCH_1).days, (w.closes_on - MARCH_1).days) for w in opened]


def test_a_buyers_lines_of_one_product_and_day_are_one_pledge() -> None:
    lines = [
        a_line("85123a", "17", 6, price_minor=250),
        a_line("85123A", "18", 1, minute=1),
        a_line("85123A", "17", 4, minute=2, price_minor=200),
        a_line("10001", "17", 2, minute=3),
    ]
    today, closing = market_days(lines)
    assert [(p.window.product_key, p.buyer, p.quantity, p.spend_minor, p.at) for p in today.pledges] == [
        ("85123A", "17", 10, 2300, lines[0].at),
        ("85123A", "18", 1, 250, lines[1].at),
        ("10001", "17", 2, 500, lines[3].at),
    ]
    assert today.pledges[0].lines == (lines[0], lines[2])
    assert (closing.day, closing.closing, closing.pledges) == (date(2011, 3, 8), today.opening, ())


def test_the_next_day_is_another_pledge_in_the_same_window() -> None:
    first, second, _ = market_days([on_day(0), on_day(1)])
    assert second.opening == ()
    assert [(p.window, p.wait_days) for p in first.pledges + second.pledges] == [
        (first.opening[0], 7),
        (first.opening[0], 6),
    ]


def test_a_first_order_opens_a_window_of_seven_days_and_the_eighth_opens_the_next() -> None:
    days = list(market_days([on_day(0), on_day(6), on_day(7), on_day(20)]))
    assert windows(days) == [("10001", 0, 7), ("10001", 7, 14), ("10001", 20, 27)]
    eighth = days[2]
    assert (eighth.day, eighth.closing, len(eighth.pledges)) == (date(2011, 3, 8), days[0].opening, 1)


def test_each_product_has_its_own_windows_and_all_of_them_close_in_order() -> None:
    days = list(market_days([on_day(0, "10001"), on_day(2, "10002"), on_day(3, "10001")]))
    assert windows(days) == [("10001", 0, 7), ("10002", 2, 9)]
    assert [((d.day - MARCH_1).days, len(d.closing), len(d.pledges)) for d in days] == [
        (0, 0, 1),
        (2, 0, 1),
        (3, 0, 1),
        (7, 1, 0),
        (9, 1, 0),
    ]


def test_calendar_windows_are_the_weeks_from_monday() -> None:
    days = list(market_days([on_day(0), on_day(5), on_day(6)], mode=Mode.CALENDAR))
    assert windows(days) == [("10001", -1, 6), ("10001", 6, 13)]
    assert [pledge.wait_days for day in days for pledge in day.pledges] == [6, 1, 7]


def test_calendar_windows_of_one_day_take_that_day() -> None:
    days = list(market_days([on_day(0), on_day(1)], mode=Mode.CALENDAR, days=1))
    assert windows(days) == [("10001", 0, 1), ("10001", 1, 2)]


def test_no_lines_make_no_days() -> None:
    assert list(market_days([])) == []


def test_a_window_of_no_day_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        next(market_days([a_line()], days=0))


def test_lines_are_taken_a_day_at_a_time() -> None:
    taken: list[OrderLine] = []
    lines = (taken.append(line) or line for line in [on_day(0), on_day(0), on_day(1), on_day(2)])
    next(market_days(lines))
    assert len(taken) == 3  # the first of the next day shows that the day is over


def test_a_window_opens_and_closes_at_local_midnight() -> None:
    window = Window("10001", date(2011, 3, 24), date(2011, 3, 31))
    london = ZoneInfo("Europe/London")
    assert window.opens_at(london) == datetime(2011, 3, 24, tzinfo=UTC)
    assert window.closes_at(london) == datetime(2011, 3, 30, 23, tzinfo=UTC)


def test_the_share_of_buyers_taking_part_is_as_asked_and_grows_with_it() -> None:
    buyers = [str(n) for n in range(10_000)]
    few, more = ({b for b in buyers if takes_part(b, participation=share, seed=1)} for share in (0.3, 0.6))
    assert few < more
    assert (len(few), len(more)) == (pytest.approx(3000, abs=150), pytest.approx(6000, abs=150))


def test_another_seed_draws_other_buyers() -> None:
    first, second = ({b for b in range(100) if takes_part(str(b), participation=0.5, seed=s)} for s in (1, 2))
    assert first != second


@pytest.mark.parametrize(("participation", "outcome"), [(1.0, True), (0.0, False)])
def test_everybody_or_nobody_takes_part_at_the_ends(participation: float, outcome: bool) -> None:
    assert {takes_part(str(b), participation=participation, seed=7) for b in range(1000)} == {outcome}


def test_a_window_is_said_in_days() -> None:
    assert (window_days("7d"), window_days("366d")) == (7, 366)


@pytest.mark.parametrize("text", ["", "7", "0d", "-7d", "1w", "367d", "7dd", "٧d"])
def test_any_other_window_is_refused(text: str) -> None:
    with pytest.raises(BadWindow):
        window_days(text)
