"""Match runs: how good each plan was, what keeps pieces unserved."""

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from flask import Response, render_template
from flask_babel import gettext as _
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.demand.models import DemandSheet
from c2m.identity.models import Role
from c2m.matching.models import MatchRun
from c2m.matching.views.blueprint import why_unserved
from c2m.pages.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session
from c2m.web.exports import csv_file
from c2m.web.formats import moment, titled
from c2m.web.forms import Flag, Form, queried
from c2m.web.paging import page_number, page_of

PER_PAGE = 20
EXPORTED = 2_000
UNSERVED_SHOWN = 12

run = table_of(MatchRun)
SORTS: dict[str, sa.ColumnElement[Any]] = {
    "started": run.c.started_at,
    "sheets": run.c.sheets,
    "offers": run.c.offers_made,
    "gap": run.c.gap_ppm,
    "seconds": run.c.seconds,
}


class RunsForm(Form):
    left: Flag = False
    sort: Literal[
        "started", "-started", "sheets", "-sheets", "offers", "-offers", "gap", "-gap", "seconds", "-seconds"
    ] = "-started"


@blueprint.get("/operator/matching")
@allow(Role.OPERATOR)
def runs() -> str:
    """Match runs, the newest first unless sorted otherwise."""
    form, session = queried(RunsForm), db_session()
    page = page_of(session, _statement(form), page=page_number(), per_page=PER_PAGE)
    return render_template(
        "pages/operator_runs.html",
        form=form,
        page=page,
        sheets=_sheets(session, page.rows),
        sheet_id=lambda entry: UUID(entry["sheet_id"]),
        left_over=left_over,
        why=why_unserved,
        shown=UNSERVED_SHOWN,
    )


@blueprint.get("/operator/matching.csv")
@allow(Role.OPERATOR)
def runs_csv() -> Response:
    """What match runs left unserved and why, a line for each sheet, as a table to take away."""
    session = db_session()
    found = session.execute(_statement(queried(RunsForm)).limit(EXPORTED)).scalars().all()
    head = [_("Started"), _("Sheet"), _("Product"), _("Pieces left"), _("Why")]
    sheets = _sheets(session, found)
    lines = []
    for one in found:
        for entry in one.unserved:
            sheet = sheets.get(UUID(entry["sheet_id"]))
            product = (sheet.number, titled(sheet)) if sheet else (entry["sheet_id"], "")
            lines.append([moment(one.started_at), *product, entry["quantity"], why_unserved(entry, sheet)])
    return csv_file("unserved", head, lines)


def left_over(one: MatchRun) -> int:
    """Pieces a run found no factory for."""
    return sum(int(entry["quantity"]) for entry in one.unserved)


def _statement(form: RunsForm) -> sa.Select[Any]:
    statement = sa.select(MatchRun)
    if form.left:
        statement = statement.where(sa.cast(run.c.unserved, sa.String) != "[]")
    column = SORTS[form.sort.removeprefix("-")]
    order = (column, run.c.id)
    return statement.order_by(*(each.desc() for each in order) if form.sort.startswith("-") else order)


def _sheets(session: Session, found: Iterable[MatchRun]) -> dict[UUID, DemandSheet]:
    ids = {UUID(entry["sheet_id"]) for one in found for entry in one.unserved}
    sheet = table_of(DemandSheet)
    sheets: dict[UUID, DemandSheet] = {}
    for part in chunks(sorted(ids)):
        rows = session.execute(sa.select(DemandSheet).where(sheet.c.id.in_(part))).scalars()
        sheets |= {row.id: row for row in rows}
    return sheets
