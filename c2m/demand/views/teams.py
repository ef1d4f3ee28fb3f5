"""Teams on the pages: the share link, joining by it, and what a leader sees of the team."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import Session
from werkzeug.wrappers import Response

from c2m.demand import queries, teams
from c2m.demand.models import Campaign, CampaignState, Pledge, PledgeState, Team
from c2m.demand.pledge_requests import UnknownTeam
from c2m.demand.views.blueprint import blueprint
from c2m.identity.models import Role
from c2m.web.access import allow, public
from c2m.web.context import db_session, edge, request_time
from c2m.web.forms import Form, submitted
from c2m.web.viewer import signed_in_viewer

COOKIE = "c2m_teams"
REMEMBERED_SECONDS = 30 * 24 * 3600
CODES_APART = "."


class TeamForm(Form):
    name: Annotated[str, Field(min_length=1, max_length=40)]


@blueprint.get("/t/<string(length=10):code>")
@public
def team_link(code: str) -> Response:
    """A leader's share link: to the campaign, remembered in this browser until it has joined or a month is over."""
    team = teams.team_by_code(db_session(), code)
    codes = [team.code, *(other for other in _codes() if other != team.code)][: teams.MOST_REMEMBERED]
    response = redirect(url_for("demand.campaign", campaign_id=team.campaign_id), 303)
    secure = edge().settings.sends_secure_cookies
    kept = CODES_APART.join(codes)
    response.set_cookie(COOKIE, kept, max_age=REMEMBERED_SECONDS, secure=secure, httponly=True, samesite="Lax")
    return response


@blueprint.post("/orders/<uuid:pledge_id>/team")
@allow(Role.BUYER)
def start_team(pledge_id: UUID) -> Response:
    """Begin a team with one's own order; its link is on the order's page from then on."""
    session, form = db_session(), submitted(TeamForm)
    pledge = queries.pledge_of(session, pledge_id, buyer_id=signed_in_viewer().organisation_id)
    teams.start_team(session, pledge, form.value.name, now=request_time())
    flash(_("Your team is there. Share its link."), "good")
    return redirect(url_for("pages.order", pledge_id=pledge_id, _anchor="team"), 303)


def campaign_part(
    session: Session, found: Campaign, buyer_id: UUID | None, entered: Mapping[str, Any]
) -> dict[str, Any]:
    """The teams of a campaign, and the one whose link the viewer followed, ticked unless the form says otherwise."""
    team = teams.team_remembered(session, found.id, _codes()) if _codes() else None
    if team is not None and team.leader_id == buyer_id:
        team = None
    return {
        "team": teams.view_of(session, team) if team else None,
        "team_ticked": not entered or bool(entered.get("team")),
        "teams": teams.teams_in(session, found.id),
    }


def team_joined(session: Session, campaign_id: UUID, code: str) -> Team | None:
    """The team a form joins by its code; None without one.

    Raises:
        UnknownTeam
    """
    if not code:
        return None
    found = teams.team_remembered(session, campaign_id, [code])
    if found is None:
        raise UnknownTeam(code=code)
    return found


def order_part(session: Session, pledge: Pledge, campaign: Campaign) -> dict[str, Any]:
    """What an order's page says of teams: the one its buyer leads, or could, and the one it came by."""
    led = teams.team_led(session, campaign.id, pledge.buyer_id)
    running = campaign.state is CampaignState.OPEN and request_time() < campaign.deadline
    joined = session.get(Team, pledge.team_id) if pledge.team_id else None
    return {
        "led": teams.view_of(session, led) if led else None,
        "members": teams.members_of(session, led.id) if led else [],
        "team_link": url_for("demand.team_link", code=led.code, _external=True) if led else "",
        "can_lead": running and pledge.state in (PledgeState.UNPAID, PledgeState.PAID),
        "came_by": teams.view_of(session, joined) if joined else None,
    }


def _codes() -> list[str]:
    return [code for code in request.cookies.get(COOKIE, "").split(CODES_APART) if code][: teams.MOST_REMEMBERED]
