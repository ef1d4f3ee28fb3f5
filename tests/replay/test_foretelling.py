"""What is stated of campaigns each day: from what was known then, never from what came later."""

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from c2m.replay.foretelling import COLUMNS, Foreteller
from c2m.replay.lines import OrderLine
from c2m.replay.measures import parse_ladder
from c2m.replay.pooling import Mode, market_days

FIRST = date(2026, 1, 1)


def line(day: int, product: str, quantity: int, customer: str) -> OrderLine:
    at = datetime(2026, 1, 1, 10, tzinfo=UTC) + timedelta(days=day)
    return OrderLine(1, "5", product, "", quantity, at, at.date(), 250, "GBP", customer, "")


def orders(days: int = 40, seed: int = 1) -> list[OrderLine]:
    rng = random.Random(seed)
    return [
        line(day, f"P{product}", rng.choice([2, 6, 24, 96]), str(rng.randrange(50)))
        for day in range(days)
        for product in range(12)
        if rng.random() < (product + 1) / 14
    ]


def foretold(lines: list[OrderLine], *, minimum: int = 1, mode: Mode = Mode.TRIGGER) -> list[dict[str, str]]:
    out = io.StringIO()
    foreteller = Foreteller(out, parse_ladder("100:5,300:10"), minimum=minimum, days=7)
    for today in market_days(lines, mode=mode):
        foreteller.add(today)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert foreteller.lines == len(rows)
    return rows


def test_each_campaign_tier_and_day_is_a_line() -> None:
    rows = foretold([line(0, "A", 60, "1"), line(2, "A", 70, "2")])
    assert tuple(rows[0]) == COLUMNS
    assert [(row["elapsed_days"], row["target"]) for row in rows] == [
        (str(day), target) for day in range(7) for target in ("100", "300")
    ]
    assert {(row["campaign"], row["opened"], row["final_quantity"]) for row in rows} == {("A", "2026-01-01", "130")}
    reached = [float(row["probability"]) for row in rows if row["target"] == "100"]
    assert max(reached[:3]) < 1
    assert reached[3:] == [1.0] * 4


def test_a_minimum_of_more_than_a_piece_is_a_target() -> None:
    assert {row["target"] for row in foretold([line(0, "A", 60, "1")], minimum=50)} == {"50", "100", "300"}


@pytest.mark.parametrize("mode", list(Mode))
def test_what_comes_later_changes_nothing_that_was_stated(mode: Mode) -> None:
    lines, poisoned_from = orders(), FIRST + timedelta(days=28)
    poisoned = [each if each.day < poisoned_from else line((each.day - FIRST).days, each.product, 9_999, each.customer)
                for each in lines]  # fmt: skip

    def stated_by(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
        return sorted(
            tuple(row[name] for name in COLUMNS[:-1])
            for row in rows
            if date.fromisoformat(row["opened"]) + timedelta(days=int(row["elapsed_days"])) <= poisoned_from
        )

    clean, dirty = foretold(lines, mode=mode), foretold(poisoned, mode=mode)
    assert stated_by(clean) == stated_by(dirty)
    assert clean != dirty


def test_what_is_stated_is_in_order_and_never_certain_before_it_is() -> None:
    rows = foretold(orders(60))
    for row in rows:
        p10, p50, p90 = (int(row[name]) for name in ("p10", "p50", "p90"))
        assert p10 <= p50 <= p90
        assert 0 < float(row["probability"]) <= 1
        if float(row["probability"]) == 1:
            assert int(row["final_quantity"]) >= int(row["target"])
    by_day = {(row["campaign"], row["opened"], row["elapsed_days"]): float(row["probability"]) for row in rows
              if row["target"] == "100"}  # fmt: skip
    for row in rows:
        if row["target"] == "300":
            assert float(row["probability"]) <= by_day[row["campaign"], row["opened"], row["elapsed_days"]]
