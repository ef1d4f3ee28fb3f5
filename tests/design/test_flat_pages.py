"""A concept's technical flat as its merchandiser sees it and takes it away."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from c2m.db import Database
from c2m.design import concepts, pictures
from c2m.design.generation import Brief, SketchGenerator
from tests.conftest import Person, Visitor
from tests.design.builders import NOON, a_concept

Client = Callable[..., Visitor]


@pytest.fixture
def studio(client: Client) -> Visitor:
    """The merchandiser, reading English."""
    browser = client("merchandiser")
    browser.set_cookie("locale", "en")
    return browser


def a_product(database: Database, people: dict[str, Person], category: str, sketches: int = 0) -> str:
    mine = people["merchandiser"].organisation_id
    with database.transaction() as session:
        concept, _ = a_concept(session, organisation_id=mine, shown=0, published=False, category=category)
        made = SketchGenerator().generate(Brief(category, "", {}), count=sketches, seed=3, progress=lambda *_: None)
        for number, sketch in enumerate(made):
            kept = pictures.store_drawing(
                session, sketch.image, provenance=sketch.provenance, organisation_id=mine, now=NOON
            )
            concepts.add_variant(session, concept, kept, name=f"{number}", name_en="", now=NOON)
        return f"/studio/concepts/{concept.id}"


def test_the_flat_of_a_t_shirt_shows_every_size_and_draws_the_one_chosen(
    studio: Visitor, database: Database, people: dict[str, Person]
) -> None:
    address = a_product(database, people, "tshirt")
    assert f'href="{address}/flat"' in studio.get(address).get_data(as_text=True)
    page = studio.get(f"{address}/flat?size=XL").get_data(as_text=True)
    assert "Chest, half" in page
    for chest in ("475", "500", "525", "550"):
        assert f">{chest}</td>" in page
    drawn = studio.get(f"{address}/flat-drawing.svg?size=XL")
    assert drawn.mimetype == "image/svg+xml"
    assert "A 550" in drawn.get_data(as_text=True)


def test_the_sheet_is_taken_away_as_svg_and_as_png(
    studio: Visitor, database: Database, people: dict[str, Person]
) -> None:
    address = a_product(database, people, "suitcase")
    sheet = studio.get(f"{address}/flat.svg")
    assert sheet.headers["Content-Disposition"] == "attachment; filename=flat-suitcase-20in.svg"
    assert "条纹保温杯  Striped flask" in sheet.get_data(as_text=True)
    picture = studio.get(f"{address}/flat.png?size=28%E2%80%B3")
    assert picture.headers["Content-Disposition"] == "attachment; filename=flat-suitcase-28in.png"
    with Image.open(io.BytesIO(picture.get_data())) as opened:
        assert (opened.format, opened.size) == ("PNG", (2280, 1350))


def test_the_flat_has_the_shape_of_the_first_sketch(
    studio: Visitor, database: Database, people: dict[str, Person]
) -> None:
    usual = studio.get(f"{a_product(database, people, 'mug')}/flat").get_data(as_text=True)
    sketched = studio.get(f"{a_product(database, people, 'mug', sketches=1)}/flat").get_data(as_text=True)
    assert ">86</td>" in usual
    assert ">86</td>" not in sketched
    assert "Usual measures and shape of the category" in usual
    assert "in the shape your first sketch was drawn in" not in usual
    assert "in the shape your first sketch was drawn in" in sketched


def test_a_category_without_a_flat_a_size_it_lacks_and_strangers_get_none(
    studio: Visitor, client: Client, database: Database, people: dict[str, Person]
) -> None:
    general, mug = a_product(database, people, "general"), a_product(database, people, "mug")
    assert "/flat" not in studio.get(general).get_data(as_text=True)
    assert studio.get(f"{general}/flat").status_code == 404
    assert studio.get(f"{mug}/flat?size=XL").status_code == 422
    with database.transaction() as session:
        concept, _ = a_concept(session, category="mug")
        somebody_elses = f"/studio/concepts/{concept.id}"
    for part in ("flat", "flat.svg", "flat.png", "flat-drawing.svg"):
        assert studio.get(f"{somebody_elses}/{part}").status_code == 404
        assert client("buyer").get(f"{mug}/{part}").status_code == 403
