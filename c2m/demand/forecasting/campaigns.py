"""Will a campaign reach its target, and what will it end on? Learned from campaigns that ended, shown while one runs.

For each seventh of a campaign's time there is one logistic regression, which answers for any number of pieces: how
probable is it that the final quantity is at least so many? Its arguments are the pieces still lacking, those pledged so
far, the price and what earlier campaigns of the same product or merchandiser came to. Where few campaigns have ended, a
stated Gamma-Poisson prior speaks instead, and fades as they become more; how many pieces a campaign comes to for each
of its least target, and when in its time they come, is learned from the first one on.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STAGES = 7
FEWEST = 30  # ended campaigns, before anything is learned from them
PRIOR_WEIGHT = 50.0  # ended campaigns for which the prior counts
PRIOR_FORGOTTEN = 2_000  # ended campaigns
SURE = 1e-4  # nothing is said to be more certain, unless it is
LEVELS = (0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 0.99)  # of final quantities, that a regression learns to tell apart
REGULAR = 1.0
USUAL_SD, USUAL_GAP = 1.2, 60.0  # of log quantities, and days, where there were no earlier campaigns
PAST_WEIGHT = 1.5  # earlier campaigns for which the usual quantity counts

PRIOR_SHAPE = 0.5  # pledges a campaign: Gamma, as uneven as that
PRIOR_PLEDGES, PRIOR_PIECES = 6.0, 0.1  # a pledge is that share of the least target
PRIOR_VARIATION = 1.5  # squared, of pieces a pledge
PRIOR_EVENNESS = 3.0  # of pieces over a campaign's time: Beta, evenly on average, as concentrated as that
PRIOR_TIMING = 3.0  # ended campaigns for which that counts
PRIOR_LEVEL = 3.0  # ended campaigns for which pledges a campaign and their unevenness count

LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
GRID = 40


@dataclass(frozen=True)
class Past:
    """What earlier campaigns of the same product or merchandiser came to; logs are of 1 + pieces or pledges."""

    count: int = 0
    mean_log: float = 0.0
    greatest_log: float = 0.0
    sd_log: float = USUAL_SD
    mean_log_pledges: float = 1.0
    days_since: float = USUAL_GAP


@dataclass(frozen=True)
class Seen:
    """Campaigns as they stand at one moment; every field is an array, a number a campaign."""

    pieces: Floats
    pledges: Floats
    share: Floats  # of its time that has passed, 0 to 1
    price_minor: Floats
    weekday: Floats  # of its opening
    presale: Floats  # 1 or 0
    past: Floats  # (campaigns, fields of Past)

    def rows(self, chosen: NDArray[Any]) -> "Seen":
        """Some of the campaigns."""
        return Seen(*(getattr(self, each.name)[chosen] for each in fields(self)))


@dataclass(frozen=True)
class Ended:
    """Campaigns that ended, with what was pledged by each seventh of their time; rows are campaigns."""

    pieces: Floats  # (campaigns, STAGES), before that seventh began
    pledges: Floats  # (campaigns, STAGES)
    price_minor: Floats
    weekday: Floats
    presale: Floats
    past: Floats
    least: Floats  # target of each, above 0
    final: Floats
    first: date
    last: date

    def at(self, stage: int) -> Seen:
        """The campaigns as they stood when that seventh began."""
        share = np.full(len(self.final), stage / STAGES)
        seen = self.pieces[:, stage], self.pledges[:, stage], share
        return Seen(*seen, self.price_minor, self.weekday, self.presale, self.past)


@dataclass(frozen=True)
class Regression:
    """Coefficients, the constant first, and between what bounds each feature was seen: beyond, it says nothing more."""

    coefficients: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Timing:
    """What part of a campaign's final pieces is there before each seventh of its time begins: mean and variance."""

    mean: tuple[float, ...]
    variance: tuple[float, ...]

    def at(self, share: Floats) -> tuple[Floats, Floats]:
        """Mean and variance at these shares of a campaign's time."""
        steps = np.arange(STAGES + 1) / STAGES
        return np.interp(share, steps, [*self.mean, 1.0]), np.interp(share, steps, [*self.variance, 0.0])


@dataclass(frozen=True)
class Level:
    """How many pledges a campaign draws before anything is seen of it; the smaller the shape, the more uneven."""

    pledges: float = PRIOR_PLEDGES
    shape: float = PRIOR_SHAPE


@dataclass(frozen=True)
class Success:
    """What is learned: coefficients by stage, and on what. Plain numbers, so that it can be kept as JSON."""

    trained_on: int
    first: date | None
    last: date | None
    usual_log: float
    timing: Timing
    stages: tuple["Regression", ...]  # none where too few campaigns have ended
    level: Level = Level()

    def as_json(self) -> dict[str, Any]:
        """The parameters and what they were learned on."""
        return {
            "trained_on": self.trained_on,
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "usual_log": self.usual_log,
            "timing": asdict(self.timing),
            "level": asdict(self.level),
            "stages": [asdict(stage) for stage in self.stages],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Success":
        """What `as_json` gave."""
        first, last = (date.fromisoformat(kept[name]) if kept[name] else None for name in ("first", "last"))
        stages = [Regression(**{name: tuple(each) for name, each in stage.items()}) for stage in kept["stages"]]
        timing = Timing(**{name: tuple(each) for name, each in kept["timing"].items()}) if "timing" in kept else EVEN
        level = Level(**kept["level"]) if "level" in kept else Level()
        return cls(kept["trained_on"], first, last, kept["usual_log"], timing, tuple(stages), level)


_SEVENTHS = [stage / STAGES for stage in range(STAGES)]
EVEN = Timing(tuple(_SEVENTHS), tuple(share * (1 - share) / (PRIOR_EVENNESS + 1) for share in _SEVENTHS))
NOTHING_LEARNED = Success(0, None, None, 0.0, EVEN, ())


@dataclass(frozen=True)
class Stated:
    """Chances of the targets (campaigns, targets), and the final quantity: not exceeded with 10, 50 and 90 %."""

    chance: Floats
    p10: Floats
    p50: Floats
    p90: Floats


def past_of(finals: Sequence[int], pledges: Sequence[int], days_since: float) -> Past:
    """What earlier campaigns, oldest first, came to; later ones count for more."""
    if not finals:
        return Past()
    logs = [math.log1p(final) for final in finals]
    weights = [0.75**age for age in reversed(range(len(logs)))]
    whole = sum(weights)
    plain = sum(logs) / len(logs)
    return Past(
        count=len(logs),
        mean_log=sum(w * x for w, x in zip(weights, logs, strict=True)) / whole,
        greatest_log=max(logs),
        sd_log=math.sqrt(sum((x - plain) ** 2 for x in logs) / len(logs)),
        mean_log_pledges=sum(w * math.log1p(x) for w, x in zip(weights, pledges, strict=True)) / whole,
        days_since=days_since,
    )


def learn(ended: Ended, *, targets: Sequence[int] = ()) -> Success:
    """Learn from campaigns that ended; from fewer than `FEWEST` only how many pieces came, and when."""
    if not len(ended.final):
        return NOTHING_LEARNED
    usual = float(np.log1p(ended.final).mean())
    little = Success(len(ended.final), ended.first, ended.last, usual, _timing(ended), (), _level(ended))
    if len(ended.final) < FEWEST:
        return little
    asked = np.unique(np.concatenate([np.quantile(ended.final, LEVELS), np.asarray(targets, float)]))
    found = [_fitted(ended.at(stage), ended.final, asked[asked >= 2], usual) for stage in range(STAGES)]
    stages = tuple(each for each in found if each is not None)
    return replace(little, stages=stages) if len(stages) == STAGES else little


def _timing(ended: Ended) -> Timing:
    """When the pieces came, each campaign counted once, beside the prior that they come evenly."""
    sold = ended.final > 0
    there = ended.pieces[sold] / ended.final[sold][:, None]
    weight = len(there) + PRIOR_TIMING
    mean = (there.sum(axis=0) + PRIOR_TIMING * np.array(EVEN.mean)) / weight
    apart = PRIOR_TIMING * (np.array(EVEN.variance) + (EVEN.mean - mean) ** 2)
    variance = (((there - mean) ** 2).sum(axis=0) + apart) / weight
    return Timing(tuple(map(float, mean)), tuple(map(float, variance)))


def _level(ended: Ended) -> Level:
    """What the campaigns came to for each piece of their least target, each counted once, beside the prior."""
    came, usual = ended.final / ended.least, PRIOR_PLEDGES * PRIOR_PIECES
    weight = len(came) + PRIOR_LEVEL
    mean = float(came.sum() + PRIOR_LEVEL * usual) / weight
    apart = PRIOR_LEVEL * (usual**2 / PRIOR_SHAPE + (usual - mean) ** 2)
    variance = float(((came - mean) ** 2).sum() + apart) / weight
    return Level(mean / PRIOR_PIECES, mean**2 / variance)


def _fitted(seen: Seen, final: Floats, targets: Floats, usual: float) -> Regression | None:
    """One stage's regression on every target that each campaign had not reached; None where all or none did."""
    from sklearn.linear_model import LogisticRegression

    own, slope = _features(seen, usual)
    parts, reached = [], []
    for target in targets:
        lacks = seen.pieces < target
        parts.append(_design(own[lacks], slope[lacks], np.log(target - seen.pieces[lacks])[:, None])[:, 0])
        reached.append(final[lacks] >= target)
    came = np.concatenate(reached) if reached else np.empty(0)
    if len(np.unique(came)) < 2:
        return None
    design = np.concatenate(parts)
    mean, scale = design.mean(axis=0), design.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    fitted = LogisticRegression(C=REGULAR, max_iter=200, tol=1e-3).fit((design - mean) / scale, came)
    coefficients = fitted.coef_[0] / scale
    bounds = np.concatenate([slope, own], axis=1)
    return Regression(
        (float(fitted.intercept_[0] - coefficients @ mean), *map(float, coefficients)),
        tuple(map(float, bounds.min(axis=0))),
        tuple(map(float, bounds.max(axis=0))),
    )


def state(model: Success, seen: Seen, targets: Floats, *, certain: bool = True) -> Stated:
    """What can be said of running campaigns.

    Args:
        targets: pieces (campaigns, targets).
        certain: what is pledged stays pledged, so that a target once reached has a chance of 1.
    """
    least = np.maximum(targets.min(axis=1), 1.0)
    chance = chance_of(model, seen, targets, least)
    reached = targets <= seen.pieces[:, None]
    sure = max(SURE, 0.5 / (model.trained_on + PRIOR_WEIGHT))  # what happened in none of n cases may happen in the next
    chance = np.where(reached, 1.0 if certain else 1 - sure, np.clip(chance, sure, 1 - sure))
    most = 50 * np.maximum.reduce([targets.max(axis=1), seen.pieces + 1, np.full(len(least), 20.0)])
    steps = np.geomspace(1.0, most, GRID, axis=1)  # pieces still to come
    beyond = np.minimum.accumulate(chance_of(model, seen, seen.pieces[:, None] + steps, least), axis=1)
    quantiles = [seen.pieces + _to_come(steps, beyond, 1 - at) for at in (LOW, MIDDLE, HIGH)]
    return Stated(chance, *quantiles)


def chance_of(model: Success, seen: Seen, quantities: Floats, least_target: Floats) -> Floats:
    """P(final quantity ≥ so many), for quantities (campaigns, numbers) not yet reached."""
    if model.stages and model.trained_on >= PRIOR_FORGOTTEN:
        return _learned_chance(model, seen, quantities)
    believed = _prior_chance(model, seen, quantities, least_target)
    if not model.stages:
        return believed
    weight = model.trained_on / (model.trained_on + PRIOR_WEIGHT)
    return weight * _learned_chance(model, seen, quantities) + (1 - weight) * believed


def moved_by(model: Success, seen: Seen, targets: Floats) -> dict[str, Floats]:
    """What moves the chance of each campaign's first target: by how much it would fall were that thing as usual."""
    usual_past = np.repeat(_past_row(Past())[None, :], len(seen.pieces), axis=0)
    expected = np.exp(model.usual_log) * seen.share if model.stages else targets[:, 0] * seen.share
    without = {
        "pace": replace(seen, pieces=np.minimum(expected, targets[:, 0] - 1)),
        "past": replace(seen, past=usual_past),
    }
    now = state(model, seen, targets, certain=False).chance[:, 0]
    return {name: now - state(model, other, targets, certain=False).chance[:, 0] for name, other in without.items()}


def past_rows(pasts: Sequence[Past]) -> Floats:
    """Pasts as the array that `Seen` and `Ended` hold."""
    return np.array([_past_row(past) for past in pasts]).reshape(len(pasts), len(fields(Past)))


def _past_row(past: Past) -> Floats:
    return np.array([getattr(past, each.name) for each in fields(Past)], float)


def _features(seen: Seen, usual: float) -> tuple[Floats, Floats]:
    """What is known of each campaign, and those of it that also change how much a lacking piece weighs."""
    count, mean, greatest, sd, past_pledges, days_since = seen.past.T
    expected = (count * mean + PAST_WEIGHT * usual) / (count + PAST_WEIGHT) + np.log(np.maximum(1 - seen.share, 1e-3))
    pace, pledged = np.log1p(seen.pieces), np.log1p(seen.pledges)
    gap, price = np.log1p(np.clip(days_since, 0, 90)), np.log(np.maximum(seen.price_minor, 1))
    slope = np.stack([expected, pace, pledged, gap, sd, price], axis=1) / 5
    best = np.where(count > 0, greatest, usual)
    days = np.eye(7)[seen.weekday.astype(int) % 7]
    own = [expected, expected**2 / 5, pace, pledged, gap, sd, best, price, past_pledges, count == 0, np.log1p(count)]
    return np.column_stack([*own, seen.presale, days]), slope


def _design(own: Floats, slope: Floats, lacking: Floats) -> Floats:
    """Arguments of the regression (campaigns, 1, arguments), from the logarithm of the pieces lacking."""
    z = lacking[..., None]
    return np.concatenate([z, z**2 / 5, slope[:, None] * z, own[:, None]], axis=2)


def _learned_chance(model: Success, seen: Seen, quantities: Floats) -> Floats:
    stage = np.minimum((seen.share * STAGES + 1e-9).astype(int), STAGES - 1)
    coefficients = np.array([each.coefficients for each in model.stages])[stage]
    own, slope = _features(seen, model.usual_log)
    low, high = (np.array([getattr(each, name) for each in model.stages])[stage] for name in ("low", "high"))
    split = slope.shape[1]
    slope, own = np.clip(slope, low[:, :split], high[:, :split]), np.clip(own, low[:, split:], high[:, split:])
    constant = coefficients[:, 0] + (own * coefficients[:, 3 + split :]).sum(axis=1)
    linear = coefficients[:, 1] + (slope * coefficients[:, 3 : 3 + split]).sum(axis=1)
    square = coefficients[:, 2] / 5
    lacking = np.log(np.maximum(quantities - seen.pieces[:, None], 0.5))
    # A larger quantity is never likelier: beyond its turning point the parabola is held.
    turn = (-linear / np.where(square == 0, np.inf, 2 * square))[:, None]
    bent = square[:, None]
    held = np.where(bent > 0, np.minimum(lacking, turn), np.where(bent < 0, np.maximum(lacking, turn), lacking))
    logit = constant[:, None] + linear[:, None] * held + bent * held**2
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))), float)


def _prior_chance(model: Success, seen: Seen, quantities: Floats, least_target: Floats) -> Floats:
    """Pledges come as Poisson at a Gamma rate in the time of the campaign's own clock, which runs as its timing says;
    pieces a pledge are as those so far; the sum is taken as Gamma."""
    from scipy.special import gammaincc

    gone, variance = model.timing.at(seen.share)
    shape_before = model.level.shape
    left = np.maximum(1 - gone, 1e-6)
    rate = (shape_before + seen.pledges) / (shape_before / model.level.pledges + gone)
    each = (seen.pieces + PRIOR_PIECES * least_target) / (seen.pledges + 1)
    mean = rate * left * each
    unsure = 1 / (shape_before + seen.pledges) + variance / left**2  # squared, relative: of the rate, of the clock
    spread = (1 + PRIOR_VARIATION) * mean * each + mean**2 * unsure
    shape, scale = mean**2 / spread, spread / mean
    lacking = np.maximum(quantities - seen.pieces[:, None] - 0.5, 0)
    return np.asarray(gammaincc(shape[:, None], lacking / scale[:, None]), float)


def _to_come(steps: Floats, beyond: Floats, chance: float) -> Floats:
    """Pieces still to come that are exceeded with this chance, between the steps in proportion to their logarithm."""
    rows = np.arange(len(steps))
    above = (beyond >= chance).sum(axis=1)
    low, high = np.clip(above - 1, 0, GRID - 1), np.clip(above, 0, GRID - 1)
    upper, lower = beyond[rows, low], beyond[rows, high]
    part = np.where(upper > lower, (upper - chance) / np.where(upper > lower, upper - lower, 1.0), 0.0)
    between = np.exp(np.log(steps[rows, low]) * (1 - part) + np.log(steps[rows, high]) * part)
    return np.where(above == 0, 0.0, np.round(between))
