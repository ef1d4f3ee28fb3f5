"""The whole journey in a real browser: from a concept nobody has made to the parcel and the money that came back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlmodel import select

from c2m.app import build_worker
from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand.models import Campaign, CampaignState, Pledge, PledgeState
from c2m.jobs import Worker
from c2m.ledger.models import AccountKind
from c2m.ledger.provider import SandboxProvider
from c2m.ledger.queries import balance, balances_by_kind
from c2m.ledger.rules import AccountRef
from tests.conftest import PASSWORD, Person
from tests.design.builders import a_file

pytestmark = pytest.mark.browser

SHOTS = Path("test-artefacts/journey")
BEIJING = ZoneInfo("Asia/Shanghai")


class Journey:
    """Browsers signed in as each role, the site's clock, and the worker that acts while people wait."""

    def __init__(
        self, browser: Browser, site: str, people: dict[str, Person], clock: ManualClock, worker: Worker
    ) -> None:
        self.browser, self.site, self.people, self.clock, self.worker = browser, site, people, clock, worker
        self.said: list[str] = []
        self.pages: dict[str, Page] = {}
        SHOTS.mkdir(parents=True, exist_ok=True)

    def as_(self, name: str) -> Page:
        """The browser of this person, signed in through the form."""
        if name not in self.pages:
            page = self.browser.new_context(locale="en-GB").new_page()
            page.on("console", lambda m: self.said.append(f"{name}: {m.text}") if m.type == "error" else None)
            page.on("pageerror", lambda error: self.said.append(f"{name}: {error}"))
            page.on("request", lambda r: None if r.url.startswith((self.site, "data:")) else self.said.append(r.url))
            page.goto(f"{self.site}/sign-in")
            page.fill("input[name=email]", self.people[name].email)
            page.fill("input[name=password]", PASSWORD)
            page.click("main button[type=submit]")
            self.pages[name] = page
        return self.pages[name]

    def go(self, name: str, path: str) -> Page:
        page = self.as_(name)
        page.goto(self.site + path)
        return page

    def shot(self, name: str, what: str) -> None:
        self.pages[name].screenshot(path=SHOTS / f"{what}.png", full_page=True)

    def pass_time(self, by: timedelta = timedelta()) -> None:
        self.clock.advance(by)
        self.worker.run_until_idle(self.clock.now())

    def local(self, in_days: int) -> str:
        """A date and time as a browser's input takes it."""
        return (self.clock.now() + timedelta(days=in_days)).astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture
def journey(
    app: Flask,
    live_site: str,
    browser: Browser,
    people: dict[str, Person],
    clock: ManualClock,
    database: Database,
    provider: SandboxProvider,
) -> Iterator[Journey]:
    journey = Journey(browser, live_site, people, clock, build_worker(database, provider))
    yield journey
    for page in journey.pages.values():
        page.context.close()


def test_from_a_concept_to_the_parcel(journey: Journey, database: Database, people: dict[str, Person]) -> None:
    describe_the_factory(journey)
    concept = publish_a_concept(journey)
    say_what_one_would_take(journey, concept)
    campaign = promote(journey, concept)
    first = join(journey, "buyer", campaign, 30)
    join(journey, "buyer2", campaign, 30)
    journey.pass_time(timedelta(days=7))
    assert_closed_on_the_second_tier(database, campaign)
    page = journey.go("buyer", f"/orders/{first}")
    assert "¥180.00" in page.locator("main").inner_text()  # 30 × (¥40 − ¥34)
    make_and_ship(journey)
    confirm_receipt(journey, first, "buyer")
    with database.reading() as session:
        pledge = session.get_one(Pledge, _uuid(first))
        spent = -balance(session, AccountRef(AccountKind.OUTSIDE, people["buyer"].organisation_id, "CNY"))
        assert (pledge.state, spent) == (PledgeState.FULFILLED, 30 * 34_00)
        assert sum(balances_by_kind(session).values()) == 0
    assert journey.said == []


def describe_the_factory(journey: Journey) -> None:
    page = journey.go("factory", "/factory/profile")
    page.fill("input[name=belt]", "Baigou")
    page.fill("input[name=region]", "Hebei")
    page.click("form[action$='/factory/profile'] button[type=submit]")
    page.select_option("select[name=category]", "tote")
    line = page.locator("form[action$='/factory/profile/lines']")
    for name, value in (("weekly_capacity", "500"), ("minimum", "10"), ("setup", "50"), ("lead_days", "3")):
        line.locator(f"input[name={name}]").fill(value)
    line.locator("input[name='prices.0.from_quantity']").fill("10")
    line.locator("input[name='prices.0.price']").fill("20.00")
    line.locator("button[type=submit]").click()
    journey.shot("factory", "factory-profile")
    page.goto(f"{journey.site}/factory/capacity")
    assert page.locator("table.heat td").count() == 12


def publish_a_concept(journey: Journey) -> str:
    page = journey.go("merchandiser", "/studio/concepts/new")
    page.fill("input[name=title]", "红白条纹帆布托特包")
    page.fill("input[name=title_en]", "Red striped canvas tote")
    page.fill("textarea[name=brief]", "12 oz canvas, one inner pocket")
    page.select_option("select[name=category]", "tote")
    page.fill("input[name=ends_at]", journey.local(10))
    page.fill("input[name=price]", "40.00")
    page.fill("input[name=target_quantity]", "50")
    page.fill("input[name=deposit]", "3.00")
    page.click("main form button[type=submit]")
    page.select_option("select[name=primary]", "red")
    page.fill("input[name=count]", "2")
    page.click("form[action$='/sketches'] button[type=submit]")
    assert page.locator(".variant .pic img").count() == 2
    page.click("form[action$='/publish'] button[type=submit]")
    journey.shot("merchandiser", "validation")
    return page.url.rstrip("/").split("/")[-1].split("?")[0]


def say_what_one_would_take(journey: Journey, concept: str) -> None:
    page = journey.go("buyer", f"/concepts/{concept}")
    assert "Sketch, not a finished product" in page.locator("main").inner_text()
    form = page.locator("#want")
    form.locator("input[name=quantity]").fill("20")
    form.locator("input[name=price]").fill("38.00")
    form.locator("button[type=submit]").click()
    journey.pass_time()
    journey.go("buyer", f"/concepts/{concept}")
    journey.shot("buyer", "concept")
    assert "¥60.00" in page.locator("main").inner_text()


def promote(journey: Journey, concept: str) -> str:
    page = journey.go("merchandiser", f"/studio/concepts/{concept}/promote")
    page.check("input[name=kind][value=group_buy]")
    page.fill("textarea[name=colours]", "红 Red")
    page.fill("textarea[name=sizes]", "中 M")
    for place, (pieces, price) in enumerate(((1, "40.00"), (50, "34.00"), (200, "29.00"))):
        page.fill(f"input[name='tiers.{place}.from_quantity']", str(pieces))
        page.fill(f"input[name='tiers.{place}.price']", price)
    page.fill("input[name=minimum]", "50")
    page.fill("input[name=deadline]", journey.local(7))
    assert not page.is_visible("input[name=deposit]"), "a group-buy asks for no deposit"
    page.click("form.draft-form button.go")
    journey.pass_time()
    page = journey.go("buyer", "/market")
    journey.shot("buyer", "marketplace")
    page.click("ul.items li.item h3 a")
    return page.url.split("/")[-1]


def join(journey: Journey, name: str, campaign: str, pieces: int) -> str:
    page = journey.go(name, f"/campaigns/{campaign}")
    page.locator("table.matrix input").first.fill(str(pieces))
    page.locator("#quote table.outcome").wait_for()
    journey.shot(name, f"campaign-{name}")
    page.click("#join button[type=submit]")
    journey.shot(name, "checkout")
    page.click("main form button.go")
    journey.pass_time()
    return page.url.split("/")[-1]


def assert_closed_on_the_second_tier(database: Database, campaign: str) -> None:
    with database.reading() as session:
        found = session.exec(select(Campaign).where(Campaign.id == _uuid(campaign))).one()
    assert (found.state, found.final_price_minor) == (CampaignState.SUCCEEDED, 34_00)


def make_and_ship(journey: Journey) -> None:
    page = journey.go("factory", "/factory/inbox")
    journey.shot("factory", "inbox")
    page.click("form.answer button.go")
    journey.pass_time()
    page = journey.go("factory", "/factory/work-orders")
    page.click("table.data a.id")
    page.click("form.report button.go")  # the first step; beyond it the first article comes first
    assert page.locator("form.report").count() == 0
    approve_first_article(journey)
    page.reload()
    while page.locator("form.report").count():
        page.click("form.report button.go")
    journey.shot("factory", "work-order")
    page.fill("input[name=carrier]", "顺丰 SF Express")
    page.fill("input[name=tracking_number]", "SF1234567890")
    page.click("form[action$='/ship'] button[type=submit]")
    journey.pass_time(timedelta(days=3))


def approve_first_article(journey: Journey) -> None:
    page = journey.pages["factory"]
    photograph = {"name": "first.png", "mimeType": "image/png", "buffer": a_file()}
    page.set_input_files("input[name=photograph]", photograph)
    page.click("form[action$='/first-article'] button[type=submit]")
    journey.shot("factory", "first-article")
    judging = journey.go("merchandiser", "/studio/first-articles")
    journey.shot("merchandiser", "first-articles")
    judging.click("button[value=accept]")


def confirm_receipt(journey: Journey, pledge: str, name: str) -> None:
    page = journey.go(name, f"/orders/{pledge}")
    with page.expect_navigation():  # a reload must not overtake it
        page.click("form[action$='/received'] button")
    journey.pass_time()
    page.reload()
    journey.shot(name, "order")
    assert "Delivered" in page.locator("main").inner_text()


def _uuid(text: str) -> UUID:

    return UUID(text)
