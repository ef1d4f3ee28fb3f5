"""The ladder designer: what it proposes where the best is known, and what it must never propose."""

import numpy as np
import pytest

from c2m.demand.forecasting.ladders import Market, QuoteCurve, Why, Willing, design_ladder, rounded

FLAT = QuoteCurve(setup_minor=0, breaks=((1, 1_000),))


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_where_everybody_would_pay_the_same_the_price_is_just_below_that() -> None:
    crowd = [Willing(2_000, 1)] * 200
    found = design_ladder(Market([FLAT], crowd, reach_sd=0.1), rng=rng())
    assert found is not None
    assert 1_800 <= found.steps[-1].price_minor <= 2_000
    assert found.chance > 0.95
    assert found.buyers == 200


def test_a_price_that_falls_with_the_factories_is_told_so() -> None:
    falling = QuoteCurve(20_000, ((1, 2_000), (400, 900)))
    buyers = [Willing(price, 2) for price in range(1_200, 3_000, 20)]
    found = design_ladder(Market([falling], buyers), rng=rng())
    assert found is not None
    assert found.steps[0].why is Why.OPENS
    assert len(found.steps) > 1
    assert Why.COST in [step.why for step in found.steps]


@pytest.mark.parametrize("seed", range(3))
def test_tiers_fall_start_later_and_never_below_what_they_cost(seed: int) -> None:
    draw = np.random.default_rng(seed)
    quotes = [QuoteCurve(30_000, ((1, 1_500), (150, 1_300), (600, 1_000)), 30), QuoteCurve(5_000, ((1, 1_700),), 5)]
    buyers = [
        Willing(int(price), int(n))
        for price, n in zip(draw.normal(2_400, 500, 80), draw.integers(1, 9, 80), strict=True)
    ]
    market = Market(quotes, buyers, factory_ppm=800_000)
    found = design_ladder(market, rng=rng())
    assert found is not None
    starts = [step.from_quantity for step in found.steps]
    prices = [step.price_minor for step in found.steps]
    chances = [step.chance for step in found.steps]
    assert starts == sorted(set(starts))
    assert prices == sorted(set(prices), reverse=True)
    assert chances == sorted(chances, reverse=True)
    assert all(0.8 * p * n >= market.cost_minor(n) for n, p in zip(starts, prices, strict=True))
    assert (found.minimum, found.chance) == (starts[0], chances[0])
    assert found.margin_minor > 0
    assert design_ladder(market, rng=rng()) == found


def test_nobody_who_would_pay_the_cost_gets_no_ladder() -> None:
    dear = QuoteCurve(10_000_000, ((1, 100_000),))
    assert design_ladder(Market([dear], [Willing(500, 1)] * 60), rng=rng()) is None
    assert design_ladder(Market([], [Willing(500, 1)] * 60), rng=rng()) is None


def test_without_a_word_from_buyers_the_factories_prices_lead() -> None:
    found = design_ladder(Market([QuoteCurve(0, ((1, 1_000),), 3)], []), rng=rng())
    assert found is not None
    assert found.buyers == 0
    assert all(step.price_minor > 1_000 for step in found.steps)


@pytest.mark.parametrize(("price", "round_price"), [(3.2, 3), (87.4, 87), (1_234.5, 1_230), (98_765.0, 99_000)])
def test_prices_are_round(price: float, round_price: int) -> None:
    assert rounded(price) == round_price


def test_an_order_below_the_smallest_has_no_price() -> None:
    quote = QuoteCurve(100, ((1, 50), (10, 40)), 5)
    assert [quote.total_minor(n) for n in (4, 5, 10)] == [None, 350, 500]
    assert Market([quote], []).cost_minor(4) == float("inf")
