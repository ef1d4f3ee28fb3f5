"""Shift and swap: a sheet moves to another line, or two sheets trade lines, where neither could move alone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from c2m.matching.optimiser.greedy import Greedy
from c2m.matching.optimiser.market import Market, Order
from c2m.matching.optimiser.stop import Stop

BETTER = 1e-6  # money


@dataclass(slots=True)
class _Board:
    """Who is where: the orders of every sheet, the sheets on every line, and the capacity left."""

    market: Market
    greedy: Greedy
    placed: dict[int, list[Order]]
    on_line: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    choice_at: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))
    costs: dict[int, float] = field(default_factory=dict)
    leasts: dict[tuple[int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for s, orders in self.placed.items():
            for c in self.market.demands[s].choices:
                self.choice_at[s, self.market.choices[c].line].append(c)
            for order in orders:
                self.on_line[self.market.choices[order.choice].line].add(s)
                self.greedy.opened[self.market.choices[order.choice].factory] += 1

    def promises(self, s: int, t: int) -> bool:
        """Whether two sheets would gain by trading lines if both fitted there in their cheapest weeks."""
        (mine,), (theirs,) = self.lines_of(s), self.lines_of(t)
        traded = self._least(s, theirs) + self._least(t, mine)
        return traded < self._cost(s) + self._cost(t) - BETTER

    def _cost(self, s: int) -> float:
        if s not in self.costs:
            self.costs[s] = self.market.cost([s], self.placed[s])
        return self.costs[s]

    def _least(self, s: int, line: int) -> float:
        """The least that a sheet costs on a line in the best weeks, were the line empty."""
        if (s, line) not in self.leasts:
            demand = self.market.demands[s]
            costs = [demand.value * demand.quantity]
            for c in self.choice_at.get((s, line), ()):
                choice = self.market.choices[c]
                for price in choice.prices:
                    each = price.unit + min(choice.late) - demand.value
                    costs.append(costs[0] + price.fixed + each * (price.high if each < 0 else price.low))
            self.leasts[s, line] = min(costs)
        return self.leasts[s, line]

    def lines_of(self, s: int) -> set[int]:
        return {self.market.choices[order.choice].line for order in self.placed[s]}

    def shift(self, s: int) -> bool:
        """Let a sheet choose anew in what is free."""
        return self._again([(s, None)])

    def swap(self, s: int, t: int) -> bool:
        """Let two sheets that are on one line each trade lines, the larger load first."""
        (mine,), (theirs,) = self.lines_of(s), self.lines_of(t)
        to_theirs, to_mine = self.choice_at.get((s, theirs)), self.choice_at.get((t, mine))
        if not to_theirs or not to_mine:
            return False
        return self._again([(s, set(to_theirs)), (t, set(to_mine))])

    def _again(self, moves: Sequence[tuple[int, set[int] | None]]) -> bool:
        """Take these sheets out and let them choose among these choices; undone where it costs no less."""
        greedy, market = self.greedy, self.market
        sheets = [s for s, _ in moves]
        before = [order for s in sheets for order in self.placed[s]]
        for order in before:
            greedy.give_back(order)
        opened = {factory for factory, count in greedy.opened.items() if count}
        found = {s: greedy.serve(s, [], allowed) for s, allowed in moves}
        after = [order for orders in found.values() for order in orders]
        if market.cost(sheets, after, opened) < market.cost(sheets, before, opened) - BETTER:
            for order in before:
                choice = market.choices[order.choice]
                self.on_line[choice.line].discard(choice.sheet)
            for order in after:
                choice = market.choices[order.choice]
                self.on_line[choice.line].add(choice.sheet)
            self.placed.update(found)
            for s in sheets:
                self.costs.pop(s, None)
            return True
        for order in after:
            greedy.give_back(order)
        for order in before:
            greedy.take(order)
        return False


def shift_and_swap(
    market: Market, sheets: Sequence[int], orders: Sequence[Order], stop: Stop, rounds: int = 3
) -> list[Order]:
    """Orders that cost no more than those given, after shifts and swaps of every sheet in turn."""
    placed: dict[int, list[Order]] = {s: [] for s in sheets}
    for order in orders:
        placed[market.choices[order.choice].sheet].append(order)
    board = _Board(market, Greedy(market, market.capacity_after(orders)), placed)
    for _ in range(rounds):
        moved = False
        for s in sheets:
            if stop.late():
                break
            moved |= board.shift(s)
            if len(board.lines_of(s)) != 1:
                continue
            wanted = sorted({market.choices[c].line for c in market.demands[s].choices} - board.lines_of(s))
            for line in wanted:
                partners = sorted(t for t in board.on_line[line] if len(board.lines_of(t)) == 1)
                if any(board.promises(s, t) and board.swap(s, t) for t in partners):
                    moved = True
                    break
        if not moved:
            break
    return [order for s in sheets for order in placed[s]]
