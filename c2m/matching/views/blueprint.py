"""The blueprint matching's pages register with, and what it tells other rooms' pages."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _

from c2m.demand.models import Campaign, DemandSheet
from c2m.design.categories import PROCESSES
from c2m.matching import idle_groups
from c2m.matching.idle_groups import IdleGroup
from c2m.matching.inquiries import Answer, answer_for
from c2m.matching.models import CapacityUnit, LineKind
from c2m.matching.rules import unserved_sentence
from c2m.matching.searches import Search, search_for
from c2m.web.context import db_session, edge, request_time
from c2m.web.formats import money

KINDS: dict[LineKind, LazyString] = {
    LineKind.REGULAR: lazy_gettext("ordinary hours"),
    LineKind.OVERTIME: lazy_gettext("overtime"),
    LineKind.IDLE: lazy_gettext("idle weeks"),
}
UNITS: dict[CapacityUnit, LazyString] = {
    CapacityUnit.PIECE: lazy_gettext("pieces"),
    CapacityUnit.MINUTE: lazy_gettext("minutes"),
    CapacityUnit.JOB: lazy_gettext("jobs"),
}
HOLIDAYS: dict[str, LazyString] = {
    "New Year's Day": lazy_gettext("New Year's Day"),
    "Chinese New Year": lazy_gettext("Spring Festival"),
    "Tomb-Sweeping Day": lazy_gettext("Qingming"),
    "Labor Day": lazy_gettext("Labour Day"),
    "Dragon Boat Festival": lazy_gettext("Dragon Boat Festival"),
    "Mid-Autumn Festival": lazy_gettext("Mid-Autumn Festival"),
    "National Day": lazy_gettext("National Day"),
}
blueprint = Blueprint("matching", "c2m.matching")


@blueprint.app_template_filter("process_name")
def process_name(code: str) -> str:
    """What a process is called in the reader's language."""
    return str(_(PROCESSES[code])) if code in PROCESSES else code


@blueprint.app_template_filter("kind_of_hours")
def kind_of_hours(kind: LineKind) -> str:
    """What kind of hours a line's are, in the reader's language."""
    return str(KINDS[kind])


@blueprint.app_template_filter("unit_name")
def unit_name(unit: CapacityUnit) -> str:
    """In what a line counts its weeks, in the reader's language."""
    return str(UNITS[unit])


@blueprint.app_template_filter("holiday_name")
def holiday_name(name: str) -> str:
    """A public holiday in the reader's language; days moved about it are called days off."""
    for known, word in HOLIDAYS.items():
        if name.startswith(known):
            return str(word)
    return str(_("day off"))


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


@blueprint.app_template_global("idle_group")
def idle_group(line_id: Any, week: Any, category: str, pieces: Any) -> IdleGroup | None:
    """The idle week that a campaign was made for, for the studio's pages; as entered or as stored."""
    try:
        at, day = UUID(str(line_id)), date.fromisoformat(str(week))
    except ValueError:
        return None
    wanted = int(pieces) if str(pieces or "").isdigit() else 0
    return idle_groups.idle_group(db_session(), at, day, category, wanted, now=request_time())


@blueprint.app_template_global("search_of")
def search_of(campaign_id: UUID) -> Search | None:
    """Where the search for a campaign's factories stands, for pages of the rooms below."""
    return search_for(db_session(), campaign_id)


@blueprint.app_template_global("arrival_of")
def arrival_of(campaign: Campaign, joining: int = 0) -> Answer:
    """When free capacity has a campaign's pieces with its buyers, for pages of the rooms below."""
    known = current_app.extensions.setdefault("c2m.prospects", {})
    return answer_for(db_session(), campaign, joining=joining, now=request_time(), known=known)
