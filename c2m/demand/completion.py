"""Completion: a merchandiser buys what is missing from its own group-buy, and every buyer is told."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import money
from c2m.db import table_of
from c2m.demand.joining import place_pledge
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Pledge
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.queries import GONE


def missing_pieces(campaign: Campaign, *, now: datetime) -> int:
    """The pieces a merchandiser may buy itself now: those an open group-buy or sample order lacks to its minimum."""
    running = campaign.state is CampaignState.OPEN and now < campaign.deadline
    if not running or campaign.kind is CampaignKind.PRESALE:
        return 0
    return max(campaign.minimum - campaign.certain_quantity, 0)


def complete_campaign(
    session: Session, campaign: Campaign, pieces: Mapping[UUID, int], *, idempotency_key: str, now: datetime
) -> UUID:
    """The merchandiser pays for missing pieces of its own campaign (variant → pieces) like any buyer.

    Returns the pledge's id.

    Raises:
        NothingMissing, CampaignNotOpen, CampaignFull, UnknownVariant, NothingChosen, QuantityRefused, KeyReused
    """
    request = PledgeRequest(
        campaign_id=campaign.id,
        buyer_id=campaign.organisation_id,
        lines=tuple(pieces.items()),
        idempotency_key=idempotency_key,
        merchant_funded=True,
    )
    pledge_id = place_pledge(session, request, now=now)
    session.expire(campaign)
    return pledge_id


def suggested_pieces(missing: int, pledged: Mapping[UUID, int]) -> dict[UUID, int]:
    """The missing pieces spread over the variants as buyers have pledged so far, evenly where nobody has."""
    weights = list(pledged.values())
    parts = money.allocate(missing, weights if any(weights) else [1] * len(weights))
    return dict(zip(pledged, parts, strict=True))


def pieces_bought_by_merchant(session: Session, campaign_id: UUID) -> int:
    """Pieces in living pledges of the merchandiser itself, as every buyer may see."""
    pledge = table_of(Pledge).c
    found = session.execute(
        sa.select(sa.func.sum(pledge.quantity)).where(
            pledge.campaign_id == campaign_id, pledge.merchant_funded, pledge.state.not_in(GONE)
        )
    ).scalar()
    return int(found or 0)
