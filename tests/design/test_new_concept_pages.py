"""A new concept begun from pictures: it says what all of them show, and nothing of what only one does."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from c2m.config import Settings
from c2m.db import Database
from c2m.design.models import Generation, Rendition
from c2m.design.pictures import store_drawing
from c2m.design.views.briefs import in_common
from tests.conftest import Person, Visitor
from tests.design.builders import NOON, an_image
from tests.design.test_studio_pages import asked, made_pictures, work

Client = Callable[..., Visitor]
COLOURS = ("white", "red", "navy")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With an image model that is never loaded."""
    return settings.model_copy(update={"design_model": "somebody/paints"})


@pytest.fixture
def studio(client: Client) -> Visitor:
    browser = client("merchandiser")
    browser.set_cookie("locale", "en")
    return browser


def a_run(words: str = "", **looks: str) -> tuple[Generation, Rendition]:
    """A backpack on mist grey that was asked for in these words and came to look so."""
    attributes = {"pattern": "plain", "background": "mist"} | looks
    return Generation(category="backpack", words=words), Rendition(attributes=attributes)


def begun(studio: Visitor, *pictures: Any) -> tuple[str, str]:
    """The category and the brief that a form begins with."""
    chosen = "&".join(f"picture={picture.id}" for picture in pictures)
    page = studio.get(f"/studio/concepts/new?{chosen}").get_data(as_text=True)
    [brief] = re.findall(r'<textarea id="brief"[^>]*>([^<]*)</textarea>', page)
    return (re.findall(r'<option value="([a-z_]+)" selected', page) or [""])[0], html.unescape(brief).strip()


def test_colour_ways_are_described_by_what_they_share_in_each_language_on_a_line_of_its_own(
    studio: Visitor, database: Database
) -> None:
    brief = {"words": "", "category": "backpack", "pattern": "dots", "background": "mist", "count": "1"}
    for number, colour in enumerate(COLOURS):
        asked(studio, **brief, primary=colour, idempotency_key=f"a form of its own {number}")
    work(database)
    pictures = made_pictures(database)
    category, together = begun(studio, *pictures)
    assert category == "backpack"
    assert together.splitlines() == ["双肩包 · 波点", "Backpacks · Dots"]
    alone = begun(studio, pictures[0])[1].splitlines()
    assert len(alone) == 2
    assert all(word in alone[1] for word in ("Backpacks", "Dots"))
    assert "Mist" not in "".join(alone)


def test_of_a_picture_nobody_asked_for_nothing_is_known_to_be_in_common(
    studio: Visitor, database: Database, people: dict[str, Person]
) -> None:
    asked(studio)
    work(database)
    owner = people["merchandiser"].organisation_id
    with database.transaction() as session:
        drawn = store_drawing(session, an_image(), provenance={}, organisation_id=owner, now=NOON)
    assert begun(studio, made_pictures(database)[0], drawn) == ("", "")


def test_words_stay_where_they_are_true_of_every_picture(app: Any) -> None:
    with app.test_request_context():
        white, red = (a_run("white backpack", primary=colour) for colour in ("white", "red"))
        assert in_common([white])["brief"].splitlines()[0] == "white backpack"
        assert "white" not in in_common([white, red])["brief"].lower()
        same = [a_run("backpack for school", primary=colour) for colour in COLOURS]
        assert in_common(same)["brief"].splitlines()[0] == "backpack for school"
        trimmed = [a_run(primary=colour, secondary="grey") for colour in COLOURS]
        assert "Grey" not in in_common(trimmed)["brief"]
        assert "Grey" in in_common(trimmed[:1])["brief"]
        other = Generation(category="tote", words=""), Rendition(attributes={"primary": "red"})
        assert in_common([red, other]) == {"category": "", "brief": "红色\nRed"}
