"""The problem in plain numbers: what frozen and banned leave of it, cut into components that share no capacity."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from c2m.matching.optimiser.problem import Offer, Problem, Sheet, can_make, in_region

MUST_SERVE_FACTOR = 10
PARTS = 1_000_000  # a piece may straddle weeks in parts of a millionth


class Price(NamedTuple):
    """One usable tier of a choice: `tier` is its place in the offer, `low`..`high` the pieces it can really take."""

    tier: int
    low: int
    high: int
    fixed: float
    unit: float


class Order(NamedTuple):
    """A decision: so many pieces on a choice at one of its prices, spread over production weeks counted from 0."""

    choice: int
    price: int
    quantity: int
    weeks: tuple[tuple[int, float], ...]


@dataclass(slots=True)
class Choice:
    """A usable offer: a sheet's pieces on one line, in the weeks from which they arrive in time."""

    offer: int
    sheet: int
    factory: int
    line: int
    load: float
    weeks: tuple[int, ...]
    late: tuple[float, ...]
    prices: tuple[Price, ...]


@dataclass(slots=True)
class Demand:
    """What is still to be served of a sheet. `slots` is how many factories may still join those of `joined`."""

    quantity: int
    value: float
    must_serve: bool
    fill: int
    slots: int
    joined: frozenset[int]
    choices: list[int] = field(default_factory=list)
    one_choice_per_factory: bool = True

    @property
    def single(self) -> bool:
        """Whether at most one choice can be taken."""
        return self.quantity == 1 or (self.slots == 1 and not self.joined and self.one_choice_per_factory)


@dataclass(slots=True)
class Market:
    """A problem compiled: sheets, lines and factories by number."""

    problem: Problem
    demands: list[Demand]
    choices: list[Choice]
    capacity: list[list[float]]
    line_factory: list[int]
    open_cost: list[float]
    penalties: dict[int, int]

    def cost(self, sheets: Iterable[int], orders: Iterable[Order], opened_before: Collection[int] = ()) -> float:
        """The objective of these sheets, with must-serve pieces left at their penalty."""
        left = {s: self.demands[s].quantity for s in sheets}
        opened: set[int] = set()
        total = 0.0
        for order in orders:
            choice = self.choices[order.choice]
            price = choice.prices[order.price]
            total += price.fixed + price.unit * order.quantity
            if choice.late[-1] > 0:
                total += sum(choice.late[choice.weeks.index(w)] * pieces for w, pieces in order.weeks)
            left[choice.sheet] -= order.quantity
            opened.add(choice.factory)
        total += sum(self.open_cost[f] for f in sorted(opened.difference(opened_before)))
        return total + sum(self.demands[s].value * pieces for s, pieces in left.items())

    def capacity_after(self, orders: Iterable[Order]) -> list[list[float]]:
        """Capacity left on each line, week by week."""
        free = [list(weeks) for weeks in self.capacity]
        for order in orders:
            choice = self.choices[order.choice]
            for week, pieces in order.weeks:
                free[choice.line][week] -= choice.load * pieces
        return free

    def part(self, sheets: Sequence[int]) -> "Part":
        """These sheets as a market of their own, with the lines and choices of theirs alone."""
        chosen = [c for s in sheets for c in self.demands[s].choices]
        lines = sorted({self.choices[c].line for c in chosen})
        sheet_at, line_at = ({one: at for at, one in enumerate(those)} for those in (sheets, lines))
        choice_at = {c: at for at, c in enumerate(chosen)}
        market = Market(
            problem=replace(self.problem, sheets=(), factories=(), offers=(), frozen=(), banned=(), proposed=()),
            demands=[replace(self.demands[s], choices=[choice_at[c] for c in self.demands[s].choices]) for s in sheets],
            choices=[
                replace(self.choices[c], sheet=sheet_at[self.choices[c].sheet], line=line_at[self.choices[c].line])
                for c in chosen
            ],
            capacity=[self.capacity[line] for line in lines],
            line_factory=[self.line_factory[line] for line in lines],
            open_cost=self.open_cost,
            penalties={},
        )
        return Part(market, chosen)


class Part(NamedTuple):
    """A component's own market, and which choice of the whole each of its choices is."""

    market: Market
    choices: list[int]


def production_weeks(sheet: Sheet, offer: Offer, weeks: int) -> range:
    """The weeks, counted from 1, in which pieces can be made so that they arrive in time."""
    return range(sheet.earliest_week, min(weeks, sheet.latest_arrival - offer.lead_weeks) + 1)


def weeks_late(sheet: Sheet, offer: Offer, week: int) -> int:
    """How many weeks after the due week pieces made in this week arrive."""
    return max(0, week + offer.lead_weeks - sheet.due_week)


def usable_offers(problem: Problem) -> list[int]:
    """Places of the offers that are not banned, and whose line can make the sheet in its region."""
    sheets = {sheet.id: sheet for sheet in problem.sheets}
    factories = {factory.id: factory for factory in problem.factories}
    lines = {(factory.id, line.id): line for factory in problem.factories for line in factory.lines}
    banned = set(problem.banned)
    return [
        at
        for at, offer in enumerate(problem.offers)
        if (offer.sheet, offer.factory) not in banned
        and can_make(sheets[offer.sheet], lines[offer.factory, offer.line])
        and in_region(sheets[offer.sheet], factories[offer.factory])
    ]


def change_penalties(problem: Problem) -> dict[int, int]:
    """The change penalty by place of the offer: for lines that the sheet's open proposals don't name."""
    if not problem.change_penalty or not problem.proposed:
        return {}
    named = set(problem.proposed)
    touched = {sheet for sheet, _, _ in problem.proposed}
    return {
        at: problem.change_penalty
        for at, offer in enumerate(problem.offers)
        if offer.sheet in touched and (offer.sheet, offer.factory, offer.line) not in named
    }


def compile_market(problem: Problem) -> Market:
    """The market that is left once frozen allocations and bans are taken out."""
    sheet_at = {sheet.id: at for at, sheet in enumerate(problem.sheets)}
    factory_at = {factory.id: at for at, factory in enumerate(problem.factories)}
    lines = [(f, line) for f, factory in enumerate(problem.factories) for line in factory.lines]
    line_at = {(problem.factories[f].id, line.id): at for at, (f, line) in enumerate(lines)}
    capacity = [[float(units) for units in line.capacity] for _, line in lines]
    open_cost = [float(factory.open_cost) for factory in problem.factories]
    frozen_pieces: dict[str, int] = defaultdict(int)
    frozen_factories: dict[str, set[int]] = defaultdict(set)
    load = {(offer.sheet, offer.factory, offer.line): offer.load_per_piece.each for offer in problem.offers}
    for frozen in problem.frozen:
        line = line_at[frozen.factory, frozen.line]
        each = float(load[frozen.sheet, frozen.factory, frozen.line])
        for week, pieces in frozen.weeks.items():
            capacity[line][week - 1] = max(0.0, capacity[line][week - 1] - each * pieces)
        frozen_pieces[frozen.sheet] += frozen.quantity
        frozen_factories[frozen.sheet].add(factory_at[frozen.factory])
        open_cost[factory_at[frozen.factory]] = 0.0
    demands = []
    for sheet in problem.sheets:
        joined = frozenset(frozen_factories[sheet.id])
        slots = len(problem.factories) if sheet.max_factories is None else sheet.max_factories
        demands.append(
            Demand(
                quantity=sheet.quantity - frozen_pieces[sheet.id],
                value=float(sheet.value.each),
                must_serve=sheet.must_serve,
                fill=max(0, sheet.min_fill - frozen_pieces[sheet.id]),
                slots=max(0, slots - len(joined)),
                joined=joined,
            )
        )
    market = Market(problem, demands, [], capacity, [f for f, _ in lines], open_cost, change_penalties(problem))
    by_sheet: dict[int, list[int]] = defaultdict(list)
    for at in usable_offers(problem):
        by_sheet[sheet_at[problem.offers[at].sheet]].append(at)
    for s, offers in sorted(by_sheet.items()):
        _compile_choices(market, s, offers, factory_at, line_at)
    _price_must_serve(market)
    return market


def _compile_choices(
    market: Market,
    s: int,
    offers: list[int],
    factory_at: dict[str, int],
    line_at: dict[tuple[str, str], int],
) -> None:
    problem, demand, sheet = market.problem, market.demands[s], market.problem.sheets[s]
    factories = [factory_at[problem.offers[at].factory] for at in offers]
    demand.one_choice_per_factory = len(set(factories)) == len(factories)
    least = demand.fill
    if demand.single and demand.must_serve:
        least = demand.quantity
    for at, factory in zip(offers, factories, strict=True):
        offer = problem.offers[at]
        if demand.slots == 0 and factory not in demand.joined:
            continue
        line = line_at[offer.factory, offer.line]
        load = offer.load_per_piece.num / offer.load_per_piece.den
        weeks = [
            w
            for w in production_weeks(sheet, offer, problem.horizon.weeks)
            if market.capacity[line][w - 1] > 0 or load == 0
        ]
        if not weeks:
            continue
        room = demand.quantity if load == 0 else int(sum(market.capacity[line][w - 1] for w in weeks) / load + 1e-9)
        extra = offer.ship.money / offer.ship.per + offer.risk.money / offer.risk.per
        prices = tuple(
            Price(
                tier=k,
                low=max(tier.min, 1, least if demand.single else 1),
                high=min(tier.max, demand.quantity, room),
                fixed=float(tier.fixed + market.penalties.get(at, 0)),
                unit=tier.unit.money / tier.unit.per + extra,
            )
            for k, tier in enumerate(offer.tiers)
        )
        prices = tuple(price for price in prices if price.low <= price.high)
        if prices:
            late = sheet.late.money / sheet.late.per
            demand.choices.append(len(market.choices))
            market.choices.append(
                Choice(
                    offer=at,
                    sheet=s,
                    factory=factory,
                    line=line,
                    load=load,
                    weeks=tuple(w - 1 for w in weeks),
                    late=tuple(late * weeks_late(sheet, offer, w) for w in weeks),
                    prices=prices,
                )
            )


def _price_must_serve(market: Market) -> None:
    """Let a piece of a must-serve sheet that is left cost far more than making it anywhere."""
    most_valuable = max((demand.value for demand in market.demands), default=0.0)
    for demand in market.demands:
        if demand.must_serve and demand.choices:
            choices = [market.choices[c] for c in demand.choices]
            dearest = max(
                price.unit + price.fixed / price.low + max(choice.late) + market.open_cost[choice.factory]
                for choice in choices
                for price in choice.prices
            )
            demand.value = (most_valuable + 1.0 + dearest) * MUST_SERVE_FACTOR


def components(market: Market) -> list[list[int]]:
    """The sheets that have a choice, in groups that share neither a line nor a factory that costs to open."""
    group = list(range(len(market.demands)))

    def root(s: int) -> int:
        while group[s] != s:
            group[s] = group[group[s]]
            s = group[s]
        return s

    holder: dict[tuple[str, int], int] = {}
    for choice in market.choices:
        shared = [("line", choice.line)]
        if market.open_cost[choice.factory] > 0:
            shared.append(("factory", choice.factory))
        for key in shared:
            first = holder.setdefault(key, choice.sheet)
            group[root(choice.sheet)] = root(first)
    found: dict[int, list[int]] = defaultdict(list)
    for s, demand in enumerate(market.demands):
        if demand.choices:
            found[root(s)].append(s)
    return sorted(found.values())
