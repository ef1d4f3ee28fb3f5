"""An idea as pictures in a real browser: they come one after the other without a word from the browser."""

from collections.abc import Iterator
from threading import Event, Thread

import pytest
from playwright.sync_api import Page, expect

from c2m.clock import ManualClock
from c2m.config import Settings
from c2m.db import Database
from c2m.design.generation import Brief, Generated, Progress
from c2m.design.making import Maker
from c2m.jobs import Worker
from tests.conftest import PASSWORD, Person
from tests.design.builders import TinyModel

pytestmark = pytest.mark.browser


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
    """With an image model; a tiny one takes its place."""
    return settings.model_copy(update={"design_model": "somebody/paints"})


def test_pictures_of_an_idea_come_in_on_a_phone_and_the_browser_has_nothing_to_complain_of(
    page: Page, live_site: str, people: dict[str, Person], database: Database, clock: ManualClock
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.set_viewport_size({"width": 390, "height": 844})
    expect.set_options(timeout=20_000)
    page.goto(f"{live_site}/sign-in")
    page.fill("input[name=email]", people["buyer"].email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.goto(f"{live_site}/wants/new?words=a+red+mug")
    page.fill("#idea-words", "a red mug with white stripes")
    page.click("#pictured button")
    expect(page.locator(".shot .blank")).to_have_count(3)
    model = StepByStep()
    making = Thread(
        target=Worker(database, Maker(database, lambda: model).handlers(), {}).run_until_idle, args=[clock.now()]
    )
    making.start()
    expect(page.locator(".shot img")).to_have_count(1)
    page.check("#closest-1")
    page.evaluate("document.getElementById('pictured').style.minHeight = '10px'")  # as a browser or its owner may
    model.go_on.set()
    expect(page.locator(".shot img")).to_have_count(3)
    making.join()
    expect(page.locator("#closest-1")).to_be_checked()
    expect(page.locator("#idea-words")).to_be_visible()
    page.fill("#idea-words", "a red mug with dots")
    assert said == []
