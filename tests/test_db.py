"""The data layer does the same on SQLite and PostgreSQL: types, rows by the set, units of work."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import select

from c2m.clock import ManualClock, SystemClock
from c2m.db import (
    Database,
    chunks,
    insert_missing,
    insert_rows,
    lock_and_read,
    number_of,
    table_of,
    update_rows,
    uuid7,
)
from c2m.jobs import Job, JobState
from tests.conftest import NOON


def a_job(key: str, **told: object) -> dict[str, object]:
    return {"id": uuid7(), "kind": "test", "key": key, "due_at": NOON, "created_at": NOON, **told}


def stored(database: Database) -> list[Job]:
    with database.reading() as session:
        return list(session.exec(select(Job).order_by(Job.key)))


def test_an_instant_comes_back_as_the_same_instant_in_utc(database: Database) -> None:
    in_shanghai = datetime(2026, 11, 22, 16, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=8)))
    with database.transaction() as session:
        insert_rows(session, Job, [a_job("a", due_at=in_shanghai)])
    [job] = stored(database)
    assert job.due_at == in_shanghai
    assert job.due_at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with database.writing() as session, pytest.raises((ValueError, sa.exc.StatementError), match="aware UTC"):
        insert_rows(session, Job, [a_job("a", due_at=datetime(2026, 11, 22))])  # noqa: DTZ001 - that is the point
    assert stored(database) == []


def test_a_state_that_is_none_is_refused_by_the_database_itself(database: Database) -> None:
    with database.transaction() as session:
        insert_rows(session, Job, [a_job("a")])
    with database.writing() as session, pytest.raises(sa.exc.IntegrityError):
        session.execute(sa.text("UPDATE job SET state = 'lost'"))
    assert [job.state for job in stored(database)] == [JobState.READY]


def test_rows_take_their_defaults_and_lists_stay_lists(database: Database) -> None:
    with database.transaction() as session:
        insert_rows(session, Job, [a_job("a"), a_job("b")])
        insert_rows(session, Job, [a_job("c", ids=["纸", "x"])])
    assert [(job.key, job.ids, job.attempts, job.error) for job in stored(database)] == [
        ("a", [], 0, None),
        ("b", [], 0, None),
        ("c", ["纸", "x"], 0, None),
    ]


def test_rows_whose_key_is_taken_are_passed_over(database: Database) -> None:
    with database.transaction() as session:
        insert_rows(session, Job, [a_job("a", kind="first")])
        insert_missing(session, Job, [a_job("a", kind="second"), a_job("b", kind="second")])
        insert_missing(session, Job, [])
    assert [(job.key, job.kind) for job in stored(database)] == [("a", "first"), ("b", "second")]


def test_a_key_twice_is_refused_and_nothing_of_the_set_is_stored(database: Database) -> None:
    with database.writing() as session, pytest.raises(sa.exc.IntegrityError):
        insert_rows(session, Job, [a_job("a"), a_job("b"), a_job("a")])
    assert stored(database) == []


def test_many_rows_change_in_one_statement_by_id_or_key_set_or_added_to(database: Database) -> None:
    rows = [a_job(key, attempts=1) for key in "abc"]
    with database.transaction() as session:
        insert_rows(session, Job, rows)
        assert update_rows(session, Job, [{"id": rows[0]["id"], "error": "x"}, {"id": uuid7(), "error": "y"}]) == 1
        added = [{"key": "b", "attempts": 5}, {"key": "c", "attempts": -1}]
        assert update_rows(session, Job, added, by=("key",), add=("attempts",)) == 2
        assert update_rows(session, Job, []) == 0
    assert [(job.key, job.attempts, job.error) for job in stored(database)] == [
        ("a", 1, "x"),
        ("b", 6, None),
        ("c", 0, None),
    ]


def test_what_raises_is_rolled_back_whole(database: Database) -> None:
    def broken() -> None:
        with database.transaction() as session:
            insert_rows(session, Job, [a_job("a")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert stored(database) == []


def test_who_reads_sees_nothing_that_is_not_committed_and_waits_for_nobody(database: Database) -> None:
    with database.transaction() as session:
        insert_rows(session, Job, [a_job("a")])
        assert stored(database) == []
    assert [job.key for job in stored(database)] == ["a"]


def test_two_who_write_one_row_go_one_after_the_other(database: Database) -> None:
    job = a_job("a")
    with database.transaction() as session:
        insert_rows(session, Job, [job])
    start = threading.Barrier(4)

    def count_up() -> None:
        start.wait()
        for _ in range(5):
            with database.transaction() as session:
                found = lock_and_read(session, Job, ("id", "attempts"), [job["id"]])  # type: ignore[list-item]
                [row] = found.rows.values()
                update_rows(session, Job, [{"id": row["id"], "attempts": row["attempts"] + 1}])

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.attempts for row in stored(database)] == [20]


def test_time_is_the_servers_only_where_the_clock_is_the_systems(database: Database) -> None:
    job = a_job("a")
    with database.transaction() as session:
        insert_rows(session, Job, [job])
        locked = lock_and_read(session, Job, ("id",), [job["id"]])  # type: ignore[list-item]
        assert lock_and_read(session, Job, ("id",), []).rows == {}
    assert locked.time_by(ManualClock(NOON)) == NOON
    assert (locked.instant is None) == (database.dialect == "sqlite")
    assert abs(locked.time_by(SystemClock()) - SystemClock().now()) < timedelta(minutes=1)


def test_a_link_to_what_is_not_there_is_refused(database: Database) -> None:
    postings = sa.text("INSERT INTO posting VALUES (:id, 1, :id, 'debit', 1, 'CNY')")
    with database.writing() as session, pytest.raises(sa.exc.IntegrityError):
        session.execute(postings, {"id": uuid7().hex})


def test_ids_are_ordered_by_time_and_read_back_equal(database: Database) -> None:
    ids = [uuid7() for _ in range(50)]
    assert ids == sorted(ids)
    with database.transaction() as session:
        insert_rows(session, Job, [a_job(f"{n:02}", id=i) for n, i in enumerate(ids)])
    assert [job.id for job in stored(database)] == ids
    with database.reading() as session:
        assert session.execute(sa.select(table_of(Job).c.id).where(table_of(Job).c.id == ids[7])).scalar() == ids[7]


def test_numbers_can_be_read_out_and_lists_are_cut_for_one_statement() -> None:
    assert number_of("C", UUID(int=0)) == "C-0000000000"
    assert number_of("C", UUID(int=(1 << 128) - 1)) == "C-ZZZZZZZZZZ"
    assert [list(part) for part in chunks([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
