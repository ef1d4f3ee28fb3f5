"""Plain forecasts of weekly sales, every product at once: what anything cleverer has to beat.

Sales are an array (products, weeks) without gaps; a forecast is an array (products, horizon).

Sources: J. D. Croston (1972), Forecasting and stock control for intermittent demands, Operational Research Quarterly
23(3); A. A. Syntetos & J. E. Boylan (2005), The accuracy of intermittent demand estimates, International Journal of
Forecasting 21(2) (SBA); R. H. Teunter, A. A. Syntetos & M. Z. Babai (2011), Intermittent demand: linking forecasting
to inventory obsolescence, European Journal of Operational Research 214(3) (TSB).
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Method = Callable[[Floats, int], Floats]

YEAR = 52
FIRST_WEEKS = 4  # that a smoothed level starts from


def naive(sales: Floats, horizon: int) -> Floats:
    """As last week."""
    return _flat(sales[:, -1], horizon)


def seasonal_naive(sales: Floats, horizon: int) -> Floats:
    """As in the same week of last year; needs a year."""
    last_year = sales[:, -YEAR:]
    return last_year[:, np.arange(horizon) % YEAR]


def moving_average(sales: Floats, horizon: int, *, weeks: int) -> Floats:
    """The mean of the latest weeks."""
    return _flat(sales[:, -weeks:].mean(axis=1), horizon)


def smoothed(sales: Floats, horizon: int, *, alpha: float) -> Floats:
    """Simple exponential smoothing."""
    return _flat(level(sales, alpha), horizon)


def croston(sales: Floats, horizon: int, *, alpha: float) -> Floats:
    """Croston's size over interval, both smoothed at weeks with a sale only."""
    return _flat(_size_over_interval(sales, alpha), horizon)


def sba(sales: Floats, horizon: int, *, alpha: float) -> Floats:
    """Croston's forecast without its upward bias, after Syntetos and Boylan."""
    return _flat(_size_over_interval(sales, alpha) * (1 - alpha / 2), horizon)


def tsb(sales: Floats, horizon: int, *, alpha: float, beta: float) -> Floats:
    """Size times probability of a sale, the latter smoothed every week, so that what stopped selling fades out."""
    size, chance = np.zeros(len(sales)), (sales[:, :FIRST_WEEKS] > 0).mean(axis=1)
    seen = np.zeros(len(sales), bool)
    for week in sales.T:
        sold = week > 0
        size = np.where(sold, np.where(seen, size + alpha * (week - size), week), size)
        chance = chance + beta * (sold - chance)
        seen |= sold
    return _flat(size * chance, horizon)


def level(sales: Floats, alpha: float) -> Floats:
    """The exponentially smoothed level after the last week."""
    found: Floats = sales[:, :FIRST_WEEKS].mean(axis=1)
    for week in sales.T:
        found = found + alpha * (week - found)
    return found


BASELINES: Mapping[str, Method] = {
    "naive": naive,
    "moving average 4": partial(moving_average, weeks=4),
    "moving average 13": partial(moving_average, weeks=13),
    "smoothing": partial(smoothed, alpha=0.15),
    "Croston": partial(croston, alpha=0.1),
    "SBA": partial(sba, alpha=0.1),
    "TSB": partial(tsb, alpha=0.2, beta=0.2),
}


def fitting(weeks: int) -> dict[str, Method]:
    """The baselines that so many weeks allow."""
    return dict(BASELINES) | ({"seasonal naive": seasonal_naive} if weeks >= YEAR else {})


def _size_over_interval(sales: Floats, alpha: float) -> Floats:
    size, interval, gap = np.zeros(len(sales)), np.ones(len(sales)), np.ones(len(sales))
    seen = np.zeros(len(sales), bool)
    for week in sales.T:
        sold = week > 0
        size = np.where(sold, np.where(seen, size + alpha * (week - size), week), size)
        interval = np.where(sold, np.where(seen, interval + alpha * (gap - interval), gap), interval)
        gap = np.where(sold, 1.0, gap + 1)
        seen |= sold
    return np.where(seen, size / interval, 0.0)


def _flat(each: Floats, horizon: int) -> Floats:
    return np.repeat(each[:, None], horizon, axis=1)
