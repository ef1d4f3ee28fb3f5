"""Why pieces stay unserved, what the next best would cost, and what frozen, banned and proposed do."""

from dataclasses import replace

import pytest

from c2m.matching.optimiser import (
    QUICK,
    Backup,
    Frozen,
    InvalidProblem,
    Load,
    Plan,
    Problem,
    Rate,
    Reason,
    Sheet,
    Status,
    Tier,
    Unserved,
    Variant,
    solve,
)
from c2m.matching.optimiser.explain import Explainer
from c2m.matching.optimiser.market import compile_market
from tests.matching.optimiser_markets import a_factory, a_problem, a_sheet, an_offer


def unserved(problem: Problem) -> Unserved:
    plan = solve(problem)
    assert len(plan.unserved) == 1
    return plan.unserved[0]


def one_on_one(sheet: Sheet, *tiers: Tier, capacity: tuple[int, ...] = (100, 100), lead_weeks: int = 0) -> Problem:
    return a_problem([sheet], [a_factory("F1", *capacity)], [an_offer("S1", "F1", *tiers, lead_weeks=lead_weeks)])


def given(plan: Plan) -> dict[tuple[str, str], int]:
    return {(allocation.sheet, allocation.factory): allocation.quantity for allocation in plan.allocations}


def test_nobody_has_the_capability() -> None:
    problem = a_problem([a_sheet(requires=("knit",))], [a_factory("F1", 100, provides=("denim",))], [an_offer()])
    assert unserved(problem) == Unserved("S1", 10, Reason.NO_CAPABILITY)


def test_the_capable_are_elsewhere() -> None:
    problem = a_problem([a_sheet(region="Keqiao")], [a_factory("F1", 100, region="Humen")], [an_offer()])
    assert unserved(problem) == Unserved("S1", 10, Reason.REGION)


def test_nobody_capable_makes_an_offer() -> None:
    problem = a_problem([a_sheet()], [a_factory()], [an_offer()], banned=(("S1", "F1"),))
    assert unserved(problem) == Unserved("S1", 10, Reason.NO_OFFER)


def test_the_minimum_is_out_of_reach_and_says_by_how_much() -> None:
    problem = one_on_one(a_sheet(quantity=10), Tier(25, 100, 0, Rate(1)), Tier(101, 200, 0, Rate(1)))
    assert unserved(problem) == Unserved("S1", 10, Reason.MOQ, pieces_missing=15)


def test_the_lead_time_is_too_long_and_says_the_earliest_arrival() -> None:
    problem = one_on_one(a_sheet(earliest_week=2, due_week=3, max_late_weeks=1), lead_weeks=4)
    assert unserved(problem) == Unserved("S1", 10, Reason.LEAD_TIME, earliest_week=6)


def test_the_price_is_above_the_value_and_says_the_shortfall() -> None:
    problem = one_on_one(a_sheet(value=Rate(100)), Tier(1, 100, 70, Rate(95)))
    assert unserved(problem) == Unserved("S1", 10, Reason.PRICE, shortfall=70 + 10 * 95 - 10 * 100)


def test_capacity_runs_out_and_says_in_which_weeks() -> None:
    problem = one_on_one(a_sheet(quantity=10, due_week=2), capacity=(3, 4))
    assert unserved(problem) == Unserved("S1", 3, Reason.CAPACITY, line_weeks=(("F1", "L", 1), ("F1", "L", 2)))


def test_capacity_left_below_the_minimum_is_no_capacity() -> None:
    problem = one_on_one(a_sheet(quantity=10), Tier(8, 10, 0, Rate(1)), capacity=(3, 4))
    assert unserved(problem).reason is Reason.CAPACITY


def test_another_factory_would_be_one_too_many() -> None:
    problem = a_problem(
        [a_sheet(quantity=10, max_factories=1)],
        [a_factory("F1", 6), a_factory("F2", 5)],
        [an_offer("S1", "F1"), an_offer("S1", "F2")],
    )
    assert unserved(problem) == Unserved("S1", 4, Reason.MAX_FACTORIES)


def test_the_fill_is_out_of_reach() -> None:
    problem = one_on_one(a_sheet(quantity=10, min_fill=9), capacity=(3, 4))
    problem = replace(problem, sheets=(replace(problem.sheets[0], max_factories=2),))
    assert unserved(problem) == Unserved("S1", 10, Reason.MIN_FILL, pieces_missing=2)


def test_a_line_that_another_sheet_takes_has_no_capacity() -> None:
    problem = a_problem(
        [a_sheet("S1", 10, min_fill=10, max_factories=1), a_sheet("S2", 10, min_fill=10, max_factories=1)],
        [a_factory("F1", 10)],
        [an_offer("S1", "F1"), an_offer("S2", "F1")],
    )
    assert unserved(problem).reason is Reason.CAPACITY


def test_pieces_left_although_they_would_fit_are_not_given_a_false_reason() -> None:
    market = compile_market(one_on_one(a_sheet(quantity=10)))
    assert Explainer(market, []).unserved(0, 10) == Unserved("S1", 10, Reason.NOT_PROVEN)


def test_a_must_serve_sheet_that_can_t_be_served_makes_the_problem_infeasible() -> None:
    problem = one_on_one(a_sheet(quantity=10, must_serve=True), capacity=(3, 4))
    plan = solve(problem)
    assert plan.status is Status.INFEASIBLE
    assert (plan.objective, plan.bound, plan.gap_ppm, plan.net_gap_ppm) == (None, None, None, None)
    assert plan.unserved[0].reason is Reason.CAPACITY


def test_the_backup_is_the_cheapest_factory_with_room_for_all_of_it() -> None:
    problem = a_problem(
        [a_sheet(quantity=10, due_week=1, late=Rate(2), max_late_weeks=1)],
        [a_factory("F1", 10, 0), a_factory("F2", 9, 0), a_factory("F3", 0, 20), a_factory("F4", 20, 0)],
        [an_offer("S1", f, Tier(1, 99, 5, Rate(unit))) for f, unit in (("F1", 10), ("F2", 11), ("F3", 12), ("F4", 15))],
    )
    (allocation,) = solve(problem).allocations
    assert allocation.factory == "F1"
    assert allocation.cost.total == 5 + 100
    assert allocation.backup == Backup("F3", "L", 10 * 2 + 10 * 2)


def test_every_kind_of_cost_is_told() -> None:
    problem = a_problem(
        [a_sheet(quantity=4, due_week=1, max_late_weeks=1, late=Rate(7))],
        [a_factory("F1", 6, 6)],
        [an_offer("S1", "F1", Tier(1, 9, 11, Rate(50)), ship=Rate(3), risk=Rate(3, 2), load_per_piece=Load(2))],
    )
    plan = solve(problem)
    (allocation,) = plan.allocations
    cost = allocation.cost
    assert allocation.weeks == {1: 3.0, 2: 1.0}
    assert (cost.setup, cost.unit, cost.freight, cost.risk, cost.lateness) == (11, 200, 12, 6, 7)
    assert plan.objective == cost.total


def test_an_accepted_allocation_takes_its_quantity_capacity_and_factory() -> None:
    problem = a_problem(
        [a_sheet("S1", 10, max_factories=1, variants=(Variant("S", 6), Variant("M", 4))), a_sheet("S2", 5)],
        [a_factory("F1", 12), a_factory("F2", 12)],
        [an_offer("S1", "F1"), an_offer("S1", "F2", Tier(1, 99, 0, Rate(1))), an_offer("S2", "F1")],
        frozen=(Frozen("S1", "F1", "L", 7, {1: 7.0}, {"S": 5, "M": 2}),),
    )
    plan = solve(problem)
    # F1 has 5 pieces of room left for 3 of S1 and 5 of S2; S1 may not turn to the cheaper F2.
    assert set(given(plan)) <= {("S1", "F1"), ("S2", "F1")}
    assert sum(given(plan).values()) == 5
    for allocation in plan.allocations:
        if allocation.sheet == "S1":
            assert allocation.variants.get("S", 0) <= 1
            assert allocation.variants.get("M", 0) <= 2


def test_accepted_pieces_count_towards_the_fill() -> None:
    problem = a_problem(
        [a_sheet("S1", 10, min_fill=9)],
        [a_factory("F1", 9)],
        [an_offer("S1", "F1")],
        frozen=(Frozen("S1", "F1", "L", 7, {1: 7.0}),),
    )
    assert given(solve(problem)) == {("S1", "F1"): 2}


def test_a_banned_factory_gets_nothing() -> None:
    problem = a_problem(
        [a_sheet()],
        [a_factory("F1"), a_factory("F2")],
        [an_offer("S1", "F1", Tier(1, 99, 0, Rate(1))), an_offer("S1", "F2")],
        banned=(("S1", "F1"),),
    )
    assert given(solve(problem)) == {("S1", "F2"): 10}


@pytest.mark.parametrize(("penalty", "factory"), [(0, "F2"), (9, "F2"), (11, "F1")])
def test_leaving_an_open_proposal_costs_the_change_penalty(penalty: int, factory: str) -> None:
    problem = a_problem(
        [a_sheet(quantity=10)],
        [a_factory("F1"), a_factory("F2")],
        [an_offer("S1", "F1", Tier(1, 99, 0, Rate(3))), an_offer("S1", "F2", Tier(1, 99, 0, Rate(2)))],
        proposed=(("S1", "F1", "L"),),
        change_penalty=penalty,
    )
    (allocation,) = solve(problem).allocations
    assert allocation.factory == factory
    assert allocation.cost.change == (penalty if factory == "F2" else 0)


def test_a_sheet_without_pieces_needs_nothing() -> None:
    plan = solve(a_problem([a_sheet(quantity=0)], [a_factory()], [an_offer()]), params=QUICK)
    assert (plan.status, plan.objective, plan.bound, plan.allocations) == (Status.OPTIMAL, 0, 0, ())


def test_a_problem_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(InvalidProblem, match="/offers/0/factory"):
        solve(a_problem([a_sheet()], [a_factory()], [an_offer("S1", "F9")]))


def test_what_fits_and_would_not_pay_for_opening_the_factory_has_a_price() -> None:
    sheet, offer = a_sheet("S", 40, value=Rate(10)), an_offer("S", "F", Tier(1, 40, 0, Rate(7)))
    plan = solve(a_problem([sheet], [a_factory("F", 30, open_cost=100)], [offer]))
    [left] = plan.unserved
    assert plan.status is Status.OPTIMAL
    assert (left.quantity, left.reason, left.shortfall) == (40, Reason.PRICE, 10)  # 100 to open for 30 × 3
