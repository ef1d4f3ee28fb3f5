"""What the pages that show a forecast need: words for methods, the further demand, how right was said of concepts."""

from typing import Any

from flask_babel import LazyString, gettext, lazy_gettext, ngettext
from sqlmodel import Session

from c2m.demand.models import Campaign, CampaignState
from c2m.demand.predictions import FEWEST_ALIKE, Tenth, concepts_record
from c2m.demand.upside import KINDS, Basis, Upside, upside_of
from c2m.demand.views.blueprint import blueprint
from c2m.design import queries as design
from c2m.errors import N_
from c2m.web.context import db_session, request_time
from c2m.web.formats import day, percent

METHODS: dict[str, LazyString] = {
    "naive": lazy_gettext("as last week"),
    "moving average 4": lazy_gettext("mean of four weeks"),
    "moving average 13": lazy_gettext("mean of thirteen weeks"),
    "smoothing": lazy_gettext("exponential smoothing"),
    "Croston": lazy_gettext("Croston"),
    "SBA": lazy_gettext("Croston without its bias (SBA)"),
    "TSB": lazy_gettext("Croston that fades out (TSB)"),
    "seasonal naive": lazy_gettext("as the same week of last year"),
    "combined": lazy_gettext("mean of three methods"),
    "like products": lazy_gettext("products like it"),
}
STANDING_IN: dict[tuple[bool, bool], str] = {  # are weeks of its own known, are the others of its category
    (True, True): N_(
        "Only %(weeks)s of its own are known; beside them stand %(others)s of its category in the last year."
    ),
    (True, False): N_(
        "Only %(weeks)s of its own are known; beside them stand %(others)s of the platform in the last year, "
        "since its category has too few."
    ),
    (False, True): N_("Nothing of its own is known; %(others)s of its category in the last year stand in for it."),
    (False, False): N_("Nothing of its own is known; %(others)s of the platform in the last year stand in for it."),
}
SEEN = (CampaignState.OPEN, CampaignState.CLOSING, CampaignState.SUCCEEDED, CampaignState.FAILED)


@blueprint.app_template_filter("method_name")
def method_name(name: str) -> str:
    """A forecasting method in the reader's language."""
    return str(METHODS.get(name, name))


@blueprint.app_template_filter("rests_on")
def rests_on(upside: Upside) -> str:
    """What a forecast of further demand rests on, in a sentence."""
    own = ngettext("%(num)s week", "%(num)s weeks", len(upside.past))
    others = ngettext("%(num)s finished campaign", "%(num)s finished campaigns", upside.alike)
    if upside.basis is Basis.OWN and upside.since is not None:
        return str(
            gettext(
                "%(weeks)s in which it could be had since %(day)s, in %(campaigns)s.",
                weeks=own,
                day=day(upside.since),
                campaigns=ngettext("%(num)s campaign", "%(num)s campaigns", upside.campaigns),
            )
        )
    return str(gettext(STANDING_IN[upside.basis is Basis.BOTH, upside.of_category], weeks=own, others=others))


@blueprint.app_template_filter("how_right")
def how_right(upside: Upside) -> str:
    """How right the method of a forecast was on trial, in a sentence."""
    if upside.error is None:
        return str(gettext("It has too few weeks to be tried on: read the range, not the middle."))
    return str(
        gettext(
            "Forecasting its latest weeks from those before, %(times)s, it was off by %(error)s of what was pledged.",
            times=ngettext("%(num)s time", "%(num)s times", upside.origins),
            error=percent(upside.error),
        )
    )


@blueprint.app_template_global("concepts_record")
def how_concepts_came() -> list[Tenth]:
    """How often concepts reached their target whose campaigns have closed, by what was said of them last; too few are
    none."""
    found = concepts_record(db_session())
    return found if sum(tenth.count for tenth in found) >= FEWEST_ALIKE else []


def upside_part(session: Session, found: Campaign) -> dict[str, Any]:
    """What more of a campaign's product the coming weeks may bring, once buyers have seen it; too early to say of what
    was a concept, what buyers wanted of that."""
    shown = found.state in SEEN and found.kind in KINDS
    upside = upside_of(session, found.id, now=request_time()) if shown else None
    heard = found.concept_id if shown and upside is None else None
    tally = design.tallies(session, [heard]).get(heard, design.SILENCE) if heard else None
    return {"upside": upside, "wanted_as_concept": tally}
