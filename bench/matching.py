"""How near the optimiser comes to the best plan, beside greedy and HiGHS given the whole model and the same CPU time.

`python bench/matching.py [--market NAME …] [--seeds N] [--ablation] [--json]`. Every method solves every
market in a process of its own, in turn, within the same CPU seconds (process time: other work on the machine costs
nobody anything but patience). The net gap is (bound - net benefit) / bound against the best bound that any of them
proved; `ratio` is the optimiser's net gap over that of the whole model. Memory is the process's peak, with the problem.
"""

import argparse
import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

from c2m.matching.optimiser import QUICK, THOROUGH, Params, Problem, Stop, check, generate, solve
from c2m.matching.optimiser.costs import exact_objective
from c2m.matching.optimiser.greedy import by_density, by_regret, construct
from c2m.matching.optimiser.highs import minimise
from c2m.matching.optimiser.market import compile_market
from c2m.matching.optimiser.model import Model
from c2m.matching.optimiser.polish import polish


@dataclass(frozen=True)
class Size:
    sheets: int
    factories: int
    cpu_s: float
    linked: bool = False
    seeds: int = 1


MARKETS = {
    "50x20": Size(50, 20, 5.0, seeds=5),
    "200x100": Size(200, 100, 30.0, seeds=5),
    "200x100-linked": Size(200, 100, 30.0, linked=True, seeds=2),
    "1000x300": Size(1000, 300, 90.0),
    "1000x300-linked": Size(1000, 300, 90.0, linked=True),
    "3000x800": Size(3000, 800, 180.0),
}
METHODS = ("greedy", "optimiser", "whole")
DAILY = (220, 60)
ABLATIONS = {
    "everything": THOROUGH,
    "no ruin and recreate": replace(THOROUGH, ruins_per_sheet=0),
    "no shift and swap": replace(THOROUGH, moves=False),
    "no kernel MIP": replace(THOROUGH, kernel=False),
    "no neighbourhoods": replace(THOROUGH, whole_columns=10**9),
    "no whole MIP": replace(THOROUGH, whole_columns=0),
    "capacity priced 5 times": replace(THOROUGH, pricing_rounds=5),
    "no capacity prices": replace(THOROUGH, pricing_rounds=0),
    "no MIP at all": replace(THOROUGH, search=False),
}


@dataclass(frozen=True)
class Outcome:
    """What one method made of one market."""

    method: str
    cost: float
    bound: float
    worth: float
    cpu_s: float
    mib: int


def worth(problem: Problem) -> float:
    return float(sum(sheet.value.each * sheet.quantity for sheet in problem.sheets))


def outcome(method: str, size: Size, seed: int, params: Params = THOROUGH) -> Outcome:
    """Solve one market by one method within its CPU seconds."""
    problem = generate(size.sheets, size.factories, 12, seed, size.linked)
    began = time.process_time()
    if method == "optimiser":
        plan = solve(problem, Stop(seconds=size.cpu_s, clock=time.process_time), 0, params)
        check(problem, plan)
        cost, bound = float(plan.objective or math.inf), float(plan.bound or -math.inf)
    else:
        cost, bound = whole_model(problem, size.cpu_s) if method == "whole" else (greedy(problem), -math.inf)
    cpu_s, mib = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Outcome(method, cost, bound, worth(problem), round(cpu_s, 2), mib)


def greedy(problem: Problem) -> float:
    market = compile_market(problem)
    sheets = [s for s, demand in enumerate(market.demands) if demand.choices]
    orders = [construct(market, sheets, key(market)) for key in (by_regret, by_density)]
    return float(min(exact_objective(market, found) for found in orders))


def whole_model(problem: Problem, cpu_s: float) -> tuple[float, float]:
    """Cost and bound of HiGHS on one model of the whole market."""
    end = time.process_time() + cpu_s
    market = compile_market(problem)
    sheets = [s for s, demand in enumerate(market.demands) if demand.choices]
    picks = [(c, k) for c, choice in enumerate(market.choices) for k in range(len(choice.prices))]
    model = Model(market, sheets, picks, market.capacity, serve_all=True)
    answer = minimise(
        model.program,
        seconds=math.inf,
        gap=problem.settings.gap_ppm / 1e6,
        interrupted=lambda: time.process_time() > end,
    )
    orders = []
    if answer.values is not None:
        orders = polish(market, sheets, model.picked(answer.values), market.capacity, Stop(), 0) or []
    apart = sum(s.value.each * d.quantity for s, d in zip(problem.sheets, market.demands, strict=True) if not d.choices)
    return float(exact_objective(market, orders)), answer.bound + float(apart)


def in_a_process(method: str, name: str, seed: int, ablation: str = "everything") -> Outcome:
    """The outcome from a fresh process, so that its memory and CPU time are its own."""
    command = [sys.executable, __file__, "--one", method, name, str(seed), ablation]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return Outcome(**json.loads(answer.stdout))


def net_gap_pct(found: Outcome, bound: float) -> float:
    return round(100 * max(0.0, found.cost - bound) / (found.worth - bound), 4)


def compared(name: str, seed: int) -> dict[str, object]:
    """All methods on one market, one after the other."""
    outcomes = {method: in_a_process(method, name, seed) for method in METHODS}
    bound = max(found.bound for found in outcomes.values())
    row: dict[str, object] = {"market": name, "seed": seed, "budget_cpu_s": MARKETS[name].cpu_s}
    for method, found in outcomes.items():
        row[method] = {"net_gap_pct": net_gap_pct(found, bound), "cpu_s": found.cpu_s, "mib": found.mib}
    ours, theirs = (net_gap_pct(outcomes[method], bound) for method in ("optimiser", "whole"))
    row["own_bound_net_gap_pct"] = net_gap_pct(outcomes["optimiser"], outcomes["optimiser"].bound)
    row["ratio"] = round(ours / theirs, 3) if theirs else None
    return row


def ablations(name: str, seed: int) -> Iterator[dict[str, object]]:
    """The optimiser with one part left out at a time, against the best bound that any of them proved."""
    outcomes = {ablation: in_a_process("optimiser", name, seed, ablation) for ablation in ABLATIONS}
    bound = max(found.bound for found in outcomes.values())
    for ablation, found in outcomes.items():
        yield {
            "market": name,
            "seed": seed,
            "ablation": ablation,
            "net_gap_pct": net_gap_pct(found, bound),
            "own_bound_net_gap_pct": net_gap_pct(found, found.bound),
            "cpu_s": found.cpu_s,
        }


def daily(seed: int) -> dict[str, object]:
    """One day's problem of the order replay, with the quick parameters."""
    sheets, factories = DAILY
    plan = solve(generate(sheets, factories, 12, seed), Stop(seconds=60), params=QUICK)
    gap = None if plan.net_gap_ppm is None else plan.net_gap_ppm / 10_000
    return {"market": f"{sheets}x{factories} quick", "seed": seed, "net_gap_pct": gap, "cpu_s": plan.cpu_seconds}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--market", action="append", choices=MARKETS, help="only these; all without it")
    parser.add_argument("--seeds", type=int, help="how many seeds a market, instead of its own number")
    parser.add_argument("--quick", action="store_true", help="one seed of the smallest market")
    parser.add_argument("--ablation", action="store_true", help="leave out one part of the optimiser at a time")
    parser.add_argument("--json", action="store_true", help="one JSON object at the end instead of a line each")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        method, name, seed, ablation = options.one
        print(json.dumps(asdict(outcome(method, MARKETS[name], int(seed), ABLATIONS[ablation]))))
        return 0
    rows: list[dict[str, object]] = []

    def tell(row: dict[str, object]) -> None:
        rows.append(row)
        if not options.json:
            print(json.dumps(row), flush=True)

    for name in ["50x20"] if options.quick else options.market or MARKETS:
        for seed in range(1, (1 if options.quick else options.seeds or MARKETS[name].seeds) + 1):
            if options.ablation:
                for row in ablations(name, seed):
                    tell(row)
            else:
                tell(compared(name, seed))
    tell(daily(1))
    machine = {"python": platform.python_version(), "highspy": version("highspy"), "cpu": platform.machine()}
    tell({"machine": machine | {"load": os.getloadavg()}})
    if options.json:
        print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
