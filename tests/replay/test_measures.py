"""What pooling brought, in exact figures, and the same as calculated apart."""

import importlib.util
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2m.replay.lines import OrderLine
from c2m.replay.measures import BadLadder, Figures, Ladder, Measures, Step, parse_ladder
from c2m.replay.orders import Tally, order_lines
from c2m.replay.pooling import market_days

from .builders import a_file, a_line, a_row

LADDER = parse_ladder("100:5,500:10,1000:15")
REFERENCE = Path(__file__).parents[2] / "bench" / "replay_reference.py"


def figures(lines: Iterable[OrderLine], *, minimum: int = 1) -> Figures:
    measures = Measures(LADDER, minimum=minimum)
    for day in market_days(lines):
        measures.add(day)
    return measures.figures()


def test_a_ladder_is_pieces_and_percent_off() -> None:
    assert parse_ladder("100:5, 500:7.5") == Ladder((Step(100, 50_000), Step(500, 75_000)))
    assert [LADDER.off_ppm(pieces) for pieces in (99, 100, 499, 500, 1000, 9999)] == [
        0,
        50_000,
        50_000,
        100_000,
        150_000,
        150_000,
    ]


@pytest.mark.parametrize(
    "text",
    ["", "100", "100:", ":5", "x:5", "100:x", "100:5,", "0:5", "100:0", "100:100", "100:-5", "100:NaN", "100:0.00001",
     "100:Infinity", "500:10,100:5", "100:5,100:10", "100:10,500:5"],
)  # fmt: skip
def test_any_other_ladder_is_refused(text: str) -> None:
    with pytest.raises(BadLadder):
        parse_ladder(text)


def test_two_buyers_reach_together_what_neither_reaches_alone() -> None:
    lines = [
        a_line(buyer="17", quantity=60, price_minor=200),
        a_line(buyer="18", quantity=40, price_minor=300, day=date(2011, 3, 5)),
        a_line("10002", buyer="18", quantity=100, price_minor=100, day=date(2011, 3, 5)),
    ]
    assert figures(lines) == Figures(
        pledges=3,
        campaigns=2,
        succeeded=2,
        pieces=200,
        pooled_share={"100": 100.0, "500": 0.0, "1000": 0.0},
        unpooled_share={"100": 50.0, "500": 0.0, "1000": 0.0},
        # 5 % on 120.00 + 120.00; the third buyer earns 5 % on 100.00 alone already
        extra_saving_pct=pytest.approx(100 * 12 / 340),
        mean_wait_days=(60 * 7 + 40 * 3 + 100 * 7) / 200,
    )


def test_a_buyer_on_a_tier_of_his_own_saves_only_the_difference() -> None:
    lines = [a_line(buyer="17", quantity=400, price_minor=100), a_line(buyer="18", quantity=600, price_minor=100)]
    outcome = figures(lines)
    assert outcome.unpooled_share == {"100": 100.0, "500": 60.0, "1000": 0.0}
    assert outcome.pooled_share == {"100": 100.0, "500": 100.0, "1000": 100.0}
    assert outcome.extra_saving_pct == pytest.approx((400 * 10 + 600 * 5) / 1000)


def test_own_quantity_is_the_days_and_not_the_lines() -> None:
    outcome = figures([a_line(quantity=50), a_line(quantity=50, minute=1)])
    assert (outcome.unpooled_share["100"], outcome.extra_saving_pct) == (100.0, 0.0)


def test_a_campaign_below_its_minimum_pools_and_saves_nothing() -> None:
    lines = [a_line(quantity=60), a_line(buyer="18", quantity=40), a_line("10002", quantity=150)]
    outcome = figures(lines, minimum=101)
    assert (outcome.campaigns, outcome.succeeded, outcome.pieces) == (2, 1, 250)
    assert (outcome.pooled_share["100"], outcome.extra_saving_pct) == (60.0, 0.0)


def test_nothing_pledged_has_no_shares() -> None:
    assert figures([]) == Figures(
        pledges=0,
        campaigns=0,
        succeeded=0,
        pieces=0,
        pooled_share={"100": None, "500": None, "1000": None},
        unpooled_share={"100": None, "500": None, "1000": None},
        extra_saving_pct=None,
        mean_wait_days=None,
    )


def test_figures_are_refused_while_windows_are_open() -> None:
    measures = Measures(LADDER)
    measures.add(next(market_days([a_line()])))
    with pytest.raises(ValueError, match="1 windows are still open"):
        measures.figures()


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("replay_reference", REFERENCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "2", "C3"]),
            st.sampled_from(["10001", "10001a", "10001A", "POST"]),
            st.sampled_from([-400, -60, 1, 60, 400, 700]),
            st.integers(0, 60),
            st.sampled_from(["0.85", "1.95", "0"]),
            st.sampled_from(["17", "18", ""]),
        ),
        max_size=40,
    )
)
def test_the_figures_are_those_calculated_apart(
    tmp_path_factory: pytest.TempPathFactory,
    reference: ModuleType,
    orders: list[tuple[str, str, int, int, str, str]],
) -> None:
    orders = [("9", "10009", 1, 0, "1.00", "17"), *sorted(orders, key=lambda order: order[3])]
    rows = [
        a_row(invoice, product, quantity, str(datetime(2011, 3, 1) + timedelta(hours=9 * at)), price, customer)  # noqa: DTZ001 - as in the file
        for invoice, product, quantity, at, price, customer in orders
        if not (invoice.startswith("C") and quantity > 0)
    ]
    path = a_file(tmp_path_factory.getbasetemp(), *rows, name="apart.csv")
    tally = Tally()
    found = asdict(figures(order_lines(path, tally=tally)))
    expected = reference.reference(path, days=7, ladder=[(100, 5), (500, 10), (1000, 15)])
    assert (tally.lines_read, tally.lines_used, tally.netted, dict(tally.rejected)) == (
        expected["lines_read"],
        expected["lines_used"],
        expected["netted"],
        expected["rejected"],
    )
    assert found == {
        key: pytest.approx(expected[key], rel=1e-12, abs=1e-12) for key in found.keys() - {"succeeded"}
    } | {"succeeded": expected["campaigns"]}
