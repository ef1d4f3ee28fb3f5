"""Pictures: uploads made safe, sketches drawn, each with where it came from."""

import hashlib
import io
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.design.models import Picture, PictureKind
from c2m.design.provenance import png, public_part, webp
from c2m.errors import N_, Invalid, NotFound
from c2m.outbox import announce

PUBLISHED = "design.pictures_published"
MOST_BYTES = 8 * 1024 * 1024
SECONDS = 20


class PictureRefused(Invalid):
    sentence = N_("This file can't be used as a picture.")


class PictureTooLarge(PictureRefused):
    sentence = N_("The file is too large; 8 MB is the most.")


class EmptyPicture(PictureRefused):
    sentence = N_("The file is empty.")


class NotAPicture(PictureRefused):
    sentence = N_("Only PNG, JPEG and WebP pictures can be used.")


class TooManyPixels(PictureRefused):
    sentence = N_("The picture has too many pixels; 40 megapixels is the most.")


class TooFewPixels(PictureRefused):
    sentence = N_("The picture is too small; 64 pixels a side is the least.")


class BrokenPicture(PictureRefused):
    sentence = N_("The picture is damaged and can't be read.")


class PictureNotFound(NotFound):
    sentence = N_("There is no such picture.")


_REFUSALS: dict[str, type[PictureRefused]] = {
    "format": NotAPicture,
    "pixels": TooManyPixels,
    "small": TooFewPixels,
    "broken": BrokenPicture,
}


def make_safe(data: bytes) -> bytes:
    """An upload decoded and encoded anew as WebP, in a child process with limits on memory and time.

    Raises:
        PictureTooLarge, EmptyPicture, NotAPicture, TooManyPixels, TooFewPixels, BrokenPicture
    """
    if len(data) > MOST_BYTES:
        raise PictureTooLarge(bytes=len(data))
    if not data:
        raise EmptyPicture()
    command = [sys.executable, "-I", "-m", "c2m.design.reencode"]
    try:
        child = subprocess.run(  # noqa: S603 - our own module; what strangers send is its input
            command, input=data, capture_output=True, timeout=SECONDS, check=False, env={"LC_ALL": "C.UTF-8"}
        )
    except subprocess.TimeoutExpired:
        raise BrokenPicture() from None
    if child.returncode != 0:
        raise _REFUSALS.get(child.stderr.decode("utf-8", "replace").strip(), BrokenPicture)()
    return child.stdout


def store_upload(
    session: Session, data: bytes, *, organisation_id: UUID, filename: str, now: datetime, sent_with: str = ""
) -> Picture:
    """Keep an organisation's own photograph, with what it was sent with where that lets others see it.

    Raises:
        PictureRefused: see make_safe.
    """
    provenance = {"source": "upload", "filename": filename[:120], "original_sha256": hashlib.sha256(data).hexdigest()}
    if sent_with:
        provenance["sent_with"] = sent_with
    return store(session, make_safe(data), PictureKind.PHOTO, provenance, organisation_id=organisation_id, now=now)


def store_drawing(
    session: Session,
    image: Image.Image,
    *,
    provenance: dict[str, Any],
    organisation_id: UUID | None,
    now: datetime,
    kind: PictureKind = PictureKind.SKETCH,
) -> Picture:
    """Keep a picture we made ourselves, with how it was made; the file says what everybody may know of that."""
    content = webp(image, kind, public_part(provenance))
    return store(session, content, kind, provenance, organisation_id=organisation_id, now=now)


def store(
    session: Session,
    content: bytes,
    kind: PictureKind,
    provenance: dict[str, Any],
    *,
    organisation_id: UUID | None,
    now: datetime,
) -> Picture:
    """Keep a WebP of ours."""
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
    picture = Picture(
        organisation_id=organisation_id,
        kind=kind,
        media_type="image/webp",
        width=width,
        height=height,
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        provenance=provenance,
        stored_at=now,
    )
    session.add(picture)
    session.flush()
    return picture


def publish_pictures(session: Session, picture_ids: Sequence[UUID], *, now: datetime) -> None:
    """Let everybody see these pictures from now on; those that were published before keep their date."""
    table = table_of(Picture)
    for part in chunks(picture_ids):
        unseen = table.c.id.in_(part) & table.c.published_at.is_(None)
        session.execute(sa.update(table).where(unseen).values(published_at=now))
    announce(session, PUBLISHED, picture_ids, now=now)


def as_png(found: Picture, *, is_own: bool) -> bytes:
    """A picture to take away, with everything that is known of how it was made; strangers don't learn by whom."""
    with Image.open(io.BytesIO(found.content)) as image:
        return png(image, found.kind, found.provenance if is_own else public_part(found.provenance))


def picture(session: Session, picture_id: UUID) -> Picture:
    """The picture with this id; its content is read when it is asked for.

    Raises:
        PictureNotFound
    """
    found = pictures(session, [picture_id]).get(picture_id)
    if found is None:
        raise PictureNotFound(picture_id=picture_id)
    return found


def kind_of(session: Session, picture_id: UUID) -> PictureKind:
    """What kind of picture this is.

    Raises:
        PictureNotFound
    """
    table = table_of(Picture)
    found = session.execute(sa.select(table.c.kind).where(table.c.id == picture_id)).scalar()
    if found is None:
        raise PictureNotFound(picture_id=picture_id)
    return PictureKind(found)


def pictures(session: Session, picture_ids: Sequence[UUID]) -> dict[UUID, Picture]:
    """These pictures by id; their contents are read when they are asked for."""
    found: dict[UUID, Picture] = {}
    for part in chunks(picture_ids):
        statement = select(Picture).where(col(Picture.id).in_(part)).options(defer(Picture.content))  # type: ignore[arg-type]
        found |= {picture.id: picture for picture in session.exec(statement)}
    return found
