"""Where each role can go."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from c2m.identity.models import Role
from c2m.web.viewer import Viewer


@dataclass(frozen=True)
class Place:
    """An entry of the navigation before a request: its view, its words, its symbol."""

    endpoint: str
    label: LazyString
    icon: str


@dataclass(frozen=True)
class NavItem:
    """An entry as the page shows it; `hot` makes its count stand out."""

    href: str
    label: str
    icon: str
    current: bool
    count: int | None = None
    hot: bool = False


MARKET = Place("demand.marketplace", _("Marketplace"), "grid")
ACCOUNT = Place("identity.account", _("Account"), "user")
PLACES: dict[Role | None, tuple[Place, ...]] = {
    None: (MARKET,),
    Role.BUYER: (MARKET, Place("demand.orders", _("My orders"), "box"), ACCOUNT),
    Role.FACTORY: (
        Place("matching.inbox", _("Inbox"), "inbox"),
        Place("production.work_orders", _("Work orders"), "factory"),
        Place("matching.capacity", _("Capacity"), "cal"),
        Place("production.money", _("Money"), "wallet"),
        Place("matching.profile", _("Profile"), "user"),
    ),
    Role.MERCHANDISER: (
        Place("demand.board", _("Campaigns"), "chart"),
        Place("design.studio", _("Concepts"), "concept"),
        Place("demand.sheets", _("Demand sheets"), "users"),
        MARKET,
    ),
    Role.OPERATOR: (
        Place("pages.console", _("Console"), "home"),
        Place("pages.verification", _("Factories to verify"), "badge"),
        Place("pages.runs", _("Matching"), "refresh"),
        Place("pages.late", _("Late work orders"), "alert"),
        Place("pages.jobs", _("Jobs"), "clock"),
        Place("pages.ledger", _("Ledger"), "ledger"),
        Place("pages.audit", _("Audit"), "shield"),
    ),
}
FIRST_ROLE = (Role.OPERATOR, Role.FACTORY, Role.MERCHANDISER, Role.BUYER)


def home_of(viewer: Viewer | None) -> str:
    """The endpoint of the page this viewer's work begins at."""
    return places_of(viewer)[0].endpoint


def places_of(viewer: Viewer | None) -> tuple[Place, ...]:
    """The navigation of the viewer's first role; of a visitor, the marketplace."""
    role = next((role for role in FIRST_ROLE if viewer is not None and viewer.has(role)), None)
    return PLACES[role]


def navigation(viewer: Viewer | None) -> Sequence[NavItem]:
    """The navigation with the present page marked."""
    return [
        NavItem(
            href=url_for(place.endpoint),
            label=str(place.label),
            icon=place.icon,
            current=request.endpoint == place.endpoint,
        )
        for place in places_of(viewer)
    ]
