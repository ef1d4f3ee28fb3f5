"""Column generation (Dantzig and Wolfe): the capacity prices at which the sheets' own best patterns prove most.

A master program mixes the patterns found so far within capacity; its duals price the next patterns, until none is
better. Because the patterns keep tiers, minimums and factory limits whole, the bound lies above that of the model's
LP relaxation. Prices are smoothed towards the best so far (Wentges 1997), or they would swing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import highspy
import numpy as np

from c2m.matching.optimiser.highs import INFINITY, LARGEST_INT, Vector
from c2m.matching.optimiser.model import Pick
from c2m.matching.optimiser.pricing import Pattern, Pricer
from c2m.matching.optimiser.stop import Stop

CONVERGED = 2e-6  # relative distance of master and bound at which no pattern is worth adding
SMOOTHING = ((3e-4, 0.6), (5e-5, 0.3), (0.0, 0.0))  # from this relative distance on, the weight of the best prices

NEGLIGIBLE_SHARE = 1e-6

NO_ROWS = np.array([], dtype=np.int32)
NO_FACTORS = np.array([], dtype=np.float64)


@dataclass(slots=True)
class Priced:
    """A bound with what it came from: `slack` is how much at least each pick would raise it if it had to be taken,
    `used` the picks that the master mixes, with the greatest share any has."""

    bound: float
    prices: Vector
    slack: Vector
    gains: Vector
    used: dict[Pick, float]


@dataclass(slots=True)
class Master:
    """The linear program over patterns: one a sheet in all, within every line-week, only at open factories."""

    pricer: Pricer
    seed: int
    _highs: highspy.Highs = field(init=False)
    _mixed: list[tuple[int, ...]] = field(default_factory=list)
    _rows: dict[tuple[int, int], int] = field(default_factory=dict)
    _links: dict[int, int] = field(default_factory=dict)
    _columns: int = 0

    def __post_init__(self) -> None:
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, option in (("output_flag", False), ("threads", 1), ("random_seed", self.seed % LARGEST_INT)):
            self._highs.setOptionValue(name, option)
        market, pricer = self.pricer.market, self.pricer
        for _ in pricer.sheets:
            self._highs.addRow(1, 1, 0, NO_ROWS, NO_FACTORS)
        rows = len(pricer.sheets)
        lines = sorted({int(line) for line in pricer.line})
        for line in lines:
            to_open = market.open_cost[market.line_factory[line]] > 0
            for week, room in enumerate(market.capacity[line]):
                self._highs.addRow(-INFINITY, 0.0 if to_open else room, 0, NO_ROWS, NO_FACTORS)
                self._rows[line, week] = rows
                rows += 1
        for at, c in enumerate(pricer.choices):
            if market.open_cost[market.choices[c].factory] > 0:
                self._highs.addRow(-INFINITY, 0, 0, NO_ROWS, NO_FACTORS)
                self._links[at] = rows
                rows += 1
        for factory in sorted({market.choices[pricer.choices[at]].factory for at in self._links}):
            self._add_opening(factory, [line for line in lines if market.line_factory[line] == factory])
        for at in range(len(pricer.sheets)):
            self._add(pricer.nothing(at))

    def _add_opening(self, factory: int, lines: Iterable[int]) -> None:
        market = self.pricer.market
        terms = {
            self._rows[line, week]: -room
            for line in lines
            for week, room in enumerate(market.capacity[line])
            if room > 0
        }
        terms |= {
            row: -1.0 for at, row in self._links.items() if market.choices[self.pricer.choices[at]].factory == factory
        }
        self._add_column(market.open_cost[factory], 1.0, terms)

    def _add(self, pattern: Pattern) -> None:
        terms = {pattern.sheet: 1.0} | {self._rows[key]: load for key, load in pattern.load.items()}
        for pick in pattern.picks:
            if (at := int(self.pricer.row[pick])) in self._links:
                terms[self._links[at]] = 1.0
        self._add_column(pattern.cost, INFINITY, terms)
        self._mixed.append(pattern.picks)

    def _add_column(self, cost: float, upper: float, terms: dict[int, float]) -> None:
        rows, factors = np.array(list(terms), dtype=np.int32), np.array(list(terms.values()), dtype=np.float64)
        self._highs.addCol(cost, 0, upper, len(rows), rows, factors)
        self._columns += 1

    def solve(self, patterns: Iterable[Pattern], stop: Stop) -> tuple[float, Vector, Vector] | None:
        """The cost, capacity prices and opening shares with these patterns added, None where time ran out."""
        for pattern in patterns:
            self._add(pattern)
        self._highs.setOptionValue("time_limit", max(0.01, stop.seconds_left) + self._highs.getRunTime())
        self._highs.run()
        status, info = self._highs.getModelStatus(), self._highs.getInfo()
        stop.spend(max(0, int(info.simplex_iteration_count)), status == highspy.HighsModelStatus.kTimeLimit)
        if status != highspy.HighsModelStatus.kOptimal:
            return None
        duals = np.array(self._highs.getSolution().row_dual)
        prices = np.zeros_like(self.pricer.capacity)
        for (line, week), row in self._rows.items():
            prices[line, week] = max(0.0, -duals[row])
        opening = np.zeros(len(self.pricer.choices))
        for at, row in self._links.items():
            opening[at] = max(0.0, -duals[row])
        return float(info.objective_function_value), prices, opening

    def used(self) -> dict[Pick, float]:
        """The picks in the mix, with the share of the sheet's decision that each has."""
        values = np.array(self._highs.getSolution().col_value)
        shares: dict[Pick, float] = {}
        for picks, share in zip(self._mixed, values[self._columns - len(self._mixed) :], strict=True):
            if share > NEGLIGIBLE_SHARE:
                for at in picks:
                    pick = self.pricer.picks[at]
                    shares[pick] = shares.get(pick, 0.0) + float(share)
        return shares


def best_prices(pricer: Pricer, rounds: int, stop: Stop, seed: int) -> Priced:
    """The best bound within so many rounds, and the prices that prove it."""
    prices, opening = np.zeros_like(pricer.capacity), np.zeros(len(pricer.choices))
    quote = best = pricer.quote(prices, opening)
    best_at = prices, opening
    if rounds == 0:
        return Priced(best.bound, prices, pricer.slack(best), best.gains, {})
    master = Master(pricer, seed)
    for turn in range(rounds):
        answer = master.solve(quote.patterns, stop)
        if answer is None:
            break
        cost, *dual = answer
        apart = (cost - best.bound) / max(1.0, abs(cost))
        if apart <= CONVERGED or turn == rounds - 1 or stop():
            break
        weight = next(weight for distance, weight in SMOOTHING if apart >= distance)
        prices, opening = (weight * old + (1 - weight) * new for old, new in zip(best_at, dual, strict=True))
        quote = pricer.quote(prices, opening)
        if quote.bound > best.bound:
            best, best_at = quote, (prices, opening)
    return Priced(best.bound, best_at[0], pricer.slack(best), best.gains, master.used())
