"""Waiting for pieces of a sold-out campaign, leaving the queue, and saying what a sample is like."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.demand import queries, samples, waiting
from c2m.demand.models import WaitingState
from c2m.demand.views.blueprint import blueprint
from c2m.demand.views.market import JoinForm, campaign_page
from c2m.demand.waiting import WaitingRequest
from c2m.errors import NotFound, Refusal
from c2m.identity.models import Organisation, Role
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import Flag, Form, Whole, sentence_of, submitted
from c2m.web.viewer import signed_in_viewer


class EvaluationForm(Form):
    quality: Annotated[Whole, Field(ge=1, le=5)]
    fit: Annotated[Whole, Field(ge=1, le=5)]
    would_order: Flag = False
    words: Annotated[str, Field(max_length=samples.LONGEST_WORDS)] = ""


@blueprint.post("/campaigns/<uuid:campaign_id>/wait")
@allow(Role.BUYER)
def wait(campaign_id: UUID) -> Response | tuple[str, int]:
    """Queue for pieces, agreeing to be charged when the turn comes."""
    form, session, who = submitted(JoinForm), db_session(), signed_in_viewer()
    if not form.accepted:
        return campaign_page(campaign_id, form)
    organisation = session.get(Organisation, who.organisation_id)
    request = WaitingRequest(
        campaign_id=campaign_id,
        buyer_id=who.organisation_id,
        lines=form.value.lines,
        idempotency_key=form.value.idempotency_key,
        takes_part=form.value.takes_part,
        region=organisation.region if organisation else "",
    )
    try:
        waiting_id = waiting.wait_for_pieces(session, request, now=request_time())
    except NotFound:
        raise
    except Refusal as refusal:
        form.refuse(refusal)
        return campaign_page(campaign_id, form)
    place = queries.waiting_of(session, waiting_id, buyer_id=who.organisation_id)
    if place.state is WaitingState.FILLED:
        flash(_("Pieces had just become free: you are in."), "good")
        return redirect(url_for("demand.orders"), HTTPStatus.SEE_OTHER)
    count = request.quantity - place.filled_quantity
    flash(ngettext("You are waiting for one piece.", "You are waiting for %(num)s pieces.", count), "good")
    return redirect(url_for("demand.campaign", campaign_id=campaign_id), HTTPStatus.SEE_OTHER)


@blueprint.post("/waiting/<uuid:waiting_id>/leave")
@allow(Role.BUYER)
def leave_queue(waiting_id: UUID) -> Response:
    """Give up a place in a queue."""
    session, buyer_id = db_session(), signed_in_viewer().organisation_id
    place = queries.waiting_of(session, waiting_id, buyer_id=buyer_id)
    waiting.leave_queue(session, waiting_id, buyer_id=buyer_id, now=request_time())
    flash(_("You have left the waiting list. Nothing was charged for it."), "good")
    return redirect(url_for("demand.campaign", campaign_id=place.campaign_id), HTTPStatus.SEE_OTHER)


@blueprint.post("/orders/<uuid:pledge_id>/evaluation")
@allow(Role.BUYER)
def evaluate(pledge_id: UUID) -> Response:
    """Say what a delivered sample is like."""
    session = db_session()
    sample = queries.pledge_of(session, pledge_id, buyer_id=signed_in_viewer().organisation_id)
    form = submitted(EvaluationForm)
    if form.accepted:
        said = form.value
        samples.evaluate_sample(
            session,
            sample,
            quality=said.quality,
            fit=said.fit,
            would_order=said.would_order,
            words=said.words,
            now=request_time(),
        )
        flash(_("Thank you. It now stands on the product's page."), "good")
    else:
        flash(" ".join([sentence_of(samples.MarkRefused()), *form.errors.values()]), "bad")
    return redirect(url_for("pages.order", pledge_id=pledge_id, _anchor="evaluation"), HTTPStatus.SEE_OTHER)
