"""Shift and swap: a sheet moves to another line, or two sheets trade lines, where neither could move alone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from c2m.matching.optimiser.greedy import Greedy
from c2m.matching.optimiser.market import Market, Order

BETTER = 1e-6  # money


@dataclass(slots=True)
class _Board:
    """Who is where: the orders of every sheet, the sheets on every line, and the capacity left."""

    market: Market
    greedy: Greedy
    placed: dict[int, list[Order]]
    on_line: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    choice_at: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for s, orders in self.placed.items():
            for c in self.market.demands[s].choices:
                self.choice_at[s, self.market.choices[c].line].append(c)
            for order in orders:
                self.on_line[self.market.choices[order.choice].line].add(s)
                self.greedy.opened[self.market.choices[order.choice].factory] += 1

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
            return True
        for order in after:
            greedy.give_back(order)
        for order in before:
            greedy.take(order)
        return False


def shift_and_swap(market: Market, sheets: Sequence[int], orders: Sequence[Order], rounds: int = 3) -> list[Order]:
    """Orders that cost no more than those given, after shifts and swaps of every sheet in turn."""
    placed: dict[int, list[Order]] = {s: [] for s in sheets}
    for order in orders:
        placed[market.choices[order.choice].sheet].append(order)
    board = _Board(market, Greedy(market, market.capacity_after(orders)), placed)
    for _ in range(rounds):
        moved = False
        for s in sheets:
            moved |= board.shift(s)
            if len(board.lines_of(s)) != 1:
                continue
            wanted = sorted({market.choices[c].line for c in market.demands[s].choices} - board.lines_of(s))
            for line in wanted:
                partners = sorted(t for t in board.on_line[line] if len(board.lines_of(t)) == 1)
                if any(board.swap(s, t) for t in partners):
                    moved = True
                    break
        if not moved:
            break
    return [order for s in sheets for order in placed[s]]
