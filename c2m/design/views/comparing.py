"""Pictures side by side, and what is chosen among them put into a concept."""

from typing import Annotated
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.design import concepts, queries
from c2m.design.concepts import MOST_VARIANTS
from c2m.design.models import Concept, ConceptState, Picture
from c2m.design.views import sketching
from c2m.design.views.about import facts_of
from c2m.design.views.blueprint import blueprint
from c2m.design.views.generations import own_picture
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import Form, queried, submitted
from c2m.web.viewer import signed_in_viewer

MOST_BESIDE = 4


class PickedForm(Form):
    picture: Annotated[list[UUID], Field(default_factory=list, max_length=MOST_VARIANTS)]


class AddForm(Form):
    concept_id: UUID
    picture: Annotated[list[UUID], Field(min_length=1, max_length=MOST_VARIANTS)]


@blueprint.get("/studio/pictures/compare")
@allow(Role.MERCHANDISER)
def compare() -> Response | str:
    """Two to four pictures side by side, with what tells them apart."""
    chosen = picked()
    if len(chosen) < 2:
        flash(_("Tick at least two pictures to compare them."), "warn")
        if chosen and (found := chosen[0]):
            return redirect(url_for("design.about_picture", picture_id=found.id), 303)
        return redirect(url_for("design.sketchbook"), 303)
    shown = chosen[:MOST_BESIDE]
    known = [dict(facts_of(picture, is_own=True)) for picture in shown]
    names = list(dict.fromkeys(name for facts in known for name in facts))
    differing = {name for name in names if len({str(facts.get(name)) for facts in known}) > 1}
    drafts = queries.concepts_of(signed_in_viewer().organisation_id, ConceptState.DRAFT)
    return render_template(
        "design/compare.html",
        pictures=list(zip(shown, known, strict=True)),
        left_out=len(chosen) - len(shown),
        names=names,
        differing=differing,
        drafts=db_session().execute(drafts).scalars().all(),
    )


@blueprint.post("/studio/pictures/into-concept")
@allow(Role.MERCHANDISER)
def into_concept() -> Response:
    """Put pictures into a draft."""
    form, session = submitted(AddForm), db_session()
    found = concepts.concept_of(session, form.value.concept_id, organisation_id=signed_in_viewer().organisation_id)
    chosen = [own_picture(picture_id) for picture_id in dict.fromkeys(form.value.picture)]
    added = put_into(found, chosen)
    flash(ngettext("One picture is added.", "%(num)s pictures are added.", added), "good")
    return redirect(url_for("design.edit_concept", concept_id=found.id, _anchor="pictures"), 303)


def picked() -> list[Picture]:
    """The viewer's own pictures that the address names.

    Raises:
        PictureNotFound
    """
    return [own_picture(picture_id) for picture_id in dict.fromkeys(queried(PickedForm).picture)]


def put_into(found: Concept, chosen: list[Picture]) -> int:
    """Let pictures compete for a concept; those that do already are passed over.

    Raises:
        ConceptNotDraft, TooManyVariants
    """
    session, now = db_session(), request_time()
    competing = concepts.variants(session, found.id)
    known, taken = {variant.picture_id for variant in competing}, {variant.name for variant in competing}
    fresh = [picture for picture in chosen if picture.id not in known]
    for picture in fresh:
        name, name_en = sketching.names_of(picture.provenance)
        suffix = sketching.suffix_among(taken, name)
        taken.add(name + suffix)
        concepts.add_variant(session, found, picture, name=name + suffix, name_en=name_en + suffix, now=now)
    return len(fresh)
