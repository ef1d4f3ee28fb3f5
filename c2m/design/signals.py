"""What buyers do with a concept short of wanting it: they keep an eye on it, and they ask."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import insert_missing, table_of, uuid7
from c2m.design.models import Concept, ConceptState, Question, SavedConcept
from c2m.errors import N_, Conflict, Invalid, NotFound
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

MOST_QUESTIONS = 5  # of one buyer about one concept


class NotAsked(NotFound):
    sentence = N_("There is no such question.")


class NotShown(Conflict):
    sentence = N_("This concept is not shown to buyers at present.")


class TooManyQuestions(Conflict):
    sentence = N_("You have asked 5 questions about this concept. Please wait for the answers.")


@dataclass(frozen=True)
class Asked:
    """What a buyer wants to know; the key makes sending it twice harmless."""

    concept_id: UUID
    buyer_id: UUID
    words: str
    idempotency_key: str


def save_concept(session: Session, concept: Concept, buyer_id: UUID, *, now: datetime) -> None:
    """Keep an eye on a concept; doing so again changes nothing.

    Raises:
        NotShown
    """
    _require_shown(concept, now)
    row = {"id": uuid7(), "concept_id": concept.id, "buyer_id": buyer_id, "saved_at": now}
    insert_missing(session, SavedConcept, [row])


def forget_concept(session: Session, concept: Concept, buyer_id: UUID) -> None:
    """No longer keep an eye on a concept."""
    table = table_of(SavedConcept)
    session.execute(sa.delete(table).where(table.c.concept_id == concept.id, table.c.buyer_id == buyer_id))


def ask(session: Session, asked: Asked, *, now: datetime) -> Question:
    """Put a question to a concept's merchandiser.

    Raises:
        NotShown, Invalid, TooManyQuestions
    """
    concept = session.get(Concept, asked.concept_id)
    if concept is None:
        raise NotShown(concept_id=asked.concept_id)
    _require_shown(concept, now)
    if not asked.words.strip():
        raise Invalid(errors={"words": N_("Write what you would like to know.")})
    mine = select(Question).where(Question.buyer_id == asked.buyer_id)
    known = session.exec(mine.where(Question.idempotency_key == asked.idempotency_key)).first()
    if known is not None:
        return known
    if len(session.exec(mine.where(Question.concept_id == concept.id)).all()) >= MOST_QUESTIONS:
        raise TooManyQuestions(concept_id=concept.id)
    question = Question(
        concept_id=concept.id,
        buyer_id=asked.buyer_id,
        words=asked.words.strip(),
        idempotency_key=asked.idempotency_key,
        asked_at=now,
    )
    session.add(question)
    session.flush()
    return question


def answer(session: Session, question: Question, words: str, *, now: datetime) -> None:
    """Answer a question for everybody to read, and tell who asked; answering again replaces the answer.

    Raises:
        Invalid
    """
    if not words.strip():
        raise Invalid(errors={"answer": N_("Write an answer.")})
    question.answer, question.answered_at = words.strip(), now
    session.add(question)
    session.flush()
    concept, kind = session.get_one(Concept, question.concept_id), NoticeKind.CONCEPT_ANSWERED
    names = {"title": concept.title, "title_en": concept.title_en}
    tell(session, [Message(question.buyer_id, kind, concept.id, f"{kind}:{question.id}", names)], now=now)


def question_about(session: Session, question_id: UUID, *, concept_id: UUID) -> Question:
    """A question about this concept.

    Raises:
        NotAsked
    """
    found = session.get(Question, question_id)
    if found is None or found.concept_id != concept_id:
        raise NotAsked(question_id=question_id)
    return found


def questions_about(session: Session, concept_id: UUID) -> list[Question]:
    """All questions about a concept, newest first."""
    statement = select(Question).where(Question.concept_id == concept_id)
    return list(session.exec(statement.order_by(col(Question.asked_at).desc(), col(Question.id).desc())).all())


def is_saved(session: Session, concept_id: UUID, buyer_id: UUID) -> bool:
    """Whether a buyer keeps an eye on a concept."""
    mine = select(SavedConcept.id).where(SavedConcept.concept_id == concept_id, SavedConcept.buyer_id == buyer_id)
    return session.exec(mine).first() is not None


def _require_shown(concept: Concept, now: datetime) -> None:
    if concept.state is not ConceptState.PUBLISHED or now >= concept.ends_at:
        raise NotShown(concept_id=concept.id)
