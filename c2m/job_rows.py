"""The rows of jobs, and which of them a worker takes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session

from c2m.db import Table, enum_field, id_field, json_field, table_of, time_field

JOBS_PER_CLAIM = 1000


class JobState(StrEnum):
    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"


class Job(Table, table=True):
    """Work that is due: at most one row a key, so that inserting it twice does nothing."""

    __table_args__ = (sa.Index("ix_job_claim", "state", "due_at"),)

    id: UUID = id_field()
    kind: str
    key: str = Field(unique=True)
    ids: list[str] = json_field(list)
    due_at: datetime = time_field()
    state: JobState = enum_field(JobState, JobState.READY)
    attempts: int = 0
    lease_token: UUID | None = None
    leased_until: datetime | None = time_field(nullable=True)
    error: str | None = None
    created_at: datetime = time_field()
    finished_at: datetime | None = time_field(nullable=True)


@dataclass(frozen=True)
class Share:
    """Which jobs a worker takes: all but some kinds, or only some; those it takes one by one, as they are long."""

    but: frozenset[str] = frozenset()
    only: frozenset[str] | None = None

    @property
    def takes(self) -> sa.ColumnElement[bool]:
        """Whether a job is among them."""
        kind = table_of(Job).c.kind
        return kind.not_in(self.but) if self.only is None else kind.in_(self.only)

    @property
    def at_once(self) -> int:
        """How many jobs make a set, at most."""
        return JOBS_PER_CLAIM if self.only is None else 1


EVERYTHING = Share()


def is_due(session: Session, kinds: Collection[str], *, now: datetime) -> bool:
    """Whether a job of these kinds waits for somebody to take it."""
    due = sa.and_(due_by(now), Share(only=frozenset(kinds)).takes)
    return session.execute(sa.select(table_of(Job).c.id).where(due).limit(1)).first() is not None


def due_by(now: datetime | sa.BindParameter[Any]) -> sa.ColumnElement[bool]:
    """Whether a job may be taken: it is due, or whoever took it let its lease run out."""
    c = table_of(Job).c
    return sa.or_(
        sa.and_(c.state == JobState.READY, c.due_at <= now),
        sa.and_(c.state == JobState.LEASED, c.leased_until <= now),
    )
