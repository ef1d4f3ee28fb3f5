"""A merchandiser's concepts: all of them, and what buyers said of each one."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from c2m.design import concepts, queries
from c2m.design.models import ConceptState
from c2m.design.views.blueprint import blueprint
from c2m.design.views.drafts import edit_page, own_concept
from c2m.design.views.validation import validation_page
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import Form, queried
from c2m.web.paging import page_number, page_of
from c2m.web.viewer import signed_in_viewer


class StudioForm(Form):
    state: ConceptState | None = None


@blueprint.get("/studio/concepts")
@allow(Role.MERCHANDISER)
def studio() -> str:
    """The merchandiser's concepts: state, wants, pieces, deposits, time left."""
    return render_template("design/studio.html", **listed(signed_in_viewer().organisation_id))


def listed(organisation_id: UUID | None) -> dict[str, Any]:
    """What a list of concepts shows, of a merchandiser or of everybody, in the state that the address names."""
    form, session = queried(StudioForm), db_session()
    page = page_of(session, queries.concepts_of(organisation_id, form.state), page=page_number())
    ids = [concept.id for concept in page.rows]
    return {
        "page": page,
        "shown": form.state,
        "states": ConceptState,
        "counts": queries.concept_counts(session, organisation_id),
        "tallies": queries.tallies(session, ids),
        "silence": queries.SILENCE,
        "covers": queries.covers(session, ids),
        "decide_by": {concept.id: concepts.decide_by(concept) for concept in page.rows},
    }


@blueprint.get("/studio/concepts/<uuid:concept_id>")
@allow(Role.MERCHANDISER)
def edit_concept(concept_id: UUID) -> tuple[str, int]:
    """A draft to be worked on; once published, what buyers say of it."""
    found = own_concept(db_session(), concept_id)
    return edit_page(found) if found.state is ConceptState.DRAFT else validation_page(found)


@blueprint.post("/studio/concepts/<uuid:concept_id>/stop")
@allow(Role.MERCHANDISER)
def stop(concept_id: UUID) -> Response:
    """End a validation; the deposits go back."""
    session = db_session()
    concepts.stop_concept(session, own_concept(session, concept_id), now=request_time())
    flash(_("Stopped. Every deposit is on its way back."), "good")
    return redirect(url_for("design.edit_concept", concept_id=concept_id), 303)
