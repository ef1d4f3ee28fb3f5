"""Why a sheet got its factories, how near each other one was, and what would have to change for it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from c2m.matching.optimiser.columns import best_prices
from c2m.matching.optimiser.costs import exact_parts, rounded
from c2m.matching.optimiser.greedy import Greedy
from c2m.matching.optimiser.market import Choice, Market, Order, compile_market, components
from c2m.matching.optimiser.params import THOROUGH, Params
from c2m.matching.optimiser.plan import Plan, Unserved
from c2m.matching.optimiser.pricing import Pricer
from c2m.matching.optimiser.problem import Factory, Line, Offer, Problem, Tier, can_make, in_region
from c2m.matching.optimiser.solve import solve
from c2m.matching.optimiser.stop import Stop


class Standing(StrEnum):
    """How an offer stands with its sheet. CHOSEN: the plan takes it. Else the first that keeps it out: BANNED, a
    capability or the REGION, the LEAD_TIME, its minimum order (MOQ) or maximum (TOO_MANY), CAPACITY that others hold,
    or its price (DEARER). NOT_PROVEN: nothing speaks against it, the search found no use for it."""

    CHOSEN = "CHOSEN"
    BANNED = "BANNED"
    NO_CAPABILITY = "NO_CAPABILITY"
    REGION = "REGION"
    LEAD_TIME = "LEAD_TIME"
    MOQ = "MOQ"
    TOO_MANY = "TOO_MANY"
    CAPACITY = "CAPACITY"
    DEARER = "DEARER"
    NOT_PROVEN = "NOT_PROVEN"


@dataclass(frozen=True, slots=True)
class Unlock:
    """With so many more pieces on this sheet the offer's tier number `tier` (from 0) can be had: its pieces then cost
    `saving` less each than at the tier below it, on average with its fixed cost (0 where there is none below)."""

    tier: int
    pieces: int
    saving: int


@dataclass(frozen=True, slots=True)
class Considered:
    """One offer for the sheet, and what would have to change where it is out.

    `quantity` is the pieces it has, or those it was weighed for; `extra_cost` what these cost more than in the plan
    and `each_less` the money a piece by which it would have to come down; `pieces_missing` those lacking to its minimum
    or to room on its line; `weeks_late` those by which its first pieces arrive too late.
    """

    factory: str
    line: str
    standing: Standing
    quantity: int
    cost: int | None = None
    extra_cost: int | None = None
    each_less: int | None = None
    pieces_missing: int | None = None
    weeks_late: int | None = None
    unlock: Unlock | None = None
    scarcity: tuple[tuple[int, float], ...] = ()
    """What a piece's capacity is worth to others by production week, in money: the shadow price, where it is taken."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """All offers for a sheet, those chosen first, then by how near they were; and why pieces of it are left."""

    sheet: str
    quantity: int
    offers: tuple[Considered, ...]
    unserved: Unserved | None


@dataclass(frozen=True, slots=True)
class Regret:
    """What the whole plan costs more without a factory for a sheet: at least and at most, in money."""

    at_least: int
    at_most: int


def explain(problem: Problem, plan: Plan, sheet_id: str) -> Explanation:
    """Why the plan serves the sheet as it does.

    Raises:
        KeyError: there is no such sheet.
    """
    at = {sheet.id: at for at, sheet in enumerate(problem.sheets)}[sheet_id]
    considered = sorted(_Weighing(compile_market(problem), plan, at).offers(), key=_nearness)
    left = next((unserved for unserved in plan.unserved if unserved.sheet == sheet_id), None)
    return Explanation(sheet_id, problem.sheets[at].quantity, tuple(considered), left)


def regret_without(
    problem: Problem, plan: Plan, sheet: str, factory: str, stop: Stop, params: Params = THOROUGH
) -> Regret | None:
    """What it would cost all sheets together if the factory made nothing of the sheet, by solving again.

    None where the plan, or the one without, has no cost because must-serve sheets stay unserved.
    """
    without = replace(problem, banned=(*problem.banned, (sheet, factory)))
    other = solve(without, stop, problem.settings.seed, params)
    if plan.objective is None or plan.bound is None or other.objective is None or other.bound is None:
        return None
    return Regret(max(0, other.bound - plan.objective), max(0, other.objective - plan.bound))


def _nearness(considered: Considered) -> tuple[int, float, str, str]:
    order = list(Standing)[::-1]
    rank = -1 if considered.standing is Standing.CHOSEN else order.index(considered.standing)
    near = considered.extra_cost or considered.pieces_missing or considered.weeks_late or 0
    return rank, near, considered.factory, considered.line


class _Weighing:
    """Weighs the offers for one sheet against the plan's allocations of it."""

    def __init__(self, market: Market, plan: Plan, s: int) -> None:
        self.market, self.s = market, s
        self.problem, self.sheet = market.problem, market.problem.sheets[s]
        self.choices = {market.choices[c].offer: c for c in market.demands[s].choices}
        self.orders = list(_orders(market, plan))
        self.mine = [order for order in self.orders if market.choices[order.choice].sheet == s]
        self.left = market.demands[s].quantity - sum(order.quantity for order in self.mine)
        self.greedy = Greedy(market, market.capacity_after(self.orders))
        self.factories = {factory.id: factory for factory in self.problem.factories}
        self.scarcity = self._shadow_prices()

    def offers(self) -> Iterator[Considered]:
        """Every offer for the sheet with its standing."""
        taken = {self.market.choices[order.choice].offer: order for order in self.mine}
        for at, offer in enumerate(self.problem.offers):
            if offer.sheet == self.sheet.id:
                yield self._chosen(offer, taken[at]) if at in taken else self._out(at, offer)

    def _chosen(self, offer: Offer, order: Order) -> Considered:
        cost = rounded(sum(exact_parts(self.market, order).values(), Fraction(0)))
        choice = self.market.choices[order.choice]
        worth = tuple((w + 1, round(choice.load * self.scarcity.get((choice.line, w), 0.0), 2)) for w, _ in order.weeks)
        unlock = _unlock(offer, order.quantity)
        return Considered(
            offer.factory, offer.line, Standing.CHOSEN, order.quantity, cost, unlock=unlock, scarcity=worth
        )

    def _out(self, at: int, offer: Offer) -> Considered:
        replaced = max(self.mine, key=self._each, default=None)
        quantity = self.left if replaced is None or self.left >= replaced.quantity else replaced.quantity
        out = Considered(offer.factory, offer.line, Standing.NOT_PROVEN, quantity)
        out = self._weighed(out, at, offer, replaced if quantity != self.left else None)
        reached = self.sheet.quantity if out.standing is Standing.MOQ else quantity
        return replace(out, unlock=_unlock(offer, reached))

    def _each(self, order: Order) -> Fraction:
        return sum(exact_parts(self.market, order).values(), Fraction(0)) / order.quantity

    def _weighed(self, out: Considered, at: int, offer: Offer, replaced: Order | None) -> Considered:
        """The first that keeps an offer from the pieces, with its figures."""
        sheet, quantity, (factory, line) = self.sheet, out.quantity, self._place(offer)
        if (sheet.id, offer.factory) in self.problem.banned:
            return replace(out, standing=Standing.BANNED)
        if not can_make(sheet, line):
            return replace(out, standing=Standing.NO_CAPABILITY)
        if not in_region(sheet, factory):
            return replace(out, standing=Standing.REGION)
        if (late := sheet.earliest_week + offer.lead_weeks - sheet.latest_arrival) > 0:
            return replace(out, standing=Standing.LEAD_TIME, weeks_late=late)
        if (missing := min(tier.min for tier in offer.tiers) - quantity) > 0:
            return replace(out, standing=Standing.MOQ, pieces_missing=missing)
        tier = next((tier for tier in offer.tiers if tier.min <= quantity <= tier.max), None)
        if tier is None:
            return replace(out, standing=Standing.TOO_MANY)
        choice = self.choices.get(at)
        room = 0 if choice is None else self._room(self.market.choices[choice], replaced)
        if choice is None or room < quantity:
            return replace(out, standing=Standing.CAPACITY, pieces_missing=quantity - room)
        cost, now = self._cost(choice, tier, offer, quantity, replaced), self._now(quantity, replaced)
        out = replace(out, cost=rounded(cost), extra_cost=rounded(cost - now))
        if cost <= now:
            return out
        return replace(out, standing=Standing.DEARER, each_less=math.ceil((cost - now) / quantity))

    def _place(self, offer: Offer) -> tuple[Factory, Line]:
        factory = self.factories[offer.factory]
        return factory, next(line for line in factory.lines if line.id == offer.line)

    def _room(self, choice: Choice, replaced: Order | None) -> int:
        """Pieces that the choice can take once the order it would replace is gone."""
        if replaced is None:
            return self.greedy.room(choice)
        self.greedy.give_back(replaced)
        room = self.greedy.room(choice)
        self.greedy.take(replaced)
        return room

    def _cost(self, c: int, tier: Tier, offer: Offer, quantity: int, replaced: Order | None) -> Fraction:
        choice = self.market.choices[c]
        if replaced is not None:
            self.greedy.give_back(replaced)
        weeks, _ = self.greedy.spread(choice, quantity)
        if replaced is not None:
            self.greedy.take(replaced)
        late = sum(Fraction(pieces) * max(0, w + 1 + offer.lead_weeks - self.sheet.due_week) for w, pieces in weeks)
        each = tier.unit.each + offer.ship.each + offer.risk.each
        penalty = self.market.penalties.get(choice.offer, 0)
        return tier.fixed + each * quantity + self.sheet.late.each * late + penalty

    def _now(self, quantity: int, replaced: Order | None) -> Fraction:
        """What the pieces cost in the plan: as made, or as left."""
        if replaced is None:
            return self.sheet.value.each * quantity
        return sum(exact_parts(self.market, replaced).values(), Fraction(0))

    def _shadow_prices(self) -> dict[tuple[int, int], float]:
        """Money for a unit of capacity by line and week, in the sheet's own component."""
        sheets = next((sheets for sheets in components(self.market) if self.s in sheets), [])
        if not sheets or not self.mine:
            return {}
        pricer = Pricer(self.market, sheets)
        priced = best_prices(pricer, THOROUGH.pricing_rounds, Stop(), self.problem.settings.seed)
        lines = {int(line) for line in pricer.line}
        return {(line, w): float(price) for line in lines for w, price in enumerate(priced.prices[line])}


def _orders(market: Market, plan: Plan) -> Iterator[Order]:
    """A plan's allocations as orders of the market."""
    problem = market.problem
    places = {(offer.sheet, offer.factory, offer.line): at for at, offer in enumerate(problem.offers)}
    choices = {choice.offer: c for c, choice in enumerate(market.choices)}
    for allocation in plan.allocations:
        c = choices[places[allocation.sheet, allocation.factory, allocation.line]]
        price = next(k for k, price in enumerate(market.choices[c].prices) if price.tier == allocation.tier)
        weeks = tuple(sorted((week - 1, pieces) for week, pieces in allocation.weeks.items()))
        yield Order(c, price, allocation.quantity, weeks)


def _unlock(offer: Offer, quantity: int) -> Unlock | None:
    """The next tier of an offer above so many pieces, if it has one that costs less a piece."""
    ahead = [(tier.min, k) for k, tier in enumerate(offer.tiers) if tier.min > quantity]
    if not ahead:
        return None
    minimum, k = min(ahead)
    below = max((tier for tier in offer.tiers if tier.min < minimum), key=lambda tier: tier.min, default=None)
    if below is None:
        return Unlock(k, minimum - quantity, 0)
    saving = _average(below, max(1, quantity)) - _average(offer.tiers[k], minimum)
    return Unlock(k, minimum - quantity, rounded(saving)) if saving > 0 else None


def _average(tier: Tier, quantity: int) -> Fraction:
    return tier.unit.each + Fraction(tier.fixed, quantity)
