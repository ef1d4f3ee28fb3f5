"""Reading `c2m.matching/1` and writing `c2m.plan/1`: JSON in, JSON out, strict about everything."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from c2m.matching.optimiser.plan import Allocation, Plan, Unserved
from c2m.matching.optimiser.problem import Problem
from c2m.matching.optimiser.reasons import Considered, Explanation
from c2m.matching.optimiser.validation import InvalidProblem, pointer_to, validate

PLAN_FORMAT = "c2m.plan/1"
EXPLANATION_FORMAT = "c2m.explanation/1"

_SCHEMA = TypeAdapter(Problem)

SENTENCES = {
    "missing": "the format asks for this field",
    "unexpected_keyword_argument": "the format has no such field",
    "json_invalid": "the file is no JSON",
    "int_type": "a whole number is asked for",
    "string_type": "a text is asked for",
    "tuple_type": "a list is asked for",
}


def read_problem(text: str | bytes) -> Problem:
    """The problem that a `c2m.matching/1` document describes.

    Raises:
        InvalidProblem: it isn't JSON, or breaks the format anywhere; unknown fields are refused too.
    """
    try:
        problem = _SCHEMA.validate_json(text)
    except ValidationError as refusal:
        fault = refusal.errors(include_url=False, include_context=False)[0]
        path = [part for part in fault["loc"] if part != "[key]"]
        sentence = SENTENCES.get(fault["type"], fault["msg"])
        where = fault["msg"].removeprefix("Invalid JSON") if fault["type"] == "json_invalid" else ""
        raise InvalidProblem(pointer_to(*path), sentence + where) from None
    _refuse_repeated_keys(text)
    validate(problem)
    return problem


def write_problem(problem: Problem) -> str:
    """The `c2m.matching/1` document of a problem."""
    return _SCHEMA.dump_json(problem, indent=1).decode()


def plan_document(plan: Plan) -> dict[str, Any]:
    """The `c2m.plan/1` document of a plan, ready for `json.dumps`."""
    return {
        "format": PLAN_FORMAT,
        "status": plan.status.value,
        "time_limited": plan.time_limited,
        "objective": plan.objective,
        "bound": plan.bound,
        "gap_ppm": plan.gap_ppm,
        "net_gap_ppm": plan.net_gap_ppm,
        "allocations": [_allocation_document(allocation) for allocation in plan.allocations],
        "unserved": [_unserved_document(unserved) for unserved in plan.unserved],
        "seconds": round(plan.seconds, 3),
        "cpu_seconds": round(plan.cpu_seconds, 3),
    }


def write_plan(plan: Plan) -> str:
    """The `c2m.plan/1` document of a plan as text."""
    return json.dumps(plan_document(plan), indent=1, allow_nan=False)


def _allocation_document(allocation: Allocation) -> dict[str, Any]:
    document = asdict(allocation)
    document["weeks"] = {str(week): pieces for week, pieces in sorted(allocation.weeks.items())}
    if allocation.backup is None:
        del document["backup"]
    return document


def _unserved_document(unserved: Unserved) -> dict[str, Any]:
    document: dict[str, Any] = {
        "sheet": unserved.sheet,
        "quantity": unserved.quantity,
        "reason": unserved.reason.value,
    }
    for name in ("pieces_missing", "earliest_week", "shortfall"):
        if (figure := getattr(unserved, name)) is not None:
            document[name] = figure
    if unserved.line_weeks:
        document["line_weeks"] = [
            {"factory": factory, "line": line, "week": week} for factory, line, week in unserved.line_weeks
        ]
    return document


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """The `c2m.explanation/1` document of a sheet's explanation, without what doesn't apply."""
    left = explanation.unserved
    return {
        "format": EXPLANATION_FORMAT,
        "sheet": explanation.sheet,
        "quantity": explanation.quantity,
        "offers": [_considered_document(considered) for considered in explanation.offers],
        "unserved": None if left is None else _unserved_document(left),
    }


def _considered_document(considered: Considered) -> dict[str, Any]:
    document = {name: figure for name, figure in asdict(considered).items() if figure is not None}
    document["standing"] = considered.standing.value
    document["scarcity"] = {str(week): price for week, price in considered.scarcity}
    return document if considered.scarcity else {k: v for k, v in document.items() if k != "scarcity"}


class _Members(list[tuple[str, Any]]):
    """A JSON object kept as its members, so that a key that is there twice can be seen."""


def _refuse_repeated_keys(text: str | bytes) -> None:
    document = json.loads(text, object_pairs_hook=_Members)
    for path in _repeated(document, ()):
        raise InvalidProblem(pointer_to(*path), "this key is there twice")


def _repeated(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(node, _Members):
        seen: set[str] = set()
        for key, value in node:
            if key in seen:
                yield (*path, key)
            seen.add(key)
            yield from _repeated(value, (*path, key))
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield from _repeated(value, (*path, at))
