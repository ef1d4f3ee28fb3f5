"""The independent referee: reads problem and plan alone, trusts no part of the search, and counts in integers."""

from collections import defaultdict
from fractions import Fraction

from c2m.matching.optimiser.plan import Allocation, Plan, Status
from c2m.matching.optimiser.problem import Factory, Frozen, Line, Offer, Problem, Sheet

PARTS = 1_000_000
TOLERANCE = Fraction(1, 100_000)  # pieces a week may exceed a line's capacity by, from rounding to parts of a piece


class InvalidPlan(AssertionError):
    """A plan breaks the problem's rules; it must never leave the optimiser."""


def check(problem: Problem, plan: Plan) -> None:
    """Accept the plan in silence.

    Raises:
        InvalidPlan: it breaks a rule, or its figures are not what its allocations add up to.
    """
    offers = {(offer.sheet, offer.factory, offer.line): offer for offer in problem.offers}
    allocations: dict[str, list[Allocation]] = defaultdict(list)
    seen: set[tuple[str, str, str]] = set()
    banned = set(problem.banned)
    frozen: dict[str, list[Frozen]] = defaultdict(list)
    for accepted in problem.frozen:
        frozen[accepted.sheet].append(accepted)
    left = {unserved.sheet: unserved.quantity for unserved in plan.unserved}
    _require(len(left) == len(plan.unserved), "a sheet is unserved twice")
    lines = {(factory.id, line.id): (factory, line) for factory in problem.factories for line in factory.lines}
    for allocation in plan.allocations:
        key = (allocation.sheet, allocation.factory, allocation.line)
        _require(key in offers, f"{key} was never offered")
        _require(key not in seen, f"{key} is there twice")
        _require((allocation.sheet, allocation.factory) not in banned, f"{key} is banned")
        seen.add(key)
        allocations[allocation.sheet].append(allocation)
    for sheet in problem.sheets:
        _check_sheet(sheet, allocations[sheet.id], frozen[sheet.id], left.get(sheet.id, 0), plan.status)
        for allocation in allocations[sheet.id]:
            place = (allocation.factory, allocation.line)
            _check_place(sheet, allocation, *lines[place])
            _check_allocation(problem, sheet, allocation, offers[sheet.id, *place])
    _check_capacity(problem, plan, offers)
    _check_figures(problem, plan, offers)


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise InvalidPlan(sentence)


def _check_sheet(sheet: Sheet, allocations: list[Allocation], frozen: list[Frozen], left: int, status: Status) -> None:
    before, placed = sum(f.quantity for f in frozen), sum(allocation.quantity for allocation in allocations)
    accounted = before + placed + left
    _require(left >= 0, f"{sheet.id}: {left} pieces left")
    _require(accounted == sheet.quantity, f"{sheet.id}: {accounted} pieces accounted for of {sheet.quantity}")
    if sheet.must_serve and status in (Status.OPTIMAL, Status.FEASIBLE):
        _require(not left, f"{sheet.id}: must be served, and is not")
    if placed:
        _require(before + placed >= sheet.min_fill, f"{sheet.id}: {before + placed} pieces are below the fill")
    if allocations and sheet.max_factories is not None:
        held = {f.factory for f in frozen}
        joined = held | {allocation.factory for allocation in allocations}
        allowed = max(sheet.max_factories, len(held))
        _require(len(joined) <= allowed, f"{sheet.id}: {len(joined)} factories, {sheet.max_factories} allowed")
    for variant in sheet.variants:
        given = sum(allocation.variants.get(variant.id, 0) for allocation in allocations)
        given += sum(f.variants.get(variant.id, 0) for f in frozen)
        _require(given <= variant.quantity, f"{sheet.id}: more of variant {variant.id} than was asked for")


def _check_place(sheet: Sheet, allocation: Allocation, factory: Factory, line: Line) -> None:
    name = f"{allocation.sheet} on {allocation.factory}/{allocation.line}"
    _require(set(sheet.requires) <= set(line.provides), f"{name}: the line can't make it")
    _require(sheet.region in (None, factory.region), f"{name}: the factory lies elsewhere")


def _check_allocation(problem: Problem, sheet: Sheet, allocation: Allocation, offer: Offer) -> None:
    name = f"{allocation.sheet} on {allocation.factory}/{allocation.line}"
    _require(0 <= allocation.tier < len(offer.tiers), f"{name}: there is no tier {allocation.tier}")
    tier = offer.tiers[allocation.tier]
    _require(tier.min <= allocation.quantity <= tier.max, f"{name}: {allocation.quantity} pieces are outside the tier")
    _require(allocation.quantity > 0, f"{name}: an allocation without pieces")
    made = sum(round(pieces * PARTS) for pieces in allocation.weeks.values())
    _require(made == allocation.quantity * PARTS, f"{name}: the weeks don't add up to {allocation.quantity} pieces")
    for week, pieces in allocation.weeks.items():
        _require(pieces > 0, f"{name}: week {week} holds {pieces} pieces")
        _require(sheet.earliest_week <= week <= problem.horizon.weeks, f"{name}: week {week} is out of reach")
        arrival = week + offer.lead_weeks
        _require(arrival <= sheet.due_week + sheet.max_late_weeks, f"{name}: pieces of week {week} arrive too late")
    if sheet.variants:
        known = {variant.id for variant in sheet.variants}
        _require(set(allocation.variants) <= known, f"{name}: an unknown variant")
        _require(all(pieces > 0 for pieces in allocation.variants.values()), f"{name}: a variant without pieces")
        split = sum(allocation.variants.values())
        _require(split == allocation.quantity, f"{name}: the variants hold {split} pieces of {allocation.quantity}")


def _check_capacity(problem: Problem, plan: Plan, offers: dict[tuple[str, str, str], Offer]) -> None:
    taken: dict[tuple[str, str, int], Fraction] = defaultdict(Fraction)
    tolerance: dict[tuple[str, str, int], Fraction] = defaultdict(Fraction)
    frozen_load: dict[tuple[str, str, int], Fraction] = defaultdict(Fraction)
    for frozen in problem.frozen:
        load = offers[frozen.sheet, frozen.factory, frozen.line].load_per_piece.each
        for week, made in frozen.weeks.items():
            frozen_load[frozen.factory, frozen.line, week] += load * Fraction(round(made * PARTS), PARTS)
    for allocation in plan.allocations:
        load = offers[allocation.sheet, allocation.factory, allocation.line].load_per_piece.each
        for week, pieces in allocation.weeks.items():
            taken[allocation.factory, allocation.line, week] += load * Fraction(round(pieces * PARTS), PARTS)
            tolerance[allocation.factory, allocation.line, week] += load * TOLERANCE
    for factory in problem.factories:
        for line in factory.lines:
            for week, capacity in enumerate(line.capacity, start=1):
                key = (factory.id, line.id, week)
                room = max(Fraction(0), capacity - frozen_load[key])
                _require(taken[key] <= room + tolerance[key], f"{key}: {float(taken[key])} of {float(room)} taken")


def _check_figures(problem: Problem, plan: Plan, offers: dict[tuple[str, str, str], Offer]) -> None:
    if plan.objective is None:
        _require(plan.status in (Status.INFEASIBLE, Status.UNKNOWN), "a feasible plan has an objective")
        return
    sheets = {sheet.id: sheet for sheet in problem.sheets}
    total = Fraction(0)
    proposed, changing = set(problem.proposed), {sheet for sheet, _, _ in problem.proposed}
    for allocation in plan.allocations:
        key = (allocation.sheet, allocation.factory, allocation.line)
        offer, sheet = offers[key], sheets[allocation.sheet]
        tier = offer.tiers[allocation.tier]
        total += tier.fixed + (tier.unit.each + offer.ship.each + offer.risk.each) * allocation.quantity
        for week, pieces in allocation.weeks.items():
            late = max(0, week + offer.lead_weeks - sheet.due_week)
            total += sheet.late.each * late * Fraction(round(pieces * PARTS), PARTS)
        if allocation.sheet in changing and key not in proposed:
            total += problem.change_penalty
    opened = {a.factory for a in plan.allocations} - {frozen.factory for frozen in problem.frozen}
    total += sum(factory.open_cost for factory in problem.factories if factory.id in opened)
    total += sum(sheets[unserved.sheet].value.each * unserved.quantity for unserved in plan.unserved)
    _require(abs(total - plan.objective) <= Fraction(1, 2), f"the objective is {float(total)}, not {plan.objective}")
    _require(plan.bound is not None and plan.bound <= plan.objective, "the bound lies above the objective")
