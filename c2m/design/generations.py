"""Generations: pictures asked for by a brief, made by a worker one after the other, cancelled or taken up again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m import jobs
from c2m.db import insert_rows, lock_rows, table_of
from c2m.design.diffusion.briefs import Understood, understand
from c2m.design.models import Generation, GenerationState, Picture, Rendition
from c2m.design.pictures import PictureNotFound
from c2m.design.wording import check_words
from c2m.errors import N_, Conflict, Invalid, NotFound, Unavailable
from c2m.identity.models import Organisation

MAKE = "design.make_pictures"
MOST_PICTURES = 8
MOST_AT_ONCE = 3
USUAL_STRENGTH_PCT = 60
UNDER_WAY = (GenerationState.WAITING, GenerationState.RUNNING)


class GenerationNotFound(NotFound):
    sentence = N_("There is no such run of pictures.")


class TooManyGenerations(Unavailable):
    sentence = N_("%(most)s runs are at work already; wait for one to end, or cancel one.")


class GenerationEnded(Conflict):
    sentence = N_("This run has ended.")


class GenerationNotStopped(Conflict):
    sentence = N_("Only a run that was cancelled or failed can go on.")


class GenerationKeyReused(Invalid):
    sentence = N_("This form was already sent with different content. Please start again.")


@dataclass(frozen=True)
class Commission:
    """What a merchandiser asks for: so many pictures of a brief, or one in each of some colours, all of one seed."""

    organisation_id: UUID
    asked_by: UUID
    idempotency_key: str
    seed: int
    words: str = ""
    category: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)  # chosen ones win over the words
    count: int = 4
    colours: tuple[str, ...] = ()
    source_id: UUID | None = None
    strength_pct: int | None = None


def commission(session: Session, asked: Commission, *, now: datetime) -> Generation:
    """Keep what is asked for and have it made; sending the same form again finds the first.

    Raises:
        WordRefused, UnknownProduct, UnknownName: the brief can't be used.
        Invalid: too many pictures, or a strength without a source.
        PictureNotFound: the source is not the organisation's own.
        TooManyGenerations, GenerationKeyReused
    """
    lock_rows(session, Organisation, [asked.organisation_id])
    if (known := _by_key(session, asked)) is not None:
        return known
    check_words(asked.words)
    understood, looks = reading_of(asked)
    _check(session, asked, len(looks))
    made = Generation(
        organisation_id=asked.organisation_id,
        asked_by=asked.asked_by,
        category=understood.attributes["category"],
        words=asked.words,
        attributes=_without_category(understood.attributes),
        ignored=list(understood.ignored),
        source_id=asked.source_id,
        strength_pct=asked.strength_pct,
        idempotency_key=asked.idempotency_key,
        asked_at=now,
    )
    session.add(made)
    session.flush()
    places = enumerate(looks)
    rows = [{"generation_id": made.id, "position": at, "seed": seed, "attributes": look} for at, (seed, look) in places]
    insert_rows(session, Rendition, rows)
    _enqueue(session, made, now)
    return made


def cancel_generation(session: Session, generation: Generation, *, now: datetime) -> None:
    """Stop making pictures; those that were made stay.

    Raises:
        GenerationEnded
    """
    _lock(session, generation)
    if generation.state not in UNDER_WAY:
        raise GenerationEnded(generation_id=generation.id)
    generation.state, generation.ended_at, generation.worker_token = GenerationState.CANCELLED, now, None
    session.add(generation)


def resume_generation(session: Session, generation: Generation, *, now: datetime) -> None:
    """Have the pictures made that are still missing.

    Raises:
        GenerationNotStopped, TooManyGenerations
    """
    lock_rows(session, Organisation, [generation.organisation_id])
    _lock(session, generation)
    if generation.state not in (GenerationState.CANCELLED, GenerationState.FAILED):
        raise GenerationNotStopped(generation_id=generation.id)
    _check_at_once(session, generation.organisation_id)
    generation.state, generation.ended_at = GenerationState.WAITING, None
    generation.reason, generation.reason_details = "", {}
    generation.round += 1
    session.add(generation)
    session.flush()
    _enqueue(session, generation, now)


def generation_of(session: Session, generation_id: UUID, *, organisation_id: UUID) -> Generation:
    """A merchandiser's own generation; other people's are not found.

    Raises:
        GenerationNotFound
    """
    found = session.get(Generation, generation_id)
    if found is None or found.organisation_id != organisation_id:
        raise GenerationNotFound(generation_id=generation_id)
    return found


def generations_of(organisation_id: UUID | None) -> sa.Select[Any]:
    """A merchandiser's generations, or everybody's, newest first."""
    statement = sa.select(Generation).order_by(col(Generation.asked_at).desc(), col(Generation.id).desc())
    return statement if organisation_id is None else statement.where(col(Generation.organisation_id) == organisation_id)


def asked_before(session: Session, organisation_id: UUID, idempotency_key: str) -> Generation | None:
    """What an organisation asked for with this form, if it was sent before."""
    statement = select(Generation).where(Generation.organisation_id == organisation_id)
    return session.exec(statement.where(Generation.idempotency_key == idempotency_key)).first()


def runs_since(session: Session, organisation_id: UUID, since: datetime) -> int:
    """How many runs an organisation has asked for since then."""
    table = table_of(Generation)
    mine = sa.and_(table.c.organisation_id == organisation_id, table.c.asked_at > since)
    return int(session.execute(sa.select(sa.func.count()).select_from(table).where(mine)).scalar_one())


def waiting_since(session: Session, generation: Generation) -> datetime | None:
    """Since when a generation that nobody has taken up waits for a worker; None for one that doesn't wait."""
    if generation.state is not GenerationState.WAITING:
        return None
    work = table_of(jobs.Job).c
    due: datetime | None = session.execute(sa.select(work.due_at).where(work.key == _key(generation))).scalar()
    return due


def renditions(session: Session, generation_ids: Sequence[UUID]) -> dict[UUID, list[Rendition]]:
    """The pictures of each generation in order, made or not yet."""
    found: dict[UUID, list[Rendition]] = {generation_id: [] for generation_id in generation_ids}
    statement = select(Rendition).where(col(Rendition.generation_id).in_(generation_ids))
    for rendition in session.exec(statement.order_by(col(Rendition.position))):
        found[rendition.generation_id].append(rendition)
    return found


def asked_for(session: Session, picture_id: UUID) -> tuple[Generation, Rendition] | None:
    """How a picture was asked for in the studio, if it was."""
    statement = (
        select(Generation, Rendition)
        .join(Rendition, col(Rendition.generation_id) == Generation.id)
        .where(Rendition.picture_id == picture_id)
    )
    return session.exec(statement).first()


def reading_of(asked: Commission) -> tuple[Understood, list[tuple[int, dict[str, str]]]]:
    """How a brief is understood, and the seed and attributes of each picture it asks for.

    Raises:
        UnknownProduct, UnknownName
    """
    understood = understand(asked.words, category=asked.category, attributes=asked.attributes)
    return understood, _looks(asked, understood)


def _looks(asked: Commission, understood: Understood) -> list[tuple[int, dict[str, str]]]:
    """Seed and attributes of each picture; in another colour, the second one steps aside if it is the same."""
    attributes = _without_category(understood.attributes)
    if not asked.colours:
        return [(asked.seed + number, attributes) for number in range(asked.count)]
    looks = []
    for colour in asked.colours:
        look = attributes | {"primary": colour}
        if look.get("secondary") == colour and "primary" in attributes:
            look["secondary"] = attributes["primary"]
        looks.append((asked.seed, look))
    return looks


def _check(session: Session, asked: Commission, count: int) -> None:
    if not 1 <= count <= MOST_PICTURES:
        raise Invalid(errors={"count": N_("Between 1 and 8 pictures can be made at once.")})
    if (asked.source_id is None) != (asked.strength_pct is None) or not 1 <= (asked.strength_pct or 1) <= 100:
        raise Invalid(errors={"strength": N_("Choose how far the pictures may go from the one they start from.")})
    if asked.source_id is not None:
        table = table_of(Picture)
        mine = sa.select(table.c.id).where(table.c.id == asked.source_id)
        if session.execute(mine.where(table.c.organisation_id == asked.organisation_id)).first() is None:
            raise PictureNotFound(picture_id=asked.source_id)
    _check_at_once(session, asked.organisation_id)


def _check_at_once(session: Session, organisation_id: UUID) -> None:
    table = table_of(Generation)
    mine = sa.and_(table.c.organisation_id == organisation_id, table.c.state.in_(UNDER_WAY))
    running = session.execute(sa.select(sa.func.count()).select_from(table).where(mine)).scalar_one()
    if running >= MOST_AT_ONCE:
        raise TooManyGenerations(most=MOST_AT_ONCE)


def _by_key(session: Session, asked: Commission) -> Generation | None:
    known = asked_before(session, asked.organisation_id, asked.idempotency_key)
    if known is None:
        return None
    understood, looks = reading_of(asked)
    content = (asked.words, understood.attributes["category"], asked.source_id, asked.strength_pct)
    same_looks = [look for _, look in looks] == [each.attributes for each in renditions(session, [known.id])[known.id]]
    if not same_looks or content != (known.words, known.category, known.source_id, known.strength_pct):
        raise GenerationKeyReused(generation_id=known.id)
    return known


def _lock(session: Session, generation: Generation) -> None:
    lock_rows(session, Generation, [generation.id])
    session.refresh(generation)


def _enqueue(session: Session, generation: Generation, now: datetime) -> None:
    jobs.enqueue(session, MAKE, [generation.id], key=_key(generation), due_at=now, now=now)


def _key(generation: Generation) -> str:
    return f"{MAKE}:{generation.id}:{generation.round}"


def _without_category(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if name != "category"}
