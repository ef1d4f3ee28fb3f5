"""Weeks, price breaks, whole pieces, fit: the arithmetic of matching."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2m.matching.optimiser import Reason
from c2m.matching.rules import (
    CHOICES,
    Choice,
    FitPart,
    PriceStep,
    Terms,
    arrival,
    brought_forward,
    choice_of,
    due_week,
    first_week,
    fit,
    lead_weeks,
    monday,
    terms_errors,
    unserved_sentence,
    weeks_from,
    whole_weeks,
)

TERMS = Terms(
    weekly_capacity=500,
    minimum=20,
    setup_minor=300_00,
    lead_days=3,
    steps=(PriceStep(1, 20_00), PriceStep(10, 18_00), PriceStep(100, 15_00)),
)
W1, W2, W3 = weeks_from(date(2026, 11, 2), 3)


def test_a_week_is_named_by_its_monday() -> None:
    assert monday(date(2026, 11, 8)) == date(2026, 11, 2) == monday(date(2026, 11, 2))
    assert weeks_from(date(2026, 12, 28), 2) == [date(2026, 12, 28), date(2027, 1, 4)]


@pytest.mark.parametrize(
    ("now", "week"),
    [
        (datetime(2026, 11, 2, 0, tzinfo=UTC), date(2026, 11, 9)),
        (datetime(2026, 11, 7, 0, tzinfo=UTC), date(2026, 11, 9)),  # 48 hours to the minute
        (datetime(2026, 11, 7, 0, 1, tzinfo=UTC), date(2026, 11, 16)),
    ],
)
def test_the_first_week_begins_after_the_offer_had_to_be_answered(now: datetime, week: date) -> None:
    assert first_week(now) == week


def test_pieces_arrive_lead_days_after_their_week_ends() -> None:
    assert arrival(W1, 3) == datetime(2026, 11, 12, tzinfo=UTC)


@given(st.integers(0, 60), st.integers(-40, 200), st.integers(0, 23), st.integers(1, 12))
def test_a_week_is_on_time_exactly_if_its_pieces_arrive_by_the_required_date(
    lead_days: int, days: int, hours: int, week: int
) -> None:
    required = datetime(2026, 11, 2, tzinfo=UTC) + timedelta(days=days, hours=hours)
    in_time = arrival(W1 + timedelta(weeks=week - 1), lead_days) <= required
    assert (week + lead_weeks(W1, required, lead_days) <= due_week(W1, required)) == in_time


def test_the_price_is_that_of_the_last_step_reached() -> None:
    assert TERMS.quote(99, 0).unit_price_minor == 18_00
    quote = TERMS.quote(100, 0)
    assert (quote.unit_price_minor, quote.setup_minor, quote.total_minor, quote.each_minor) == (
        15_00,
        300_00,
        100 * 15_00 + 300_00,
        18_00,
    )


def test_below_the_smallest_order_there_is_no_price() -> None:
    assert TERMS.quote(19, 0) is None
    assert Terms(1, 1, 0, 0, (PriceStep(5, 1),)).smallest_order == 5


def test_a_price_may_be_a_share_of_the_target_cost() -> None:
    step = PriceStep(1, target_ppm=855_000)
    assert [step.unit_price(target) for target in (10_00, 33, 0)] == [8_55, 28, 1]


def test_ranges_leave_out_the_steps_below_the_minimum() -> None:
    assert [(low, high, step.unit_price_minor) for low, high, step in TERMS.ranges()] == [
        (20, 99, 18_00),
        (100, None, 15_00),
    ]


@given(st.integers(1, 300), st.integers(0, 2_000))
def test_ranges_and_quotes_agree(quantity: int, target: int) -> None:
    quote = TERMS.quote(quantity, target)
    prices = [s.unit_price(target) for low, high, s in TERMS.ranges() if low <= quantity <= (high or quantity)]
    assert prices == ([quote.unit_price_minor] if quote else [])


def test_an_effective_price_is_rounded_half_up() -> None:
    quote = Terms(1, 1, 1, 0, (PriceStep(1, 10),)).quote(2, 0)
    assert quote is not None
    assert quote.each_minor == 11


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"weekly_capacity": -1}, "weekly_capacity"),
        ({"minimum": 0}, "minimum"),
        ({"setup_minor": -1}, "setup_minor"),
        ({"lead_days": -1}, "lead_days"),
        ({"lead_days": 366}, "lead_days"),
        ({"steps": ()}, "steps"),
        ({"steps": (PriceStep(0, 1),)}, "steps"),
        ({"steps": (PriceStep(1, 0),)}, "steps"),
        ({"steps": (PriceStep(1),)}, "steps"),
        ({"steps": (PriceStep(1, 1, 1),)}, "steps"),
        ({"steps": (PriceStep(1, target_ppm=-5),)}, "steps"),
        ({"steps": (PriceStep(1, 2), PriceStep(1, 1))}, "steps"),
        ({"steps": (PriceStep(1, 20_00), PriceStep(200, 20_01))}, "steps"),
        ({"steps": (PriceStep(1, target_ppm=800_000), PriceStep(200, target_ppm=800_001))}, "steps"),
        ({"minimum": 8, "steps": (PriceStep(9, 20_00),)}, "steps"),
    ],
)
def test_terms_that_cannot_hold_are_named(changes: dict[str, object], field: str) -> None:
    assert terms_errors(TERMS) == {}
    assert list(terms_errors(Terms(**{**vars(TERMS), **changes}))) == [field]


def test_half_pieces_go_where_the_plan_cut_them() -> None:
    assert whole_weeks({W1: 5.5, W2: 4.5}, 10, {W1: 10, W2: 10}) == {W1: 6, W2: 4}
    assert whole_weeks({W1: 0.0, W2: 7.0}, 7, {W1: 10, W2: 10}) == {W2: 7}


def test_pieces_move_to_other_weeks_of_the_plan_when_one_filled_up_meanwhile() -> None:
    assert whole_weeks({W1: 6.0, W2: 4.0}, 10, {W1: 3, W2: 9}) == {W1: 3, W2: 7}
    assert whole_weeks({W1: 6.0, W2: 4.0}, 10, {W1: 3, W2: 6}) is None
    assert whole_weeks({W1: 6.0, W3: 4.0}, 10, {W1: 6}) is None


def test_pieces_are_brought_forward_into_idle_weeks_but_never_put_off() -> None:
    assert brought_forward({W2: 4, W3: 6}, {W1: 5, W2: 0, W3: 9}) == {W1: 5, W2: 4, W3: 1}
    assert brought_forward({W2: 4}, {W1: 9, W2: 0, W3: 9}) == {W1: 4}
    assert brought_forward({W1: 4}, {W1: 0, W2: 9}) == {W1: 4}


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=6),
    st.integers(1, 7),
    st.lists(st.integers(0, 90), max_size=6),
)
def test_whole_weeks_keep_the_quantity_and_the_room(parts: list[int], share: int, rooms: list[int]) -> None:
    quantity = sum(parts) // share
    planned = {week: float(Fraction(part, share)) for week, part in zip(weeks_from(W1, 6), parts, strict=False)}
    planned[W1] += quantity - sum(planned.values())
    if planned[W1] < 0:
        return
    room = dict(zip(weeks_from(W1, 6), rooms, strict=False))
    found = whole_weeks(planned, quantity, room)
    if found is None:
        assert sum(room.get(week, 0) for week in planned) < quantity
    else:
        assert sum(found.values()) == quantity
        assert all(0 < pieces <= room[week] for week, pieces in found.items())


def test_the_fit_shows_each_part_with_what_there_is_and_what_is_asked() -> None:
    found = fit(
        processes=(1, 1), pieces=(800, 600), cost_minor=(17_80, 17_20), days=(30, 28), on_time_ppm=(986_000, 971_000)
    )
    assert {p.part: (p.score, p.spare) for p in found.parts} == {
        FitPart.PROCESS: (100, 0),
        FitPart.CAPACITY: (87, 200),
        FitPart.COST: (73, 60),
        FitPart.DATE: (71, 2),
        FitPart.QUALITY: (98, 15_000),
    }
    assert found.score == 85


def test_a_part_that_falls_short_is_tight_and_lowers_the_score() -> None:
    ample = fit(processes=(1, 1), pieces=(9, 1), cost_minor=(100, 50), days=(30, 1), on_time_ppm=(1_000_000, 0))
    late = fit(processes=(1, 1), pieces=(9, 1), cost_minor=(100, 50), days=(30, 37), on_time_ppm=(1_000_000, 0))
    assert (ample.score, late.score) == (100, 84)
    assert [p.part for p in late.parts if p.tight] == [FitPart.DATE]


def test_every_reason_and_every_choice_has_its_sentence() -> None:
    assert all(unserved_sentence(reason.value).endswith(".") for reason in Reason)
    assert set(CHOICES) == set(Choice)


@pytest.mark.parametrize(
    ("extra", "choice"),
    [(None, Choice.ONLY_CHOICE), (0, Choice.CHEAPEST), (5, Choice.CHEAPEST), (-1, Choice.BEST_OVERALL)],
)
def test_why_a_factory_was_chosen_follows_from_the_next_best(extra: int | None, choice: Choice) -> None:
    assert choice_of(extra, makes_others=True) is choice
    cheaper_but_idle = Choice.AS_FOUND if choice is Choice.BEST_OVERALL else choice
    assert choice_of(extra, makes_others=False) is cheaper_but_idle
