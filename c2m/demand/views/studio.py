"""A merchandiser's campaigns: the board, one campaign's own page, opening it, calling it off."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from flask import Response as Download
from flask import flash, redirect, render_template, url_for
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.demand import board as own
from c2m.demand import campaigns, extension, queries, teams
from c2m.demand.board import View, Wanted
from c2m.demand.extension import ExtensionTooLong
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Policy
from c2m.demand.predictions import outlooks
from c2m.demand.views.blueprint import blueprint, standing
from c2m.demand.views.campaign_parts import outlook_part, waiting_part
from c2m.demand.views.completing import completion_part
from c2m.demand.views.further import upside_part
from c2m.identity.models import Role
from c2m.web.access import allow, public
from c2m.web.context import db_session, request_time
from c2m.web.exports import csv_file
from c2m.web.formats import major, moment
from c2m.web.forms import Form, Submission, Whole, blank, queried, submitted
from c2m.web.paging import page_number, page_of
from c2m.web.states import look_of
from c2m.web.viewer import signed_in_viewer

Sort = Literal["title", "-title", "pieces", "-pieces", "deadline", "-deadline", "created", "-created"]


VIEWS: dict[View, LazyString] = {
    View.ALL: lazy_gettext("All"),
    View.OPEN: lazy_gettext("Open"),
    View.SHORT: lazy_gettext("Short of the minimum, under 48 hours"),
    View.CLOSING: lazy_gettext("Settling"),
    View.SUCCEEDED: lazy_gettext("Succeeded"),
    View.DRAFTS: lazy_gettext("Drafts"),
    View.ENDED: lazy_gettext("Fell short or called off"),
}


class ExtensionForm(Form):
    days: Whole


class BoardForm(Form):
    view: View = View.ALL
    kind: CampaignKind | None = None
    q: Annotated[str, Field(max_length=80)] = ""
    sort: Sort = "-created"

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.view, self.kind, self.q, self.sort)


@blueprint.get("/studio/campaigns")
@allow(Role.MERCHANDISER)
def board() -> str:
    """The merchandiser's campaigns, with every filter in the address."""
    form, session, now = queried(BoardForm), db_session(), request_time()
    organisation_id = signed_in_viewer().organisation_id
    page = page_of(session, own.found(organisation_id, form.wanted, now=now), page=page_number())
    ids = [campaign.id for campaign in page.rows]
    return render_template(
        "demand/studio_board.html",
        page=page,
        form=form,
        views=VIEWS,
        kinds=CampaignKind,
        counts=own.counts(session, organisation_id, now=now),
        totals=own.totals(session, organisation_id),
        escrow=own.escrow(session, ids),
        waiting=own.waiting(session, ids),
        ladders=queries.ladders(session, ids),
        outlooks=outlooks(session, ids),
    )


@blueprint.get("/studio/campaigns.csv")
@allow(Role.MERCHANDISER)
def board_csv() -> Download:
    """The board's campaigns, filtered as in the address, as a table to take away."""
    form, session = queried(BoardForm), db_session()
    statement = own.found(signed_in_viewer().organisation_id, form.wanted, now=request_time())
    found = session.execute(statement).scalars().all()
    head = [
        _("Number"),
        _("Product"),
        _("Kind"),
        _("State"),
        _("Pieces"),
        _("Minimum"),
        _("Minimum reached"),
        _("Extra pieces offered"),
        _("Buyers waiting"),
        _("Pieces waited for"),
        _("Price now"),
        _("In escrow"),
        _("Currency"),
        _("Deadline"),
    ]
    return csv_file("campaigns", head, _lines(found))


@blueprint.get("/studio/campaigns/<uuid:campaign_id>")
@allow(Role.MERCHANDISER)
def studio_campaign(campaign_id: UUID) -> str:
    """One campaign in numbers, with its pledges masked."""
    return _campaign_page(campaign_id, blank(ExtensionForm))[0]


@blueprint.post("/studio/campaigns/<uuid:campaign_id>/extend")
@allow(Role.MERCHANDISER)
def extend_campaign(campaign_id: UUID) -> Response | tuple[str, int]:
    """Give an open campaign more days, once; every buyer who is in is asked to agree again."""
    form = submitted(ExtensionForm)
    if form.accepted:
        try:
            extension.extend_campaign(db_session(), own_campaign(campaign_id).id, form.value.days, now=request_time())
        except ExtensionTooLong as refusal:
            form.refuse(refusal, "days")
    if not form.accepted:
        return _campaign_page(campaign_id, form)
    flash(_("Extended. Everybody who is in has been asked to agree again."), "good")
    return redirect(url_for("demand.studio_campaign", campaign_id=campaign_id), 303)


def _campaign_page(campaign_id: UUID, extending: Submission[ExtensionForm]) -> tuple[str, int]:
    session = db_session()
    found = own_campaign(campaign_id)
    variants, pieces = queries.variants(session, campaign_id), own.pieces_by_variant(session, campaign_id)
    page = page_of(session, own.masked_pledges(campaign_id), page=page_number())
    return extending.page(
        "demand/studio_campaign.html",
        extending=extending,
        consents=queries.consents(session, campaign_id) if found.extended_at else {},
        campaign=found,
        policy=session.get(Policy, found.policy_id),
        ladder=queries.ladder(session, campaign_id),
        colours=list(dict.fromkeys(v.colour for v in variants)),
        sizes=list(dict.fromkeys(v.size for v in variants)),
        by_place={(v.colour, v.size): v for v in variants},
        pieces=pieces,
        joined=queries.joined(session, campaign_id),
        waiting=waiting_part(session, found, None),
        **outlook_part(session, found),
        **upside_part(session, found),
        teams=teams.teams_in(session, campaign_id, limit=20),
        completion_key=str(uuid4()),
        **completion_part(session, found, pieces),
        queue=queries.queue_masked(session, campaign_id) if found.cap is not None else [],
        escrow=own.escrow(session, [campaign_id]).get(campaign_id, 0),
        page=page,
        carried_on=queries.carried_on(session, [pledge.id for pledge in page.rows]),
        sheets=own.sheets_of(session, campaign_id),
    )


@blueprint.post("/studio/campaigns/<uuid:campaign_id>/open")
@allow(Role.MERCHANDISER)
def open_campaign(campaign_id: UUID) -> Response:
    """Open a draft to buyers."""
    campaigns.open_campaign(db_session(), own_campaign(campaign_id).id, now=request_time())
    flash(_("Open. Buyers can join from now on."), "good")
    return redirect(url_for("demand.studio_campaign", campaign_id=campaign_id), 303)


@blueprint.post("/studio/campaigns/<uuid:campaign_id>/cancel")
@allow(Role.MERCHANDISER)
def cancel_campaign(campaign_id: UUID) -> Response:
    """Call a campaign off; everybody is refunded. A draft, which nobody has seen, is put away."""
    found = own_campaign(campaign_id)
    is_draft = found.state is CampaignState.DRAFT
    campaigns.cancel_campaign(db_session(), found.id, now=request_time())
    flash(_("The draft is put away.") if is_draft else _("Called off. Everybody gets everything back."), "good")
    return redirect(url_for("demand.studio_campaign", campaign_id=campaign_id), 303)


@blueprint.get("/concepts/<uuid:concept_id>/campaign")
@public
def campaign_of_concept(concept_id: UUID) -> Response:
    """On to the campaign a concept has become."""
    found = own.campaign_of_concept(db_session(), concept_id)
    return redirect(url_for("demand.campaign", campaign_id=found.id), 303)


def own_campaign(campaign_id: UUID) -> Campaign:
    """The viewer's own campaign.

    Raises:
        CampaignNotFound
    """
    return own.campaign_of(db_session(), campaign_id, organisation_id=signed_in_viewer().organisation_id)


def _lines(found: Any) -> Iterator[list[object]]:
    session = db_session()
    ids = [campaign.id for campaign in found]
    ladders, escrow, waiting = queries.ladders(session, ids), own.escrow(session, ids), own.waiting(session, ids)
    for campaign in found:
        pieces = campaign.certain_quantity if campaign.final_quantity is None else campaign.final_quantity
        price = campaign.final_price_minor or ladders[campaign.id].price_at(pieces)
        yield [
            campaign.number,
            campaign.title,
            str(look_of("kind", campaign.kind).word),
            str(look_of("campaign", standing(campaign)).word),
            pieces,
            campaign.minimum,
            _("yes") if pieces >= campaign.minimum else _("no"),
            campaign.flexible_quantity,
            *waiting.get(campaign.id, (0, 0)),
            major(price, campaign.currency),
            major(escrow.get(campaign.id, 0), campaign.currency),
            campaign.currency,
            moment(campaign.deadline),
        ]
