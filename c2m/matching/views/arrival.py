"""For programs: when free capacity has a campaign's pieces with its buyers."""

from typing import Annotated
from uuid import UUID

from flask import Response, jsonify
from pydantic import Field

from c2m.demand import queries
from c2m.demand.campaigns import CampaignNotOpen
from c2m.demand.models import CampaignState
from c2m.matching.views.blueprint import arrival_of, blueprint
from c2m.web.access import public
from c2m.web.context import db_session, request_time
from c2m.web.forms import Form, Whole, queried


class ArrivalForm(Form):
    pieces: Annotated[Whole, Field(ge=0, le=1_000_000)] = 0  # that would join


@blueprint.get("/campaigns/<uuid:campaign_id>/arrival.json")
@public
def arrival_json(campaign_id: UUID) -> Response:
    """The range of dates for an open campaign if so many more pieces join, and what still more would open up."""
    campaign = queries.campaign(db_session(), campaign_id)
    if campaign.state is CampaignState.DRAFT:
        raise queries.CampaignNotFound(campaign_id=campaign_id)
    if campaign.state is not CampaignState.OPEN or request_time() >= campaign.deadline:
        raise CampaignNotOpen(campaign_id=campaign_id)
    answer = arrival_of(campaign, queried(ArrivalForm).pieces)
    few, many = answer.window.pieces
    return jsonify(
        {
            "pieces": {"sure": few, "likely": many},
            "earliest": answer.window.earliest and answer.window.earliest.isoformat(),
            "latest": answer.window.latest and answer.window.latest.isoformat(),
            "factories": answer.window.factories,
            "promised": campaign.promised_date.isoformat(),
            "later_than_promised": answer.late,
            "may_be_later_than_promised": answer.may_be_late,
            "unlocks": [
                {"more": u.more, "quantity": u.quantity, "saves_minor": u.saves_minor, "currency": campaign.currency}
                for u in answer.unlocks
            ],
        }
    )
