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
LONGEST = timedelta(days=3 * 365)  # that a check may hold, whatever the paper says
RECHECK_BEFORE = timedelta(days=30)
UNANSWERED_WITHIN = timedelta(days=30)
MOST_UNANSWERED = 3  # offers that ran out: then nobody may be there any more

RUNS_OUT, UNANSWERED = "runs_out", "unanswered"
RECHECKS: dict[str, str] = {
    RUNS_OUT: N_("It runs out within 30 days."),
    UNANSWERED: N_("Three offers or more ran out unanswered within 30 days."),
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
