"""Gradient boosting over all products at once: what follows a level, as a multiple of it."""

from collections.abc import Sequence

import numpy as np

from c2m.demand.forecasting.baselines import Floats, level

FEWEST_WEEKS = 16  # of history before anything can be learned from it
FEWEST_WINDOWS = 400
SHORTEST = 8  # weeks a window looks back on
EVERY = 2  # weeks between two windows
STEPS_LEARNED = (1, 3, 6, 9, 12, 18, 26, 39, 52)
MEMORY = 0.98  # weight of a window over that of the one a week later
LEAST_LEVEL = 0.05
LAGS = (1, 2, 4, 8, 13)
MOST_PRODUCTS = 1500  # a window is learned from; more of them teach little more


class BoostedMedian:
    """The median of sales so many weeks ahead, learned from how earlier windows of all products went on."""

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def __call__(self, sales: Floats, horizon: int) -> Floats:
        """Forecasts (products, horizon); falls back to the level where there is too little to learn from."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        rng = np.random.default_rng(self.seed)
        features, multiples, weights = self._windows(sales, horizon, rng)
        if len(multiples) < FEWEST_WINDOWS:
            return np.repeat(_level(sales)[:, None], horizon, axis=1)
        model = HistGradientBoostingRegressor(
            loss="absolute_error",
            max_iter=50,
            learning_rate=0.1,
            max_leaf_nodes=8,
            min_samples_leaf=max(20, len(multiples) // 200),
            l2_regularization=10.0,
            early_stopping=False,
            random_state=self.seed,
        )
        model.fit(features, multiples, sample_weight=weights)
        base = _level(sales)
        ahead = [model.predict(_features(sales, step)) * base for step in range(1, horizon + 1)]
        return np.asarray(np.maximum(np.stack(ahead, axis=1), 0.0), float)

    def _windows(self, sales: Floats, horizon: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """What was known at earlier weeks, what came of it as a multiple of the level, and how much it counts."""
        weeks = sales.shape[1]
        steps = [step for step in STEPS_LEARNED if step <= max(horizon, 1)]
        features, multiples, weights = [np.empty((0, _width()))], [np.empty(0)], [np.empty(0)]
        if weeks < FEWEST_WEEKS:
            return features[0], multiples[0], weights[0]
        if len(sales) > MOST_PRODUCTS:
            sales = sales[rng.choice(len(sales), MOST_PRODUCTS, replace=False)]
        for origin in range(SHORTEST, weeks, EVERY):
            known = sales[:, :origin]
            base = _level(known)
            for step in steps:
                if origin + step <= weeks:
                    features.append(_features(known, step))
                    multiples.append(sales[:, origin + step - 1] / base)
                    weights.append(base * MEMORY ** (weeks - origin))
        return np.concatenate(features), np.concatenate(multiples), np.concatenate(weights)


def _level(sales: Floats) -> Floats:
    return (level(sales, 0.1) + level(sales, 0.2)) / 2 + LEAST_LEVEL


def _width() -> int:
    return len(LAGS) + 6


def _features(sales: Floats, step: int) -> Floats:
    """A product's recent weeks as multiples of its level, how uneven they are, and how the whole shop goes."""
    base = _level(sales)
    recent = sales[:, -13:]
    month, quarter = sales[:, -4:].sum() / min(sales.shape[1], 4), recent.sum() / recent.shape[1]
    columns: Sequence[Floats] = [
        np.log(base),
        np.full(len(sales), float(step)),
        *(sales[:, -weeks:].mean(axis=1) / base for weeks in LAGS),
        sales.mean(axis=1) / base,
        (recent > 0).mean(axis=1),
        recent.std(axis=1) / np.sqrt(base),
        np.full(len(sales), month / quarter if quarter else 1.0),
    ]
    return np.stack(columns, axis=1)
