"""What earlier concepts teach, beside importance sampling of the same model."""

import numpy as np
import pytest
from scipy.stats import betabinom, nbinom

from c2m.design.validation.learning import (
    RATE_LOG_SD,
    SHAPE_LOG_SD,
    SPREAD_LOG_SD,
    TYPICAL_SHAPE,
    TYPICAL_SPREAD,
    Came,
    Conversion,
    Drew,
    Interest,
    learned_conversion,
    learned_interest,
)

PRIOR = Conversion(5.0, 15.0)
EARLIER = [Came(40, 18), Came(25, 7), Came(60, 31), Came(10, 6)]


def test_conversion_is_what_weighing_draws_of_the_prior_gives() -> None:
    draw = np.random.default_rng(1)
    mean, spread = draw.beta(5, 15, 400_000), np.exp(draw.normal(np.log(TYPICAL_SPREAD), SPREAD_LOG_SD, 400_000))
    weight = np.prod([betabinom.pmf(c.orders, c.buyers, mean * spread, (1 - mean) * spread) for c in EARLIER], axis=0)
    weight /= weight.sum()
    expected = (weight * mean).sum()
    sd = np.sqrt((weight * (mean * (1 - mean) / (spread + 1) + (mean - expected) ** 2)).sum())
    learned = learned_conversion(PRIOR, EARLIER)
    assert learned.mean == pytest.approx(expected, abs=0.005)
    assert learned.sd == pytest.approx(sd, rel=0.05)


def test_interest_is_what_weighing_draws_of_the_prior_gives() -> None:
    earlier = [Drew(30, 10), Drew(8, 14), Drew(55, 7)]
    draw = np.random.default_rng(2)
    rate, shape = (
        np.exp(draw.normal(0, RATE_LOG_SD, 400_000)),
        np.exp(draw.normal(np.log(TYPICAL_SHAPE), SHAPE_LOG_SD, 400_000)),
    )
    weight = np.prod([nbinom.pmf(d.buyers, shape, shape / (shape + rate * d.days)) for d in earlier], axis=0)
    weight /= weight.sum()
    learned = learned_interest(Interest(1.0, 1.0), earlier)
    assert learned.mean == pytest.approx((weight * rate).sum(), rel=0.04)


def test_nothing_earlier_leaves_what_was_assumed() -> None:
    assert learned_conversion(PRIOR, []) == PRIOR
    assert learned_interest(Interest(1.0, 2.0), []) == Interest(1.0, 2.0)


def test_more_concepts_make_surer_and_come_to_the_truth() -> None:
    draw = np.random.default_rng(3)
    rates = draw.beta(60, 40, 200)
    earlier = [Came(50, int(draw.binomial(50, rate))) for rate in rates]
    learned = [learned_conversion(PRIOR, earlier[:count]) for count in (2, 20, 200)]
    assert learned[0].sd > learned[1].sd > learned[2].sd
    assert learned[2].mean == pytest.approx(0.6, abs=0.02)


def test_concepts_that_differ_keep_the_next_one_uncertain() -> None:
    alike = [Came(50, 25)] * 20
    unlike = [Came(50, 5), Came(50, 45)] * 10
    assert learned_conversion(PRIOR, unlike).sd > 2 * learned_conversion(PRIOR, alike).sd
