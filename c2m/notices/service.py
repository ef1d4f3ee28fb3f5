"""Telling organisations what happened, once, in the transaction in which it happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import insert_missing, table_of, uuid7
from c2m.notices.models import Notice, NoticeKind


@dataclass(frozen=True)
class Message:
    """What one organisation is told; a second message with the same key is passed over."""

    organisation_id: UUID
    kind: NoticeKind
    subject_id: UUID
    key: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def tell(session: Session, messages: Sequence[Message], *, now: datetime) -> None:
    """Leave messages for organisations, each key once."""
    rows = [
        {
            "id": uuid7(),
            "organisation_id": message.organisation_id,
            "kind": message.kind,
            "subject_id": message.subject_id,
            "facts": dict(message.facts),
            "key": message.key,
            "told_at": now,
        }
        for message in messages
    ]
    insert_missing(session, Notice, rows)


def mark_read(session: Session, organisation_id: UUID, ids: Sequence[UUID], *, now: datetime) -> None:
    """Put messages of this organisation away as read."""
    _mark_read(session, organisation_id, now, table_of(Notice).c.id.in_(ids))


def mark_all_read(session: Session, organisation_id: UUID, *, now: datetime) -> None:
    """Put every message told to this organisation until now away as read."""
    _mark_read(session, organisation_id, now, table_of(Notice).c.told_at <= now)


def _mark_read(session: Session, organisation_id: UUID, now: datetime, which: sa.ColumnElement[bool]) -> None:
    table = table_of(Notice)
    session.execute(
        sa.update(table)
        .where(table.c.organisation_id == organisation_id, table.c.read_at.is_(None), which)
        .values(read_at=now)
    )
