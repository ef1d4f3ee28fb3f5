"""Where each role can go."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from c2m.identity.models import Role
from c2m.pages.queues import Queue, queues_of_this_request
from c2m.web.context import edge, request_time
from c2m.web.viewer import Viewer


@dataclass(frozen=True)
class Place:
    """An entry of the navigation before a request: its view, its words, its symbol."""

    endpoint: str
    label: LazyString
    icon: str
    queue: str = ""  # the operator's queue whose length stands beside it
    heading: LazyString | None = None  # begins a group
    leads_to: tuple[str, ...] = ()  # views reached from here that have no entry of their own


@dataclass(frozen=True)
class NavItem:
    """An entry as the page shows it; `hot` makes its count stand out."""

    href: str
    label: str
    icon: str
    current: bool
    count: int | None = None
    hot: bool = False
    heading: str = ""


MARKET = Place(
    "demand.marketplace",
    _("Marketplace"),
    "grid",
    leads_to=("demand.campaign", "demand.campaign_of_concept", "demand.checkout", "demand.join", "design.concept"),
)
WANTS = Place("pages.wants", _("My wants"), "ask", leads_to=("pages.new_want", "pages.want"))
GROUPS = Place("pages.want_groups", _("Wants"), "ask", leads_to=("pages.want_group",))
ACCOUNT = Place("identity.account", _("Account"), "user")
PLACES: dict[Role | None, tuple[Place, ...]] = {
    None: (MARKET,),
    Role.BUYER: (MARKET, Place("demand.orders", _("My orders"), "box", leads_to=("pages.order",)), WANTS, ACCOUNT),
    Role.FACTORY: (
        Place("matching.inbox", _("Inbox"), "inbox", leads_to=("matching.offer",)),
        GROUPS,
        Place("production.work_orders", _("Work orders"), "factory", leads_to=("production.work_order",)),
        Place("matching.capacity", _("Capacity"), "cal", leads_to=("matching.hours_of_line", "matching.week")),
        Place("matching.outlook", _("Outlook"), "chart"),
        Place("production.money", _("Money"), "wallet"),
        Place("matching.profile", _("Profile"), "user"),
        Place("matching.claims", _("Verification"), "badge"),
    ),
    Role.MERCHANDISER: (
        Place(
            "demand.board",
            _("Campaigns"),
            "chart",
            leads_to=("demand.studio_campaign", "demand.new_campaign", "demand.edit_campaign"),
        ),
        Place(
            "design.studio",
            _("Concepts"),
            "concept",
            leads_to=("design.new_concept", "design.edit_concept", "design.flat", "demand.promote"),
        ),
        Place(
            "design.sketchbook",
            _("Picture studio"),
            "sketch",
            leads_to=("design.generation", "design.compare", "design.commission", "design.about_picture"),
        ),
        GROUPS,
        Place("pages.trends", _("Trends"), "up"),
        Place("demand.sheets", _("Demand sheets"), "users", leads_to=("demand.sheet",)),
        Place("production.judging", _("First articles"), "badge"),
        Place("matching.idle", _("Idle weeks"), "cal"),
        MARKET,
    ),
    Role.OPERATOR: (
        Place("pages.console", _("Console"), "grid"),
        Place("pages.verification", _("Factories to verify"), "badge", queue="factories"),
        Place("matching.vetting", _("Vetting"), "shield", queue="claims"),
        Place("pages.late", _("Late work orders"), "wrench", queue="late_orders"),
        Place("pages.jobs", _("Jobs"), "alert", queue="dead_jobs"),
        Place(
            "matching.dispatch",
            _("Offers"),
            "inbox",
            queue="counters",
            leads_to=("matching.counter_offer", "matching.decide_on_counter"),
        ),
        Place("design.all_concepts", _("Concepts"), "concept", leads_to=("design.all_runs",)),
        Place("pages.runs", _("Matching"), "refresh", leads_to=("pages.promises", "pages.plan", "pages.predictions")),
        Place("pages.ledger", _("Ledger"), "ledger", heading=_("Accounts")),
        Place("pages.audit", _("Audit"), "shield"),
    ),
}
HOT = ("late_orders", "dead_jobs")
FIRST_ROLE = (Role.OPERATOR, Role.FACTORY, Role.MERCHANDISER, Role.BUYER)


def home_of(viewer: Viewer | None) -> str:
    """The endpoint of the page this viewer's work begins at."""
    return places_of(viewer)[0].endpoint


def places_of(viewer: Viewer | None) -> tuple[Place, ...]:
    """The navigation of the viewer's first role; of a visitor, the marketplace."""
    role = next((role for role in FIRST_ROLE if viewer is not None and viewer.has(role)), None)
    return PLACES[role]


def navigation(viewer: Viewer | None) -> Sequence[NavItem]:
    """The navigation with the present page marked and the operator's queues counted."""
    places = places_of(viewer)
    here = _here(places)
    return [
        NavItem(
            href=url_for(place.endpoint),
            label=str(place.label),
            icon=place.icon,
            current=place is here,
            count=waiting,
            hot=bool(waiting) and place.queue in HOT,
            heading=str(place.heading or ""),
        )
        for place in places
        for waiting in (_waiting(place.queue),)
    ]


def _here(places: Sequence[Place]) -> Place | None:
    """The place the present page belongs to: by its view, else the nearest one whose address it lies under."""
    for place in places:
        if request.endpoint in (place.endpoint, *place.leads_to):
            return place
    above = [place for place in places if f"{request.path}/".startswith(f"{url_for(place.endpoint)}/")]
    return max(above, key=lambda place: len(url_for(place.endpoint)), default=None)


def _waiting(queue: str) -> int | None:
    """How many wait in a queue; None where there is none or nobody waits."""
    if not queue:
        return None
    found: Queue = getattr(queues_of_this_request(edge().database, now=request_time()), queue)
    return found.count or None
