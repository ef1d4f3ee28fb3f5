"""Long jobs have a worker and a process of their own; the others leave them to it."""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import Session

from c2m import jobs
from c2m.app import APART, build_worker, design_attendant
from c2m.config import Imagination
from c2m.db import Database
from c2m.job_rows import is_due
from c2m.jobs import Handler, Schedule, Worker, enqueue
from c2m.ledger.provider import SandboxProvider
from c2m.outbox import announce
from c2m.waking import PAUSE_SECONDS, Attendant
from tests.conftest import NOON

LONG = ("test.long",)


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def done() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def whole(database: Database, done: list[tuple[str, int]]) -> Worker:
    """A worker that knows a short and a long kind of job, and notes the size of each set."""

    def handler(kind: str) -> Handler:
        def perform(_session: Session, ids: Sequence[UUID], _now: datetime) -> None:
            done.append((kind, len(ids)))

        return perform

    kinds = ("test.short", "test.long", "test.daily", "test.told")
    told = {"test.happened": ["test.told"]}
    return Worker(database, {kind: handler(kind) for kind in kinds}, told, [Schedule("test.daily", timedelta(days=1))])


def waiting(database: Database, *kinds: str) -> None:
    with database.transaction() as session:
        for number, kind in enumerate(kinds):
            enqueue(session, kind, [UUID(int=number + 1)], key=f"{kind}{number}", due_at=NOON, now=NOON)


def test_a_worker_leaves_the_kinds_that_another_takes(
    database: Database, whole: Worker, done: list[tuple[str, int]]
) -> None:
    waiting(database, "test.long", "test.short")
    assert whole.leaving(LONG).run_until_idle(NOON) == 2
    assert sorted(done) == [("test.daily", 0), ("test.short", 1)]
    with database.reading() as session:
        assert is_due(session, LONG, now=NOON)


def test_a_dedicated_worker_takes_its_kinds_one_by_one_and_leaves_announcements_and_periods_to_others(
    database: Database, whole: Worker, done: list[tuple[str, int]]
) -> None:
    waiting(database, "test.long", "test.long", "test.short")
    with database.transaction() as session:
        announce(session, "test.happened", [UUID(int=9)], now=NOON)
    own = whole.dedicated(LONG)
    assert len(own.claim(NOON)) == 1
    assert own.run_until_idle(NOON) == 1  # the other one; what was claimed is somebody's
    assert done == [("test.long", 1)]
    assert whole.leaving(LONG).run_until_idle(NOON) == 3
    assert sorted(done[1:]) == [("test.daily", 0), ("test.short", 1), ("test.told", 1)]


def test_what_waits_behind_a_long_job_of_its_kind_is_kept_up_with(database: Database, whole: Worker) -> None:
    waiting(database, "test.long", "test.long")
    later = NOON + jobs.OVERDUE + timedelta(minutes=1)

    def kept_up() -> bool:
        with database.reading() as session:
            return jobs.is_kept_up_with(session, now=later)

    assert not kept_up()
    [held] = whole.dedicated(LONG).claim(later)
    assert kept_up()
    whole.run([held], later)
    assert not kept_up()


@pytest.fixture
def attendant(database: Database, monkeypatch: pytest.MonkeyPatch) -> Attendant:
    """Starts this Python with a program in place of the c2m command."""
    monkeypatch.setattr("c2m.waking.COMMAND", (sys.executable, "-c"))
    return Attendant(database, LONG, ("raise SystemExit(0)",), {"C2M_TOLD": "yes"}, Stopwatch())


def ended(attendant: Attendant) -> int:
    assert attendant._process is not None
    return attendant._process.wait(timeout=60)


def test_a_process_is_started_when_a_job_is_due_and_no_second_one_beside_it(
    database: Database, attendant: Attendant
) -> None:
    attendant.arguments = ("import os, signal; signal.pause()",)
    assert attendant.attend(NOON) == 0
    waiting(database, "test.short")
    assert attendant.attend(NOON) == 0
    waiting(database, "test.long")
    assert attendant.attend(NOON) == 1
    assert attendant.attend(NOON) == 0
    assert attendant._process is not None
    attendant._process.kill()
    ended(attendant)


def test_a_process_that_ended_well_is_followed_by_another_and_has_its_settings(
    database: Database, attendant: Attendant
) -> None:
    attendant.arguments = ("import os; raise SystemExit(os.environ['C2M_TOLD'] != 'yes')",)
    waiting(database, "test.long")
    for _ in range(2):
        assert attendant.attend(NOON) == 1
        assert ended(attendant) == 0


def test_a_process_that_fails_is_not_started_again_at_once(database: Database, attendant: Attendant) -> None:
    attendant.arguments = ("raise SystemExit(3)",)
    waiting(database, "test.long")
    assert attendant.attend(NOON) == 1
    assert ended(attendant) == 3
    assert [attendant.attend(NOON) for _ in range(3)] == [0, 0, 0]
    assert isinstance(attendant.stopwatch, Stopwatch)
    attendant.stopwatch.seconds = PAUSE_SECONDS
    assert attendant.attend(NOON) == 1
    ended(attendant)


def test_pictures_are_made_apart_with_the_settings_of_the_site(database: Database) -> None:
    attendant = design_attendant(database, Imagination(design_model="some/model", design_steps=4))
    assert attendant.arguments[:3] == ("worker", "--queue", "design")
    assert attendant.environment["C2M_DESIGN_MODEL"] == "some/model"
    assert attendant.environment["C2M_DESIGN_STEPS"] == "4"
    assert attendant.environment["C2M_DATABASE_URL"] == database.url
    assert "C2M_DESIGN_LORA" in attendant.environment
    assert "C2M_DESIGN_SIZE" not in attendant.environment  # the model's own
    assert set(APART) <= build_worker(database, SandboxProvider()).handlers.keys()
