"""Demand sheets as their merchandiser and the operator read them: on the page, as CSV, as JSON."""

from typing import Any
from uuid import UUID

from flask import Response, jsonify, render_template, url_for
from flask_babel import gettext as _

from c2m.demand import queries, sheet_figures
from c2m.demand.models import DemandSheet
from c2m.demand.sheet_figures import Matrix
from c2m.demand.views.blueprint import blueprint
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session
from c2m.web.exports import csv_file
from c2m.web.formats import machine
from c2m.web.forms import Form, queried
from c2m.web.paging import page_number, page_of
from c2m.web.viewer import signed_in_viewer


class SheetForm(Form):
    variant: UUID | None = None


@blueprint.get("/studio/sheets")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheets() -> str:
    """The demand sheets and where their matching stands."""
    session = db_session()
    page = page_of(session, sheet_figures.sheets(_whose()), page=page_number())
    gone = sheet_figures.released(session, [sheet.id for sheet in page.rows])
    states = {sheet.id: sheet_figures.state_of(sheet, gone.get(sheet.id, 0)) for sheet in page.rows}
    return render_template("demand/sheets.html", page=page, states=states, released=gone)


@blueprint.get("/sheets/<uuid:sheet_id>")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheet(sheet_id: UUID) -> str:
    """A demand sheet; with `variant` in the address, the pledges behind that one figure."""
    session, form = db_session(), queried(SheetForm)
    found = _own(sheet_id)
    figures = sheet_figures.matrix(session, sheet_id)
    chosen = next((line for line in figures.lines if line.variant_id == form.variant), None)
    lines = sheet_figures.pledge_lines(sheet_id, chosen.variant_id if chosen else None)
    return render_template(
        "demand/sheet.html",
        sheet=found,
        campaign=queries.campaign(session, found.campaign_id),
        state=sheet_figures.state_of(found, figures.released),
        matrix=figures,
        regions=sheet_figures.regions(session, sheet_id),
        chosen=chosen,
        page=page_of(session, lines, page=page_number()),
    )


@blueprint.get("/sheets/<uuid:sheet_id>.csv")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheet_csv(sheet_id: UUID) -> Response:
    """A demand sheet's lines as a table to take away."""
    found = _own(sheet_id)
    figures = sheet_figures.matrix(db_session(), sheet_id)
    head = [_("Sheet"), _("Product"), _("Colour"), _("Size"), _("Pieces"), _("Released"), _("Required by")]
    rows = [
        [found.number, found.title, line.colour, line.size, line.quantity, line.released, machine(found.required_date)]
        for line in figures.lines
    ]
    return csv_file(found.number, head, rows)


@blueprint.get("/sheets/<uuid:sheet_id>.json")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheet_json(sheet_id: UUID) -> Response:
    """A demand sheet whole, with the pledge lines behind each figure, for programs."""
    found, session = _own(sheet_id), db_session()
    figures = sheet_figures.matrix(session, sheet_id)
    behind: dict[UUID, list[dict[str, Any]]] = {line.variant_id: [] for line in figures.lines}
    for row in session.execute(sheet_figures.pledge_lines(sheet_id)):
        pledge = {"pledge_id": str(row.pledge_id), "quantity": row.quantity, "released": row.released}
        behind[row.variant_id].append(pledge | {"region": row.region, "placed_at": row.placed_at.isoformat()})
    return jsonify(_document(found, figures, behind, sheet_figures.regions(session, sheet_id)))


def _document(
    found: DemandSheet, figures: Matrix, behind: dict[UUID, list[dict[str, Any]]], regions: list[tuple[str, int]]
) -> dict[str, Any]:
    return {
        "id": str(found.id),
        "number": found.number,
        "version": found.version,
        "campaign": url_for("demand.campaign", campaign_id=found.campaign_id),
        "title": found.title,
        "title_en": found.title_en,
        "category": found.category,
        "processes": found.processes,
        "quality_grade": found.quality_grade,
        "quantity": found.quantity,
        "currency": found.currency,
        "unit_price_minor": found.unit_price_minor,
        "target_cost_minor": found.target_cost_minor,
        "required_date": found.required_date.isoformat(),
        "issued_at": found.issued_at.isoformat(),
        "state": sheet_figures.state_of(found, figures.released),
        "lines": [
            {
                "colour": line.colour,
                "size": line.size,
                "quantity": line.quantity,
                "released": line.released,
                "pledges": behind[line.variant_id],
            }
            for line in figures.lines
        ],
        "regions": [{"region": region, "quantity": pieces} for region, pieces in regions],
    }


def _own(sheet_id: UUID) -> DemandSheet:
    return sheet_figures.sheet_of(db_session(), sheet_id, organisation_id=_whose())


def _whose() -> UUID | None:
    """Whose sheets the viewer may read; None for everybody's, which the operator may."""
    who = signed_in_viewer()
    return None if who.has(Role.OPERATOR) else who.organisation_id
