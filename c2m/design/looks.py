"""The daily look: what the rule says of each concept that is shown, and how its variants share exposure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import insert_missing, table_of, update_rows, uuid7
from c2m.design.evidence import Lesson, lessons, said_of, showings, span_of
from c2m.design.models import Concept, ConceptState, ConceptVariant, DailyLook
from c2m.design.validation.curve import (
    HIGH,
    LOW,
    Foreseen,
    PriceForecast,
    Proposal,
    Said,
    Span,
    demand_curve,
    evidence_at,
    foreseen,
    proposal,
)
from c2m.design.validation.demand import DRAWS, forecast
from c2m.design.validation.exposure import shares
from c2m.design.validation.rule import STATED_RULE, Decision, decide
from c2m.outbox import announce

LOOK = "design.look_at_concepts"
WEIGH = "design.weigh_variants"
VALIDATED = "design.concepts_validated"
HOPELESS = "design.concepts_advised_to_stop"
MILLION = 1_000_000


@dataclass(frozen=True)
class Appraisal:
    """What the statistics say of a concept at one instant."""

    chance: float
    low: int
    expected: int
    high: int
    buyers: int
    pieces: int
    span: Span
    decision: Decision
    lessons: tuple[Lesson, ...]


def appraise(concept: Concept, said: Sequence[Said], learned: tuple[Lesson, ...], *, now: datetime) -> Appraisal:
    """P(≥ the target is ordered by the end) at the concept's price, and what the rule says to it."""
    rng, span = _chance(concept), span_of(concept, now)
    evidence = evidence_at(concept.price_minor, said)
    priors = [lesson.prior for lesson in learned]
    found = forecast(evidence, priors, days_seen=span.seen, days_left=span.left, rng=rng, draws=DRAWS)
    low, high = (int(pieces) for pieces in found.quantiles([LOW, HIGH], rng=rng))
    chance, buyers = float(found.chance_of(concept.target_quantity)), int(evidence.buyers.sum())
    return Appraisal(
        chance=chance,
        low=low,
        expected=round(float(found.expected)),
        high=high,
        buyers=buyers,
        pieces=int(evidence.pieces.sum()),
        span=span,
        decision=decide(STATED_RULE, chance=chance, buyers=buyers, share_of_time=span.share),
        lessons=learned,
    )


def curve_of(
    concept: Concept, said: Sequence[Said], learned: Sequence[Lesson], *, now: datetime
) -> list[PriceForecast]:
    """Pieces by price, with what is uncertain about them."""
    priors = [lesson.prior for lesson in learned]
    return demand_curve(
        said,
        priors,
        span_of(concept, now),
        asked_minor=concept.price_minor,
        minimum=concept.target_quantity,
        rng=_chance(concept),
    )


def proposed(session: Session, concept: Concept, *, now: datetime) -> Proposal:
    """The campaign that what was said so far speaks for."""
    said, learned = said_of(session, [concept.id])[concept.id], lessons(session, concept.category, now=now)
    return proposal(
        said,
        [lesson.prior for lesson in learned],
        span_of(concept, now).seen,
        curve_of(concept, said, learned, now=now),
        asked_minor=concept.price_minor,
        minimum=concept.target_quantity,
        rng=_chance(concept),
    )


def foreseen_of(session: Session, concept: Concept, *, now: datetime) -> Foreseen:
    """What the proposed campaign would sell at its price and below, by the same posterior."""
    said, learned = said_of(session, [concept.id])[concept.id], lessons(session, concept.category, now=now)
    campaign, priors = proposed(session, concept, now=now), [lesson.prior for lesson in learned]
    return foreseen(said, priors, span_of(concept, now), campaign, rng=_chance(concept))


def look_at_concepts(session: Session, _ids: Sequence[UUID], now: datetime) -> None:
    """Keep what the rule says today of each concept that is shown; announce verdicts that are new.

    "Validated" stays: it is announced on the first day the rule says so, and the error of the rule is that of its ever
    saying so.
    """
    shown = _shown(session, now)
    said = said_of(session, [concept.id for concept in shown])
    learned = {category: lessons(session, category, now=now) for category in {c.category for c in shown}}
    before = _last_decisions(session, [concept.id for concept in shown], now)
    found = {concept.id: appraise(concept, said[concept.id], learned[concept.category], now=now) for concept in shown}
    decided = {
        concept_id: Decision.VALIDATED if before.get(concept_id) is Decision.VALIDATED else appraisal.decision
        for concept_id, appraisal in found.items()
    }
    rows = [
        {
            "id": uuid7(),
            "concept_id": concept_id,
            "day": now.date(),
            "looked_at": now,
            "decision": decided[concept_id],
            "chance_ppm": round(appraisal.chance * MILLION),
            "low": appraisal.low,
            "expected": appraisal.expected,
            "high": appraisal.high,
            "buyers": appraisal.buyers,
            "pieces": appraisal.pieces,
        }
        for concept_id, appraisal in found.items()
    ]
    insert_missing(session, DailyLook, rows)
    new = {concept_id: decision for concept_id, decision in decided.items() if decision is not before.get(concept_id)}
    for topic, decision in ((VALIDATED, Decision.VALIDATED), (HOPELESS, Decision.STOP)):
        announce(session, topic, [i for i, said_now in new.items() if said_now is decision], now=now)


def weigh_variants(session: Session, _ids: Sequence[UUID], now: datetime) -> None:
    """Give each variant its share of exposure from now on: by its chance to be the most wanted, none nothing."""
    found = showings(session, [concept.id for concept in _shown(session, now)])
    rows = []
    for concept_id, variants in found.items():
        rng = np.random.default_rng([concept_id.int, int(now.timestamp())])
        wanted = np.array([showing.buyers for showing in variants.values()], float)
        seen = np.array([showing.shown for showing in variants.values()], float)
        parts = shares(wanted, seen, rng=rng)
        rows += [{"id": i, "share_ppm": round(part * MILLION)} for i, part in zip(variants, parts, strict=True)]
    update_rows(session, ConceptVariant, rows)


def _shown(session: Session, now: datetime) -> list[Concept]:
    statement = select(Concept).where(Concept.state == ConceptState.PUBLISHED, col(Concept.ends_at) > now)
    return list(session.exec(statement.order_by(col(Concept.id))).all())


def _last_decisions(session: Session, ids: Sequence[UUID], now: datetime) -> dict[UUID, Decision]:
    """What the rule said of each concept on the last day before today."""
    look = table_of(DailyLook)
    last = (
        sa.select(look.c.concept_id, sa.func.max(look.c.day).label("day"))
        .where(look.c.day < now.date())
        .group_by(look.c.concept_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(look.c.concept_id, look.c.decision)
        .join(last, sa.and_(last.c.concept_id == look.c.concept_id, last.c.day == look.c.day))
        .where(look.c.concept_id.in_(ids))
    )
    return {concept_id: Decision(decision) for concept_id, decision in rows}


def _chance(concept: Concept) -> np.random.Generator:
    """The generator of a concept's draws: the same evidence gives the same figures on every page."""
    return np.random.default_rng(concept.id.int)
