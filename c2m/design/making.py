"""The worker's side of a generation: makes what is missing, and keeps each picture the moment it is there.

A run outlives its worker: whoever takes the job up again goes on with the missing pictures. The generation's
token says whose work it is, so a worker that was given up, or whose run was cancelled, stops at its next step.
"""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from importlib.util import find_spec
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog
from PIL import Image
from sqlmodel import Session

from c2m.config import Imagination
from c2m.db import Database, lock_rows, table_of
from c2m.design.diffusion.generator import EMBEDDED, LIBRARIES, generator_from
from c2m.design.generation import Brief, Cancelled, Generated, ImageGenerator, SketchGenerator
from c2m.design.generations import MAKE, UNDER_WAY, renditions
from c2m.design.models import Generation, GenerationState, Picture, Rendition
from c2m.design.pictures import store_drawing
from c2m.errors import N_, Refusal
from c2m.identity.models import User
from c2m.jobs import Handler, OutsideWork, Unanswered

ALIVE = timedelta(minutes=2)  # a worker that has not been seen for so long is given up
LOOK_UP_SECONDS = 0.4  # between two looks at whether the work is still wanted
STOPPED = N_("The pictures couldn't be made: the generator stopped unexpectedly. The operator finds out why.")

log = structlog.get_logger(__name__)


def chosen_generator(settings: Imagination) -> ImageGenerator:
    """The generator that is configured; where none is and no model came with c2m, our own sketcher."""
    embedded = (EMBEDDED / "model_index.json").is_file() and all(find_spec(library) for library in LIBRARIES)
    return generator_from(settings) if settings.design_model or embedded else SketchGenerator()


@dataclass(frozen=True)
class Work:
    """What a worker has taken on: the brief, and the pictures that are missing of all."""

    generation_id: UUID
    organisation_id: UUID
    token: UUID
    brief: Brief
    missing: list[Rendition]
    whole: int
    noted: dict[str, Any]  # what provenance adds to what the generator says

    def runs(self) -> Iterator[list[Rendition]]:
        """The missing pictures as one call of the generator makes them: of the same looks, of seeds in a row."""
        run: list[Rendition] = []
        for rendition in self.missing:
            if run and (rendition.attributes, rendition.seed) != (run[0].attributes, run[-1].seed + 1):
                yield run
                run = []
            run.append(rendition)
        if run:
            yield run


@dataclass
class Maker:
    """Makes pictures with a generator, which is chosen and loaded with the first one and kept."""

    database: Database
    choose: Callable[[], ImageGenerator]
    stopwatch: Callable[[], float] = time.monotonic

    def handlers(self) -> dict[str, Handler]:
        """The job that makes a generation's pictures; nothing is left to record when it has."""
        return {MAKE: OutsideWork(self.make_pictures, lambda session, made, now: None)}

    def make_pictures(self, _session: Session, ids: Sequence[UUID], now: datetime) -> Sequence[UUID]:
        """Make what is missing of these generations; everything is kept in short units of work of its own.

        Raises:
            Unanswered: another worker is at it.
        """
        for generation_id in ids:
            self._make(generation_id, now)
        return ids

    def _make(self, generation_id: UUID, now: datetime) -> None:
        started = self.stopwatch()

        def at() -> datetime:
            return now + timedelta(seconds=self.stopwatch() - started)

        work = self._take_up(generation_id, at())
        if work is None:
            return
        try:
            for run in work.runs():
                self._make_run(work, run, at)
        except Cancelled:
            log.info("generation ended or taken over", generation=str(generation_id))
        except Refusal as refusal:
            log.warning("generation failed", generation=str(generation_id), reason=str(refusal))
            self._end(work, at(), GenerationState.FAILED, refusal.sentence, refusal.details)
        except Exception:
            log.exception("generation failed", generation=str(generation_id))
            self._end(work, at(), GenerationState.FAILED, STOPPED, {})
        else:
            self._end(work, at(), GenerationState.DONE)

    def _take_up(self, generation_id: UUID, at: datetime) -> Work | None:
        """Take a generation on, unless it has ended meanwhile."""
        with self.database.transaction() as session:
            lock_rows(session, Generation, [generation_id])
            generation = session.get(Generation, generation_id)
            if generation is None or generation.state not in UNDER_WAY:
                return None
            seen = generation.worker_seen_at
            if generation.state is GenerationState.RUNNING and seen is not None and seen > at - ALIVE:
                raise Unanswered(f"another worker makes generation {generation_id}")
            generation.state, generation.worker_token, generation.worker_seen_at = GenerationState.RUNNING, uuid4(), at
            session.add(generation)
            session.flush()
            return _work(session, generation)

    def _make_run(self, work: Work, run: list[Rendition], at: Callable[[], datetime]) -> None:
        looks = run[0].attributes
        brief = Brief(work.brief.category, work.brief.words, looks, work.brief.source, work.brief.strength)
        waiting = iter(run)
        progress = _Progress(self, work, run, at)
        for made in self._generator.generate(brief, count=len(run), seed=run[0].seed, progress=progress):
            self._keep(work, next(waiting), made, at())

    @cached_property
    def _generator(self) -> ImageGenerator:
        return self.choose()

    def note(self, work: Work, at: datetime, **changes: Any) -> None:
        """Say how far the work is.

        Raises:
            Cancelled: it isn't wanted any more, or not from this worker.
        """
        with self.database.transaction() as session:
            self._still_ours(session, work, worker_seen_at=at, **changes)

    def _keep(self, work: Work, rendition: Rendition, made: Generated, at: datetime) -> None:
        with self.database.transaction() as session:
            self._still_ours(session, work, worker_seen_at=at)
            provenance = made.provenance | work.noted
            owner = work.organisation_id
            picture = store_drawing(
                session, made.image, provenance=provenance, organisation_id=owner, now=at, kind=made.kind
            )
            table = table_of(Rendition)
            free = sa.and_(table.c.id == rendition.id, table.c.picture_id.is_(None))
            if session.connection().execute(sa.update(table).where(free).values(picture_id=picture.id)).rowcount != 1:
                raise Cancelled()  # made by another worker meanwhile

    def _end(
        self,
        work: Work,
        at: datetime,
        state: GenerationState,
        reason: str = "",
        details: dict[str, object] | None = None,
    ) -> None:
        told = {name: str(value) for name, value in (details or {}).items()}
        ended = {"state": state, "ended_at": at, "worker_token": None, "reason": reason, "reason_details": told}
        try:
            self.note(work, at, **ended)
        except Cancelled:
            log.info("generation ended by somebody else", generation=str(work.generation_id))

    def _still_ours(self, session: Session, work: Work, **changes: Any) -> None:
        table = table_of(Generation)
        ours = sa.and_(table.c.id == work.generation_id, table.c.worker_token == work.token)
        if session.connection().execute(sa.update(table).where(ours).values(**changes)).rowcount != 1:
            raise Cancelled()


@dataclass
class _Progress:
    """Notes a generator's steps among those of all pictures, now and then."""

    maker: Maker
    work: Work
    run: list[Rendition]
    at: Callable[[], datetime]
    _noted: float = float("-inf")

    def __call__(self, done: int, steps: int) -> None:
        now = self.maker.stopwatch()
        if now - self._noted < LOOK_UP_SECONDS:
            return
        self._noted = now
        each = steps // len(self.run)
        before = self.run[0].position * each
        self.maker.note(self.work, self.at(), steps=each * self.work.whole, steps_done=before + min(done, steps))


def _work(session: Session, generation: Generation) -> Work:
    asked = renditions(session, [generation.id])[generation.id]
    source = session.get(Picture, generation.source_id) if generation.source_id else None
    noted: dict[str, Any] = {
        "by": session.get_one(User, generation.asked_by).name,
        "asked_at": generation.asked_at.isoformat(timespec="seconds"),
    }
    brief = Brief(generation.category, generation.words)
    if source is not None and generation.strength_pct is not None:
        strength = generation.strength_pct / 100
        noted |= {"source_picture": str(source.id), "source_kind": source.kind, "strength": strength}
        brief = Brief(generation.category, generation.words, {}, _opened(source.content), strength)
    if generation.worker_token is None:
        raise ValueError(f"generation {generation.id} is nobody's work")
    return Work(
        generation_id=generation.id,
        organisation_id=generation.organisation_id,
        token=generation.worker_token,
        brief=brief,
        missing=[rendition for rendition in asked if rendition.picture_id is None],
        whole=len(asked),
        noted=noted,
    )


def _opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")
