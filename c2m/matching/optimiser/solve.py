"""`solve`: from a problem to the best plan that the effort allows, with a proven bound, always refereed."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from c2m.matching.optimiser.check import check
from c2m.matching.optimiser.component import Component
from c2m.matching.optimiser.costs import cost_split, exact_objective, rounded
from c2m.matching.optimiser.crew import Alone, Crew, Found, Share
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
FIRST_ROUND = 0.85  # of the effort and time; then components of the largest gap get LATER_ROUND of what is left
LATER_ROUND = 0.9
AT_ONCE = 2
SMALLEST_GAP = 1e-4  # money units below which floats can't tell a gap from none


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a solve has come: the cost of the best plan so far, and the bound proven so far."""

    seconds: float
    cost: float
    bound: float


def solve(
    problem: Problem,
    stop: Stop | None = None,
    seed: int | None = None,
    params: Params = THOROUGH,
    *,
    crew: Crew | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """The best plan found: who makes how many pieces of which sheet in which weeks.

    Args:
        stop: when to stop; without one the problem's settings say so.
        seed: the same seed, effort and params give the same plan, whoever works on it, unless it says `time_limited`.
        crew: who works on the components; this process without one.
        progress: called whenever plan or bound got better; it may halt the stop.

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
    own = [market.part(sheets) for sheets in components(market)]
    parts = [Component(part.market, params, seed + at, settings.gap_ppm / PPM) for at, part in enumerate(own)]

    def found(_at: int, _part: Component) -> None:
        if progress is not None:
            cost, bound = sum(part.cost for part in parts), sum(part.bound for part in parts)
            progress(Progress(time.monotonic() - began, cost, bound))

    _search(parts, stop, crew or Alone(), found)
    orders = [
        order._replace(choice=mine.choices[order.choice])
        for mine, part in zip(own, parts, strict=True)
        for order in part.orders
    ]
    plan = _plan(market, parts, orders, stop, began, cpu_began)
    check(problem, plan)
    return plan


def _search(parts: list[Component], stop: Stop, crew: Crew, found: Found) -> None:
    """Work on every component, then again and again on those where most money is still unexplained."""
    chosen = [at for at, part in enumerate(parts) if part.open_gap > 0]
    weights = [float(parts[at].binaries) for at in chosen]
    portion = 1.0 if len(chosen) == 1 else FIRST_ROUND
    while chosen and not stop():
        effort, seconds = stop.effort_left * portion, stop.seconds_left * portion
        shares = [
            Share(at, effort * weight / sum(weights), min(seconds, seconds * crew.size * weight / sum(weights)))
            for at, weight in zip(chosen, weights, strict=True)
        ]
        crew.work(parts, shares, stop, found)
        chosen = sorted(range(len(parts)), key=lambda at: -parts[at].open_gap / max(1, parts[at].tries))[:AT_ONCE]
        chosen = [at for at in chosen if parts[at].open_gap > 0 and parts[at].params.search]
        weights = [parts[at].open_gap / max(1, parts[at].tries) for at in chosen]
        portion = 1.0 if len(chosen) == 1 else LATER_ROUND


def _plan(
    market: Market, parts: list[Component], orders: list[Order], stop: Stop, began: float, cpu_began: float
) -> Plan:
    problem = market.problem
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
        cpu_seconds=time.thread_time() - cpu_began + sum(part.cpu_elsewhere for part in parts),
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
