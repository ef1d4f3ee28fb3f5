"""The forecast of orders: beside exact results, beside simulation of every buyer, and what evidence does to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from c2m.design.validation import demand
from c2m.design.validation.demand import ASSUMED, Evidence, Prior, forecast
from c2m.design.validation.learning import Conversion, Interest

PRIOR = Prior(Interest(2.0, 1.0), Conversion(4.0, 8.0))


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("minimum", [8, 12, 16, 20])
def test_without_days_to_come_single_pieces_are_beta_binomial(minimum: int) -> None:
    evidence = Evidence.of([1] * 40)
    found = forecast(evidence, [PRIOR], days_seen=10, days_left=0, rng=rng(), draws=40_000)
    exact = betabinom.sf(minimum - 1, 40, 4, 8)
    assert float(found.chance_of(minimum)) == pytest.approx(exact, abs=0.012)
    assert float(found.expected) == pytest.approx(40 * 4 / 12, rel=0.01)


def test_the_forecast_is_what_simulating_every_buyer_gives() -> None:
    quantities, days_seen, days_left = [1, 2, 2, 5, 1, 10, 3, 2, 1, 4, 6, 2], 8.0, 6.0
    evidence = Evidence.of(quantities)
    found = forecast(evidence, [PRIOR], days_seen=days_seen, days_left=days_left, rng=rng(), draws=40_000)

    draw, runs = rng(2), 20_000
    n = len(quantities)
    mean = np.mean(quantities)
    cv2 = (np.var(quantities) * n / mean**2 + demand.USUAL_VARIATION) / (n + demand.USUAL_VARIATION)
    weight = 1 / (1 + demand.UNEVEN_DAYS * n / days_seen)
    totals = np.empty(runs)
    for run in range(runs):
        a_day = draw.gamma(2 + weight * n, 1 / (1 + weight * days_seen))
        a_day *= demand.FADES_TO * np.exp(demand.FADES_LOG_SD * draw.standard_normal())
        chance = draw.beta(4, 8)
        usual = mean * draw.gamma(n / cv2, cv2 / n)
        here = np.array(quantities)[draw.random(n) < chance].sum()
        coming = draw.poisson(a_day * days_left * chance)
        totals[run] = here + draw.gamma(1 / cv2, usual * cv2, coming).sum()
    for minimum in (5, 12, 20, 35):
        assert float(found.chance_of(minimum)) == pytest.approx((totals >= minimum - 0.5).mean(), abs=0.02)
    assert float(found.expected) == pytest.approx(totals.mean(), rel=0.02)
    low, high = found.quantiles([0.1, 0.9], rng=rng(3))
    assert low == pytest.approx(np.quantile(totals, 0.1), abs=1.2)
    assert high == pytest.approx(np.quantile(totals, 0.9), rel=0.04)


def test_more_evidence_narrows_the_forecast() -> None:
    widths = []
    for times in (1, 4, 16):
        evidence = Evidence.of([1, 2, 3] * times, [2, 4] * times)
        surer = [Prior(each.interest, Conversion(10.0 * times, 10.0 * times)) for each in ASSUMED]
        found = forecast(evidence, surer, days_seen=5 * times, days_left=5 * times, rng=rng())
        low, high = found.quantiles([0.1, 0.9], rng=rng())
        widths.append(float((high - low) / found.expected))
    assert widths[0] > widths[1] > widths[2]


@given(st.lists(st.integers(1, 50), max_size=30), st.lists(st.integers(1, 50), max_size=30), st.floats(0, 40))
@settings(max_examples=40)
def test_chances_are_probabilities_that_fall_with_the_minimum(stated: list[int], paid: list[int], left: float) -> None:
    found = forecast(Evidence.of(stated, paid), ASSUMED, days_seen=3, days_left=left, rng=rng(), draws=300)
    chances = [float(found.chance_of(minimum)) for minimum in (1, 10, 100, 1000)]
    assert all(0 <= chance <= 1 for chance in chances)
    assert chances == sorted(chances, reverse=True)
    low, high = found.quantiles([0.1, 0.9], rng=rng())
    assert 0 <= low <= high


def test_nobody_and_no_time_left_is_nothing() -> None:
    found = forecast(Evidence.of([], []), ASSUMED, days_seen=10, days_left=0, rng=rng())
    assert float(found.expected) == 0
    assert float(found.chance_of(1)) == 0


def test_the_same_seed_gives_the_same_figures() -> None:
    evidence = Evidence.of([3, 1], [2])
    one, same, other = (
        forecast(evidence, ASSUMED, days_seen=2, days_left=5, rng=rng(seed)).chance_of(10) for seed in (7, 7, 8)
    )
    assert one == same != other


def test_concepts_side_by_side_are_forecast_like_each_alone() -> None:
    alone = [Evidence.of([2] * 20, [3] * 10), Evidence.of([1] * 5, [])]
    together = Evidence(*(np.stack([getattr(e, name) for e in alone]) for name in ("buyers", "pieces", "squares")))
    found = forecast(together, ASSUMED, days_seen=[5, 9], days_left=[5, 1], rng=rng(), draws=20_000)
    for at, (evidence, seen, left) in enumerate(zip(alone, (5, 9), (5, 1), strict=True)):
        single = forecast(evidence, ASSUMED, days_seen=seen, days_left=left, rng=rng(9), draws=20_000)
        assert found.expected[at] == pytest.approx(float(single.expected), rel=0.03)
        assert found.chance_of([40, 3])[at] == pytest.approx(float(single.chance_of([40, 3][at])), abs=0.02)
