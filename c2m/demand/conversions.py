"""How interest turned into orders: measured when the campaign that a concept became has closed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.demand.models import Campaign, CampaignState, Pledge, PledgeState
from c2m.design.models import Concept
from c2m.design.outcomes import record_outcome

MEASURE = "demand.measure_conversions"
CLOSED = (CampaignState.SUCCEEDED, CampaignState.FAILED)  # one that was called off says nothing of its buyers


def measure_conversions(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Tell design which buyers still wanted the pieces when it came to ordering."""
    for part in chunks(ids):
        statement = (
            select(Campaign.id, Concept)
            .join(Concept, col(Concept.id) == col(Campaign.concept_id))
            .where(col(Campaign.id).in_(part), col(Campaign.state).in_(CLOSED))
            .order_by(col(Campaign.id))
        )
        for campaign_id, concept in session.exec(statement).all():
            record_outcome(session, concept, _ordered_by(session, campaign_id), now=now)


def _ordered_by(session: Session, campaign_id: UUID) -> set[UUID]:
    """Buyers whose pledges were alive at the close, whether or not the campaign reached its minimum."""
    campaign, pledge = table_of(Campaign).c, table_of(Pledge).c
    rows = session.execute(
        sa.select(pledge.buyer_id)
        .join_from(table_of(Pledge), table_of(Campaign), campaign.id == pledge.campaign_id)
        .where(pledge.campaign_id == campaign_id, pledge.placed_at < campaign.closed_at)
        .where(pledge.state != PledgeState.CANCELLED)
        .where(sa.or_(pledge.ended_at.is_(None), pledge.ended_at >= campaign.closed_at))
        .distinct()
    )
    return set(rows.scalars())
