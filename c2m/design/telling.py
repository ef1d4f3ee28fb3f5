"""Merchandisers are told what the rule says of their concepts, buyers what became of those they were interested in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.design.concepts import decide_by
from c2m.design.models import Concept, ConceptState, DailyLook, SavedConcept, Want, WantState
from c2m.design.queries import ALIVE
from c2m.design.validation.rule import Decision
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

TELL_VALIDATED = "design.tell_validated"
TELL_HOPELESS = "design.tell_hopeless"


def tell_validated(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """These concepts will very probably reach their target."""
    tell(session, _messages(session, ids, NoticeKind.CONCEPT_VALIDATED, Decision.VALIDATED), now=now)


def tell_hopeless(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """These concepts will hardly reach their target any more."""
    tell(session, _messages(session, ids, NoticeKind.CONCEPT_HOPELESS, Decision.STOP), now=now)


def tell_to_decide(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """The time of these concepts is over, and they are validated: their merchandisers have days to promote them."""
    messages = [
        Message(
            concept.organisation_id,
            NoticeKind.CONCEPT_TO_DECIDE,
            concept.id,
            f"{NoticeKind.CONCEPT_TO_DECIDE}:{concept.id}",
            _names(concept) | {"until": decide_by(concept).isoformat()},
        )
        for concept in _concepts(session, ids)
        if concept.state is ConceptState.PUBLISHED
    ]
    tell(session, messages, now=now)


def tell_decided(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Buyers who wanted or saved these concepts learn what was decided, and what comes back to them."""
    kinds = {
        ConceptState.PROMOTED: NoticeKind.CONCEPT_PROMOTED,
        ConceptState.STOPPED: NoticeKind.CONCEPT_STOPPED,
    }
    returned = _returned(session, ids)
    messages = [
        Message(
            buyer_id,
            kinds[concept.state],
            concept.id,
            f"{kinds[concept.state]}:{concept.id}:{buyer_id}",
            _names(concept) | {"amount_minor": amount_minor, "currency": concept.currency},
        )
        for concept in _concepts(session, ids)
        for buyer_id, amount_minor in returned[concept.id].items()
    ]
    tell(session, messages, now=now)


def _returned(session: Session, ids: Sequence[UUID]) -> dict[UUID, dict[UUID, int]]:
    """By concept, each buyer who wanted or saved it and the deposits granted back to them, minor units."""
    want, saved = table_of(Want).c, table_of(SavedConcept).c
    granted = sa.case((want.state == WantState.REFUNDED, want.deposit_minor), else_=0)
    found: dict[UUID, dict[UUID, int]] = {concept_id: {} for concept_id in ids}
    for part in chunks(ids):
        wanted = sa.select(want.concept_id, want.buyer_id, granted.label("minor")).where(
            want.concept_id.in_(part), want.state.in_(ALIVE)
        )
        kept = sa.select(saved.concept_id, saved.buyer_id, sa.literal(0)).where(saved.concept_id.in_(part))
        each = sa.union_all(wanted, kept).subquery().c
        rows = session.execute(
            sa.select(each.concept_id, each.buyer_id, sa.func.sum(each.minor)).group_by(each.concept_id, each.buyer_id)
        )
        for concept_id, buyer_id, minor in rows:
            found[concept_id][buyer_id] = int(minor)
    return found


def _concepts(session: Session, ids: Sequence[UUID]) -> list[Concept]:
    return list(session.exec(select(Concept).where(col(Concept.id).in_(ids)).order_by(col(Concept.id))).all())


def _names(concept: Concept) -> dict[str, Any]:
    return {"title": concept.title, "title_en": concept.title_en}


def _messages(session: Session, ids: Sequence[UUID], kind: NoticeKind, decision: Decision) -> list[Message]:
    """One message a concept and verdict, with the figures of the first day it was said."""
    concept, look = table_of(Concept), table_of(DailyLook)
    first = (
        sa.select(look.c.concept_id, sa.func.min(look.c.day).label("day"))
        .where(look.c.decision == decision)
        .group_by(look.c.concept_id)
        .subquery()
    )
    found: list[Message] = []
    for part in chunks(ids):
        rows = session.execute(
            sa.select(concept.c.id, concept.c.organisation_id, concept.c.title, concept.c.title_en)
            .add_columns(concept.c.target_quantity, look.c.expected)
            .join_from(concept, first, first.c.concept_id == concept.c.id)
            .join(look, sa.and_(look.c.concept_id == first.c.concept_id, look.c.day == first.c.day))
            .where(concept.c.id.in_(part))
            .order_by(concept.c.id)
        )
        for row in rows:
            facts = {"title": row.title, "title_en": row.title_en, "pieces": row.expected}
            facts["minimum"] = row.target_quantity
            found.append(Message(row.organisation_id, kind, row.id, f"{kind}:{row.id}", facts))
    return found
