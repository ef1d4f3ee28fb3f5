"""How many pieces of each product will be sold in each of the next weeks, with what is uncertain about it.

Baselines, pooled boosting and combinations of them forecast the latest weeks from what came before them; the method
that would have been best (pooled over products, each product's own errors counted in) makes the forecast, and the
errors of that trial make its interval.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from c2m.demand.forecasting.baselines import Floats, Method, fitting, level
from c2m.demand.forecasting.boosting import BoostedMedian
from c2m.demand.forecasting.measuring import wape

LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
ORIGINS = 4  # from which the latest weeks are forecast on trial
FEWEST_KNOWN = 4  # weeks that a trial must know
CLEARLY = 3.0  # standard errors by which a method beats the combination before it takes a product from it
FEWEST_ERRORS = 200  # that a class of products needs for quantiles of its own
CLASSES = 5
SPREAD_FLOOR = 0.25  # pieces², beside the level: even what never sold may sell
WITHOUT_TRIAL = "smoothing"
BOOSTED = "boosted"
COMBINED = "combined"
MEMBERS = ("smoothing", "SBA", BOOSTED)

Progress = Callable[[float], None]


def unseen(_: float) -> None:
    """Progress nobody looks at."""


@dataclass(frozen=True)
class WeeklyForecast:
    """Pieces by product and week ahead (products, horizon): mean and quantiles; by which method, how good on trial.

    `trial` has the WAPE of every method on the latest weeks, forecast from what was known before them; it is empty
    where there were too few weeks.
    """

    mean: Floats
    p10: Floats
    p50: Floats
    p90: Floats
    method: tuple[str, ...]
    trial: dict[str, float]

    @property
    def methods(self) -> dict[str, int]:
        """How many products each method forecasts."""
        return dict(Counter(self.method).most_common())


@dataclass(frozen=True)
class _Trial:
    """Forecasts of weeks that are known: (windows, products) by method, what came, and how far ahead."""

    forecasts: dict[str, Floats]
    actual: Floats
    known: Floats  # level when the forecast was made


def forecast_weeks(sales: Floats, horizon: int, *, seed: int = 0, progress: Progress = unseen) -> WeeklyForecast:
    """Forecast each product's next weeks from its own and the other products' past.

    Args:
        sales: pieces (products, weeks), nan where unknown; below zero counts as nothing sold.
        progress: told the share of the work that is done.
    """
    filled = without_gaps(sales)
    methods = fitting(filled.shape[1]) | {BOOSTED: BoostedMedian(seed=seed)}
    trial = _tried(filled, sales, horizon, methods, progress)
    ahead = _forecasts(filled, horizon, methods)
    progress(1.0)
    if trial is None:
        point = ahead[WITHOUT_TRIAL]
        low, middle, high = _assumed_quantiles(filled, point)
        return WeeklyForecast(point, low, middle, high, (WITHOUT_TRIAL,) * len(filled), {})
    chosen = _chosen(trial)
    point = _of_each(ahead, chosen)
    errors = _Errors(trial, chosen)
    middle = errors.median(point, filled)
    low = np.minimum(errors.quantile(point, filled, LOW), middle)
    high = np.maximum(errors.quantile(point, filled, HIGH), middle)
    tried = {name: wape(trial.actual, values) for name, values in trial.forecasts.items()}
    found = {name: value for name, value in tried.items() if value is not None}
    return WeeklyForecast(point, low, middle, high, tuple(map(str, chosen)), found)


def without_gaps(sales: Floats) -> Floats:
    """Weeks that are unknown, filled with the mean of those around them; before a product's first week, of its first.

    A product of which nothing is known is taken for what the others sell at the median.
    """
    filled: Floats = np.maximum(np.asarray(sales, float), 0.0)
    unknown = np.isnan(filled)
    if not unknown.any():
        return filled
    nothing = unknown.all(axis=1)
    usual = float(np.nanmedian(filled)) if not nothing.all() else 0.0
    filled[nothing] = usual
    for row in np.flatnonzero(unknown.any(axis=1) & ~nothing):
        known = np.flatnonzero(~unknown[row])
        for week in np.flatnonzero(unknown[row]):
            after = int(np.searchsorted(known, week))
            around = known[max(after - 2, 0) : after + 2]
            filled[row, week] = sales[row, around].clip(0).mean()
    return filled


def _forecasts(sales: Floats, horizon: int, methods: dict[str, Method]) -> dict[str, Floats]:
    found = {name: method(sales, horizon) for name, method in methods.items()}
    return found | {COMBINED: np.mean([found[name] for name in MEMBERS], axis=0)}


def _tried(
    filled: Floats, sales: Floats, horizon: int, methods: dict[str, Method], progress: Progress
) -> _Trial | None:
    """Forecasts of the latest weeks, each made from the weeks before its origin alone."""
    weeks = filled.shape[1]
    first = max(weeks - horizon, weeks // 2, FEWEST_KNOWN)
    if first >= weeks:
        return None
    origins = sorted({int(at) for at in np.linspace(first, weeks - 1, ORIGINS + 1)[:ORIGINS]})
    names = [name for name in (*methods, COMBINED) if name != "seasonal naive" or first >= 52]
    parts: dict[str, list[Floats]] = {name: [] for name in names}
    actual, known = [], []
    for at, origin in enumerate(origins):
        ahead = _forecasts(filled[:, :origin], weeks - origin, {name: methods[name] for name in names[:-1]})
        for name in names:
            parts[name].append(ahead[name].T)
        actual.append(sales[:, origin:].T.clip(0))
        known.append(np.repeat(level(filled[:, :origin], 0.15)[None, :], weeks - origin, axis=0))
        progress((at + 1) / (len(origins) + 1))
    joined = {name: np.concatenate(values) for name, values in parts.items()}
    return _Trial(joined, np.concatenate(actual), np.concatenate(known))


def _chosen(trial: _Trial) -> NDArray[np.str_]:
    """The method of each product: the combination, unless another was clearly better there on trial.

    Weeks of trial are few and noisy: the winner among methods that are about as good wins by luck (the one-standard-
    error rule of Breiman et al., 1984, Classification and Regression Trees).
    """
    names = list(trial.forecasts)
    wrong = np.stack([np.abs(trial.actual - trial.forecasts[name]) for name in names])  # (methods, windows, products)
    gain = wrong[names.index(COMBINED)] - wrong
    count = np.maximum((~np.isnan(gain)).sum(axis=1), 1)
    mean = np.nansum(gain, axis=1) / count
    error = np.sqrt(np.nansum((gain - mean[:, None]) ** 2, axis=1) / count / np.maximum(count / ORIGINS, 1))
    clear = np.where(error > 0, mean / np.where(error > 0, error, 1.0), 0.0)
    best = clear.argmax(axis=0)
    sells = trial.known.mean(axis=0) >= 1  # what hardly sells is forecast with least error by nothing, not by its mean
    return np.where(sells & (clear.max(axis=0) > CLEARLY), np.array(names)[best], COMBINED)


def _of_each(forecasts: dict[str, Floats], chosen: NDArray[np.str_]) -> Floats:
    found = np.empty_like(next(iter(forecasts.values())))
    for name in np.unique(chosen):
        mine = chosen == name
        found[mine] = forecasts[name][mine]
    return found


class _Errors:
    """Quantiles of the errors on trial, as multiples of the root of the forecast, by how much a product sells."""

    def __init__(self, trial: _Trial, chosen: NDArray[np.str_]) -> None:
        names = list(trial.forecasts)
        of = np.stack([trial.forecasts[name] for name in names])
        index = np.array([names.index(name) for name in chosen])
        point = np.moveaxis(of[index, :, np.arange(len(chosen))], 0, 1)
        known = ~np.isnan(trial.actual)
        self._size = np.broadcast_to(trial.known, point.shape)[known]
        self._error = ((trial.actual - point) / spread(point))[known]
        self._bounds = np.quantile(self._size, np.linspace(0, 1, CLASSES + 1)[1:-1]) if known.any() else np.empty(0)
        self._of_size = np.searchsorted(self._bounds, self._size)

    def quantile(self, point: Floats, sales: Floats, at: float) -> Floats:
        """Pieces not exceeded with this probability; never below zero."""
        return self._shifted(point, sales, lambda errors: float(np.quantile(errors, at)))

    def median(self, point: Floats, sales: Floats) -> Floats:
        """The middle of what may come: as skewed as the errors were, without the bias that they had by chance."""
        return self._shifted(point, sales, lambda errors: min(float(np.median(errors) - errors.mean()), 0.0))

    def _shifted(self, point: Floats, sales: Floats, of: Callable[[Floats], float]) -> Floats:
        classes = np.searchsorted(self._bounds, level(sales, 0.15))
        by_class = np.full(CLASSES, of(self._error) if len(self._error) else 0.0)
        for each in range(CLASSES):
            mine = self._error[self._of_size == each]
            if len(mine) >= FEWEST_ERRORS:
                by_class[each] = of(mine)
        return np.maximum(point + by_class[classes][:, None] * spread(point), 0.0)


def spread(point: Floats) -> Floats:
    """How far counts of such a mean lie from it, were they Poisson; never nothing."""
    return np.sqrt(point + SPREAD_FLOOR)


def _assumed_quantiles(sales: Floats, point: Floats) -> tuple[Floats, Floats, Floats]:
    """Without a trial: the weeks' own spread, at least that of counts, as a Gamma distribution."""
    from scipy.stats import gamma

    sd = np.maximum(sales.std(axis=1)[:, None], spread(point))
    shape, scale = np.maximum(point, 1e-9) ** 2 / sd**2, sd**2 / np.maximum(point, 1e-9)
    low, middle, high = (np.asarray(gamma.ppf(at, shape, scale=scale), float) for at in (LOW, MIDDLE, HIGH))
    return low, np.minimum(middle, point), np.maximum(high, point)


def backtest(
    sales: Floats, horizon: int, origins: Sequence[int], *, seed: int = 0
) -> list[tuple[int, WeeklyForecast, dict[str, Floats]]]:
    """Forecasts made at each origin from the weeks before it, with the baselines beside them."""
    found = []
    for origin in origins:
        known = sales[:, :origin]
        ahead = min(horizon, sales.shape[1] - origin)
        plain = {name: method(without_gaps(known), ahead) for name, method in fitting(origin).items()}
        found.append((origin, forecast_weeks(known, ahead, seed=seed), plain))
    return found
