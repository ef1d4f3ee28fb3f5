"""The merchandiser's answers to what factories ask about a demand sheet."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.demand.models import DemandSheet
from c2m.demand.questions import LONGEST_ANSWER, LONGEST_QUESTION, answer_question
from c2m.demand.views.blueprint import blueprint
from c2m.demand.views.sheets import own_sheet, questions_part
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import Form, Submission, submitted
from c2m.web.viewer import signed_in_viewer


class AskForm(Form):
    words: Annotated[str, Field(max_length=LONGEST_QUESTION)] = ""
    idempotency_key: Annotated[str, Field(min_length=8, max_length=80)]


class AnswerForm(Form):
    answer: Annotated[str, Field(max_length=LONGEST_ANSWER)] = ""


@blueprint.post("/sheets/<uuid:sheet_id>/questions/<uuid:sheet_question_id>")
@allow(Role.MERCHANDISER)
def answer_sheet_question(sheet_id: UUID, sheet_question_id: UUID) -> Response | tuple[str, int]:
    """Answer what a factory asked about a sheet, for every factory that sees it."""
    found, form, who = own_sheet(sheet_id), submitted(AnswerForm), signed_in_viewer()
    if not form.accepted:
        return questions_page(found, form, answering=sheet_question_id)
    words, house = form.value.answer, who.organisation_id
    try:
        answer_question(db_session(), sheet_question_id, words, organisation_id=house, now=request_time())
    except Invalid as refusal:
        form.refuse(refusal)
        return questions_page(found, form, answering=sheet_question_id)
    flash(_("Answered. Every factory that sees the sheet reads it."), "good")
    return redirect(url_for("demand.sheet", sheet_id=found.id, _anchor="questions"), HTTPStatus.SEE_OTHER)


def questions_page(
    found: DemandSheet,
    form: Submission[Any],
    *,
    answering: UUID | None = None,
    factory_id: UUID | None = None,
    **more: Any,
) -> tuple[str, int]:
    """The questions alone, with what is wrong with the one that is being asked or answered."""
    shown = questions_part(found, form, answering=answering, factory_id=factory_id)
    return form.page("demand/sheet_questions.html", sheet=found, for_factory=factory_id is not None, **shown, **more)
