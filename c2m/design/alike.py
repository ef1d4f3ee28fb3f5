"""Image search: what published pictures look like is kept, and the nearest to a picture are found in memory."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import numpy as np
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.pool import Pool
from sqlmodel import Session

from c2m import jobs
from c2m.config import Imagination
from c2m.db import chunks, insert_missing, table_of, uuid7
from c2m.design.likeness import SHAPE_AND_COLOUR, Looks, Neighbours, Vector
from c2m.design.models import Picture, PictureLook
from c2m.jobs import Handler, OutsideWork

DESCRIBE = "design.describe_pictures"
CATCH_UP = "design.describe_missing"
CAUGHT_UP_AT_ONCE = 500  # pictures, each time it is looked for those that have no description yet
OVERLAP = timedelta(minutes=1)  # descriptions are read again for so long, as they are not stored in order


@dataclass(frozen=True)
class Alike:
    """A published picture and how far it is from the one that was looked for; 0 is the same."""

    picture_id: UUID
    distance: float


@lru_cache
def looks_of(model: str) -> Looks:
    """How pictures are described: by the vision model in this directory, by our own features where none is named.

    Raises:
        MissingEncoder
    """
    if not model:
        return SHAPE_AND_COLOUR
    from c2m.design.likeness.encoder import Encoder

    return Encoder(Path(model))


@dataclass(frozen=True)
class Describer:
    """The jobs that keep the index of image search."""

    imagination: Imagination

    def handlers(self) -> dict[str, Handler]:
        """Published pictures are described; once an hour, any that aren't yet, or only in another version."""
        return {DESCRIBE: OutsideWork(self.describe, self.keep), CATCH_UP: self.catch_up}

    @cached_property
    def looks(self) -> Looks:
        """Chosen with the first picture."""
        return looks_of(self.imagination.likeness_model)

    def describe(self, session: Session, ids: Sequence[UUID], _now: datetime) -> Sequence[tuple[UUID, Vector]]:
        """What these pictures look like."""
        c = table_of(Picture).c
        return [
            (row.id, self.looks.of(_opened(row.content)))
            for part in chunks(ids)
            for row in session.execute(sa.select(c.id, c.content).where(c.id.in_(part)))
        ]

    def keep(self, session: Session, described: Sequence[tuple[UUID, Vector]], now: datetime) -> None:
        """Keep descriptions, each once."""
        rows = [
            {
                "id": uuid7(),
                "picture_id": picture_id,
                "version": self.looks.version,
                "vector": vector.astype(np.float16).tobytes(),
                "described_at": now,
            }
            for picture_id, vector in described
        ]
        insert_missing(session, PictureLook, rows)

    def catch_up(self, session: Session, _ids: Sequence[UUID], now: datetime) -> None:
        """Have published pictures described that have no description of this version."""
        picture, look, version = table_of(Picture).c, table_of(PictureLook).c, self.looks.version
        described = sa.exists().where(look.picture_id == picture.id, look.version == version)
        missing = sa.select(picture.id).where(picture.published_at.is_not(None), ~described).limit(CAUGHT_UP_AT_ONCE)
        found = session.execute(missing).scalars().all()
        jobs.enqueue_all(session, DESCRIBE, [(f"{DESCRIBE}:{version}:{i}", [i], now) for i in found], now=now)


def looks_like(session: Session, image: Image.Image, *, count: int, looks: Looks = SHAPE_AND_COLOUR) -> list[Alike]:
    """The published pictures that look most like this one, nearest first."""
    return _nearest(session, looks.of(image), count, looks)


def more_like(session: Session, shown: Picture, *, count: int, looks: Looks = SHAPE_AND_COLOUR) -> list[Alike]:
    """The published pictures that look most like one of ours, itself left out."""
    known = _catalogue(session, looks).refreshed(session)
    vector = known[shown.id] if shown.id in known else looks.of(_opened(shown.content))
    return [found for found in _nearest(session, vector, count + 1, looks) if found.picture_id != shown.id][:count]


@dataclass
class _Catalogue:
    """Every description of one version, read once and then only what is new."""

    version: str
    _known: Neighbours[UUID] = field(default_factory=Neighbours)
    _read_until: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    def refreshed(self, session: Session) -> Neighbours[UUID]:
        """The neighbours, with what was described since the last time; all of them anew once any are gone."""
        c = table_of(PictureLook).c
        ours = c.version == self.version
        with self._lock:
            there = session.execute(sa.select(sa.func.count()).where(ours)).scalar_one()
            self._read(session, ours if self._read_until is None else ours & (c.described_at >= self._read_until))
            if len(self._known) != there:
                self._known, self._read_until = Neighbours(), None
                self._read(session, ours)
            return self._known

    def _read(self, session: Session, which: sa.ColumnElement[bool]) -> None:
        c = table_of(PictureLook).c
        found = session.execute(sa.select(c.picture_id, c.vector, c.described_at).where(which)).all()
        rows = [row for row in found if row.picture_id not in self._known]
        if rows:
            vectors = np.stack([np.frombuffer(row.vector, dtype=np.float16) for row in rows])
            self._known.add([row.picture_id for row in rows], vectors)
        if found:
            self._read_until = max(row.described_at for row in found) - OVERLAP


_catalogues: WeakKeyDictionary[Pool, dict[str, _Catalogue]] = WeakKeyDictionary()


def _catalogue(session: Session, looks: Looks) -> _Catalogue:
    engine: Any = session.get_bind()
    return _catalogues.setdefault(engine.pool, {}).setdefault(looks.version, _Catalogue(looks.version))


def _nearest(session: Session, vector: Vector, count: int, looks: Looks) -> list[Alike]:
    known = _catalogue(session, looks).refreshed(session)
    return [Alike(picture_id, distance) for picture_id, distance in known.nearest(vector, count)]


def _opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")
