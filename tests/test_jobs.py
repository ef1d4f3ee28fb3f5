"""Jobs: each effect once, whoever fails, dies or comes twice; on both databases."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from c2m.db import Database, table_of, uuid7
from c2m.jobs import (
    FIRST_BACKOFF,
    IDS_PER_CLAIM,
    LEASE,
    LONGEST_BACKOFF,
    MAX_ATTEMPTS,
    OVERDUE,
    Handler,
    Job,
    JobNotDead,
    JobNotFound,
    JobState,
    OutsideWork,
    Schedule,
    Unanswered,
    Worker,
    enqueue,
    enqueue_all,
    is_kept_up_with,
    retry_dead,
)
from c2m.outbox import IDS_PER_ANNOUNCEMENT, Announcement, announce
from tests.conftest import NOON

BAD = UUID(int=13)
SECOND = timedelta(seconds=1)


class Breaks(Exception):
    """What a handler raises here."""


@pytest.fixture
def calls() -> list[tuple[str, list[int]]]:
    """Each set that a handler saw: its kind and the ids, as numbers."""
    return []


@pytest.fixture
def handler(calls: list[tuple[str, list[int]]]) -> Callable[[str], Handler]:
    def of(kind: str) -> Handler:
        def perform(session: Session, ids: Sequence[UUID], now: datetime) -> None:
            calls.append((kind, [i.int for i in ids]))
            announce(session, "test.performed", ids, now=now)  # an effect that must go when the job does not commit
            if BAD in ids:
                raise Breaks("thirteen")

        return perform

    return of


@pytest.fixture
def worker(database: Database, handler: Callable[[str], Handler]) -> Worker:
    return Worker(database, {kind: handler(kind) for kind in ("test.one", "test.other")}, {})


def store(database: Database, kind: str, *ids: int, due_at: datetime = NOON) -> None:
    """A job for each number."""
    with database.transaction() as session:
        enqueue_all(session, kind, [(f"{kind}:{i}", [UUID(int=i)], due_at) for i in ids], now=NOON)


def jobs(database: Database) -> list[Job]:
    with database.reading() as session:
        return list(session.exec(select(Job).order_by(Job.due_at, Job.id)))


def performed(database: Database) -> list[int]:
    """The ids whose effect was committed."""
    with database.reading() as session:
        found = session.exec(select(Announcement.ids).where(Announcement.topic == "test.performed")).all()
    return sorted(UUID(i).int for ids in found for i in ids)


def test_a_key_is_stored_once(database: Database, worker: Worker) -> None:
    for ids in ([UUID(int=1)], [UUID(int=2)]):
        with database.transaction() as session:
            enqueue(session, "test.one", ids, key="same", due_at=NOON, now=NOON)
    assert worker.run_until_idle(NOON) == 1
    assert performed(database) == [1]


def test_what_is_due_together_runs_as_one_set_of_its_kind(
    database: Database, worker: Worker, calls: list[tuple[str, list[int]]]
) -> None:
    store(database, "test.one", 1, 2, 3)
    store(database, "test.other", 4, due_at=NOON - SECOND)
    store(database, "test.one", 5, due_at=NOON + SECOND)
    assert worker.run_until_idle(NOON) == 4
    assert calls == [("test.other", [4]), ("test.one", [1, 2, 3])]
    assert [job.state for job in jobs(database)] == [JobState.DONE] * 4 + [JobState.READY]


def test_a_set_names_no_more_ids_than_a_claim_may(
    database: Database, worker: Worker, calls: list[tuple[str, list[int]]]
) -> None:
    many = [UUID(int=i + 100) for i in range(IDS_PER_CLAIM)]
    with database.transaction() as session:
        enqueue_all(session, "test.one", [("a", many[:-1], NOON), ("b", many[:2], NOON)], now=NOON)
    worker.run_until_idle(NOON)
    assert [len(ids) for _, ids in calls] == [IDS_PER_CLAIM - 1, 2]


def test_one_bad_job_holds_up_no_other(database: Database, worker: Worker) -> None:
    store(database, "test.one", 12, BAD.int, 14)
    worker.run_until_idle(NOON)
    assert performed(database) == [12, 14]
    [failed] = [job for job in jobs(database) if job.state is not JobState.DONE]
    assert (failed.state, failed.attempts, failed.error) == (JobState.READY, 1, "Breaks: thirteen")
    assert failed.due_at == NOON + FIRST_BACKOFF


def test_a_job_of_many_ids_with_a_bad_one_is_split(database: Database, worker: Worker) -> None:
    with database.transaction() as session:
        enqueue(session, "test.one", [UUID(int=12), BAD, UUID(int=14)], key="k", due_at=NOON, now=NOON)
    worker.run_until_idle(NOON)
    assert performed(database) == [12, 14]
    assert {(job.key, job.state) for job in jobs(database)} == {
        ("k", JobState.DONE),
        (f"k/{UUID(int=12)}", JobState.DONE),
        (f"k/{BAD}", JobState.READY),
        (f"k/{UUID(int=14)}", JobState.DONE),
    }


def test_a_job_that_keeps_failing_waits_ever_longer_and_ends_as_a_dead_letter(
    database: Database, worker: Worker
) -> None:
    store(database, "test.one", BAD.int)
    now, waits = NOON, []
    for _ in range(MAX_ATTEMPTS):
        assert worker.run_until_idle(now) == 1
        [job] = jobs(database)
        waits.append(job.due_at - now)
        now = job.due_at
    assert waits == [min(FIRST_BACKOFF * 2**n, LONGEST_BACKOFF) for n in range(MAX_ATTEMPTS - 1)] + [timedelta()]
    assert (job.state, job.attempts, job.finished_at) == (JobState.DEAD, MAX_ATTEMPTS, now)
    assert worker.run_until_idle(now + timedelta(days=9)) == 0
    assert performed(database) == []


def test_a_dead_letter_gets_another_round(database: Database, worker: Worker) -> None:
    store(database, "test.one", BAD.int, 1)
    with database.transaction() as session:
        session.execute(sa.update(table_of(Job)).where(table_of(Job).c.key == "test.one:13").values(attempts=7))
    worker.run_until_idle(NOON)
    dead, done = (next(job for job in jobs(database) if job.state is state) for state in (JobState.DEAD, JobState.DONE))
    with database.transaction() as session:
        retry_dead(session, dead.id, now=NOON + SECOND)
    [again] = [job for job in jobs(database) if job.id == dead.id]
    assert (again.state, again.attempts, again.due_at, again.error) == (JobState.READY, 0, NOON + SECOND, None)
    with database.writing() as session:
        with pytest.raises(JobNotDead):
            retry_dead(session, done.id, now=NOON)
        with pytest.raises(JobNotFound):
            retry_dead(session, uuid4(), now=NOON)


def test_what_nobody_finished_is_taken_over_and_the_late_one_changes_nothing(
    database: Database, worker: Worker, calls: list[tuple[str, list[int]]]
) -> None:
    store(database, "test.one", 1)
    late = worker.claim(NOON)
    assert worker.claim(NOON + LEASE - SECOND) == []
    prompt = worker.claim(NOON + LEASE)
    assert [(job.attempts, job.ids) for job in prompt] == [(2, [str(UUID(int=1))])]
    worker.run(late, NOON + LEASE)  # too late: another holds the lease
    assert performed(database) == []
    worker.run(prompt, NOON + LEASE)
    assert performed(database) == [1]
    worker.run(late, NOON + LEASE)
    assert performed(database) == [1]
    assert calls == [("test.one", [1])]


def test_outside_answers_are_asked_for_before_and_recorded_with_the_job(database: Database) -> None:
    seen: list[object] = []

    def ask(session: Session, ids: Sequence[UUID], _now: datetime) -> Sequence[str]:
        seen.append(session.exec(select(Job.state)).one())
        return [f"answer {i.int}" for i in ids]

    def record(session: Session, answers: Sequence[str], _now: datetime) -> None:
        seen.extend([*answers, session.exec(select(Job.state)).one()])
        if len(seen) == 3:
            raise Breaks

    worker = Worker(database, {"test.one": OutsideWork(ask, record)}, {})
    store(database, "test.one", 1)
    worker.run_until_idle(NOON)
    assert seen == [JobState.LEASED, "answer 1", JobState.DONE]
    worker.run_until_idle(NOON + FIRST_BACKOFF)  # recording failed: both are done again
    assert seen == [JobState.LEASED, "answer 1", JobState.DONE] * 2
    assert [job.state for job in jobs(database)] == [JobState.DONE]


def test_an_outside_system_that_does_not_answer_is_asked_until_it_does(database: Database) -> None:
    def silent(_session: Session, _ids: Sequence[UUID], _now: datetime) -> Sequence[str]:
        raise Unanswered

    worker = Worker(database, {"test.one": OutsideWork(silent, lambda *_: None)}, {})
    store(database, "test.one", 1)
    now = NOON
    for _ in range(MAX_ATTEMPTS + 2):
        assert worker.run_until_idle(now) == 1
        now += LONGEST_BACKOFF
    [job] = jobs(database)
    assert (job.state, job.attempts) == (JobState.READY, MAX_ATTEMPTS + 2)


def test_an_announcement_becomes_one_job_for_each_who_subscribed(
    database: Database, handler: Callable[[str], Handler], calls: list[tuple[str, list[int]]]
) -> None:
    told = {"test.happened": ["test.one", "test.other"]}
    workers = [Worker(database, {kind: handler(kind) for kind in told["test.happened"]}, told) for _ in range(2)]
    with database.transaction() as session:
        announce(session, "test.happened", [UUID(int=1), UUID(int=2)], now=NOON)
        announce(session, "test.nobody_listens", [UUID(int=3)], now=NOON)
        announce(session, "test.happened", [], now=NOON)
    assert [worker.run_until_idle(NOON) for worker in workers] == [2, 0]
    assert calls == [("test.one", [1, 2]), ("test.other", [1, 2])]


def test_a_long_announcement_is_told_in_parts(database: Database) -> None:
    with database.transaction() as session:
        announce(session, "test.happened", [uuid7() for _ in range(IDS_PER_ANNOUNCEMENT + 1)], now=NOON)
    with database.reading() as session:
        assert [len(ids) for ids in session.exec(select(Announcement.ids).order_by(Announcement.id))] == [500, 1]


def test_an_announcement_that_is_rolled_back_was_never_made(database: Database) -> None:
    with database.writing() as session:
        announce(session, "test.happened", [UUID(int=1)], now=NOON)
        session.rollback()
    with database.reading() as session:
        assert session.exec(select(Announcement)).all() == []


def test_a_period_has_one_job_whoever_wakes(
    database: Database, handler: Callable[[str], Handler], calls: list[tuple[str, list[int]]]
) -> None:
    daily = Schedule("test.one", timedelta(days=1))
    workers = [Worker(database, {"test.one": handler("test.one")}, {}, [daily]) for _ in range(2)]
    for hours in (0, 5, 16, 17):  # noon in Shanghai is eight in the morning, UTC
        for worker in workers:
            worker.run_until_idle(NOON + timedelta(hours=hours))
    assert calls == [("test.one", [])] * 2


def test_a_kind_without_a_handler_is_refused_at_the_start(database: Database) -> None:
    with pytest.raises(ValueError, match=r"test\.missing"):
        Worker(database, {}, {"test.happened": ["test.missing"]})


def test_many_workers_at_once_perform_each_job_once(database: Database, worker: Worker) -> None:
    numbers = list(range(100, 160))
    for number in numbers:
        store(database, "test.one", number, due_at=NOON - number * SECOND)
    with ThreadPoolExecutor(8) as pool:
        ran = list(pool.map(lambda _: worker.dedicated(["test.one"]).run_until_idle(NOON), range(8)))
    assert sum(ran) == len(numbers)
    assert performed(database) == numbers


def test_a_job_that_nobody_takes_is_noticed(database: Database, worker: Worker) -> None:
    store(database, "test.one", 1)

    def kept_up(now: datetime) -> bool:
        with database.reading() as session:
            return is_kept_up_with(session, now=now)

    assert kept_up(NOON + OVERDUE - SECOND)
    assert not kept_up(NOON + OVERDUE)
    worker.claim(NOON + OVERDUE)
    assert kept_up(NOON + OVERDUE)
    assert not kept_up(NOON + OVERDUE + LEASE)
