"""Why a sheet got its factories: how each offer stands, how near it was, what would have to change."""

import pytest

from c2m.matching.optimiser import (
    QUICK,
    Considered,
    Plan,
    Problem,
    Rate,
    Regret,
    Standing,
    Stop,
    Tier,
    Unlock,
    explain,
    explanation_document,
    generate,
    regret_without,
    solve,
)
from tests.matching.optimiser_markets import a_factory, a_problem, a_sheet, an_offer


def flat(money: int, minimum: int = 1, fixed: int = 0) -> Tier:
    return Tier(minimum, 1000, fixed, Rate(money))


def considered(problem: Problem, plan: Plan | None = None) -> dict[str, Considered]:
    explanation = explain(problem, plan or solve(problem), "S1")
    return {offer.factory: offer for offer in explanation.offers}


def test_a_dearer_factory_is_told_by_how_much_a_piece_it_would_have_to_come_down() -> None:
    problem = a_problem(
        [a_sheet(quantity=10)],
        [a_factory("F1"), a_factory("F2")],
        [an_offer("S1", "F1", flat(50)), an_offer("S1", "F2", flat(53, fixed=5))],
    )
    offers = considered(problem)
    assert offers["F1"] == Considered("F1", "L", Standing.CHOSEN, 10, cost=500, scarcity=offers["F1"].scarcity)
    assert offers["F2"] == Considered("F2", "L", Standing.DEARER, 10, cost=535, extra_cost=35, each_less=4)
    cheaper = a_problem(
        [a_sheet(quantity=10)],
        [a_factory("F1"), a_factory("F2")],
        [an_offer("S1", "F1", flat(50)), an_offer("S1", "F2", flat(49, fixed=5))],
    )
    assert considered(cheaper)["F2"].standing is Standing.CHOSEN


def test_what_keeps_an_offer_out_comes_with_the_figure_that_would_let_it_in() -> None:
    names = ("F1", "F2", "F3", "F4", "F5", "F6")
    problem = a_problem(
        [
            a_sheet("S1", 10, region="Keqiao", requires=("knit",), due_week=2, max_factories=1),
            a_sheet("S2", 8, due_week=2),
        ],
        [
            a_factory("F1", 20, 0, region="Keqiao", provides=("knit",)),
            a_factory("F2", 20, 0, region="Keqiao", provides=("knit",)),
            a_factory("F3", 20, 0, region="Keqiao", provides=("knit",)),
            a_factory("F4", 10, 0, region="Keqiao", provides=("knit",)),
            a_factory("F5", 20, 0, region="Humen", provides=("knit",)),
            a_factory("F6", 20, 0, region="Keqiao"),
        ],
        [
            an_offer("S1", "F1", flat(50)),
            an_offer("S1", "F2", flat(40, minimum=25)),
            an_offer("S1", "F3", flat(40), lead_weeks=3),
            an_offer("S1", "F4", flat(49)),
            an_offer("S2", "F4", flat(1)),
            an_offer("S1", "F5", flat(1)),
            an_offer("S1", "F6", flat(1)),
        ],
        banned=(("S1", "F5"),),
    )
    offers = considered(problem)
    assert [offers[name].standing for name in names] == [
        Standing.CHOSEN,
        Standing.MOQ,
        Standing.LEAD_TIME,
        Standing.CAPACITY,
        Standing.BANNED,
        Standing.NO_CAPABILITY,
    ]
    assert offers["F2"].pieces_missing == 15
    assert offers["F2"].unlock == Unlock(0, 15, 0)
    assert offers["F3"].weeks_late == 2
    assert offers["F4"].pieces_missing == 8


def test_the_pieces_to_the_next_tier_are_told_with_what_each_then_saves() -> None:
    tiers = (Tier(1, 99, 100, Rate(50)), Tier(100, 500, 100, Rate(45)))
    problem = a_problem([a_sheet(quantity=80)], [a_factory("F1", 500)], [an_offer("S1", "F1", *tiers)])
    # 100/80 + 50 = 51.25 each now, 100/100 + 45 = 46 with twenty more.
    assert considered(problem)["F1"].unlock == Unlock(1, 20, 5)


def test_capacity_that_others_want_has_a_price_and_idle_capacity_none() -> None:
    sheets = [a_sheet(f"S{s}", 10, due_week=1, value=Rate(60 + s)) for s in (1, 2, 3)]
    fought_for = a_problem(sheets, [a_factory("F1", 25)], [an_offer(sheet.id, "F1", flat(50)) for sheet in sheets])
    idle = a_problem(sheets, [a_factory("F1", 99)], [an_offer(sheet.id, "F1", flat(50)) for sheet in sheets])
    ((_, dear),) = explain(fought_for, solve(fought_for), "S3").offers[0].scarcity
    ((_, free),) = explain(idle, solve(idle), "S3").offers[0].scarcity
    assert dear == 11.0  # what a piece of S1, the least valuable, would gain there
    assert free == 0.0


def test_an_unserved_sheet_says_why_and_how_far_each_offer_is_from_paying() -> None:
    problem = a_problem([a_sheet(quantity=10, value=Rate(40))], [a_factory()], [an_offer("S1", "F1", flat(45))])
    plan = solve(problem)
    explanation = explain(problem, plan, "S1")
    assert explanation.unserved == plan.unserved[0]
    assert explanation.offers == (Considered("F1", "L", Standing.DEARER, 10, cost=450, extra_cost=50, each_less=5),)


def test_the_whole_plan_without_a_factory_costs_the_regret() -> None:
    sheets = [a_sheet("S1", 10, due_week=1), a_sheet("S2", 10, due_week=1)]
    problem = a_problem(
        sheets,
        [a_factory("F1", 20), a_factory("F2", 10)],
        [an_offer("S1", "F1", flat(50)), an_offer("S1", "F2", flat(52)), an_offer("S2", "F1", flat(50))],
    )
    assert regret_without(problem, solve(problem), "S1", "F1", Stop(effort=100)) == Regret(20, 20)
    assert regret_without(problem, solve(problem), "S1", "F2", Stop(effort=100)) == Regret(0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_every_sheet_of_a_market_can_be_explained(seed: int) -> None:
    problem = generate(10, 6, 5, seed)
    plan = solve(problem, Stop(effort=100), params=QUICK)
    given = {(allocation.sheet, allocation.factory): allocation for allocation in plan.allocations}
    for sheet in problem.sheets:
        explanation = explain(problem, plan, sheet.id)
        assert len(explanation.offers) == sum(offer.sheet == sheet.id for offer in problem.offers)
        for offer in explanation.offers:
            chosen = (sheet.id, offer.factory) in given
            assert (offer.standing is Standing.CHOSEN) == chosen
            if chosen:
                assert offer.quantity == given[sheet.id, offer.factory].quantity
        document = explanation_document(explanation)
        assert document["format"] == "c2m.explanation/1"
        assert [offer["factory"] for offer in document["offers"]] == [offer.factory for offer in explanation.offers]


def test_a_sheet_that_is_not_there_can_t_be_explained() -> None:
    problem = a_problem([a_sheet()], [a_factory()], [an_offer()])
    with pytest.raises(KeyError):
        explain(problem, solve(problem), "S9")
