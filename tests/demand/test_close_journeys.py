"""In a real browser: an extension that one buyer declines, and a fallback that fires."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand.campaigns import CampaignDraft, create_campaign, open_campaign
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Pledge, PledgeState
from c2m.demand.policies import standard_policy
from c2m.demand.rules import Tier
from c2m.jobs import Worker
from c2m.ledger.models import AccountKind
from c2m.ledger.queries import balance, balances_by_kind
from c2m.ledger.rules import AccountRef
from tests.conftest import Person
from tests.demand.conftest import Go

pytestmark = pytest.mark.browser

SHOTS = Path("test-artefacts/closes")
WEEK = timedelta(days=7)


def an_open_campaign(database: Database, people: dict[str, Person], clock: ManualClock, **terms: object) -> UUID:
    draft = CampaignDraft(
        organisation_id=people["merchandiser"].organisation_id,
        kind=CampaignKind.GROUP_BUY,
        title="圆领 T 恤",
        title_en="Crew-neck tee",
        category="tshirt",
        currency="CNY",
        variants=(("黑 Black", "M"), ("白 White", "M")),
        tiers=(Tier(1, 40_00), Tier(50, 34_00)),
        deadline=clock.now() + WEEK,
        **{"minimum": 30} | terms,  # type: ignore[arg-type]
    )
    with database.transaction() as session:
        policy = standard_policy(session, now=clock.now())
        campaign_id = create_campaign(session, draft, policy=policy, now=clock.now())
        open_campaign(session, campaign_id, now=clock.now())
    return campaign_id


def join(page: Page, colour: int, pieces: int, choose: Callable[[Page], object] = lambda page: None) -> UUID:
    """Choose pieces of a colour and what else is to be chosen, check out, pay; the order's id."""
    page.locator("table.matrix").first.locator("tbody tr").nth(colour).locator("input").fill(str(pieces))
    choose(page)
    page.locator("#quote table.outcome").wait_for()
    page.click("#join button[type=submit]")
    page.locator(".checkout").wait_for()
    page.screenshot(path=SHOTS / f"checkout-{colour}-{pieces}.png", full_page=True)
    page.click("main form button.go")
    return UUID(page.url.split("/")[-1])


def spent(database: Database, person: Person) -> int:
    with database.reading() as session:
        return -balance(session, AccountRef(AccountKind.OUTSIDE, person.organisation_id, "CNY"))


def test_an_extension_that_one_buyer_declines(
    go: Go, database: Database, people: dict[str, Person], clock: ManualClock, worker: Worker, said: list[str]
) -> None:
    campaign = an_open_campaign(database, people, clock, extension_days=5)
    first = join(go("buyer", f"/campaigns/{campaign}"), 0, 12)
    second = join(go("buyer2", f"/campaigns/{campaign}"), 0, 10)
    worker.run_until_idle(clock.now())
    clock.advance(WEEK)
    worker.run_until_idle(clock.now())
    page = go("buyer", f"/orders/{first}")
    assert "Extended. Do you stay in?" in page.locator("main").inner_text()
    page.screenshot(path=SHOTS / "asked.png", full_page=True)
    page.click("button[value=agree]")
    assert "and you agreed" in page.locator("main").inner_text()
    page = go("buyer2", f"/orders/{second}")
    page.click("button[value=refuse]")
    assert "You did not agree, and ¥400.00 came back" in page.locator("main").inner_text()
    page.screenshot(path=SHOTS / "declined.png", full_page=True)
    worker.run_until_idle(clock.now())
    join(go("buyer2", f"/campaigns/{campaign}"), 0, 40)
    worker.run_until_idle(clock.now())
    page = go("merchandiser", f"/studio/campaigns/{campaign}")
    assert "Answers to the extension" in page.locator("main").inner_text()
    page.screenshot(path=SHOTS / "studio.png", full_page=True)
    clock.advance(timedelta(days=5))
    worker.run_until_idle(clock.now())
    with database.reading() as session:
        found = session.get_one(Campaign, campaign)
        assert (found.state, found.final_quantity) == (CampaignState.SUCCEEDED, 52)
        assert sum(balances_by_kind(session).values()) == 0
    assert (spent(database, people["buyer"]), spent(database, people["buyer2"])) == (12 * 34_00, 40 * 34_00)
    assert said == []


def test_a_fallback_that_fires(
    go: Go, database: Database, people: dict[str, Person], clock: ManualClock, worker: Worker, said: list[str]
) -> None:
    campaign = an_open_campaign(database, people, clock, colour_minimum=20)
    join(go("buyer2", f"/campaigns/{campaign}"), 0, 44)

    def prefer_black_to_nothing(page: Page) -> None:
        page.click("details.choices summary")
        page.locator("details.choices table.matrix tbody tr").nth(1).locator("input").fill("3")
        page.select_option("select[name=fallback_colour]", "黑 Black")
        page.get_by_text("3 extra pieces are paid for now").wait_for()

    order = join(go("buyer", f"/campaigns/{campaign}"), 1, 5, prefer_black_to_nothing)
    worker.run_until_idle(clock.now())
    clock.advance(WEEK)
    worker.run_until_idle(clock.now())
    text = go("buyer", f"/orders/{order}").locator("main").inner_text()
    assert "your 5 pieces are made as Black · M, as you agreed" in text
    assert "Of your extra pieces (White · M), 1 piece completed the tier" in text
    assert "nobody needed 2 pieces: ¥80.00 came back to you" in text
    go("buyer", f"/orders/{order}").screenshot(path=SHOTS / "other-colour.png", full_page=True)
    with database.reading() as session:
        pledge = session.exec(select(Pledge).where(Pledge.id == order)).one()
        assert (pledge.state, pledge.quantity) == (PledgeState.CONFIRMED, 6)
        assert session.get_one(Campaign, campaign).final_price_minor == 34_00
    assert spent(database, people["buyer"]) == 6 * 34_00
    assert said == []
