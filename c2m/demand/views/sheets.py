"""Demand sheets as their merchandiser and the operator read them: on the page, on paper, as CSV, as JSON."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from flask import Response, jsonify, render_template
from flask_babel import force_locale, get_locale
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from c2m.demand import sheet_figures
from c2m.demand.models import DemandSheet
from c2m.demand.questions import questions_about, questions_for
from c2m.demand.sheet_document import (
    SCHEMA_VERSION,
    PledgeLineDocument,
    PledgeLinesDocument,
    SheetDocument,
    sheet_document,
)
from c2m.demand.sheet_figures import Figure
from c2m.demand.sheet_reading import read_sheet
from c2m.demand.views.blueprint import blueprint
from c2m.demand.views.sheet_paper import paper_of
from c2m.design import pictures
from c2m.identity.models import Organisation, Role
from c2m.web.access import allow, public
from c2m.web.context import db_session, request_time
from c2m.web.exports import csv_file
from c2m.web.formats import here, machine
from c2m.web.forms import Form, Submission, Whole, queried
from c2m.web.paging import Page, page_number, page_of
from c2m.web.printed import pdf_file
from c2m.web.viewer import signed_in_viewer

NO_REGION = "-"
LINES_A_PAGE = 500


class SheetForm(Form):
    """Which version is read, and the figure whose pledges are shown; a lone minus is the region nobody named."""

    colour: Annotated[str, Field(max_length=40)] | None = None
    size: Annotated[str, Field(max_length=20)] | None = None
    region: Annotated[str, Field(max_length=60)] | None = None
    version: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None

    @property
    def figure(self) -> Figure:
        return Figure(self.colour, self.size, "" if self.region == NO_REGION else self.region)


class PaperForm(SheetForm):
    """Which version is printed, and in which language: the reader's, if none is named."""

    language: Literal["zh", "en"] | None = None


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
    """A demand sheet; with a figure in the address, the pledges behind it; with a version, as it was then."""
    return render_template("demand/sheet.html", **sheet_page(own_sheet(sheet_id)), for_factory=False)


@blueprint.get("/sheets/<uuid:sheet_id>.pdf")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheet_pdf(sheet_id: UUID) -> Response:
    """A demand sheet to print and to send, with what buyers pay."""
    return paper(own_sheet(sheet_id))


@blueprint.get("/sheets/<uuid:sheet_id>.csv")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheet_csv(sheet_id: UUID) -> Response:
    """A demand sheet's pieces by variant and region as a table to take away, with each size's share."""
    found = own_sheet(sheet_id)
    version = sheet_figures.version_of(found, queried(SheetForm).version)
    figures = sheet_figures.figures(db_session(), found, version)
    placed = sheet_figures.pieces_by_place(db_session(), found.id, version)
    head = [_("Sheet"), _("Version"), _("Product"), _("Colour"), _("Size"), _("Region"), _("Pieces")]
    head += [_("Share of the size, %"), _("Required by")]
    shares = {
        size: round(100 * (pieces or 0) / figures.total.pieces, 2) for size, pieces in figures.total.by_size.items()
    }
    rows = [
        [found.number, version, found.title, row.name, size, region, pieces, shares[size], machine(found.required_date)]
        for row in figures.colours
        for size, made in row.by_size.items()
        if made is not None
        for region, pieces in (placed.get((row.name, size)) or {"": 0}).items()
    ]
    return csv_file(f"{found.number}-{version}", head, rows)


@blueprint.get("/sheets/<uuid:sheet_id>.json")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheet_json(sheet_id: UUID) -> Response:
    """A demand sheet whole, for programs; its form is the schema `SheetDocument`."""
    return _document(document_of(own_sheet(sheet_id)))


@blueprint.get("/sheets/<uuid:sheet_id>/pledges.json")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheet_pledges_json(sheet_id: UUID) -> Response:
    """The pledge lines a figure of a sheet is made of, page by page."""
    return _document(pledges_document_of(own_sheet(sheet_id)))


@blueprint.get("/sheets/<uuid:sheet_id>/pledges.csv")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheet_pledges_csv(sheet_id: UUID) -> Response:
    """The pledge lines a figure of a sheet is made of, as a table to take away."""
    found, form = own_sheet(sheet_id), queried(SheetForm)
    version = sheet_figures.version_of(found, form.version)
    head = [_("Pledge"), _("Colour"), _("Size"), _("Region"), _("Pieces"), _("Placed"), _("By the merchant itself")]
    lines = db_session().execute(sheet_figures.pledge_lines(found.id, form.figure, version))
    rows = (
        [
            str(line.pledge_id),
            line.colour,
            line.size,
            line.region,
            line.quantity,
            machine(line.placed_at),
            _("yes") if line.merchant_funded else _("no"),
        ]
        for line in lines
    )
    return csv_file(f"{found.number}-{version}-pledges", head, rows)


@blueprint.get("/schemas/demand-sheet.json")
@public
def sheet_schema() -> Response:
    """What the fields of a sheet's JSON mean (JSON Schema 2020-12)."""
    return jsonify({"$schema": "https://json-schema.org/draft/2020-12/schema", **SheetDocument.model_json_schema()})


def own_sheet(sheet_id: UUID) -> DemandSheet:
    """A sheet the viewer may read: a merchandiser its own, the operator any.

    Raises:
        SheetNotFound
    """
    return sheet_figures.sheet_of(db_session(), sheet_id, organisation_id=_whose())


def sheet_page(found: DemandSheet, *, factory_id: UUID | None = None) -> dict[str, Any]:
    """What the page of a sheet shows, by the version and figure in the address.

    Raises:
        NoSuchVersion
    """
    form = queried(SheetForm)
    reading = read_sheet(db_session(), found, form.version, factory_id=factory_id, now=request_time())
    page = _lines(found, reading.version, form.figure)
    shown = {"chosen": form.figure, "no_region": NO_REGION, "page": page}
    return vars(reading) | shown | questions_part(found, factory_id=factory_id)


def questions_part(
    found: DemandSheet,
    form: Submission[Any] | None = None,
    *,
    answering: UUID | None = None,
    factory_id: UUID | None = None,
) -> dict[str, Any]:
    """What the part of a page with a sheet's questions needs; factories don't learn who asked what."""
    session = db_session()
    shown = questions_for(session, found.id, factory_id) if factory_id else questions_about(session, found.id)
    askers = {} if factory_id else {q.factory_id: session.get(Organisation, q.factory_id) for q in shown}
    return {
        "questions": shown,
        "askers": askers,
        "answering": answering,
        "said": form,
        "question_key": (form.entered.get("idempotency_key") if form else None) or str(uuid4()),
    }


def paper(found: DemandSheet, *, factory_id: UUID | None = None) -> Response:
    """A sheet as a PDF, in the version and language the address asks for."""
    form, session = queried(PaperForm), db_session()
    reading = read_sheet(session, found, form.version, factory_id=factory_id, now=request_time())
    shown = reading.campaign.picture_id
    picture = pictures.picture(session, shown) if shown else None
    language = form.language or str(get_locale().language)
    with force_locale(language):
        printed = paper_of(reading, picture, priced=factory_id is None, now=request_time())
    return pdf_file(f"{found.number}-{reading.version}-{language}", printed)


def document_of(found: DemandSheet, *, factory_id: UUID | None = None) -> SheetDocument:
    """A sheet as a document, in the version the address asks for; as a factory reads it where one is named."""
    version = queried(SheetForm).version
    reading = read_sheet(db_session(), found, version, factory_id=factory_id, now=request_time())
    return sheet_document(reading, priced=factory_id is None)


def pledges_document_of(found: DemandSheet, *, for_factory: bool = False) -> PledgeLinesDocument:
    """The pledge lines of the figure in the address as a document."""
    form = queried(SheetForm)
    version = sheet_figures.version_of(found, form.version)
    page = _lines(found, version, form.figure, per_page=LINES_A_PAGE)
    return PledgeLinesDocument(
        schema_version=SCHEMA_VERSION,
        sheet_id=found.id,
        version=version,
        total=page.total,
        page=page.page,
        pages=page.pages,
        next=here(page=page.page + 1) if page.page < page.pages else None,
        lines=[
            PledgeLineDocument(
                pledge_id=None if for_factory else row.pledge_id,
                colour=row.colour,
                size=row.size,
                region=row.region,
                quantity=row.quantity,
                placed_at=row.placed_at,
                merchant_funded=row.merchant_funded,
            )
            for row in page.rows
        ],
    )


def _lines(found: DemandSheet, version: int, figure: Figure, **paging: int) -> Page[Any]:
    statement = sheet_figures.pledge_lines(found.id, figure, version)
    return page_of(db_session(), statement, page=page_number(), **paging)


def _document(document: BaseModel) -> Response:
    return Response(document.model_dump_json(), mimetype="application/json")


def _whose() -> UUID | None:
    """Whose sheets the viewer may read; None for everybody's, which the operator may."""
    who = signed_in_viewer()
    return None if who.has(Role.OPERATOR) else who.organisation_id
