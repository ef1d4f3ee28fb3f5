"""Jobs: rows that decide what is due, and the loop that works them off.

A job names a kind and the ids it is about. It is leased with a token, its effect and its `done` commit
together, a failing one is tried again later and ends as a dead letter the operator sees. Jobs of one kind
that are due together run as one set; a set that fails is run job by job, a job of several ids id by id, so
that one bad row never holds up the others.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog
from sqlmodel import Session

from c2m.db import Database, insert_missing, table_of, uuid7
from c2m.errors import N_, Conflict, NotFound
from c2m.job_rows import EVERYTHING, Share, due_by
from c2m.job_rows import Job as Job
from c2m.job_rows import JobState as JobState
from c2m.outbox import Announcement

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 8
FIRST_BACKOFF = timedelta(seconds=10)
LONGEST_BACKOFF = timedelta(hours=1)
OVERDUE = timedelta(minutes=5)
SETS_HANDED_OUT = 32  # at most, so that the broker's queue stays shorter than a lease
ANNOUNCEMENTS_PER_CLAIM = 500
IDS_PER_CLAIM = 2000


@dataclass(frozen=True)
class Leased:
    """A job that one worker holds for a while, with the token that proves it."""

    id: UUID
    kind: str
    key: str
    ids: list[str]
    attempts: int
    token: UUID


class JobNotDead(Conflict):
    sentence = N_("This job is not among the failed ones.")


class JobNotFound(NotFound):
    sentence = N_("There is no such job.")


Apply = Callable[[Session, Sequence[UUID], datetime], None]
Send = Callable[[UUID], None]


class NotSent(Exception):
    """The broker takes no messages now."""


class Unanswered(Exception):
    """An outside system gave no answer; the job is tried until it does and never ends as a dead letter."""


@dataclass(frozen=True)
class OutsideWork:
    """A handler that asks an outside system while no transaction is open, then records the answers.

    `ask` must be repeatable: it is called again with the same ids when recording fails.
    """

    ask: Callable[[Session, Sequence[UUID], datetime], Sequence[Any]]
    record: Callable[[Session, Sequence[Any], datetime], None]


Handler = Apply | OutsideWork


@dataclass(frozen=True)
class Schedule:
    """A kind of job that falls due in every period; whoever wakes first inserts it."""

    kind: str
    every: timedelta

    def due(self, now: datetime) -> tuple[str, datetime]:
        """The key and the instant of the period that `now` lies in."""
        slot = int(now.timestamp() // self.every.total_seconds())
        return f"{self.kind}:{slot}", datetime.fromtimestamp(slot * self.every.total_seconds(), tz=now.tzinfo)


def enqueue(session: Session, kind: str, ids: Sequence[UUID], *, key: str, due_at: datetime, now: datetime) -> None:
    """Store one job for these ids, unless one with this key exists."""
    enqueue_all(session, kind, [(key, ids, due_at)], now=now)


def enqueue_all(
    session: Session, kind: str, jobs: Sequence[tuple[str, Sequence[UUID], datetime]], *, now: datetime
) -> None:
    """Store many jobs of a kind, each (key, ids, due_at), passing over keys that exist."""
    insert_missing(session, Job, [_row(kind, key, [str(i) for i in ids], due_at, now) for key, ids, due_at in jobs])


def _row(kind: str, key: str, ids: Sequence[str], due_at: datetime, now: datetime) -> dict[str, object]:
    return {"id": uuid7(), "kind": kind, "key": key, "ids": ids, "due_at": due_at, "created_at": now}


def is_kept_up_with(session: Session, *, now: datetime) -> bool:
    """Whether somebody works the jobs off: none has been due for long without being taken, or done once taken.

    A job that waits while another of its kind is being done waits in line.
    """
    c = table_of(Job).c
    is_at_work = sa.and_(c.state == JobState.LEASED, c.leased_until > now, c.attempts > 0)
    in_line = c.kind.in_(sa.select(c.kind).where(is_at_work))
    waiting = sa.and_(c.state == JobState.READY, c.due_at <= now - OVERDUE, sa.not_(in_line))
    handed_out_in_vain = sa.and_(
        c.state == JobState.LEASED, c.due_at <= now - OVERDUE - LEASE, sa.or_(c.leased_until <= now, c.attempts == 0)
    )
    return session.execute(sa.select(c.id).where(sa.or_(waiting, handed_out_in_vain)).limit(1)).first() is None


def retry_dead(session: Session, job_id: UUID, *, now: datetime) -> Job:
    """Give a dead letter another round of attempts.

    Raises:
        JobNotFound, JobNotDead
    """
    job = session.get(Job, job_id)
    if job is None:
        raise JobNotFound(job_id=job_id)
    if job.state is not JobState.DEAD:
        raise JobNotDead(job_id=job_id)
    job.state, job.attempts, job.due_at, job.error = JobState.READY, 0, now, None
    session.add(job)
    return job


class Worker:
    """Works off what is due: announcements become jobs, jobs meet their handlers."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        subscriptions: Mapping[str, Sequence[str]],
        schedules: Sequence[Schedule] = (),
        share: Share = EVERYTHING,
    ) -> None:
        unknown = {kind for kinds in subscriptions.values() for kind in kinds} | {s.kind for s in schedules}
        if missing := unknown - handlers.keys():
            raise ValueError(f"no handler for {sorted(missing)}")
        self.database = database
        self.handlers = handlers
        self.subscriptions = subscriptions
        self.schedules = schedules
        self.share = share
        self._inserted: set[str] = set()  # keys of the periods whose jobs are stored

    def leaving(self, kinds: Collection[str]) -> "Worker":
        """The same worker but for jobs of these kinds, which another one takes."""
        return Worker(self.database, self.handlers, self.subscriptions, self.schedules, Share(but=frozenset(kinds)))

    def dedicated(self, kinds: Collection[str]) -> "Worker":
        """A worker for jobs of these kinds alone; announcements and periods are the business of the others."""
        return Worker(
            self.database, {kind: self.handlers[kind] for kind in kinds}, {}, (), Share(only=frozenset(kinds))
        )

    def run_until_idle(self, now: datetime) -> int:
        """Work off everything due by `now`, and what follows from it; return the number of jobs run."""
        ran = 0
        while batch := self.claim(now):
            self.run(batch, now)
            ran += len(batch)
        return ran

    def hand_out(self, send: Send, now: datetime) -> int:
        """Lease everything due by `now` and send each set's token to who performs it; return the number of jobs.

        While the broker is away, sets are run here instead.
        """
        handed_out = 0
        while self._sets_leased(now) < SETS_HANDED_OUT and (batch := self._claim(now, attempts=0)):
            try:
                send(batch[0].token)
            except NotSent as away:
                log.warning("broker away, running jobs here", kind=batch[0].kind, jobs=len(batch), reason=str(away))
                self.perform(batch[0].token, now)
            handed_out += len(batch)
        return handed_out

    def perform(self, token: UUID, now: datetime) -> int:
        """Run the set that was handed out under this token, unless somebody began it already; return the number of
        jobs begun."""
        with self.database.transaction() as session:
            batch = _begin(session, token, now)
        if batch:
            self.run(batch, now)
        return len(batch)

    def _sets_leased(self, now: datetime) -> int:
        c = table_of(Job).c
        sets = sa.select(sa.func.count(c.lease_token.distinct()))
        with self.database.reading() as session:
            return int(session.execute(sets.where(c.state == JobState.LEASED, c.leased_until > now)).scalar_one())

    def claim(self, now: datetime) -> list[Leased]:
        """Lease the due jobs of one kind: that of the job due longest."""
        return self._claim(now, attempts=1)

    def _claim(self, now: datetime, *, attempts: int) -> list[Leased]:
        periods = [(schedule.kind, *schedule.due(now)) for schedule in self.schedules]
        begun = [_row(kind, key, [], due_at, now) for kind, key, due_at in periods if key not in self._inserted]
        with self.database.transaction() as session:
            insert_missing(session, Job, begun)
            if self.share.only is None:
                self._dispatch_announcements(session, now)
            leased = _lease(session, now, self.share, attempts=attempts)
        self._inserted = {key for _, key, _ in periods}
        return leased

    def run(self, batch: Sequence[Leased], now: datetime) -> None:
        """Run leased jobs of one kind as one set; on failure job by job, then id by id."""
        try:
            self._perform(batch, now)
        except LeaseLost as lost:
            log.warning("lease lost, effect rolled back", reason=str(lost))
        except Exception as error:
            if len(batch) == 1:
                self._record_failure(batch[0], error, now)
                return
            log.warning("job set failed, running one by one", kind=batch[0].kind, jobs=len(batch), error=str(error))
            for job in batch:
                self.run([job], now)

    def _perform(self, batch: Sequence[Leased], now: datetime) -> None:
        handler = self.handlers[batch[0].kind]
        ids = [UUID(i) for i in dict.fromkeys(i for job in batch for i in job.ids)]
        if isinstance(handler, OutsideWork):
            with self.database.reading() as session:
                answers = handler.ask(session, ids, now)
            with self.database.transaction() as session:
                _mark_done(session, batch, now)
                handler.record(session, answers, now)
        else:
            with self.database.transaction() as session:
                _mark_done(session, batch, now)
                handler(session, ids, now)

    def _record_failure(self, job: Leased, error: Exception, now: datetime) -> None:
        reason = f"{type(error).__name__}: {error}"[:2000]
        table = table_of(Job)
        with self.database.transaction() as session:
            if len(job.ids) > 1:
                log.warning("job failed, splitting it", kind=job.kind, ids=len(job.ids), error=reason)
                singles = [(f"{job.key}/{i}", [UUID(i)], now) for i in job.ids]
                enqueue_all(session, job.kind, singles, now=now)
                _mark_done(session, [job], now)
                return
            dead = job.attempts >= MAX_ATTEMPTS and not isinstance(error, Unanswered)
            log.error("job failed", kind=job.kind, key=job.key, attempts=job.attempts, dead=dead, error=reason)
            backoff = min(FIRST_BACKOFF * 2 ** (job.attempts - 1), LONGEST_BACKOFF)
            session.execute(
                sa.update(table)
                .where(table.c.id == job.id, table.c.lease_token == job.token)
                .values(
                    state=JobState.DEAD if dead else JobState.READY,
                    due_at=now if dead else now + backoff,
                    lease_token=None,
                    leased_until=None,
                    error=reason,
                    finished_at=now if dead else None,
                )
            )

    def _dispatch_announcements(self, session: Session, now: datetime) -> None:
        waiting, dispatch = _dispatching()
        found = session.execute(waiting).all()
        if not found:
            return
        jobs = [
            _row(kind, f"{kind}<{row.id}", row.ids, now, now)
            for row in found
            for kind in self.subscriptions.get(row.topic, ())
        ]
        insert_missing(session, Job, jobs)
        session.execute(dispatch, {"dispatched": [row.id for row in found], "now": now})


class LeaseLost(Exception):
    """Another worker took the job over after the lease ran out; this one's effect is rolled back."""


@cache
def _dispatching() -> tuple[sa.Select[Any], sa.Update]:
    """The announcements that wait, oldest first, and marking them as dispatched; made once, like a claim's."""
    table = table_of(Announcement)
    c = table.c
    waiting = (
        sa.select(c.id, c.topic, c.ids)
        .where(c.dispatched_at.is_(None))
        .order_by(c.id)
        .limit(ANNOUNCEMENTS_PER_CLAIM)
        .with_for_update(skip_locked=True)
    )
    chosen = c.id.in_(sa.bindparam("dispatched", expanding=True))
    return waiting, sa.update(table).where(chosen).values(dispatched_at=sa.bindparam("now"))


@cache
def _leasing(share: Share) -> tuple[sa.Select[Any], sa.Select[Any], sa.Update]:
    """Which kind is due longest, its due jobs, and taking some of them; made once, as every claim asks the same."""
    table = table_of(Job)
    c = table.c
    due = sa.and_(due_by(sa.bindparam("now")), share.takes)
    longest = sa.select(c.kind).where(due).order_by(c.due_at, c.id).limit(1)
    waiting = (
        sa.select(c.id, c.kind, c.key, c.ids, c.attempts)
        .where(due, c.kind == sa.bindparam("longest"))
        .order_by(c.due_at, c.id)
        .limit(share.at_once)
        .with_for_update(skip_locked=True)
    )
    take = (
        sa.update(table)
        .where(c.id.in_(sa.bindparam("taken", expanding=True)))
        .values(
            state=JobState.LEASED,
            lease_token=sa.bindparam("token"),
            leased_until=sa.bindparam("until"),
            attempts=c.attempts + sa.bindparam("more"),
        )
    )
    return longest, waiting, take


def _lease(session: Session, now: datetime, share: Share, *, attempts: int) -> list[Leased]:
    longest, waiting, take = _leasing(share)
    kind = session.execute(longest, {"now": now}).scalar()
    if kind is None:
        return []
    token = uuid4()
    found = session.execute(waiting, {"now": now, "longest": kind})
    leased = [Leased(row.id, row.kind, row.key, row.ids, row.attempts + attempts, token) for row in found]
    taken = _at_most(leased, IDS_PER_CLAIM)
    names = [job.id for job in taken]
    session.execute(take, {"taken": names, "token": token, "until": now + LEASE, "more": attempts})
    return taken


def _begin(session: Session, sent: UUID, now: datetime) -> list[Leased]:
    """Exchange the token that was sent for one of our own: a message that comes twice, or late, finds nothing."""
    table, token = table_of(Job), uuid4()
    c = table.c
    ours = (
        sa.update(table)
        .where(c.state == JobState.LEASED, c.lease_token == sent)
        .values(lease_token=token, leased_until=now + LEASE, attempts=c.attempts + 1)
        .returning(c.due_at, c.id, c.kind, c.key, c.ids, c.attempts)
    )
    found = sorted(session.connection().execute(ours).all(), key=lambda row: (row.due_at, row.id))
    return [Leased(row.id, row.kind, row.key, row.ids, row.attempts, token) for row in found]


def _at_most(jobs: Sequence[Leased], ids: int) -> list[Leased]:
    """The first jobs that together name no more than so many ids, one at least."""
    taken: list[Leased] = []
    count = 0
    for job in jobs:
        count += len(job.ids)
        if taken and count > ids:
            break
        taken.append(job)
    return taken


@cache
def _finishing() -> sa.Update:
    """Marking jobs as done for whoever still holds their lease."""
    table = table_of(Job)
    held = table.c.id.in_(sa.bindparam("finished", expanding=True)), table.c.lease_token == sa.bindparam("token")
    done = {"state": JobState.DONE, "finished_at": sa.bindparam("now")}
    return sa.update(table).where(*held).values(**done, lease_token=None, leased_until=None, error=None)


def _mark_done(session: Session, batch: Sequence[Leased], now: datetime) -> None:
    finished = [job.id for job in batch]
    result = session.connection().execute(_finishing(), {"finished": finished, "token": batch[0].token, "now": now})
    if result.rowcount != len(batch):
        raise LeaseLost(f"{batch[0].kind}: {len(batch) - result.rowcount} of {len(batch)} leases lost")
