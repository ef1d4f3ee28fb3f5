"""Tabu search of assignments against the best there is, found by trying everything."""

import random
from itertools import product

import numpy as np
import pytest

from c2m.matching.optimiser import Load, Problem, Rate, Stop, Tier
from c2m.matching.optimiser.assignment import Assignment, is_assignment
from c2m.matching.optimiser.market import Market, compile_market
from tests.matching.optimiser_markets import a_factory, a_problem, a_sheet, an_offer

VALUE = 70
JOBS, AGENTS = range(6), range(3)


def jobs_for_agents(seed: int, *, opening: bool) -> tuple[Problem, float]:
    """Six sheets of four pieces that go whole to one of three factories or nowhere, and what the best plan costs."""
    draw = random.Random(seed)
    cost = {(a, j): draw.randint(10, 250) for a in AGENTS for j in JOBS}
    load = {(a, j): draw.randint(5, 25) for a in AGENTS for j in JOBS}
    opens = [draw.randint(50, 150) if opening else 0 for _ in AGENTS]
    room = {a: sum(load[a, j] for j in JOBS) * 4 // 3 for a in AGENTS}
    problem = a_problem(
        [a_sheet(f"S{j}", 4, due_week=1, value=Rate(VALUE), min_fill=4, max_factories=1) for j in JOBS],
        [a_factory(f"F{a}", room[a], open_cost=opens[a]) for a in AGENTS],
        [
            an_offer(f"S{j}", f"F{a}", Tier(4, 4, cost[a, j], Rate(0)), load_per_piece=Load(load[a, j]))
            for a in AGENTS
            for j in JOBS
        ],
    )
    costs = [
        sum(4 * VALUE if a is None else cost[a, j] for j, a in enumerate(given_to))
        + sum(opens[a] for a in set(given_to) - {None})
        for given_to in product([*AGENTS, None], repeat=len(JOBS))
        if all(sum(4 * load[a, j] for j in JOBS if given_to[j] == a) <= room[a] for a in AGENTS)
    ]
    return problem, min(costs)


def searched(market: Market, seed: int) -> list[float]:
    """What the plans cost that a search from nobody's plan hands on."""
    plan = Assignment(market)
    plans = plan.search(plan.places([]), 1.0, random.Random(seed), Stop())
    return [market.cost(range(len(market.demands)), orders) for orders in plans]


@pytest.mark.parametrize("opening", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_search_finds_the_best_plan_of_a_small_market(
    seed: int, opening: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("c2m.matching.optimiser.assignment.TURNS", 1_500)
    problem, best = jobs_for_agents(seed, opening=opening)
    market = compile_market(problem)
    assert is_assignment(market)
    found = searched(market, seed)
    assert found[0] == best
    assert found == sorted(found)
    assert searched(market, seed) == found


def test_a_mixed_plan_is_rounded_to_its_greater_parts() -> None:
    market = compile_market(jobs_for_agents(0, opening=False)[0])
    plan = Assignment(market)
    first, second = market.demands[0].choices[:2]
    near = plan.rounded(plan.places([]), {(first, 0): 0.4, (second, 0): 0.6})
    assert [order.choice for order in plan.orders(near)] == [second]
    assert np.array_equal(plan.places(plan.orders(near)), near)


def test_sheets_that_may_be_split_are_no_assignment() -> None:
    split = a_problem(
        [a_sheet("S0", 4, due_week=1)], [a_factory("F0", 9)], [an_offer("S0", "F0", Tier(1, 4, 0, Rate(1)))]
    )
    assert not is_assignment(compile_market(split))
