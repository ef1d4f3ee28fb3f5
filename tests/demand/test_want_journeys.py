"""In a real browser: three buyers want the same, it becomes a campaign, and they are told."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand.models import Campaign, CampaignState, Need
from c2m.identity.models import Role
from c2m.jobs import Worker
from c2m.matching.models import Factory
from tests.builders import a_line, verify
from tests.conftest import Person, a_person
from tests.demand.conftest import Go

pytestmark = pytest.mark.browser

SHOTS = Path("test-artefacts/wants")
SAID = {
    "buyer": ("想要帆布托特包，印公司logo", "120", "18"),
    "buyer2": ("canvas tote bags printed with our logo", "80", "15"),
    "buyer3": ("求购 帆布袋 印logo 本色", "200", "16.50"),
}


def shoot(page: Page, what: str) -> None:
    """Keep what a page looks like, and see that axe finds nothing."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{what}.png", full_page=True)
    assert Axe().run(page).response["violations"] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_three_buyers_want_the_same_and_are_told_when_it_opens(
    go: Go,
    said: list[str],
    database: Database,
    people: dict[str, Person],
    clock: ManualClock,
    worker: Worker,
) -> None:
    people["buyer3"] = a_person(database, "buyer3", Role.BUYER, now=clock.now())
    with database.transaction() as session:
        maker = Factory(id=people["factory"].organisation_id, belt="Pinghu", region="Zhejiang")
        session.add(maker)
        session.flush()
        verify(session, maker)
        a_line(session, maker, category="tote", process="bag_making", minimum=200, prices={200: 11_00, 1000: 9_50})
    for name, (words, pieces, budget) in SAID.items():
        page = go(name, "/wants")
        page.get_by_role("link", name="Say what you need").first.click()
        page.get_by_label("What are you looking for?").fill(words)
        page.get_by_role("button", name="See what there is").click()
        page.get_by_text("Nothing like it is offered at the moment.").wait_for()
        page.get_by_label("Pieces", exact=True).fill(pieces)
        page.get_by_label("At most, a piece").fill(budget)
        page.get_by_role("button", name="File my want").click()
        page.get_by_text("Your want is filed.").wait_for()
    page.get_by_text("3 buyers want the same: 400 pieces in all").wait_for()
    shoot(page, "want")

    page = go("merchandiser", "/wants/groups")
    page.locator("main table a").click()
    page.get_by_role("heading", name="Logo printed canvas tote", level=1).wait_for()
    page.get_by_role("heading", name="Pieces a buyer wants").wait_for()
    shoot(page, "group")
    page.get_by_role("button", name="Make a draft campaign").click()
    page.get_by_text("A draft is filled in from what buyers said.").wait_for()
    deadline = (clock.now() + timedelta(days=10)).astimezone(ZoneInfo("Asia/Shanghai"))
    page.locator("input[name=deadline]").fill(deadline.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("button", name="Save the draft").click()
    page.get_by_text("The draft is saved.").wait_for()
    page.get_by_role("button", name="Open to buyers").click()
    page.wait_for_load_state()
    worker.run_until_idle(clock.now())
    with database.reading() as session:
        campaign = session.exec(select(Campaign)).one()
        assert (campaign.state, campaign.minimum, campaign.category) == (CampaignState.OPEN, 200, "tote")
        assert len({need.group_id for need in session.exec(select(Need))}) == 1
    for name in SAID:
        page = go(name, "/messages")
        page.get_by_role("button", name="What you wanted is here").click()
        page.wait_for_url(f"**/campaigns/{campaign.id}")
    shoot(go("buyer", "/wants"), "wants")
    assert said == []
