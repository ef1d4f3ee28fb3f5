"""Image search in the marketplace: by a picture that is shown there, by a photograph, and for programs."""

import io
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlmodel import Session
from werkzeug.test import TestResponse

from c2m.app import build_worker
from c2m.db import Database
from c2m.demand.views.alike import CLOSEST
from c2m.design import concepts, pictures
from c2m.design.drawings import DrawingSpec, draw
from c2m.design.models import Picture
from c2m.ledger.provider import SandboxProvider
from tests.conftest import Person, Visitor
from tests.design.builders import NOON, a_concept_draft, a_file, an_image, count

Client = Callable[..., Visitor]
FINDS = {"mug": "White mug", "cup": "Navy cup", "tote": "White tote bag", "chair": "White chair"}


def drawing(name: str, seed: int = 1) -> Any:
    category, colour = ("mug", "navy") if name == "cup" else (name, "white")
    return draw(DrawingSpec(category, colour, colour), size=128, seed=seed)


@pytest.fixture
def on_offer(database: Database, people: dict[str, Person]) -> dict[str, UUID]:
    """A concept of each product, described; the picture's id by its name."""
    with database.transaction() as session:
        shown = {name: published(session, name, people["merchandiser"].organisation_id) for name in FINDS}
    build_worker(database, SandboxProvider()).run_until_idle(NOON)
    return shown


def published(session: Session, name: str, owner: UUID) -> UUID:
    title, category = FINDS[name], "mug" if name == "cup" else name
    draft = a_concept_draft(owner, category=category, title=title, title_en=title, ends_at=NOON + timedelta(days=9))
    concept = concepts.create_concept(session, draft, now=NOON)
    picture = pictures.store_drawing(session, drawing(name), provenance={}, organisation_id=owner, now=NOON)
    concepts.add_variant(session, concept, picture, name="图", name_en="Picture", now=NOON)
    concepts.publish_concept(session, concept, now=NOON)
    return picture.id


def in_english(client: Client, name: str | None = None) -> Visitor:
    browser = client(name)
    browser.set_cookie("locale", "en")
    return browser


def order_of(page: str) -> list[str]:
    found = {title: page.find(f">{title}<") for title in FINDS.values()}
    return sorted((title for title, at in found.items() if at >= 0), key=found.__getitem__)


def a_photograph(category: str = "mug") -> dict[str, Any]:
    return {"photograph": (io.BytesIO(a_file(drawing(category, seed=5), "JPEG")), "mine.jpg")}


def test_more_like_a_picture_shows_what_is_alike_and_not_itself(on_offer: dict[str, UUID], client: Client) -> None:
    page = in_english(client).get(f"/market/alike?picture={on_offer['mug']}")
    assert page.status_code == 200
    assert "More like this" in page.text
    assert order_of(page.text) == ["Navy cup"]
    assert "what does not look alike is left out" in page.text


def test_a_photograph_finds_what_looks_like_it_first_and_is_not_kept(
    on_offer: dict[str, UUID], client: Client, database: Database
) -> None:
    page = in_english(client).post("/market/alike", data=a_photograph(), content_type="multipart/form-data")
    assert page.status_code == 200
    assert order_of(page.text) == ["White mug", "Navy cup"]
    assert re.findall(r'class="likeness (\w+)"', page.text) == ["very", "alike"]
    assert "2 results" in page.text
    shown = re.search(r'src="data:image/webp;base64,([^"]+)"', page.text)
    assert shown is not None
    with Image.open(io.BytesIO(b64decode(shown[1]))) as own:
        assert own.size == (128, 128)
    with database.reading() as session:
        assert count(session, Picture) == len(FINDS)


def test_a_program_is_told_addresses_and_distances(on_offer: dict[str, UUID], client: Client) -> None:
    answer = client().get(f"/market/alike.json?picture={on_offer['mug']}").get_json()
    distances = [found["distance"] for found in answer["results"]]
    assert [found["title_en"] for found in answer["results"]] == ["Navy cup"]
    assert {found["alike"] for found in answer["results"]} == {"alike"}
    assert 1.0 < distances[0] < 1.2
    assert {found["kind"] for found in answer["results"]} == {"concept"}
    assert client().get(answer["results"][0]["url"]).status_code == 200
    headers = {"Accept": "application/json"}
    sent = client().post(
        "/market/alike", data=a_photograph("tote"), content_type="multipart/form-data", headers=headers
    )
    assert sent.get_json()["results"][0]["title_en"] == "White tote bag"


def test_a_program_sends_a_picture_without_a_forms_token_and_reads_why_one_is_refused(
    on_offer: dict[str, UUID], client: Client
) -> None:
    def answer(data: dict[str, object]) -> TestResponse:
        options = {"content_type": "multipart/form-data", "headers": {"Accept-Language": "en"}}
        return client().post("/market/alike.json", with_token=False, data=data, **options)

    assert answer(a_photograph("tote")).get_json()["results"][0]["title_en"] == "White tote bag"
    for data, sentence in (
        ({}, "Please fill this in."),
        ({"photograph": (io.BytesIO(b"<svg/>"), "a.png")}, "Only PNG, JPEG and WebP pictures can be used."),
    ):
        refused = answer(data)
        assert (refused.status_code, refused.mimetype) == (422, "application/problem+json")
        assert sentence in refused.get_data(as_text=True)
    asked = client().get("/market/alike.json", headers={"Accept-Language": "en"})
    assert asked.status_code == 422
    assert asked.get_json()["errors"] == {"picture": "Name a picture that is shown here, or send a photograph by POST."}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"<svg/>", "Only PNG, JPEG and WebP"), (b"", ""), (a_file(an_image((8, 8))), "too small")],
)
def test_what_is_no_photograph_is_refused_on_the_page(content: bytes, sentence: str, client: Client) -> None:
    data = {"photograph": (io.BytesIO(content), "mine.png" if content else "")}
    page = in_english(client).post("/market/alike", data=data, content_type="multipart/form-data")
    assert page.status_code == 422
    assert sentence in page.text
    assert "Most alike first" not in page.text


def test_a_picture_nobody_may_see_finds_nothing(database: Database, people: dict[str, Person], client: Client) -> None:
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        hidden = pictures.store_drawing(session, an_image(), provenance={}, organisation_id=owner, now=NOON)
    assert client().get(f"/market/alike?picture={hidden.id}").status_code == 404
    assert client().get(f"/market/alike.json?picture={hidden.id}").status_code == 404


def test_where_nothing_is_alike_the_closest_are_shown_and_called_so(on_offer: dict[str, UUID], client: Client) -> None:
    page = in_english(client).post("/market/alike", data=a_photograph("umbrella"), content_type="multipart/form-data")
    assert 0 < len(order_of(page.text)) <= CLOSEST
    assert "Closest, though not alike" in page.text
    assert "Most alike first" not in page.text
    assert "data:image/webp" in page.text
    told = client().post(
        "/market/alike",
        data=a_photograph("umbrella"),
        content_type="multipart/form-data",
        headers={"Accept": "application/json"},
    )
    assert [one["alike"] for one in told.json["results"]] == [None] * len(order_of(page.text))


def test_what_is_over_is_not_shown(on_offer: dict[str, UUID], client: Client, clock: Any) -> None:
    clock.advance(timedelta(days=10))
    page = in_english(client).get(f"/market/alike?picture={on_offer['mug']}")
    assert "There is nothing to compare with yet" in page.text


def test_the_marketplace_leads_there_in_both_languages(client: Client) -> None:
    assert 'href="/market/alike"' in in_english(client).get("/market").text
    reader = client()
    reader.set_cookie("locale", "zh")
    page = reader.get("/market/alike").text
    assert "以图搜货" in page
    assert "Search by picture" not in page
