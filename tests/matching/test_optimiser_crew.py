"""It doesn't matter who works on the components; progress is told; a solve can be halted from outside."""

from dataclasses import replace
from itertools import pairwise

import pytest

from c2m.matching.optimiser import Plan, Progress, Status, Stop, check, crew_of, generate, solve

LARGE = generate(60, 32, 8, seed=5)


def untimed(plan: Plan) -> Plan:
    return replace(plan, seconds=0.0, cpu_seconds=0.0)


def test_worker_processes_give_the_same_plan_as_this_process_alone() -> None:
    problem = generate(18, 16, 6, seed=1)
    plans = []
    for size in (1, 2):
        with crew_of(size) as crew:
            plans.append(solve(problem, Stop(effort=12), 3, crew=crew))
    assert not plans[0].time_limited
    assert untimed(plans[0]) == untimed(plans[1])
    assert plans[1].cpu_seconds > plans[0].cpu_seconds / 3  # what the workers spent is counted, too


def test_progress_only_gets_better_and_ends_at_the_plan() -> None:
    told: list[Progress] = []
    problem = generate(12, 6, 6, seed=2)
    plan = solve(problem, Stop(effort=20), progress=told.append)
    assert told
    for earlier, later in pairwise(told):
        assert later.cost <= earlier.cost
        assert later.bound >= earlier.bound
        assert later.seconds >= earlier.seconds
    assert plan.objective is not None
    assert plan.objective <= told[0].cost


@pytest.mark.parametrize("size", [1, 2])
def test_a_halted_solve_hands_out_the_best_plan_so_far(size: int) -> None:
    stop = Stop()
    with crew_of(size) as crew:
        plan = solve(LARGE, stop, crew=crew, progress=lambda _: stop.halt())
    assert plan.time_limited
    assert plan.status is Status.FEASIBLE
    check(LARGE, plan)


def test_shares_of_a_stop_are_charged_to_the_whole() -> None:
    stop = Stop(effort=10)
    share = stop.part(4, 60)
    share.spend(300, timed_out=False)
    assert share.effort_left == 1
    assert stop.effort_left == 10
    stop.settle(share)
    assert stop.effort_left == 7
    assert not stop.time_limited
    stop.halt()
    assert share()
    assert share.time_limited
