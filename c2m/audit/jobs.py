"""Auditing as a job: every day, and when the operator asks for it; the result is kept."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from time import perf_counter
from uuid import UUID

from sqlmodel import Session, col, select

from c2m import jobs
from c2m.audit.check import Finding
from c2m.audit.models import AuditRun
from c2m.audit.running import run
from c2m.jobs import Handler, Job, JobState, OutsideWork, Schedule

AUDIT = "audit.run"
SUBSCRIPTIONS: dict[str, list[str]] = {}
SCHEDULES: list[Schedule] = [Schedule(AUDIT, timedelta(days=1))]


def handlers() -> dict[str, Handler]:
    """Job kind → what is done; the rows are read while nothing is locked."""

    def ask(session: Session, _ids: Sequence[UUID], now: datetime) -> list[AuditRun]:
        began = perf_counter()
        findings = run(session, now=now)
        return [_record(findings, perf_counter() - began, now)]

    def record(session: Session, runs: Sequence[AuditRun], now: datetime) -> None:
        session.add_all(runs)

    return {AUDIT: OutsideWork(ask, record)}


def request_audit(session: Session, *, now: datetime) -> None:
    """Have an audit run soon, unless one is about to."""
    if not audit_is_due(session):
        jobs.enqueue(session, AUDIT, [], key=f"{AUDIT}!{now.isoformat()}", due_at=now, now=now)


def audit_is_due(session: Session) -> bool:
    """Whether an audit is queued or running."""
    waiting = select(Job.id).where(Job.kind == AUDIT, col(Job.state).in_([JobState.READY, JobState.LEASED]))
    return session.exec(waiting.limit(1)).first() is not None


def latest_audit(session: Session) -> AuditRun | None:
    """The last audit that was completed."""
    newest_first = select(AuditRun).order_by(col(AuditRun.audited_at).desc(), col(AuditRun.id).desc())
    return session.exec(newest_first.limit(1)).first()


def findings_of(audit: AuditRun) -> dict[str, list[Finding]]:
    """What an audit found, by invariant."""
    found: dict[str, list[Finding]] = {}
    for row in audit.findings:
        found.setdefault(row["invariant"], []).append(Finding(**row | {"ids": tuple(row["ids"])}))
    return found


def _record(findings: Sequence[Finding], seconds: float, now: datetime) -> AuditRun:
    rows = [asdict(finding) | {"ids": list(finding.ids)} for finding in findings]
    return AuditRun(audited_at=now, seconds=seconds, findings=rows)
