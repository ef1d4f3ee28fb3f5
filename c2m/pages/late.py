"""Work orders past their date: who is late, by how much, where it is stuck, what it has cost so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from flask import Response, render_template
from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import Session

from c2m.db import table_of
from c2m.demand.models import Campaign, DemandSheet
from c2m.identity.models import Organisation, Role
from c2m.matching.models import Factory
from c2m.pages.blueprint import blueprint
from c2m.production.models import Compensation, WorkOrder
from c2m.production.queries import UNDERWAY, Progress, progress_of
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.exports import csv_file
from c2m.web.formats import day, in_language, major, named, titled
from c2m.web.forms import Form, queried
from c2m.web.paging import page_number, page_of

PER_PAGE = 40
EXPORTED = 10_000

order, factory, organisation, sheet, campaign, compensation = (
    table_of(model) for model in (WorkOrder, Factory, Organisation, DemandSheet, Campaign, Compensation)
)
PAID = (
    sa.select(sa.func.coalesce(sa.func.sum(compensation.c.amount_minor), 0))
    .where(compensation.c.work_order_id == order.c.id)
    .correlate(order)
    .scalar_subquery()
)
SORTS: dict[str, sa.ColumnElement[Any]] = {
    "due": order.c.due_at,
    "factory": organisation.c.name,
    "pieces": order.c.quantity,
    "promised": campaign.c.promised_date,
    "paid": PAID,
}


class LateForm(Form):
    belt: Annotated[str, Field(max_length=60)] = ""
    sort: Literal[
        "due", "-due", "factory", "-factory", "pieces", "-pieces", "promised", "-promised", "paid", "-paid"
    ] = "due"


@dataclass(frozen=True)
class LateOrder:
    """A late work order: the factory that is responsible, days since it was due, compensation granted so far."""

    progress: Progress
    factory: Organisation
    belt: str
    promised_date: datetime
    days: int
    compensation_minor: int


@blueprint.get("/operator/late")
@allow(Role.OPERATOR)
def late() -> str:
    """Late work orders, the latest first unless sorted otherwise."""
    form, session, now = queried(LateForm), db_session(), request_time()
    page = page_of(session, _statement(form.belt, form.sort, now=now), page=page_number(), per_page=PER_PAGE)
    return render_template(
        "pages/operator_late.html",
        form=form,
        page=page,
        late=_late(session, page.rows, now),
        belts=_belts(session, now),
        totals=_totals(session, form.belt, now),
    )


@blueprint.get("/operator/late.csv")
@allow(Role.OPERATOR)
def late_csv() -> Response:
    """Late work orders, filtered and sorted as in the address, as a table to take away."""
    form, session, now = queried(LateForm), db_session(), request_time()
    head = [
        _("Work order"),
        _("Product"),
        _("Factory"),
        _("Belt"),
        _("Pieces"),
        _("Delivered"),
        _("Due"),
        _("Promised"),
        _("Days late"),
        _("Compensation"),
        _("Currency"),
    ]
    rows = session.execute(_statement(form.belt, form.sort, now=now).limit(EXPORTED)).all()
    return csv_file("late-work-orders", head, (_cells(row) for row in _late(session, rows, now)))


def latest_orders(session: Session, *, now: datetime, limit: int) -> list[LateOrder]:
    """The work orders that are late the longest."""
    return _late(session, session.execute(_statement("", "due", now=now).limit(limit)).all(), now)


def _cells(row: LateOrder) -> list[object]:
    own = row.progress.order
    return [
        own.number,
        titled(row.progress),
        named(row.factory),
        in_language(row.belt),
        own.quantity,
        own.delivered,
        day(own.due_at),
        day(row.promised_date),
        row.days,
        major(row.compensation_minor, own.currency),
        own.currency,
    ]


def _is_late(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(order.c.state.in_(UNDERWAY), order.c.due_at < now)


def _statement(belt: str, sort: str, *, now: datetime) -> sa.Select[Any]:
    statement = (
        sa.select(WorkOrder, Organisation, factory.c.belt, campaign.c.promised_date, PAID.label("paid"))
        .select_from(
            sa.join(order, factory, factory.c.id == order.c.factory_id)
            .join(organisation, organisation.c.id == factory.c.id)
            .join(sheet, sheet.c.id == order.c.sheet_id)
            .join(campaign, campaign.c.id == sheet.c.campaign_id)
        )
        .where(_is_late(now), *([factory.c.belt == belt] if belt else []))
    )
    column = SORTS[sort.removeprefix("-")]
    return statement.order_by(column.desc() if sort.startswith("-") else column, order.c.id)


def _late(session: Session, rows: Sequence[Any], now: datetime) -> list[LateOrder]:
    progress = progress_of(session, [row.WorkOrder for row in rows])
    return [
        LateOrder(
            progress=one,
            factory=row.Organisation,
            belt=row.belt,
            promised_date=row.promised_date,
            days=one.days_late(now),
            compensation_minor=int(row.paid),
        )
        for one, row in zip(progress, rows, strict=True)
    ]


def _belts(session: Session, now: datetime) -> list[tuple[str, int]]:
    """Belts with late orders, the most first."""
    rows = session.execute(
        sa.select(factory.c.belt, sa.func.count().label("orders"))
        .join_from(order, factory, factory.c.id == order.c.factory_id)
        .where(_is_late(now))
        .group_by(factory.c.belt)
        .order_by(sa.desc("orders"), factory.c.belt)
    )
    return [(belt, int(orders)) for belt, orders in rows]


def _totals(session: Session, belt: str, now: datetime) -> list[tuple[str, int, int]]:
    """By currency: pieces in these orders, compensation granted so far."""
    rows = session.execute(
        sa.select(order.c.currency, sa.func.sum(order.c.quantity), sa.func.sum(PAID))
        .join_from(order, factory, factory.c.id == order.c.factory_id)
        .where(_is_late(now), *([factory.c.belt == belt] if belt else []))
        .group_by(order.c.currency)
        .order_by(order.c.currency)
    )
    return [(currency, int(pieces), int(minor)) for currency, pieces, minor in rows]
