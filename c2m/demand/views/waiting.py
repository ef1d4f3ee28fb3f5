"""Waiting for pieces of a sold-out campaign, and leaving the queue."""

from dataclasses import replace
from http import HTTPStatus
from uuid import UUID

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from c2m.demand import queries, waiting
from c2m.demand.models import WaitingState
from c2m.demand.views.blueprint import blueprint
from c2m.demand.views.market import JoinForm, campaign_page
from c2m.demand.views.teams import team_joined
from c2m.errors import NotFound, Refusal
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.forms import submitted
from c2m.web.viewer import signed_in_viewer


@blueprint.post("/campaigns/<uuid:campaign_id>/wait")
@allow(Role.BUYER)
def wait(campaign_id: UUID) -> Response | tuple[str, int]:
    """Queue for pieces, agreeing to be charged when the turn comes."""
    form, session, who = submitted(JoinForm), db_session(), signed_in_viewer()
    if not form.accepted:
        return campaign_page(campaign_id, form)
    request = form.value.request(campaign_id, who.organisation_id, who.region)
    try:
        team = team_joined(session, campaign_id, form.value.team)
        request = replace(request, team_id=team.id if team and team.leader_id != who.organisation_id else None)
        takes_part = form.value.takes_part
        waiting_id = waiting.wait_for_pieces(session, request, takes_part=takes_part, now=request_time())
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
