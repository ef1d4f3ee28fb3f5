"""Tabu search where every sheet goes whole to one place: generalised assignment, single-source location.

Sheets shift to another place or trade places; an overloaded place is allowed at a penalty that falls while plans fit
and rises while they don't, so that the search passes through plans that no single move could cross. A sheet may not go
back at once to a place it left. Source: Díaz and Fernández, A tabu search heuristic for the generalized assignment
problem (2001).
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from c2m.matching.optimiser.highs import Vector
from c2m.matching.optimiser.market import Market, Order
from c2m.matching.optimiser.model import Pick
from c2m.matching.optimiser.stop import Stop

TURNS = 8_000
LOOK_UP = 16  # turns between two looks at the clock
TENURE = (5, 12)  # turns in which a sheet doesn't return to a place it left
PATIENCE = 200  # turns without a better plan after which some sheets are scattered
ELITE = 4  # plans handed on
SCATTERED = 0.06  # of the sheets
OVER_PRICE = 1.5  # the first penalty, times the dearest capacity price
LIGHTER, HEAVIER = 0.93, 1.10  # the penalty's factor after a plan that fits, and after one that doesn't
MOST_SHEETS = 600  # up to so many sheets all trades are looked at
ROUNDING = 1e-9  # of capacity

Places = NDArray[np.int64]
Moves = tuple[tuple[int, int], ...]  # sheets and the places they go to


def is_assignment(market: Market) -> bool:
    """Whether every choice takes its sheet whole, in one week and at one price."""
    return all(demand.single for demand in market.demands) and all(
        len(choice.weeks) == len(choice.prices) == 1
        and choice.prices[0].low == choice.prices[0].high == market.demands[choice.sheet].quantity
        for choice in market.choices
    )


@dataclass(slots=True)
class Assignment:
    """Sheets by places as arrays: a place is a line's week, the last one that of sheets left unserved.

    `cost` is infinite and `choice` −1 where a sheet can't be made; `opening` is what a place's factory costs to open.
    """

    market: Market
    cost: Vector = field(init=False)
    load: Vector = field(init=False)
    choice: Places = field(init=False)
    capacity: Vector = field(init=False)
    factory: Places = field(init=False)
    opening: Vector = field(init=False)
    _sheets: Places = field(init=False)

    def __post_init__(self) -> None:
        market = self.market
        cells = sorted({(choice.line, choice.weeks[0]) for choice in market.choices})
        place_of = {cell: place for place, cell in enumerate(cells)}
        shape = len(market.demands), len(cells) + 1
        self.cost, self.load = np.full(shape, np.inf), np.zeros(shape)
        self.choice = np.full(shape, -1, dtype=np.int64)
        for c, choice in enumerate(market.choices):
            at, price = (choice.sheet, place_of[choice.line, choice.weeks[0]]), choice.prices[0]
            cost = price.fixed + (price.unit + choice.late[0]) * price.high
            if cost < self.cost[at]:
                self.cost[at], self.load[at], self.choice[at] = cost, choice.load * price.high, c
        self.cost[:, -1] = [demand.value * demand.quantity for demand in market.demands]
        self.capacity = np.array([*(market.capacity[line][week] for line, week in cells), np.inf])
        nobody = len(market.open_cost)
        self.factory = np.array([*(market.line_factory[line] for line, _ in cells), nobody])
        self.opening = np.array([*market.open_cost, 0.0])
        self._sheets = np.arange(len(self.cost))

    def places(self, orders: Sequence[Order]) -> Places:
        """Where the orders put each sheet."""
        where = np.full(len(self.cost), self.cost.shape[1] - 1, dtype=np.int64)
        for order in orders:
            self._put(where, order.choice)
        return where

    def rounded(self, where: Places, used: Mapping[Pick, float]) -> Places:
        """Each sheet where most of it is in a mixed plan, and as it was where it has no part in that."""
        near = where.copy()
        for (c, _), _share in sorted(used.items(), key=lambda found: (found[1], found[0])):
            self._put(near, c)
        return near

    def _put(self, where: Places, c: int) -> None:
        s = self.market.choices[c].sheet
        where[s] = int(np.argmax(self.choice[s] == c))

    def orders(self, where: Places) -> list[Order]:
        """The orders of sheets at these places."""
        found = []
        for s, place in enumerate(where.tolist()):
            if (c := int(self.choice[s, place])) >= 0:
                pieces = self.market.demands[s].quantity
                found.append(Order(c, 0, pieces, ((self.market.choices[c].weeks[0], float(pieces)),)))
        return found

    def total(self, where: Places) -> float:
        """What sheets at these places cost, with the factories open for them."""
        opened = self.opening[np.unique(self.factory[where])].sum()
        return float(self.cost[self._sheets, where].sum() + opened)

    def room(self, where: Places) -> Vector:
        """What is left of each place's capacity, below 0 where it is overloaded."""
        return self.capacity - np.bincount(where, self.load[self._sheets, where], minlength=len(self.capacity))

    def search(self, start: Places, dearest: float, draw: random.Random, stop: Stop) -> list[list[Order]]:
        """The best orders between one scattering and the next, cheapest first; none where no plan fitted.

        Args:
            dearest: the dearest capacity price.
        """
        tabu = _Tabu(self, start.copy(), OVER_PRICE * dearest or 1.0, draw)
        for turn in range(TURNS):
            if turn % LOOK_UP == 0 and stop.late():
                break
            moves = tabu.best_moves(turn)
            if moves is None:
                break
            tabu.make(moves, turn)
            if tabu.stale == PATIENCE:
                tabu.scatter()
        return [self.orders(where) for where in tabu.elite()]


@dataclass(slots=True)
class _Tabu:
    """Where the sheets are at present, and the best plan so far."""

    plan: Assignment
    where: Places
    penalty: float
    random: random.Random
    found: list[tuple[float, Places]] = field(default_factory=list)
    best: Places | None = None  # since the last scattering
    best_cost: float = math.inf
    stale: int = 0  # turns since then without a better plan
    room: Vector = field(init=False)
    used: Places = field(init=False)
    banned: Places = field(init=False)  # turn until which a sheet doesn't go to a place
    _sheets: Places = field(init=False)

    def __post_init__(self) -> None:
        self.banned = np.full(self.plan.cost.shape, -1, dtype=np.int64)
        self._sheets = np.arange(len(self.where))
        self._stand()

    def _stand(self) -> None:
        self.room = self.plan.room(self.where)
        self.used = np.bincount(self.plan.factory[self.where], minlength=len(self.plan.opening))
        self.best, self.best_cost, self.stale = None, math.inf, 0
        self._keep()

    def elite(self) -> list[Places]:
        """The best plans found, each from another scattering."""
        self._put_by()
        return [where for _, where in self.found]

    def _put_by(self) -> None:
        if self.best is not None:
            self.found = sorted([*self.found, (self.best_cost, self.best)], key=lambda plan: plan[0])[:ELITE]

    def best_moves(self, turn: int) -> Moves | None:
        """The shift or trade after which the plan costs least, penalties included; None where nothing may move."""
        plan, where, sheets = self.plan, self.where, self._sheets
        over = np.maximum(0.0, -self.room)
        freed = self.room[where] + plan.load[sheets, where]  # room of each sheet's place without it
        relief = np.maximum(0.0, -freed) - over[where]
        now = plan.cost[sheets, where][:, None]
        burden = np.maximum(0.0, plan.load - self.room) - over
        shifts = plan.cost - now + self._opening() + self.penalty * (burden + relief[:, None])
        shifts[sheets, where] = np.inf
        shifts[self.banned >= turn] = np.inf
        s, place = divmod(int(np.argmin(shifts)), shifts.shape[1])
        if len(sheets) <= MOST_SHEETS:
            instead = np.maximum(0.0, plan.load[:, where] - freed) - over[where]
            half = plan.cost[:, where] - now + self.penalty * instead
            half[self.banned[:, where] >= turn] = np.inf
            trades = half + half.T
            trades[where[:, None] == where] = np.inf
            one, other = divmod(int(np.argmin(trades)), len(sheets))
            if trades[one, other] < shifts[s, place]:
                return (one, int(where[other])), (other, int(where[one]))
        return ((s, place),) if shifts[s, place] < np.inf else None

    def _opening(self) -> Vector:
        """What a shift adds in factories opened, less those closed (sheet × place)."""
        factory, opening = self.plan.factory, self.plan.opening
        theirs = factory[self.where]
        opened = np.where(self.used[factory] > 0, 0.0, opening[factory])
        closed = np.where(self.used[theirs] == 1, opening[theirs], 0.0)
        return np.asarray(opened - closed[:, None] * (factory != theirs[:, None]))

    def make(self, moves: Moves, turn: int) -> None:
        """Move the sheets, and let the penalty follow whether the plan fits now."""
        plan = self.plan
        for s, place in moves:
            left = int(self.where[s])
            self.room[left] += plan.load[s, left]
            self.room[place] -= plan.load[s, place]
            self.used[plan.factory[left]] -= 1
            self.used[plan.factory[place]] += 1
            self.where[s] = place
            self.banned[s, left] = turn + self.random.randint(*TENURE)
        self.penalty *= LIGHTER if self.fits else HEAVIER
        self._keep()

    @property
    def fits(self) -> bool:
        return bool((self.room >= -ROUNDING * np.maximum(1.0, self.plan.capacity)).all())

    def _keep(self) -> None:
        """Keep the present plan if it fits and none was better lately."""
        if self.fits and (cost := self.plan.total(self.where)) < self.best_cost:
            self.best, self.best_cost, self.stale = self.where.copy(), cost, 0
        else:
            self.stale += 1

    def scatter(self) -> None:
        """Put the best plan by, and throw some sheets of the best one of all anywhere they may be."""
        self._put_by()
        if self.found:
            self.where = self.found[0][1].copy()
        count = max(2, round(SCATTERED * len(self._sheets)))
        for s in self.random.sample(range(len(self._sheets)), min(count, len(self._sheets))):
            self.where[s] = self.random.choice(np.flatnonzero(np.isfinite(self.plan.cost[s])).tolist())
        self._stand()
