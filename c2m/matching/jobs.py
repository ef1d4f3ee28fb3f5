"""What matching does when sheets are issued, when offers come back or run out, and every few hours."""

from datetime import timedelta
from functools import partial

from c2m.jobs import Handler, OutsideWork, Schedule
from c2m.matching.asking import TELL_ANSWERED, tell_answered
from c2m.matching.counters import WEIGH, record_effects, weigh_counters
from c2m.matching.inquiries import STATE, state_windows
from c2m.matching.offers import expire_offers
from c2m.matching.optimiser import Hire, crew_of
from c2m.matching.planning import EXPIRE, MATCH, make_offers, plan_matches
from c2m.matching.telling import TELL_MAKERS, TELL_OFFERED, TELL_TAKEN, tell_makers, tell_offered, tell_taken
from c2m.matching.vetting import RECHECK, recheck_claims

SUBSCRIPTIONS: dict[str, list[str]] = {
    "demand.sheets_issued": [MATCH],
    "matching.offers_returned": [MATCH],
    "matching.offers_cut": [MATCH],
    "demand.makers_asked": [TELL_MAKERS],
    "demand.sheet_questions_answered": [TELL_ANSWERED],
    "matching.offers_made": [TELL_OFFERED],
    "matching.offers_accepted": [TELL_TAKEN],
    "matching.offers_countered": [WEIGH],
}
SCHEDULES: list[Schedule] = [
    Schedule(MATCH, timedelta(hours=6)),
    Schedule(RECHECK, timedelta(hours=6)),
    Schedule(STATE, timedelta(days=2)),
]


def handlers(hire: Hire = crew_of) -> dict[str, Handler]:
    """Job kind → what is done; those who are hired solve matching problems."""
    return {
        MATCH: OutsideWork(partial(plan_matches, hire=hire), make_offers),
        EXPIRE: expire_offers,
        WEIGH: OutsideWork(partial(weigh_counters, hire=hire), record_effects),
        TELL_OFFERED: tell_offered,
        TELL_TAKEN: tell_taken,
        TELL_MAKERS: tell_makers,
        TELL_ANSWERED: tell_answered,
        RECHECK: recheck_claims,
        STATE: state_windows,
    }
