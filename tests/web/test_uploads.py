"""Uploads through every form that takes a picture: harmless afterwards, or refused with nothing changed."""

import html
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from sqlmodel import select

from c2m.config import Settings
from c2m.db import Database
from c2m.design.models import Picture
from c2m.matching.models import Factory
from tests.conftest import Person, Visitor
from tests.demand.test_studio_pages import a_form as a_campaign_form
from tests.design.builders import a_concept, a_file, an_image, everything
from tests.design.test_pictures import a_bomb

SCRIPT = b"<script>alert(1)</script>"
HOSTILE = {
    "SVG called PNG": (b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>", "cup.png", "Only PNG, JPEG"),
    "HTML called JPEG": (b"<!doctype html>" + SCRIPT, "cup.jpg", "Only PNG, JPEG"),
    "a bomb of pixels": (a_bomb(60_000), "cup.png", "too many pixels"),
    "cut short": (a_file(Image.effect_noise((300, 300), 60), "JPEG")[:3000], "cup.jpg", "damaged"),
    "nothing": (b"", "cup.png", "The file is empty"),
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With an image model that starts from pictures; it is never loaded."""
    return settings.model_copy(update={"design_model": "somebody/paints"})


@pytest.fixture
def forms(database: Database, people: dict[str, Person]) -> dict[str, tuple[str, str, str, dict[str, Any]]]:
    """Each form that takes a picture: who, where to, the field's name, everything else."""
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        draft, _ = a_concept(session, organisation_id=owner, shown=0, published=False)
        session.add(Factory(id=people["factory"].organisation_id, belt="Dehua", region="Fujian"))
    claim = {"kind": "sample_work", "title": "Cups", "reference": "S-1"}
    brief = {"words": "red mug", "idempotency_key": "one form of its own"}
    want = {"words": "canvas tote bag", "quantity": "20", "idempotency_key": "one form of its own"}
    return {
        "a concept's photograph": (
            "merchandiser",
            f"/studio/concepts/{draft.id}/photographs",
            "picture",
            {"name": "杯"},
        ),
        "a brief": ("merchandiser", "/studio/pictures", "photograph", brief),
        "a campaign": ("merchandiser", "/studio/campaigns/new", "picture", a_campaign_form()),
        "a factory's claim": ("factory", "/factory/verification", "picture", claim),
        "a want": ("buyer", "/wants/new", "picture", want),
        "image search": ("buyer", "/market/alike", "photograph", {}),
    }


KEPT = ("a concept's photograph", "a brief", "a campaign", "a factory's claim", "a want")
ATTACKED = [(name, attack) for name in ("a brief", "a want", "image search") for attack in HOSTILE]
OTHERS = [(name, "HTML called JPEG") for name in ("a concept's photograph", "a campaign", "a factory's claim")]


def send(client: Callable[..., Visitor], form: tuple[str, str, str, dict[str, Any]], data: bytes, name: str) -> Any:
    who, address, field, fields = form
    browser = client(who)
    browser.set_cookie("locale", "en")
    sent = fields | {field: (io.BytesIO(data), name)}
    return browser.post(address, data=sent, content_type="multipart/form-data")


@pytest.mark.parametrize(("name", "attack"), ATTACKED + OTHERS)
def test_what_is_no_good_picture_is_refused_in_every_form(
    client: Callable[..., Visitor], forms: dict[str, Any], database: Database, name: str, attack: str
) -> None:
    data, filename, sentence = HOSTILE[attack]
    before = everything(database)
    answer = send(client, forms[name], data, filename)
    assert answer.status_code == 422
    assert sentence in html.unescape(answer.get_data(as_text=True))
    assert everything(database) == before


@pytest.mark.parametrize("name", KEPT)
def test_a_photograph_is_kept_without_what_it_hid(
    client: Callable[..., Visitor], forms: dict[str, Any], database: Database, name: str
) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (30.0, 15.0, 0.0)})
    sent = a_file(an_image((200, 100)), "JPEG", exif=exif) + SCRIPT
    assert send(client, forms[name], sent, "家.jpg").status_code == 303
    with database.reading() as session:
        [kept] = session.exec(select(Picture)).all()
    with Image.open(io.BytesIO(kept.content)) as image:
        assert (image.format, image.size, dict(image.getexif())) == ("WEBP", (200, 100), {})
    assert not any(hidden in kept.content for hidden in (b"Exif", b"EXIF", b"script", b"GPS"))
    shown = client(forms[name][0]).get(f"/pictures/{kept.id}")
    assert (shown.mimetype, shown.headers["X-Content-Type-Options"]) == ("image/webp", "nosniff")


def test_image_search_looks_at_a_photograph_and_keeps_nothing(
    client: Callable[..., Visitor], forms: dict[str, Any], database: Database
) -> None:
    before = everything(database)
    assert (
        send(client, forms["image search"], a_file(an_image((200, 100)), "JPEG") + SCRIPT, "家.jpg").status_code == 200
    )
    assert everything(database) == before


@pytest.mark.parametrize("name", ["a brief", "a want", "image search"])
def test_more_than_a_request_may_carry_is_refused(
    client: Callable[..., Visitor], forms: dict[str, Any], database: Database, name: str
) -> None:
    before = everything(database)
    answer = send(client, forms[name], bytes(9 * 1024 * 1024), "cup.png")
    assert answer.status_code == 413
    assert everything(database) == before
