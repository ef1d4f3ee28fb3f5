"""What holds for every plan: it passes the referee, its bound lies below it, and the same seed gives it again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2m.matching.optimiser import QUICK, THOROUGH, InvalidPlan, Params, Plan, Problem, Status, Stop, check, generate
from c2m.matching.optimiser import solve as solve_problem
from tests.matching.optimiser_markets import small_problems

GREEDY_AND_LP = replace(THOROUGH, search=False)


def solve(problem: Problem, params: Params, seed: int = 0, effort: float = 60.0) -> Plan:
    """Solved by effort alone, so that nothing depends on the machine."""
    return solve_problem(problem, Stop(effort=effort), seed, params)


def untimed(plan: Plan) -> Plan:
    return replace(plan, seconds=0.0, cpu_seconds=0.0)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(1, 14), st.integers(1, 9), st.integers(2, 6), st.integers(0, 10**6), st.booleans())
def test_a_plan_of_any_market_is_valid_and_bounded(
    sheets: int, factories: int, weeks: int, seed: int, link: bool
) -> None:
    problem = generate(sheets, factories, weeks, seed, linked=link)
    plan = solve(problem, QUICK)
    check(problem, plan)
    assert plan.status in (Status.OPTIMAL, Status.FEASIBLE)
    assert plan.objective is not None
    assert plan.bound is not None
    assert plan.bound <= plan.objective
    worthless = sum(sheet.value.money * sheet.quantity for sheet in problem.sheets)
    assert plan.objective <= worthless


@settings(max_examples=40, deadline=None, derandomize=True)
@given(small_problems(weeks=3))
def test_searching_never_makes_a_plan_worse(problem: Problem) -> None:
    begun, searched = solve(problem, GREEDY_AND_LP), solve(problem, THOROUGH)
    if begun.objective is not None:
        assert searched.objective is not None
        assert searched.objective <= begun.objective
        assert begun.bound is not None
        assert searched.bound is not None
        assert begun.bound <= searched.bound


def test_a_component_too_large_for_one_mip_is_searched_by_kernel_and_neighbourhoods() -> None:
    problem = generate(16, 8, 6, seed=4, linked=True)
    small = replace(THOROUGH, whole_columns=160, neighbourhood_columns=150, kernel_picks=2)
    begun, searched = solve(problem, GREEDY_AND_LP), solve(problem, small, effort=60)
    assert begun.objective is not None
    assert searched.objective is not None
    assert searched.objective < begun.objective


@pytest.mark.parametrize("params", [QUICK, THOROUGH], ids=["quick", "thorough"])
def test_the_same_seed_gives_the_same_plan(params: Params) -> None:
    problem = generate(16, 8, 6, seed=7)
    first, second = solve(problem, params, seed=5), solve(problem, params, seed=5)
    assert not first.time_limited
    assert untimed(first) == untimed(second)


def test_threads_don_t_meet() -> None:
    problems = [generate(10, 6, 5, seed) for seed in range(4)]
    alone = [untimed(solve(problem, QUICK)) for problem in problems]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda problem: untimed(solve(problem, QUICK)), problems))
    assert together == alone


def test_a_deadline_is_kept_and_told() -> None:
    plan = solve_problem(generate(40, 16, 12, seed=1), Stop(seconds=0.2), 0)
    assert plan.time_limited
    assert plan.status is Status.FEASIBLE
    assert plan.allocations


def test_the_referee_refuses_a_plan_that_was_tampered_with() -> None:
    problem = generate(8, 5, 5, seed=2)
    plan = solve(problem, QUICK)
    first, *rest = plan.allocations
    week, pieces = next(iter(first.weeks.items()))
    tampered = [
        replace(plan, objective=(plan.objective or 0) - 1),
        replace(plan, bound=(plan.objective or 0) + 1),
        replace(plan, allocations=tuple(rest)),
        replace(plan, allocations=(first, first, *rest)),
        replace(plan, allocations=(replace(first, quantity=first.quantity + 1), *rest)),
        replace(plan, allocations=(replace(first, weeks={**first.weeks, week: pieces + 1}), *rest)),
        replace(plan, allocations=(replace(first, weeks={5: float(first.quantity)}, quantity=10**6), *rest)),
        replace(plan, allocations=(replace(first, variants={"S": first.quantity + 1}), *rest)),
        replace(plan, allocations=(replace(first, factory="F999"), *rest)),
        replace(plan, allocations=(replace(first, tier=9), *rest)),
    ]
    check(problem, plan)
    for fault in tampered:
        with pytest.raises(InvalidPlan):
            check(problem, fault)
    with pytest.raises(InvalidPlan, match="banned"):
        check(replace(problem, banned=((first.sheet, first.factory),)), plan)
    idle = tuple(
        replace(f, lines=tuple(replace(line, capacity=(0,) * 5) for line in f.lines)) for f in problem.factories
    )
    with pytest.raises(InvalidPlan, match="taken"):
        check(replace(problem, factories=idle), plan)
