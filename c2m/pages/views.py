"""Pages that join several stages."""

from http import HTTPStatus

from flask import redirect, url_for
from werkzeug.wrappers import Response

from c2m.pages import (
    ladders,
    late,
    ledger,
    messages,
    operator,
    orders,
    plan,
    predictions,
    promises,
    runs,
    trends,
    verification,
    want_groups,
    wants,
)
from c2m.pages.blueprint import blueprint
from c2m.pages.navigation import home_of
from c2m.web.access import public
from c2m.web.viewer import viewer

__all__ = [
    "blueprint",
    "ladders",
    "late",
    "ledger",
    "messages",
    "operator",
    "orders",
    "plan",
    "predictions",
    "promises",
    "runs",
    "trends",
    "verification",
    "want_groups",
    "wants",
]


@blueprint.get("/")
@public
def home() -> Response:
    """Each viewer's first page: the marketplace, or where their work waits."""
    return redirect(url_for(home_of(viewer())), HTTPStatus.SEE_OTHER)
