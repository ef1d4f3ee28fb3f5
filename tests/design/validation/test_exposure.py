"""Thompson shares: what they are, whom they favour, and that none is given up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from c2m.design.validation.exposure import EVENLY, chances_to_be_best, drawn_order, shares

COUNTS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 5000)), min_size=1, max_size=8)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(COUNTS)
@settings(max_examples=50)
def test_shares_sum_to_one_and_none_falls_below_its_floor(counts: list[tuple[int, int]]) -> None:
    wanted, shown = (np.array(column, float) for column in zip(*counts, strict=True))
    parts = shares(wanted, shown, rng=rng(), draws=200)
    assert parts.sum() == pytest.approx(1)
    assert parts.min() >= EVENLY / len(counts) - 1e-12


def test_the_chance_to_be_best_is_the_integral() -> None:
    a, b = beta(1 + 12, 1 + 188), beta(1 + 20, 1 + 180)
    exact, _ = quad(lambda rate: b.pdf(rate) * a.cdf(rate), 0, 1, points=[0.05, 0.1, 0.15])
    found = chances_to_be_best(np.array([12.0, 20.0]), np.array([200.0, 200.0]), rng=rng(), draws=40_000)
    assert found[1] == pytest.approx(exact, abs=0.01)


def test_what_is_wanted_more_is_shown_more_once_that_is_known() -> None:
    early = shares(np.array([1.0, 2.0]), np.array([20.0, 20.0]), rng=rng())
    late = shares(np.array([50.0, 100.0]), np.array([1000.0, 1000.0]), rng=rng())
    assert 0.5 < early[1] < late[1]
    assert late[1] == pytest.approx(1 - EVENLY / 2, abs=0.01)


def test_more_wants_than_showings_are_borne() -> None:
    parts = shares(np.array([7.0, 0.0]), np.array([2.0, 3.0]), rng=rng())
    assert parts[0] > parts[1] > 0


def test_first_places_follow_the_shares() -> None:
    draw = rng()
    firsts = [drawn_order([0.7, 0.2, 0.1], rng=draw)[0] for _ in range(6000)]
    assert np.bincount(firsts) / 6000 == pytest.approx([0.7, 0.2, 0.1], abs=0.02)


def test_an_order_names_every_variant_once_and_the_seed_decides() -> None:
    assert sorted(drawn_order([0.4, 0.3, 0.2, 0.1], rng=rng())) == [0, 1, 2, 3]
    assert drawn_order([1, 1, 1, 1, 1], rng=rng(5)) == drawn_order([1, 1, 1, 1, 1], rng=rng(5))
    counts = np.array([3.0, 4.0]), np.array([90.0, 80.0])
    assert shares(*counts, rng=rng(5)).tolist() == shares(*counts, rng=rng(5)).tolist()
