"""In a real browser: a waiting list that moves up, and a presale with an unpaid balance."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from sqlmodel import Session, select

from c2m.clock import ManualClock
from c2m.db import Database, uuid7
from c2m.demand.campaigns import CampaignDraft, create_campaign, open_campaign
from c2m.demand.joining import place_pledge
from c2m.demand.models import CampaignKind, DemandSheet, Pledge, PledgeState, Variant, Waiting, WaitingState
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.policies import standard_policy
from c2m.demand.rules import Tier
from c2m.identity.models import Role
from c2m.jobs import Worker
from c2m.ledger.models import AccountKind
from c2m.ledger.queries import balance, balances_by_kind
from c2m.ledger.rules import AccountRef
from tests.conftest import Person, a_person
from tests.demand.conftest import Go

pytestmark = pytest.mark.browser

SHOTS = Path("test-artefacts/queues")
WEEK, WINDOW = timedelta(days=7), timedelta(days=3)


class Site:
    """The merchandiser's campaigns, and buyers as they use them."""

    def __init__(
        self, go: Go, database: Database, people: dict[str, Person], clock: ManualClock, worker: Worker
    ) -> None:
        self.go, self.database, self.people, self.clock, self.worker = go, database, people, clock, worker

    def campaign(self, kind: CampaignKind = CampaignKind.GROUP_BUY, **terms: object) -> UUID:
        draft = CampaignDraft(
            organisation_id=self.people["merchandiser"].organisation_id,
            kind=kind,
            title="圆领 T 恤",
            title_en="Crew-neck tee",
            category="tshirt",
            currency="CNY",
            variants=(("黑 Black", "M"),),
            tiers=(Tier(1, 40_00), Tier(50, 34_00)),
            deadline=self.clock.now() + WEEK,
            **{"minimum": 1, "cap": 10} | terms,  # type: ignore[arg-type]
        )
        with self.database.transaction() as session:
            policy = standard_policy(session, now=self.clock.now())
            found = create_campaign(session, draft, policy=policy, now=self.clock.now())
            open_campaign(session, found, now=self.clock.now())
        return found

    def join(self, name: str, campaign: UUID, pieces: int) -> UUID:
        with self.database.transaction() as session:
            variant = session.exec(select(Variant.id).where(Variant.campaign_id == campaign)).one()
            request = PledgeRequest(campaign, self.people[name].organisation_id, ((variant, pieces),), str(uuid7()))
            pledge = place_pledge(session, request, now=self.clock.now())
        self.pass_time()
        return pledge

    def pass_time(self, by: timedelta = timedelta()) -> None:
        self.clock.advance(by)
        self.worker.run_until_idle(self.clock.now())

    def wait(self, name: str, campaign: UUID, pieces: int) -> Page:
        page = self.go(name, f"/campaigns/{campaign}")
        page.locator("table.matrix tbody input").first.fill(str(pieces))
        page.get_by_role("button", name="Wait, and be charged when my turn comes").click()
        page.get_by_text(f"Waiting for {pieces} pieces ·").wait_for()
        return page

    def shoot(self, page: Page, what: str) -> None:
        """A picture to be looked at, and axe's opinion."""
        page.screenshot(path=SHOTS / f"{what}.png", full_page=True)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.fixture
def site(go: Go, database: Database, people: dict[str, Person], clock: ManualClock, worker: Worker) -> Site:
    people["buyer3"] = a_person(database, "buyer3", Role.BUYER, now=clock.now())
    return Site(go, database, people, clock, worker)


def test_a_waiting_list_that_moves_up(site: Site, said: list[str]) -> None:
    campaign = site.campaign()
    held = site.join("buyer2", campaign, 10)
    page = site.wait("buyer", campaign, 4)
    site.shoot(page, "waiting")
    site.shoot(site.go("buyer", "/orders"), "my-orders")
    site.shoot(site.go("merchandiser", f"/studio/campaigns/{campaign}"), "merchandiser")
    leaving = site.go("buyer2", f"/orders/{held}")
    leaving.get_by_role("button", name="Leave and get").click()
    site.pass_time()
    page = site.go("buyer", "/market")
    page.get_by_role("link", name="Messages, one unread").click()
    page.get_by_role("button", name="You have moved up").wait_for()
    site.shoot(page, "messages")
    page.get_by_role("button", name="You have moved up").click()
    page.get_by_text("You moved up from the waiting list with 4 pieces").wait_for()
    site.shoot(page, "moved-up-order")
    with site.database.reading() as session:
        [place] = session.exec(select(Waiting)).all()
        moved = session.get_one(Pledge, UUID(page.url.split("/")[-1]))
        assert (place.state, moved.quantity, moved.state) == (WaitingState.FILLED, 4, PledgeState.PAID)
        assert spent(session, site.people["buyer"]) == 160_00
        assert spent(session, site.people["buyer2"]) == 0
    assert page.get_by_role("link", name="Your messages", exact=True).count() == 1
    assert said == []


def test_a_presale_with_an_unpaid_balance(site: Site, said: list[str]) -> None:
    campaign = site.campaign(CampaignKind.PRESALE, cap=8, deposit_minor=5_00, deposit_counts_minor=10_00)
    careless, other = site.join("buyer", campaign, 5), site.join("buyer3", campaign, 3)
    site.wait("buyer2", campaign, 5)
    site.pass_time(WEEK)
    pay_balance(site.go("buyer3", f"/orders/{other}"))
    site.pass_time(WINDOW - timedelta(days=1))
    page = site.go("buyer", "/messages")
    page.get_by_role("button", name="Balance still open").wait_for()
    site.shoot(page, "reminder")
    page.get_by_role("button", name="Balance still open").click()
    page.get_by_text("Unpaid by then, the deposit is forfeited").wait_for()
    offer_another_amount(page)
    site.shoot(site.go("buyer2", f"/campaigns/{campaign}"), "waiting-after-the-close")
    site.pass_time(timedelta(days=1))
    site.shoot(site.go("buyer", f"/orders/{careless}"), "forfeited")
    page = site.go("buyer2", "/messages")
    page.get_by_role("button", name="You have moved up").click()
    site.shoot(page, "released")
    with site.database.reading() as session:
        assert session.get_one(Pledge, careless).state is PledgeState.FORFEITED
        released = session.get_one(Pledge, UUID(page.url.split("/")[-1]))
        assert (released.state, released.charged_minor) == (PledgeState.CONFIRMED, 5 * 40_00)
        sheet = session.exec(select(DemandSheet).where(DemandSheet.campaign_id == campaign)).one()
        assert sheet.quantity == 8
        assert spent(session, site.people["buyer"]) == 5 * 5_00
        assert sum(balances_by_kind(session).values()) == 0
    assert all("422" in complaint for complaint in said)


def pay_balance(page: Page) -> None:
    page.get_by_role("button", name="Pay ¥").click()
    page.get_by_text("The balance is being paid").first.wait_for()


def offer_another_amount(page: Page) -> None:
    """A form that was tampered with: less than the balance is refused, and nothing is charged."""
    page.locator("input[name=amount]").evaluate("input => { input.value = '1.00' }")
    page.get_by_role("button", name="Pay ¥").click()
    page.get_by_text("A balance is paid whole").wait_for()


def spent(session: Session, person: Person) -> int:
    return -balance(session, AccountRef(AccountKind.OUTSIDE, person.organisation_id, "CNY"))
