"""The demand sheet behind an offer, as its factory reads it: page, paper, JSON, versions, questions."""

from http import HTTPStatus
from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from c2m.demand.questions import TooManyOpenQuestions
from c2m.demand.views.questions import AskForm, questions_page
from c2m.demand.views.sheets import document_of, paper, sheet_page
from c2m.demand.views.versions import compared_document, comparison_page
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.matching import queries
from c2m.matching.asking import ask_about
from c2m.matching.models import HOLDING
from c2m.matching.queries import OfferDetail
from c2m.matching.views.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import submitted
from c2m.web.viewer import signed_in_viewer


@blueprint.get("/factory/inbox/<uuid:offer_id>/sheet")
@allow(Role.FACTORY)
def offer_sheet(offer_id: UUID) -> str:
    """The whole demand sheet behind an offer, its buyers masked."""
    found, factory_id = _own(offer_id), signed_in_viewer().organisation_id
    page = sheet_page(found.sheet, factory_id=factory_id)
    return render_template("demand/sheet.html", **page, **_offered(found))


@blueprint.get("/factory/inbox/<uuid:offer_id>/sheet.pdf")
@allow(Role.FACTORY)
def offer_sheet_pdf(offer_id: UUID) -> Response:
    """The whole demand sheet behind an offer, to print and to decide on."""
    return paper(_own(offer_id).sheet, factory_id=signed_in_viewer().organisation_id)


@blueprint.get("/factory/inbox/<uuid:offer_id>/sheet.json")
@allow(Role.FACTORY)
def offer_sheet_json(offer_id: UUID) -> Response:
    """The whole demand sheet behind an offer, for machines."""
    document = document_of(_own(offer_id).sheet, factory_id=signed_in_viewer().organisation_id)
    return FlaskResponse(document.model_dump_json(), mimetype="application/json")


@blueprint.get("/factory/inbox/<uuid:offer_id>/sheet/compare")
@allow(Role.FACTORY)
def offer_sheet_compare(offer_id: UUID) -> str:
    """What became of each variant between two versions of the sheet behind an offer."""
    found = _own(offer_id)
    page = comparison_page(found.sheet)
    return render_template("demand/sheet_compare.html", **page, **_offered(found))


@blueprint.get("/factory/inbox/<uuid:offer_id>/sheet/compare.json")
@allow(Role.FACTORY)
def offer_sheet_compare_json(offer_id: UUID) -> Response:
    """Two versions of the sheet behind an offer compared, for programs."""
    return FlaskResponse(compared_document(_own(offer_id).sheet).model_dump_json(), mimetype="application/json")


@blueprint.post("/factory/inbox/<uuid:offer_id>/sheet/questions")
@allow(Role.FACTORY)
def ask_about_sheet(offer_id: UUID) -> Response | tuple[str, int]:
    """Ask the merchandiser about the sheet; the answer stands on it for every factory that sees it."""
    found, form, factory_id = _own(offer_id), submitted(AskForm), signed_in_viewer().organisation_id
    if form.accepted:
        words, key = form.value.words, form.value.idempotency_key
        try:
            ask_about(db_session(), offer_id, words, factory_id=factory_id, idempotency_key=key, now=request_time())
        except (Invalid, TooManyOpenQuestions) as refusal:
            form.refuse(refusal)
        else:
            flash(_("Asked. You are told when the merchandiser has answered."), "good")
            return redirect(
                url_for("matching.offer_sheet", offer_id=offer_id, _anchor="questions"), HTTPStatus.SEE_OTHER
            )
    return questions_page(found.sheet, form, factory_id=factory_id, offer=found.offer, may_ask=_may_ask(found))


def _offered(found: OfferDetail) -> dict[str, object]:
    return {"offer": found.offer, "for_factory": True, "may_ask": _may_ask(found)}


def _may_ask(found: OfferDetail) -> bool:
    return found.offer.state in HOLDING


def _own(offer_id: UUID) -> OfferDetail:
    return queries.offer_detail(db_session(), offer_id, factory_id=signed_in_viewer().organisation_id)
