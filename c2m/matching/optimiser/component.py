"""The search within one component: greedy, bound, kernel MIP, whole MIP or neighbourhoods, each step a better plan."""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from c2m.matching.optimiser.assignment import Assignment, is_assignment
from c2m.matching.optimiser.columns import Priced, best_prices
from c2m.matching.optimiser.greedy import by_density, by_regret, construct
from c2m.matching.optimiser.highs import INFINITY, Answer, minimise
from c2m.matching.optimiser.market import Market, Order
from c2m.matching.optimiser.model import Model, Pick, columns_of
from c2m.matching.optimiser.moves import shift_and_swap
from c2m.matching.optimiser.neighbourhoods import Neighbourhoods
from c2m.matching.optimiser.params import Params
from c2m.matching.optimiser.polish import polish
from c2m.matching.optimiser.pricing import Pricer
from c2m.matching.optimiser.ruin import ruin_and_recreate
from c2m.matching.optimiser.stop import Stop

TABU = 0.25  # of a share's time at most, for the tabu search of assignments
MERGING = 0.35  # of what is left of it, for each MIP that merges what that found
MERGED_WITH = (0, 2)  # nearest picks a sheet beside those that were found
MOVING = 0.05  # of a share's time at most, for shifts and swaps
FIRST_KERNEL = 0.25  # of the first share of effort
LEFT_TO_MIPS = 0.8  # of the gap asked for; rounding to whole pieces needs the rest
UNSERVED_FACTOR = 5  # so much larger a MIP is tried where must-serve sheets are left otherwise


def _unheard() -> None:
    """Nobody listens."""


@dataclass(slots=True)
class Component:
    """A market whose sheets share capacity, the best orders found for them, and a bound on what they must cost."""

    market: Market
    params: Params
    seed: int
    gap: float
    orders: list[Order] = field(default_factory=list)
    cost: float = math.inf
    bound: float = -math.inf
    infeasible: bool = False
    tries: int = 0
    cpu_elsewhere: float = 0.0  # seconds that other processes have worked on it
    _pricer: Pricer = field(init=False)
    _priced: Priced = field(init=False)
    _random: random.Random = field(init=False)
    _finished: bool = False
    _reach: float = field(init=False)
    _better: Callable[[], None] = _unheard

    def __post_init__(self) -> None:
        """A first plan, the best of the greedy orders, and the bound that holds if capacity cost nothing."""
        self._random = random.Random(self.seed)
        self._reach = float(self.params.neighbourhood_columns)
        for key in (by_regret(self.market), by_density(self.market)):
            self._offer(construct(self.market, self.sheets, key))
        self._pricer = Pricer(self.market, self.sheets)
        self._priced = best_prices(self._pricer, 0, Stop(), self.seed)
        self.bound = self._priced.bound

    @property
    def sheets(self) -> range:
        return range(len(self.market.demands))

    @property
    def binaries(self) -> int:
        """How many prices there are to decide on."""
        return len(self._pricer.picks)

    @property
    def proven_cost(self) -> float:
        """What the best plan costs at most: the orders' cost, infinite while a must-serve sheet is left."""
        return self.cost if self.served else math.inf

    @property
    def open_gap(self) -> float:
        """Money between the orders and the bound, 0 where nothing is left to prove."""
        gap = self.proven_cost - self.bound
        return 0.0 if self._finished or gap <= self.gap * abs(self.cost) else gap

    @property
    def served(self) -> bool:
        """Whether every must-serve sheet is served in full."""
        return self._missing(self.orders) == 0

    def _missing(self, orders: Iterable[Order]) -> int:
        """Pieces of must-serve sheets that the orders leave."""
        musts = {s for s in self.sheets if self.market.demands[s].must_serve}
        placed = sum(order.quantity for order in orders if self.market.choices[order.choice].sheet in musts)
        return sum(self.market.demands[s].quantity for s in musts) - placed

    def advance(self, stop: Stop, better: Callable[[], None] = _unheard) -> None:
        """One share of work: prices and what they suggest at first, then tries at better orders or a better bound.

        `better` is called whenever the orders or the bound got better.
        """
        self._better = better
        if self.tries == 0:
            self._price(stop)
        if self.params.search and self.open_gap > 0 and not stop():
            self._improve(stop)
        self.tries += 1
        self._better = _unheard

    def adopt(self, other: "Component") -> None:
        """Take what another search of the same component found, where it is better."""
        self._offer(other.orders)
        self._prove(other.bound)

    def _price(self, stop: Stop) -> None:
        """A bound from capacity prices, and the plan that these suggest."""
        self._priced = priced = best_prices(self._pricer, self.params.pricing_rounds, stop, self.seed)
        self._prove(priced.bound)
        prices, preferred = priced.prices.tolist(), {c for c, _ in priced.used}
        for key in (by_regret(self.market), by_density(self.market)):
            self._offer(construct(self.market, self.sheets, key, prices, preferred))
            self._offer(construct(self.market, self.sheets, key, prices))
        tries = self.params.ruins_per_sheet * len(self.sheets)
        self._offer(ruin_and_recreate(self.market, self.sheets, self.orders, prices, tries, self._random))
        if self.params.moves:
            share = stop.part(stop.effort_left, stop.seconds_left * MOVING)
            self._offer(shift_and_swap(self.market, self.sheets, self.orders, share))
        self._polish([(order.choice, order.price) for order in self.orders], stop)

    def _assign(self, stop: Stop) -> None:
        """Tabu search where every sheet goes whole to one place, and MIPs that merge the best plans on its way."""
        plan, dearest = Assignment(self.market), float(self._priced.prices.max(initial=0.0))
        near = plan.rounded(plan.places(self.orders), self._priced.used)
        share = stop.part(stop.effort_left, stop.seconds_left * TABU)
        plans = plan.search(near, dearest, self._random, share)
        stop.time_limited |= share.time_limited
        for orders in plans:
            self._offer(orders)
        seen = set(self._priced.used).union(*(_held(orders) for orders in plans))
        for nearest in MERGED_WITH:
            self._solve_few(seen | self._nearest(nearest), MERGING, stop)

    def _nearest(self, picks: int) -> set[Pick]:
        """So many picks a sheet that the prices favour."""
        return {self._pricer.picks[at] for at in np.flatnonzero(self._pricer.nearest(self._priced.slack, picks))}

    def _improve(self, stop: Stop) -> None:
        if self.params.moves and is_assignment(self.market):
            self._assign(stop)
        picks = self._worth_taking()
        limit = self.params.whole_columns * (1 if self.served else UNSERVED_FACTOR)
        if sum(columns_of(self.market, pick) for pick in picks) <= limit:
            self._solve_whole(picks, stop)
            return
        if self.tries == 0 and self.params.kernel:
            self._solve_kernel(stop)
        self._search_neighbourhoods(picks, stop)

    def _worth_taking(self) -> list[Pick]:
        """The picks that a better plan may still hold (reduced cost fixing)."""
        # The slacks belong to this bound; a better one found later would fix picks that may be needed.
        room = self.proven_cost - self._priced.bound
        slack = self._priced.slack
        kept = [pick for at, pick in enumerate(self._pricer.picks) if slack[at] <= room * (1 + 1e-9) + 1e-6]
        return sorted({*kept, *_held(self.orders)})

    def _kernel(self) -> set[Pick]:
        """The few picks a sheet that the prices favour, and those that the bound mixes."""
        return self._nearest(self.params.kernel_picks) | set(self._priced.used)

    def _solve_kernel(self, stop: Stop) -> None:
        """The MIP of the few picks a sheet that the prices favour; its bound holds for the kernel alone."""
        self._solve_few(self._kernel(), FIRST_KERNEL, stop)

    def _solve_few(self, few: set[Pick], part: float, stop: Stop) -> None:
        """The MIP of a few picks, within a part of what is left."""
        picks = sorted(few | _held(self.orders))
        if sum(columns_of(self.market, pick) for pick in picks) > self.params.whole_columns:
            return
        model = Model(self.market, self.sheets, picks, self.market.capacity)
        effort, seconds = stop.effort_left * part, stop.seconds_left * part
        answer = self._minimise(model, stop, effort, seconds, self.orders)
        if answer.values is not None:
            self._polish(model.picked(answer.values), stop)

    def _solve_whole(self, picks: list[Pick], stop: Stop) -> None:
        """The MIP of all picks worth taking: its bound holds, for what was left out can't beat the orders at hand."""
        model = Model(self.market, self.sheets, picks, self.market.capacity, serve_all=True)
        start = self.orders if self.served else None
        answer = self._minimise(model, stop, stop.effort_left, stop.seconds_left, start)
        if answer.infeasible:
            self._finished = True
            self.infeasible = not self.served
            return
        if answer.values is not None:
            self._polish(model.picked(answer.values), stop)
        self._prove(min(answer.bound, self.proven_cost))
        self._finished = answer.finished

    def _search_neighbourhoods(self, picks: list[Pick], stop: Stop) -> None:
        """Free a few sheets around a line at a time and solve what they could do in the capacity around them."""
        market = self.market
        near = sorted(self._kernel() & set(picks))
        around = Neighbourhoods(market, near, self._priced, self._random)
        failures = 0
        while not stop():
            sheets = around.draw(self.orders, self._reach)
            rest = [order for order in self.orders if market.choices[order.choice].sheet not in sheets]
            mine = [order for order in self.orders if market.choices[order.choice].sheet in sheets]
            capacity = [[max(0.0, free) for free in weeks] for weeks in market.capacity_after(rest)]
            allowed = sorted({pick for pick in near if market.choices[pick[0]].sheet in sheets} | _held(mine))
            opened = {market.choices[order.choice].factory for order in rest}
            model = Model(market, sorted(sheets), allowed, capacity, opened_before=opened)
            answer = self._minimise(
                model, stop, self.params.neighbourhood_effort, self.params.neighbourhood_seconds, mine
            )
            before = self.cost
            if answer.values is not None:
                found = polish(market, sorted(sheets), model.picked(answer.values), capacity, stop, self.seed)
                if found is not None:
                    self._offer(rest + found)
            failures = 0 if self.cost < before else failures + 1
            if failures >= self.params.patience:
                failures, self._reach = 0, min(self._reach * self.params.growth, float(self.params.whole_columns))

    def _minimise(
        self, model: Model, stop: Stop, effort: float, seconds: float, start: Sequence[Order] | None
    ) -> Answer:
        """Solve from the orders at hand. These models always have a plan, so HiGHS's presolve is doubted when it
        finds none, and the model is solved again without it."""
        point = None if start is None else model.point(start)
        for presolve in (True, False):
            share = stop.part(min(effort, stop.effort_left), seconds)
            answer = minimise(
                model.program,
                seconds=INFINITY,
                seed=self.seed,
                nodes=share.effort_left,
                gap=self.gap * LEFT_TO_MIPS,
                start=point,
                presolve=presolve,
                interrupted=share.late,
            )
            share.spend(answer.iterations, answer.timed_out)
            stop.settle(share)
            if not answer.infeasible:
                break
        return answer

    def _polish(self, picks: list[Pick], stop: Stop) -> None:
        found = polish(self.market, self.sheets, picks, self.market.capacity, stop, self.seed)
        if found is not None:
            self._offer(found)

    def _offer(self, orders: list[Order]) -> None:
        """Keep these orders if they leave fewer must-serve pieces, or as many and cost less."""
        cost = self.market.cost(self.sheets, orders)
        missing, at_hand = self._missing(orders), self._missing(self.orders)
        if self.cost == math.inf or missing < at_hand or (missing == at_hand and cost < self.cost - 1e-9):
            self.orders, self.cost = orders, cost
            self._better()

    def _prove(self, bound: float) -> None:
        """Keep this bound if it is better."""
        if bound > self.bound:
            self.bound = bound
            self._better()


def _held(orders: Iterable[Order]) -> set[Pick]:
    return {(order.choice, order.price) for order in orders}
