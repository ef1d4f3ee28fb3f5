"""Factories ask about the sheets behind their offers, and are told when such a question was answered."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.demand.models import DemandSheet, SheetQuestion
from c2m.demand.questions import FactoryQuestion, ask_question
from c2m.errors import N_, Conflict
from c2m.matching import queries
from c2m.matching.models import HOLDING, Offer
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

TELL_ANSWERED = "matching.tell_answered"


class OfferGone(Conflict):
    sentence = N_("You declined this offer or let it run out; its sheet is asked about by those who hold one.")


def ask_about(
    session: Session, offer_id: UUID, words: str, *, factory_id: UUID, idempotency_key: str, now: datetime
) -> SheetQuestion:
    """Ask about the sheet behind an offer that its factory holds or has accepted.

    Raises:
        OfferNotFound, OfferGone, Invalid, TooManyOpenQuestions
    """
    offer = queries.offer_detail(session, offer_id, factory_id=factory_id).offer
    if offer.state not in HOLDING:
        raise OfferGone(offer_id=offer_id)
    return ask_question(session, FactoryQuestion(offer.sheet_id, factory_id, words, idempotency_key), now=now)


def tell_answered(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Tell who asked, and every other factory that holds an offer of the sheet, that a question was answered."""
    question, sheet, offer = (table_of(model) for model in (SheetQuestion, DemandSheet, Offer))
    messages: dict[str, Message] = {}
    for part in chunks(ids):
        rows = session.execute(
            sa.select(question.c.id, sheet.c.title, sheet.c.title_en, offer.c.factory_id, offer.c.id.label("offer_id"))
            .join_from(question, sheet, sheet.c.id == question.c.sheet_id)
            .join(offer, offer.c.sheet_id == sheet.c.id)
            .where(question.c.id.in_(part))
            .where(sa.or_(offer.c.state.in_(HOLDING), offer.c.factory_id == question.c.factory_id))
            .order_by(question.c.id, offer.c.id.desc())
        )
        for row in rows:
            kind, facts = NoticeKind.SHEET_ANSWERED, {"title": row.title, "title_en": row.title_en}
            key = f"{kind}:{row.id}:{row.factory_id}"
            messages.setdefault(key, Message(row.factory_id, kind, row.offer_id, key, facts))
    tell(session, list(messages.values()), now=now)
