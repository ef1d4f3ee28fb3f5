"""A factory's outlook: groups that may become its orders, and orders that went to others."""

from flask import render_template
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _

from c2m.identity.models import Role
from c2m.matching.market import WhyNot
from c2m.matching.opportunities import WentElsewhere, coming, went_elsewhere
from c2m.matching.views.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.formats import money, pieces
from c2m.web.viewer import signed_in_viewer

WHY: dict[WhyNot, LazyString] = {
    WhyNot.DECLINED: lazy_gettext("You had declined it or let it run out."),
    WhyNot.IN_PART: lazy_gettext("You took a part of it and left these pieces to others."),
    WhyNot.KEPT_FOR_NEW: lazy_gettext("It was kept for new factories, as a first certain order."),
    WhyNot.ALL_TOGETHER: lazy_gettext("You cost no more; you were asked for other orders of the same plan instead."),
    WhyNot.LEVEL: lazy_gettext("You cost no more; one factory was enough."),
}


@blueprint.get("/factory/outlook")
@allow(Role.FACTORY)
def outlook() -> str:
    """What may come, and what went elsewhere."""
    session, factory_id, now = db_session(), signed_in_viewer().organisation_id, request_time()
    return render_template(
        "matching/outlook.html",
        coming=coming(session, factory_id, now=now),
        elsewhere=went_elsewhere(session, factory_id, now=now),
        why=why,
    )


def why(lost: WentElsewhere) -> str:
    """What kept the factory from an order, and by how much, in the reader's language."""
    match lost.why:
        case WhyNot.SMALLEST_ORDER:
            return str(_("%(pieces)s were missing to your smallest order.", pieces=pieces(lost.missing)))
        case WhyNot.WEEKS:
            return str(_("%(pieces)s did not fit into your free weeks in time.", pieces=pieces(lost.missing)))
        case WhyNot.PRICE:
            amount = money(lost.missing, lost.sheet.currency)
            return str(_("Your price, setup included, was %(amount)s a piece above the one taken.", amount=amount))
        case WhyNot.RISK:
            amount = money(lost.missing, lost.sheet.currency)
            return str(_("With lateness and its risk counted in, you came to %(amount)s a piece more.", amount=amount))
        case _:
            return str(WHY[lost.why])
