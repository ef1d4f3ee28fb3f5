"""Announcements: what one stage tells later ones, stored in the same transaction as the change itself."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from c2m.db import Table, id_field, insert_rows, json_field, time_field, uuid7

IDS_PER_ANNOUNCEMENT = 500


class Announcement(Table, table=True):
    """Something happened to these rows; delivered at least once to whoever subscribed to the topic."""

    id: UUID = id_field()
    topic: str
    ids: list[str] = json_field(list)
    announced_at: datetime = time_field()
    dispatched_at: datetime | None = time_field(nullable=True, index=True)


def announce(session: Session, topic: str, ids: Sequence[UUID], *, now: datetime) -> None:
    """Store that `topic` (past tense) happened to these ids; nothing is announced for no ids."""
    rows = [
        {
            "id": uuid7(),
            "topic": topic,
            "ids": [str(i) for i in ids[at : at + IDS_PER_ANNOUNCEMENT]],
            "announced_at": now,
        }
        for at in range(0, len(ids), IDS_PER_ANNOUNCEMENT)
    ]
    insert_rows(session, Announcement, rows)
