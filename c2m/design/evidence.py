"""What the rows say to the statistics: who would take how many, what was shown, what earlier concepts came to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.design.models import (
    Commitment,
    Concept,
    ConceptState,
    ConceptVariant,
    DailyLook,
    Exposure,
    Outcome,
    Place,
    Question,
    SavedConcept,
    Want,
    WantState,
)
from c2m.design.queries import ALIVE
from c2m.design.validation.curve import Said, Span
from c2m.design.validation.demand import ASSUMED, Prior
from c2m.design.validation.learning import Came, Drew, learned_conversion, learned_interest
from c2m.design.validation.signals import Signal

DAY = timedelta(days=1)
PAID = (WantState.DEPOSITED, WantState.REFUNDED)
LEVELS = (Commitment.STATED, Commitment.DEPOSITED)  # as the priors are ordered
MOST_EARLIER = 200  # concepts of a category that are learned from, the latest


@dataclass(frozen=True)
class Lesson:
    """What is believed of one level of commitment in a category, and from what: so many of its concepts, and elsewhere.

    `elsewhere` counts the concepts of other categories, whose conversion is what is believed before its own are.
    """

    commitment: Commitment
    prior: Prior
    concepts: int
    buyers: int
    orders: int
    measured_at: datetime | None  # the latest
    elsewhere: int = 0


@dataclass(frozen=True)
class Showing:
    """How often a variant was shown, and how many buyers wanted it."""

    shown: int
    buyers: int


def said_of(session: Session, concept_ids: Sequence[UUID]) -> dict[UUID, list[Said]]:
    """What buyers would take of each concept; what was taken back doesn't count."""
    want = table_of(Want).c
    found: dict[UUID, list[Said]] = {concept_id: [] for concept_id in concept_ids}
    for part in chunks(concept_ids):
        rows = session.execute(
            sa.select(want.concept_id, want.buyer_id, want.price_minor, want.quantity, want.state)
            .where(want.concept_id.in_(part), want.state.in_(ALIVE))
            .order_by(want.id)
        )
        for concept_id, buyer_id, price, quantity, state in rows:
            found[concept_id].append(Said(buyer_id, price, quantity, state in PAID))
    return found


def span_of(concept: Concept, now: datetime) -> Span:
    """The days a concept has been shown, and those to come."""
    begun, at = concept.published_at or concept.created_at, min(concept.decided_at or now, concept.ends_at)
    return Span(max((at - begun) / DAY, 0), max((concept.ends_at - at) / DAY, 0))


def lessons(session: Session, category: str, *, now: datetime) -> tuple[Lesson, ...]:
    """What concepts of a category decided before now teach, for each level of commitment.

    Conversion is first learned from the other categories: what the market came to is what is expected of a category
    until it has outcomes of its own, and weighs as one concept beside them.

    Seen from the instant of its own decision, a concept is not among its own lessons.
    """
    drew = _earlier_interest(session, category, now)
    table = table_of(Outcome).c
    found = []
    for level, assumed in zip(LEVELS, ASSUMED, strict=True):
        known = sa.and_(table.commitment == level, table.measured_at <= now)
        rows = _outcomes(session, known, table.category == category)
        others = _outcomes(session, known, table.category != category)
        market = learned_conversion(assumed.conversion, _came(others))
        conversion = learned_conversion(market, _came(rows))
        prior = Prior(learned_interest(assumed.interest, drew[level]), conversion)
        buyers, orders = sum(row.buyers for row in rows), sum(row.orders for row in rows)
        latest = rows[0].measured_at if rows else None
        found.append(Lesson(level, prior, len(rows), buyers, orders, latest, len(others)))
    return tuple(found)


def _outcomes(session: Session, *which: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    """What the latest of these concepts came to."""
    table = table_of(Outcome).c
    columns = sa.select(table.buyers, table.orders, table.measured_at)
    return session.execute(columns.where(*which).order_by(table.measured_at.desc(), table.id).limit(MOST_EARLIER)).all()


def _came(rows: Sequence[sa.Row[Any]]) -> list[Came]:
    return [Came(row.buyers, row.orders) for row in rows]


def signal_counts(session: Session, concept_id: UUID) -> dict[Signal, int]:
    """How many there were of each signal."""
    shown = _shown(session, [concept_id])
    want = table_of(Want).c
    with_deposit = sa.case((want.state.in_(PAID), want.buyer_id))
    wanted, deposited = session.execute(
        sa.select(sa.func.count(sa.distinct(want.buyer_id)), sa.func.count(sa.distinct(with_deposit))).where(
            want.concept_id == concept_id, want.state.in_(ALIVE)
        )
    ).one()
    return {
        Signal.IMPRESSION: sum(count for (_, place), count in shown.items() if place is Place.MARKET),
        Signal.VIEW: sum(count for (_, place), count in shown.items() if place is Place.PAGE),
        Signal.SAVE: _buyers(session, SavedConcept, concept_id),
        Signal.ASK: _buyers(session, Question, concept_id),
        Signal.WANT: wanted,
        Signal.DEPOSIT: deposited,
    }


def showings(session: Session, concept_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, Showing]]:
    """For each concept, how often each of its variants was shown and by how many buyers it is wanted."""
    want, variant = table_of(Want).c, table_of(ConceptVariant).c
    shown: Counter[UUID] = Counter()
    for (variant_id, _place), count in _shown(session, concept_ids).items():
        shown[variant_id] += count
    found: dict[UUID, dict[UUID, Showing]] = {concept_id: {} for concept_id in concept_ids}
    for part in chunks(concept_ids):
        rows = session.execute(
            sa.select(variant.concept_id, variant.id, sa.func.count(sa.distinct(want.buyer_id)))
            .join_from(
                table_of(ConceptVariant),
                table_of(Want),
                sa.and_(want.variant_id == variant.id, want.state.in_(ALIVE)),
                isouter=True,
            )
            .where(variant.concept_id.in_(part))
            .group_by(variant.concept_id, variant.id, variant.position)
            .order_by(variant.concept_id, variant.position)
        )
        for concept_id, variant_id, buyers in rows:
            found[concept_id][variant_id] = Showing(shown[variant_id], buyers)
    return found


def daily_looks(session: Session, concept_id: UUID) -> list[DailyLook]:
    """What the rule said each day, oldest first."""
    statement = select(DailyLook).where(DailyLook.concept_id == concept_id)
    return list(session.exec(statement.order_by(col(DailyLook.day))).all())


def outcomes_of(session: Session, concept_id: UUID) -> list[Outcome]:
    """What became of a concept's own wants, once its campaign has closed."""
    statement = select(Outcome).where(Outcome.concept_id == concept_id)
    return list(session.exec(statement.order_by(col(Outcome.commitment).desc())).all())


def _shown(session: Session, concept_ids: Sequence[UUID]) -> dict[tuple[UUID, Place], int]:
    exposure, variant = table_of(Exposure).c, table_of(ConceptVariant).c
    found: dict[tuple[UUID, Place], int] = {}
    for part in chunks(concept_ids):
        rows = session.execute(
            sa.select(exposure.variant_id, exposure.place, sa.func.sum(exposure.shown))
            .join_from(table_of(Exposure), table_of(ConceptVariant), variant.id == exposure.variant_id)
            .where(variant.concept_id.in_(part))
            .group_by(exposure.variant_id, exposure.place)
        )
        found |= {(variant_id, place): int(count) for variant_id, place, count in rows}
    return found


def _buyers(session: Session, model: type[SavedConcept] | type[Question], concept_id: UUID) -> int:
    table = table_of(model).c
    asked = sa.select(sa.func.count(sa.distinct(table.buyer_id))).where(table.concept_id == concept_id)
    return int(session.execute(asked).scalar_one())


def _earlier_interest(session: Session, category: str, now: datetime) -> dict[Commitment, list[Drew]]:
    """Interested buyers of each level, and days, of this category's concepts that are over."""
    concept, want = table_of(Concept).c, table_of(Want).c
    over = (
        sa.select(concept.id, concept.published_at, concept.ends_at, concept.decided_at)
        .where(concept.category == category, concept.decided_at < now)
        .where(concept.state.in_([ConceptState.PROMOTED, ConceptState.STOPPED]))
        .order_by(concept.decided_at.desc(), concept.id)
        .limit(MOST_EARLIER)
    )
    ended = session.execute(over).all()
    buyers: dict[UUID, Counter[Commitment]] = {row.id: Counter() for row in ended}
    paid = sa.func.max(sa.case((want.state.in_(PAID), 1), else_=0))
    for part in chunks(list(buyers)):
        rows = session.execute(
            sa.select(want.concept_id, want.buyer_id, paid)
            .where(want.concept_id.in_(part), want.state.in_(ALIVE))
            .group_by(want.concept_id, want.buyer_id)
        )
        for concept_id, _buyer, has_paid in rows:
            buyers[concept_id][Commitment.DEPOSITED if has_paid else Commitment.STATED] += 1
    days = {row.id: max((min(row.decided_at, row.ends_at) - row.published_at) / DAY, 0.1) for row in ended}
    return {level: [Drew(count[level], days[i]) for i, count in buyers.items()] for level in LEVELS}
