"""Growth as a ratio of rates that says how sure it is, and words that surely rise."""

from itertools import pairwise

import numpy as np
import pytest

from c2m.demand.clustering.trends import Counts, growth, rising

FORTNIGHT, MONTH = 14, 28


def test_equal_rates_are_as_likely_up_as_down() -> None:
    grew = growth(Counts(10, 20), days=FORTNIGHT, days_before=MONTH)
    assert grew.median == pytest.approx(1.0, abs=0.05)
    assert grew.probability == pytest.approx(0.5, abs=0.05)


def test_the_posterior_is_that_of_two_gamma_rates() -> None:
    rng = np.random.default_rng(3)
    now, before = rng.gamma(30.5, 1 / FORTNIGHT, 400_000), rng.gamma(24.5, 1 / MONTH, 400_000)
    grew = growth(Counts(30, 24), days=FORTNIGHT, days_before=MONTH)
    low, median, high = np.quantile(now / before, [0.1, 0.5, 0.9])
    assert (grew.low, grew.median, grew.high) == pytest.approx((low, median, high), rel=0.01)
    assert grew.probability == pytest.approx(float((now > before).mean()), abs=0.002)


def test_more_counts_of_the_same_ratio_are_surer() -> None:
    sure = [growth(Counts(3 * n, 3 * n), days=FORTNIGHT, days_before=MONTH).probability for n in (1, 2, 5, 20)]
    assert all(fewer < more for fewer, more in pairwise(sure))


def test_what_comes_back_every_spring_is_no_news() -> None:
    plain = growth(Counts(40, 20), days=FORTNIGHT, days_before=MONTH)
    seasonal = growth(Counts(40, 20, 80, 40), days=FORTNIGHT, days_before=MONTH)
    assert plain.median == pytest.approx(4.0, rel=0.05)
    assert seasonal.median == pytest.approx(1.0, rel=0.05)


def test_only_what_surely_rises_by_enough_is_put_forward_the_surest_first() -> None:
    counted = {
        "wants": {"tote": Counts(20, 6), "mug": Counts(4, 0), "sock": Counts(60, 118), "lamp": Counts(9, 3)},
        "searches": {"tote": Counts(30, 15), "umbrella": Counts(6, 11)},
    }
    found = rising(counted, days=FORTNIGHT, days_before=MONTH)
    assert [risen.word for risen in found] == ["tote", "lamp"]
    assert found[0].total == Counts(50, 21)
    assert set(found[0].sources) == {"wants", "searches"}


def test_out_of_a_thousand_steady_words_few_are_put_forward() -> None:
    rng = np.random.default_rng(8)
    steady = {f"word{n}": Counts(int(rng.poisson(20)), int(rng.poisson(40))) for n in range(1000)}
    assert len(rising({"wants": steady}, days=FORTNIGHT, days_before=MONTH, most=1000)) <= 60
