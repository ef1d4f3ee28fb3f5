"""What buyers want, by groups: read by merchandisers and factories, turned into a draft, put before factories."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from pydantic import Field
from werkzeug.wrappers import Response

from c2m.demand import group_figures, group_offers
from c2m.demand.clustering.describing import GENERAL, word_in
from c2m.demand.forecasting.ladders import LadderProposal
from c2m.demand.group_figures import GroupSort
from c2m.demand.group_offers import Interest
from c2m.demand.models import CampaignState, NeedGroup
from c2m.demand.policies import standard_policy
from c2m.design.categories import CATEGORIES
from c2m.errors import N_, Conflict, Invalid
from c2m.identity.models import Role
from c2m.identity.queries import organisations
from c2m.matching.feasible import Feasible, feasible
from c2m.matching.queries import capabilities
from c2m.pages.blueprint import blueprint
from c2m.pages.ladders import quote_curves
from c2m.pages.wants import prices_of
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.drawing import Plot
from c2m.web.forms import Amount, Form, Submission, Whole, blank, queried, submitted
from c2m.web.paging import page_number, page_of
from c2m.web.viewer import signed_in_viewer

Answer = Response | tuple[str, int]


class NoLineForIt(Conflict):
    sentence = N_("You have no line for such goods yet. Add one under Profile, then say that you would make this.")


class GroupsForm(Form):
    sort: GroupSort = GroupSort.PIECES
    category: str = ""


class InterestForm(Form):
    price: Amount
    minimum: Annotated[Whole, Field(ge=1, le=group_offers.MOST_PIECES)]
    ready_by: date
    note: Annotated[str, Field(max_length=300)] = ""


@blueprint.app_template_filter("want_word")
def want_word(word: str) -> str:
    """A typical word in the reader's language, where it is known in both."""
    locale = get_locale()
    return word_in(word, english=locale is not None and locale.language == "en")


@blueprint.get("/wants/groups")
@allow(Role.MERCHANDISER, Role.FACTORY, Role.OPERATOR)
def want_groups() -> str:
    """What buyers want, similar wants together."""
    form = queried(GroupsForm)
    categories = (form.category,) if form.category in CATEGORIES else ()
    statement = group_figures.groups(now=request_time(), sort=form.sort, categories=categories)
    return render_template(
        "pages/want_groups.html",
        page=page_of(db_session(), statement, page=page_number()),
        form=form,
        sorts=GroupSort,
        categories=CATEGORIES,
        fewest_buyers=group_figures.FEWEST_BUYERS,
    )


@blueprint.get("/wants/groups/<uuid:group_id>")
@allow(Role.MERCHANDISER, Role.FACTORY, Role.OPERATOR)
def want_group(group_id: UUID) -> tuple[str, int]:
    """One group in figures, with what can be made of it."""
    return _group_page(group_id, _said_before(group_id))


@blueprint.get("/wants/groups/<uuid:group_id>/pictures/<uuid:picture_id>")
@allow(Role.MERCHANDISER, Role.FACTORY, Role.OPERATOR)
def want_group_picture(group_id: UUID, picture_id: UUID) -> Response:
    """A picture that came with a want, to those who may read the want, for as long as it is wanted."""
    found = group_figures.picture_of(db_session(), group_id, picture_id)
    answer = Response(found.content, mimetype=found.media_type)
    answer.cache_control.private = True
    answer.cache_control.no_cache = True
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@blueprint.post("/wants/groups/<uuid:group_id>/draft")
@allow(Role.MERCHANDISER)
def draft_of_group(group_id: UUID) -> Response:
    """Make a draft campaign of a group and go on editing it."""
    session, now = db_session(), request_time()
    group = group_figures.group_of(session, group_id)
    figures = group_figures.figures_of(session, group_id, now=now)
    found = feasible(session, group.category, figures.pieces, currency=edge().settings.currency, now=now)
    campaign_id = group_offers.draft_for(
        session,
        group_id,
        organisation_id=signed_in_viewer().organisation_id,
        smallest_order=found.smallest_order if found else None,
        cost=found.cost if found else lambda _pieces: None,
        ladder=_ladder(group_id, found),
        policy=standard_policy(session, now=now),
        now=now,
    )
    flash(_("A draft is filled in from what buyers said. Look it over; they are told when you open it."), "good")
    return redirect(url_for("demand.edit_campaign", campaign_id=campaign_id), HTTPStatus.SEE_OTHER)


@blueprint.post("/wants/groups/<uuid:group_id>/ask")
@allow(Role.MERCHANDISER)
def ask_makers(group_id: UUID) -> Response:
    """Ask the factories of the group's category who wants to make it."""
    group_offers.ask_makers(db_session(), group_id, now=request_time())
    flash(_("The factories that make such goods are asked. Their answers appear here."), "good")
    return redirect(url_for("pages.want_group", group_id=group_id), HTTPStatus.SEE_OTHER)


@blueprint.post("/wants/groups/<uuid:group_id>/interest")
@allow(Role.FACTORY)
def state_interest(group_id: UUID) -> Answer:
    """A factory says what it would make it for."""
    form = submitted(InterestForm)
    if not form.accepted:
        return _group_page(group_id, form)
    said = form.value
    interest = Interest(
        group_id=group_id,
        factory_id=signed_in_viewer().organisation_id,
        price_minor=said.price,
        currency=edge().settings.currency,
        minimum=said.minimum,
        ready_by=said.ready_by,
        note=said.note,
    )
    try:
        if _lacks_line(group_figures.group_of(db_session(), group_id)):
            raise NoLineForIt(group_id=group_id)
        group_offers.state_interest(db_session(), interest, now=request_time())
    except (Invalid, NoLineForIt) as refusal:
        form.refuse(refusal)
        return _group_page(group_id, form)
    flash(_("Merchandisers now see that you would make it."), "good")
    return redirect(url_for("pages.want_group", group_id=group_id), HTTPStatus.SEE_OTHER)


def _lacks_line(group: NeedGroup) -> bool:
    """Whether the viewer is a factory without a line for a group's goods; of no category, anybody may make them."""
    who = signed_in_viewer()
    if group.category == GENERAL or not who.has(Role.FACTORY):
        return False
    lines = capabilities(db_session(), who.organisation_id)
    return group.category not in {line.category for line in lines}


def _said_before(group_id: UUID) -> Submission[InterestForm]:
    who = signed_in_viewer()
    mine = [i for i in group_figures.interests_of(db_session(), group_id) if i.factory_id == who.organisation_id]
    if not mine:
        return blank(InterestForm)
    [said] = mine
    return blank(
        InterestForm,
        price=f"{said.price_minor / 100:.2f}",
        minimum=said.minimum,
        ready_by=said.ready_by.isoformat(),
        note=said.note,
    )


def _group_page(group_id: UUID, form: Submission[InterestForm]) -> tuple[str, int]:
    session, now, who = db_session(), request_time(), signed_in_viewer()
    group = group_figures.group_of(session, group_id)
    figures = group_figures.figures_of(session, group_id, now=now)
    interests = [
        said
        for said in group_figures.interests_of(session, group_id)
        if not who.has(Role.FACTORY) or said.factory_id == who.organisation_id
    ]
    found = None
    if figures.needs and group.category != GENERAL:
        found = feasible(session, group.category, figures.pieces, currency=edge().settings.currency, now=now)
    return form.page(
        "pages/want_group.html",
        group=group,
        figures=figures,
        fewest_buyers=group_figures.FEWEST_BUYERS,
        found=found,
        prices=prices_of(found) if found else None,
        ladder=_ladder(group_id, found) if who.has(Role.MERCHANDISER) else None,
        lacks_line=_lacks_line(group),
        sent_pictures=group_figures.pictures_of(session, group_id),
        interests=interests,
        makers=organisations(session, [said.factory_id for said in interests]),
        campaigns=[
            campaign
            for campaign in group_figures.campaigns_of(session, group_id)
            if campaign.state is not CampaignState.DRAFT or campaign.organisation_id == who.organisation_id
        ],
        quantity_plot=_plot(figures.quantities),
        budget_plot=_plot(figures.budgets),
    )


def _ladder(group_id: UUID, found: Feasible | None) -> LadderProposal | None:
    """The ladder proposed to a merchandiser, from what factories ask and what the group's buyers would pay."""
    if found is None:
        return None
    session, now = db_session(), request_time()
    policy = standard_policy(session, now=now)
    return group_offers.ladder_for(session, group_id, quote_curves(found), target_cost_ppm=policy.target_cost_ppm)


def _plot(bins: Any) -> Plot | None:
    """Where the bars of a histogram stand: one place a bin."""
    if not bins:
        return None
    return Plot((0, len(bins)), (0, max(b.count for b in bins)), width=360, height=170, left=12, right=12, top=22)
