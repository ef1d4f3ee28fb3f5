"""The picture studio in the browser's eyes: a brief, its run, its pictures, side by side, into a concept."""

import html
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.config import Settings
from c2m.db import Database
from c2m.design.generation import NothingFromPictures
from c2m.design.making import Maker
from c2m.design.models import ConceptVariant, Generation, Picture, Rendition
from c2m.design.pictures import publish_pictures
from c2m.design.views.briefs import says
from c2m.jobs import Worker
from tests.conftest import Person, Visitor
from tests.design.builders import NOON, TinyModel, a_concept, a_file, an_image, count, everything

Client = Callable[..., Visitor]


def a_brief(**fields: Any) -> dict[str, Any]:
    said = {"words": "红白条纹马克杯", "count": "3", "strength": "60", "idempotency_key": "one form of its own"}
    return said | fields


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With an image model that starts from pictures too; it is never loaded."""
    return settings.model_copy(update={"design_model": "somebody/paints"})


@pytest.fixture
def studio(client: Client) -> Visitor:
    """The merchandiser, reading English."""
    browser = client("merchandiser")
    browser.set_cookie("locale", "en")
    return browser


def work(database: Database, model: Any = None) -> None:
    Worker(database, Maker(database, lambda: model or TinyModel()).handlers(), {}).run_until_idle(NOON)


def asked(studio: Visitor, **fields: Any) -> str:
    answer = studio.post("/studio/pictures", data=a_brief(**fields))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def made_pictures(database: Database) -> list[Picture]:
    with database.reading() as session:
        statement = select(Picture).join(Rendition, Rendition.picture_id == Picture.id).order_by(Rendition.position)
        return list(session.exec(statement))


def page(studio: Visitor, address: str) -> str:
    answer = studio.get(address)
    assert answer.status_code == 200, (answer.status_code, address)
    return answer.get_data(as_text=True)


def test_a_brief_becomes_a_run_that_shows_its_pictures_when_they_are_made(studio: Visitor, database: Database) -> None:
    address = asked(studio)
    waiting = page(studio, address)
    assert "0 of 3 pictures" in waiting
    assert "Cancel the run" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    work(database)
    done = page(studio, address)
    assert "hx-trigger" not in done
    assert all(f"/pictures/{picture.id}/about" in done for picture in made_pictures(database))
    assert done.count("AI concept, not a finished product") == 3
    assert "Make a concept of these" in done
    assert "Red" in done
    assert address in page(studio, "/studio/pictures")


def test_more_of_a_brief_and_other_colours_of_a_picture_are_asked_for(studio: Visitor, database: Database) -> None:
    address = asked(studio)
    work(database)
    first, *_ = made_pictures(database)
    more = studio.post(f"{address}/more", data={"count": "2", "idempotency_key": "a second form"})
    assert more.status_code == 303
    colours = {"colours": ["navy", "teal"], "idempotency_key": "a third form"}
    ways = studio.post(f"/pictures/{first.id}/colour-ways", data=colours)
    assert ways.status_code == 303
    with database.reading() as session:
        _, again, in_colours = session.exec(select(Generation).order_by(Generation.asked_at, Generation.id)).all()
        known = {run.id: [] for run in (again, in_colours)}
        for rendition in session.exec(select(Rendition).order_by(Rendition.position)):
            known.setdefault(rendition.generation_id, []).append((rendition.seed, rendition.attributes))
    seed = first.provenance["seed"]
    assert [look for _, look in known[again.id]] == [again.attributes] * 2
    assert [(kept, look["primary"], look["pattern"]) for kept, look in known[in_colours.id]] == [
        (seed, "navy", "stripes"),
        (seed, "teal", "stripes"),
    ]
    assert "Navy" in page(studio, ways.headers["Location"])
    sent_twice = studio.post(f"/pictures/{first.id}/colour-ways", data=colours)
    gone_back = studio.post(f"/pictures/{first.id}/colour-ways", data=colours | {"colours": ["pink"]})
    assert sent_twice.headers["Location"] == ways.headers["Location"] != gone_back.headers["Location"]
    assert "Pink" in page(studio, gone_back.headers["Location"])


def test_pictures_are_compared_and_made_into_a_concept(studio: Visitor, database: Database) -> None:
    asked(studio)
    work(database)
    first, second, _ = made_pictures(database)
    chosen = f"picture={first.id}&picture={second.id}"
    beside = page(studio, f"/studio/pictures/compare?{chosen}")
    assert str(first.provenance["seed"]) in beside
    assert 'class="differs"' in beside
    begun = page(studio, f"/studio/concepts/new?{chosen}")
    assert begun.count('name="picture"') == 2
    assert "红白条纹马克杯" in begun
    form = {"title": "条纹杯", "category": "mug", "price": "39.00", "target_quantity": "100"}
    form |= {"ends_at": "2026-12-06T20:00", "picture": [str(first.id), str(second.id)]}
    kept = studio.post("/studio/concepts/new", data=form)
    assert kept.status_code == 303
    with database.reading() as session:
        variants = session.exec(select(ConceptVariant).order_by(ConceptVariant.position)).all()
    assert [(variant.picture_id, variant.name) for variant in variants] == [
        (first.id, "红色横条纹"),
        (second.id, "红色横条纹 2"),
    ]


def test_pictures_are_added_to_a_draft_once(studio: Visitor, database: Database, people: dict[str, Person]) -> None:
    asked(studio)
    work(database)
    pictures = made_pictures(database)
    with database.transaction() as session:
        draft, _ = a_concept(session, organisation_id=people["merchandiser"].organisation_id, shown=1, published=False)
    form = {"concept_id": str(draft.id), "picture": [str(picture.id) for picture in pictures]}
    for _ in range(2):
        assert studio.post("/studio/pictures/into-concept", data=form).status_code == 303
    with database.reading() as session:
        assert count(session, ConceptVariant) == 4


def test_fewer_than_two_pictures_are_not_compared(studio: Visitor, database: Database) -> None:
    asked(studio)
    work(database)
    first, *_ = made_pictures(database)
    assert studio.get("/studio/pictures/compare").headers["Location"] == "/studio/pictures"
    alone = studio.get(f"/studio/pictures/compare?picture={first.id}")
    assert alone.headers["Location"] == f"/pictures/{first.id}/about"


def test_a_run_is_cancelled_and_taken_up_again(studio: Visitor, database: Database) -> None:
    address = asked(studio)
    assert studio.post(f"{address}/cancel").status_code == 303
    assert "Make the missing ones" in page(studio, address)
    assert studio.post(f"{address}/resume").status_code == 303
    work(database)
    assert len(made_pictures(database)) == 3


def test_a_run_that_no_worker_takes_up_says_so_after_a_while(studio: Visitor, clock: ManualClock) -> None:
    address = asked(studio)
    words = "No worker has taken it up for a while"
    assert words not in page(studio, address)
    clock.advance(timedelta(minutes=3))
    assert words in page(studio, address)
    studio.post(f"{address}/cancel")
    studio.post(f"{address}/resume")
    assert words not in page(studio, address)  # it waits anew


def test_why_a_run_failed_is_said_in_the_reader_s_language(studio: Visitor, database: Database, client: Client) -> None:
    address = asked(studio)
    work(database, TinyModel(trouble=NothingFromPictures()))
    assert "Sketches are drawn from words, not from a picture." in page(studio, address)
    assert "草图" in page(client("merchandiser"), address)


def test_the_operator_reads_of_every_run_whose_it_is_and_why_it_failed(
    studio: Visitor, database: Database, client: Client, people: dict[str, Person]
) -> None:
    asked(studio)
    work(database, TinyModel(trouble=NothingFromPictures()))
    asked(studio, idempotency_key="another one", words="<b>blue</b> mug", count="1")
    work(database)
    operator = client("operator")
    operator.set_cookie("locale", "en")
    told = page(operator, "/operator/pictures")
    assert "Sketches are drawn from words, not from a picture." in told
    assert "0 / 3" in told
    assert "1 / 1" in told
    assert "&lt;b&gt;blue&lt;/b&gt; mug" in told
    assert "2 runs" in told


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"words": "Gucci mug"}, "“gucci” is somebody’s brand".replace("’", "'")),
        ({"words": "something lovely"}, "Name the product in the words, or choose it here."),
        ({"count": "9"}, "Please enter at most 8."),
        ({"count": "0"}, "Please enter at least 1."),
        ({"strength": "101"}, "Please enter at most 100."),
        ({"primary": "octarine"}, "Please choose one of the options."),
        ({"colour": "red"}, "The form carried something"),
        ({"photograph": (io.BytesIO(b"<svg/>"), "a.png")}, "Only PNG, JPEG and WebP pictures can be used."),
    ],
)
def test_a_brief_that_cannot_be_made_is_shown_again_with_why(
    studio: Visitor, database: Database, fields: dict[str, Any], sentence: str
) -> None:
    before = everything(database)
    answer = studio.post("/studio/pictures", data=a_brief(**fields), content_type="multipart/form-data")
    assert answer.status_code == 422
    assert sentence in html.unescape(answer.get_data(as_text=True))
    assert everything(database) == before


def test_a_photograph_becomes_the_source_without_what_it_hid(studio: Visitor, database: Database) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (30.0, 15.0, 0.0)})
    sent = a_file(an_image((200, 100)), "JPEG", exif=exif)
    form = a_brief(photograph=(io.BytesIO(sent), "家里的杯子.jpg"), strength="45")
    answer = studio.post("/studio/pictures", data=form, content_type="multipart/form-data")
    with database.reading() as session:
        [run] = session.exec(select(Generation)).all()
        source = session.get_one(Picture, run.source_id)
    assert (run.strength_pct, source.width, source.height) == (45, 200, 100)
    assert b"Exif" not in source.content
    again = a_brief(photograph=(io.BytesIO(sent), "家里的杯子.jpg"), strength="45")
    repeated = studio.post("/studio/pictures", data=again, content_type="multipart/form-data")
    assert repeated.headers["Location"] == answer.headers["Location"]
    with database.reading() as session:
        assert count(session, Picture) == 1
    work(database)
    shown = page(studio, answer.headers["Location"])
    assert "Starts from this, strength 45%" in shown


def test_a_picture_taken_away_says_how_it_was_made(studio: Visitor, database: Database) -> None:
    asked(studio)
    work(database)
    first, *_ = made_pictures(database)
    about = page(studio, f"/pictures/{first.id}/about")
    for said in (
        "AI concept, made by an image model",
        "tiny model",
        "r1",
        "a mug",
        "Merchandiser",
        str(first.provenance["seed"]),
    ):
        assert f"<dd>{said}</dd>" in about, said
    file = studio.get(f"/pictures/{first.id}/picture.png")
    assert file.headers["Content-Disposition"].startswith("attachment; filename=ai-concept-")
    with Image.open(io.BytesIO(file.data)) as image:
        assert image.text["Title"] == "AI concept, not a finished product"
        assert json.loads(image.text["c2m:provenance"]) == first.provenance
        assert "digitalsourcetype/trainedAlgorithmicMedia" in image.text["XML:com.adobe.xmp"]
    with Image.open(io.BytesIO(studio.get(f"/pictures/{first.id}").data)) as shown:
        assert b"digitalsourcetype/trainedAlgorithmicMedia" in shown.info["xmp"]
        assert b"Merchandiser" not in shown.info["xmp"]


def test_strangers_see_a_picture_s_making_once_it_is_published_and_not_by_whom(
    studio: Visitor, database: Database, client: Client
) -> None:
    asked(studio)
    work(database)
    first, *_ = made_pictures(database)
    for address in (f"/pictures/{first.id}/about", f"/pictures/{first.id}/picture.png"):
        assert client().get(address).status_code == 404
        assert client("merchandiser2").get(address).status_code == 404
    with database.transaction() as session:
        publish_pictures(session, [first.id], now=NOON)
    for reader in (client(), client("merchandiser2")):
        assert "tiny model" in page(reader, f"/pictures/{first.id}/about")
        assert "<dd>Merchandiser</dd>" not in page(reader, f"/pictures/{first.id}/about")
        with Image.open(io.BytesIO(reader.get(f"/pictures/{first.id}/picture.png").data)) as image:
            assert "by" not in json.loads(image.text["c2m:provenance"])


def test_the_brief_is_read_while_it_is_written(studio: Visitor) -> None:
    form = {"words": "navy canvas tote flying", "pattern": "dots", "idempotency_key": ""}
    read = studio.post("/studio/pictures/reading", data=form).get_data(as_text=True)
    assert [said in read for said in ("Navy", "Tote bags", "Canvas", "Dots", "flying")] == [True] * 5
    unnamed = studio.post("/studio/pictures/reading", data={"words": "something red"}).get_data(as_text=True)
    assert "which product?" in unnamed
    assert "Red" in unnamed


@pytest.mark.parametrize(
    ("attributes", "true"),
    [
        ({"primary": "red", "secondary": "white", "pattern": "stripes"}, True),
        ({"primary": "green", "secondary": "white", "pattern": "stripes"}, False),
        ({}, True),
    ],
)
def test_words_no_longer_describe_a_picture_whose_colours_were_replaced(attributes: dict[str, str], true: bool) -> None:
    assert says("红白条纹帆布托特包", "tote", attributes) is true
