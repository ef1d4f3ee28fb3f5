"""What earlier concepts teach: how interest turns into orders, and how many are interested a day.

Both are two-level models: every concept has a rate of its own, drawn from its category's distribution, whose mean and
spread are inferred on a grid from what earlier concepts of the category came to (Gelman et al., Bayesian Data Analysis,
3rd ed., section 5.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MEANS = np.linspace(0.01, 0.99, 99)
SPREADS = np.geomspace(4, 400, 25)  # sum of a Beta's parameters
RATES = np.geomspace(0.02, 2000, 121)  # buyers a day
SHAPES = np.geomspace(0.3, 10, 25)
TYPICAL_SPREAD, SPREAD_LOG_SD = 25.0, 0.7
TYPICAL_SHAPE, SHAPE_LOG_SD = 1.0, 0.7
RATE_LOG_SD = 1.5


@dataclass(frozen=True)
class Conversion:
    """Of those who were interested, so many order: Beta(orders, others)."""

    orders: float
    others: float

    @property
    def mean(self) -> float:
        return self.orders / (self.orders + self.others)

    @property
    def sd(self) -> float:
        total = self.orders + self.others
        return float(np.sqrt(self.mean * (1 - self.mean) / (total + 1)))


@dataclass(frozen=True)
class Interest:
    """Interested buyers a day: Gamma(buyers, days), as if so many had come in so many days."""

    buyers: float
    days: float

    @property
    def mean(self) -> float:
        return self.buyers / self.days


@dataclass(frozen=True)
class Came:
    """What became of one earlier concept: of so many interested buyers so many ordered."""

    buyers: int
    orders: int


@dataclass(frozen=True)
class Drew:
    """What one earlier concept drew: so many interested buyers in so many days."""

    buyers: int
    days: float


def learned_conversion(prior: Conversion, earlier: Sequence[Came]) -> Conversion:
    """The conversion of the next concept of a category, after earlier ones.

    The prior's mean is believed as if seen in one concept of its own size; the answer is the Beta with the mean and
    variance of the posterior predictive.
    """
    from scipy.special import betaln  # slow to load, and the web only needs the names

    if not earlier:
        return prior
    mean, spread = np.meshgrid(MEANS, SPREADS, indexing="ij")
    weight = (prior.orders - 1) * np.log(mean) + (prior.others - 1) * np.log1p(-mean)
    weight += _log_normal(spread, TYPICAL_SPREAD, SPREAD_LOG_SD)
    for came in earlier:
        weight += betaln(came.orders + mean * spread, came.buyers - came.orders + (1 - mean) * spread)
        weight -= betaln(mean * spread, (1 - mean) * spread)
    posterior = _normalised(weight)
    expected = float((posterior * mean).sum())
    variance = float((posterior * (mean * (1 - mean) / (spread + 1) + (mean - expected) ** 2)).sum())
    size = expected * (1 - expected) / variance - 1
    return Conversion(expected * size, (1 - expected) * size)


def learned_interest(prior: Interest, earlier: Sequence[Drew]) -> Interest:
    """How many interested buyers a day the next concept of a category draws, after earlier ones."""
    from scipy.special import gammaln  # slow to load, and the web only needs the names

    if not earlier:
        return prior
    rate, shape = np.meshgrid(RATES, SHAPES, indexing="ij")
    weight = _log_normal(rate, prior.mean, RATE_LOG_SD)
    weight += _log_normal(shape, TYPICAL_SHAPE, SHAPE_LOG_SD)
    for drew in earlier:
        weight += gammaln(shape + drew.buyers) - gammaln(shape) + shape * np.log(shape / (shape + rate * drew.days))
        weight += drew.buyers * np.log(rate / (shape + rate * drew.days))
    posterior = _normalised(weight)
    expected = float((posterior * rate).sum())
    variance = float((posterior * (rate**2 / shape + (rate - expected) ** 2)).sum())
    return Interest(expected**2 / variance, expected / variance)


def _log_normal(value: Floats, median: float, log_sd: float) -> Floats:
    """Log density of log(value), without its constant."""
    return np.asarray(-0.5 * ((np.log(value) - np.log(median)) / log_sd) ** 2, float)


def _normalised(log_weight: Floats) -> Floats:
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum(), float)
