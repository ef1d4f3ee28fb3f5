"""Pieces by price, with what is uncertain about them, and the campaign they speak for."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from c2m.design.validation.demand import Evidence, Floats, Forecast, Prior, forecast
from c2m.design.validation.rule import STATED_RULE

SHORTEST_DAYS, LONGEST_DAYS = 7, 30  # of a proposed campaign
SURE_ENOUGH = 0.8  # chance of reaching the minimum that a proposal aims at
MOST_PRICES = 12
CURVE_DRAWS = 2000
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True)
class Said:
    """One buyer would take so many at this price or a lower one."""

    buyer_id: UUID
    price_minor: int
    quantity: int
    deposited: bool


@dataclass(frozen=True)
class Span:
    """The time wants are taken: days gone and days to come."""

    seen: float
    left: float

    @property
    def share(self) -> float:
        """How much of the time is over."""
        return self.seen / (self.seen + self.left) if self.seen + self.left else 1.0


@dataclass(frozen=True)
class PriceForecast:
    """Pieces ordered by the deadline at a price: expected, within 80 % probability, and P(≥ minimum)."""

    price_minor: int
    said: int
    low: int
    expected: int
    high: int
    chance: float


@dataclass(frozen=True)
class Proposal:
    """A campaign worth trying: this price, at least so many pieces, so many days."""

    price_minor: int
    minimum: int
    days: int
    chance: float


@dataclass(frozen=True)
class Foreseen:
    """What a proposed campaign would sell, by the draws its chance is reckoned from."""

    proposed: Proposal
    prices: tuple[int, ...]  # the proposed one, and cheaper ones that buyers named
    pieces: Floats  # draw × price


def evidence_at(price_minor: int, said: Sequence[Said]) -> Evidence:
    """What speaks for this price: each buyer's pieces at it or above, without and with a deposit."""
    pieces: dict[UUID, int] = defaultdict(int)
    deposited: set[UUID] = set()
    for want in said:
        if want.price_minor >= price_minor:
            pieces[want.buyer_id] += want.quantity
            if want.deposited:
                deposited.add(want.buyer_id)
    return Evidence.of(
        [count for buyer, count in pieces.items() if buyer not in deposited],
        [count for buyer, count in pieces.items() if buyer in deposited],
    )


def forecast_at(
    price_minor: int, said: Sequence[Said], priors: Sequence[Prior], span: Span, *, rng: np.random.Generator, draws: int
) -> Forecast:
    """Pieces ordered by the deadline at this price."""
    evidence = evidence_at(price_minor, said)
    return forecast(evidence, priors, days_seen=span.seen, days_left=span.left, rng=rng, draws=draws)


def demand_curve(
    said: Sequence[Said],
    priors: Sequence[Prior],
    span: Span,
    *,
    asked_minor: int,
    minimum: int,
    rng: np.random.Generator,
) -> list[PriceForecast]:
    """The forecast at the price asked and at those buyers named, dearest first; fewer are never sold at less."""
    curve: list[PriceForecast] = []
    for price in _prices(said, asked_minor):
        found = forecast_at(price, said, priors, span, rng=rng, draws=CURVE_DRAWS)
        low, high = (int(pieces) for pieces in found.quantiles([LOW, HIGH], rng=rng))
        expected, chance = round(float(found.expected)), float(found.chance_of(minimum))
        if curve:
            dearer = curve[-1]
            low, expected, high = max(low, dearer.low), max(expected, dearer.expected), max(high, dearer.high)
            chance = max(chance, dearer.chance)
        pieces = sum(want.quantity for want in said if want.price_minor >= price)
        curve.append(PriceForecast(price, pieces, low, expected, high, chance))
    return curve


def proposal(
    said: Sequence[Said],
    priors: Sequence[Prior],
    seen_days: float,
    curve: Sequence[PriceForecast],
    *,
    asked_minor: int,
    minimum: int,
    rng: np.random.Generator,
) -> Proposal:
    """The dearest price at which the minimum is likely enough, else the one asked; as many days as that takes.

    A price other than the one asked must have been named by as many buyers as the rule wants to hear.
    """
    likely = [point.price_minor for point in curve if point.chance >= SURE_ENOUGH]
    heard = (price for price in likely if evidence_at(price, said).buyers.sum() >= STATED_RULE.fewest_buyers)
    price = next(heard, asked_minor)
    chance, days = 0.0, SHORTEST_DAYS
    for days in range(SHORTEST_DAYS, LONGEST_DAYS + 1):
        run = forecast_at(price, said, priors, Span(seen_days, float(days)), rng=rng, draws=CURVE_DRAWS)
        chance = float(run.chance_of(minimum))
        if chance >= SURE_ENOUGH:
            break
    return Proposal(price, minimum, days, chance)


def foreseen(
    said: Sequence[Said],
    priors: Sequence[Prior],
    span: Span,
    proposed: Proposal,
    *,
    rng: np.random.Generator,
) -> Foreseen:
    """Orders of the proposed campaign at its price and at those that buyers named below it.

    At every price the same draws of what is unknown, so that fewer are never sold at less.
    """
    from scipy.special import gammaincinv  # slow to load, and the web only needs the names

    prices = tuple(price for price in _prices(said, proposed.price_minor) if price <= proposed.price_minor)
    level, seed = rng.random(CURVE_DRAWS), int(rng.integers(2**32))
    columns = []
    for price in prices:
        alike = np.random.default_rng(seed)
        run = forecast_at(price, said, priors, replace(span, left=float(proposed.days)), rng=alike, draws=CURVE_DRAWS)
        spread = np.maximum(run.variances, 1e-9)
        columns.append(
            gammaincinv(np.maximum(run.means**2 / spread, 1e-9), level) * spread / np.maximum(run.means, 1e-9)
        )
    return Foreseen(proposed, prices, np.maximum.accumulate(np.stack(columns, axis=1).round(), axis=1))


def _prices(said: Sequence[Said], asked_minor: int) -> list[int]:
    """The price asked and those named, thinned to a dozen, dearest first."""
    named = sorted({want.price_minor for want in said} - {asked_minor}, reverse=True)
    if len(named) >= MOST_PRICES:
        places = np.linspace(0, len(named) - 1, MOST_PRICES - 1).round().astype(int)
        named = [named[at] for at in places]
    return sorted({asked_minor, *named}, reverse=True)
