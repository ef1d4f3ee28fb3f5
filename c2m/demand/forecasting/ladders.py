"""The tier ladder that earns most in expectation, from what factories ask and what buyers would pay.

Buyers join up to the price they would pay, and everybody pays that of the cheapest tier whose pieces are reached: with
D(p) pieces wanted at p or more, a ladder of tiers (q, p) ends at the cheapest p with D(p) ≥ q. How many buyers come and
what they would pay is drawn from its posterior; a ladder is what the merchant can do about not knowing: each tier's
price is for those draws in which its pieces come. No tier begins below the pieces at which its price covers the cost.

Willingness to pay is a mixture of a log-normal with the conjugate normal-inverse-gamma prior (Gelman et al., Bayesian
Data Analysis, 3rd ed., chapter 3) and, the more buyers have spoken, of what they said, by the Bayesian bootstrap (Rubin
1981); the number of buyers is Gamma-Poisson.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from c2m.money import PPM

Floats = NDArray[np.float64]

DRAWS = 400
MOST_TIERS = 5
PRICES, STARTS = 40, 16  # candidates: prices, and pieces from which each of them may hold
WORTH_A_STEP = 0.004  # of the expected margin: less is not worth another tier
SURE_ENOUGH = 1e-9
PRIOR_WEIGHT, PRIOR_SHAPE = 1.0, 3.0  # buyers' worth of belief in the usual price and in the usual spread
USUAL_SPREAD = 0.30  # of the logarithm of what buyers would pay
HALF_HEARD = 20  # buyers who spoke at whom half of the belief is theirs, and half the log-normal's
NARROWEST, SMOOTHING = 0.02, 0.6  # of the kernel over the logarithm of what they said
USUAL_MARKUP = 1.5  # over the cost of a large order: where buyers are thought to be before one speaks
TAKES_A_COST = 0.4  # of a step down in price that the factories' prices pay: then the step is theirs
ROUND_TO = 0.005  # of a price


@dataclass(frozen=True)
class QuoteCurve:
    """What a factory asks for an order: its setup, and each piece's price from so many pieces on."""

    setup_minor: int
    breaks: tuple[tuple[int, int], ...]  # (from pieces, price of each), fewest first
    smallest_order: int = 1

    def total_minor(self, pieces: int) -> int | None:
        """The price of an order; None: it is below the smallest."""
        if pieces < self.smallest_order:
            return None
        each = [price for start, price in self.breaks if start <= pieces]
        return self.setup_minor + (each[-1] if each else self.breaks[0][1]) * pieces


@dataclass(frozen=True)
class Willing:
    """A buyer would take so many at this price or a lower one."""

    price_minor: int
    pieces: int


@dataclass(frozen=True)
class Market:
    """What is known before a ladder is designed; factories' quotes, and the buyers who have named a price.

    Args:
        conversion: the share of those who would order that does order.
        reach: buyers expected to see the campaign for each that has spoken, and its uncertainty as the standard
            deviation of the logarithm.
        factory_ppm: the share of a price that may go to factories; the rest is the merchant's.
        buyers: as how many those who have spoken count when it comes to how many will come; None = as many as they are.
    """

    quotes: Sequence[QuoteCurve]
    willing: Sequence[Willing]
    conversion: float = 0.5
    reach: float = 3.0
    reach_sd: float = 0.5
    factory_ppm: int = PPM
    buyers: float | None = None

    def cost_minor(self, pieces: int) -> float:
        """The cheapest order of so many pieces, infinite where nobody takes it."""
        totals = [total for quote in self.quotes if (total := quote.total_minor(pieces)) is not None]
        return min(totals, default=math.inf)


class Why(StrEnum):
    """What a step is for."""

    OPENS = "opens"  # the first price: from here on the campaign pays
    COST = "cost"  # the factories' prices fall
    DEMAND = "demand"  # more buyers join at less


@dataclass(frozen=True)
class Step:
    """A tier with its reason: reached with this chance, at this cost a piece, for this much more expected margin.

    `more` is how many times as many pieces are wanted at its price as at the one before.
    """

    from_quantity: int
    price_minor: int
    why: Why
    chance: float
    cost_each_minor: int
    gain_minor: int
    more: float


@dataclass(frozen=True)
class LadderProposal:
    """A ladder with what is expected of it: the margin, the chance that the minimum is reached, the pieces then."""

    minimum: int
    steps: tuple[Step, ...]
    margin_minor: int
    chance: float
    pieces: int
    buyers: int  # who named a price


@dataclass
class _Draws:
    """Pieces wanted and margin at each candidate price (draw × price), dearest price first."""

    market: Market
    prices: list[int]
    pieces: Floats
    margin: Floats = field(init=False)
    starts: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        whole = np.floor(self.pieces).astype(int)
        costs = {n: self.market.cost_minor(n) for n in np.unique(whole).tolist()}
        cost = np.vectorize(costs.__getitem__, otypes=[np.float64])(whole)
        self.pieces = whole.astype(np.float64)
        self.margin = np.array(self.prices) * self.pieces - cost
        self.starts = [self._starts(at, price) for at, price in enumerate(self.prices)]

    def _starts(self, at: int, price: int) -> list[int]:
        """Pieces from which a price may hold: some of those drawn and the factories' breaks, where it pays from."""
        drawn = np.quantile(self.pieces[:, at], np.linspace(0.0, 0.98, STARTS)).astype(int).tolist()
        breaks = [start for quote in self.market.quotes for start, _ in quote.breaks]
        smallest = [quote.smallest_order for quote in self.market.quotes]
        found = {max(1, n) for n in (*drawn, *breaks, *smallest)}
        pays = sorted(n for n in found if self.pays(price, n))
        return sorted({self._first_that_pays(price, pays[0], found), *pays}) if pays else []

    def pays(self, price: int, pieces: int) -> bool:
        """Whether the factories' share of so many at this price covers what they ask."""
        return price * pieces * self.market.factory_ppm >= self.market.cost_minor(pieces) * PPM

    def _first_that_pays(self, price: int, pays: int, others: set[int]) -> int:
        """The fewest pieces at which a price covers the cost, between one that does and the next below that doesn't."""
        short = max((n for n in others if n < pays), default=0)
        while pays - short > 1:
            middle = (short + pays) // 2
            short, pays = (short, middle) if self.pays(price, middle) else (middle, pays)
        return pays

    def ends(self, ladder: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
        """The place of the tier at which each draw ends, −1 where it fails; tiers are (price's place, from)."""
        ended = np.full(len(self.pieces), -1)
        for place, (at, start) in enumerate(ladder):
            ended[self.pieces[:, at] >= start] = place
        return ended

    def margins(self, ladder: Sequence[tuple[int, int]]) -> Floats:
        """What each draw earns."""
        earned = np.zeros(len(self.pieces))
        for at, start in ladder:
            reached = self.pieces[:, at] >= start
            earned[reached] = self.margin[reached, at]
        return earned

    def worth(self, ladder: Sequence[tuple[int, int]]) -> float:
        return float(self.margins(ladder).mean())


def design_ladder(market: Market, *, rng: np.random.Generator) -> LadderProposal | None:
    """The ladder of greatest expected margin; None where no price covers the factories' cost.

    Prices are found one at a time, each where it adds most, and then moved as long as that adds anything.
    """
    if not market.quotes:
        return None
    draws = _drawn(market, rng)
    ladder: list[tuple[int, int]] = []
    worth = 0.0
    while len(ladder) < MOST_TIERS:
        found = max(_grown(draws, ladder), key=draws.worth, default=None)
        if found is None or draws.worth(found) <= worth * (1 + WORTH_A_STEP) + SURE_ENOUGH:
            break
        ladder = _moved(draws, found)
        worth = draws.worth(ladder)
    return _proposal(draws, ladder) if ladder else None


def continued_ladder(market: Market, prices: Sequence[int], pieces: Floats, *, minimum: int) -> LadderProposal | None:
    """A first price from its minimum on, with the cheaper tiers that earn more in expectation; None where it doesn't
    cover the factories' cost.

    Args:
        prices: the first price and those below it that may follow.
        pieces: wanted at each of them (draw × price); where fewer than the minimum are wanted at the first, it fails.
    """
    draws = _Draws(market, list(prices), np.where(pieces[:, :1] >= minimum, pieces, 0.0))
    if not draws.pays(prices[0], minimum):
        return None
    ladder = [(0, minimum)]
    worth = draws.worth(ladder)
    while len(ladder) < MOST_TIERS:
        follow = [grown for grown in _grown(draws, ladder) if grown[0] == (0, minimum)]
        found = max(follow, key=draws.worth, default=ladder)
        if draws.worth(found) <= worth * (1 + WORTH_A_STEP) + SURE_ENOUGH:
            break
        ladder, worth = found, draws.worth(found)
    return _proposal(draws, ladder)


def _grown(draws: _Draws, ladder: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The ladders with one tier more."""
    return [
        grown
        for at in range(len(draws.prices))
        for start in draws.starts[at]
        if _falls(grown := sorted([*ladder, (at, start)]))
    ]


def _moved(draws: _Draws, ladder: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ladder with every tier moved to another price or start, one at a time, as long as that earns more."""
    best = draws.worth(ladder)
    while True:
        moves = [
            moved
            for place in range(len(ladder))
            for moved in _grown(draws, [tier for at, tier in enumerate(ladder) if at != place])
        ]
        found = max(moves, key=draws.worth, default=ladder)
        if draws.worth(found) <= best * (1 + SURE_ENOUGH) + SURE_ENOUGH:
            return ladder
        ladder, best = found, draws.worth(found)


def _falls(ladder: Sequence[tuple[int, int]]) -> bool:
    """Whether each tier is cheaper than the one before and begins at more pieces; price places rise as prices fall."""
    return all(one[0] < other[0] and one[1] < other[1] for one, other in pairwise(ladder))


def _drawn(market: Market, rng: np.random.Generator) -> _Draws:
    """Draws of how many pieces are wanted at each price."""
    logs = np.log([buyer.price_minor for buyer in market.willing]) if market.willing else np.zeros(0)
    usual = math.log(USUAL_MARKUP * _large_order_each(market))
    n, mean = len(logs), float(logs.mean()) if len(logs) else usual
    weight, shape = PRIOR_WEIGHT + n, PRIOR_SHAPE + n / 2
    centre = (PRIOR_WEIGHT * usual + n * mean) / weight
    spread = (
        PRIOR_SHAPE * USUAL_SPREAD**2
        + 0.5 * float(((logs - mean) ** 2).sum())
        + PRIOR_WEIGHT * n * (mean - usual) ** 2 / (2 * weight)
    )
    variance = spread / rng.standard_gamma(shape, DRAWS)
    centres = centre + np.sqrt(variance / weight) * rng.standard_normal(DRAWS)
    come = max(n, 1) if market.buyers is None else max(market.buyers, 1.0)
    buyers = rng.standard_gamma(come, DRAWS) * market.reach * np.exp(market.reach_sd * rng.standard_normal(DRAWS))
    each = float(np.mean([buyer.pieces for buyer in market.willing])) if market.willing else 1.0
    top = math.exp(float(np.quantile(centres + 2 * np.sqrt(variance), 0.9)))
    prices = _candidates(_large_order_each(market), top)
    usual_share = _above((np.log(prices)[None, :] - centres[:, None]) / np.sqrt(variance)[:, None])
    heard = n / (n + HALF_HEARD)
    share = heard * _as_heard(logs, np.log(prices), rng) + (1 - heard) * usual_share if n else usual_share
    return _Draws(market, prices, buyers[:, None] * market.conversion * each * share)


def _as_heard(logs: Floats, prices: Floats, rng: np.random.Generator) -> Floats:
    """The share of buyers who would pay each price (draw × price) as those who spoke say, whatever its shape: their
    Bayesian bootstrap, smoothed."""
    width = max(NARROWEST, float(logs.std()) * len(logs) ** -0.2 * SMOOTHING)
    weights = rng.standard_exponential((DRAWS, len(logs)))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights @ _above((prices[None, :] - logs[:, None]) / width))


def _large_order_each(market: Market) -> float:
    """What a piece costs in the largest order that a factory has a price for."""
    largest = max(start for quote in market.quotes for start, _ in (*quote.breaks, (quote.smallest_order, 0)))
    return market.cost_minor(max(largest, 1)) / max(largest, 1)


def _candidates(lowest: float, highest: float) -> list[int]:
    """Round prices between a piece's cost and the most that buyers would pay, dearest first."""
    steps = np.geomspace(max(1.0, lowest), max(lowest * 1.05, highest), PRICES)
    return sorted({rounded(float(price)) for price in steps}, reverse=True)


def rounded(price: float) -> int:
    """A price as shops write it: to about half a per cent."""
    step = int(10 ** math.floor(math.log10(max(1.0, price * ROUND_TO * 2))))
    step *= 5 if step * 5 <= price * ROUND_TO * 2 else 1
    return max(1, round(price / step) * step)


def _above(distance: Floats) -> Floats:
    """P(standard normal > distance)."""
    from scipy.special import ndtr  # slow to load, and the web only needs the names

    return np.asarray(ndtr(-distance), dtype=np.float64)


def _proposal(draws: _Draws, ladder: list[tuple[int, int]]) -> LadderProposal:
    ended, market = draws.ends(ladder), draws.market
    steps: list[Step] = []
    for place, (at, start) in enumerate(ladder):
        without = [tier for tier in ladder if tier != (at, start)]
        each = market.cost_minor(start) / start
        before = None if place == 0 else ladder[place - 1]
        more = 1.0 if before is None else _ratio(draws.pieces[:, at].mean(), draws.pieces[:, before[0]].mean())
        steps.append(
            Step(
                from_quantity=start,
                price_minor=draws.prices[at],
                why=_why(draws, before, (at, start)),
                chance=float((ended >= place).mean()),
                cost_each_minor=round(each),
                gain_minor=round(draws.worth(ladder) - draws.worth(without)),
                more=more,
            )
        )
    made = ended >= 0
    reached = draws.pieces[np.flatnonzero(made), [ladder[place][0] for place in ended[made]]]
    return LadderProposal(
        minimum=ladder[0][1],
        steps=tuple(steps),
        margin_minor=round(draws.worth(ladder)),
        chance=float(made.mean()),
        pieces=round(float(reached.mean())) if made.any() else 0,
        buyers=len(market.willing),
    )


def _why(draws: _Draws, before: tuple[int, int] | None, tier: tuple[int, int]) -> Why:
    """Whether a step is paid by the factories' falling prices or by more buyers."""
    if before is None:
        return Why.OPENS
    (dearer, fewer), (cheaper, more) = before, tier
    falls = draws.prices[dearer] - draws.prices[cheaper]
    saved = draws.market.cost_minor(fewer) / fewer - draws.market.cost_minor(more) / more
    return Why.COST if saved >= TAKES_A_COST * falls else Why.DEMAND


def _ratio(one: float, other: float) -> float:
    return float(one / other) if other > 0 else math.inf
