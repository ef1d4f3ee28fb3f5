"""The site and the worker as they are joined."""

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from c2m import app as joined
from c2m.app import STAGES, build_worker, create_app
from c2m.clock import ManualClock
from c2m.config import Settings
from c2m.db import Database
from c2m.jobs import Job, Schedule, enqueue
from c2m.ledger.provider import SandboxProvider

ROOT = Path(__file__).parents[1]
ADDRESS = re.compile(r"""(?:url_for\(|Place\()\s*['"]([a-z_]+\.[a-z_]+)['"]""")
WORKED_OFF_WITHIN_SECONDS = 30


def test_the_worker_knows_every_stages_jobs_and_announcements(database: Database) -> None:
    worker = build_worker(database, SandboxProvider())
    for stage in STAGES:
        assert stage.handlers().keys() <= worker.handlers.keys()
        for topic, kinds in stage.SUBSCRIPTIONS.items():
            assert set(kinds) <= set(worker.subscriptions[topic])
    assert "ledger.carry_out" in worker.handlers


def test_no_two_stages_claim_one_job_or_the_other_ones_announcement(database: Database) -> None:
    worker = build_worker(database, SandboxProvider())
    kinds = [kind for stage in STAGES for kind in stage.handlers()]
    assert len(kinds) == len(set(kinds))
    for heard in worker.subscriptions.values():
        assert len(heard) == len(set(heard))


def test_an_idle_market_stays_idle(database: Database, clock: ManualClock) -> None:
    worker = build_worker(database, SandboxProvider())
    worker.run_until_idle(clock.now())
    assert worker.run_until_idle(clock.now()) == 0
    clock.advance(timedelta(days=1))
    worker.run_until_idle(clock.now())
    with database.reading() as session:
        assert session.execute(sa.text("SELECT count(*) FROM job WHERE state <> 'done'")).scalar() == 0


def test_the_site_works_off_jobs_in_the_background_when_told_to(
    database: Database, settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    start = joined.start_in_background
    monkeypatch.setattr(joined, "start_in_background", lambda *a, **k: started.append(start(*a, **k)))
    with database.transaction() as session:
        enqueue(session, "identity.forget_stale", [], key="by hand", due_at=clock.now(), now=clock.now())
    create_app(settings.model_copy(update={"job_threads": 1}), clock=clock, database=database)
    try:
        assert _done_in_time(database)
    finally:
        for scheduler in started:
            scheduler.shutdown(wait=True)


def test_without_job_threads_nothing_runs_by_itself(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joined, "start_in_background", lambda *a, **k: pytest.fail("started"))
    create_app(settings, database=database)


def test_every_address_the_templates_and_views_name_exists(app: Flask) -> None:
    assert app.url_build_error_handlers == []
    sources = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "c2m").rglob("*.py")]
    named = {(found, path.name) for path in sources for found in ADDRESS.findall(path.read_text())}
    assert len(named) > 50
    assert [place for place in sorted(named) if place[0] not in app.view_functions] == []


def test_every_schedule_names_a_known_job(database: Database) -> None:
    worker = build_worker(database, SandboxProvider())
    assert all(isinstance(schedule, Schedule) and schedule.kind in worker.handlers for schedule in worker.schedules)
    assert worker.schedules


def _done_in_time(database: Database) -> bool:
    deadline = time.monotonic() + WORKED_OFF_WITHIN_SECONDS
    while time.monotonic() < deadline:
        with database.reading() as session:
            if session.execute(sa.select(Job.state).where(Job.key == "by hand")).scalar() == "done":
                return True
        time.sleep(0.1)
    return False
