"""How right the predictions were that were made of campaigns."""

from flask import Response, jsonify, render_template
from flask_babel import lazy_gettext

from c2m.demand.foretelling import newest_model
from c2m.demand.predictions import reliability, scores
from c2m.identity.models import Role
from c2m.pages.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session

THIRDS = lazy_gettext("First third"), lazy_gettext("Second third"), lazy_gettext("Last third")


@blueprint.get("/operator/predictions")
@allow(Role.OPERATOR)
def predictions() -> str:
    """Said and come true, by tenths of probability; scores by kind and by when it was said."""
    session = db_session()
    return render_template(
        "pages/operator_predictions.html",
        tenths=list(reliability(session).values()),
        scored=scores(session),
        thirds=THIRDS,
        model=newest_model(session),
    )


@blueprint.get("/operator/predictions.json")
@allow(Role.OPERATOR)
def predictions_json() -> Response:
    """The same for programs."""
    session = db_session()
    return jsonify({"reliability": list(reliability(session).values()), "scores": scores(session)})
