"""Which variant is shown first: Thompson sampling with a floor, so that the best gets most and none is given up."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

EVENLY = 0.2  # of all exposure is shared evenly, whatever was learned
DRAWS = 2000
LEAST_SEEN, LEAST_WANTED = 1.0, 1.0  # uniform prior of a rate

Floats = NDArray[np.float64]


def chances_to_be_best(wanted: Floats, shown: Floats, *, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """How probable it is that each variant has the highest want rate; variants lie along the last axis.

    Beta(1, 1) priors; showing a variant with these probabilities is Thompson sampling (Thompson 1933, Biometrika 25;
    in batches: Chapelle & Li 2011, NIPS 24). More wants than showings, as after a shared link, count as showings.
    """
    wanted = np.asarray(wanted, float)
    missed = np.maximum(np.asarray(shown, float) - wanted, 0)
    rates = rng.beta(wanted + LEAST_WANTED, missed + LEAST_SEEN, size=(draws, *wanted.shape))
    best = rates.argmax(axis=-1)[..., np.newaxis] == np.arange(wanted.shape[-1])
    return np.asarray(best.mean(axis=0), float)


def shares(wanted: Floats, shown: Floats, *, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """Each variant's share of exposure: its chance to be the best, and never less than its part of `EVENLY`."""
    best = chances_to_be_best(wanted, shown, rng=rng, draws=draws)
    return np.asarray(EVENLY / best.shape[-1] + (1 - EVENLY) * best, float)


def drawn_order(shares: Sequence[float], *, rng: np.random.Generator) -> list[int]:
    """An order of the variants: each place is drawn in proportion to the shares of those that are left."""
    weights = np.asarray(shares, float)
    keys = rng.standard_exponential(len(weights)) / weights  # exponential race, equal to drawing without replacement
    return [int(at) for at in np.argsort(keys, kind="stable")]
