"""Two versions of a demand sheet side by side, on the page and as JSON."""

from typing import Annotated, Any
from uuid import UUID

from flask import Response, render_template
from pydantic import Field

from c2m.demand import queries
from c2m.demand.models import DemandSheet
from c2m.demand.sheet_comparison import Comparison, compare_versions
from c2m.demand.sheet_document import ComparisonDocument, comparison_document
from c2m.demand.views.blueprint import blueprint
from c2m.demand.views.sheets import own_sheet
from c2m.identity.models import Role
from c2m.web.access import allow
from c2m.web.context import db_session
from c2m.web.forms import Form, Whole, queried


class VersionsForm(Form):
    """Which two versions are compared: the last two unless named, the earlier one stands first either way."""

    first: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None
    second: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None


@blueprint.get("/sheets/<uuid:sheet_id>/compare")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheet_compare(sheet_id: UUID) -> str:
    """What became of each variant between two versions of a sheet."""
    return render_template("demand/sheet_compare.html", **comparison_page(own_sheet(sheet_id)), for_factory=False)


@blueprint.get("/sheets/<uuid:sheet_id>/compare.json")
@allow(Role.MERCHANDISER, Role.OPERATOR)
def sheet_compare_json(sheet_id: UUID) -> Response:
    """Two versions of a sheet compared, for programs."""
    return Response(compared_document(own_sheet(sheet_id)).model_dump_json(), mimetype="application/json")


def comparison_page(found: DemandSheet) -> dict[str, Any]:
    """What the page of a comparison shows, by the versions in the address.

    Raises:
        OnlyOneVersion, NoSuchVersion, Invalid
    """
    return {"compared": _compared(found), "sheet": found, "campaign": queries.campaign(db_session(), found.campaign_id)}


def compared_document(found: DemandSheet) -> ComparisonDocument:
    """The versions in the address compared, as a document."""
    return comparison_document(_compared(found))


def _compared(found: DemandSheet) -> Comparison:
    form = queried(VersionsForm)
    return compare_versions(db_session(), found, form.first, form.second)
