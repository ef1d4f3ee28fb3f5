"""Questions about a demand sheet: a factory asks, the merchandiser answers, every factory that sees it reads both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, lock_rows, table_of
from c2m.demand import queries
from c2m.demand.models import Campaign, DemandSheet, SheetQuestion
from c2m.errors import N_, Conflict, Invalid, NotFound
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell
from c2m.outbox import announce

LONGEST_QUESTION, LONGEST_ANSWER = 500, 1000  # characters
OPEN_QUESTIONS = 3  # of one factory about one sheet, waiting for an answer
TELL_ASKED = "demand.tell_asked"


class QuestionNotFound(NotFound):
    sentence = N_("There is no such question.")


class TooManyOpenQuestions(Conflict):
    sentence = N_("3 of your questions about this sheet wait for an answer. Please wait for it before you ask more.")


class AlreadyAnswered(Conflict):
    sentence = N_("This question has been answered; an answer that factories may have read stays as it is.")


@dataclass(frozen=True)
class FactoryQuestion:
    """What a factory wants to know about a sheet; the key makes sending it twice harmless."""

    sheet_id: UUID
    factory_id: UUID
    words: str
    idempotency_key: str


def ask_question(session: Session, asked: FactoryQuestion, *, now: datetime) -> SheetQuestion:
    """Put a question to a sheet's merchandiser. Whether the factory may see the sheet is the caller's to know.

    Raises:
        SheetNotFound, Invalid, TooManyOpenQuestions
    """
    words = asked.words.strip()
    if not words or len(words) > LONGEST_QUESTION:
        raise Invalid(errors={"words": N_("Ask in 1 to 500 characters.")})
    lock_rows(session, DemandSheet, [asked.sheet_id])  # so that two at once are counted one after the other
    sheet = queries.sheet(session, asked.sheet_id)
    mine = select(SheetQuestion).where(SheetQuestion.factory_id == asked.factory_id)
    known = session.exec(mine.where(SheetQuestion.idempotency_key == asked.idempotency_key)).first()
    if known is not None:
        return known
    waiting = mine.where(SheetQuestion.sheet_id == sheet.id, col(SheetQuestion.answered_at).is_(None))
    if len(session.exec(waiting).all()) >= OPEN_QUESTIONS:
        raise TooManyOpenQuestions(sheet_id=sheet.id)
    question = SheetQuestion(
        sheet_id=sheet.id,
        version=sheet.version,
        factory_id=asked.factory_id,
        words=words,
        idempotency_key=asked.idempotency_key,
        asked_at=now,
    )
    session.add(question)
    session.flush()
    announce(session, "demand.sheet_questions_asked", [question.id], now=now)
    return question


def answer_question(
    session: Session, question_id: UUID, words: str, *, organisation_id: UUID, now: datetime
) -> SheetQuestion:
    """Answer a question about one of the merchandiser's own sheets, for every factory that sees it; once and for all.

    The same answer sent again changes nothing.

    Raises:
        QuestionNotFound, Invalid, AlreadyAnswered
    """
    lock_rows(session, SheetQuestion, [question_id])
    question = session.get(SheetQuestion, question_id)
    if question is None or _owner(session, question) != organisation_id:
        raise QuestionNotFound(question_id=question_id)
    answer = words.strip()
    if not answer or len(answer) > LONGEST_ANSWER:
        raise Invalid(errors={"answer": N_("Answer in 1 to 1,000 characters.")})
    session.refresh(question)
    if question.answer == answer:
        return question
    if question.answered_at is not None:
        raise AlreadyAnswered(question_id=question_id)
    question.answer, question.answered_at = answer, now
    session.add(question)
    session.flush()
    announce(session, "demand.sheet_questions_answered", [question.id], now=now)
    return question


def questions_about(session: Session, sheet_id: UUID) -> list[SheetQuestion]:
    """All questions about a sheet, the first one first."""
    statement = select(SheetQuestion).where(SheetQuestion.sheet_id == sheet_id)
    return list(session.exec(statement.order_by(col(SheetQuestion.asked_at), col(SheetQuestion.id))).all())


def questions_for(session: Session, sheet_id: UUID, factory_id: UUID) -> list[SheetQuestion]:
    """What a factory reads on a sheet: all that were answered, and its own that wait."""
    return [q for q in questions_about(session, sheet_id) if q.answered_at is not None or q.factory_id == factory_id]


def tell_asked(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Tell merchandisers that a factory asks about a sheet of theirs."""
    question, sheet, campaign = (table_of(model) for model in (SheetQuestion, DemandSheet, Campaign))
    messages: list[Message] = []
    for part in chunks(ids):
        rows = session.execute(
            sa.select(question.c.id, sheet.c.id.label("sheet_id"), sheet.c.title, sheet.c.title_en)
            .add_columns(campaign.c.organisation_id)
            .join_from(question, sheet, sheet.c.id == question.c.sheet_id)
            .join(campaign, campaign.c.id == sheet.c.campaign_id)
            .where(question.c.id.in_(part))
            .order_by(question.c.id)
        )
        for row in rows:
            kind, facts = NoticeKind.SHEET_ASKED, {"title": row.title, "title_en": row.title_en}
            messages.append(Message(row.organisation_id, kind, row.sheet_id, f"{kind}:{row.id}", facts))
    tell(session, messages, now=now)


def _owner(session: Session, question: SheetQuestion) -> UUID:
    return queries.campaign(session, queries.sheet(session, question.sheet_id).campaign_id).organisation_id
