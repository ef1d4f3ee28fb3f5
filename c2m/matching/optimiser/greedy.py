"""A first plan in milliseconds: sheet after sheet takes the offers of greatest gain that still have room."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from c2m.matching.optimiser.market import PARTS, Choice, Demand, Market, Order

Prices = Sequence[Sequence[float]]


@dataclass(slots=True)
class Greedy:
    """Capacity not yet taken, and the factories already opened. `prices` (money per capacity unit, by line and week)
    make scarce weeks dear, so that they are left to the sheets that need them most."""

    market: Market
    free: list[list[float]]
    prices: Prices | None = None
    opened: Counter[int] = field(default_factory=Counter)
    _hopes: dict[int, list[tuple[float, int]]] = field(default_factory=dict)

    def serve(self, s: int, taken: list[Order], allowed: Collection[int] | None = None) -> list[Order]:
        """Orders for what is left of a sheet beside those it has `taken`, none where its fill is out of reach."""
        market, demand = self.market, self.market.demands[s]
        left = demand.quantity - sum(order.quantity for order in taken)
        used = {order.choice for order in taken}
        joined = {market.choices[c].factory for c in used} - demand.joined
        hopes = [(hope, c) for hope, c in self._hoped(s) if c not in used and (allowed is None or c in allowed)]
        found: list[Order] = []
        while left > 0:
            order = self._best(demand, hopes, joined, left)
            if order is None:
                break
            self.take(order)
            found.append(order)
            left -= order.quantity
            hopes = [(hope, c) for hope, c in hopes if c != order.choice]
            factory = market.choices[order.choice].factory
            if factory not in demand.joined:
                joined.add(factory)
        if demand.quantity - left < demand.fill:
            for order in found:
                self.give_back(order)
            return []
        return found

    def _hoped(self, s: int) -> list[tuple[float, int]]:
        """The most that each choice of a sheet can gain, the greatest first."""
        if s not in self._hopes:
            demand = self.market.demands[s]
            hopes = ((_hope(self.market.choices[c], demand, demand.quantity), c) for c in demand.choices)
            self._hopes[s] = sorted((hope for hope in hopes if hope[0] > 0), reverse=True)
        return self._hopes[s]

    def _best(self, demand: Demand, hopes: list[tuple[float, int]], joined: set[int], left: int) -> Order | None:
        best, best_gain = None, 1e-9
        for hope, c in hopes:
            if hope <= best_gain:
                break
            choice = self.market.choices[c]
            if len(joined) >= demand.slots and choice.factory not in joined and choice.factory not in demand.joined:
                continue
            room = self.room(choice)
            opening = 0.0 if self.opened[choice.factory] else self.market.open_cost[choice.factory]
            for k, price in enumerate(choice.prices):
                quantity = min(left, price.high, room)
                if quantity < price.low:
                    continue
                gain = (demand.value - price.unit) * quantity - price.fixed - opening
                if gain <= best_gain:
                    continue
                weeks, cost = self.spread(choice, quantity)
                if gain - cost > best_gain:
                    best, best_gain = Order(c, k, quantity, weeks), gain - cost
        return best

    def room(self, choice: Choice) -> int:
        """Whole pieces that the choice's weeks can still hold."""
        if choice.load == 0:
            return self.market.demands[choice.sheet].quantity
        free = self.free[choice.line]
        return sum(_parts(free[w], choice.load) for w in choice.weeks) // PARTS

    def spread(self, choice: Choice, quantity: int) -> tuple[tuple[tuple[int, float], ...], float]:
        """The pieces by week and what that costs: cheapest weeks first, then the last that are still in time."""
        free, prices = self.free[choice.line], None if self.prices is None else self.prices[choice.line]
        weeks = sorted(
            (late if prices is None else late + choice.load * prices[w], -w)
            for w, late in zip(choice.weeks, choice.late, strict=True)
        )
        left, cost, spread = quantity * PARTS, 0.0, []
        for each, minus_week in weeks:
            parts = left if choice.load == 0 else min(left, _parts(free[-minus_week], choice.load))
            if parts > 0:
                spread.append((-minus_week, parts / PARTS))
                cost += each * parts / PARTS
                left -= parts
                if left == 0:
                    break
        return tuple(sorted(spread)), cost

    def take(self, order: Order) -> None:
        """Place an order on its line's weeks."""
        choice = self.market.choices[order.choice]
        for week, pieces in order.weeks:
            self.free[choice.line][week] -= choice.load * pieces
        self.opened[choice.factory] += 1

    def give_back(self, order: Order) -> None:
        """Undo `take`."""
        choice = self.market.choices[order.choice]
        for week, pieces in order.weeks:
            self.free[choice.line][week] += choice.load * pieces
        self.opened[choice.factory] -= 1


def _hope(choice: Choice, demand: Demand, left: int) -> float:
    """The most that a choice can gain, were it alone in the market."""
    return max((demand.value - price.unit) * min(left, price.high) - price.fixed for price in choice.prices)


def _parts(free: float, load: float) -> int:
    return max(0, int(free / load * PARTS + 0.5))


def construct(
    market: Market,
    sheets: Sequence[int],
    order_by: Callable[[int], float],
    prices: Prices | None = None,
    preferred: Collection[int] | None = None,
) -> list[Order]:
    """Orders for the sheets, served by rising `order_by`, must-serve sheets before all others.

    With `prices` a first pass keeps away from scarce weeks; a second one without them fills what is left. With
    `preferred` choices the first pass takes no others.
    """
    greedy = Greedy(market, [list(weeks) for weeks in market.capacity], prices)
    queue = sorted(sheets, key=lambda s: (not market.demands[s].must_serve, order_by(s), s))
    orders: dict[int, list[Order]] = {s: [] for s in queue}
    for s in queue:
        orders[s] += greedy.serve(s, orders[s], preferred)
    if prices is not None or preferred is not None:
        greedy.prices = None
        for s in queue:
            orders[s] += greedy.serve(s, orders[s])
    return [order for s in queue for order in orders[s]]


def by_regret(market: Market) -> Callable[[int], float]:
    """Sheets first that lose most when their best choice is gone."""

    def key(s: int) -> float:
        demand = market.demands[s]
        hopes = sorted((_hope(market.choices[c], demand, demand.quantity) for c in demand.choices), reverse=True)
        return -(hopes[0] - max(0.0, hopes[1] if len(hopes) > 1 else 0.0))

    return key


def by_density(market: Market) -> Callable[[int], float]:
    """Sheets first that gain most for the capacity they take."""

    def key(s: int) -> float:
        demand = market.demands[s]
        return -max(
            _hope(market.choices[c], demand, demand.quantity) / (1e-9 + _share(market, market.choices[c], demand))
            for c in demand.choices
        )

    return key


def _share(market: Market, choice: Choice, demand: Demand) -> float:
    line = market.capacity[choice.line]
    return demand.quantity * choice.load / max(1e-9, sum(line))
