"""How an audit is asked for: on the command line, every day, by the operator; what is kept of it."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.audit import Finding
from c2m.audit.check import MOST_IDS, Check, Part, findings_of
from c2m.audit.cli import report
from c2m.audit.invariants import INVARIANTS
from c2m.audit.jobs import AUDIT, SCHEDULES, audit_is_due, handlers, latest_audit, request_audit
from c2m.audit.jobs import findings_of as findings_kept
from c2m.audit.models import AuditRun
from c2m.db import Database, table_of
from c2m.demand.models import Campaign, Pledge
from c2m.jobs import Job, Worker
from tests.builders import MORNING, a_campaign, a_confirmed_pledge

DAY = timedelta(days=1)


def a_spoilt_market(session: Session) -> Campaign:
    """A campaign that counts a piece nobody pledged."""
    return a_campaign(session, pledged_quantity=1)[0]


def worker(database: Database) -> Worker:
    return Worker(database, handlers(), {}, SCHEDULES)


def test_an_empty_database_breaks_nothing(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(database, as_json=False, now=MORNING)
    said = capsys.readouterr().out
    assert said.count("✓") == len(INVARIANTS) == 13
    assert "✗" not in said


def test_the_table_marks_what_is_broken_and_names_the_rows(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    with database.transaction() as session:
        campaign = a_spoilt_market(session)
    assert not report(database, as_json=False, now=MORNING)
    said = capsys.readouterr().out
    [line] = [line for line in said.splitlines() if "A campaign's count isn't what its pledges come to." in line]
    assert str(campaign.id) in line
    assert "✗" in said


def test_the_json_says_for_each_invariant_whether_it_holds(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.transaction() as session:
        campaign = a_spoilt_market(session)
    assert not report(database, as_json=True, now=MORNING)
    said = json.loads(capsys.readouterr().out)
    assert list(said["invariants"]) == list(INVARIANTS)
    assert said["invariants"]["I9"]["holds"] is True
    assert said["invariants"]["I4"]["holds"] is False
    assert said["invariants_broken"] == len({finding["invariant"] for finding in said["findings"]})
    assert {
        "invariant": "I4",
        "sentence": "A campaign's count isn't what its pledges come to.",
        "ids": [str(campaign.id)],
        "broken": 1,
    } in said["findings"]


def test_an_audit_runs_once_a_day_and_its_findings_are_kept(database: Database) -> None:
    with database.transaction() as session:
        campaign = a_spoilt_market(session)
    loop = worker(database)
    for hours in (0, 1, 2, 24, 25):
        loop.run_until_idle(MORNING + timedelta(hours=hours))
    with database.reading() as session:
        runs = session.exec(select(AuditRun).order_by(col(AuditRun.audited_at))).all()
        assert [run.audited_at for run in runs] == [MORNING, MORNING + DAY]
        newest = latest_audit(session)
        assert newest is not None
        assert newest.id == runs[-1].id
        assert newest.seconds >= 0
        [counted] = [f for f in findings_kept(newest)["I4"] if f.sentence.startswith("A campaign's count")]
        assert counted == Finding("I4", counted.sentence, (str(campaign.id),), 1)


def test_an_audit_asked_for_twice_runs_once(database: Database) -> None:
    with database.transaction() as session:
        assert latest_audit(session) is None
        request_audit(session, now=MORNING)
        request_audit(session, now=MORNING)
        assert audit_is_due(session)
        assert session.exec(select(sa.func.count()).select_from(Job).where(Job.kind == AUDIT)).one() == 1
    Worker(database, handlers(), {}).run_until_idle(MORNING)
    with database.transaction() as session:
        assert not audit_is_due(session)
        audit = latest_audit(session)
        assert audit is not None
        assert audit.findings == []
        request_audit(session, now=MORNING + timedelta(minutes=1))
        assert audit_is_due(session)


@pytest.mark.parametrize("rows_a_part", [1, 2, 3, 7, 1000])
def test_the_parts_of_a_check_cover_every_row_once(database: Database, rows_a_part: int) -> None:
    pledge = table_of(Pledge)
    with database.transaction() as session:
        campaign, [variant] = a_campaign(session)
        pledges = [a_confirmed_pledge(session, campaign, {variant.id: 1}) for _ in range(7)]

        def every(part: Part) -> sa.Select[tuple[object]]:
            return sa.select(pledge.c.id).where(part.of(pledge.c.id))

        check = Check("I4", "seen", every, pledge.c.id, rows_a_part)
        assert list(check.names(session, MORNING)) == sorted(str(pledge.id) for pledge in pledges)


def test_a_finding_names_the_first_rows_and_counts_them_all(database: Database) -> None:
    numbers = sa.select(sa.literal(0).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(sa.select(numbers.c.n + 1).where(numbers.c.n < MOST_IDS + 4))

    def many(_part: Part) -> sa.Select[tuple[int, str]]:
        return sa.select(numbers.c.n, sa.literal("x")).order_by(numbers.c.n)

    with database.reading() as session:
        [finding] = findings_of(session, [Check("I4", "many", many)], now=MORNING)
    assert finding.broken == MOST_IDS + 5
    assert len(finding.ids) == MOST_IDS
    assert finding.ids[1] == "1/x"
