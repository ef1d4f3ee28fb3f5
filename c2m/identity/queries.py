"""Who is who: users, their organisations and roles."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.config import DEMO_DOMAIN
from c2m.db import chunks, table_of
from c2m.errors import N_, NotFound
from c2m.identity.models import Organisation, OrganisationState, Role, RoleGrant, SignIn, User


class OrganisationNotFound(NotFound):
    sentence = N_("There is no such organisation.")


class UserNotFound(NotFound):
    sentence = N_("There is no such user.")


@dataclass(frozen=True)
class SignedIn:
    """A person whose sign-in holds, the organisation acted for, and what the person may do."""

    user_id: UUID
    name: str
    email: str
    organisation_id: UUID
    organisation_name: str
    organisation_name_en: str | None
    organisation_state: OrganisationState
    region: str
    roles: frozenset[Role]


_PERSON = [field.name for field in fields(SignedIn) if field.name != "roles"]  # in the order of the statement below


def _sign_in_statement() -> sa.Select[Any]:
    user, organisation = table_of(User), table_of(Organisation)
    grant, sign_in = table_of(RoleGrant), table_of(SignIn)
    return (
        sa.select(
            user.c.id.label("user_id"),
            user.c.name,
            user.c.email,
            organisation.c.id.label("organisation_id"),
            organisation.c.name.label("organisation_name"),
            organisation.c.name_en.label("organisation_name_en"),
            organisation.c.state.label("organisation_state"),
            organisation.c.region,
            grant.c.role,
            sign_in.c.token_hash,
        )
        .select_from(sign_in)
        .join(user, user.c.id == sign_in.c.user_id)
        .join(organisation, organisation.c.id == user.c.organisation_id)
        .outerjoin(grant, grant.c.user_id == user.c.id)
        .where(
            sign_in.c.token_hash.in_(sa.bindparam("token_hashes", expanding=True)),
            sign_in.c.expires_at > sa.bindparam("now"),
            user.c.disabled_at.is_(None),
        )
    )


_SIGN_IN = _sign_in_statement()  # every request of somebody who is signed in asks it: composed once


def who_signed_in(reader: Session | sa.Connection, token_hash: str, *, now: datetime) -> SignedIn | None:
    """Who is behind a sign-in that still holds, in one statement."""
    return all_signed_in(reader, [token_hash], now=now).get(token_hash)


def all_signed_in(
    reader: Session | sa.Connection, token_hashes: Collection[str], *, now: datetime
) -> dict[str, SignedIn]:
    """Who is behind each of these sign-ins, as far as they still hold, in one statement for some hundreds of them."""
    people: dict[str, dict[str, Any]] = {}
    roles: dict[str, set[Role]] = defaultdict(set)
    for part in chunks(sorted(set(token_hashes))):
        for row in reader.execute(_SIGN_IN, {"token_hashes": part, "now": now}):
            *person, role, token_hash = row
            people[token_hash] = dict(zip(_PERSON, person, strict=True))
            if role is not None:
                roles[token_hash].add(Role(role))
    return {found: SignedIn(**person, roles=frozenset(roles[found])) for found, person in people.items()}


def demo_people(session: Session) -> list[tuple[User, Organisation]]:
    """Those of the demo market whom everybody may try to be, in the order of the roles."""
    emails = [f"{role}@{DEMO_DOMAIN}" for role in Role]
    rows = session.exec(
        select(User, Organisation)
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(col(User.email).in_(emails))
    ).all()
    return sorted(rows, key=lambda row: emails.index(row[0].email))


def roles_of(session: Session, user_id: UUID) -> frozenset[Role]:
    """What a user may do."""
    return frozenset(Role(role) for role in session.exec(select(RoleGrant.role).where(RoleGrant.user_id == user_id)))


def user_by_email(session: Session, email: str) -> User | None:
    """The user with this (normalised) e-mail address."""
    return session.exec(select(User).where(User.email == email)).first()


def organisation_of(session: Session, organisation_id: UUID) -> Organisation:
    """One organisation.

    Raises:
        OrganisationNotFound
    """
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        raise OrganisationNotFound(organisation_id=organisation_id)
    return organisation


def organisations(session: Session, ids: Sequence[UUID]) -> dict[UUID, Organisation]:
    """Organisations by id; unknown ids are left out."""
    found: dict[UUID, Organisation] = {}
    for part in chunks(list(dict.fromkeys(ids))):
        rows = session.exec(select(Organisation).where(col(Organisation.id).in_(part))).all()
        found |= {organisation.id: organisation for organisation in rows}
    return found


def organisations_in(session: Session, kind: Role, state: OrganisationState) -> list[Organisation]:
    """The organisations of a kind in a state, longest registered first."""
    return list(
        session.exec(
            select(Organisation)
            .where(Organisation.kind == kind, Organisation.state == state)
            .order_by(col(Organisation.registered_at), col(Organisation.id))
        )
    )


def organisations_by_email(session: Session, emails: Sequence[str]) -> dict[str, UUID]:
    """Which organisations the people with these addresses act for; unknown addresses are left out."""
    found: dict[str, UUID] = {}
    for part in chunks(emails):
        rows = session.exec(select(User.email, User.organisation_id).where(col(User.email).in_(part)))
        found |= dict(rows.all())
    return found
