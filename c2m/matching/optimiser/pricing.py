"""A proven lower bound, and what each price would add to it, from capacity prices (Lagrangian relaxation).

With prices on capacity the sheets fall apart, and each is bounded alone: a piece costs at least the best average any
price can reach (fixed cost spread over its cheapest weeks). The bound holds for any prices; a linear program over few
prices a sheet, which takes in those that look better until none does, finds prices where it equals the LP bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from c2m.matching.optimiser.highs import Vector, minimise
from c2m.matching.optimiser.market import Market
from c2m.matching.optimiser.model import Model, Pick
from c2m.matching.optimiser.params import Params
from c2m.matching.optimiser.stop import Stop

ADDED_A_ROUND = 3
CONVERGED = 1e-4  # relative distance of LP and bound at which further prices are not worth their while
INTEGER = np.int64


@dataclass(slots=True)
class Priced:
    """A bound with what it came from: `slack` is how much each pick would raise the bound if it had to be taken."""

    bound: float
    prices: list[list[float]]
    slack: Vector
    used: list[Pick]


@dataclass(slots=True)
class Pricer:
    """Every pick of a component as arrays, a row a pick and a column a week."""

    market: Market
    sheets: Sequence[int]
    picks: list[Pick] = field(init=False)
    sheet: NDArray[INTEGER] = field(init=False)
    _row: NDArray[INTEGER] = field(init=False)
    _line: NDArray[INTEGER] = field(init=False)
    _load: Vector = field(init=False)
    _late: Vector = field(init=False)
    _low: Vector = field(init=False)
    _high: Vector = field(init=False)
    _fixed: Vector = field(init=False)
    _unit: Vector = field(init=False)
    _choices: list[int] = field(init=False)

    def __post_init__(self) -> None:
        market = self.market
        self._choices = [c for s in self.sheets for c in market.demands[s].choices]
        choices = [market.choices[c] for c in self._choices]
        place = {s: at for at, s in enumerate(self.sheets)}
        self.picks = [(c, k) for c in self._choices for k in range(len(market.choices[c].prices))]
        self._row = np.repeat(np.arange(len(choices)), [len(choice.prices) for choice in choices])
        self.sheet = np.array([place[choice.sheet] for choice in choices], dtype=np.int64)[self._row]
        self._line = np.array([choice.line for choice in choices], dtype=np.int64)
        self._load = np.array([choice.load for choice in choices])
        self._late = np.full((len(choices), len(market.capacity[0])), np.inf)
        for at, choice in enumerate(choices):
            self._late[at, list(choice.weeks)] = choice.late
        prices = [price for choice in choices for price in choice.prices]
        self._low, self._high, self._fixed, self._unit = (
            np.array(figures, dtype=np.float64)
            for figures in zip(*((p.low, p.high, p.fixed, p.unit) for p in prices), strict=True)
        )

    def price(self, prices: Vector, opening: Vector) -> tuple[float, Vector]:
        """The bound at these capacity prices (line × week), and every pick's slack.

        `opening` is what each choice contributes to opening its factory.
        """
        market = self.market
        capacity = np.array(market.capacity)
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(self._load[:, None] > 0, capacity[self._line] / self._load[:, None], np.inf)
        marginal = self._late + prices[self._line] * self._load[:, None]
        by_cost = np.argsort(marginal, axis=1, kind="stable")
        marginal = np.take_along_axis(marginal, by_cost, 1)[self._row] + self._unit[:, None]
        room = np.take_along_axis(room, by_cost, 1)[self._row]
        room = np.where(np.isfinite(marginal), room, 0.0)
        marginal = np.where(np.isfinite(marginal), marginal, 0.0)
        reach = np.minimum(np.cumsum(room, axis=1), self._high[:, None])
        pieces = np.diff(reach, axis=1, prepend=0.0)
        fixed = self._fixed + opening[self._row]
        at_least = np.diff(np.minimum(reach, self._low[:, None]), axis=1, prepend=0.0)
        lowest = fixed + (marginal * at_least).sum(axis=1)
        average = lowest / self._low
        costs = fixed[:, None] + np.cumsum(marginal * pieces, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            averages = np.where((reach >= self._low[:, None]) & (reach > 0), costs / reach, np.inf)
        average = np.minimum(average, averages.min(axis=1))

        def forced(each: Vector) -> Vector:
            """What taking a pick costs beyond a worth of so much for each of its pieces."""
            worth = each[self.sheet][:, None]
            beyond = np.minimum(0.0, (marginal - worth) * (pieces - at_least)).sum(axis=1)
            return np.asarray(lowest - each[self.sheet] * self._low + beyond)

        demands = [market.demands[s] for s in self.sheets]
        quantity = np.array([demand.quantity for demand in demands], dtype=np.float64)
        value = np.array([demand.value for demand in demands])
        single = np.array([demand.single for demand in demands])
        each = np.full(len(demands), np.inf)
        np.minimum.at(each, self.sheet, average)
        each = np.where([demand.must_serve for demand in demands], each, np.minimum(each, value))
        lone = forced(value)
        best_lone = np.zeros(len(demands))
        np.minimum.at(best_lone, self.sheet, lone)
        alone = np.where(single, quantity * value + best_lone, -np.inf)
        sheet_bound = np.maximum(quantity * each, alone)
        with_pick = (quantity * each)[self.sheet] + forced(each)
        with_pick = np.where(
            single[self.sheet], np.maximum(with_pick, (quantity * value)[self.sheet] + lone), with_pick
        )
        slack = np.maximum(0.0, with_pick - sheet_bound[self.sheet])
        bound = float(sheet_bound.sum()) + self._capacity_term(prices, opening)
        return bound, slack

    def _capacity_term(self, prices: Vector, opening: Vector) -> float:
        """What the priced capacity gives back: all of it where a factory is open, at best nothing where it isn't."""
        market = self.market
        rent = -(prices * np.array(market.capacity)).sum(axis=1)
        total = 0.0
        to_open: dict[int, float] = {}
        for line, factory in enumerate(market.line_factory):
            if market.open_cost[factory] > 0:
                to_open[factory] = to_open.get(factory, market.open_cost[factory]) + float(rent[line])
            else:
                total += float(rent[line])
        for at, c in enumerate(self._choices):
            if (factory := market.choices[c].factory) in to_open:
                to_open[factory] -= float(opening[at])
        return total + sum(min(0.0, cost) for cost in to_open.values())

    def unpriced(self) -> Priced:
        """The bound where capacity costs nothing."""
        prices = np.zeros((len(self.market.capacity), len(self.market.capacity[0])))
        bound, slack = self.price(prices, np.zeros(len(self._choices)))
        return Priced(bound, prices.tolist(), slack, [])

    def improve(self, best: Priced, params: Params, stop: Stop, seed: int) -> Priced:
        """The best bound and prices within the pricing rounds, and the picks that the last program used."""
        held = self._cheapest(best.slack, params.start_picks)
        for _ in range(params.pricing_rounds):
            picks = [self.picks[at] for at in np.flatnonzero(held)]
            model = Model(self.market, self.sheets, picks, self.market.capacity, relaxed=True)
            answer = minimise(model.program, seconds=stop.seconds_left, seed=seed)
            stop.spend(answer.iterations, answer.timed_out)
            if answer.values is None or answer.row_duals is None:
                break
            prices, opening = self._duals(model, answer.row_duals)
            bound, slack = self.price(prices, opening)
            used = model.picked_in_part(answer.values)
            if bound > best.bound:
                best = Priced(bound, prices.tolist(), slack, used)
            best.used = used
            value = float(np.dot(model.program.cost, answer.values))
            if value - bound <= CONVERGED * max(1.0, abs(value)) or stop():
                break
            fresh = self._cheapest(np.where(held, np.inf, slack), ADDED_A_ROUND)
            if not fresh.any():
                break
            held |= fresh
        return best

    def _duals(self, model: Model, row_duals: Vector) -> tuple[Vector, Vector]:
        prices = np.zeros((len(self.market.capacity), len(self.market.capacity[0])))
        for (line, week), row in model.capacity_rows.items():
            prices[line, week] = max(0.0, -row_duals[row])
        opening = np.zeros(len(self._choices))
        at = {c: place for place, c in enumerate(self._choices)}
        for c, row in model.opening_rows.items():
            opening[at[c]] = max(0.0, -row_duals[row])
        return prices, opening

    def _cheapest(self, slack: Vector, picks: int) -> NDArray[np.bool_]:
        """The picks of smallest slack, so many a sheet; an infinite slack is never among them."""
        ranked = np.lexsort((np.arange(len(slack)), slack, self.sheet))
        sheets = self.sheet[ranked]
        first = np.searchsorted(sheets, sheets, side="left")
        chosen = np.zeros(len(slack), dtype=np.bool_)
        chosen[ranked[np.arange(len(slack)) - first < picks]] = True
        return chosen & np.isfinite(slack)

    def kernel(self, slack: Vector, picks: int) -> list[Pick]:
        """So many picks of smallest slack a sheet."""
        return [self.picks[at] for at in np.flatnonzero(self._cheapest(slack, picks))]
