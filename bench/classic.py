"""How the optimiser does on the published problem classes, drawn anew by their published recipes.

`python bench/classic.py [--seconds S] [--quick] [--json]`. Generalised assignment of types c, d and e (Chu and Beasley
1997; Laguna et al. 1995), single-source capacitated facility location (Holmberg et al. 1999) and multi-source
capacitated facility location (Beasley 1988, with costs from points in the plane). The gap is (cost - bound) / bound
against the optimiser's own proven bound, so that it is an upper limit of the distance from the unknown optimum.
"""

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Callable
from datetime import date

from c2m.matching.optimiser import (
    Factory,
    Horizon,
    Line,
    Load,
    Offer,
    Problem,
    Rate,
    Settings,
    Sheet,
    Stop,
    Tier,
    check,
    solve,
)

START = date(2026, 11, 23)


def one_week(sheets: list[Sheet], factories: list[Factory], offers: list[Offer]) -> Problem:
    return Problem(
        format="c2m.matching/1",
        horizon=Horizon(START, 1),
        sheets=tuple(sheets),
        factories=tuple(factories),
        offers=tuple(offers),
        settings=Settings(effort=10**9, gap_ppm=0),
    )


def generalised_assignment(kind: str, agents: int, jobs: int, seed: int) -> Problem:
    """Every job to one agent, within each agent's capacity, at least cost."""
    draw = random.Random(seed)
    load, cost = {}, {}
    for a in range(agents):
        for j in range(jobs):
            if kind == "c":
                load[a, j], cost[a, j] = draw.randint(5, 25), draw.randint(10, 50)
            elif kind == "d":
                load[a, j] = draw.randint(1, 100)
                cost[a, j] = 111 - load[a, j] + draw.randint(-10, 10)
            else:
                load[a, j] = round(1 - 10 * math.log(1 - draw.random()))
                cost[a, j] = round(1000 / load[a, j] - 10 * draw.random())
    room = {a: int(0.8 * sum(load[a, j] for j in range(jobs)) / agents) for a in range(agents)}
    return one_week(
        [Sheet(f"J{j}", 1, due_week=1, must_serve=True) for j in range(jobs)],
        [Factory(f"A{a}", (Line("L", (room[a],)),)) for a in range(agents)],
        [
            Offer(f"J{j}", f"A{a}", "L", (Tier(1, 1, 0, Rate(max(0, cost[a, j]))),), Load(load[a, j]))
            for j in range(jobs)
            for a in range(agents)
        ],
    )


def single_source_location(sites: int, customers: int, seed: int) -> Problem:
    """Every customer from one site, sites with a capacity and an opening cost."""
    draw = random.Random(seed)
    customer_at = [(draw.uniform(10, 200), draw.uniform(10, 200)) for _ in range(customers)]
    site_at = [(draw.uniform(10, 200), draw.uniform(10, 200)) for _ in range(sites)]
    demand = [draw.randint(10, 50) for _ in range(customers)]
    room = [draw.randint(100, 500) for _ in range(sites)]
    factor = 2.5 * sum(demand) / sum(room)
    room = [max(max(demand), int(units * factor)) for units in room]
    return one_week(
        [
            Sheet(f"C{c}", demand[c], due_week=1, must_serve=True, min_fill=demand[c], max_factories=1)
            for c in range(customers)
        ],
        [Factory(f"S{s}", (Line("L", (room[s],)),), open_cost=draw.randint(300, 700)) for s in range(sites)],
        [
            Offer(f"C{c}", f"S{s}", "L", (Tier(demand[c], demand[c], round(math.dist(customer_at[c], site_at[s]))),))
            for c in range(customers)
            for s in range(sites)
        ],
    )


def multi_source_location(sites: int, customers: int, seed: int) -> Problem:
    """Customers share sites freely; costs are of a customer's whole demand, and exact as ratios."""
    draw = random.Random(seed)
    places = {
        f"{kind}{at}": (draw.random(), draw.random()) for kind, n in (("S", sites), ("C", customers)) for at in range(n)
    }
    demand = [draw.randint(50, 500) for _ in range(customers)]
    room = int(3 * sum(demand) / sites)
    return one_week(
        [Sheet(f"C{c}", demand[c], due_week=1, must_serve=True) for c in range(customers)],
        [Factory(f"S{s}", (Line("L", (room,)),), open_cost=draw.randint(7000, 17000)) for s in range(sites)],
        [
            Offer(
                f"C{c}",
                f"S{s}",
                "L",
                (
                    Tier(
                        0,
                        demand[c],
                        0,
                        Rate(int(40 * demand[c] * math.dist(places[f"C{c}"], places[f"S{s}"])), demand[c]),
                    ),
                ),
            )
            for c in range(customers)
            for s in range(sites)
        ],
    )


INSTANCES: dict[str, Callable[[], Problem]] = {
    **{
        f"assignment {kind} {agents}x{jobs}": lambda kind=kind, agents=agents, jobs=jobs: generalised_assignment(  # type: ignore[misc]
            kind, agents, jobs, 1
        )
        for kind in "cde"
        for agents, jobs in ((10, 100), (20, 200))
    },
    "single-source location 20x50": lambda: single_source_location(20, 50, 1),
    "single-source location 30x100": lambda: single_source_location(30, 100, 1),
    "multi-source location 16x50": lambda: multi_source_location(16, 50, 1),
    "multi-source location 50x50": lambda: multi_source_location(50, 50, 1),
}
SMALLEST = ("assignment c 10x100", "single-source location 20x50", "multi-source location 16x50")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds an instance")
    parser.add_argument("--quick", action="store_true", help="the smallest instance of each class, 3 seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    options = parser.parse_args()
    rows = []
    seconds = 3.0 if options.quick else options.seconds
    for name, draw in INSTANCES.items():
        if options.quick and name not in SMALLEST:
            continue
        problem = draw()
        began = time.process_time()
        plan = solve(problem, Stop(seconds=seconds, clock=time.process_time), 1)
        check(problem, plan)
        rows.append(
            {
                "instance": name,
                "status": plan.status.value,
                "objective": plan.objective,
                "bound": plan.bound,
                "gap_pct": None if plan.gap_ppm is None else plan.gap_ppm / 10_000,
                "cpu_s": round(time.process_time() - began, 2),
            }
        )
        if not options.json:
            print(json.dumps(rows[-1]), flush=True)
    if options.json:
        print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
