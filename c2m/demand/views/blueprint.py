"""The blueprint demand's pages register with."""

from flask import Blueprint
from flask_babel import gettext

from c2m.demand.models import Campaign, CampaignState
from c2m.design.categories import CATEGORIES
from c2m.web.context import request_time

blueprint = Blueprint("demand", "c2m.demand")


@blueprint.app_template_filter("standing")
def standing(campaign: Campaign) -> str:
    """The state a campaign is shown in: once its deadline has passed it settles, though its close is still to come."""
    over = campaign.state is CampaignState.OPEN and request_time() >= campaign.deadline
    return (CampaignState.CLOSING if over else campaign.state).value


@blueprint.app_template_filter("category_name")
def category_name(code: str) -> str:
    """What a category is called in the reader's language."""
    return str(gettext(CATEGORIES[code].name)) if code in CATEGORIES else code
