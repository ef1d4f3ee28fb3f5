"""Capable to promise: the range follows free capacity, narrows, and reserves nothing."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from c2m.db import Database, uuid7
from c2m.demand.models import Campaign, CampaignKind
from c2m.matching.factories import set_week_capacity
from c2m.matching.inquiries import FRESH, Answer, Prospects, answer_for, state_windows
from c2m.matching.market import Line
from c2m.matching.models import CapacityWeek, StatedWindow
from c2m.matching.promising import Claim, Outlook, Room, Window, likely_pieces
from c2m.matching.rules import PriceStep, Terms, arrival
from c2m.matching.unlocking import Unlock, next_step, unlocks
from tests.builders import MORNING, a_campaign, a_line, an_open_sheet

START = date(2026, 11, 9)
WEEK = timedelta(weeks=1)


def room(*free: int, lead_days: int = 3, smallest_order: int = 1) -> Room:
    return Room(lead_days, smallest_order, free)


def week(number: int, lead_days: int = 3) -> datetime:
    """When pieces of the horizon's week with this number, counted from 1, arrive."""
    return arrival(START + WEEK * (number - 1), lead_days)


def test_pieces_arrive_with_the_last_week_they_need() -> None:
    outlook = Outlook(START, [room(100, 100, 100)], [])
    assert outlook.window(MORNING, (100, 101)) == Window((100, 101), week(1), week(2))
    assert outlook.window(MORNING, (300, 301)) == Window((300, 301), week(3), None)


def test_nothing_is_made_before_it_is_certain_and_answered() -> None:
    outlook = Outlook(START, [room(100, 100, 100)], [])
    certain = datetime.combine(START + WEEK, datetime.min.time(), tzinfo=UTC)  # answered two days into that week
    assert outlook.window(certain, (10, 10)).earliest == week(3)


def test_a_line_takes_no_order_below_its_smallest() -> None:
    outlook = Outlook(START, [room(100, smallest_order=50), room(0, 0, 100)], [])
    assert outlook.window(MORNING, (49, 50)) == Window((49, 50), week(3), week(1))


def test_who_is_certain_earlier_is_served_first_and_likely_pieces_only_worsen_the_worse_end() -> None:
    claims = [Claim(MORNING, 100, 200), Claim(MORNING + WEEK * 8, 500, 500)]
    outlook = Outlook(START, [room(100, 100, 100, 100)], claims)
    assert outlook.window(MORNING + timedelta(hours=1), (100, 100)) == Window((100, 100), week(2), week(3))
    assert outlook.window(MORNING, (100, 100)).latest == week(1)


rooms = st.lists(
    st.builds(
        Room, st.integers(0, 20), st.integers(1, 60), st.lists(st.integers(0, 80), min_size=6, max_size=6).map(tuple)
    ),
    max_size=5,
)
moments = st.integers(0, 40).map(lambda days: MORNING + timedelta(days=days))
claims = st.lists(
    st.tuples(moments, st.integers(0, 150), st.integers(0, 150)).map(lambda c: Claim(c[0], c[1], c[1] + c[2])),
    max_size=6,
)


@given(rooms, claims, moments, st.integers(1, 200), st.integers(0, 100))
def test_more_claims_or_fewer_lines_never_bring_pieces_sooner(
    those: list[Room], asked: list[Claim], at: datetime, few: int, more: int
) -> None:
    least = [Room(r.lead_days, 1, r.free) for r in those]  # with smallest orders, more pieces may open an earlier line

    def found(lines: list[Room], claims: list[Claim]) -> tuple[datetime, datetime]:
        window = Outlook(START, lines, claims).window(at, (few, few + more))
        never = datetime.max.replace(tzinfo=UTC)
        return window.earliest or never, window.latest or never

    early, late = found(least, asked)
    assert early <= late
    assert found(least, [])[0] <= early
    assert found(least[1:], asked) >= (early, late)


def test_a_campaign_goes_on_at_its_pace_within_minimum_and_cap() -> None:
    assert likely_pieces(60, minimum=50, cap=None, elapsed=0.5) == 120
    assert likely_pieces(60, minimum=50, cap=100, elapsed=0.5) == 100
    assert likely_pieces(4, minimum=50, cap=None, elapsed=0.01) == 50
    assert likely_pieces(60, minimum=50, cap=None, elapsed=1.0) == 60


def answer(database: Database, campaign: Campaign, *, joining: int = 0, known: Prospects | None = None) -> Answer:
    with database.reading() as session:
        asked = known if known is not None else {}
        return answer_for(session, campaign, joining=joining, now=MORNING, known=asked)


def test_the_range_follows_free_weeks_and_other_claims_and_reserves_nothing(database: Database) -> None:
    with database.transaction() as session:
        line = a_line(session, weekly_capacity=100, minimum=20)
        first, _ = a_campaign(session, minimum=80, cap=240)
        later, _ = a_campaign(session, minimum=80, cap=80, deadline=MORNING + timedelta(days=8))
    alone = answer(database, first).window
    assert alone.pieces == (80, 80)
    assert alone.earliest is not None
    assert alone.factories == 1
    assert alone.earliest == alone.latest == arrival(date(2026, 11, 16), 3)
    behind = answer(database, later).window
    assert behind.earliest == alone.earliest  # the first may yet fail
    assert behind.latest == alone.latest + WEEK
    assert answer(database, first, joining=101).window.earliest == alone.earliest + WEEK
    with database.transaction() as session:
        set_week_capacity(session, line.factory_id, {(line.id, date(2026, 11, 16)): 0}, now=MORNING)
    assert answer(database, first).window.earliest == alone.earliest + WEEK
    with database.reading() as session:
        assert [w.booked for w in session.exec(select(CapacityWeek))] == [0]


def test_open_sheets_are_served_before_any_campaign(database: Database) -> None:
    with database.transaction() as session:
        a_line(session, weekly_capacity=100)
        campaign, _ = a_campaign(session, minimum=80)
        before = answer_for(session, campaign, joining=0, now=MORNING, known={}).window.earliest
        an_open_sheet(session, 150)
        after = answer_for(session, campaign, joining=0, now=MORNING, known={}).window.earliest
    assert before is not None
    assert after == before + WEEK  # 100 of the 150 fit into the week that the campaign can't use


def test_a_presale_waits_for_its_balances(database: Database) -> None:
    with database.transaction() as session:
        a_line(session, weekly_capacity=100)
        group, _ = a_campaign(session, deadline=MORNING + timedelta(days=4))
        presale, _ = a_campaign(
            session,
            kind=CampaignKind.PRESALE,
            deposit_minor=10_00,
            deposit_counts_minor=10_00,
            deadline=MORNING + timedelta(days=4),
        )
    sooner, later = (answer(database, each).window.earliest for each in (group, presale))
    assert sooner is not None
    assert later == sooner + WEEK


def test_what_others_ask_is_remembered_for_a_moment_only(database: Database) -> None:
    known: Prospects = {}
    with database.transaction() as session:
        line = a_line(session, weekly_capacity=100)
        campaign, _ = a_campaign(session, minimum=80)
    first = answer(database, campaign, known=known).window.earliest
    with database.transaction() as session:
        set_week_capacity(session, line.factory_id, {(line.id, date(2026, 11, 16)): 0}, now=MORNING)
    assert answer(database, campaign, known=known).window.earliest == first
    with database.reading() as session:
        fresh = answer_for(session, campaign, joining=0, now=MORNING + FRESH, known=known)
    assert first is not None
    assert fresh.window.earliest == first + WEEK


def test_no_factory_no_date(database: Database) -> None:
    with database.transaction() as session:
        campaign, _ = a_campaign(session, minimum=80)
    assert answer(database, campaign) == Answer(Window((80, 80), None, None), [], late=True)


def test_every_day_it_is_written_down_what_open_campaigns_say(database: Database) -> None:
    with database.transaction() as session:
        a_line(session, weekly_capacity=100)
        campaign, _ = a_campaign(session, minimum=80)
        an_open_sheet(session, 10)
        state_windows(session, [], MORNING)
    with database.reading() as session:
        [stated] = session.exec(select(StatedWindow)).all()
        assert session.execute(sa.select(sa.func.count()).select_from(StatedWindow)).scalar_one() == 1
    said = answer(database, campaign).window
    assert (stated.campaign_id, stated.fewest, stated.most) == (campaign.id, *said.pieces)
    assert (stated.earliest, stated.latest) == (said.earliest, said.latest)


def a_quoting_line(smallest: int, *steps: tuple[int, int], setup_minor: int = 0) -> Line:
    terms = Terms(500, smallest, setup_minor, 3, tuple(PriceStep(low, price) for low, price in steps))
    return Line(UUID(int=smallest), uuid7(), "CNY", "tshirt", "sewing", 950_000, terms, (500,))


def test_the_next_steps_that_pay_are_named_the_nearest_first() -> None:
    small, large = a_quoting_line(10, (10, 70_00), (100, 68_00)), a_quoting_line(150, (150, 55_00))
    rooms = [(small, 500), (large, 500)]
    assert unlocks(rooms, 40, target_cost_minor=80_00) == [
        Unlock(small.factory_id, 60, 100, 2_00),
        Unlock(large.factory_id, 110, 150, 15_00),
    ]
    assert unlocks(rooms, 4, target_cost_minor=80_00)[0] == Unlock(small.factory_id, 6, 10, None)
    assert unlocks([(small, 500), (large, 149)], 120, target_cost_minor=80_00) == []
    assert unlocks(rooms, 4, target_cost_minor=60_00) == [Unlock(large.factory_id, 146, 150, None)]
    assert [next_step(small, pieces) for pieces in (4, 10, 100)] == [6, 90, None]
