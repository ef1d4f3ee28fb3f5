"""How right the dates were that campaigns' pages stated."""

from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from flask import Response, jsonify, render_template
from flask_babel import LazyString, lazy_gettext
from sqlalchemy import Engine

from c2m.identity.models import Role
from c2m.pages.blueprint import blueprint
from c2m.production.promises import Stage, kept
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time

STAGES: dict[Stage, LazyString] = {
    Stage.EARLY: lazy_gettext("First third"),
    Stage.HALFWAY: lazy_gettext("Second third"),
    Stage.LATE: lazy_gettext("Last third"),
}


KEPT_FOR = timedelta(minutes=15)
_delivered: WeakKeyDictionary[Engine, tuple[datetime, tuple[int, int]]] = WeakKeyDictionary()


@blueprint.app_template_global("dates_kept")
def dates_kept() -> tuple[int, int]:
    """Of so many stated ranges whose pieces have all arrived, so many had them by their last day: (by then, all).

    A process reckons it anew every quarter of an hour: it stands on pages that everybody opens.
    """
    engine, now = edge().database.engine, request_time()
    known = _delivered.get(engine)
    if known is None or not known[0] <= now < known[0] + KEPT_FOR:
        came = [stage.delivered for stage in kept(db_session())]
        in_time = round(sum(each.count * (1 - (each.after or 0.0)) for each in came))
        _delivered[engine] = known = now, (in_time, sum(each.count for each in came))
    return known[1]


@blueprint.get("/operator/promises")
@allow(Role.OPERATOR)
def promises() -> str:
    """Stated, planned, delivered, by how far the campaign was when it was said."""
    return render_template("pages/operator_promises.html", stages=kept(db_session()), names=STAGES)


@blueprint.get("/operator/promises.json")
@allow(Role.OPERATOR)
def promises_json() -> Response:
    """The same for programs."""
    return jsonify({"stages": kept(db_session())})
