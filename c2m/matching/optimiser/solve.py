"""`solve`: from a problem to the best plan that the effort allows, with a proven bound, always refereed."""

import math
import time
from collections import defaultdict
from collections.abc import Iterator

from c2m.matching.optimiser.check import check
from c2m.matching.optimiser.component import Component
from c2m.matching.optimiser.costs import cost_split, exact_objective, rounded
from c2m.matching.optimiser.explain import Explainer
from c2m.matching.optimiser.market import Market, Order, compile_market, components
from c2m.matching.optimiser.params import THOROUGH, Params
from c2m.matching.optimiser.plan import Allocation, Plan, Status
from c2m.matching.optimiser.problem import Frozen, Problem
from c2m.matching.optimiser.stop import Stop
from c2m.matching.optimiser.validation import validate
from c2m.matching.optimiser.variants import split_variants

PPM = 1_000_000
NOISE = 1e-9  # relative error of a bound that was summed in floats
SMALLEST_GAP = 1e-4  # money units below which floats can't tell a gap from none


def solve(problem: Problem, stop: Stop | None = None, seed: int | None = None, params: Params = THOROUGH) -> Plan:
    """The best plan found: who makes how many pieces of which sheet in which weeks.

    Args:
        stop: when to stop; without one the problem's settings say so.
        seed: the same seed, effort and params give the same plan, unless the plan says `time_limited`.

    Raises:
        InvalidProblem: the problem contradicts itself.
    """
    began, cpu_began = time.monotonic(), time.thread_time()
    validate(problem)
    settings = problem.settings
    if stop is None:
        stop = Stop(effort=settings.effort, seconds=settings.time_limit_s)
    if seed is None:
        seed = settings.seed
    market = compile_market(problem)
    gap = settings.gap_ppm / PPM
    parts = [Component(market, sheets, params, seed + at, gap) for at, sheets in enumerate(components(market))]
    _search(parts, stop, params)
    plan = _plan(market, parts, stop, began, cpu_began)
    check(problem, plan)
    return plan


def _search(parts: list[Component], stop: Stop, params: Params) -> None:
    """Bound and plan every component, then put the effort where most money is still unexplained."""
    for part in parts:
        part.begin()
    for part in parts:
        if stop():
            return
        if part.open_gap > 0:
            part.price(stop)
    if not params.search:
        return
    open_parts = sorted((part for part in parts if part.open_gap > 0), key=lambda part: part.binaries)
    left = sum(part.binaries for part in open_parts)
    for part in open_parts:
        if stop():
            return
        # Half of what there is goes to the first round; a component on its own needs no second one.
        share = part.binaries / left * (0.5 if len(open_parts) > 1 else 1.0)
        part.improve(stop, stop.effort_left * share, stop.seconds_left * share)
        left -= part.binaries
    while not stop():
        open_parts = [part for part in open_parts if part.open_gap > 0]
        if not open_parts:
            return
        part = max(open_parts, key=lambda part: part.open_gap / part.tries)
        share = 0.5 if len(open_parts) > 1 else 1.0
        part.improve(stop, stop.effort_left * share, stop.seconds_left * share)


def _plan(market: Market, parts: list[Component], stop: Stop, began: float, cpu_began: float) -> Plan:
    problem = market.problem
    orders = [order for part in parts for order in part.orders]
    left = [demand.quantity for demand in market.demands]
    for order in orders:
        left[market.choices[order.choice].sheet] -= order.quantity
    status = _status(market, parts, left)
    objective = bound = gap_ppm = net_gap_ppm = None
    if status is Status.FEASIBLE:
        exact = exact_objective(market, orders)
        alone = [s for s, demand in enumerate(market.demands) if not demand.choices]
        apart = sum(problem.sheets[s].value.each * left[s] for s in alone)
        least = min(sum(part.bound for part in parts) + float(apart), float(exact))
        gap_ppm, net_gap_ppm = _gaps(market, float(exact), least)
        objective = rounded(exact)
        bound = math.floor(exact if gap_ppm == 0 else least - NOISE * abs(least))
        if gap_ppm <= problem.settings.gap_ppm:
            status = Status.OPTIMAL
    explainer = Explainer(market, orders)
    return Plan(
        status=status,
        time_limited=stop.time_limited,
        objective=objective,
        bound=bound,
        gap_ppm=gap_ppm,
        net_gap_ppm=net_gap_ppm,
        allocations=tuple(_allocations(market, orders, explainer)),
        unserved=tuple(explainer.unserved(s, pieces) for s, pieces in enumerate(left) if pieces > 0),
        seconds=time.monotonic() - began,
        cpu_seconds=time.thread_time() - cpu_began,
    )


def _status(market: Market, parts: list[Component], left: list[int]) -> Status:
    demands = list(zip(market.demands, left, strict=True))
    hopeless = any(demand.must_serve and pieces and not demand.choices for demand, pieces in demands)
    if hopeless or any(part.infeasible for part in parts):
        return Status.INFEASIBLE
    if any(demand.must_serve and pieces for demand, pieces in demands):
        return Status.UNKNOWN
    return Status.FEASIBLE


def _gaps(market: Market, cost: float, least: float) -> tuple[int, int | None]:
    """The gap in parts per million, of the cost and of the greatest net benefit, rounded up."""
    gap = cost - least
    if gap <= max(SMALLEST_GAP, NOISE * abs(cost)):
        return 0, 0
    sheets = zip(market.problem.sheets, market.demands, strict=True)
    benefit = float(sum(sheet.value.each * demand.quantity for sheet, demand in sheets)) - least
    return math.ceil(gap / abs(cost) * PPM), math.ceil(gap / benefit * PPM) if benefit > 0 else None


def _allocations(market: Market, orders: list[Order], explainer: Explainer) -> Iterator[Allocation]:
    problem = market.problem
    by_sheet: dict[int, list[Order]] = defaultdict(list)
    for order in orders:
        by_sheet[market.choices[order.choice].sheet].append(order)
    frozen: dict[str, list[Frozen]] = defaultdict(list)
    for accepted in problem.frozen:
        frozen[accepted.sheet].append(accepted)
    for s, theirs in sorted(by_sheet.items()):
        theirs.sort(key=lambda order: market.choices[order.choice].offer)
        sheet = problem.sheets[s]
        splits = split_variants(sheet, frozen[sheet.id], [order.quantity for order in theirs])
        for order, variants in zip(theirs, splits, strict=True):
            choice = market.choices[order.choice]
            offer = problem.offers[choice.offer]
            yield Allocation(
                sheet=sheet.id,
                factory=offer.factory,
                line=offer.line,
                tier=choice.prices[order.price].tier,
                quantity=order.quantity,
                variants=variants,
                weeks={week + 1: pieces for week, pieces in order.weeks},
                cost=cost_split(market, order),
                backup=explainer.backup(order),
            )
