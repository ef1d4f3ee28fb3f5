"""Why it came out so: what keeps pieces of a sheet unserved, and what the next best factory would have cost."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from c2m.matching.optimiser.costs import exact_parts, rounded
from c2m.matching.optimiser.greedy import Greedy
from c2m.matching.optimiser.market import Choice, Market, Order, usable_offers
from c2m.matching.optimiser.plan import Backup, Reason, Unserved
from c2m.matching.optimiser.problem import Offer, Sheet, can_make, in_region

TIGHT = 1e-3  # parts of a piece that make no difference to whether a week is full


@dataclass(slots=True)
class Explainer:
    """Explains one plan of a market."""

    market: Market
    orders: Sequence[Order]
    _free: list[list[float]] = field(init=False)
    _offers: dict[str, list[int]] = field(init=False)
    _taken: dict[int, list[int]] = field(init=False)
    _opened: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self._free = self.market.capacity_after(self.orders)
        self._opened = {self.market.choices[order.choice].factory for order in self.orders}
        self._offers, self._taken = defaultdict(list), defaultdict(list)
        for at in usable_offers(self.market.problem):
            self._offers[self.market.problem.offers[at].sheet].append(at)
        for order in self.orders:
            self._taken[self.market.choices[order.choice].sheet].append(order.choice)

    def unserved(self, s: int, pieces: int) -> Unserved:
        """Why these pieces of a sheet are left: the first reason that applies to every offer there is."""
        problem, sheet, demand = self.market.problem, self.market.problem.sheets[s], self.market.demands[s]
        capable = [(f, line) for f in problem.factories for line in f.lines if can_make(sheet, line)]
        if not capable:
            return Unserved(sheet.id, pieces, Reason.NO_CAPABILITY)
        if not any(in_region(sheet, factory) for factory, _ in capable):
            return Unserved(sheet.id, pieces, Reason.REGION)
        offers = [problem.offers[at] for at in self._offers[sheet.id]]
        if not offers:
            return Unserved(sheet.id, pieces, Reason.NO_OFFER)
        mine = self._taken[s]
        taken = [problem.offers[self.market.choices[c].offer] for c in mine]
        minimum = min(0 if offer in taken else min(tier.min for tier in offer.tiers) for offer in offers)
        if minimum > pieces:
            return Unserved(sheet.id, pieces, Reason.MOQ, pieces_missing=minimum - pieces)
        earliest = min(sheet.earliest_week + offer.lead_weeks for offer in offers)
        if earliest > sheet.latest_arrival or sheet.earliest_week > problem.horizon.weeks:
            return Unserved(sheet.id, pieces, Reason.LEAD_TIME, earliest_week=earliest)
        shortfall = min(self._shortfall(sheet, offer, pieces) for offer in offers)
        if shortfall > 0 and not sheet.must_serve and not mine:
            return Unserved(sheet.id, pieces, Reason.PRICE, shortfall=rounded(shortfall))
        roomy = [c for c in demand.choices if self._gains(self.market.choices[c], pieces, c in mine)]
        if not roomy:
            full = self._full_weeks(s)
            lack = min((self._lack(self.market.choices[c], pieces) for c in demand.choices), default=math.inf)
            if full or lack == math.inf:
                return Unserved(sheet.id, pieces, Reason.CAPACITY, line_weeks=full)
            return Unserved(sheet.id, pieces, Reason.PRICE, shortfall=rounded(Fraction(lack)))
        joined = {self.market.choices[c].factory for c in mine} - demand.joined
        welcome = joined | demand.joined
        if len(joined) >= demand.slots and not any(self.market.choices[c].factory in welcome for c in roomy):
            return Unserved(sheet.id, pieces, Reason.MAX_FACTORIES)
        room = sum(min(pieces, self._room(self.market.choices[c])) for c in demand.choices)
        if not mine and room < demand.fill:
            return Unserved(sheet.id, pieces, Reason.MIN_FILL, pieces_missing=demand.fill - room)
        return Unserved(sheet.id, pieces, Reason.NOT_PROVEN)

    def _shortfall(self, sheet: Sheet, offer: Offer, pieces: int) -> Fraction:
        """What the value lacks to pay an offer's best tier, with all capacity free; 0 or less where it pays."""
        each = offer.ship.each + offer.risk.each - sheet.value.each
        if (weeks := sheet.earliest_week + offer.lead_weeks - sheet.due_week) > 0:
            each += sheet.late.each * weeks
        lacks = []
        for tier in offer.tiers:
            quantity = min(pieces, tier.max)
            if quantity >= max(1, tier.min):
                lacks.append(tier.fixed + (tier.unit.each + each) * quantity)
        return min(lacks) if lacks else Fraction(self.market.problem.money_scale * pieces)

    def _gains(self, choice: Choice, pieces: int, extends: bool) -> bool:
        """Whether the capacity that is left can take enough of the pieces at a price below their value."""
        if extends:
            return min(pieces, self._room(choice)) >= 1
        return self._lack(choice, pieces) < 0

    def _lack(self, choice: Choice, pieces: int) -> float:
        """What the value lacks to pay as many of the pieces as there is room for, at the choice's best price."""
        value, quantity = self.market.demands[choice.sheet].value, min(pieces, self._room(choice))
        opening = 0.0 if choice.factory in self._opened else self.market.open_cost[choice.factory]
        lacks = [
            price.fixed + opening - (value - price.unit - min(choice.late)) * min(quantity, price.high)
            for price in choice.prices
            if price.low <= quantity
        ]
        return min(lacks, default=math.inf)

    def _room(self, choice: Choice) -> int:
        return Greedy(self.market, self._free).room(choice)

    def _full_weeks(self, s: int) -> tuple[tuple[str, str, int], ...]:
        """The line-weeks that the sheet's offers need and that hold less than another piece."""
        offers = self.market.problem.offers
        choices = [self.market.choices[c] for c in self.market.demands[s].choices]
        return tuple(
            sorted(
                (offers[choice.offer].factory, offers[choice.offer].line, w + 1)
                for choice in choices
                for w in choice.weeks
                if self._free[choice.line][w] < choice.load * (1 + TIGHT)
            )
        )

    def backup(self, order: Order) -> Backup | None:
        """The cheapest other factory with room for all the order's pieces, None where no other could take them."""
        market, choice = self.market, self.market.choices[order.choice]
        greedy = Greedy(market, self._free)
        cheapest, least = None, math.inf
        for c in market.demands[choice.sheet].choices:
            other = market.choices[c]
            if other.factory == choice.factory or greedy.room(other) < order.quantity:
                continue
            weeks, late = greedy.spread(other, order.quantity)
            for k, price in enumerate(other.prices):
                cost = price.fixed + price.unit * order.quantity + late
                if price.low <= order.quantity <= price.high and cost < least:
                    cheapest, least = Order(c, k, order.quantity, weeks), cost
        if cheapest is None:
            return None
        extra = sum(exact_parts(market, cheapest).values()) - sum(exact_parts(market, order).values())
        offer = market.problem.offers[market.choices[cheapest.choice].offer]
        return Backup(offer.factory, offer.line, rounded(Fraction(extra)))
