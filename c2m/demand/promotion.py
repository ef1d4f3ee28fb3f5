"""From concept to campaign: what buyers wanted is now to be had."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from c2m.demand.campaigns import CampaignDraft, create_campaign, open_campaign, own_samples, refusal_of
from c2m.demand.models import CampaignKind, Policy
from c2m.design.concepts import mark_promoted
from c2m.design.models import Concept
from c2m.errors import N_, Invalid


class NotThisKind(Invalid):
    sentence = N_("A concept becomes a presale or a group-buy.")


def promote_concept(session: Session, concept: Concept, draft: CampaignDraft, *, policy: Policy, now: datetime) -> UUID:
    """Open a campaign for a concept and grant its deposits back; return the campaign's id.

    Raises:
        NotThisKind, Invalid, ConceptNotPublished
    """
    if draft.kind is CampaignKind.SAMPLE or draft.concept_id != concept.id:
        raise NotThisKind(concept_id=concept.id)
    if (refused := refusal_of(draft, policy, own_samples(session, [draft]), now=now)) is not None:
        raise refused
    mark_promoted(session, concept, now=now)
    campaign_id = create_campaign(session, draft, policy=policy, now=now)
    open_campaign(session, campaign_id, now=now)
    return campaign_id
