"""A group opened on an idle week carries week, factory and discount, and the factory stands by its discount."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from c2m.clock import ManualClock
from c2m.db import Database, uuid7
from c2m.demand.models import Campaign, CampaignState
from c2m.matching.hours import InvalidHours, offer_idle_weeks
from c2m.matching.idle_groups import groups_open_on, idle_group
from c2m.matching.market import CHEAPEST, ROOMIEST, Line, Market, OpenSheet
from c2m.matching.models import Capability
from c2m.matching.queries import open_market
from c2m.matching.rules import PriceStep, Quote, Terms, first_week
from tests.builders import MORNING, a_campaign, a_factory, a_line, an_open_sheet
from tests.conftest import Person, Visitor
from tests.demand.test_studio_pages import a_form

WEEK = first_week(MORNING) + timedelta(weeks=2)


def an_idle_week(session: Session, line: Capability, discount_ppm: int = 100_000) -> Capability:
    at = offer_idle_weeks(session, line.id, {WEEK: 60}, discount_ppm, factory_id=line.factory_id, now=MORNING)
    return session.get_one(Capability, at)


@pytest.mark.both_databases
def test_the_price_of_an_idle_week_is_a_quote_for_its_group(database: Database) -> None:
    with database.transaction() as session:
        line = a_line(session, weekly_capacity=100, minimum=10, prices={10: 60_00, 50: 55_00})
        idle = an_idle_week(session, line)
        found = idle_group(session, idle.id, WEEK, "tshirt", 40, now=MORNING)
        assert found
        assert (found.discount_ppm, found.free, found.over) == (100_000, 60, False)
        assert found.quote == Quote(40, 54_00, 0)
        begun = idle_group(session, idle.id, first_week(MORNING) - timedelta(weeks=1), "tshirt", 40, now=MORNING)
        assert begun
        assert begun.over
        assert idle_group(session, idle.id, WEEK, "hoodie", 40, now=MORNING) is None
        assert idle_group(session, line.id, WEEK, "tshirt", 40, now=MORNING) is None


@pytest.mark.both_databases
def test_a_discount_that_groups_were_opened_on_only_rises(database: Database) -> None:
    with database.transaction() as session:
        line = a_line(session, weekly_capacity=100)
        idle = an_idle_week(session, line)
        group, _ = a_campaign(session, idle_line_id=idle.id, idle_week=WEEK)
        assert groups_open_on(session, idle.id) == 1
    with pytest.raises(InvalidHours) as refused, database.transaction() as session:
        an_idle_week(session, line, 90_000)
    assert list(refused.value.errors) == ["discount"]
    with database.transaction() as session:
        assert session.get_one(Capability, idle.id).price_ppm == 900_000
        assert an_idle_week(session, line, 120_000).price_ppm == 880_000
        session.get_one(Campaign, group.id).state = CampaignState.FAILED
        session.flush()
        assert an_idle_week(session, line, 50_000).price_ppm == 950_000


def test_the_sheet_of_a_group_is_always_put_to_the_line_it_was_opened_on() -> None:
    terms = Terms(100, 1, 0, 3, (PriceStep(1, 60_00),))
    lines = [Line(uuid7(), uuid7(), "CNY", "tshirt", "sewing", 950_000, terms, (100,) * 12) for _ in range(12)]
    dear = Terms(100, 1, 0, 3, (PriceStep(1, 70_00),))
    idle = replace(lines[-1], terms=dear, free=(0, 0, 60, *(0,) * 9))
    lines[-1] = idle
    sheet = OpenSheet(
        id=uuid7(),
        currency="CNY",
        category="tshirt",
        processes=("sewing",),
        unit_price_minor=100_00,
        target_cost_minor=80_00,
        compensation_ppm_per_day=10_000,
        required_date=MORNING + timedelta(days=60),
        time_zone="Asia/Shanghai",
        matched_until=MORNING + timedelta(days=7),
        pieces={uuid7(): 10},
    )
    market = Market(WEEK, {sheet.id: sheet}, {line.id: line for line in lines}, frozenset())
    assert idle not in market.shortlist(sheet, lines)
    of_group = market.shortlist(replace(sheet, idle_line_id=idle.id), lines)
    assert of_group[-1] == idle
    assert len(of_group) == CHEAPEST + ROOMIEST + 1


@pytest.mark.both_databases
def test_a_sheet_knows_the_idle_line_of_its_group(database: Database) -> None:
    with database.transaction() as session:
        idle = an_idle_week(session, a_line(session, weekly_capacity=100))
        sheet = an_open_sheet(session, 30)
        session.get_one(Campaign, sheet.campaign_id).idle_line_id = idle.id
        session.flush()
        assert open_market(session, now=MORNING).sheets[sheet.id].idle_line_id == idle.id


def test_a_group_opened_on_an_idle_week_says_so_to_its_merchandiser(
    client: Callable[..., Visitor], database: Database, people: dict[str, Person], clock: ManualClock
) -> None:
    with database.transaction() as session:
        line = a_line(session, a_factory(session), weekly_capacity=100, minimum=10, prices={10: 60_00})
        week = first_week(clock.now()) + timedelta(weeks=2)
        offer_idle_weeks(session, line.id, {week: 60}, 100_000, factory_id=line.factory_id, now=clock.now())
    studio, english = client("merchandiser"), {"Accept-Language": "en"}
    [begin] = re.findall(r'href="(/studio/campaigns/new\?[^"]+)"', studio.get("/studio/idle-weeks").text)
    page = studio.get(html.unescape(begin), headers=english).text
    assert "Made in an idle week of" in page
    hidden = dict(re.findall(r'<input type="hidden" name="(idle_\w+)" value="([^"]+)"', page))
    assert hidden["idle_week"] == week.isoformat()
    assert f'value="{week - timedelta(days=3)}T20:00"' in page
    assert studio.post("/studio/campaigns/new", data=a_form(category="tshirt", **hidden)).status_code == 303
    with database.reading() as session:
        made = session.exec(select(Campaign)).one()
    assert (str(made.idle_line_id), made.idle_week) == (hidden["idle_line_id"], week)
    own = studio.get(f"/studio/campaigns/{made.id}", headers=english).text
    assert "10% below its ordinary prices" in own
    assert "¥54.00 a piece" in own
