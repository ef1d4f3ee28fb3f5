"""In a real browser: a factory declines, another counters, the operator sees what it does to the plan and agrees."""

from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from sqlmodel import Session, select

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.jobs import Worker
from c2m.matching.hours import set_overtime
from c2m.matching.models import Factory, Offer, OfferState
from c2m.production.models import WorkOrder
from tests.builders import a_line, an_open_sheet, verify
from tests.conftest import Person
from tests.demand.conftest import Go
from tests.matching.market import match, offers

pytestmark = pytest.mark.browser

SHOTS = Path("test-artefacts/offers")


@pytest.fixture(autouse=True)
def two_factories(database: Database, people: dict[str, Person], clock: ManualClock) -> None:
    """A sheet of 120 that the cheaper of two factories is asked to make; the other is named as its backup."""
    with database.transaction() as session:
        first = a_line(session, a_factory_of(session, people["factory"]), weekly_capacity=200)
        a_line(session, a_factory_of(session, people["factory2"]), weekly_capacity=150, prices={1: 66_00})
        set_overtime(session, first.id, 40, 300_000, factory_id=first.factory_id, now=clock.now())
        due = clock.now() + timedelta(days=40)
        colours = [("黑 Black", "M"), ("黑 Black", "L"), ("红 Red", "M")]
        an_open_sheet(session, 120, variants=colours, issued_at=clock.now(), required_date=due)
    [offer] = match(database, clock.now())
    assert offer.factory_id == people["factory"].organisation_id


def a_factory_of(session: Session, person: Person) -> Factory:
    factory = Factory(id=person.organisation_id, belt="Yiwu", region="Zhejiang")
    session.add(factory)
    session.flush()
    return verify(session, factory)


def keep(page: Page, name: str) -> None:
    """A picture of the page on a desk and on a phone, on which axe finds nothing."""
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert Axe().run(page).response["violations"] == []


def state(database: Database) -> list[tuple[OfferState, int]]:
    return [(offer.state, offer.quantity) for offer in offers(database)]


def test_a_decline_a_counter_and_the_operators_word(
    go: Go, database: Database, clock: ManualClock, worker: Worker, said: list[str], people: dict[str, Person]
) -> None:
    backup = go("factory2", "/factory/inbox")
    assert "You are the backup for" in backup.inner_text("main")
    page = go("factory", "/factory/inbox")
    page.fill("#reason", "The dye house is shut")
    page.get_by_role("button", name="Decline").click()
    assert "Declined" in page.inner_text("body")
    worker.run_until_idle(clock.now())

    page = go("factory2", "/factory/inbox")
    page.locator(".offers a").first.click()
    page.get_by_text("Make a counter-offer").click()
    page.fill("#counter-price", "84")
    page.fill("#counter-quantity", "100")
    page.fill("#counter-note", "The yarn has become dearer")
    keep(page, "counter-form")
    page.get_by_role("button", name="Send the counter-offer").click()
    assert "You asked for 100 pieces at ¥84.00 a piece" in page.inner_text("main")
    worker.run_until_idle(clock.now())
    assert state(database) == [(OfferState.DECLINED, 120), (OfferState.COUNTERED, 120)]

    page = go("operator", "/messages")
    assert "A counter-offer to decide" in page.inner_text("main")
    page = go("operator", "/operator/offers?show=countered")
    keep(page, "offers")
    page.get_by_role("link", name="Decide on the counter-offer").click()
    assert "What it does to the plan" in page.inner_text("main")
    keep(page, "counter")
    page.fill("#reason", "Agreed this once")
    page.get_by_role("button", name="Agree").click()
    worker.run_until_idle(clock.now())
    assert state(database) == [(OfferState.DECLINED, 120), (OfferState.ACCEPTED, 100)]
    with database.reading() as session:
        order = session.exec(select(WorkOrder)).one()
        taken = session.exec(select(Offer).where(Offer.state == OfferState.ACCEPTED)).one()
    assert (order.quantity, order.total_minor, taken.untaken) == (100, 100 * 84_00, 20)
    page = go("factory2", "/messages")
    assert "Your terms are agreed to" in page.inner_text("main")
    assert said == []


def test_capacity_verification_and_idle_weeks_are_used_in_the_browser(
    go: Go, database: Database, said: list[str]
) -> None:
    page = go("factory", "/factory/capacity")
    keep(page, "capacity")
    page.get_by_role("link", name="Change", exact=True).first.click()
    page.fill("#idle-pieces", "60")
    page.select_option("#week", index=4)
    page.get_by_role("button", name="Open the week").click()
    assert "they hold for new offers" in page.inner_text("body")
    keep(page, "hours")
    page.locator("td.r a").first.click()
    page.fill("#quantity", "5")
    page.get_by_role("button", name="Keep them").click()
    keep(page, "week")
    page = go("factory", "/factory/verification")
    page.select_option("#kind", "machines")
    page.fill("#title", "40 lockstitch machines")
    page.get_by_role("button", name="Send it in").click()
    keep(page, "claims")
    page = go("operator", "/operator/vetting")
    page.locator("summary", has_text="Record a finding").click()
    page.get_by_label("What you saw").fill("Counted on site")
    keep(page, "vetting")
    page.get_by_role("button", name="Verified", exact=True).click()
    assert "Nothing to check" in page.inner_text("main")
    page = go("merchandiser", "/studio/idle-weeks")
    assert "10%" in page.inner_text("main")
    keep(page, "idle-weeks")
    assert said == []
