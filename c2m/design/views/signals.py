"""What a buyer does on a concept's page short of wanting it, and the merchandiser's answers."""

from typing import Annotated
from uuid import UUID

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.design import signals
from c2m.design.signals import Asked
from c2m.design.views.blueprint import blueprint
from c2m.design.views.buyers import QuestionForm, concept_page, visible_concept
from c2m.design.views.drafts import own_concept
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import Form, submitted
from c2m.web.viewer import signed_in_viewer


class AnswerForm(Form):
    answer: Annotated[str, Field(max_length=1000)] = ""


@blueprint.post("/concepts/<uuid:concept_id>/save")
@allow(Role.BUYER)
def save(concept_id: UUID) -> Response:
    """Keep an eye on a concept."""
    session = db_session()
    found = visible_concept(concept_id)
    signals.save_concept(session, found, signed_in_viewer().organisation_id, now=request_time())
    return _to(concept_id)


@blueprint.post("/concepts/<uuid:concept_id>/forget")
@allow(Role.BUYER)
def forget(concept_id: UUID) -> Response:
    """No longer keep an eye on it."""
    session = db_session()
    signals.forget_concept(session, visible_concept(concept_id), signed_in_viewer().organisation_id)
    return _to(concept_id)


@blueprint.post("/concepts/<uuid:concept_id>/ask")
@allow(Role.BUYER)
def ask(concept_id: UUID) -> Response | tuple[str, int]:
    """Ask the merchandiser something about a concept."""
    session, form = db_session(), submitted(QuestionForm)
    found = visible_concept(concept_id)
    if form.accepted:
        buyer_id = signed_in_viewer().organisation_id
        asked = Asked(concept_id, buyer_id, form.value.words, form.value.idempotency_key)
        try:
            signals.ask(session, asked, now=request_time())
        except (Invalid, signals.TooManyQuestions) as refusal:
            form.refuse(refusal, "words")
    if not form.accepted:
        return concept_page(found, question=form)
    flash(_("Asked. The answer will stand here, for everybody to read."), "good")
    return _to(concept_id, "questions")


@blueprint.post("/studio/concepts/<uuid:concept_id>/questions/<uuid:question_id>")
@allow(Role.MERCHANDISER)
def answer(concept_id: UUID, question_id: UUID) -> Response:
    """Answer a question for everybody to read."""
    session, form = db_session(), submitted(AnswerForm)
    own_concept(session, concept_id)
    question = signals.question_about(session, question_id, concept_id=concept_id)
    words = form.value.answer if form.accepted else ""
    signals.answer(session, question, words, now=request_time())
    flash(_("Answered. It stands on the concept's page."), "good")
    return redirect(url_for("design.edit_concept", concept_id=concept_id, _anchor="questions"), 303)


def _to(concept_id: UUID, part: str = "") -> Response:
    return redirect(url_for("design.concept", concept_id=concept_id, _anchor=part or None), 303)
