"""Factories that ask to be verified: who they are, what they say they can make, the operator's word on them."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from flask import Response as Download
from flask import flash, redirect, url_for
from flask_babel import gettext as _
from pydantic import Field
from sqlmodel import Session
from werkzeug.wrappers import Response

from c2m.db import table_of
from c2m.errors import Invalid
from c2m.identity.models import Organisation, OrganisationState, Role, User
from c2m.identity.queries import OrganisationNotFound, organisation_of
from c2m.identity.service import Decision, decide_organisation
from c2m.matching.models import Capability, Factory, LineKind
from c2m.matching.vetting import Papers, verify_registrations
from c2m.pages.blueprint import blueprint
from c2m.web.access import allow
from c2m.web.context import db_session, request_time
from c2m.web.exports import csv_file
from c2m.web.formats import day, in_language, named
from c2m.web.forms import Form, Submission, blank, queried, submitted
from c2m.web.paging import page_number, page_of
from c2m.web.states import look_of
from c2m.web.viewer import signed_in_viewer

EXPORTED = 10_000

organisation = table_of(Organisation)
SORTS: dict[str, sa.ColumnElement[Any]] = {
    "registered": organisation.c.registered_at,
    "name": organisation.c.name,
    "region": organisation.c.region,
    "decided": organisation.c.decided_at,
}


class VerificationForm(Form):
    state: OrganisationState = OrganisationState.PENDING
    q: Annotated[str, Field(max_length=80)] = ""
    sort: Literal["registered", "-registered", "name", "-name", "region", "-region", "decided", "-decided"] = (
        "registered"
    )


class DecisionForm(Form):
    decision: Literal["verify", "turn_down"]
    note: Annotated[str, Field(max_length=500)] = ""  # what was seen, or why not
    reference: Annotated[str, Field(max_length=120)] = ""
    until: date | None = None


@blueprint.get("/operator/factories")
@allow(Role.OPERATOR)
def verification() -> tuple[str, int]:
    """Factories that wait for their verification, and those decided."""
    return _page(queried(VerificationForm), blank(DecisionForm), decided=None)


@blueprint.get("/operator/factories.csv")
@allow(Role.OPERATOR)
def verification_csv() -> Download:
    """Factories, filtered and sorted as in the address, as a table to take away."""
    session = db_session()
    found = session.execute(_factories(queried(VerificationForm)).limit(EXPORTED)).scalars().all()
    profiles, people = _profiles(session, found), _people(session, found)
    head = [_("Factory"), _("Region"), _("Belt"), _("State"), _("Registered"), _("Person"), _("E-mail"), _("Note")]
    lines = []
    for one in found:
        profile, person = profiles.get(one.id), people.get(one.id)
        lines.append(
            [
                named(one),
                in_language(one.region),
                in_language(profile.belt) if profile else "",
                str(look_of("organisation", one.state).word),
                day(one.registered_at),
                in_language(person.name) if person else "",
                person.email if person else "",
                one.decision_note or "",
            ]
        )
    return csv_file("factories", head, lines)


@blueprint.post("/operator/factories/<uuid:organisation_id>/decide")
@allow(Role.OPERATOR)
def decide(organisation_id: UUID) -> Response | tuple[str, int]:
    """Verify a factory, or turn it down with a reason."""
    session = db_session()
    factory = organisation_of(session, organisation_id)
    if factory.kind is not Role.FACTORY:
        raise OrganisationNotFound(organisation_id=organisation_id)
    form = submitted(DecisionForm)
    if form.accepted:
        verified = form.value.decision == "verify"
        decision = Decision(organisation_id, verified, form.value.note)
        try:
            who, now = signed_in_viewer().user_id, request_time()
            decide_organisation(session, decision, who, now=now)
            if verified:
                session.flush()
                papers = Papers(form.value.reference, form.value.until)
                verify_registrations(session, [organisation_id], {organisation_id: papers})
        except Invalid as refusal:
            form.refuse(refusal)
        else:
            words = _("%(name)s is verified.") if verified else _("%(name)s is turned down.")
            flash(words % {"name": named(factory)}, "good")
            return redirect(url_for("pages.verification"), 303)
    return _page(VerificationForm(), form, decided=organisation_id)


def _page(wanted: VerificationForm, form: Submission[DecisionForm], *, decided: UUID | None) -> tuple[str, int]:
    session = db_session()
    page = page_of(session, _factories(wanted), page=page_number())
    return form.page(
        "pages/operator_factories.html",
        wanted=wanted,
        states=OrganisationState,
        counts=_counts(session),
        page=page,
        profiles=_profiles(session, page.rows),
        people=_people(session, page.rows),
        lines=_lines(session, page.rows),
        decided=decided,
    )


def _factories(wanted: VerificationForm) -> sa.Select[Any]:
    statement = sa.select(Organisation).where(organisation.c.kind == Role.FACTORY, organisation.c.state == wanted.state)
    if wanted.q:
        names = (organisation.c.name, organisation.c.name_en, organisation.c.region)
        statement = statement.where(sa.or_(*(name.icontains(wanted.q, autoescape=True) for name in names)))
    order = (SORTS[wanted.sort.removeprefix("-")], organisation.c.id)
    return statement.order_by(*(each.desc() for each in order) if wanted.sort.startswith("-") else order)


def _counts(session: Session) -> dict[OrganisationState, int]:
    rows = session.execute(
        sa.select(organisation.c.state, sa.func.count())
        .where(organisation.c.kind == Role.FACTORY)
        .group_by(organisation.c.state)
    )
    return {OrganisationState(state): int(count) for state, count in rows}


def _profiles(session: Session, found: Sequence[Organisation]) -> dict[UUID, Factory]:
    ids = [one.id for one in found]
    rows = session.execute(sa.select(Factory).where(table_of(Factory).c.id.in_(ids))).scalars()
    return {row.id: row for row in rows}


def _people(session: Session, found: Sequence[Organisation]) -> dict[UUID, User]:
    """The first person of each."""
    person, ids = table_of(User).c, [one.id for one in found]
    rows = session.execute(sa.select(User).where(person.organisation_id.in_(ids)).order_by(person.id.desc())).scalars()
    return {row.organisation_id: row for row in rows}


def _lines(session: Session, found: Sequence[Organisation]) -> dict[UUID, list[Capability]]:
    """What each says it can make in its ordinary hours."""
    line, ids = table_of(Capability).c, [one.id for one in found]
    regular = line.factory_id.in_(ids), line.kind == LineKind.REGULAR
    rows = session.execute(sa.select(Capability).where(*regular).order_by(line.category, line.process)).scalars()
    lines: dict[UUID, list[Capability]] = {}
    for row in rows:
        lines.setdefault(row.factory_id, []).append(row)
    return lines
