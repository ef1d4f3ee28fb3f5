"""How right the dates were that campaigns' pages stated."""

from flask import Response, jsonify, render_template
from flask_babel import LazyString, lazy_gettext

from c2m.identity.models import Role
from c2m.pages.blueprint import blueprint
from c2m.production.promises import Stage, kept
from c2m.web.access import allow
from c2m.web.context import db_session

STAGES: dict[Stage, LazyString] = {
    Stage.EARLY: lazy_gettext("First third"),
    Stage.HALFWAY: lazy_gettext("Second third"),
    Stage.LATE: lazy_gettext("Last third"),
}


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
