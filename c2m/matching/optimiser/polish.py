"""From prices taken to whole pieces in weeks: the same decisions, re-optimised across a component."""

from collections.abc import Sequence

from c2m.matching.optimiser.highs import Vector, minimise
from c2m.matching.optimiser.market import PARTS, Market, Order
from c2m.matching.optimiser.model import Model, Pick
from c2m.matching.optimiser.stop import Stop

NODES = 50


def polish(
    market: Market, sheets: Sequence[int], picks: Sequence[Pick], capacity: list[list[float]], stop: Stop, seed: int
) -> list[Order] | None:
    """The best orders that take exactly these prices, or None where whole pieces don't fit them."""
    if not picks:
        return []
    model = Model(market, sheets, picks, capacity, decided=True)
    answer = minimise(model.program, seconds=stop.seconds_left + 1, seed=seed, nodes=NODES, gap=1e-6)
    stop.spend(answer.iterations, answer.timed_out)
    if answer.values is None:
        return None
    return [_order(model, pick, answer.values) for pick in picks]


def _order(model: Model, pick: Pick, values: Vector) -> Order:
    choice = model.market.choices[pick[0]]
    quantity = round(values[model.pieces[pick]])
    if len(choice.weeks) == 1:
        return Order(*pick, quantity, ((choice.weeks[0], float(quantity)),))
    parts = {w: round(values[model.weekly[pick[0], w]] * PARTS) for w in choice.weeks}
    parts = {w: part for w, part in parts.items() if part > 0}
    # What rounding to parts of a piece leaves is far below a piece; the fullest week takes it.
    fullest = max(parts, key=lambda w: parts[w])
    parts[fullest] += quantity * PARTS - sum(parts.values())
    return Order(*pick, quantity, tuple((w, part / PARTS) for w, part in sorted(parts.items())))
