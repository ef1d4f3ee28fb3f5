"""The operator's screens: what waits, where the money stands, whether everything still holds."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import Session, col, select
from werkzeug.wrappers import Response

from c2m import jobs as job_loop
from c2m.audit.invariants import INVARIANTS
from c2m.audit.jobs import audit_is_due, findings_of, latest_audit, request_audit
from c2m.demand.models import Campaign, CampaignState, DemandSheet
from c2m.identity.models import Organisation, OrganisationState, Role, User
from c2m.identity.queries import organisation_of, organisations
from c2m.identity.service import Decision, decide_organisation
from c2m.jobs import Job, JobState
from c2m.ledger import queries as ledger_queries
from c2m.ledger.models import Account, Entry
from c2m.matching import queries as matching
from c2m.matching.models import Capability, Factory, Offer, OfferState
from c2m.matching.rules import unserved_sentence
from c2m.pages.blueprint import blueprint
from c2m.production import queries as production
from c2m.production.models import Compensation, Lot, Parcel, WorkOrder
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.exports import csv_file
from c2m.web.formats import machine, money
from c2m.web.forms import Form, Submission, blank, queried, submitted
from c2m.web.paging import page_number, page_of, page_of_list
from c2m.web.viewer import signed_in_viewer

SOON = timedelta(hours=24)
ENTRIES_SHOWN = 25


@blueprint.app_template_filter("as_uuid")
def as_uuid(text: str) -> UUID:
    """An id as it stands in a JSON document."""
    return UUID(text)


class JobsForm(Form):
    state: JobState | None = None


class VerificationForm(Form):
    state: Literal["pending", "active", "refused"] = "pending"


class DecisionForm(Form):
    decision: Literal["verify", "refuse"]
    note: Annotated[str, Field(max_length=500)] = ""


class LedgerForm(Form):
    q: Annotated[str, Field(max_length=120)] = ""
    before: UUID | None = None


@dataclass(frozen=True)
class Late:
    """A work order that is past its date, with who is late and what it has cost."""

    progress: production.Progress
    factory: Organisation
    days: int
    compensation_minor: int


@blueprint.get("/operator")
@allow(Role.OPERATOR)
def console() -> str:
    """The queues, the money, the latest entries, what the last audit said."""
    session, now = db_session(), request_time()
    entries = ledger_queries.latest_entries(session, limit=6)
    return render_template(
        "pages/operator_console.html",
        waiting=_count(session, select(Organisation).where(Organisation.state == OrganisationState.PENDING)),
        failing=_failing(session),
        expiring=_count(
            session, select(Offer).where(Offer.state == OfferState.OFFERED, col(Offer.expires_at) <= now + SOON)
        ),
        late=_late(session, limit=6),
        late_count=len(production.late_work_orders(session, now=now, limit=1000)),
        dead=session.exec(select(Job).where(Job.state == JobState.DEAD).order_by(col(Job.id).desc()).limit(5)).all(),
        dead_count=_count(session, select(Job).where(Job.state == JobState.DEAD)),
        underway=_lots_underway(session),
        balances=ledger_queries.balances_by_kind(session),
        entries=entries,
        owners=_owners(session, entries),
        audit=latest_audit(session),
    )


@blueprint.get("/operator/factories")
@allow(Role.OPERATOR)
def verification() -> str:
    """Factories that wait for their verification, and those decided."""
    return _verification(queried(VerificationForm).state, None, blank(DecisionForm))[0]


@blueprint.post("/operator/factories/<uuid:organisation_id>/decide")
@allow(Role.OPERATOR)
def decide(organisation_id: UUID) -> Response | tuple[str, int]:
    """Verify a factory, or turn it down with a reason."""
    form, session = submitted(DecisionForm), db_session()
    organisation_of(session, organisation_id)
    if form.accepted and form.value.decision == "refuse" and not form.value.note:
        form.errors["note"] = _("Say why, so that the factory can mend it.")
    if not form.accepted:
        return _verification("pending", organisation_id, form)
    decision = Decision(organisation_id, form.value.decision == "verify", form.value.note)
    decide_organisation(session, decision, signed_in_viewer().user_id, now=request_time())
    flash(_("Verified.") if form.value.decision == "verify" else _("Turned down."), "good")
    return redirect(url_for("pages.verification"), 303)


@blueprint.get("/operator/matching")
@allow(Role.OPERATOR)
def runs() -> str:
    """Match runs: how good each plan was, and what keeps pieces unserved."""
    session = db_session()
    found = matching.match_runs(session, limit=500)
    page = page_of_list(found, page=page_number())
    ids = {UUID(entry["sheet_id"]) for run in page.rows for entry in run.unserved}
    sheets = {sheet.id: sheet for sheet in session.exec(select(DemandSheet).where(col(DemandSheet.id).in_(ids))).all()}
    return render_template("pages/operator_runs.html", page=page, sheets=sheets, why=_why)


@blueprint.get("/operator/late")
@allow(Role.OPERATOR)
def late() -> str:
    """Work orders past their date, the latest first."""
    page = page_of_list(_late(db_session(), limit=1000), page=page_number())
    return render_template("pages/operator_late.html", page=page)


@blueprint.get("/operator/late.csv")
@allow(Role.OPERATOR)
def late_csv() -> Response:
    """Late work orders as a table to take away."""
    head = (_("Work order"), _("Product"), _("Factory"), _("Pieces"), _("Due"), _("Days late"), _("Compensation"))
    rows = [
        (
            row.progress.order.number,
            row.progress.title,
            row.factory.name,
            row.progress.order.quantity,
            machine(row.progress.order.due_at),
            row.days,
            money(row.compensation_minor, row.progress.order.currency),
        )
        for row in _late(db_session(), limit=10_000)
    ]
    return csv_file("late-work-orders", head, rows)


@blueprint.get("/operator/jobs")
@allow(Role.OPERATOR)
def jobs() -> str:
    """What the worker has done, has yet to do, and gave up on."""
    form, session = queried(JobsForm), db_session()
    statement = select(Job)
    if form.state:
        statement = statement.where(Job.state == form.state)
    counts = session.exec(select(Job.state, sa.func.count()).group_by(col(Job.state))).all()
    newest = statement.order_by(col(Job.due_at).desc(), col(Job.id).desc())
    return render_template(
        "pages/operator_jobs.html",
        page=page_of(session, newest, page=page_number(), per_page=40),
        state=form.state,
        counts={str(state): n for state, n in counts},
        states=list(JobState),
    )


@blueprint.post("/operator/jobs/<uuid:job_id>/retry")
@allow(Role.OPERATOR)
def retry_job(job_id: UUID) -> Response:
    """Give a job that was given up another round."""
    job_loop.retry_dead(db_session(), job_id, now=request_time())
    flash(_("The job is tried again."), "good")
    return redirect(url_for("pages.jobs", state="dead"), 303)


@blueprint.get("/operator/audit")
@allow(Role.OPERATOR)
def audit() -> str:
    """The thirteen rules and what the last audit found."""
    found = latest_audit(db_session())
    return render_template(
        "pages/operator_audit.html",
        audit=found,
        findings=findings_of(found) if found else {},
        invariants=INVARIANTS,
        due=audit_is_due(db_session()),
    )


@blueprint.post("/operator/audit")
@allow(Role.OPERATOR)
def run_audit() -> Response:
    """Have everything recomputed now."""
    request_audit(db_session(), now=request_time())
    flash(_("The audit runs as a job; load this page again in a moment."), "good")
    return redirect(url_for("pages.audit"), 303)


@blueprint.get("/operator/ledger")
@allow(Role.OPERATOR)
def ledger() -> str:
    """Entries with their legs, newest first; found by a part of their reference."""
    form, session = queried(LedgerForm), db_session()
    entries = ledger_queries.latest_entries(session, limit=ENTRIES_SHOWN + 1, before=form.before, words=form.q)
    return render_template(
        "pages/operator_ledger.html",
        entries=entries[:ENTRIES_SHOWN],
        older=entries[ENTRIES_SHOWN - 1][0].id if len(entries) > ENTRIES_SHOWN else None,
        form=form,
        balances=ledger_queries.balances_by_kind(session),
        entry_count=_count(session, select(Entry)),
        owners=_owners(session, entries),
    )


def _count(session: Session, statement: Any) -> int:
    return int(session.execute(sa.select(sa.func.count()).select_from(statement.subquery())).scalar_one())


def _failing(session: Session) -> list[Campaign]:
    """Open campaigns that close within a day and are still below their minimum."""
    return list(
        session.exec(
            select(Campaign)
            .where(
                Campaign.state == CampaignState.OPEN,
                col(Campaign.deadline) <= request_time() + SOON,
                col(Campaign.pledged_quantity) < col(Campaign.minimum),
            )
            .order_by(col(Campaign.deadline))
        ).all()
    )


def _late(session: Session, *, limit: int) -> list[Late]:
    found = production.late_work_orders(session, now=request_time(), limit=limit)
    factories = organisations(session, [progress.order.factory_id for progress in found])
    paid = dict(
        session.exec(
            select(Compensation.work_order_id, sa.func.sum(Compensation.amount_minor))
            .where(col(Compensation.work_order_id).in_([progress.order.id for progress in found]))
            .group_by(col(Compensation.work_order_id))
        ).all()
    )
    return [
        Late(
            progress,
            factories[progress.order.factory_id],
            (request_time() - progress.order.due_at).days + 1,
            int(paid.get(progress.order.id, 0)),
        )
        for progress in found
    ]


def _lots_underway(session: Session) -> list[tuple[Lot, WorkOrder]]:
    """Lots with parcels that have not arrived, the longest on their way first."""
    arriving = select(Parcel.lot_id).where(col(Parcel.delivered_at).is_(None))
    return list(
        session.exec(
            select(Lot, WorkOrder)
            .join(WorkOrder, col(WorkOrder.id) == col(Lot.work_order_id))
            .where(col(Lot.id).in_(arriving))
            .order_by(col(Lot.shipped_at))
            .limit(8)
        ).all()
    )


def _owners(session: Session, entries: list[tuple[Entry, list[tuple[Any, Account]]]]) -> dict[UUID, str]:
    """Whose accounts these are: organisations by name, campaigns by title."""
    ids = {account.owner_id for _entry, legs in entries for _posting, account in legs}
    names = {i: organisation.name for i, organisation in organisations(session, list(ids)).items()}
    campaigns = session.exec(select(Campaign).where(col(Campaign.id).in_(ids))).all() if ids else []
    return names | {campaign.id: f"{campaign.title} {campaign.number}" for campaign in campaigns}


def _verification(state: str, chosen: UUID | None, form: Submission[DecisionForm]) -> tuple[str, int]:
    session = db_session()
    statement = (
        select(Organisation)
        .where(Organisation.kind == Role.FACTORY, Organisation.state == OrganisationState(state))
        .order_by(col(Organisation.registered_at))
    )
    page = page_of(session, statement, page=page_number())
    ids = [organisation.id for organisation in page.rows]
    lines: dict[UUID, list[Capability]] = {}
    for line in session.exec(select(Capability).where(col(Capability.factory_id).in_(ids))).all() if ids else []:
        lines.setdefault(line.factory_id, []).append(line)
    profiles = session.exec(select(Factory).where(col(Factory.id).in_(ids))).all() if ids else []
    people = session.exec(select(User).where(col(User.organisation_id).in_(ids))).all() if ids else []
    counts = session.exec(
        select(Organisation.state, sa.func.count())
        .where(Organisation.kind == Role.FACTORY)
        .group_by(col(Organisation.state))
    ).all()
    return form.page(
        "pages/operator_factories.html",
        page=page,
        state=state,
        chosen=chosen,
        lines=lines,
        profiles={profile.id: profile for profile in profiles},
        people={person.organisation_id: person for person in people},
        counts={str(key): n for key, n in counts},
    )


def _why(entry: dict[str, Any]) -> str:
    """Why a sheet's pieces are left, in the reader's language."""
    figures = {
        "pieces_missing": entry.get("pieces_missing", ""),
        "earliest": entry.get("earliest", ""),
        "shortfall": money(entry["shortfall_minor"]) if "shortfall_minor" in entry else "",
    }
    return str(_(unserved_sentence(entry["reason"])) % figures)
