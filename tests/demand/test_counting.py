"""The decision of a close: exact figures by hand, and the same as the plainest way of deciding it, whatever comes."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2m.demand.counting import Line, LineEnd, Make, Outcome, Stake, Terms, Verdict, settle
from c2m.demand.rules import Ladder

LADDER = Ladder.of([(1, 40_00), (50, 34_00), (60, 30_00), (200, 29_00)])
RED_M, RED_L, BLUE_M, BLUE_L, GREEN_M = (UUID(int=i) for i in range(1, 6))
MAKES = {
    RED_M: Make("red", "M"),
    RED_L: Make("red", "L"),
    BLUE_M: Make("blue", "M"),
    BLUE_L: Make("blue", "L"),
    GREEN_M: Make("green", "M"),
}
TERMS = Terms(LADDER, minimum=10, variants=MAKES)


def a_stake(number: int, pieces: int = 0, flexible: int = 0, *lines: Line, **fields: object) -> Stake:
    """A pledge for pieces of the red M, or for these lines, joined at ¥40 unless said otherwise."""
    made_of = lines or (Line(RED_M, pieces, flexible),)
    whole = sum(line.pieces + line.flexible for line in made_of)
    price = fields.get("price_minor", 40_00)
    assert isinstance(price, int)
    row = {"price_minor": price, "charged_minor": price * whole} | fields
    return Stake(UUID(int=100 + number), made_of, **row)  # type: ignore[arg-type]


def test_without_any_of_it_everyone_ends_on_the_tier_reached() -> None:
    verdict = settle(TERMS, [a_stake(1, 30), a_stake(2, 25)])
    assert (verdict.outcome, verdict.quantity, verdict.price_minor) == (Outcome.SUCCEEDED, 55, 34_00)
    assert [share.back_minor for share in verdict.shares] == [30 * 6_00, 25 * 6_00]


def test_flexible_pieces_complete_a_tier_oldest_first_and_only_as_many_as_needed() -> None:
    verdict = settle(TERMS, [a_stake(1, 30, 3), a_stake(2, 15, 10)])
    assert (verdict.quantity, verdict.price_minor) == (50, 34_00)
    assert [line for share in verdict.shares for line in share.lines] == [
        LineEnd(RED_M, RED_M, 30, taken=3, freed=0),
        LineEnd(RED_M, RED_M, 15, taken=2, freed=8),
    ]
    assert [share.back_minor for share in verdict.shares] == [33 * 6_00, 17 * 6_00 + 8 * 40_00]


def test_flexible_pieces_that_reach_no_tier_come_back() -> None:
    verdict = settle(TERMS, [a_stake(1, 30, 19)])
    assert (verdict.quantity, verdict.price_minor) == (30, 40_00)
    assert verdict.shares[0].back_minor == 19 * 40_00


def test_flexible_pieces_never_go_beyond_the_cap() -> None:
    verdict = settle(replace(TERMS, cap=55), [a_stake(1, 45, 30)])
    assert (verdict.quantity, verdict.price_minor) == (50, 34_00)


def test_flexible_pieces_fill_the_last_pack_or_none() -> None:
    terms = replace(TERMS, pack_pieces=12)
    assert settle(terms, [a_stake(1, 20, 4)]).quantity == 24
    assert settle(terms, [a_stake(1, 20, 3)]).quantity == 20
    assert settle(replace(terms, cap=23), [a_stake(1, 20, 4)]).quantity == 20


def test_ceilings_are_reached_together_that_none_reaches_alone() -> None:
    thirty = [a_stake(i, 10, ceiling_minor=30_00, price_minor=30_00) for i in range(2, 5)]
    verdict = settle(TERMS, [a_stake(1, 30), *thirty])
    assert (verdict.quantity, verdict.price_minor) == (60, 30_00)
    assert [share.quantity for share in verdict.shares] == [30, 10, 10, 10]


def test_whoever_misses_the_ceiling_gets_everything_back() -> None:
    verdict = settle(TERMS, [a_stake(1, 45), a_stake(2, 4, ceiling_minor=34_00, price_minor=34_00)])
    assert (verdict.quantity, verdict.price_minor) == (45, 40_00)
    left_out = verdict.shares[1]
    assert (left_out.misses_ceiling, left_out.quantity, left_out.back_minor) == (True, 0, 4 * 34_00)


def test_whoever_accepts_a_dearer_price_stays_at_it() -> None:
    dearer = a_stake(2, 5, ceiling_minor=30_00, accepts_dearer=True)
    verdict = settle(TERMS, [a_stake(1, 45), dearer])
    assert (verdict.quantity, verdict.price_minor) == (50, 34_00)
    assert verdict.shares[1].accepts_dearer
    assert verdict.shares[1].back_minor == 5 * 6_00


def test_a_colour_ordered_too_seldom_moves_to_the_other_or_is_given_up() -> None:
    terms = replace(TERMS, colour_minimum=10)
    moves = a_stake(2, 0, 0, Line(BLUE_M, 4, 1), fallback_colour="red")
    drops = a_stake(3, 0, 0, Line(BLUE_L, 3), Line(RED_M, 2))
    gone = a_stake(4, 0, 0, Line(BLUE_M, 2), fallback_colour="green")
    verdict = settle(terms, [a_stake(1, 20), moves, drops, gone])
    assert (verdict.quantity, verdict.price_minor) == (26, 40_00)
    assert [share.lines for share in verdict.shares[1:]] == [
        (LineEnd(BLUE_M, RED_M, 4, freed=1),),
        (LineEnd(BLUE_L, None, 3), LineEnd(RED_M, RED_M, 2)),
        (LineEnd(BLUE_M, None, 2),),
    ]
    assert [share.back_minor for share in verdict.shares[1:]] == [40_00, 3 * 40_00, 2 * 40_00]


def test_the_other_colour_must_exist_in_the_same_size() -> None:
    terms = replace(TERMS, minimum=5, colour_minimum=5)
    verdict = settle(
        terms, [a_stake(1, 0, 0, Line(GREEN_M, 9)), a_stake(2, 0, 0, Line(RED_L, 4), fallback_colour="green")]
    )
    assert [share.quantity for share in verdict.shares] == [9, 0]


def test_a_presale_gives_back_the_deposits_of_what_is_not_made() -> None:
    terms = replace(TERMS, deposit_minor=5_00)
    [share] = settle(terms, [a_stake(1, 45, 6, charged_minor=51 * 5_00)]).shares
    assert (share.quantity, share.back_minor, share.difference_minor) == (50, 5_00, 0)


@pytest.mark.parametrize(
    ("extend", "anew", "agrees", "outcome"),
    [
        (True, True, True, Outcome.EXTENDED),
        (False, True, True, Outcome.NEXT_ROUND),
        (False, True, False, Outcome.FAILED),
        (False, False, True, Outcome.FAILED),
    ],
)
def test_below_the_minimum_there_may_be_a_second_chance(
    extend: bool, anew: bool, agrees: bool, outcome: Outcome
) -> None:
    terms = replace(TERMS, minimum=60, may_extend=extend, may_begin_anew=anew)
    verdict = settle(terms, [a_stake(1, 45, 5, joins_next_round=agrees)])
    assert (verdict.outcome, verdict.quantity, verdict.shares) == (outcome, 50, ())


def test_with_nobody_in_it_fails() -> None:
    assert settle(replace(TERMS, may_extend=True, may_begin_anew=True), []) == Verdict(Outcome.FAILED, 0, 40_00)


PRICES = (40, 36, 33, 30)
small = st.integers(0, 6)


@st.composite
def a_ladder(draw: st.DrawFn) -> Ladder:
    starts = draw(st.lists(st.integers(1, 30), min_size=1, max_size=4, unique=True))
    return Ladder.of(list(zip(sorted(starts), PRICES, strict=False)))


@st.composite
def a_close(draw: st.DrawFn) -> tuple[Terms, list[Stake]]:
    """Some terms and pledges that joining would have let in."""
    ladder = draw(a_ladder())
    lowest = ladder.tiers[-1].price_minor
    stakes = []
    for number in range(draw(st.integers(0, 6))):
        chosen = draw(st.lists(st.sampled_from(list(MAKES)), min_size=1, max_size=3, unique=True))
        lines = tuple(Line(variant, draw(st.integers(1, 8)), draw(small)) for variant in chosen)
        dearer = draw(st.booleans())
        ceiling = draw(st.none() | st.integers(lowest, 41))
        price = draw(st.sampled_from([tier.price_minor for tier in ladder.tiers]))
        if ceiling is not None:
            price = price if dearer else ceiling
        pieces = sum(line.pieces + line.flexible for line in lines)
        stakes.append(
            Stake(
                UUID(int=100 + number),
                lines,
                price,
                price * pieces,
                ceiling,
                dearer,
                draw(st.sampled_from(["", "red", "blue", "green"])),
                draw(st.booleans()),
            )
        )
    ordered = sum(line.pieces for stake in stakes for line in stake.lines)
    terms = Terms(
        ladder,
        minimum=draw(st.integers(1, 30)),
        variants=MAKES,
        cap=draw(st.none() | st.integers(max(ordered, 1), max(ordered, 1) + 20)),
        pack_pieces=draw(st.sampled_from([1, 1, 4, 7])),
        colour_minimum=draw(st.sampled_from([0, 0, 3, 9])),
    )
    return terms, stakes


def by_the_piece(terms: Terms, stakes: list[Stake], price: int) -> tuple[Counter[UUID], int]:
    """Pieces by variant, and flexible pieces to be had, if everyone pays this price: piece by piece."""
    inside = [s for s in stakes if s.ceiling_minor is None or s.accepts_dearer or s.ceiling_minor >= price]
    each = [(s, line.variant_id) for s in inside for line in s.lines for _ in range(line.pieces)]
    colours = Counter(MAKES[variant].colour for _, variant in each)

    def made(stake: Stake, variant: UUID) -> UUID | None:
        for colour in (MAKES[variant].colour, stake.fallback_colour):
            for other, make in MAKES.items():
                if make == Make(colour, MAKES[variant].size) and colours[colour] >= max(terms.colour_minimum, 1):
                    return other
        return None

    ordered = Counter(place for stake, variant in each if (place := made(stake, variant)))
    flexible = sum(line.flexible for s in inside for line in s.lines if made(s, line.variant_id))
    return ordered, flexible


def brute_force(terms: Terms, stakes: list[Stake]) -> tuple[int, int]:
    """Price and pieces: every price from the lowest, every number of flexible pieces from none."""
    for tier in reversed(terms.ladder.tiers):
        ordered, flexible = by_the_piece(terms, stakes, tier.price_minor)
        totals = [ordered.total() + extra for extra in range(flexible + 1)]
        allowed = [total for total in totals if terms.cap is None or total <= terms.cap]
        enough = [total for total in allowed if total >= tier.from_quantity]
        if enough or tier is terms.ladder.tiers[0]:
            least = min(enough or [ordered.total()])
            packed = [total for total in allowed if least <= total < least + terms.pack_pieces]
            return tier.price_minor, next((total for total in packed if total % terms.pack_pieces == 0), least)
    raise AssertionError("a ladder has a tier")


@settings(max_examples=400, deadline=None)
@given(a_close())
def test_it_decides_as_the_plainest_way_does(close: tuple[Terms, list[Stake]]) -> None:
    terms, stakes = close
    verdict = settle(terms, stakes)
    assert (verdict.price_minor, verdict.quantity) == brute_force(terms, stakes)
    assert (verdict.outcome is Outcome.SUCCEEDED) == (verdict.quantity >= terms.minimum)


@settings(max_examples=400, deadline=None)
@given(a_close())
def test_whatever_it_decides_is_fair_and_exact(close: tuple[Terms, list[Stake]]) -> None:
    terms, stakes = close
    verdict = settle(terms, stakes)
    assert verdict.price_minor == terms.ladder.price_at(verdict.quantity)
    colours: Counter[str] = Counter()
    for share in verdict.shares:
        stake = share.stake
        assert share.price_minor <= stake.price_minor
        if share.quantity and not stake.accepts_dearer and stake.ceiling_minor is not None:
            assert verdict.price_minor <= stake.ceiling_minor
        assert stake.charged_minor - share.back_minor == share.price_minor * share.quantity
        for line, end in zip(stake.lines, share.lines, strict=True):
            assert line.pieces == end.pieces
            assert line.flexible == end.taken + end.freed
            if end.made and not share.misses_ceiling:
                colours[MAKES[end.made].colour] += end.pieces
    assert sum(share.quantity for share in verdict.shares) in (0, verdict.quantity)
    assert all(pieces >= terms.colour_minimum for pieces in colours.values())
    assert terms.cap is None or verdict.quantity <= terms.cap
