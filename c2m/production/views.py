"""The shop floor's pages: work orders, reporting, shipping, and a factory's money; deliveries as they are reported."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from pydantic import Field
from sqlmodel import col, select
from werkzeug.wrappers import Response

from c2m.demand.models import Campaign, DemandSheet, Pledge, Policy
from c2m.design import pictures
from c2m.design.routes import STEPS
from c2m.errors import Conflict, Invalid, NotFound, Refusal
from c2m.identity.models import Role
from c2m.production import exits, first_articles, queries
from c2m.production.deliveries import deliver_lots, deliver_parcels
from c2m.production.floor import ReportRequest, report_progress
from c2m.production.models import FirstArticle, FirstArticleState, Parcel, WorkOrder, WorkOrderState
from c2m.production.queries import Progress
from c2m.production.shipping import ShipRequest, ship_lots
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.formats import moment
from c2m.web.forms import Form, Line, Submission, Upload, Whole, blank, queried, submitted
from c2m.web.paging import page_number, page_of, page_of_list
from c2m.web.viewer import signed_in_viewer

blueprint = Blueprint("production", "c2m.production")

SHOWN: dict[str, Sequence[WorkOrderState]] = {
    "making": (WorkOrderState.PLANNED, WorkOrderState.IN_PRODUCTION),
    "shipped": (WorkOrderState.SHIPPED,),
    "done": (WorkOrderState.DELIVERED, WorkOrderState.SETTLED),
}


@blueprint.app_template_filter("step_name")
def step_name(step: str) -> str:
    """What a milestone is called in the reader's language."""
    return str(_(STEPS[step])) if step in STEPS else step


@blueprint.app_template_global("unfinished_pieces")
def unfinished_pieces() -> dict[UUID, int]:
    """What the viewer's lines still owe of weeks gone by, for the page of their capacity."""
    return queries.unfinished_pieces(db_session(), signed_in_viewer().organisation_id, now=request_time())


class OrdersForm(Form):
    show: Literal["making", "shipped", "done"] | None = None


class StepForm(Form):
    step: Annotated[Whole, Field(ge=0, le=100)] | None = None


class ReportForm(Form):
    position: Annotated[Whole, Field(ge=0, le=100)]
    made: Annotated[Whole, Field(ge=1, le=1_000_000)]
    rejected: Annotated[Whole, Field(ge=0, le=1_000_000)] = 0
    idempotency_key: Annotated[str, Field(min_length=8, max_length=80)]


class ShipForm(Form):
    pieces: Annotated[Whole, Field(ge=1, le=1_000_000)]
    carrier: Annotated[Line, Field(max_length=60)]
    tracking_number: Annotated[Line, Field(max_length=60)]
    idempotency_key: Annotated[str, Field(min_length=8, max_length=80)]


class FirstArticleForm(Form):
    photograph: Upload
    note: Annotated[str, Field(max_length=500)] = ""


class VerdictForm(Form):
    finding: Literal["accept", "differs", "refuse"]
    words: Annotated[str, Field(max_length=500)] = ""


@blueprint.get("/factory/work-orders")
@allow(Role.FACTORY)
def work_orders() -> str:
    """The factory's work orders, those being made first."""
    form, session, now = queried(OrdersForm), db_session(), request_time()
    factory_id = signed_in_viewer().organisation_id
    statement = select(WorkOrder).where(WorkOrder.factory_id == factory_id)
    if form.show:
        statement = statement.where(col(WorkOrder.state).in_(SHOWN[form.show]))
    making = col(WorkOrder.state).in_(SHOWN["making"])
    soonest = sa.case((making, WorkOrder.due_at))
    statement = statement.order_by(
        sa.case((making, 0), else_=1), soonest, col(WorkOrder.due_at).desc(), col(WorkOrder.id)
    )
    page = page_of(session, statement, page=page_number())
    by_state = queries.orders_by_state(session, factory_id)
    return render_template(
        "production/work_orders.html",
        page=page,
        progress=queries.progress_of(session, page.rows),
        shown=form.show,
        counts={name: sum(by_state.get(state, 0) for state in states) for name, states in SHOWN.items()},
        late=queries.late_orders_of(session, factory_id, states=SHOWN["making"], now=now),
        total=sum(by_state.values()),
    )


@blueprint.get("/factory/work-orders/<uuid:order_id>")
@allow(Role.FACTORY)
def work_order(order_id: UUID) -> str:
    """One work order on the shop floor."""
    return _floor(_own(order_id), blank(ReportForm), blank(ShipForm))[0]


@blueprint.post("/factory/work-orders/<uuid:order_id>/report")
@allow(Role.FACTORY)
def report(order_id: UUID) -> Response | tuple[str, int]:
    """Report pieces through a step."""
    order, form = _own(order_id), submitted(ReportForm)
    if not form.accepted:
        return _floor(order, form, blank(ShipForm))
    request = ReportRequest(
        work_order_id=order_id,
        position=form.value.position,
        made=form.value.made,
        rejected=form.value.rejected,
        idempotency_key=form.value.idempotency_key,
        reported_by=signed_in_viewer().user_id,
    )
    [answer] = report_progress(db_session(), [request], now=request_time())
    if isinstance(answer, NotFound):
        raise answer
    if isinstance(answer, Refusal):
        form.refuse(answer, "made")
        return _floor(order, form, blank(ShipForm))
    flash(ngettext("One piece reported.", "%(num)s pieces reported.", form.value.made), "good")
    return redirect(url_for("production.work_order", order_id=order_id), 303)


@blueprint.post("/factory/work-orders/<uuid:order_id>/ship")
@allow(Role.FACTORY)
def ship(order_id: UUID) -> Response | tuple[str, int]:
    """Send finished pieces on their way."""
    order, form = _own(order_id), submitted(ShipForm)
    if not form.accepted:
        return _floor(order, blank(ReportForm), form)
    request = ShipRequest(
        work_order_id=order_id,
        quantity=form.value.pieces,
        carrier=form.value.carrier,
        tracking_number=form.value.tracking_number,
        idempotency_key=form.value.idempotency_key,
    )
    [answer] = ship_lots(db_session(), [request], now=request_time())
    if isinstance(answer, Refusal):
        form.refuse(answer, "pieces")
        return _floor(order, blank(ReportForm), form)
    flash(ngettext("One piece is on its way.", "%(num)s pieces are on their way.", form.value.pieces), "good")
    return redirect(url_for("production.work_order", order_id=order_id), 303)


@blueprint.post("/factory/work-orders/<uuid:order_id>/first-article")
@allow(Role.FACTORY)
def send_first_article(order_id: UUID) -> Response | tuple[str, int]:
    """Show the merchandiser how the first piece came out; the photograph is made safe before anything is locked."""
    order, form = _own(order_id), submitted(FirstArticleForm)
    if form.accepted:
        session, now, sent = db_session(), request_time(), form.value.photograph
        content = sent.stream.read(pictures.MOST_BYTES + 1)
        name = sent.filename or ""
        try:
            owner = signed_in_viewer().organisation_id
            picture = pictures.store_upload(session, content, organisation_id=owner, filename=name, now=now)
            first_articles.send_first_article(session, order, picture, note=form.value.note, now=now)
        except pictures.PictureRefused as refusal:
            form.refuse(refusal, "photograph")
        except Conflict as refusal:
            form.refuse(refusal)
        else:
            flash(_("Sent. The merchandiser compares it with the concept."), "good")
            return redirect(url_for("production.work_order", order_id=order_id, _anchor="first-article"), 303)
    return _floor(order, blank(ReportForm), blank(ShipForm), form)


@blueprint.get("/studio/first-articles")
@allow(Role.MERCHANDISER)
def judging() -> tuple[str, int]:
    """First articles beside their concepts' pictures, those to be judged first."""
    return _judging(None, blank(VerdictForm))


@blueprint.post("/studio/first-articles/<uuid:article_id>/judge")
@allow(Role.MERCHANDISER)
def judge(article_id: UUID) -> Response | tuple[str, int]:
    """Accept how a first article differs from its concept, or have another one made."""
    session, who, form = db_session(), signed_in_viewer(), submitted(VerdictForm)
    found = first_articles.article(session, article_id, organisation_id=who.organisation_id)
    if form.accepted:
        accepts, differs, words = form.value.finding != "refuse", form.value.finding == "differs", form.value.words
        try:
            first_articles.judge_first_article(
                session,
                found,
                accepts=accepts,
                differs=differs,
                words=words,
                judged_by=who.user_id,
                now=request_time(),
            )
        except Invalid as refusal:
            form.refuse(refusal)
        else:
            flash(_judged(found), "good")
            return redirect(url_for("production.judging"), 303)
    return _judging(article_id, form)


@blueprint.get("/first-articles/<uuid:article_id>/photograph")
@allow(Role.FACTORY, Role.MERCHANDISER, Role.BUYER)
def first_article_photograph(article_id: UUID) -> Response:
    """A first article's photograph, for its factory and its merchandiser; once accepted, for its buyers too."""
    session, mine = db_session(), signed_in_viewer().organisation_id
    found = first_articles.article(session, article_id, factory_id=mine, organisation_id=mine, buyer_id=mine)
    picture = pictures.picture(session, found.picture_id)
    response = Response(picture.content, mimetype=picture.media_type)
    response.cache_control.private = True
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@blueprint.get("/factory/money")
@allow(Role.FACTORY)
def money() -> str:
    """What has been settled, to the cent, and what is coming."""
    session, factory_id = db_session(), signed_in_viewer().organisation_id
    settlements = queries.settlements_of(session, factory_id, limit=10_000)
    waiting = session.exec(
        select(WorkOrder, Policy)
        .join(DemandSheet, col(DemandSheet.id) == col(WorkOrder.sheet_id))
        .join(Campaign, col(Campaign.id) == col(DemandSheet.campaign_id))
        .join(Policy, col(Policy.id) == col(Campaign.policy_id))
        .where(WorkOrder.factory_id == factory_id, WorkOrder.state == WorkOrderState.DELIVERED)
        .order_by(col(WorkOrder.delivered_at))
    ).all()
    return render_template(
        "production/money.html",
        page=page_of_list(settlements, page=page_number()),
        net_minor=sum(s.net_minor for s, _order in settlements),
        fee_minor=sum(s.fee_minor for s, _order in settlements),
        compensation_minor=sum(s.compensation_minor for s, _order in settlements),
        waiting=waiting,
        coming_minor=sum(order.earned_minor for order, _policy in waiting),
        currency=settlements[0][0].currency if settlements else "CNY",
    )


@blueprint.post("/operator/lots/<uuid:lot_id>/deliver")
@allow(Role.OPERATOR)
def deliver(lot_id: UUID) -> Response:
    """Record that the carrier has delivered a lot."""
    lot = queries.lot(db_session(), lot_id)
    parcels = deliver_lots(db_session(), [lot.id], now=request_time())
    flash(ngettext("One parcel delivered.", "%(num)s parcels delivered.", len(parcels)), "good")
    return redirect(url_for("pages.console"), 303)


@blueprint.post("/orders/parcels/<uuid:parcel_id>/received")
@allow(Role.BUYER)
def received(parcel_id: UUID) -> Response:
    """A buyer confirms that a parcel has arrived."""
    session, buyer_id = db_session(), signed_in_viewer().organisation_id
    own = session.exec(
        select(Pledge.id)
        .join(Parcel, col(Parcel.pledge_id) == col(Pledge.id))
        .where(Parcel.id == parcel_id, Pledge.buyer_id == buyer_id)
    ).all()
    parcel = queries.parcel_of(session, parcel_id, pledge_ids=own)
    deliver_parcels(session, [parcel.id], now=request_time())
    flash(_("Thank you. The parcel is marked as received."), "good")
    return redirect(url_for("pages.order", pledge_id=parcel.pledge_id), 303)


def _own(order_id: UUID) -> WorkOrder:
    return queries.work_order(db_session(), order_id, factory_id=signed_in_viewer().organisation_id)


def _judged(article: FirstArticle) -> str:
    if article.state is FirstArticleState.REFUSED:
        return str(_("Refused. The factory sees why."))
    if article.leave_until is None:
        return str(_("Accepted. The factory sees it."))
    return str(
        _("Accepted. Buyers may leave until %(until)s; then the rest is made.", until=moment(article.leave_until))
    )


def _judging(judged_id: UUID | None, form: Submission[VerdictForm]) -> tuple[str, int]:
    mine = first_articles.of_merchandiser(signed_in_viewer().organisation_id)
    session = db_session()
    page = page_of_list(session.execute(mine).all(), page=page_number())
    return form.page(
        "production/first_articles.html",
        page=page,
        judged_id=judged_id,
        exits=exits.exits_of(session, [campaign.id for _article, _order, campaign, _hours in page.rows]),
        setups=exits.setups_of(session, [order.id for _article, order, _campaign, _hours in page.rows]),
    )


def _floor(
    order: WorkOrder,
    report: Submission[ReportForm],
    ship: Submission[ShipForm],
    first_article: Submission[FirstArticleForm] | None = None,
) -> tuple[str, int]:
    session = db_session()
    [progress] = queries.progress_of(session, [order])
    campaign = first_articles.campaign_of(session, order)
    first_article = first_article or blank(FirstArticleForm)
    form: Submission[Any] = next((sent for sent in (first_article, report) if sent.errors), ship)
    return form.page(
        "production/work_order.html",
        order=order,
        progress=progress,
        step=_step_shown(progress, report.entered.get("position", queried(StepForm).step)),
        lines=queries.lines_of(session, order.id),
        lots=queries.lots_of(session, order.id),
        picture_id=campaign.picture_id,
        was_concept=campaign.concept_id is not None,
        articles=first_articles.articles_of(session, order.id),
        first_article=first_article,
        report=report,
        ship=ship,
        key=str(uuid4()),
    )


def _step_shown(progress: Progress, asked: object) -> int:
    """The step the form stands on: the one asked for, else the first with pieces to report."""
    places = {str(step.position): step.position for step in progress.steps}
    reportable = [step.position for step in progress.steps if step.reportable]
    return places.get(str(asked), reportable[0] if reportable else progress.steps[-1].position)
