"""How a check is made: a statement that selects what is broken, run over one stretch of a key after another.

Each statement sees a bounded part of the rows, so that memory stays flat however many there are, and joins and
groups within it, so that no row is asked for by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of
from c2m.jobs import Job, JobState
from c2m.outbox import Announcement

ROWS_A_PART = 20_000
MOST_IDS = 100
HEX_DIGITS = 32
UNDONE = (JobState.READY, JobState.LEASED, JobState.DEAD)


@dataclass(frozen=True)
class Part:
    """The rows whose key lies above `after` and not above `upto`; None is no limit. `now` is when the audit is."""

    now: datetime
    after: UUID | None = None
    upto: UUID | None = None

    def of(self, key: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Whether a row's key lies in this part."""
        limits = [] if self.after is None else [key > self.after]
        return sa.and_(sa.true(), *limits, *([] if self.upto is None else [key <= self.upto]))


Broken = sa.Select[Any]
"""Selects the ids of what is broken; several columns name one thing together."""


@dataclass(frozen=True)
class Check:
    """One way in which an invariant can be broken."""

    invariant: str
    sentence: str
    broken: Callable[[Part], Broken]
    over: sa.Column[Any] | None = None
    rows_a_part: int = ROWS_A_PART
    acquits: Callable[[sa.Row[Any]], bool] | None = None  # judges what SQL can't, by figures beside the first column
    convicts: Callable[[Session, Sequence[UUID]], Iterable[UUID]] | None = None  # works out anew what was selected

    def names(self, session: Session, now: datetime) -> Iterator[str]:
        """What is broken, named by its ids."""
        for part in self.parts(session, now):
            rows = session.execute(self.broken(part))
            if self.convicts is not None:
                yield from map(str, self.convicts(session, list(rows.scalars())))
            elif self.acquits is None:
                yield from ("/".join(str(value) for value in row) for row in rows)
            else:
                yield from (str(row[0]) for row in rows if not self.acquits(row))

    def parts(self, session: Session, now: datetime) -> Iterator[Part]:
        """The stretches of the key that cover all rows, also those beyond the last one."""
        after = None
        while self.over is not None:
            ahead = sa.select(self.over).order_by(self.over).offset(self.rows_a_part - 1).limit(1)
            upto = session.execute(ahead if after is None else ahead.where(self.over > after)).scalar()
            if upto is None:
                break
            yield Part(now, after, upto)
            after = upto
        yield Part(now, after)


@dataclass(frozen=True)
class Finding:
    """An invariant that does not hold: in which way, the first ids of the rows concerned, and how many there are."""

    invariant: str
    sentence: str
    ids: tuple[str, ...]
    broken: int


def findings_of(session: Session, checks: Sequence[Check], *, now: datetime) -> Iterator[Finding]:
    """What these checks find."""
    for check in checks:
        ids: list[str] = []
        broken = 0
        for name in check.names(session, now):
            broken += 1
            ids += [name] if broken <= MOST_IDS else []
        if broken:
            yield Finding(check.invariant, check.sentence, tuple(ids), broken)


def hex_of(key: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """An id as `UUID.hex` writes it, on both databases."""
    return sa.func.replace(sa.cast(key, sa.String), "-", "", type_=sa.String)


def text_of(key: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """An id as `str(UUID)` writes it, on both databases."""
    digits, at = hex_of(key), 1
    groups = []
    for length in (8, 4, 4, 4, 12):
        groups.append(sa.func.substr(digits, at, length, type_=sa.String))
        at += length
    first, *others = groups
    spelled: sa.ColumnElement[str] = first
    for group in others:
        spelled = spelled + "-" + group
    return spelled


def hex_at_end(reference: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The id that a reference ends in, as `UUID.hex` writes it."""
    bare = sa.func.replace(reference, "-", "", type_=sa.String)
    return sa.func.substr(bare, sa.func.length(bare) - (HEX_DIGITS - 1), type_=sa.String)


def underway(key: sa.ColumnElement[Any], kind: str, topic: str | None = None) -> sa.ColumnElement[bool]:
    """Whether a job of this kind about this id is still to be done, or the announcement that leads to it passed on."""
    job, announcement = table_of(Job), table_of(Announcement)
    waiting = sa.exists().where(job.c.state.in_(UNDONE), job.c.kind == kind, _names(job.c.ids, key))
    if topic is None:
        return waiting
    unheard = sa.exists().where(
        announcement.c.topic == topic, announcement.c.dispatched_at.is_(None), _names(announcement.c.ids, key)
    )
    return sa.or_(waiting, unheard)


def _names(ids: sa.ColumnElement[Any], key: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    listed = sa.func.replace(sa.cast(ids, sa.String), "-", "", type_=sa.String)
    return listed.like("%" + hex_of(key) + "%")
