"""What the rule says of a concept, and why: as a page for its merchandiser and as JSON."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Response, jsonify, render_template

from c2m.design import concepts, pictures, queries, signals
from c2m.design.evidence import LEVELS, Showing, daily_looks, lessons, outcomes_of, said_of, showings, signal_counts
from c2m.design.looks import MILLION, Appraisal, appraise, curve_of
from c2m.design.models import Concept, ConceptState, ConceptVariant, DailyLook, Outcome
from c2m.design.validation.curve import PriceForecast
from c2m.design.validation.rule import STATED_RULE, Decision
from c2m.design.validation.signals import Step, funnel
from c2m.design.views import sketching
from c2m.design.views.blueprint import blueprint
from c2m.design.views.drafts import own_concept
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, request_time

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Report:
    """Everything the rule's verdict rests on, at one instant."""

    at: datetime
    decision: Decision
    decided_on: DailyLook | None  # the first day the rule said so
    appraisal: Appraisal
    looks: list[DailyLook]
    steps: list[Step]
    variants: list[ConceptVariant]
    showings: dict[UUID, Showing]
    curve: list[PriceForecast]
    outcomes: list[Outcome]

    @property
    def too_early(self) -> bool:
        """Whether fewer buyers have spoken than the rule asks for: a chance of so few voices is nobody's to go by."""
        return self.decision is Decision.GO_ON and self.appraisal.buyers < STATED_RULE.fewest_buyers


@blueprint.get("/studio/concepts/<uuid:concept_id>/validation.json")
@allow(Role.MERCHANDISER)
def validation_json(concept_id: UUID) -> Response:
    """What the rule says and why, for programs."""
    found = own_concept(db_session(), concept_id)
    if found.state is ConceptState.DRAFT:
        raise concepts.ConceptNotPublished(concept_id=concept_id)
    return jsonify(_as_json(found, report_on(found)))


def report_on(found: Concept) -> Report:
    """What the rule says of a concept now, or said when it was decided."""
    session = db_session()
    at = found.decided_at or request_time()
    said = said_of(session, [found.id])[found.id]
    learned = lessons(session, found.category, now=at)
    appraisal, looks = appraise(found, said, learned, now=at), daily_looks(session, found.id)
    validated = next((look for look in looks if look.decision is Decision.VALIDATED), None)
    variants = concepts.variants(session, found.id)
    return Report(
        at=at,
        decision=Decision.VALIDATED if validated else appraisal.decision,
        decided_on=validated,
        appraisal=appraisal,
        looks=looks,
        steps=funnel(signal_counts(session, found.id)),
        variants=variants,
        showings=showings(session, [found.id])[found.id],
        curve=curve_of(found, said, learned, now=at) if said else [],
        outcomes=outcomes_of(session, found.id),
    )


def validation_page(found: Concept) -> tuple[str, int]:
    """What buyers say of a concept, what the rule makes of it, and what the merchandiser can do."""
    session, report = db_session(), report_on(found)
    interest = queries.interest(session, [found.id])
    leader = max(report.variants, key=lambda variant: interest[variant.id].pieces)
    html = render_template(
        "design/validation.html",
        concept=found,
        report=report,
        rule=STATED_RULE,
        variants=report.variants,
        pictures=pictures.pictures(session, [variant.picture_id for variant in report.variants]),
        interest=interest,
        tally=queries.tallies(session, [found.id]).get(found.id, queries.SILENCE),
        leader=leader if interest[leader.id].pieces else None,
        questions=signals.questions_about(session, found.id),
        days=_days(found),
        decide_by=concepts.decide_by(found),
        has_flat=sketching.can_draw(found.category),
    )
    return html, 200


def _as_json(found: Concept, report: Report) -> dict[str, Any]:
    appraisal = report.appraisal
    return {
        "concept": str(found.id),
        "at": report.at.isoformat(),
        "decision": report.decision,
        "validated_on": report.decided_on.day.isoformat() if report.decided_on else None,
        "rule": asdict(STATED_RULE),
        "target": found.target_quantity,
        "price_minor": found.price_minor,
        "currency": found.currency,
        "too_early": report.too_early,
        "chance": round(appraisal.chance, 4),
        "orders": {"low": appraisal.low, "expected": appraisal.expected, "high": appraisal.high},
        "said": {"buyers": appraisal.buyers, "pieces": appraisal.pieces},
        "days": {"seen": round(appraisal.span.seen, 2), "left": round(appraisal.span.left, 2)},
        "priors": {
            level: {
                "conversion": asdict(lesson.prior.conversion) | {"mean": lesson.prior.conversion.mean},
                "interest_a_day": asdict(lesson.prior.interest) | {"mean": lesson.prior.interest.mean},
                "concepts": lesson.concepts,
                "concepts_of_other_categories": lesson.elsewhere,
                "buyers": lesson.buyers,
                "orders": lesson.orders,
                "measured_at": lesson.measured_at.isoformat() if lesson.measured_at else None,
            }
            for level, lesson in zip(LEVELS, appraisal.lessons, strict=True)
        },
        "signals": [asdict(step) for step in report.steps],
        "variants": [
            {"id": str(variant.id), "name": variant.name, "share": variant.share_ppm / MILLION}
            | asdict(report.showings[variant.id])
            for variant in report.variants
        ],
        "curve": [asdict(point) for point in report.curve],
        "outcomes": [
            {"level": came.commitment, "buyers": came.buyers, "orders": came.orders, "at": came.measured_at.isoformat()}
            for came in report.outcomes
        ],
        "looks": [
            {
                "day": look.day.isoformat(),
                "decision": look.decision,
                "chance": look.chance_ppm / MILLION,
                "low": look.low,
                "expected": look.expected,
                "high": look.high,
            }
            for look in report.looks
        ],
    }


def _days(found: Concept) -> tuple[int, int]:
    """The day of the validation we are in, and how many it has."""
    begun, end = found.published_at or found.created_at, found.ends_at
    total = max(1, -((begun - end) // DAY))
    reached = min(found.decided_at or request_time(), end)
    return min(total, (reached - begun) // DAY + 1), total
