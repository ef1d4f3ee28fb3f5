"""Who is here: organisations, their users and roles, and the sign-ins that logging out deletes."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, enum_field, id_field, time_field


class Role(StrEnum):
    BUYER = "buyer"
    FACTORY = "factory"
    MERCHANDISER = "merchandiser"
    OPERATOR = "operator"


class OrganisationState(StrEnum):
    PENDING = "pending"  # a factory before its verification
    ACTIVE = "active"
    REFUSED = "refused"


class Organisation(Table, table=True):
    """A shop, a factory, a design house or the platform itself."""

    id: UUID = id_field()
    name: str = Field(max_length=120)
    name_en: str | None = Field(default=None, max_length=120)
    kind: Role = enum_field(Role)
    region: str = Field(default="", max_length=60)
    state: OrganisationState = enum_field(OrganisationState, OrganisationState.ACTIVE, index=True)
    registered_at: datetime = time_field()
    decided_at: datetime | None = time_field(nullable=True)
    decided_by: UUID | None = None
    decision_note: str | None = Field(default=None, max_length=500)


class User(Table, table=True):
    """A person who signs in; the roles say what this person may do for the organisation."""

    __tablename__ = "user_account"  # "user" is reserved in PostgreSQL

    id: UUID = id_field()
    organisation_id: UUID = Field(foreign_key="organisation.id", index=True)
    email: str = Field(unique=True, max_length=254)
    name: str = Field(max_length=80)
    password_hash: str
    registered_at: datetime = time_field()
    disabled_at: datetime | None = time_field(nullable=True)


class RoleGrant(Table, table=True):
    user_id: UUID = Field(primary_key=True, foreign_key="user_account.id")
    role: Role = Field(primary_key=True, sa_type=sa.String(24))


class SignIn(Table, table=True):
    """A browser that is signed in; only the token's hash is stored, and logging out deletes the row."""

    token_hash: str = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user_account.id", index=True)
    signed_in_at: datetime = time_field()
    expires_at: datetime = time_field(index=True)


class SignInFailure(Table, table=True):
    """A refused sign-in, counted by every process when the next one is judged."""

    __table_args__ = (
        sa.Index("ix_sign_in_failure_email", "email", "failed_at"),
        sa.Index("ix_sign_in_failure_address", "address", "failed_at"),
    )

    id: UUID = id_field()
    email: str = Field(max_length=254)
    address: str = Field(max_length=64)
    failed_at: datetime = time_field()
