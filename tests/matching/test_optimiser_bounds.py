"""Capacity prices: the bound against the optimum, reduced costs against what taking a pick really costs."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings

from c2m.matching.optimiser import Frozen, Problem, Rate, Stop, Tier, generate, solve
from c2m.matching.optimiser.columns import best_prices
from c2m.matching.optimiser.highs import minimise
from c2m.matching.optimiser.market import Market, compile_market, components
from c2m.matching.optimiser.model import Model
from c2m.matching.optimiser.pricing import Pricer
from tests.matching.optimiser_markets import EXACT, a_factory, a_problem, a_sheet, an_offer, least_cost, small_problems


def apart(market: Market) -> float:
    """What the sheets without any usable offer cost."""
    alone = [s for s, demand in enumerate(market.demands) if not demand.choices]
    return sum(market.demands[s].value * market.demands[s].quantity for s in alone)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(small_problems(weeks=2, must_serve=False))
def test_no_bound_lies_above_the_best_plan(problem: Problem) -> None:
    best, market = least_cost(problem), compile_market(problem)
    assert best is not None
    bounds = [best_prices(Pricer(market, sheets), 30, Stop(), 0).bound for sheets in components(market)]
    assert sum(bounds) + apart(market) <= float(best) + 1e-6


@settings(max_examples=60, deadline=None, derandomize=True)
@given(small_problems(weeks=2, must_serve=False))
def test_a_pick_of_some_slack_costs_at_least_that_much_above_the_bound(problem: Problem) -> None:
    market = compile_market(problem)
    parts = components(market)
    assume(parts)
    sheets = parts[0]
    pricer = Pricer(market, sheets)
    priced = best_prices(pricer, 30, Stop(), 0)
    for at, pick in enumerate(pricer.picks):
        model = Model(market, sheets, pricer.picks, market.capacity)
        model.program.lower[model.taken[pick]] = 1.0
        answer = minimise(model.program, seconds=10)
        if answer.values is not None:
            forced = sum(c * x for c, x in zip(model.program.cost, answer.values, strict=True))
            assert priced.bound + priced.slack[at] <= forced + 1e-4


def test_prices_of_whole_decisions_prove_more_than_the_relaxed_model() -> None:
    market = compile_market(generate(12, 6, 6, seed=1))
    (sheets,) = components(market)
    pricer = Pricer(market, sheets)
    relaxed = minimise(Model(market, sheets, pricer.picks, market.capacity, relaxed=True).program, seconds=10)
    assert relaxed.values is not None
    program = Model(market, sheets, pricer.picks, market.capacity, relaxed=True).program
    linear = sum(c * x for c, x in zip(program.cost, relaxed.values, strict=True))
    assert best_prices(pricer, 60, Stop(), 0).bound > linear * 1.0001


def test_pricing_anew_never_proves_less() -> None:
    market = compile_market(generate(20, 8, 6, seed=3))
    (sheets,) = components(market)
    bounds = [best_prices(Pricer(market, sheets), rounds, Stop(), 0).bound for rounds in (0, 1, 4, 12, 60)]
    assert bounds == sorted(bounds)
    assert bounds[0] < bounds[-1]


@pytest.mark.parametrize("lines", [1, 3])
def test_many_factories_may_share_a_sheet(lines: int) -> None:
    factories = [a_factory(f"F{f}", 3) for f in range(6)]
    offers = [an_offer("S1", f"F{f}", Tier(1, 9, 2, Rate(10 + f))) for f in range(6)]
    problem = a_problem([a_sheet("S1", 3 * lines + 1, due_week=1, value=Rate(100))], factories, offers)
    plan = solve(problem)
    cost = sum(2 + 3 * (10 + f) for f in range(lines)) + 2 + 10 + lines
    assert (plan.objective, plan.bound) == (cost, cost)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(small_problems(weeks=2, must_serve=False))
def test_a_relaxed_problem_is_never_worse(problem: Problem) -> None:
    """More capacity, another week of grace and no limit of factories can't make the best plan dearer."""
    strict = solve(problem)
    relaxed = replace(
        problem,
        sheets=tuple(replace(sheet, max_factories=None, min_fill=0) for sheet in problem.sheets),
        factories=tuple(
            replace(f, lines=tuple(replace(line, capacity=tuple(c + 1 for c in line.capacity)) for line in f.lines))
            for f in problem.factories
        ),
        banned=(),
    )
    loose = solve(relaxed)
    assert strict.objective is not None
    assert loose.objective is not None
    assert loose.objective <= strict.objective


def test_accepted_pieces_at_a_joined_factory_leave_the_other_slots_free() -> None:
    problem = a_problem(
        [a_sheet("S1", 9, due_week=1, max_factories=2, value=Rate(200))],
        [a_factory("F1", 4), a_factory("F2", 3), a_factory("F3", 9)],
        [an_offer("S1", f, Tier(1, 9, 0, Rate(money))) for f, money in (("F1", 5), ("F2", 6), ("F3", 50))],
        frozen=(Frozen("S1", "F1", "L", 2, {1: 2.0}),),
        settings=EXACT,
    )
    plan = solve(problem)
    assert plan.objective == 2 * 5 + 5 * 50
    assert Fraction(plan.bound or math.nan) == plan.objective
