"""The search within one component: greedy, bound, kernel MIP, whole MIP or neighbourhoods, each step a better plan."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from c2m.matching.optimiser.greedy import by_density, by_regret, construct
from c2m.matching.optimiser.highs import Answer, minimise
from c2m.matching.optimiser.market import Market, Order
from c2m.matching.optimiser.model import Model, Pick
from c2m.matching.optimiser.params import Params
from c2m.matching.optimiser.polish import polish
from c2m.matching.optimiser.pricing import Priced, Pricer
from c2m.matching.optimiser.ruin import ruin_and_recreate
from c2m.matching.optimiser.stop import Stop


@dataclass(slots=True)
class Component:
    """Sheets that share capacity, the best orders found for them, and a bound on what they must cost."""

    market: Market
    sheets: Sequence[int]
    params: Params
    seed: int
    gap: float
    orders: list[Order] = field(default_factory=list)
    cost: float = math.inf
    bound: float = -math.inf
    infeasible: bool = False
    tries: int = 0
    _pricer: Pricer = field(init=False)
    _priced: Priced = field(init=False)
    _random: random.Random = field(init=False)
    _finished: bool = False

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    @property
    def binaries(self) -> int:
        """How many prices there are to decide on."""
        return sum(len(self.market.choices[c].prices) for s in self.sheets for c in self.market.demands[s].choices)

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

    def begin(self) -> None:
        """A first plan, the best of the greedy orders, and the bound that holds if capacity cost nothing."""
        for key in (by_regret(self.market), by_density(self.market)):
            self._offer(construct(self.market, self.sheets, key))
        self._pricer = Pricer(self.market, self.sheets)
        self._priced = self._pricer.unpriced()
        self.bound = self._priced.bound

    def price(self, stop: Stop) -> None:
        """A bound from capacity prices, and the plan that these suggest."""
        self._priced = priced = self._pricer.improve(self._priced, self.params, stop, self.seed)
        self.bound = max(self.bound, priced.bound)
        preferred = {c for c, _ in priced.used}
        for key in (by_regret(self.market), by_density(self.market)):
            self._offer(construct(self.market, self.sheets, key, priced.prices, preferred))
            self._offer(construct(self.market, self.sheets, key, priced.prices))
        tries = self.params.ruins_per_sheet * len(self.sheets)
        self._offer(ruin_and_recreate(self.market, self.sheets, self.orders, priced.prices, tries, self._random))
        self._polish([(order.choice, order.price) for order in self.orders], stop)

    def improve(self, stop: Stop, effort: float, seconds: float) -> None:
        """One try at better orders or a better bound, within this effort and time; `price` comes first."""
        self.tries += 1
        picks = self._worth_taking()
        if len(picks) <= self.params.whole_binaries:
            self._solve_whole(picks, stop, effort, seconds)
            return
        if self.tries == 1:
            effort, seconds = effort / 2, seconds / 2
            self._solve_kernel(picks, stop, effort, seconds)
        self._search_neighbourhoods(picks, stop, effort, seconds)

    def _worth_taking(self) -> list[Pick]:
        """The picks that a better plan may still hold (reduced cost fixing)."""
        # The slacks belong to this bound; a better one found later would fix picks that may be needed.
        room = self.proven_cost - self._priced.bound
        slack = self._priced.slack
        kept = [pick for at, pick in enumerate(self._pricer.picks) if slack[at] <= room * (1 + 1e-9) + 1e-6]
        held = {(order.choice, order.price) for order in self.orders}
        return kept + sorted(held.difference(kept))

    def _solve_kernel(self, picks: list[Pick], stop: Stop, effort: float, seconds: float) -> None:
        """The MIP of the few picks a sheet that the prices favour; its bound holds for the kernel alone."""
        favoured = set(self._pricer.kernel(self._priced.slack, self.params.kernel_picks)) | set(self._priced.used)
        held = {(order.choice, order.price) for order in self.orders}
        model = Model(self.market, self.sheets, sorted(favoured & set(picks) | held), self.market.capacity)
        answer = self._minimise(model, stop, effort, seconds, self.orders)
        if answer.values is not None:
            self._polish(model.picked(answer.values), stop)

    def _solve_whole(self, picks: list[Pick], stop: Stop, effort: float, seconds: float) -> None:
        """The MIP of all picks worth taking: its bound holds, for what was left out can't beat the orders at hand."""
        model = Model(self.market, self.sheets, picks, self.market.capacity, serve_all=True)
        answer = self._minimise(model, stop, effort, seconds, self.orders if self.served else None)
        if answer.infeasible:
            self._finished = True
            self.infeasible = not self.served
            return
        if answer.values is not None:
            self._polish(model.picked(answer.values), stop)
        self.bound = max(self.bound, min(answer.bound, self.proven_cost))
        self._finished = answer.finished

    def _search_neighbourhoods(self, picks: list[Pick], stop: Stop, effort: float, seconds: float) -> None:
        """Free a few sheets around a line at a time and solve what they could do in the capacity around them."""
        enough, late = stop.spent + effort, stop.seconds_left - seconds
        while not stop() and stop.spent < enough:
            if stop.seconds_left <= late:
                stop.time_limited = True
                break
            sheets = self._neighbourhood(picks)
            rest = [order for order in self.orders if self.market.choices[order.choice].sheet not in sheets]
            mine = [order for order in self.orders if self.market.choices[order.choice].sheet in sheets]
            capacity = [[max(0.0, free) for free in weeks] for weeks in self.market.capacity_after(rest)]
            near = [pick for pick in picks if self.market.choices[pick[0]].sheet in sheets]
            opened = {self.market.choices[order.choice].factory for order in rest}
            model = Model(self.market, sorted(sheets), near, capacity, opened_before=opened)
            answer = self._minimise(
                model, stop, self.params.neighbourhood_effort, self.params.neighbourhood_seconds, mine
            )
            if answer.values is None:
                continue
            found = polish(self.market, sorted(sheets), model.picked(answer.values), capacity, stop, self.seed)
            if found is not None:
                self._offer(rest + found)

    def _neighbourhood(self, picks: list[Pick]) -> set[int]:
        """Sheets that could share lines with a sheet drawn by lot, as many as a small MIP can take."""
        size: dict[int, int] = {}
        makers: dict[int, set[int]] = {}
        for c, _ in picks:
            choice = self.market.choices[c]
            size[choice.sheet] = size.get(choice.sheet, 0) + 1
            makers.setdefault(choice.line, set()).add(choice.sheet)
        centre = self._random.choice(sorted(size))
        lines = sorted({self.market.choices[c].line for c, _ in picks if self.market.choices[c].sheet == centre})
        self._random.shuffle(lines)
        chosen, binaries = {centre}, size[centre]
        for line in lines:
            around = sorted(makers[line] - chosen)
            self._random.shuffle(around)
            for s in around:
                if binaries + size[s] > self.params.neighbourhood_binaries:
                    return chosen
                chosen.add(s)
                binaries += size[s]
        return chosen

    def _minimise(
        self, model: Model, stop: Stop, effort: float, seconds: float, start: Sequence[Order] | None
    ) -> Answer:
        """Solve from the orders at hand. These models always have a plan, so HiGHS's presolve is doubted when it
        finds none, and the model is solved again without it."""
        at_most = min(seconds, stop.seconds_left)
        nodes = min(effort, stop.effort_left)
        point = None if start is None else model.point(start)
        answer = minimise(model.program, seconds=at_most, seed=self.seed, nodes=nodes, gap=self.gap, start=point)
        stop.spend(answer.iterations, answer.timed_out)
        if answer.infeasible:
            answer = minimise(
                model.program, seconds=at_most, seed=self.seed, nodes=nodes, gap=self.gap, start=point, presolve=False
            )
            stop.spend(answer.iterations, answer.timed_out)
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
