"""One audit: every check, on one and the same state of the rows."""

from datetime import datetime

from sqlmodel import Session

from c2m.audit import allocations, campaigns, closes, commissions, money, pegs, pledges, queues, settlements, work
from c2m.audit.check import Check, Finding, findings_of


def run(session: Session, *, now: datetime) -> list[Finding]:
    """Recompute every invariant from the rows alone; what is broken, in the invariants' order, nothing if all hold."""
    _hold_still(session)
    found = findings_of(session, checks(session), now=now)
    return sorted(found, key=lambda finding: int(finding.invariant[1:]))


def checks(session: Session) -> list[Check]:
    """Every way in which an invariant can be broken."""
    modules = (money, campaigns, closes, pledges, queues, allocations, work, pegs, settlements, commissions)
    return [*(check for module in modules for check in module.CHECKS), *work.announced_checks(session)]


def _hold_still(session: Session) -> None:
    # SQLite reads one snapshot anyway; PostgreSQL would show each statement what was committed meanwhile.
    if session.get_bind().dialect.name == "postgresql" and not session.in_transaction():
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
