"""Merchandisers are told what the rule says of their concepts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.design.models import Concept, DailyLook
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
