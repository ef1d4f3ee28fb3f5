"""How many pieces more of one product the coming weeks may bring: the middle of what may come, and what only one case
in ten exceeds.

With enough weeks of its own, every plain method forecasts the later weeks from the earlier ones, and the one that erred
least on their sums makes the forecast; its errors make the width. A product that is younger is taken for one of those
like it: a week's sales are Gamma about a rate that is the product's own, and that rate has a conjugate inverse-gamma
prior at the rates of finished campaigns (Gelman et al., Bayesian Data Analysis, 3rd ed., chapter 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from c2m.demand.forecasting.baselines import BASELINES, Floats

SHOWN = ("naive", "moving average 4", "Croston")  # always beside what was chosen
ENOUGH_WEEKS = 8  # of a product's own, for a method of its own
FEWEST_KNOWN = 4  # weeks a forecast on trial starts from
FEWEST_ORIGINS, MOST_ORIGINS = 3, 12  # from which the latest weeks are forecast on trial
FEWEST_ALIKE = 5  # finished campaigns that make a prior
COMBINED = "combined"
MEMBERS = ("smoothing", "SBA", "moving average 4")
POOLED = "like products"
CLEARLY = 1.0  # standard errors by which a method beats the combination before it takes its place
LEAST_GAIN = 0.01  # of what was sold, that its errors are less
HIGH = 1.2816  # standard deviations exceeded in one case of ten
USUAL_ERROR, USUAL_WEIGHT = 2.0, 4  # of the root of a sum, in Poisson errors; how many trials that belief counts for
WEEK_SHAPE = 4.0  # how unevenly a product sells from week to week: of a Gamma distribution about its rate
WIDEST_SHAPE, NARROWEST_SHAPE = 1.2, 4.0  # of the prior of rates: at its narrowest it counts for one week
LEAST_RATE = 0.1  # pieces a week: even what hardly sold may sell
DRAWS = 4_000


@dataclass(frozen=True)
class Tried:
    """What a method says of the coming weeks together, and its error on trial: sum of errors over what was sold."""

    name: str
    pieces: float
    error: float | None


@dataclass(frozen=True)
class Further:
    """Pieces of the coming weeks: together, by week, and by which method; `beside` are the plain ones."""

    p50: float
    p90: float
    by_week: tuple[tuple[float, float], ...]
    method: str
    error: float | None
    origins: int  # moments from which the latest weeks were forecast on trial
    beside: tuple[Tried, ...]


def further_demand(weeks: Sequence[float], horizon: int, alike: Sequence[float], *, seed: int = 0) -> Further | None:
    """What the next `horizon` weeks on offer will bring; None where there is neither history nor anything like it.

    Args:
        weeks: pieces of the weeks in which the product was on offer, oldest first.
        alike: pieces a week of finished campaigns of its kind.
    """
    known = np.maximum(np.asarray(weeks, float), 0.0)
    if len(known) >= ENOUGH_WEEKS and known.any():
        return _by_trial(known, horizon)
    if len(alike) >= FEWEST_ALIKE and max(alike) > 0:
        return _like_others(known, horizon, np.asarray(alike, float), np.random.default_rng(seed))
    return None


def _forecasts(known: Floats, horizon: int) -> dict[str, float]:
    """The sum of the coming weeks by every method."""
    found = {name: float(method(known[None, :], horizon).sum()) for name, method in BASELINES.items()}
    return found | {COMBINED: float(np.mean([found[name] for name in MEMBERS]))}


def _by_trial(known: Floats, horizon: int) -> Further:
    """By the method that would have been best for the latest weeks, as far as it is clear which."""
    ahead = min(horizon, len(known) // 2)
    first, last = FEWEST_KNOWN, len(known) - ahead
    origins = range(max(first, last - MOST_ORIGINS + 1), last + 1)
    said = [_forecasts(known[:origin], ahead) for origin in origins]
    came = np.array([known[origin : origin + ahead].sum() for origin in origins])
    wrong = {name: np.array([each[name] for each in said]) - came for name in said[0]}
    method, sold, now = _best(wrong, came, ahead), float(came.sum()), _forecasts(known, horizon)
    errors = {name: float(np.abs(off).sum()) / sold if sold else None for name, off in wrong.items()}
    width = _width(came, came + wrong[method])
    week = now[method] / horizon
    return Further(
        p50=now[method],
        p90=_high(now[method], width),
        by_week=((week, _high(week, width)),) * horizon,
        method=method,
        error=errors[method],
        origins=len(origins),
        beside=tuple(Tried(name, now[name], errors[name]) for name in SHOWN),
    )


def _best(wrong: dict[str, Floats], came: Floats, ahead: int) -> str:
    """The combination, unless another method erred clearly less on trial; origins overlap, so they count for less."""
    if len(wrong[COMBINED]) < FEWEST_ORIGINS:
        return COMBINED
    gains = {name: np.abs(wrong[COMBINED]) - np.abs(off) for name, off in wrong.items()}
    apart = max(len(wrong[COMBINED]) / ahead, 1.0)
    clear = {
        name: float(gain.mean())
        for name, gain in gains.items()
        if gain.mean() > max(CLEARLY * float(gain.std()) / np.sqrt(apart), LEAST_GAIN * float(came.mean()))
    }
    return max(clear, key=lambda name: clear[name], default=COMBINED)


def _width(came: Floats, said: Floats) -> float:
    """The error on trial of the root of a sum, in Poisson errors, at least one, with a belief beside few trials."""
    off = 2 * (np.sqrt(came) - np.sqrt(said))
    seen = USUAL_WEIGHT * USUAL_ERROR**2 + float((off**2).sum())
    return max(float(np.sqrt(seen / (USUAL_WEIGHT + len(off)))), 1.0)


def _high(middle: float, width: float) -> float:
    return float((np.sqrt(middle) + HIGH * width / 2) ** 2)


def _like_others(known: Floats, horizon: int, alike: Floats, rng: np.random.Generator) -> Further:
    """By the rates of finished campaigns, and the more by its own weeks the more there are of them."""
    rates = np.maximum(alike, LEAST_RATE)
    shape = 1 / max(float(np.log(rates).std()), 1e-3) ** 2 + 0.5
    shape = min(max(shape, WIDEST_SHAPE), NARROWEST_SHAPE)
    scale = shape * float(np.median(rates))
    rate = (scale + WEEK_SHAPE * known.sum()) / rng.standard_gamma(shape + WEEK_SHAPE * len(known), DRAWS)
    week = rng.standard_gamma(WEEK_SHAPE, (horizon, DRAWS)) / WEEK_SHAPE * rate
    pieces = rng.poisson(week)
    middle, high = np.quantile(pieces.sum(axis=0), [0.5, 0.9])
    by_week = np.quantile(pieces, [0.5, 0.9], axis=(0, 1))
    plain = _forecasts(known, horizon) if len(known) else {}
    return Further(
        p50=float(middle),
        p90=float(high),
        by_week=((float(by_week[0]), float(by_week[1])),) * horizon,
        method=POOLED,
        error=None,
        origins=0,
        beside=tuple(Tried(name, plain[name], None) for name in SHOWN if plain),
    )
