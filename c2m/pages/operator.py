"""The operator's console, jobs and audit: what waits, what failed, whether everything still holds."""

from typing import Annotated, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from flask import Response as Download
from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import Session, col, select
from werkzeug.wrappers import Response

from c2m import jobs as work
from c2m.audit.invariants import INVARIANTS
from c2m.audit.jobs import audit_is_due, findings_of, latest_audit, request_audit
from c2m.audit.models import AuditRun
from c2m.db import table_of
from c2m.identity.models import Role
from c2m.jobs import Job, JobState
from c2m.ledger.queries import balances_by_kind, latest_entries
from c2m.matching.rules import first_week
from c2m.pages.blueprint import blueprint
from c2m.pages.late import latest_orders
from c2m.pages.ledger import owners_of
from c2m.pages.queues import (
    campaigns_falling_short,
    dead_jobs,
    free_capacity,
    lots_on_their_way,
    queues_of_this_request,
)
from c2m.pages.words import job_words
from c2m.production.exits import windows_under_way
from c2m.web.access import allow
from c2m.web.context import db_session, edge, request_time
from c2m.web.exports import csv_file
from c2m.web.formats import moment
from c2m.web.forms import Form, queried
from c2m.web.paging import page_number, page_of
from c2m.web.states import look_of

JOBS_PER_PAGE = 40
EXPORTED = 10_000
SHOWN = 6
BELTS_SHOWN = 8
AUDITS_SHOWN = 10

job = table_of(Job)
SORTS: dict[str, sa.ColumnElement[Any]] = {"due": job.c.due_at, "kind": job.c.kind, "attempts": job.c.attempts}


class JobsForm(Form):
    state: Literal["undone", "ready", "leased", "dead", "done"] = "undone"
    kind: Annotated[str, Field(max_length=60)] = ""
    sort: Literal["due", "-due", "kind", "-kind", "attempts", "-attempts"] = "due"


@blueprint.get("/operator")
@allow(Role.OPERATOR)
def console() -> str:
    """The queues, the money, the latest entries, what the last audit said."""
    session, now = db_session(), request_time()
    queues = queues_of_this_request(edge().database, now=now)
    entries = latest_entries(session, limit=SHOWN)
    late = latest_orders(session, now=now, limit=SHOWN)
    return render_template(
        "pages/operator_console.html",
        queues=queues,
        most_late=max((order.days for order in late), default=0),
        late=late,
        falling_short=campaigns_falling_short(session, now=now, limit=SHOWN),
        lots=lots_on_their_way(session, limit=SHOWN),
        windows=windows_under_way(session, limit=SHOWN),
        dead=dead_jobs(session, limit=SHOWN),
        entries=entries,
        owners=owners_of(session, entries),
        balances=balances_by_kind(session),
        audit=latest_audit(session),
        week=first_week(now),
        belts=free_capacity(session, first_week(now), limit=BELTS_SHOWN),
    )


@blueprint.get("/operator/jobs")
@allow(Role.OPERATOR)
def jobs() -> str:
    """What the worker has yet to do, gave up on, and has done."""
    form, session = queried(JobsForm), db_session()
    return render_template(
        "pages/operator_jobs.html",
        form=form,
        page=page_of(session, _jobs(form), page=page_number(), per_page=JOBS_PER_PAGE),
        counts=_counts(session),
        kinds=session.execute(sa.select(job.c.kind).distinct().order_by(job.c.kind)).scalars().all(),
    )


@blueprint.get("/operator/jobs.csv")
@allow(Role.OPERATOR)
def jobs_csv() -> Download:
    """Jobs, filtered and sorted as in the address, as a table to take away."""
    found = db_session().execute(_jobs(queried(JobsForm)).limit(EXPORTED)).scalars().all()
    head = [_("Job"), _("What it does"), _("State"), _("Due"), _("Tries"), _("Finished"), _("Error"), _("Key")]
    lines = (
        [
            one.kind,
            job_words(one.kind),
            str(look_of("job", one.state).word),
            moment(one.due_at),
            one.attempts,
            moment(one.finished_at) if one.finished_at else "",
            one.error or "",
            one.key,
        ]
        for one in found
    )
    return csv_file("jobs", head, lines)


@blueprint.post("/operator/jobs/<uuid:job_id>/retry")
@allow(Role.OPERATOR)
def retry_job(job_id: UUID) -> Response:
    """Give a job that was given up another round of attempts."""
    one = work.retry_dead(db_session(), job_id, now=request_time())
    flash(_("“%(job)s” is tried again.", job=job_words(one.kind)), "good")
    return redirect(url_for("pages.jobs", state="dead"), 303)


@blueprint.get("/operator/audit")
@allow(Role.OPERATOR)
def audit() -> str:
    """The thirteen rules in plain words, and what the latest audits found."""
    session = db_session()
    newest = latest_audit(session)
    past = select(AuditRun).order_by(col(AuditRun.audited_at).desc(), col(AuditRun.id).desc()).limit(AUDITS_SHOWN)
    return render_template(
        "pages/operator_audit.html",
        audit=newest,
        findings=findings_of(newest) if newest else {},
        invariants=INVARIANTS,
        due=audit_is_due(session),
        past=session.exec(past).all(),
    )


@blueprint.post("/operator/audit")
@allow(Role.OPERATOR)
def run_audit() -> Response:
    """Have everything recomputed now, as a job."""
    request_audit(db_session(), now=request_time())
    flash(_("The audit is queued; its result appears here."), "good")
    return redirect(url_for("pages.audit"), 303)


def _jobs(form: JobsForm) -> sa.Select[Any]:
    statement = sa.select(Job)
    states = [each for each in JobState if each is not JobState.DONE] if form.state == "undone" else [form.state]
    statement = statement.where(job.c.state.in_(states))
    if form.kind:
        statement = statement.where(job.c.kind == form.kind)
    order = (SORTS[form.sort.removeprefix("-")], job.c.id)
    return statement.order_by(*(each.desc() for each in order) if form.sort.startswith("-") else order)


def _counts(session: Session) -> dict[str, int]:
    """How many jobs are in each state, and how many are undone."""
    rows = session.execute(sa.select(job.c.state, sa.func.count()).group_by(job.c.state))
    counts = {str(state): int(count) for state, count in rows}
    return counts | {"undone": sum(count for state, count in counts.items() if state != JobState.DONE)}
