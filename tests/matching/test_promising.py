"""Capable to promise: the range follows free capacity, narrows, and reserves nothing."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.db import Database, uuid7
from c2m.demand.models import Campaign, CampaignKind, CampaignState
from c2m.matching.inquiries import FRESH, Answer, Prospects, answer_for, state_windows
from c2m.matching.market import Line
from c2m.matching.models import CapacityWeek, StatedWindow
from c2m.matching.promising import EVERY, LIKELY, SURE, Claim, Outlook, Window, likely_pieces
from c2m.matching.rules import PriceStep, Terms, arrival
from c2m.matching.unlocking import Unlock, next_step, unlocks
from c2m.matching.weeks import set_week_capacity
from tests.builders import MORNING, a_campaign, a_line, an_open_sheet
from tests.conftest import Visitor

START = date(2026, 11, 9)
WEEK = timedelta(weeks=1)


def line(*free: int, lead_days: int = 3, smallest: int = 1, price_minor: int = 60_00, setup_minor: int = 0) -> Line:
    terms = Terms(max(free, default=0), smallest, setup_minor, lead_days, (PriceStep(smallest, price_minor),))
    return Line(uuid7(), uuid7(), "CNY", "tshirt", "sewing", 950_000, terms, free)


def claim(sure: int, likely: int, *, certain_at: datetime = MORNING, weeks: int = 26) -> Claim:
    """Pieces that may arrive so many weeks of the horizon later without being late."""
    return Claim(certain_at, week(weeks), 80_00, 1_00, sure, likely)


def week(number: int, lead_days: int = 3) -> datetime:
    """When pieces of the horizon's week with this number, counted from 1, arrive."""
    return arrival(START + WEEK * (number - 1), lead_days)


def asked(outlook: Outlook, few: int, many: int, **terms: Any) -> tuple[datetime | None, datetime | None]:
    found = outlook.window(claim(few, many, **terms))
    return found.earliest, found.latest


def test_pieces_arrive_with_the_last_week_they_need() -> None:
    outlook = Outlook(START, [line(100, 100, 100)], [])
    assert asked(outlook, 100, 101) == (week(1), week(2))
    assert asked(outlook, 300, 301) == (week(3), None)
    assert asked(outlook, 301, 302) == (None, None)


def test_nothing_is_made_before_it_is_certain_and_answered() -> None:
    outlook = Outlook(START, [line(100, 100, 100)], [])
    certain = datetime.combine(START + WEEK, datetime.min.time(), tzinfo=UTC)  # answered two days into that week
    assert asked(outlook, 10, 10, certain_at=certain) == (week(3), week(3))


def test_a_line_takes_no_order_below_its_smallest() -> None:
    outlook = Outlook(START, [line(100, smallest=50, price_minor=50_00), line(0, 0, 100)], [])
    assert asked(outlook, 49, 50) == (week(1), week(3))
    assert asked(Outlook(START, [line(100, smallest=50)], []), 49, 50) == (week(1), None)


def test_the_cheapest_line_with_room_in_time_is_taken_however_free_others_are() -> None:
    cheap, dear = line(50, 50, 50, 50, price_minor=40_00), line(500, price_minor=41_00)
    assert asked(Outlook(START, [dear, cheap], []), 200, 200) == (week(4), week(4))
    assert asked(Outlook(START, [dear, cheap], []), 200, 200, weeks=3) == (week(4), week(4))  # 50 a week late: ¥50
    assert asked(Outlook(START, [dear, cheap], []), 200, 200, weeks=1) == (week(1), week(1))  # up to 3 late: ¥300
    with_setup = line(50, 50, 50, 50, price_minor=40_00, setup_minor=300_00)
    assert asked(Outlook(START, [dear, with_setup], []), 200, 200) == (week(1), week(1))


def test_what_no_line_holds_alone_is_split_and_what_fits_nowhere_in_time_comes_late() -> None:
    lines = [line(100, 0, 0, 0, 0, 100), line(50, lead_days=5)]
    assert asked(Outlook(START, lines, []), 150, 150, weeks=2) == (week(1, 5), week(1, 5))
    assert asked(Outlook(START, lines, []), 200, 200, weeks=2) == (week(6), week(6))


def test_who_is_certain_earlier_is_served_first_and_likely_pieces_only_worsen_the_worse_end() -> None:
    claims = [claim(100, 200), claim(500, 500, certain_at=MORNING + WEEK * 8)]
    outlook = Outlook(START, [line(100, 100, 100, 100)], claims)
    assert asked(outlook, 100, 100, certain_at=MORNING + timedelta(hours=1)) == (week(2), week(3))
    assert asked(outlook, 100, 100) == (week(1), week(1))


lines = st.lists(
    st.builds(
        lambda lead_days, smallest, price, free: line(*free, lead_days=lead_days, smallest=smallest, price_minor=price),
        st.integers(0, 20),
        st.integers(1, 60),
        st.integers(1, 9000),
        st.lists(st.integers(0, 80), min_size=6, max_size=6),
    ),
    max_size=5,
)
claims = st.lists(
    st.builds(
        lambda days, sure, more: claim(sure, sure + more, certain_at=MORNING + timedelta(days=days), weeks=6),
        st.integers(0, 40),
        st.integers(0, 150),
        st.integers(0, 150),
    ),
    max_size=6,
)


@given(lines, claims)
def test_no_week_gives_more_than_it_has_and_nothing_more_is_taken_than_asked_for(
    those: list[Line], asked: list[Claim]
) -> None:
    outlook = Outlook(START, those, asked)
    left = sum(sum(x.free) for x in those)
    for number, one in enumerate(sorted(asked, key=lambda one: one.certain_at), start=1):
        free = np.diff(outlook.before(number, SURE))
        assert (free >= 0).all()
        assert 0 <= left - free.sum() <= one.sure
        left = free.sum()


def test_states_that_are_kept_agree_with_those_that_are_worked_out() -> None:
    those = [line(*(40,) * 26), line(*(60,) * 26, price_minor=61_00)]
    asked = [claim(n, 2 * n, certain_at=MORNING + timedelta(days=n)) for n in range(2 * EVERY + 3)]
    whole, part = Outlook(START, those, asked), Outlook(START, those, asked[:EVERY])
    assert (whole.before(EVERY, LIKELY) == part.before(EVERY, LIKELY)).all()
    assert (whole.before(EVERY - 1, SURE) == part.before(EVERY - 1, SURE)).all()


def test_a_campaign_goes_on_at_its_pace_or_that_of_earlier_ones_within_minimum_and_cap() -> None:
    assert likely_pieces(60, minimum=50, cap=None, elapsed=0.75, growth=1.0) == 100
    assert likely_pieces(60, minimum=50, cap=None, elapsed=0.75, growth=4.0) == 160
    assert likely_pieces(60, minimum=50, cap=100, elapsed=0.75, growth=4.0) == 100
    assert likely_pieces(0, minimum=50, cap=None, elapsed=0.0, growth=0.5) == 50
    assert likely_pieces(60, minimum=50, cap=None, elapsed=1.0, growth=4.0) == 60


def answer(database: Database, campaign: Campaign, *, joining: int = 0, known: Prospects | None = None) -> Answer:
    with database.reading() as session:
        asked = known if known is not None else {}
        return answer_for(session, campaign, joining=joining, now=MORNING, known=asked)


def test_the_range_follows_free_weeks_and_other_claims_and_reserves_nothing(database: Database) -> None:
    with database.transaction() as session:
        made_by = a_line(session, weekly_capacity=100, minimum=20)
        first, _ = a_campaign(session, minimum=80, cap=240)
        later, _ = a_campaign(session, minimum=80, cap=80, deadline=MORNING + timedelta(days=8))
    alone = answer(database, first).window
    assert alone.pieces == (80, 240)  # until it has been learned, thrice the minimum
    assert alone.earliest is not None
    assert alone.factories == 1
    assert alone.earliest == arrival(date(2026, 11, 16), 3)
    assert alone.latest == alone.earliest + 2 * WEEK
    behind = answer(database, later).window
    assert behind.earliest == alone.earliest  # the first may yet fail
    assert behind.latest == alone.latest + WEEK
    assert answer(database, first, joining=101).window.earliest == alone.earliest + WEEK
    with database.transaction() as session:
        set_week_capacity(session, made_by.factory_id, {(made_by.id, date(2026, 11, 16)): 0}, now=MORNING)
    assert answer(database, first).window.earliest == alone.earliest + WEEK
    with database.reading() as session:
        assert [w.booked for w in session.exec(select(CapacityWeek))] == [0]


def test_open_sheets_are_served_before_any_campaign(database: Database) -> None:
    with database.transaction() as session:
        a_line(session, weekly_capacity=100)
        campaign, _ = a_campaign(session, minimum=80, cap=80)
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
        made_by = a_line(session, weekly_capacity=100)
        campaign, _ = a_campaign(session, minimum=80, cap=80)
    first = answer(database, campaign, known=known).window.earliest
    with database.transaction() as session:
        set_week_capacity(session, made_by.factory_id, {(made_by.id, date(2026, 11, 16)): 0}, now=MORNING)
    assert answer(database, campaign, known=known).window.earliest == first
    with database.reading() as session:
        fresh = answer_for(session, campaign, joining=0, now=MORNING + FRESH, known=known)
    assert first is not None
    assert fresh.window.earliest == first + WEEK


def test_a_larger_order_that_opens_a_sooner_line_counts_wherever_in_the_range_it_lies() -> None:
    """More pieces never move the first day back while the range still holds a number that is made sooner."""
    lines = [line(0, 0, 0, *(100,) * 9, price_minor=61_00), line(*(100,) * 12, smallest=300)]
    first_days = [asked(Outlook(START, lines, []), few, 900)[0] for few in (100, 200, 250, 299, 300)]
    assert first_days == [week(3)] * 5


def test_a_buyers_own_pieces_are_not_multiplied(database: Database) -> None:
    with database.transaction() as session:
        a_line(session, weekly_capacity=5000)
        campaign, _ = a_campaign(session, minimum=100)
    without, with_own = (answer(database, campaign, joining=own).window.pieces for own in (0, 900))
    assert (without, with_own) == ((100, 300), (900, 1200))


def test_a_range_whose_end_comes_late_is_said(database: Database) -> None:
    with database.transaction() as session:
        a_line(session, weekly_capacity=100)
        campaign, _ = a_campaign(session, minimum=80, promised_date=arrival(date(2026, 11, 16), 3))
    found = answer(database, campaign)
    assert (found.late, found.may_be_late) == (False, True)


def test_no_factory_no_date(database: Database) -> None:
    with database.transaction() as session:
        campaign, _ = a_campaign(session, minimum=80, cap=80)
    assert answer(database, campaign) == Answer(Window((80, 80), None, None), [], late=True, may_be_late=True)


def test_every_day_it_is_written_down_what_open_campaigns_say(database: Database) -> None:
    with database.transaction() as session:
        a_line(session, weekly_capacity=100)
        campaign, _ = a_campaign(session, minimum=80, cap=80)
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


def test_programs_and_pages_say_the_same(
    client: Callable[..., Visitor], database: Database, clock: ManualClock
) -> None:
    now = clock.now()
    running = {"created_at": now, "opened_at": now, "deadline": now + timedelta(days=7)}
    with database.transaction() as session:
        a_line(session, weekly_capacity=100, minimum=200)
        campaign, _ = a_campaign(session, minimum=80, cap=300, promised_date=now + timedelta(days=60), **running)
        over, _ = a_campaign(session, state=CampaignState.FAILED, **running)
        address = f"/campaigns/{campaign.id}"
    visitor = client(None)
    document = visitor.get(f"{address}/arrival.json?pieces=220").json
    assert document
    assert document["pieces"] == {"sure": 220, "likely": 300}
    assert (document["later_than_promised"], document["may_be_later_than_promised"]) == (False, False)
    assert document["factories"] == 1
    assert document["unlocks"] == []
    assert datetime.fromisoformat(document["earliest"]) <= datetime.fromisoformat(document["promised"])
    [step] = visitor.get(f"{address}/arrival.json").json["unlocks"]
    assert (step["more"], step["quantity"], step["saves_minor"]) == (200, 200, None)
    assert "再有 200 件，就达到一家工厂 200 件的起订量" in visitor.get(address).get_data(as_text=True)
    assert visitor.get(f"{address}/arrival.json?pieces=-1").status_code == 422
    assert visitor.get(f"/campaigns/{over.id}/arrival.json").status_code == 409
    assert visitor.get(f"/campaigns/{uuid7()}/arrival.json").status_code == 404
