"""What an organisation was told, how much of it is unread, and where each message leads."""

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import Session
from werkzeug.wrappers import Response

from c2m.demand.models import Campaign, DemandSheet, NeedGroup, Pledge
from c2m.design.models import Concept
from c2m.identity.models import Role
from c2m.matching.models import CounterOffer, Offer
from c2m.notices import queries, service
from c2m.notices.models import Notice, NoticeKind
from c2m.pages.blueprint import blueprint
from c2m.pages.message_words import told
from c2m.production.models import FirstArticle
from c2m.web.access import signed_in
from c2m.web.context import db_session, edge, request_time
from c2m.web.forms import Form, queried
from c2m.web.paging import page_number, page_of
from c2m.web.viewer import Viewer, signed_in_viewer

PER_PAGE = 20


class MessagesForm(Form):
    show: Annotated[Literal["unread"] | None, Field()] = None


@blueprint.get("/messages")
@signed_in
def messages() -> str:
    """What the viewer's organisation was told, the newest first."""
    form, session = queried(MessagesForm), db_session()
    own = queries.notices_of(signed_in_viewer().organisation_id, unread_only=form.show == "unread")
    page = page_of(session, own, page=page_number(), per_page=PER_PAGE)
    return render_template(
        "pages/messages.html",
        page=page,
        told=[told(notice) for notice in page.rows],
        shown=form.show,
        unread=queries.unread(session, signed_in_viewer().organisation_id),
    )


@blueprint.post("/messages/<uuid:notice_id>")
@signed_in
def open_message(notice_id: UUID) -> Response:
    """Read a message: put it away and go to what it is about."""
    session, who = db_session(), signed_in_viewer()
    notice = queries.notice_of(session, notice_id, organisation_id=who.organisation_id)
    service.mark_read(session, who.organisation_id, [notice.id], now=request_time())
    return redirect(subject_of(session, notice, who), HTTPStatus.SEE_OTHER)


@blueprint.post("/messages/read")
@signed_in
def read_all() -> Response:
    """Put everything away as read."""
    service.mark_all_read(db_session(), signed_in_viewer().organisation_id, now=request_time())
    flash(_("All messages are read."), "good")
    return redirect(url_for("pages.messages"), HTTPStatus.SEE_OTHER)


def unread_messages(viewer: Viewer | None) -> int:
    """How many messages the viewer's organisation has not read, as the bell in the head says."""
    if viewer is None:
        return 0
    with edge().database.reading() as session:
        return queries.unread(session, viewer.organisation_id)


def subject_of(session: Session, notice: Notice, viewer: Viewer) -> str:
    """The page a message leads to: the order, the campaign as its merchandiser or as buyers see it."""
    if notice.kind is NoticeKind.CONCEPT_PROMOTED:
        return url_for("demand.campaign_of_concept", concept_id=notice.subject_id)
    if notice.kind is NoticeKind.CONCEPT_STOPPED:
        return url_for("design.concept", concept_id=notice.subject_id)
    if notice.kind is NoticeKind.CONCEPT_ANSWERED:
        return url_for("design.concept", concept_id=notice.subject_id, _anchor="questions")
    if viewer.has(Role.FACTORY) and (offer := session.get(Offer, notice.subject_id)):
        if notice.kind is NoticeKind.SHEET_ANSWERED:
            return url_for("matching.offer_sheet", offer_id=offer.id, _anchor="questions")
        return url_for("matching.offer", offer_id=offer.id)
    if viewer.has(Role.OPERATOR) and (counter := session.get(CounterOffer, notice.subject_id)):
        return url_for("matching.counter_offer", counter_id=counter.id)
    if viewer.has(Role.FACTORY) and (group := session.get(NeedGroup, notice.subject_id)):
        return url_for("pages.want_group", group_id=group.id)
    if viewer.has(Role.FACTORY) and (article := session.get(FirstArticle, notice.subject_id)):
        return url_for("production.work_order", order_id=article.work_order_id, _anchor="first-article")
    if viewer.has(Role.MERCHANDISER) and (article := session.get(FirstArticle, notice.subject_id)):
        return url_for("production.judging", _anchor=f"article-{article.id}")
    if viewer.has(Role.FACTORY):
        return url_for("matching.claims")
    if viewer.has(Role.MERCHANDISER) and (sheet := session.get(DemandSheet, notice.subject_id)):
        return url_for("demand.sheet", sheet_id=sheet.id, _anchor="questions")
    pledge = session.get(Pledge, notice.subject_id)
    if pledge is not None and pledge.buyer_id == viewer.organisation_id and viewer.has(Role.BUYER):
        return url_for("pages.order", pledge_id=pledge.id)
    if viewer.has(Role.MERCHANDISER) and (concept := session.get(Concept, notice.subject_id)):
        return url_for("design.edit_concept", concept_id=concept.id)
    campaign = session.get(Campaign, pledge.campaign_id if pledge else notice.subject_id)
    if campaign is None:
        return url_for("pages.messages")
    if campaign.organisation_id == viewer.organisation_id and viewer.has(Role.MERCHANDISER):
        return url_for("demand.studio_campaign", campaign_id=campaign.id)
    return url_for("demand.campaign", campaign_id=campaign.id)
