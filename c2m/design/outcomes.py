"""What became of wants: kept by concept and commitment, so that later forecasts of the category learn from it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from c2m.db import insert_missing, uuid7
from c2m.design.evidence import said_of
from c2m.design.models import Commitment, Concept, Outcome


def record_outcome(session: Session, concept: Concept, ordered_by: Collection[UUID], *, now: datetime) -> None:
    """Keep how many of a concept's interested buyers are among those who ordered; a second record is passed over."""
    wants = said_of(session, [concept.id])[concept.id]
    deposited = {want.buyer_id for want in wants if want.deposited}
    stated = {want.buyer_id for want in wants} - deposited
    rows = [
        {
            "id": uuid7(),
            "concept_id": concept.id,
            "category": concept.category,
            "commitment": level,
            "buyers": len(buyers),
            "orders": len(buyers & set(ordered_by)),
            "measured_at": now,
        }
        for level, buyers in ((Commitment.STATED, stated), (Commitment.DEPOSITED, deposited))
        if buyers
    ]
    insert_missing(session, Outcome, rows)
