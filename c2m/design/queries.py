"""Reads of concepts that more than one caller needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.design.models import Concept, ConceptState, ConceptVariant, DailyLook, Picture, PictureKind, Want, WantState
from c2m.design.validation.rule import Decision

ALIVE = (WantState.STATED, WantState.UNPAID, WantState.DEPOSITED, WantState.REFUNDED)


@dataclass(frozen=True)
class Interest:
    """What buyers said of one variant: how many, for how many pieces, at what mean price, and with a deposit."""

    buyers: int
    pieces: int
    deposited_buyers: int
    deposited_pieces: int
    mean_price_minor: int


NONE = Interest(0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Tally:
    """What buyers said of a concept as a whole; `held_minor` are the deposits in escrow now."""

    buyers: int
    pieces: int
    held_minor: int


SILENCE = Tally(0, 0, 0)


@dataclass(frozen=True)
class Face:
    """A variant as a card shows it."""

    variant_id: UUID
    picture_id: UUID
    kind: PictureKind
    share_ppm: int


def faces(session: Session, concept_ids: Sequence[UUID]) -> dict[UUID, list[Face]]:
    """The variants of each concept, in their order, with the kind of picture each one is."""
    variant, picture = table_of(ConceptVariant), table_of(Picture)
    found: dict[UUID, list[Face]] = {}
    for part in chunks(concept_ids):
        rows = session.execute(
            sa.select(variant.c.concept_id, variant.c.id, picture.c.id, picture.c.kind, variant.c.share_ppm)
            .join_from(variant, picture, picture.c.id == variant.c.picture_id)
            .where(variant.c.concept_id.in_(part))
            .order_by(variant.c.concept_id, variant.c.position)
        )
        for concept_id, *face in rows:
            found.setdefault(concept_id, []).append(Face(*face))
    return found


def interest(session: Session, concept_ids: Sequence[UUID]) -> dict[UUID, Interest]:
    """Interest by variant, over all variants of these concepts; withdrawn wants don't count."""
    want, variant = table_of(Want), table_of(ConceptVariant)
    with_deposit = want.c.state.in_([WantState.DEPOSITED, WantState.REFUNDED])
    found: dict[UUID, Interest] = {}
    for part in chunks(concept_ids):
        rows = session.execute(
            sa.select(
                variant.c.id,
                sa.func.count(sa.distinct(want.c.buyer_id)),
                sa.func.coalesce(sa.func.sum(want.c.quantity), 0),
                sa.func.count(sa.distinct(sa.case((with_deposit, want.c.buyer_id)))),
                sa.func.coalesce(sa.func.sum(sa.case((with_deposit, want.c.quantity), else_=0)), 0),
                sa.func.coalesce(sa.func.sum(want.c.price_minor * want.c.quantity), 0),
            )
            .join_from(variant, want, sa.and_(want.c.variant_id == variant.c.id, want.c.state.in_(ALIVE)), isouter=True)
            .where(variant.c.concept_id.in_(part))
            .group_by(variant.c.id)
        )
        for variant_id, buyers, pieces, depositors, deposited, value in rows:
            pieces = int(pieces)
            mean = int(value) // pieces if pieces else 0
            found[variant_id] = Interest(buyers, pieces, depositors, int(deposited), mean)
    return found


def tallies(session: Session, concept_ids: Sequence[UUID]) -> dict[UUID, Tally]:
    """Interest by concept; concepts nobody wants are left out."""
    want = table_of(Want)
    held = sa.case((want.c.state == WantState.DEPOSITED, want.c.deposit_minor), else_=0)
    found: dict[UUID, Tally] = {}
    for part in chunks(concept_ids):
        rows = session.execute(
            sa.select(
                want.c.concept_id,
                sa.func.count(sa.distinct(want.c.buyer_id)),
                sa.func.sum(want.c.quantity),
                sa.func.sum(held),
            )
            .where(want.c.concept_id.in_(part), want.c.state.in_(ALIVE))
            .group_by(want.c.concept_id)
        )
        found |= {concept_id: Tally(buyers, int(pieces), int(held)) for concept_id, buyers, pieces, held in rows}
    return found


def wants_of(session: Session, concept_id: UUID, buyer_id: UUID) -> list[Want]:
    """A buyer's wants for a concept, newest first."""
    statement = select(Want).where(Want.concept_id == concept_id, Want.buyer_id == buyer_id)
    return list(session.exec(statement.order_by(col(Want.stated_at).desc(), col(Want.id).desc())).all())


def concepts_of(organisation_id: UUID | None, state: ConceptState | None = None) -> sa.Select[Any]:
    """A merchandiser's concepts, or everybody's, newest first."""
    statement = sa.select(Concept)
    if organisation_id is not None:
        statement = statement.where(col(Concept.organisation_id) == organisation_id)
    if state is not None:
        statement = statement.where(col(Concept.state) == state)
    return statement.order_by(col(Concept.created_at).desc(), col(Concept.id).desc())


def concept_counts(session: Session, organisation_id: UUID | None) -> dict[ConceptState, int]:
    """How many concepts a merchandiser, or everybody, has in each state."""
    table = table_of(Concept)
    statement = sa.select(table.c.state, sa.func.count()).group_by(table.c.state)
    if organisation_id is not None:
        statement = statement.where(table.c.organisation_id == organisation_id)
    return {ConceptState(state): count for state, count in session.execute(statement)}


def latest_looks(session: Session, concept_ids: Sequence[UUID]) -> dict[UUID, DailyLook]:
    """What the rule said of each concept when it last looked."""
    look = table_of(DailyLook)
    found: dict[UUID, DailyLook] = {}
    for part in chunks(concept_ids):
        newest = sa.select(look.c.concept_id, sa.func.max(look.c.day)).where(look.c.concept_id.in_(part))
        days = sa.tuple_(look.c.concept_id, look.c.day).in_(newest.group_by(look.c.concept_id))
        found |= {one.concept_id: one for one in session.exec(select(DailyLook).where(days))}
    return found


def validated_of(session: Session, concept_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the concepts that the rule has called validated on any day."""
    look = table_of(DailyLook)
    found: set[UUID] = set()
    for part in chunks(concept_ids):
        said = sa.select(look.c.concept_id).where(look.c.concept_id.in_(part), look.c.decision == Decision.VALIDATED)
        found |= set(session.execute(said).scalars())
    return found


def covers(session: Session, concept_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The first picture of each concept that has any."""
    table = table_of(ConceptVariant)
    found: dict[UUID, UUID] = {}
    for part in chunks(concept_ids):
        rows = session.execute(
            sa.select(table.c.concept_id, table.c.picture_id)
            .where(table.c.concept_id.in_(part))
            .order_by(table.c.concept_id, table.c.position)
        )
        for concept_id, picture_id in rows:
            found.setdefault(concept_id, picture_id)
    return found
