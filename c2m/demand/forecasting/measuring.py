"""How right were forecasts? The usual measures of quantities and of probabilities."""

from dataclasses import dataclass

import numpy as np

from c2m.demand.forecasting.baselines import Floats

BINS = 10
SURE = 1e-6  # no stated probability counts as nearer to 0 or 1, so that a miss stays finite


@dataclass(frozen=True)
class Bin:
    """Predictions of about the same probability: how many, what they said on average, how often it came."""

    count: int
    said: float
    came: float


def wape(actual: Floats, forecast: Floats) -> float | None:
    """Sum of absolute errors over the sum of what was sold; None where nothing was. Unknown actuals (nan) are out."""
    known = ~np.isnan(actual)
    sold = float(np.abs(actual[known]).sum())
    return float(np.abs(actual[known] - forecast[known]).sum()) / sold if sold else None


def mase(history: Floats, actual: Floats, forecast: Floats) -> float | None:
    """Mean over products of the mean absolute error over that of the naive forecast within the history.

    Hyndman & Koehler (2006), International Journal of Forecasting 22(4). Products that never changed have no scale
    and are left out.
    """
    scale = np.abs(np.diff(history, axis=1)).mean(axis=1) if history.shape[1] > 1 else np.zeros(len(history))
    scaled = scale > 0
    errors = np.nanmean(np.abs(actual - forecast)[scaled], axis=1) / scale[scaled] if scaled.any() else np.empty(0)
    return float(np.nanmean(errors)) if len(errors) else None


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """The share of outcomes that lay within their intervals, bounds included."""
    known = ~np.isnan(actual)
    return float(((actual >= low) & (actual <= high))[known].mean()) if known.any() else float("nan")


def brier(chance: Floats, came: Floats) -> float:
    """Mean squared distance of probability and outcome (0 or 1); Brier (1950), Monthly Weather Review 78(1)."""
    return float(np.mean((chance - came) ** 2))


def log_loss(chance: Floats, came: Floats) -> float:
    """Mean of minus the logarithm of what was given to that which came."""
    sure = np.clip(chance, SURE, 1 - SURE)
    return float(-np.mean(came * np.log(sure) + (1 - came) * np.log1p(-sure)))


def base_rate_log_loss(came: Floats) -> float:
    """The log-loss of always stating the share that really came, which nobody knew beforehand."""
    return log_loss(np.full(len(came), came.mean()), came)


def reliability(chance: Floats, came: Floats, *, bins: int = BINS) -> list[Bin]:
    """Predictions by tenths of probability, empty tenths left out."""
    at = np.minimum((np.asarray(chance) * bins).astype(int), bins - 1)
    return [
        Bin(int(mine.sum()), float(chance[mine].mean()), float(came[mine].mean()))
        for each in range(bins)
        if (mine := at == each).any()
    ]
