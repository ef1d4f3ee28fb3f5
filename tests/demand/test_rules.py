"""Tier prices, deposits and shares of money: exact figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2m.demand.rules import (
    Ladder,
    Outcome,
    Tier,
    balance_after_deposit,
    charge_at_joining,
    final_price,
    ladder_problem,
    outcomes,
    share_of_units,
)

LADDER = Ladder.of([(1, 4000), (50, 3400), (200, 2900)])


@pytest.mark.parametrize(
    ("quantity", "price"), [(0, 4000), (1, 4000), (49, 4000), (50, 3400), (200, 2900), (9999, 2900)]
)
def test_the_price_falls_at_each_threshold(quantity: int, price: int) -> None:
    assert LADDER.price_at(quantity) == price


def test_below_the_first_threshold_the_first_price_holds() -> None:
    assert Ladder.of([(10, 500), (20, 400)]).price_at(3) == 500


def test_the_next_tier_is_the_first_cheaper_one_ahead() -> None:
    assert LADDER.next_tier(49) == Tier(50, 3400)
    assert LADDER.next_tier(50) == Tier(200, 2900)
    assert LADDER.next_tier(200) is None


@pytest.mark.parametrize(
    "pairs",
    [[], [(0, 100)], [(1, 0)], [(1, 100), (1, 90)], [(1, 100), (5, 100)], [(1, 100), (5, 120)]],
)
def test_a_ladder_that_does_not_fall_is_refused(pairs: list[tuple[int, int]]) -> None:
    assert ladder_problem([Tier(*pair) for pair in pairs]) is not None


def test_a_buyer_sees_every_tier_the_campaign_may_end_on() -> None:
    assert outcomes(LADDER, 40, 24, at_most=None) == [
        Outcome(64, 199, 3400, 81600, 0),
        Outcome(200, None, 2900, 69600, 12000),
    ]


def test_tiers_behind_the_cap_are_not_promised() -> None:
    assert outcomes(LADDER, 40, 24, at_most=150) == [Outcome(64, 150, 3400, 81600, 0)]


def test_a_presale_charges_the_deposit_and_leaves_the_balance() -> None:
    assert charge_at_joining(4000, 3, 500) == 1500
    assert charge_at_joining(4000, 3, 0) == 12000
    assert balance_after_deposit(3400, 1000, 3) == 7200
    assert balance_after_deposit(900, 1000, 3) == 0


def test_nobody_ends_above_the_price_at_joining() -> None:
    assert final_price(3400, 4000) == 3400
    assert final_price(4000, 2900) == 2900


@given(st.integers(0, 10**9), st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_shares_of_units_add_up_to_everything_held(held: int, parts: list[int]) -> None:
    left, units = held, sum(parts)
    for part in parts:
        share = share_of_units(left, units, part)
        assert 0 <= share <= left
        left, units = left - share, units - part
    assert left == 0


def test_more_units_than_remain_have_no_share() -> None:
    with pytest.raises(ValueError, match="4 units of 3"):
        share_of_units(100, 3, 4)
