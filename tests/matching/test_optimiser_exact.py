"""Plans against the best there is, found by trying everything: several classic problem classes."""

import random
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings

from c2m.matching.optimiser import Load, Problem, Rate, Status, Tier, check, solve
from tests.matching.optimiser_markets import a_factory, a_problem, a_sheet, an_offer, least_cost, small_problems


def assert_exact(problem: Problem, best: int | Fraction) -> None:
    plan = solve(problem)
    check(problem, plan)
    assert plan.status is Status.OPTIMAL
    assert plan.objective is not None
    assert abs(Fraction(plan.objective) - best) <= Fraction(1, 2)
    assert plan.bound is not None
    assert plan.bound <= best


@pytest.mark.parametrize("seed", range(4))
def test_generalised_assignment(seed: int) -> None:
    draw = random.Random(seed)
    jobs, agents = range(6), range(3)
    cost = {(a, j): draw.randint(10, 50) for a in agents for j in jobs}
    load = {(a, j): draw.randint(5, 25) for a in agents for j in jobs}
    room = {a: 8 * sum(load[a, j] for j in jobs) // 10 // 2 for a in agents}
    problem = a_problem(
        [a_sheet(f"S{j}", 1, due_week=1, value=Rate(0), must_serve=True) for j in jobs],
        [a_factory(f"F{a}", room[a]) for a in agents],
        [
            an_offer(f"S{j}", f"F{a}", Tier(1, 1, 0, Rate(cost[a, j])), load_per_piece=Load(load[a, j]))
            for a in agents
            for j in jobs
        ],
    )
    costs = [
        sum(cost[a, j] for j, a in enumerate(given_to))
        for given_to in product(agents, repeat=len(jobs))
        if all(sum(load[a, j] for j in jobs if given_to[j] == a) <= room[a] for a in agents)
    ]
    assert costs
    assert_exact(problem, min(costs))


@pytest.mark.parametrize("seed", range(4))
def test_single_source_facility_location(seed: int) -> None:
    draw = random.Random(seed)
    customers, sites = range(5), range(3)
    demand = [draw.randint(5, 20) for _ in customers]
    cost = {(f, c): draw.randint(20, 90) for f in sites for c in customers}
    opening = [draw.randint(50, 150) for _ in sites]
    room = [draw.randint(30, 45) for _ in sites]
    problem = a_problem(
        [
            a_sheet(f"S{c}", demand[c], due_week=1, value=Rate(0), must_serve=True, min_fill=demand[c], max_factories=1)
            for c in customers
        ],
        [a_factory(f"F{f}", room[f], open_cost=opening[f]) for f in sites],
        [an_offer(f"S{c}", f"F{f}", Tier(demand[c], demand[c], cost[f, c], Rate(0))) for f in sites for c in customers],
    )
    costs = [
        sum(cost[f, c] for c, f in enumerate(given_to)) + sum(opening[f] for f in set(given_to))
        for given_to in product(sites, repeat=len(customers))
        if all(sum(demand[c] for c in customers if given_to[c] == f) <= room[f] for f in sites)
    ]
    assert costs
    assert_exact(problem, min(costs))


def test_multi_source_facility_location_keeps_ratios_exact() -> None:
    # Two sites of 6, three customers of 3: the second site opens for the half that the first can't hold.
    cost = {("F1", "S1"): 10, ("F1", "S2"): 11, ("F1", "S3"): 10, ("F2", "S1"): 14, ("F2", "S2"): 12, ("F2", "S3"): 17}
    problem = a_problem(
        [a_sheet(f"S{c}", 3, due_week=1, value=Rate(0), must_serve=True) for c in (1, 2, 3)],
        [a_factory("F1", 6, open_cost=5), a_factory("F2", 6, open_cost=7)],
        [an_offer(s, f, Tier(0, 3, 0, Rate(money, 3))) for (f, s), money in cost.items()],
    )
    assert_exact(problem, 5 + 7 + 10 + 12 + 10)


@pytest.mark.parametrize("seed", range(4))
def test_several_price_tiers_share_a_line(seed: int) -> None:
    draw = random.Random(seed)
    sheets = [a_sheet(f"S{s}", draw.randint(3, 6), due_week=1, value=Rate(draw.randint(30, 60))) for s in range(3)]
    offers = [
        an_offer(
            sheet.id,
            factory,
            Tier(1, 2, draw.randint(0, 30), Rate(draw.randint(20, 40))),
            Tier(3, 4, draw.randint(0, 30), Rate(draw.randint(10, 30))),
            Tier(5, 9, draw.randint(0, 30), Rate(draw.randint(5, 20))),
        )
        for sheet in sheets
        for factory in ("F1", "F2")
    ]
    problem = a_problem(sheets, [a_factory("F1", 7), a_factory("F2", 4)], offers)
    best = least_cost(problem)
    assert best is not None
    assert_exact(problem, best)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(small_problems(weeks=1))
def test_any_small_problem_of_one_week(problem: Problem) -> None:
    best = least_cost(problem)
    if best is None:
        assert solve(problem).status is Status.INFEASIBLE
    else:
        assert_exact(problem, best)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(small_problems(weeks=2))
def test_any_small_problem_of_two_weeks(problem: Problem) -> None:
    best = least_cost(problem)
    if best is None:
        assert solve(problem).status is Status.INFEASIBLE
    else:
        assert_exact(problem, best)
