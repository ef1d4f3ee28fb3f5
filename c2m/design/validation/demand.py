"""How many pieces will be ordered by the deadline: Gamma-Poisson interest, Beta-Binomial conversion, quantities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from c2m.design.validation.learning import Conversion, Interest

Floats = NDArray[np.float64]

DRAWS = 4000
USUAL_VARIATION = 2  # buyers' worth of belief that quantities vary as much as their mean
UNEVEN_DAYS = 0.5  # squared coefficient of variation of days, beyond the Poisson's own
FADES_TO, FADES_LOG_SD = 0.85, 0.2  # interest in the days to come over that so far: median, spread


@dataclass(frozen=True)
class Prior:
    """What is believed of one level of commitment before this concept is looked at."""

    interest: Interest
    conversion: Conversion


STATED = Prior(Interest(0.5, 0.5), Conversion(5.0, 15.0))  # wants without a deposit
DEPOSITED = Prior(Interest(0.5, 0.5), Conversion(15.0, 10.0))
ASSUMED = (STATED, DEPOSITED)


@dataclass(frozen=True)
class Evidence:
    """What was said so far; levels of commitment lie along the last axis, concepts may lie along others."""

    buyers: Floats
    pieces: Floats
    squares: Floats  # sum of the squared quantities

    @classmethod
    def of(cls, *levels: Sequence[int]) -> "Evidence":
        """The evidence of one concept from each level's quantities, a number a buyer."""
        quantities = [np.asarray(level, float) for level in levels]
        return cls(
            np.array([float(len(level)) for level in quantities]),
            np.array([level.sum() for level in quantities]),
            np.array([(level**2).sum() for level in quantities]),
        )


@dataclass(frozen=True)
class Forecast:
    """Pieces ordered by the deadline: a mixture of Gamma distributions, one a draw of what is unknown."""

    means: Floats  # (draws, *concepts)
    variances: Floats

    def chance_of(self, pieces: ArrayLike) -> Floats:
        """P(pieces ordered ≥ so many)."""
        from scipy.special import gammaincc  # slow to load, and the web only needs the names

        certain = self.variances <= 0
        shape = self.means**2 / np.where(certain, 1, self.variances)
        rate = self.means / np.where(certain, 1, self.variances)
        beyond = np.maximum(np.asarray(pieces, float) - 0.5, 0)  # pieces are whole
        chance = np.where(certain, self.means >= beyond, gammaincc(np.where(certain, 1, shape), rate * beyond))
        return np.asarray(chance.mean(axis=0), float)

    @property
    def expected(self) -> Floats:
        """Mean of the pieces ordered."""
        return np.asarray(self.means.mean(axis=0), float)

    def quantiles(self, levels: Sequence[float], *, rng: np.random.Generator) -> Floats:
        """Pieces that are not reached with these probabilities; levels lie along the first axis."""
        spread = np.where(self.variances > 0, self.variances, 1)
        drawn = rng.gamma(np.maximum(self.means**2 / spread, 1e-9), spread / np.maximum(self.means, 1e-9))
        drawn = np.where((self.variances > 0) & (self.means > 0), drawn, self.means)
        return np.asarray(np.quantile(drawn, levels, axis=0), float)


def forecast(
    evidence: Evidence,
    priors: Sequence[Prior],
    *,
    days_seen: ArrayLike,
    days_left: ArrayLike,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Forecast:
    """The posterior predictive of pieces ordered by the deadline.

    For each draw of interest a day, conversion and mean quantity of each level of commitment: those who have spoken
    order by their conversion, those who still come are Poisson; the sum's two moments are exact, its shape is taken as
    Gamma. As days are uneven, the buyers seen weigh as the fewer who would tell as much were days even; as launches
    fade, those to come are expected to be fewer. Buyers who order without having said anything are left out, so the
    forecast errs on the low side.
    """
    seen, left = (np.asarray(days, float)[..., np.newaxis] for days in (days_seen, days_left))
    shape = (draws, *evidence.buyers.shape)
    interest = np.array([[prior.interest.buyers, prior.interest.days] for prior in priors])
    conversion = np.array([[prior.conversion.orders, prior.conversion.others] for prior in priors])

    weight = 1 / (1 + UNEVEN_DAYS * evidence.buyers / np.maximum(seen, 1))
    so_far = rng.standard_gamma(interest[:, 0] + weight * evidence.buyers, shape) / (interest[:, 1] + weight * seen)
    a_day = so_far * FADES_TO * np.exp(FADES_LOG_SD * rng.standard_normal((*shape[:-1], 1)))
    chance = rng.beta(conversion[:, 0], conversion[:, 1], shape)
    mean, variation = _quantity(evidence)
    known = np.maximum(evidence.buyers, 1) / variation
    quantity = mean * rng.standard_gamma(known, shape) / known

    coming = a_day * left * chance
    means = chance * evidence.pieces + coming * quantity
    variances = chance * (1 - chance) * evidence.squares + coming * quantity**2 * (1 + variation)
    return Forecast(means.sum(axis=-1), variances.sum(axis=-1))


def _quantity(evidence: Evidence) -> tuple[Floats, Floats]:
    """Mean pieces a buyer and their squared coefficient of variation; a piece each where nobody has spoken."""
    buyers = np.maximum(evidence.buyers, 1)
    mean = np.where(evidence.buyers > 0, evidence.pieces / buyers, 1.0)
    about_mean = np.maximum(evidence.squares - evidence.buyers * mean**2, 0)
    return mean, (about_mean / mean**2 + USUAL_VARIATION) / (evidence.buyers + USUAL_VARIATION)
