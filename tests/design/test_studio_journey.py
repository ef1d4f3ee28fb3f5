"""The studio in a real browser: brief → variants → publish → want → validated → presale; and sketches, no model."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

from c2m.app import build_worker
from c2m.clock import ManualClock
from c2m.config import Settings
from c2m.db import Database
from c2m.demand.models import Campaign, CampaignKind
from c2m.design import concepts
from c2m.design.generation import Brief, Generated, Progress, SketchGenerator
from c2m.design.making import Maker
from c2m.design.models import Concept, ConceptState, Picture
from c2m.jobs import Worker
from c2m.ledger.provider import SandboxProvider
from tests.conftest import PASSWORD, Person
from tests.design.builders import TinyModel
from tests.design.test_validation import a_crowd

pytestmark = pytest.mark.browser
SignIn = Callable[[str], Page]

SHOTS = Path("test-artefacts/studio")
BEIJING = ZoneInfo("Asia/Shanghai")
ON_LEAVING = ("htmx:afterRequest", "htmx:sendAbort")  # a page that is left gives up what it asked for


class StepByStep(TinyModel):
    """A model that makes one picture, then waits to be told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = Event()

    def generate(self, brief: Brief, *, count: int, seed: int, progress: Progress) -> Iterator[Generated]:
        for number, made in enumerate(super().generate(brief, count=count, seed=seed, progress=progress)):
            yield made
            if number == 0 and not self.go_on.wait(30):
                raise TimeoutError("nobody said to go on")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With an image model that starts from pictures too; a tiny one takes its place."""
    return settings.model_copy(update={"design_model": "somebody/paints"})


@pytest.fixture
def said() -> list[str]:
    """What the browser complained of."""
    return []


@pytest.fixture
def as_(
    browser: Browser, live_site: str, people: dict[str, Person], said: list[str]
) -> Iterator[Callable[[str], Page]]:
    """A browser signed in through the form, reading English."""
    pages: list[Page] = []

    def sign_in(name: str) -> Page:
        page = browser.new_context(locale="en-GB", base_url=live_site).new_page()
        page.on(
            "console",
            lambda m: (
                None if m.type != "error" or m.text in ON_LEAVING else said.append(f"{page.url}: {m.text} {m.location}")
            ),
        )
        page.on("pageerror", lambda error: said.append(f"{name}: {error}"))
        page.on("request", lambda r: None if r.url.startswith((live_site, "data:")) else said.append(r.url))
        page.goto("/sign-in")
        page.fill("input[name=email]", people[name].email)
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        pages.append(page)
        return page

    SHOTS.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=20_000)  # a loaded machine is slow, not wrong
    yield sign_in
    for page in pages:
        page.context.close()


def test_from_a_brief_to_a_presale(
    as_: SignIn,
    said: list[str],
    database: Database,
    clock: ManualClock,
    provider: SandboxProvider,
) -> None:
    studio, worker = as_("merchandiser"), build_worker(database, provider)
    appear_one_after_the_other(studio, database, clock)
    concept = make_a_concept(studio, database, clock)
    buyer = as_("buyer")
    buyer.goto(f"/concepts/{concept.id}")
    expect(buyer.locator(".concept-pic .tag.concept").first).to_have_text("AI concept, not a finished product")
    buyer.fill("#want input[name=quantity]", "4")
    buyer.click("#want button[type=submit]")
    with database.transaction() as session:
        a_crowd(session, concepts.variants(session, concept.id), 30)
    worker.run_until_idle(clock.now())
    clock.advance(timedelta(days=6, hours=12))
    worker.run_until_idle(clock.now())
    studio.goto(f"/studio/concepts/{concept.id}")
    expect(studio.locator("#rule-h + .tag")).to_have_text("Validated")
    studio.screenshot(path=SHOTS / "validated.png", full_page=True)
    campaign = start_a_presale(studio, database, concept, clock)
    buyer.goto(f"/campaigns/{campaign.id}")
    expect(buyer.locator(".gallery .tag.concept")).to_have_text("AI concept, not a finished product")
    buyer.goto("/market")
    expect(buyer.locator("li.item .tag.concept").first).to_have_text("AI concept, not a finished product")
    buyer.screenshot(path=SHOTS / "market.png", full_page=True)
    assert said == []


def appear_one_after_the_other(studio: Page, database: Database, clock: ManualClock) -> None:
    """Write a brief, and see its pictures come without loading the page again."""
    studio.goto("/studio/pictures")
    studio.fill("textarea[name=words]", "a mug striped red and white")
    expect(studio.locator("#reading .read-as li")).to_have_count(4)
    studio.fill("input[name=count]", "3")
    studio.click("#brief button.go")
    expect(studio.locator(".shot .blank")).to_have_count(3)
    model = StepByStep()
    making = Thread(
        target=Worker(database, Maker(database, lambda: model).handlers(), {}).run_until_idle, args=[clock.now()]
    )
    making.start()
    expect(studio.locator(".shot img")).to_have_count(1)
    model.go_on.set()
    expect(studio.locator(".shot img")).to_have_count(3)
    making.join()
    studio.screenshot(path=SHOTS / "three.png", full_page=True)


def make_a_concept(studio: Page, database: Database, clock: ManualClock) -> Concept:
    """Compare two of the pictures, make a concept of them, publish it."""
    studio.locator("input[name=picture]").nth(0).check()
    studio.locator("input[name=picture]").nth(2).check()
    studio.get_by_role("button", name="Compare side by side").click()
    expect(studio.locator(".beside .shot")).to_have_count(2)
    studio.screenshot(path=SHOTS / "side-by-side.png", full_page=True)
    studio.get_by_role("button", name="Make a concept of these").click()
    studio.fill("input[name=title]", "红白条纹杯")
    studio.fill(
        "input[name=ends_at]", (clock.now() + timedelta(days=14)).astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M")
    )
    studio.fill("input[name=price]", "69.00")
    studio.fill("input[name=deposit]", "5.00")
    studio.fill("input[name=target_quantity]", "20")
    studio.click("main form button[type=submit]")
    expect(studio.locator(".variant .pic img")).to_have_count(2)
    studio.get_by_role("button", name="Publish to buyers").click()
    with database.reading() as session:
        concept = session.exec(select(Concept)).one()
    assert concept.state is ConceptState.PUBLISHED
    return concept


def start_a_presale(studio: Page, database: Database, concept: Concept, clock: ManualClock) -> Campaign:
    """Promote the concept to a presale with its favourite picture."""
    studio.goto(f"/studio/concepts/{concept.id}/promote")
    studio.check("input[name=kind][value=presale]")
    studio.fill("input[name=deposit]", "10.00")
    studio.fill("input[name=deposit_counts]", "10.00")
    studio.fill("textarea[name=colours]", "红 Red")
    studio.fill("input[name=minimum]", "20")
    studio.click("form.draft-form button.go")
    with database.reading() as session:
        campaign = session.exec(select(Campaign)).one()
    assert (campaign.kind, campaign.concept_id) == (CampaignKind.PRESALE, concept.id)
    return campaign


def test_without_a_model_sketches_are_drawn_and_recoloured(
    as_: SignIn, said: list[str], database: Database, clock: ManualClock
) -> None:
    worker = Worker(database, Maker(database, lambda: SketchGenerator(size=128)).handlers(), {})
    studio = as_("merchandiser")
    studio.goto("/studio/pictures")
    studio.select_option("select[name=category]", "tote")
    studio.select_option("select[name=primary]", "red")
    studio.fill("input[name=count]", "2")
    studio.click("#brief button.go")
    worker.run_until_idle(clock.now())
    expect(studio.locator(".shot .tag.concept").first).to_have_text("Sketch, not a finished product")
    studio.locator(".shot a.pic").first.click()
    studio.check("input[name=colours][value=navy]")
    studio.check("input[name=colours][value=teal]")
    studio.get_by_role("button", name="Make colour-ways").click()
    worker.run_until_idle(clock.now())
    expect(studio.locator(".shot img")).to_have_count(2)
    with database.reading() as session:
        drawn = session.exec(select(Picture).order_by(Picture.id)).all()
    first, _, teal, navy = (picture.provenance["spec"] for picture in drawn)
    assert [first["primary"], teal["primary"], navy["primary"]] == ["red", "teal", "navy"]
    assert first["shape"] == navy["shape"] == teal["shape"]
    assert said == []
