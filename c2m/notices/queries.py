"""What an organisation was told, and how much of it nobody has read yet."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import table_of
from c2m.errors import N_, NotFound
from c2m.notices.models import Notice

MOST_COUNTED = 100


class NoticeNotFound(NotFound):
    sentence = N_("There is no such message.")


def notices_of(organisation_id: UUID, *, unread_only: bool = False) -> sa.Select[Any]:
    """An organisation's messages, the newest first."""
    statement = sa.select(Notice).where(col(Notice.organisation_id) == organisation_id)
    if unread_only:
        statement = statement.where(col(Notice.read_at).is_(None))
    return statement.order_by(col(Notice.told_at).desc(), col(Notice.id).desc())


def notice_of(session: Session, notice_id: UUID, *, organisation_id: UUID) -> Notice:
    """An organisation's own message; other people's are not found.

    Raises:
        NoticeNotFound
    """
    found = session.exec(select(Notice).where(Notice.id == notice_id)).one_or_none()
    if found is None or found.organisation_id != organisation_id:
        raise NoticeNotFound(notice_id=notice_id)
    return found


def unread(session: Session, organisation_id: UUID) -> int:
    """How many messages nobody has read, counted as far as a hundred."""
    table = table_of(Notice)
    some = (
        sa.select(table.c.id)
        .where(table.c.organisation_id == organisation_id, table.c.read_at.is_(None))
        .limit(MOST_COUNTED)
        .subquery()
    )
    return int(session.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())
