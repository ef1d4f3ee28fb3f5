"""Ruin and recreate: take the sheets around a line out of the plan and let them choose again in another order.

Source: Schrimpf et al., Record breaking optimization results using the ruin and recreate principle (2000).
"""

import random
from collections import defaultdict
from collections.abc import Sequence

from c2m.matching.optimiser.greedy import Greedy, Prices
from c2m.matching.optimiser.market import Market, Order

LARGEST_RUIN = 6
WEIGHTS = (0.0, 0.5, 1.0, 1.0)


def ruin_and_recreate(
    market: Market, sheets: Sequence[int], orders: Sequence[Order], prices: Prices, tries: int, draw: random.Random
) -> list[Order]:
    """Orders that cost no more than those given, after so many tries.

    Each try weighs the capacity `prices` anew, so that scarce weeks are guarded now more, now less.
    """
    greedy = Greedy(market, market.capacity_after(orders))
    placed: dict[int, list[Order]] = {s: [] for s in sheets}
    for order in orders:
        placed[market.choices[order.choice].sheet].append(order)
        greedy.opened[market.choices[order.choice].factory] += 1
    seekers: dict[int, list[int]] = defaultdict(list)
    for s in sheets:
        for line in _lines(market, s):
            seekers[line].append(s)
    on_line: dict[int, list[int]] = defaultdict(list)
    for order in orders:
        on_line[market.choices[order.choice].line].append(market.choices[order.choice].sheet)
    weighed = [[[weight * price for price in weeks] for weeks in prices] for weight in WEIGHTS]
    for _ in range(tries):
        ruined = _around(market, draw.choice(sheets), on_line, seekers, draw)
        before = [order for s in ruined for order in placed[s]]
        for order in before:
            greedy.give_back(order)
        opened = {factory for factory, count in greedy.opened.items() if count}
        found: dict[int, list[Order]] = {s: [] for s in ruined}
        for greedy.prices in (draw.choice(weighed), None):
            for s in ruined:
                found[s] += greedy.serve(s, found[s])
        after = [order for s in ruined for order in found[s]]
        if market.cost(ruined, after, opened) <= market.cost(ruined, before, opened):
            placed.update(found)
            for order in before:
                on_line[market.choices[order.choice].line].remove(market.choices[order.choice].sheet)
            for order in after:
                on_line[market.choices[order.choice].line].append(market.choices[order.choice].sheet)
            continue
        for order in after:
            greedy.give_back(order)
        for order in before:
            greedy.take(order)
    return [order for s in sheets for order in placed[s]]


def _around(
    market: Market, centre: int, on_line: dict[int, list[int]], seekers: dict[int, list[int]], draw: random.Random
) -> list[int]:
    """A sheet and some that are placed where it would like to be, in the order in which they choose again."""
    line = draw.choice(_lines(market, centre))
    there = [s for s in on_line[line] if s != centre]
    size = draw.randint(1, LARGEST_RUIN - 1)
    ruined = [centre, *draw.sample(there, min(size, len(there)))]
    others = draw.sample(seekers[line], min(LARGEST_RUIN, len(seekers[line])))
    ruined += [s for s in others if s not in ruined][: size + 1 - len(ruined)]
    if draw.random() < 0.5:
        draw.shuffle(ruined)
    return sorted(ruined, key=lambda s: not market.demands[s].must_serve)


def _lines(market: Market, s: int) -> list[int]:
    return sorted({market.choices[c].line for c in market.demands[s].choices})
