"""What verified claims come to, and when a claim is checked again. No database, no clock."""

from collections.abc import Set
from datetime import datetime, timedelta

from c2m.errors import N_

LICENCE, MACHINES, CERTIFICATE, SAMPLE_WORK = "licence", "machines", "certificate", "sample_work"
FOR_MATCHING = frozenset({LICENCE})
FOR_VETTED = frozenset({LICENCE, MACHINES, CERTIFICATE, SAMPLE_WORK})
HOLDS = {
    LICENCE: timedelta(days=365),
    MACHINES: timedelta(days=365),
    CERTIFICATE: timedelta(days=365),
    SAMPLE_WORK: timedelta(days=180),
}
LONGEST = {  # that a check may hold, whatever the paper says
    LICENCE: timedelta(days=3 * 365),
    MACHINES: timedelta(days=2 * 365),
    CERTIFICATE: timedelta(days=3 * 365),
    SAMPLE_WORK: timedelta(days=365),
}
TOO_LONG: dict[str, str] = {
    LICENCE: N_("A licence holds for three years at most before it is checked again."),
    MACHINES: N_("Machines hold for two years at most before they are checked again."),
    CERTIFICATE: N_("A certificate holds for three years at most before it is checked again."),
    SAMPLE_WORK: N_("Sample work holds for a year at most before it is checked again."),
}
SENT_AGAIN_WITHIN, MOST_SENT = timedelta(days=30), 3  # the same claim, refused
AFTER_REFUSED_RENEWAL = timedelta(days=14)  # the paper it was to follow holds at most so long
RECHECK_BEFORE = timedelta(days=30)
UNANSWERED_WITHIN = timedelta(days=30)
MOST_UNANSWERED = 3  # offers that ran out: then nobody may be there any more

RUNS_OUT, UNANSWERED, RENEWAL_REFUSED = "runs_out", "unanswered", "renewal_refused"
RECHECKS: dict[str, str] = {
    RUNS_OUT: N_("It runs out within 30 days."),
    UNANSWERED: N_("Three offers or more ran out unanswered within 30 days."),
    RENEWAL_REFUSED: N_("What was sent in to renew it was refused; it holds for 14 days at most."),
}


def level_of(verified: Set[str]) -> str:
    """The level that a factory's verified kinds of claims give it."""
    if verified >= FOR_VETTED:
        return "vetted"
    return "verified" if verified >= FOR_MATCHING else "listed"


def missing_for_vetted(verified: Set[str]) -> list[str]:
    """The kinds of claims still to be verified before a factory is vetted."""
    return [kind for kind in HOLDS if kind not in verified]


def recheck_of(kind: str, expires_at: datetime, unanswered: int, *, now: datetime) -> str | None:
    """Why a verified claim is to be checked again; None: it is not."""
    if expires_at <= now + RECHECK_BEFORE:
        return RUNS_OUT
    return UNANSWERED if kind == LICENCE and unanswered >= MOST_UNANSWERED else None
