"""Balances and statements: sums of postings, nothing stored twice."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.ledger.models import Account, AccountKind, Entry, Hold, Posting, Side, Transfer, TransferState
from c2m.ledger.rules import AccountRef, Held

_HELD = [field.name for field in fields(Held)]
_TOLD_TO_PROVIDERS = (
    "id",
    "direction",
    "reference",
    "purpose",
    "subject_id",
    "organisation_id",
    "account_id",
    "currency",
    "amount_minor",
)


def signed_amount() -> sa.Case[int]:
    """A posting's effect on its account as a liability: credit adds, debit takes."""
    posting = table_of(Posting)
    return sa.case((posting.c.side == Side.CREDIT, posting.c.amount_minor), else_=-posting.c.amount_minor)


def balance(session: Session, account: AccountRef) -> int:
    """Credits less debits of an account, in minor units."""
    posting = table_of(Posting)
    found = session.execute(sa.select(sa.func.sum(signed_amount())).where(posting.c.account_id == account.id)).scalar()
    return int(found or 0)


def balances_by_kind(session: Session) -> dict[tuple[AccountKind, str], int]:
    """Where all money stands: (kind, currency) → credits less debits."""
    posting, account = table_of(Posting), table_of(Account)
    rows = session.execute(
        sa.select(account.c.kind, account.c.currency, sa.func.sum(signed_amount()))
        .select_from(posting.join(account, posting.c.account_id == account.c.id))
        .group_by(account.c.kind, account.c.currency)
    )
    return {(AccountKind(kind), currency): int(amount) for kind, currency, amount in rows}


def holds_of(session: Session, subject_ids: Sequence[UUID]) -> list[Held]:
    """The escrow holds of these subjects, each subject's oldest first."""
    table = table_of(Hold)
    columns = [table.c[name] for name in _HELD]
    found: list[Held] = []
    for part in chunks(subject_ids):
        rows = session.execute(sa.select(*columns).where(table.c.subject_id.in_(part)).order_by(table.c.id))
        found += [Held(*row) for row in rows]
    return found


def transfers_of(session: Session, subject_ids: Sequence[UUID]) -> list[Transfer]:
    """Money in and out for these subjects, oldest first."""
    found: list[Transfer] = []
    for part in chunks(subject_ids):
        found += session.exec(
            select(Transfer).where(col(Transfer.subject_id).in_(part)).order_by(col(Transfer.id))
        ).all()
    return found


def pending_transfers(session: Session, ids: Sequence[UUID]) -> list[sa.Row[Any]]:
    """Those of these transfers the provider has not answered yet."""
    table = table_of(Transfer)
    columns = [table.c[name] for name in _TOLD_TO_PROVIDERS]
    found: list[sa.Row[Any]] = []
    for part in chunks(ids):
        statement = sa.select(*columns).where(table.c.id.in_(part), table.c.state == TransferState.PENDING)
        found += session.execute(statement).all()
    return found


def latest_entries(
    session: Session, *which: sa.ColumnElement[bool], limit: int, before: UUID | None = None
) -> list[tuple[Entry, list[tuple[Posting, Account]]]]:
    """The newest entries these conditions hold for, with their legs, newest first, paged by entry id."""
    statement = select(Entry).where(*which).order_by(col(Entry.id).desc()).limit(limit)
    if before is not None:
        statement = statement.where(col(Entry.id) < before)
    entries = session.exec(statement).all()
    legs: dict[UUID, list[tuple[Posting, Account]]] = {entry.id: [] for entry in entries}
    rows = session.exec(
        select(Posting, Account)
        .join(Account, col(Posting.account_id) == col(Account.id))
        .where(col(Posting.entry_id).in_(list(legs)))
        .order_by(col(Posting.position))
    ).all()
    for posting, account in rows:
        legs[posting.entry_id].append((posting, account))
    return [(entry, legs[entry.id]) for entry in entries]
