"""How a forecast of further demand is put into words, and what the pages that show one need."""

from typing import Any

from flask_babel import LazyString, lazy_gettext
from sqlmodel import Session

from c2m.demand.models import Campaign, CampaignState
from c2m.demand.upside import KINDS, upside_of
from c2m.demand.views.blueprint import blueprint
from c2m.web.context import request_time

METHODS: dict[str, LazyString] = {
    "naive": lazy_gettext("as last week"),
    "moving average 4": lazy_gettext("mean of four weeks"),
    "moving average 13": lazy_gettext("mean of thirteen weeks"),
    "smoothing": lazy_gettext("exponential smoothing"),
    "Croston": lazy_gettext("Croston"),
    "SBA": lazy_gettext("Croston without its bias (SBA)"),
    "TSB": lazy_gettext("Croston that fades out (TSB)"),
    "seasonal naive": lazy_gettext("as the same week of last year"),
    "combined": lazy_gettext("mean of three methods"),
    "like products": lazy_gettext("products like it"),
}
SEEN = (CampaignState.OPEN, CampaignState.CLOSING, CampaignState.SUCCEEDED, CampaignState.FAILED)


@blueprint.app_template_filter("method_name")
def method_name(name: str) -> str:
    """A forecasting method in the reader's language."""
    return str(METHODS.get(name, name))


def upside_part(session: Session, found: Campaign) -> dict[str, Any]:
    """What more of a campaign's product the coming weeks may bring, once buyers have seen it."""
    shown = found.state in SEEN and found.kind in KINDS
    return {"upside": upside_of(session, found.id, now=request_time()) if shown else None}
