"""The matching model over chosen sheets and prices, as a program and back.

Columns: y (a price is taken), q (pieces at it), x (pieces of a choice in a week), u (pieces left), o (a factory is
opened), g (a factory joins a sheet), z (a sheet is served at all). The cost is fixed·y + unit·q + late·x + value·u +
open·o. Rows: (1) all q and u of a sheet make its quantity; (2) q lies within its price's range where y, and one price
a choice; (3) the weeks' x make the q; (4) a week's x needs y; (5) a line's week holds its x; (6) y needs o; (7) so
many factories join a sheet at most; (8) a sheet is served up to its fill or not at all.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from c2m.matching.optimiser.highs import INFINITY, Program, Vector
from c2m.matching.optimiser.market import Market, Order

Pick = tuple[int, int]  # a choice, and the place of one of its prices


def columns_of(market: Market, pick: Pick) -> int:
    """About how many columns a pick adds to a model: itself, its pieces, their weeks."""
    choice = market.choices[pick[0]]
    price, weeks = choice.prices[pick[1]], len(choice.weeks)
    decided = 0 if is_fluid(market, pick) else price.low < price.high
    return 1 + decided + (weeks if weeks > 1 else 0)


def is_fluid(market: Market, pick: Pick) -> bool:
    """Whether a pick may be taken in any part without more ado: from one piece on, at no fixed cost, by any number
    of factories. Its y may then be a fraction."""
    choice = market.choices[pick[0]]
    price, demand = choice.prices[pick[1]], market.demands[choice.sheet]
    return price.fixed == 0 and price.low <= 1 < price.high and demand.slots >= len(demand.choices)


@dataclass(slots=True)
class Model:
    """A program with the meaning of its columns.

    Args:
        decided: the picks are taken for certain, and quantities are whole pieces: what polish solves.
        relaxed: y, z and o may be fractions: the LP relaxation.
        opened_before: factories that are open already, and cost no more to open.
        serve_all: must-serve sheets are served by a constraint rather than a penalty.
    """

    market: Market
    sheets: Sequence[int]
    picks: Sequence[Pick]
    capacity: list[list[float]]
    decided: bool = False
    relaxed: bool = False
    serve_all: bool = False
    opened_before: Collection[int] = ()
    program: Program = field(default_factory=Program)
    taken: dict[Pick, int] = field(default_factory=dict)
    pieces: dict[Pick, int] = field(default_factory=dict)
    weekly: dict[tuple[int, int], int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    opened: dict[int, int] = field(default_factory=dict)
    joined: dict[tuple[int, int], int] = field(default_factory=dict)
    served: dict[int, int] = field(default_factory=dict)
    demand_rows: dict[int, int] = field(default_factory=dict)
    capacity_rows: dict[tuple[int, int], int] = field(default_factory=dict)
    opening_rows: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_choice: dict[int, list[Pick]] = defaultdict(list)
        for pick in self.picks:
            by_choice[pick[0]].append(pick)
        by_sheet: dict[int, list[int]] = {s: [] for s in self.sheets}
        for c in by_choice:
            by_sheet[self.market.choices[c].sheet].append(c)
        for c, picks in by_choice.items():
            self._add_choice(c, picks)
        for s, choices in by_sheet.items():
            self._add_sheet(s, choices, by_choice)
        self._add_capacity(by_choice)

    def _add_choice(self, c: int, picks: list[Pick]) -> None:
        program, choice = self.program, self.market.choices[c]
        weeks = [(w, late) for w, late in zip(choice.weeks, choice.late, strict=True)]
        alone = weeks[0][1] if len(weeks) == 1 else 0.0
        whole = not self.relaxed
        for pick in picks:
            price = choice.prices[pick[1]]
            unit = price.unit + alone
            if self.decided:
                self.pieces[pick] = program.column(unit, price.low, price.high, integer=True)
                continue
            self.taken[pick] = program.column(price.fixed, 0, 1, integer=whole and not is_fluid(self.market, pick))
            self.pieces[pick] = program.column(unit, 0, price.high)
            if price.low == price.high:
                program.row(0, 0, [(self.pieces[pick], 1), (self.taken[pick], -price.high)])
            else:
                program.row(-INFINITY, 0, [(self.pieces[pick], 1), (self.taken[pick], -price.high)])
                program.row(0, INFINITY, [(self.pieces[pick], 1), (self.taken[pick], -price.low)])
        if len(picks) > 1 and not self.decided:
            program.row(-INFINITY, 1, [(self.taken[pick], 1) for pick in picks])  # (2)
        if len(weeks) == 1:
            return
        highest = max(choice.prices[k].high for _, k in picks)
        for w, late in weeks:
            column = self.weekly[c, w] = program.column(late, 0, highest)
            room = self.capacity[choice.line][w] / choice.load if choice.load else INFINITY
            if not self.decided and any(room < choice.prices[k].high for _, k in picks):  # (4)
                terms = [(self.taken[pick], -min(choice.prices[pick[1]].high, room)) for pick in picks]
                program.row(-INFINITY, 0, [(column, 1), *terms])
        pieces = [(self.pieces[pick], -1.0) for pick in picks]
        program.row(0, 0, [*((self.weekly[c, w], 1.0) for w, _ in weeks), *pieces])  # (3)

    def _add_sheet(self, s: int, choices: list[int], by_choice: dict[int, list[Pick]]) -> None:
        program, demand = self.program, self.market.demands[s]
        picks = [pick for c in choices for pick in by_choice[c]]
        most_left = 0 if demand.must_serve and self.serve_all else demand.quantity
        left = self.left[s] = program.column(demand.value, 0, most_left)
        pieces = [(self.pieces[pick], 1.0) for pick in picks]
        self.demand_rows[s] = program.row(demand.quantity, demand.quantity, [*pieces, (left, 1)])  # (1)
        if demand.fill > 1 and pieces and not demand.single:
            if self.decided:
                program.row(demand.fill, INFINITY, pieces)
            else:
                served = self.served[s] = program.column(0, 0, 1, integer=not self.relaxed)
                program.row(0, INFINITY, [*pieces, (served, -demand.fill)])  # (8)
                program.row(-INFINITY, 0, [*pieces, (served, -demand.quantity)])
        if self.decided:
            return
        joining: dict[int, list[int]] = defaultdict(list)
        for c in choices:
            if (factory := self.market.choices[c].factory) not in demand.joined:
                joining[factory].append(c)
        if len(joining) <= demand.slots:
            return
        terms: list[tuple[int, float]] = []  # (7)
        for factory, theirs in joining.items():
            if len(theirs) == 1:
                terms += [(self.taken[pick], 1.0) for pick in by_choice[theirs[0]]]
                continue
            column = self.joined[s, factory] = program.column(0, 0, 1)
            terms.append((column, 1.0))
            for c in theirs:
                program.row(-INFINITY, 0, [*((self.taken[pick], 1.0) for pick in by_choice[c]), (column, -1.0)])
        program.row(-INFINITY, demand.slots, terms)

    def _add_capacity(self, by_choice: dict[int, list[Pick]]) -> None:
        program, market = self.program, self.market
        loads: dict[tuple[int, int], list[tuple[int, float]]] = defaultdict(list)
        for c, picks in by_choice.items():
            choice = market.choices[c]
            if choice.load:
                for w in choice.weeks:
                    columns = [self.weekly[c, w]] if (c, w) in self.weekly else [self.pieces[pick] for pick in picks]
                    loads[choice.line, w] += [(column, choice.load) for column in columns]
            cost = market.open_cost[choice.factory]
            if cost > 0 and not self.decided and choice.factory not in self.opened_before:
                if choice.factory not in self.opened:
                    self.opened[choice.factory] = program.column(cost, 0, 1, integer=not self.relaxed)
                terms = [(self.taken[pick], 1.0) for pick in picks]
                self.opening_rows[c] = program.row(-INFINITY, 0, [*terms, (self.opened[choice.factory], -1.0)])  # (6)
        for (line, w), terms in loads.items():  # (5)
            room = self.capacity[line][w]
            opened = self.opened.get(market.line_factory[line])
            if opened is None:
                self.capacity_rows[line, w] = program.row(-INFINITY, room, terms)
            else:
                self.capacity_rows[line, w] = program.row(-INFINITY, 0, [*terms, (opened, -room)])

    def point(self, orders: Iterable[Order]) -> Vector:
        """The columns' values where exactly these orders are placed."""
        values = np.zeros(len(self.program.cost))
        for s, column in self.left.items():
            values[column] = self.market.demands[s].quantity
        for order in orders:
            choice, pick = self.market.choices[order.choice], (order.choice, order.price)
            if pick in self.taken:
                values[self.taken[pick]] = 1
            values[self.pieces[pick]] = order.quantity
            values[self.left[choice.sheet]] -= order.quantity
            for w, pieces in order.weeks:
                if (order.choice, w) in self.weekly:
                    values[self.weekly[order.choice, w]] = pieces
            for columns, key in (
                (self.opened, choice.factory),
                (self.served, choice.sheet),
                (self.joined, (choice.sheet, choice.factory)),
            ):
                if key in columns:
                    values[columns[key]] = 1  # type: ignore[index]
        return values

    def picked(self, values: Vector) -> list[Pick]:
        """The prices that a solution takes."""
        return [
            pick
            for pick, column in self.taken.items()
            if values[self.pieces[pick]] > 1e-6 and (values[column] > 0.5 or is_fluid(self.market, pick))
        ]
