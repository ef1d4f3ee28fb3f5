"""The blueprint matching's pages register with, and what it tells other rooms' pages."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint
from flask_babel import gettext as _

from c2m.demand.models import DemandSheet
from c2m.design.categories import PROCESSES
from c2m.matching.rules import unserved_sentence
from c2m.matching.searches import Search, search_for
from c2m.web.context import db_session, edge
from c2m.web.formats import money

blueprint = Blueprint("matching", "c2m.matching")


@blueprint.app_template_filter("process_name")
def process_name(code: str) -> str:
    """What a process is called in the reader's language."""
    return str(_(PROCESSES[code])) if code in PROCESSES else code


@blueprint.app_template_filter("why_unserved")
def why_unserved(entry: Mapping[str, Any], sheet: DemandSheet | None) -> str:
    """Why a run left pieces of a sheet, in the reader's language; `entry` is what the run says about it."""
    currency = sheet.currency if sheet else edge().settings.currency
    figures = {
        "pieces_missing": entry.get("pieces_missing", ""),
        "earliest": entry.get("earliest", ""),
        "shortfall": money(entry["shortfall_minor"], currency) if "shortfall_minor" in entry else "",
    }
    return str(_(unserved_sentence(entry["reason"])) % figures)


@blueprint.app_template_global("search_of")
def search_of(campaign_id: UUID) -> Search | None:
    """Where the search for a campaign's factories stands, for pages of the rooms below."""
    return search_for(db_session(), campaign_id)
