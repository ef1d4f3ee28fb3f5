"""Image search: published pictures are described by a job and found by what they look like."""

import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlmodel import Session

from c2m.app import build_worker
from c2m.config import Imagination
from c2m.db import Database
from c2m.design import pictures
from c2m.design.alike import CATCH_UP, Alike, Describer, looks_like, looks_of, more_like
from c2m.design.drawings import DrawingSpec, draw
from c2m.design.likeness import SHAPE_AND_COLOUR
from c2m.design.likeness.encoder import MissingEncoder
from c2m.design.models import Picture, PictureLook
from c2m.identity.models import Role
from c2m.ledger.provider import SandboxProvider
from tests.builders import an_organisation
from tests.design.builders import NOON, count


def drawing(category: str = "mug", colour: str = "red", seed: int = 1) -> Image.Image:
    return draw(DrawingSpec(category, colour, colour), size=128, seed=seed)


def kept(session: Session, image: Image.Image, *, published: bool = True) -> Picture:
    owner = an_organisation(session, Role.MERCHANDISER).id
    picture = pictures.store_drawing(session, image, provenance={}, organisation_id=owner, now=NOON)
    if published:
        pictures.publish_pictures(session, [picture.id], now=NOON)
    return picture


def described(database: Database) -> None:
    build_worker(database, SandboxProvider()).run_until_idle(NOON)


def test_what_looks_most_like_a_picture_is_found_first_and_new_pictures_at_once(database: Database) -> None:
    with database.transaction() as session:
        mug, tote = kept(session, drawing("mug")), kept(session, drawing("tote"))
    described(database)
    with database.reading() as session:
        found = looks_like(session, drawing("mug", seed=2), count=5)
        assert [alike.picture_id for alike in found] == [mug.id, tote.id]
        assert found[0].distance < found[1].distance
    with database.transaction() as session:
        newer = kept(session, drawing("mug", seed=2))
    described(database)
    with database.reading() as session:
        assert looks_like(session, drawing("mug", seed=2), count=1)[0].picture_id == newer.id


def test_more_like_a_picture_leaves_itself_out(database: Database) -> None:
    with database.transaction() as session:
        red, navy = kept(session, drawing()), kept(session, drawing(colour="navy"))
        other = kept(session, drawing("chair"))
    described(database)
    with database.reading() as session:
        shown = pictures.picture(session, red.id)
        assert [alike.picture_id for alike in more_like(session, shown, count=9)] == [navy.id, other.id]


def test_pictures_that_nobody_may_see_yet_are_neither_described_nor_found(database: Database) -> None:
    with database.transaction() as session:
        draft = kept(session, drawing(), published=False)
    described(database)
    with database.reading() as session:
        assert count(session, PictureLook) == 0
        assert looks_like(session, drawing(), count=3) == []
        assert more_like(session, pictures.picture(session, draft.id), count=3) == []


def test_a_picture_published_twice_is_described_once(database: Database) -> None:
    with database.transaction() as session:
        picture = kept(session, drawing())
        pictures.publish_pictures(session, [picture.id], now=NOON)
    described(database)
    with database.reading() as session:
        assert count(session, PictureLook) == 1


def test_pictures_from_before_image_search_are_caught_up_with(database: Database) -> None:
    with database.transaction() as session:
        picture = kept(session, drawing(), published=False)
        picture.published_at = NOON - timedelta(days=9)
        session.add(picture)
    worker = build_worker(database, SandboxProvider())
    assert CATCH_UP in {schedule.kind for schedule in worker.schedules}
    worker.run_until_idle(NOON)
    with database.reading() as session:
        [found] = looks_like(session, _as_stored(session, picture), count=2)
        assert found.picture_id == picture.id
        assert found.distance == pytest.approx(0, abs=0.01)  # kept at 16 bits


def _as_stored(session: Session, picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(pictures.picture(session, picture.id).content))


def test_another_version_is_another_index(database: Database) -> None:
    with database.transaction() as session:
        picture = kept(session, drawing())
        describer = Describer(Imagination())
        describer.keep(session, describer.describe(session, [picture.id], NOON), NOON)
    with database.reading() as session:
        assert looks_like(session, drawing(), count=1) == [Alike(picture.id, pytest.approx(0, abs=0.4))]
        assert looks_like(session, drawing(), count=1, looks=Renamed()) == []


class Renamed:
    version = "another"
    of = staticmethod(SHAPE_AND_COLOUR.of)


def test_our_own_features_describe_pictures_unless_a_model_is_named(tmp_path: object) -> None:
    assert looks_of("") is SHAPE_AND_COLOUR
    with pytest.raises(MissingEncoder):
        looks_of(str(tmp_path))
