"""With a broker, sets of jobs are handed out and performed elsewhere: each once, whatever happens to messages."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.app import build_worker, working_off
from c2m.audit.jobs import AUDIT
from c2m.audit.models import AuditRun
from c2m.broker import celery_at, sender
from c2m.clock import ManualClock, SystemClock
from c2m.db import Database, table_of
from c2m.jobs import LEASE, Handler, Job, JobState, NotSent, Worker, enqueue
from c2m.ledger.provider import SandboxProvider
from tests.brokers import Broker, a_broker, a_free_port, wait_until
from tests.conftest import NOON, empty

SECOND = timedelta(seconds=1)


class Performed:
    """Remembers what handlers were asked to do; what a handler does is undone with its transaction, this isn't."""

    def __init__(self) -> None:
        self.sets: list[str] = []

    def handler(self, kind: str) -> Handler:
        def perform(_session: Session, _ids: Sequence[UUID], _now: datetime) -> None:
            self.sets.append(kind)

        return perform


@pytest.fixture
def performed() -> Performed:
    return Performed()


@pytest.fixture
def worker(database: Database, performed: Performed) -> Worker:
    """A worker that knows two kinds of jobs."""
    return Worker(database, {kind: performed.handler(kind) for kind in ("test.one", "test.two")}, {})


def a_job(database: Database, kind: str = "test.one", *, due_at: datetime = NOON, key: str = "") -> None:
    with database.transaction() as session:
        enqueue(session, kind, [], key=key or kind, due_at=due_at, now=due_at)


def states(database: Database) -> list[tuple[JobState, int]]:
    """State and attempts of every job."""
    c = table_of(Job).c
    with database.reading() as session:
        found = session.execute(sa.select(c.state, c.attempts).order_by(c.id))
        return [(JobState(state), attempts) for state, attempts in found]


def test_a_message_that_comes_twice_begins_its_set_once(
    database: Database, worker: Worker, performed: Performed
) -> None:
    a_job(database)
    sent: list[UUID] = []
    assert worker.hand_out(sent.append, NOON) == 1
    assert performed.sets == []
    assert [worker.perform(token, NOON) for token in sent * 2] == [1, 0]
    assert performed.sets == ["test.one"]
    assert states(database) == [(JobState.DONE, 1)]


def test_a_lost_message_is_sent_again_under_another_token_after_the_lease(
    database: Database, worker: Worker, performed: Performed
) -> None:
    a_job(database)
    sent: list[UUID] = []
    worker.hand_out(sent.append, NOON)
    worker.hand_out(sent.append, NOON + LEASE - SECOND)
    assert len(sent) == 1
    worker.hand_out(sent.append, NOON + LEASE)
    late, again = sent
    assert worker.perform(late, NOON + LEASE) == 0
    assert worker.perform(again, NOON + LEASE) == 1
    assert performed.sets == ["test.one"]
    assert states(database) == [(JobState.DONE, 1)]


def test_a_set_that_was_begun_and_never_ended_is_handed_out_again(
    database: Database, worker: Worker, performed: Performed
) -> None:
    a_job(database)
    sent: list[UUID] = []
    worker.hand_out(sent.append, NOON)
    with database.transaction() as session:
        assert len(jobs._begin(session, sent[0], NOON + SECOND)) == 1  # and its worker dies
    assert worker.perform(sent[0], NOON + 2 * SECOND) == 0
    assert worker.hand_out(sent.append, NOON + LEASE) == 0  # the lease began anew with the work
    assert worker.hand_out(sent.append, NOON + LEASE + SECOND) == 1
    assert worker.perform(sent[1], NOON + LEASE + SECOND) == 1
    assert performed.sets == ["test.one"]
    assert states(database) == [(JobState.DONE, 2)]


def test_no_more_sets_are_handed_out_than_are_worked_off_within_a_lease(
    database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SETS_HANDED_OUT", 1)
    a_job(database, "test.one")
    a_job(database, "test.two")
    sent: list[UUID] = []
    assert worker.hand_out(sent.append, NOON) == 1
    assert sorted(states(database)) == [(JobState.LEASED, 0), (JobState.READY, 0)]
    worker.perform(sent[0], NOON)
    assert worker.hand_out(sent.append, NOON) == 1


def test_jobs_that_are_handed_out_in_vain_count_as_not_kept_up_with(database: Database, worker: Worker) -> None:
    a_job(database)
    for minutes, kept_up_with in ((0, True), (5, True), (10, False)):
        now = NOON + timedelta(minutes=minutes)
        worker.hand_out(lambda _token: None, now)
        with database.reading() as session:
            assert jobs.is_kept_up_with(session, now=now) is kept_up_with


def test_while_the_broker_is_away_jobs_are_run_here(database: Database, worker: Worker, performed: Performed) -> None:
    nobody_listens = f"redis://127.0.0.1:{a_free_port()}/0"
    with pytest.raises(NotSent):
        sender(celery_at(nobody_listens))(UUID(int=0))
    a_job(database)
    assert working_off(worker, nobody_listens)(NOON) == 1
    assert performed.sets == ["test.one"]
    assert states(database) == [(JobState.DONE, 1)]


@pytest.fixture
def broker() -> Iterator[Broker]:
    with a_broker() as broker:
        yield broker


@pytest.fixture
def shared_database(postgres_database: Database) -> Iterator[Database]:
    """The database that workers share."""
    yield postgres_database
    empty(postgres_database)


def audits(database: Database) -> int:
    """How often an audit was performed: each leaves a row, and nothing would keep a second one from leaving another."""
    with database.reading() as session:
        return session.execute(sa.select(sa.func.count()).select_from(table_of(AuditRun))).scalar_one()


def blocked_workers(database: Database) -> list[str]:
    """The workers that wait for a lock."""
    waiting = sa.text("SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with database.reading() as session:
        return list(session.execute(waiting).scalars())


def is_gone(database: Database, worker: str) -> bool:
    """Whether the server has noticed that a worker is dead and undone what it had begun."""
    connected = sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :worker")
    with database.reading() as session:
        return session.execute(connected, {"worker": worker}).scalar_one() == 0


def test_celery_workers_do_each_job_once_even_if_messages_repeat_and_a_worker_is_killed(
    shared_database: Database, broker: Broker
) -> None:
    database = shared_database
    where = {"C2M_DATABASE_URL": database.url}
    workers = {name: broker.start_worker("jobs", PGAPPNAME=name, **where) for name in ("worker-1", "worker-2")}
    broker.wait_for_workers(2)
    send = sender(celery_at(broker.url))
    waker = Worker(database, build_worker(database, SandboxProvider()).handlers, {})

    def send_twice(token: UUID) -> None:
        send(token)
        send(token)

    for number in range(4):  # as a set of its own each
        now = SystemClock().now()
        a_job(database, AUDIT, due_at=now, key=f"audit {number}")
        assert waker.hand_out(send_twice, now) == 1
    wait_until(lambda: states(database) == [(JobState.DONE, 1)] * 4, "performing four jobs")
    assert audits(database) == 4

    now = SystemClock().now()
    a_job(database, AUDIT, due_at=now, key="the killed worker's")
    with database.transaction() as session:
        session.execute(sa.text("LOCK TABLE audit_run IN ACCESS EXCLUSIVE MODE"))
        assert waker.hand_out(send, now) == 1
        wait_until(lambda: blocked_workers(database), "beginning the job")
        [name] = blocked_workers(database)
        workers[name].kill()
    wait_until(lambda: is_gone(database, name), "undoing what the killed worker had begun")
    assert states(database)[-1] == (JobState.LEASED, 1)
    later = ManualClock(SystemClock().now() + LEASE)
    assert waker.hand_out(send_twice, later.now()) == 1
    wait_until(lambda: states(database)[-1] == (JobState.DONE, 2), "doing the killed worker's job")
    assert audits(database) == 5
