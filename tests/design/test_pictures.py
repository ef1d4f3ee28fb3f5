"""Pictures: whatever a stranger sends becomes a harmless WebP of ours, or is refused with a reason."""

import io
import struct
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sqlmodel import Session

from c2m.db import Database
from c2m.design import pictures
from c2m.design.generation import Brief, Cancelled, NothingFromPictures, SketchGenerator
from c2m.design.models import Picture, PictureKind
from c2m.design.pictures import (
    MOST_BYTES,
    BrokenPicture,
    EmptyPicture,
    NotAPicture,
    PictureNotFound,
    PictureRefused,
    PictureTooLarge,
    TooFewPixels,
    TooManyPixels,
)
from c2m.identity.models import Role
from tests.builders import an_organisation
from tests.design.builders import NOON, a_file, an_image, count

GPS = 0x8825
ORIENTATION = 0x0112


def a_bomb(side: int) -> bytes:
    """A few bytes that say they are a square of so many pixels a side."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def noise() -> Image.Image:
    return Image.effect_noise((300, 300), 60)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_becomes_a_webp_of_the_same_size(kind: str) -> None:
    with Image.open(io.BytesIO(pictures.make_safe(a_file(an_image((200, 100)), kind)))) as safe:
        assert (safe.format, safe.size) == ("WEBP", (200, 100))


def test_a_large_picture_is_kept_at_1024_pixels() -> None:
    with Image.open(io.BytesIO(pictures.make_safe(a_file(an_image((3000, 1500)))))) as safe:
        assert safe.size == (1024, 512)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", EmptyPicture),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", NotAPicture),
        (b"<!doctype html><script>alert(1)</script>", NotAPicture),
        (b"%PDF-1.7", NotAPicture),
        (a_file(an_image(), "GIF"), NotAPicture),
        (a_file(noise(), "JPEG")[:3000], BrokenPicture),
        (a_file(noise(), "PNG")[:3000], BrokenPicture),
        (a_file(an_image((40, 400))), TooFewPixels),
        (a_bomb(6_400), TooManyPixels),
        (a_bomb(10_000), TooManyPixels),
        (a_bomb(60_000), TooManyPixels),
        (b"\x89PNG" + bytes(MOST_BYTES), PictureTooLarge),
    ],
    ids=["empty", "svg", "html", "pdf", "gif", "cut jpeg", "cut png", "small", "41 MP", "100 MP", "3.6 GP", "8 MB"],
)
def test_what_is_no_good_picture_is_refused(data: bytes, refusal: type[PictureRefused]) -> None:
    with pytest.raises(refusal):
        pictures.make_safe(data)


def test_a_photograph_loses_its_place_and_keeps_its_upright_side() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS).update({1: "N", 2: (30.0, 15.0, 0.0)})
    sent = a_file(an_image((200, 100)), "JPEG", exif=exif)
    assert b"Exif" in sent
    safe = pictures.make_safe(sent)
    with Image.open(io.BytesIO(safe)) as image:
        assert image.size == (100, 200)
        assert dict(image.getexif()) == {}
    assert b"Exif" not in safe
    assert b"EXIF" not in safe


def test_what_hangs_on_behind_a_picture_is_cut_off() -> None:
    assert b"<script>" not in pictures.make_safe(a_file() + b"<script>alert(1)</script>")


def test_what_is_transparent_becomes_white() -> None:
    safe = pictures.make_safe(a_file(Image.new("RGBA", (80, 80), (0, 0, 0, 0))))
    with Image.open(io.BytesIO(safe)) as image:
        assert image.convert("RGB").getpixel((40, 40)) == (255, 255, 255)


def test_an_upload_is_kept_with_where_it_came_from(database: Database) -> None:
    with database.transaction() as session:
        owner = an_organisation(session, Role.MERCHANDISER).id
        kept = pictures.store_upload(session, a_file(), organisation_id=owner, filename="杯.png", now=NOON)
    assert (kept.kind, kept.media_type, kept.width, kept.height) == (PictureKind.PHOTO, "image/webp", 96, 96)
    assert kept.provenance["filename"] == "杯.png"
    assert len(kept.provenance["original_sha256"]) == 64
    assert kept.published_at is None


def test_a_refused_upload_keeps_nothing(database: Database) -> None:
    with database.transaction() as session:
        owner = an_organisation(session, Role.MERCHANDISER).id
        with pytest.raises(NotAPicture):
            pictures.store_upload(session, b"GIF89a", organisation_id=owner, filename="a.gif", now=NOON)
        assert count(session, Picture) == 0


def test_publishing_again_keeps_the_first_date(database: Database) -> None:
    with database.transaction() as session:
        kept = a_picture(session)
        pictures.publish_pictures(session, [kept.id], now=NOON)
        pictures.publish_pictures(session, [kept.id], now=NOON.replace(hour=20))
        session.refresh(kept)
        assert kept.published_at == NOON


def test_there_is_no_picture_of_an_unknown_id(database: Database) -> None:
    with database.transaction() as session, pytest.raises(PictureNotFound):
        pictures.picture(session, a_picture(session).organisation_id)


def test_a_chosen_colour_never_meets_a_second_one_too_like_it() -> None:
    brief = Brief("mug", attributes={"primary": "navy", "pattern": "stripes"})
    sketches = list(SketchGenerator(size=64).generate(brief, count=12, seed=3, progress=lambda done, count: None))
    looks = [sketch.provenance["spec"] for sketch in sketches]
    assert {spec["primary"] for spec in looks} == {"navy"}
    assert {spec["pattern"] for spec in looks} == {"stripes"}
    assert "navy" not in {spec["secondary"] for spec in looks}


def test_the_same_brief_and_seed_draw_the_same_sketch() -> None:
    def drawn(seed: int) -> bytes:
        [sketch] = SketchGenerator(size=64).generate(Brief("tote"), count=1, seed=seed, progress=lambda a, b: None)
        assert sketch.kind is PictureKind.SKETCH
        return sketch.image.tobytes()

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_each_sketch_is_one_step_and_a_callback_that_cancels_ends_the_drawing() -> None:
    steps: list[tuple[int, int]] = []

    def cancel_after_two(done: int, whole: int) -> None:
        steps.append((done, whole))
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(SketchGenerator(size=64).generate(Brief("mug"), count=4, seed=1, progress=cancel_after_two))
    assert steps == [(1, 4), (2, 4)]


def test_sketches_refuse_a_picture_to_start_from() -> None:
    with pytest.raises(NothingFromPictures):
        list(SketchGenerator(size=64).generate(Brief("mug", source=an_image()), count=1, seed=1, progress=print))


def a_picture(session: Session) -> Picture:
    owner = an_organisation(session, Role.MERCHANDISER).id
    return pictures.store_drawing(session, an_image(), provenance={}, organisation_id=owner, now=NOON)


def test_each_sketch_of_several_is_the_one_its_seed_draws_alone() -> None:
    def drawn(count: int, seed: int) -> list[bytes]:
        sketches = SketchGenerator(size=64).generate(Brief("mug"), count=count, seed=seed, progress=lambda a, b: None)
        return [sketch.image.tobytes() for sketch in sketches]

    assert drawn(3, 7) == drawn(1, 7) + drawn(1, 8) + drawn(1, 9)


def test_sixteen_bits_of_grey_keep_their_brightness() -> None:
    grey = Image.fromarray(np.full((100, 100), 128 * 257, dtype=np.uint16))
    with Image.open(io.BytesIO(pictures.make_safe(a_file(grey)))) as safe:
        assert abs(safe.convert("L").getpixel((50, 50)) - 128) <= 1


def test_printing_colours_become_those_of_a_screen() -> None:
    red = Image.new("CMYK", (80, 80), (0, 255, 255, 0))
    with Image.open(io.BytesIO(pictures.make_safe(a_file(red, "JPEG")))) as safe:
        red, green, blue = safe.convert("RGB").getpixel((40, 40))
    assert (red > 240, green < 20, blue < 20) == (True, True, True)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_what_moves_the_first_picture_stays(kind: str) -> None:
    frames = [an_image(colour="red"), an_image(colour="blue")]
    moving = a_file(frames[0], kind, save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(pictures.make_safe(moving))) as safe:
        assert getattr(safe, "n_frames", 1) == 1
        assert safe.convert("RGB").getpixel((40, 40))[0] > 240


@pytest.mark.parametrize("first", [b"GIF89a/*", b"%PDF-1.7\n", b"<html>", b"PK\x03\x04"])
def test_a_picture_that_begins_as_something_else_is_refused(first: bytes) -> None:
    with pytest.raises(NotAPicture):
        pictures.make_safe(first + a_file(an_image(), "JPEG"))


def test_a_text_that_unpacks_to_eighty_megabytes_is_refused() -> None:
    swollen = PngInfo()
    swollen.add_text("comment", "a" * 80_000_000, zip=True)
    packed = a_file(an_image(), pnginfo=swollen)
    assert len(packed) < 200_000
    with pytest.raises(BrokenPicture):
        pictures.make_safe(packed)


def test_the_child_that_decodes_is_told_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []
    real = subprocess.run

    def watched(*command: object, **options: object) -> object:
        asked.append(options)
        return real(*command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", watched)
    monkeypatch.setenv("C2M_SECRET_KEY", "a secret")
    pictures.make_safe(a_file())
    assert [options["env"] for options in asked] == [{"LC_ALL": "C.UTF-8"}]
