"""Who is who: users, their organisations and roles."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from c2m.db import chunks
from c2m.errors import N_, NotFound
from c2m.identity.models import Organisation, OrganisationState, Role, RoleGrant, SignIn, User


class OrganisationNotFound(NotFound):
    sentence = N_("There is no such organisation.")


class UserNotFound(NotFound):
    sentence = N_("There is no such user.")


def who_signed_in(
    session: Session, token_hash: str, *, now: datetime
) -> tuple[User, Organisation, frozenset[Role]] | None:
    """The user behind a sign-in that still holds, with organisation and roles."""
    found = session.exec(
        select(User, Organisation)
        .join(SignIn, col(SignIn.user_id) == col(User.id))
        .join(Organisation, col(Organisation.id) == col(User.organisation_id))
        .where(SignIn.token_hash == token_hash, col(SignIn.expires_at) > now, col(User.disabled_at).is_(None))
    ).first()
    if found is None:
        return None
    user, organisation = found
    return user, organisation, roles_of(session, user.id)


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
