"""Which sheets to decide anew together: those around one that pays more than it would have to at capacity prices."""

import random
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from c2m.matching.optimiser.columns import Priced
from c2m.matching.optimiser.market import Market, Order
from c2m.matching.optimiser.model import Pick, columns_of

LEAST_WEIGHT = 1.0  # money, so that every sheet is drawn some day


@dataclass(slots=True)
class Neighbourhoods:
    """Draws sheets by the `near` picks that connect them over lines."""

    market: Market
    near: Sequence[Pick]
    priced: Priced
    random: random.Random
    _size: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _lines: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    _sheets: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        for c, k in self.near:
            choice = self.market.choices[c]
            self._size[choice.sheet] += columns_of(self.market, (c, k))
            self._lines[choice.sheet].add(choice.line)
            self._sheets[choice.line].add(choice.sheet)

    def draw(self, orders: Iterable[Order], columns: float) -> set[int]:
        """Sheets around one drawn by its regret, that take about so many columns."""
        sheets, regrets = sorted(self._size), self._regrets(orders)
        centre = self.random.choices(sheets, [max(LEAST_WEIGHT, regrets[s]) for s in sheets])[0]
        chosen, left, seen = {centre}, columns - self._size[centre], set[int]()
        queue = deque([centre])
        while queue:
            lines = sorted(self._lines[queue.popleft()] - seen)
            self.random.shuffle(lines)
            for line in lines:
                seen.add(line)
                around = sorted(self._sheets[line] - chosen)
                self.random.shuffle(around)
                for s in around:
                    left -= self._size[s]
                    if left < 0:
                        return chosen
                    chosen.add(s)
                    queue.append(s)
        return chosen

    def _regrets(self, orders: Iterable[Order]) -> list[float]:
        """What each sheet's orders cost at the capacity prices beyond the least that the sheet could cost at them."""
        market, prices = self.market, self.priced.prices
        regrets = [float(gain) for gain in self.priced.gains]
        for order in orders:
            choice = market.choices[order.choice]
            price, late = choice.prices[order.price], dict(zip(choice.weeks, choice.late, strict=True))
            gain = (market.demands[choice.sheet].value - price.unit) * order.quantity - price.fixed
            rent = sum((late[w] + choice.load * prices[choice.line, w]) * pieces for w, pieces in order.weeks)
            regrets[choice.sheet] -= gain - float(rent)
        return regrets
