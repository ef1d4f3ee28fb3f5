"""Components solved by Celery workers: the same plan as here, whoever falls silent."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from itsdangerous import BadSignature
from structlog.testing import capture_logs
from typer.testing import CliRunner

from c2m.broker import celery_at
from c2m.db import Database
from c2m.jobs import Schedule, Worker
from c2m.matching import cli, remote
from c2m.matching import jobs as matching_jobs
from c2m.matching.optimiser import Plan, Settings, Status, Stop, check, generate, solve, write_problem
from c2m.matching.optimiser.component import Component
from c2m.matching.optimiser.crew import Alone, Better, Crew, Found, Share
from c2m.matching.optimiser.market import compile_market, components
from c2m.matching.planning import MATCH
from c2m.matching.remote import Parcel, Post, RemoteCrew, remote_crew
from tests.brokers import SECRET, Broker, a_broker, a_free_port
from tests.builders import MORNING, a_line, an_open_sheet

SEED = 3
EFFORT = 12
PROBLEM = replace(generate(18, 16, 6, seed=1), settings=Settings(effort=EFFORT, seed=SEED))
WIDER = replace(generate(36, 32, 6, seed=1), settings=Settings(effort=30, seed=SEED))
LARGE = generate(60, 32, 8, seed=5)


def untimed(plan: Plan) -> Plan:
    return replace(plan, seconds=0.0, cpu_seconds=0.0)


@pytest.fixture(scope="module")
def plan_from_here() -> Plan:
    plan = solve(PROBLEM)
    assert not plan.time_limited
    return untimed(plan)


@pytest.fixture
def broker() -> Iterator[Broker]:
    with a_broker() as broker:
        yield broker


@pytest.fixture(scope="module")
def lasting_broker() -> Iterator[Broker]:
    with a_broker() as broker:
        yield broker


@pytest.fixture
def staffed(lasting_broker: Broker) -> Broker:
    """A broker with two processes that take components; they need no database."""
    if not lasting_broker.has_workers():
        nowhere = "postgresql://nobody@127.0.0.1:1/none"
        lasting_broker.start_worker("matching", processes=2, C2M_DATABASE_URL=nowhere)
        lasting_broker.wait_for_workers(1)
    return lasting_broker


def test_workers_make_the_same_plan_as_this_process_alone(
    staffed: Broker, plan_from_here: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("solved here")

    problem, here, there = (tmp_path / name for name in ("problem.json", "here.json", "there.json"))
    problem.write_text(write_problem(PROBLEM))
    monkeypatch.setenv("C2M_SECRET_KEY", SECRET)
    assert CliRunner().invoke(cli.app, [str(problem), "--out", str(here)]).exit_code == 0
    monkeypatch.setattr(Component, "advance", refuse)
    answer = CliRunner().invoke(cli.app, [str(problem), "--out", str(there), "--broker", staffed.url])
    assert answer.exit_code == 0, answer.exception
    documents = [json.loads(path.read_text()) for path in (here, there)]
    for document in documents:
        assert document.pop("seconds") > 0
        assert document.pop("cpu_seconds") > 0
    assert documents[0]["objective"] == plan_from_here.objective
    assert documents[0] == documents[1]


def test_a_halted_solve_hands_out_the_best_plan_so_far_and_is_wanted_no_more(
    staffed: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[str] = []
    forget = Post.forget
    monkeypatch.setattr(Post, "forget", lambda post, ids: (forgotten.extend(ids), forget(post, ids)))
    stop = Stop()
    with remote_crew(staffed.url, SECRET) as crew:
        assert crew.size == 2
        plan = solve(LARGE, stop, crew=crew, progress=lambda _: stop.halt())
    assert plan.time_limited
    assert plan.status is Status.FEASIBLE
    check(LARGE, plan)
    assert forgotten
    post = Post(staffed.url, SECRET)
    assert not any(post.is_wanted(each) for each in forgotten)


def test_what_a_killed_worker_leaves_is_solved_here(staffed: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "SILENCE", 2.0)
    worker = staffed.workers[-1]
    with capture_logs() as events, remote_crew(staffed.url, SECRET) as crew:
        assert crew.size < len(list(components(compile_market(WIDER))))  # so that some are left when it is killed
        plan = solve(WIDER, crew=crew, progress=lambda _: worker.kill())
    assert untimed(plan) == untimed(solve(WIDER))
    assert not plan.time_limited
    assert "workers fell silent, components are solved here" in [event["event"] for event in events]


class Watched:
    """Works alone, and remembers on what."""

    size = 1

    def __init__(self) -> None:
        self.shares: list[Share] = []

    def work(self, parts: list[Component], shares: Sequence[Share], stop: Stop, found: Found) -> None:
        self.shares += shares
        Alone().work(parts, shares, stop, found)


class LostForWords:
    """In Celery's place: a worker that tells all it finds of a component, and dies before its last word."""

    def __init__(self, post: Post) -> None:
        self.post, self.opened_with, self.told = post, post, 0

    def send_task(self, _name: str, args: list[str], **_options: object) -> None:
        parcel = self.opened_with.opened(args[1])
        parcel.part.advance(Stop(effort=parcel.effort, seconds=parcel.seconds), lambda: self.tell(parcel))

    def tell(self, parcel: Parcel) -> None:
        self.told += 1
        self.post.tell(parcel, Better(parcel.part.orders, parcel.part.cost, parcel.part.bound))


def test_what_a_dead_worker_had_found_leads_to_no_other_plan(
    broker: Broker, plan_from_here: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SILENCE", 0.5)
    post, costs = Post(broker.url, SECRET), []
    dying = LostForWords(post)
    crew = RemoteCrew(dying, post, 2)
    plan = solve(PROBLEM, crew=crew, progress=lambda progress: costs.append(progress.cost))
    assert dying.told > 2
    assert untimed(plan) == plan_from_here
    assert costs == sorted(costs, reverse=True)


def test_workers_that_are_busy_elsewhere_are_not_waited_for(
    broker: Broker, plan_from_here: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SILENCE", 0.5)
    crew = RemoteCrew(celery_at(broker.url), Post(broker.url, SECRET), 2)
    assert untimed(solve(PROBLEM, crew=crew)) == plan_from_here
    assert crew.size == 0


def test_a_broker_that_ends_meanwhile_leaves_everything_to_be_solved_here(broker: Broker, plan_from_here: Plan) -> None:
    crew = RemoteCrew(celery_at(broker.url), Post(broker.url, SECRET), 2)
    ending = threading.Timer(0.5, broker.stop)
    ending.start()
    with capture_logs() as events:
        assert untimed(solve(PROBLEM, crew=crew)) == plan_from_here
    ending.join()
    assert {event["event"] for event in events} == {"broker away, components are solved here"}


def test_without_workers_or_broker_this_process_solves_alone(broker: Broker, plan_from_here: Plan) -> None:
    for url in (broker.url, f"redis://127.0.0.1:{a_free_port()}/0"):
        with capture_logs() as events, remote_crew(url, SECRET) as crew:
            assert isinstance(crew, Alone)
        assert events[-1]["event"] == "no worker takes components, they are solved here"


def test_planning_hires_who_solves_while_there_is_something_to_solve(database: Database) -> None:
    hired: list[Watched] = []

    @contextmanager
    def hire() -> Iterator[Crew]:
        hired.append(Watched())
        yield hired[-1]

    worker = Worker(database, matching_jobs.handlers(hire), {}, [Schedule(MATCH, timedelta(hours=1))])
    worker.run_until_idle(MORNING)
    assert hired == []
    with database.transaction() as session:
        for _ in range(2):
            an_open_sheet(session, 300)
        a_line(session, prices={1: 60_00}, weekly_capacity=100)
        a_line(session, prices={1: 90_00})
    worker.run_until_idle(MORNING + timedelta(hours=1))
    [crew] = hired
    assert crew.shares


def test_a_component_sealed_with_another_secret_is_not_opened(broker: Broker) -> None:
    ours, theirs = Post(broker.url, SECRET), Post(broker.url, "the secret of another installation")
    assert ours.opened(ours.sealed({"a": 1})) == {"a": 1}
    with pytest.raises(BadSignature):
        ours.opened(theirs.sealed({"a": 1}))


def test_a_forged_answer_leaves_everything_to_be_solved_here(broker: Broker, plan_from_here: Plan) -> None:
    forger = LostForWords(Post(broker.url, "the secret of another installation"))
    forger.opened_with = Post(broker.url, SECRET)
    crew = RemoteCrew(forger, Post(broker.url, SECRET), 2)
    assert untimed(solve(PROBLEM, crew=crew)) == plan_from_here
    assert forger.told > 0
    assert crew.size == 0


def test_the_broker_is_refused_where_parcels_could_not_be_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C2M_SECRET_KEY", "change-me")
    monkeypatch.delenv("C2M_DEMO", raising=False)
    (tmp_path / "problem.json").write_text(write_problem(PROBLEM))
    refused = CliRunner().invoke(cli.app, [str(tmp_path / "problem.json"), "--broker", "redis://127.0.0.1:1/0"])
    assert refused.exit_code == 2
    assert "C2M_SECRET_KEY" in refused.stderr
    refused = CliRunner().invoke(cli.app, [str(tmp_path / "problem.json"), "--broker", "amqp://127.0.0.1"])
    assert refused.exit_code == 2
    assert "C2M_BROKER_URL" in refused.stderr
