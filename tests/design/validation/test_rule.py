"""The rule, the curve and the proposal it leads to."""

from uuid import UUID

import numpy as np
import pytest

from c2m.design.validation.curve import LONGEST_DAYS, SHORTEST_DAYS, Said, Span, demand_curve, evidence_at, proposal
from c2m.design.validation.demand import ASSUMED
from c2m.design.validation.rule import STATED_RULE, Decision, decide
from c2m.design.validation.signals import Signal, funnel

SPAN = Span(7.0, 7.0)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def said(price: int, quantity: int = 2, *, buyer: int = 0, deposited: bool = True) -> Said:
    return Said(UUID(int=buyer), price, quantity, deposited)


CROWD = [said(50_00 + 100 * (buyer % 30), 1 + buyer % 5, buyer=buyer, deposited=buyer % 2 == 0) for buyer in range(90)]


@pytest.mark.parametrize(
    ("chance", "buyers", "share", "expected"),
    [
        (0.99, 40, 0.5, Decision.VALIDATED),
        (0.989, 10, 0.4, Decision.VALIDATED),
        (0.988, 40, 0.9, Decision.GO_ON),
        (1.0, 9, 0.9, Decision.GO_ON),
        (1.0, 40, 0.39, Decision.GO_ON),
        (0.01, 40, 0.39, Decision.GO_ON),
        (0.01, 0, 0.5, Decision.STOP),
        (0.02, 40, 0.5, Decision.GO_ON),
    ],
)
def test_the_rule_decides_as_stated(chance: float, buyers: int, share: float, expected: Decision) -> None:
    assert decide(STATED_RULE, chance=chance, buyers=buyers, share_of_time=share) is expected


def test_a_buyer_counts_once_with_all_they_said_up_to_their_price() -> None:
    wants = [
        said(60_00, 4, buyer=1, deposited=False),
        said(90_00, 2, buyer=1),
        said(60_00, 3, buyer=2, deposited=False),
    ]
    low, high = evidence_at(60_00, wants), evidence_at(90_00, wants)
    assert (low.buyers.tolist(), low.pieces.tolist(), low.squares.tolist()) == ([1, 1], [3, 6], [9, 36])
    assert (high.buyers.tolist(), high.pieces.tolist()) == ([0, 1], [0, 2])


def test_a_lower_price_never_sells_fewer() -> None:
    curve = demand_curve(CROWD, ASSUMED, SPAN, asked_minor=69_00, minimum=150, rng=rng())
    assert [point.price_minor for point in curve] == sorted({point.price_minor for point in curve}, reverse=True)
    assert len(curve) <= 12
    assert 69_00 in [point.price_minor for point in curve]
    for name in ("said", "low", "expected", "high", "chance"):
        figures = [getattr(point, name) for point in curve]
        assert figures == sorted(figures), name
    assert all(point.low <= point.expected <= point.high for point in curve)


def proposed(minimum: int, wants: list[Said], asked_minor: int = 69_00) -> tuple[int, int, float]:
    curve = demand_curve(wants, ASSUMED, SPAN, asked_minor=asked_minor, minimum=minimum, rng=rng())
    found = proposal(wants, ASSUMED, SPAN.seen, curve, asked_minor=asked_minor, minimum=minimum, rng=rng())
    assert found.minimum == minimum
    return found.price_minor, found.days, found.chance


def test_the_dearest_price_that_is_likely_enough_is_proposed_with_the_days_it_takes() -> None:
    few, many = proposed(60, CROWD), proposed(140, CROWD)
    assert few[0] > many[0]
    assert few[2] >= 0.8
    assert SHORTEST_DAYS <= few[1] <= LONGEST_DAYS


def test_without_enough_voices_the_price_asked_is_kept() -> None:
    assert proposed(1, [said(99_00, 50, buyer=buyer) for buyer in range(9)])[0] == 69_00
    assert proposed(100_000, CROWD)[:2] == (69_00, LONGEST_DAYS)


def test_shares_of_the_funnel_are_of_the_step_that_everybody_passes() -> None:
    counts = dict(zip(Signal, (200, 50, 10, 4, 5, 2), strict=True))
    steps = {step.signal: step.share for step in funnel(counts)}
    assert steps == {
        Signal.IMPRESSION: None,
        Signal.VIEW: 0.25,
        Signal.SAVE: 0.2,
        Signal.ASK: 0.08,
        Signal.WANT: 0.1,
        Signal.DEPOSIT: 0.4,
    }
    assert funnel({Signal.VIEW: 3})[1].share is None
