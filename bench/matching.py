"""How near the optimiser comes to the best plan, beside HiGHS given the whole model and the same CPU time.

`python bench/matching.py [--quick] [--json]`. The net gap is (bound - net benefit) / bound against the better of the
two proven bounds; `ratio` is the optimiser's net gap over that of the whole model.
"""

import argparse
import json
import math
import platform
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version

from c2m.matching.optimiser import QUICK, Problem, Stop, generate, solve
from c2m.matching.optimiser.costs import exact_objective
from c2m.matching.optimiser.highs import minimise
from c2m.matching.optimiser.market import compile_market
from c2m.matching.optimiser.model import Model
from c2m.matching.optimiser.polish import polish

MARKETS = [(50, 20, 10.0, False), (200, 100, 30.0, False), (200, 100, 30.0, True)]
QUICK_MARKETS = [(50, 20, 5.0, False)]
DAILY = (220, 60)


@dataclass
class Comparison:
    market: str
    seed: int
    budget_s: float
    optimiser_net_gap_pct: float
    optimiser_cpu_s: float
    whole_model_net_gap_pct: float
    whole_model_cpu_s: float
    ratio: float


@dataclass
class Daily:
    market: str
    seed: int
    net_gap_pct: float
    cpu_s: float


def whole_model(problem: Problem, seconds: float) -> tuple[float, float, float]:
    """Cost, bound and CPU seconds of HiGHS on one model of the whole market."""
    began = time.thread_time()
    market = compile_market(problem)
    sheets = [s for s, demand in enumerate(market.demands) if demand.choices]
    picks = [(c, k) for c, choice in enumerate(market.choices) for k in range(len(choice.prices))]
    model = Model(market, sheets, picks, market.capacity, serve_all=True)
    answer = minimise(model.program, seconds=seconds, gap=problem.settings.gap_ppm / 1e6)
    orders = []
    if answer.values is not None:
        orders = polish(market, sheets, model.picked(answer.values), market.capacity, Stop(), 0) or []
    apart = sum(s.value.each * d.quantity for s, d in zip(problem.sheets, market.demands, strict=True) if not d.choices)
    return float(exact_objective(market, orders)), answer.bound + float(apart), time.thread_time() - began


def compare(sheets: int, factories: int, seconds: float, linked: bool, seed: int) -> Comparison:
    problem = generate(sheets, factories, 12, seed, linked)
    plan = solve(problem, Stop(seconds=seconds))
    theirs, their_bound, their_cpu = whole_model(problem, seconds)
    if plan.objective is None or plan.bound is None:
        raise RuntimeError(f"no plan for {sheets} x {factories}, seed {seed}")
    bound = max(plan.bound, their_bound)
    benefit = float(sum(sheet.value.each * sheet.quantity for sheet in problem.sheets)) - bound
    ours_pct, theirs_pct = (100 * max(0.0, cost - bound) / benefit for cost in (plan.objective, theirs))
    return Comparison(
        market=f"{sheets} x {factories}{' linked' if linked else ''}",
        seed=seed,
        budget_s=seconds,
        optimiser_net_gap_pct=round(ours_pct, 4),
        optimiser_cpu_s=round(plan.cpu_seconds, 2),
        whole_model_net_gap_pct=round(theirs_pct, 4),
        whole_model_cpu_s=round(their_cpu, 2),
        ratio=round(ours_pct / theirs_pct, 3) if theirs_pct else math.nan,
    )


def daily(seed: int) -> Daily:
    """One day's problem of the order replay, with the quick parameters."""
    sheets, factories = DAILY
    plan = solve(generate(sheets, factories, 12, seed), Stop(seconds=60), params=QUICK)
    gap = math.nan if plan.net_gap_ppm is None else plan.net_gap_ppm / 10_000
    return Daily(f"{sheets} x {factories} quick", seed, round(gap, 4), round(plan.cpu_seconds, 2))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one small market only")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds a market")
    options = parser.parse_args()
    comparisons, days = [], []
    for sheets, factories, seconds, linked in QUICK_MARKETS if options.quick else MARKETS:
        for seed in range(1, options.seeds + 1):
            comparisons.append(found := compare(sheets, factories, seconds, linked, seed))
            if not options.json:
                print(
                    f"{found.market:20} seed {seed}: net gap {found.optimiser_net_gap_pct:.3f} % in "
                    f"{found.optimiser_cpu_s} s, whole model {found.whole_model_net_gap_pct:.3f} % in "
                    f"{found.whole_model_cpu_s} s, ratio {found.ratio}",
                    flush=True,
                )
    for seed in range(1, options.seeds + 1):
        days.append(day := daily(seed))
        if not options.json:
            print(f"{day.market:20} seed {seed}: net gap {day.net_gap_pct:.3f} % in {day.cpu_s} s", flush=True)
    if options.json:
        machine = {"python": platform.python_version(), "highspy": version("highspy"), "cpu": platform.machine()}
        rows = {"comparisons": [asdict(row) for row in comparisons], "daily": [asdict(row) for row in days]}
        print(json.dumps(rows | {"machine": machine}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
