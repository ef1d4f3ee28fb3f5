"""Parts of a campaign's page: its forecast, who waits for its pieces, what its sample's buyers say and take off."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from c2m.demand import queries, samples
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Waiting
from c2m.demand.predictions import outlook_of
from c2m.demand.queries import Queue
from c2m.demand.samples import Offered


@dataclass(frozen=True)
class WaitingList:
    """The queue for a campaign's pieces as one buyer sees it; `left` are the pieces that can be had at once."""

    left: int
    queue: Queue
    mine: Waiting | None


def waiting_part(session: Session, found: Campaign, buyer_id: UUID | None) -> WaitingList | None:
    """The waiting list of a campaign that has a cap, while its pieces can still become free."""
    releasing = found.kind is CampaignKind.PRESALE and found.state is CampaignState.SUCCEEDED
    if found.cap is None or not (releasing or found.state is CampaignState.OPEN):
        return None
    mine = queries.waiting_in(session, found.id, buyer_id) if buyer_id else None
    queue = queries.queue_of(session, found.id, before=mine.id if mine else None)
    return WaitingList(max(found.cap - found.pledged_quantity, 0), queue, mine)


def outlook_part(session: Session, found: Campaign) -> dict[str, Any]:
    """What was last stated of a campaign that is open."""
    return {"outlook": outlook_of(session, found.id) if found.state is CampaignState.OPEN else None}


def sample_part(session: Session, found: Campaign) -> dict[str, Any]:
    """The sample order of a campaign, or the campaign itself if it is one, and what was said of it."""
    tried = found.id if found.kind is CampaignKind.SAMPLE else found.sample_campaign_id
    if tried is None:
        return {"sample_order": None, "opinions": None}
    order = None if tried == found.id else queries.campaign(session, tried)
    return {"sample_order": order, "opinions": samples.opinions_of(session, tried)}


def credit_part(session: Session, found: Campaign, buyer_id: UUID | None, *, unit_minor: int, pieces: int) -> Offered:
    """What the buyer's samples take off these pieces at this price."""
    return samples.credit_offered(session, found, buyer_id, unit_price_minor=unit_minor, quantity=pieces)
