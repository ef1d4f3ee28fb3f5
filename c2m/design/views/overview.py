"""The operator's view of design: every house's concepts, and what the picture studio was asked for."""

from flask import render_template
from flask_babel import gettext as _

from c2m.design import queries
from c2m.design.generations import generations_of, renditions
from c2m.design.models import Generation
from c2m.design.validation.rule import STATED_RULE
from c2m.design.views import briefs
from c2m.design.views.blueprint import blueprint
from c2m.design.views.generations import maker_words
from c2m.design.views.studio import listed
from c2m.identity.models import Role
from c2m.identity.queries import organisations
from c2m.web.access import allow
from c2m.web.context import db_session
from c2m.web.paging import page_number, page_of


@blueprint.get("/operator/concepts")
@allow(Role.OPERATOR)
def all_concepts() -> str:
    """Every concept: whose it is, what buyers said, what the rule made of it, how long it has."""
    session, shared = db_session(), listed(None)
    found = shared["page"].rows
    return render_template(
        "design/all_concepts.html",
        **shared,
        looks=queries.latest_looks(session, [concept.id for concept in found]),
        rule=STATED_RULE,
        houses=organisations(session, [concept.organisation_id for concept in found]),
    )


@blueprint.get("/operator/pictures")
@allow(Role.OPERATOR)
def all_runs() -> str:
    """Every run of the picture studio: whose, of what, how far, how long it took, and why it failed."""
    session = db_session()
    page = page_of(session, generations_of(None), page=page_number())
    return render_template(
        "design/all_runs.html",
        page=page,
        renditions=renditions(session, [run.id for run in page.rows]),
        reasons={run.id: _(run.reason) % run.reason_details for run in page.rows if run.reason},
        seconds={run.id: _seconds(run) for run in page.rows},
        houses=organisations(session, [run.organisation_id for run in page.rows]),
        reading={run.id: briefs.described({"category": run.category, **run.attributes}) for run in page.rows},
        maker=maker_words(),
    )


def _seconds(run: Generation) -> float | None:
    """From the asking to the end, with the wait for a worker."""
    return None if run.ended_at is None else (run.ended_at - run.asked_at).total_seconds()
