"""Reading c2m.matching/1 strictly, and writing c2m.plan/1."""

import copy
import json
from typing import Any

import pytest

from c2m.matching.optimiser import InvalidProblem, Rate, generate, plan_document, read_problem, solve, write_problem

DOCUMENT: dict[str, Any] = {
    "format": "c2m.matching/1",
    "currency": "CNY",
    "money_scale": 100,
    "horizon": {"start": "2026-11-23", "weeks": 3},
    "sheets": [
        {
            "id": "S1",
            "requires": ["knit"],
            "region": None,
            "quantity": 350,
            "variants": [{"id": "S", "quantity": 150}, {"id": "M", "quantity": 200}],
            "earliest_week": 1,
            "due_week": 2,
            "max_late_weeks": 1,
            "value": {"money": 1990, "per": 1},
            "late": {"money": 40, "per": 1},
            "must_serve": False,
            "min_fill": 0,
            "max_factories": 2,
        }
    ],
    "factories": [
        {
            "id": "F1",
            "region": "Keqiao",
            "open_cost": 0,
            "on_time_ppm": 950000,
            "lines": [{"id": "L1", "provides": ["knit"], "unit": "minute", "capacity": [9000, 9000, 9000]}],
        }
    ],
    "offers": [
        {
            "sheet": "S1",
            "factory": "F1",
            "line": "L1",
            "load_per_piece": {"num": 127, "den": 10},
            "lead_weeks": 1,
            "ship": {"money": 20, "per": 1},
            "risk": {"money": 3, "per": 1},
            "tiers": [
                {"min": 100, "max": 299, "fixed": 25000, "unit": {"money": 930, "per": 1}},
                {"min": 300, "max": 999, "fixed": 25000, "unit": {"money": 900, "per": 1}},
            ],
        }
    ],
    "frozen": [{"sheet": "S1", "factory": "F1", "line": "L1", "quantity": 100, "weeks": {"1": 100}}],
    "banned": [],
    "change_penalty": 0,
    "settings": {"seed": 0, "effort": 1000, "time_limit_s": 60, "gap_ppm": 100},
}


def changed(path: list[str | int], value: Any) -> str:
    document = copy.deepcopy(DOCUMENT)
    node: Any = document
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return json.dumps(document)


def test_the_format_of_the_design_is_read() -> None:
    problem = read_problem(json.dumps(DOCUMENT))
    assert problem.sheets[0].value == Rate(1990)
    assert problem.offers[0].tiers[1].min == 300
    assert problem.frozen[0].weeks == {1: 100}


def test_a_written_problem_reads_back_the_same() -> None:
    problem = generate(8, 4, 5, seed=3)
    assert read_problem(write_problem(problem)) == problem


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (["surprise"], 1, "/surprise"),
        (["format"], "c2m.matching/2", "/format"),
        (["sheets", 0, "surprise"], 1, "/sheets/0/surprise"),
        (["sheets", 0, "quantity"], -1, "/sheets/0/quantity"),
        (["sheets", 0, "quantity"], True, "/sheets/0/quantity"),
        (["sheets", 0, "quantity"], 350.0, "/sheets/0/quantity"),
        (["sheets", 0, "quantity"], "350", "/sheets/0/quantity"),
        (["sheets", 0, "quantity"], 10**30, "/sheets/0/quantity"),
        (["sheets", 0, "quantity"], float("nan"), "/sheets/0/quantity"),
        (["sheets", 0, "value", "money"], float("inf"), "/sheets/0/value/money"),
        (["sheets", 0, "value", "per"], 0, "/sheets/0/value/per"),
        (["sheets", 0, "must_serve"], 1, "/sheets/0/must_serve"),
        (["sheets", 0, "earliest_week"], 3, "/sheets/0/due_week"),
        (["sheets", 0, "min_fill"], 351, "/sheets/0/min_fill"),
        (["sheets", 0, "variants", 1, "quantity"], 199, "/sheets/0/variants"),
        (["sheets", 0, "variants", 1, "id"], "S", "/sheets/0/variants/1/id"),
        (["sheets"], [DOCUMENT["sheets"][0]] * 2, "/sheets/1/id"),
        (["factories"], [DOCUMENT["factories"][0]] * 2, "/factories/1/id"),
        (["factories", 0, "lines"], DOCUMENT["factories"][0]["lines"] * 2, "/factories/0/lines/1/id"),
        (["factories", 0, "lines", 0, "capacity"], [1, 2], "/factories/0/lines/0/capacity"),
        (["factories", 0, "lines", 0, "capacity", 1], -5, "/factories/0/lines/0/capacity/1"),
        (["offers"], DOCUMENT["offers"] * 2, "/offers/1"),
        (["offers", 0, "sheet"], "S9", "/offers/0/sheet"),
        (["offers", 0, "factory"], "F9", "/offers/0/factory"),
        (["offers", 0, "line"], "L9", "/offers/0/line"),
        (["offers", 0, "load_per_piece", "den"], 0, "/offers/0/load_per_piece/den"),
        (["offers", 0, "tiers"], [], "/offers/0/tiers"),
        (["offers", 0, "tiers", 0, "min"], 400, "/offers/0/tiers/0/min"),
        (["offers", 0, "tiers", 1, "min"], 299, "/offers/0/tiers/1/min"),
        (["offers", 0, "tiers", 0, "fixed"], 10**15, "/offers/0/tiers/0/fixed"),
        (["frozen", 0, "quantity"], 351, "/frozen/0/quantity"),
        (["frozen", 0, "weeks"], {"4": 100}, "/frozen/0/weeks/4"),
        (["frozen", 0, "weeks"], {"1": 90}, "/frozen/0/weeks"),
        (["frozen", 0, "line"], "L9", "/frozen/0/line"),
        (["banned"], [["S1", "F9"]], "/banned/0/1"),
        (["banned"], [["S1"]], "/banned/0/1"),
        (["settings", "effort"], 0, "/settings/effort"),
    ],
)
def test_a_fault_is_refused_with_its_pointer(path: list[str | int], value: Any, pointer: str) -> None:
    with pytest.raises(InvalidProblem) as refusal:
        read_problem(changed(path, value))
    assert refusal.value.pointer == pointer
    assert refusal.value.sentence


def test_money_beyond_exact_floats_is_refused() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["sheets"][0] |= {"quantity": 10**9, "value": {"money": 10**12}, "variants": []}
    with pytest.raises(InvalidProblem, match="2\\^53") as refusal:
        read_problem(json.dumps(document))
    assert refusal.value.pointer == "/sheets/0/value"


def test_a_repeated_key_is_refused() -> None:
    text = json.dumps(DOCUMENT).replace('"quantity": 350', '"quantity": 350, "quantity": 350')
    with pytest.raises(InvalidProblem) as refusal:
        read_problem(text)
    assert refusal.value.pointer == "/sheets/0/quantity"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\xff"])
def test_what_is_no_problem_at_all_is_refused(text: str) -> None:
    with pytest.raises(InvalidProblem):
        read_problem(text)


def test_a_plan_is_written_with_the_keys_of_the_format() -> None:
    document = plan_document(solve(read_problem(json.dumps(DOCUMENT))))
    assert list(document) == [
        "format",
        "status",
        "time_limited",
        "objective",
        "bound",
        "gap_ppm",
        "net_gap_ppm",
        "allocations",
        "unserved",
        "seconds",
        "cpu_seconds",
    ]
    allocation = document["allocations"][0]
    assert allocation["quantity"] == 250
    assert allocation["tier"] == 0
    assert sum(allocation["variants"].values()) == 250
    # Week 1 holds all 250 pieces beside the frozen 100; pieces of week 2 would arrive a week late.
    assert set(allocation["weeks"]) == {"1"}
    assert allocation["cost"]["unit"] == 250 * 930
    assert allocation["cost"]["freight"] == 250 * 20
    assert document["objective"] == 25000 + 250 * (930 + 20 + 3)
    assert document["bound"] == document["objective"]
    assert json.loads(json.dumps(document, allow_nan=False)) == document
