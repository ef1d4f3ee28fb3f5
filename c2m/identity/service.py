"""Registering organisations, verifying them, signing people in and out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import Database, chunks, insert_rows, lock_rows, uuid7
from c2m.errors import N_, Conflict, Forbidden, Invalid, Refusal, TooManyRequests
from c2m.identity.models import Organisation, OrganisationState, Role, RoleGrant, SignIn, SignInFailure, User
from c2m.identity.passwords import Passwords
from c2m.identity.queries import OrganisationNotFound, UserNotFound, user_by_email
from c2m.identity.rules import (
    ATTEMPTS_COUNT_FOR,
    FAILURES_PER_ADDRESS,
    FAILURES_PER_EMAIL,
    SIGN_IN_LASTS,
    minutes_to_wait,
    new_token,
    normal_email,
    token_hash,
)


class EmailTaken(Conflict):
    sentence = N_("There is already an account with this e-mail address.")


class SignInRefused(Forbidden):
    sentence = N_("E-mail address and password don't belong together.")


class AlreadyDecided(Conflict):
    sentence = N_("This registration has already been decided.")


@dataclass(frozen=True)
class Registration:
    """An organisation and the first person who acts for it; the password comes hashed."""

    kind: Role
    name: str
    email: str
    person: str
    password_hash: str
    name_en: str | None = None
    region: str = ""


@dataclass(frozen=True)
class Registered:
    """The ids a registration was given."""

    organisation_id: UUID
    user_id: UUID


@dataclass(frozen=True)
class Decision:
    """An operator's word on a registration that waits, with what was seen or why it is refused."""

    organisation_id: UUID
    verified: bool
    note: str = ""


def register_organisations(
    session: Session, registrations: Sequence[Registration], *, now: datetime
) -> list[Registered | Refusal]:
    """Open accounts; factories wait for their verification, an address in use is refused (EmailTaken)."""
    taken = _emails_in_use(session, [normal_email(r.email) for r in registrations])
    answers: list[Registered | Refusal] = []
    organisations, users, grants = [], [], []
    for r in registrations:
        email = normal_email(r.email)
        if email in taken:
            answers.append(EmailTaken(email=email))
            continue
        taken.add(email)
        new = Registered(uuid7(), uuid7())
        organisations.append(_organisation_row(r, new, now))
        users.append(
            {
                "id": new.user_id,
                "organisation_id": new.organisation_id,
                "email": email,
                "name": r.person,
                "password_hash": r.password_hash,
                "registered_at": now,
            }
        )
        grants.append({"user_id": new.user_id, "role": r.kind.value})
        answers.append(new)
    insert_rows(session, Organisation, organisations)
    insert_rows(session, User, users)
    insert_rows(session, RoleGrant, grants)
    return answers


def register_organisation(session: Session, registration: Registration, *, now: datetime) -> Registered:
    """Open one account.

    Raises:
        EmailTaken
    """
    answer = register_organisations(session, [registration], now=now)[0]
    if isinstance(answer, Refusal):
        raise answer
    return answer


def decide_organisations(
    session: Session, decisions: Sequence[Decision], operator_id: UUID, *, now: datetime
) -> list[Organisation | Refusal]:
    """Verify or turn down organisations that wait; one that is decided already is refused (AlreadyDecided)."""
    lock_rows(session, Organisation, [d.organisation_id for d in decisions])
    answers: list[Organisation | Refusal] = []
    for decision in decisions:
        organisation = session.get(Organisation, decision.organisation_id, populate_existing=True)
        if organisation is None:
            answers.append(OrganisationNotFound(organisation_id=decision.organisation_id))
        elif organisation.state is not OrganisationState.PENDING:
            answers.append(AlreadyDecided(organisation_id=decision.organisation_id))
        elif not decision.note.strip():
            missing = N_("Say what you saw.") if decision.verified else N_("Please say why.")
            answers.append(Invalid(errors={"note": missing}))
        else:
            organisation.state = OrganisationState.ACTIVE if decision.verified else OrganisationState.REFUSED
            organisation.decided_at, organisation.decided_by = now, operator_id
            organisation.decision_note = decision.note.strip() or None
            session.add(organisation)
            answers.append(organisation)
    session.flush()
    return answers


def decide_organisation(session: Session, decision: Decision, operator_id: UUID, *, now: datetime) -> Organisation:
    """Verify or turn down one organisation that waits.

    Raises:
        OrganisationNotFound, AlreadyDecided, Invalid: without saying what was seen, or why it is turned down.
    """
    answer = decide_organisations(session, [decision], operator_id, now=now)[0]
    if isinstance(answer, Refusal):
        raise answer
    return answer


def sign_in(database: Database, passwords: Passwords, email: str, password: str, address: str, *, now: datetime) -> str:
    """Sign a person in and return the browser's token.

    It has two units of work of its own, as a failure must stay counted and argon2 must not hold a write lock: an
    attempt counts as failed until the password has proved right.

    Raises:
        SignInRefused: unknown address, wrong password or disabled user, all alike.
        TooManyRequests: 5 failures for the e-mail address or 20 from the network address within 15 minutes.
    """
    email = normal_email(email)
    with database.transaction() as session:
        attempt_id = _count_attempt(session, email, address, now)
        user = user_by_email(session, email)
    known = user is not None and user.disabled_at is None
    if not passwords.verify(user.password_hash if user and known else None, password) or user is None:
        raise SignInRefused(email=email)
    with database.transaction() as session:
        session.execute(sa.delete(SignInFailure).where(col(SignInFailure.id) == attempt_id))
        if passwords.outdated(user.password_hash):
            session.execute(
                sa.update(User).where(col(User.id) == user.id).values(password_hash=passwords.hash(password))
            )
        token = new_token()
        sign_in_row = SignIn(
            token_hash=token_hash(token), user_id=user.id, signed_in_at=now, expires_at=now + SIGN_IN_LASTS
        )
        session.add(sign_in_row)
    return token


def sign_out(session: Session, token: str) -> None:
    """End a sign-in for good: its token is worth nothing afterwards."""
    session.execute(sa.delete(SignIn).where(col(SignIn.token_hash) == token_hash(token)))


def disable_user(session: Session, user_id: UUID, *, now: datetime) -> User:
    """Shut a user out and end all of their sign-ins; doing it twice changes nothing.

    Raises:
        UserNotFound
    """
    user = session.get(User, user_id)
    if user is None:
        raise UserNotFound(user_id=user_id)
    user.disabled_at = user.disabled_at or now
    session.add(user)
    session.execute(sa.delete(SignIn).where(col(SignIn.user_id) == user_id))
    return user


def forget_stale(session: Session, *, now: datetime) -> None:
    """Delete sign-ins that have expired and failures that no longer count."""
    session.execute(sa.delete(SignIn).where(col(SignIn.expires_at) <= now))
    session.execute(sa.delete(SignInFailure).where(col(SignInFailure.failed_at) <= now - ATTEMPTS_COUNT_FOR))


def _emails_in_use(session: Session, emails: Sequence[str]) -> set[str]:
    taken: set[str] = set()
    for part in chunks(emails):
        taken |= set(session.exec(select(User.email).where(col(User.email).in_(part))))
    return taken


def _organisation_row(registration: Registration, new: Registered, now: datetime) -> dict[str, object]:
    waits = registration.kind is Role.FACTORY
    return {
        "id": new.organisation_id,
        "name": registration.name,
        "name_en": registration.name_en,
        "kind": registration.kind,
        "region": registration.region,
        "state": OrganisationState.PENDING if waits else OrganisationState.ACTIVE,
        "registered_at": now,
    }


def _count_attempt(session: Session, email: str, address: str, now: datetime) -> UUID:
    _count_one_at_a_time(session, email, address)
    since = now - ATTEMPTS_COUNT_FOR
    minutes = 0
    for column, value, allowed in (
        (col(SignInFailure.email), email, FAILURES_PER_EMAIL),
        (col(SignInFailure.address), address, FAILURES_PER_ADDRESS),
    ):
        failures = session.exec(
            select(SignInFailure.failed_at).where(column == value, col(SignInFailure.failed_at) > since)
        ).all()
        minutes = max(minutes, minutes_to_wait(failures, allowed, now))
    if minutes:
        raise TooManyRequests(minutes=minutes)
    attempt_id = uuid7()
    attempt = {"id": attempt_id, "email": email, "address": address, "failed_at": now}
    insert_rows(session, SignInFailure, [attempt])
    return attempt_id


def _count_one_at_a_time(session: Session, *names: str) -> None:
    # Attempts made at once would not see each other's rows. SQLite already holds its one write lock.
    if session.get_bind().dialect.name == "postgresql":
        for key in sorted(int.from_bytes(sha256(name.encode()).digest()[:8], signed=True) for name in names):
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
