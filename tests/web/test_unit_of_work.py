"""One request is one unit of work: committed after the view, rolled back when it refuses or fails."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlmodel import Session, col, select

from c2m.clock import ManualClock
from c2m.db import Database, uuid7
from c2m.errors import Conflict
from c2m.identity.models import RoleGrant, SignInFailure
from c2m.web.access import public
from c2m.web.context import db_session, request_time
from c2m.web.flask_app import writes
from tests.conftest import Visitor

pytestmark = pytest.mark.both_databases


def add_failure() -> None:
    db_session().add(SignInFailure(id=uuid7(), email="a@b.cd", address="", failed_at=request_time()))


def failures(database: Database) -> int:
    with database.reading() as session:
        return len(session.exec(select(SignInFailure)).all())


def add_view(app: Flask, view: Callable[[], Any], method: str = "POST") -> None:
    app.add_url_rule("/probe", "probe", public(view), methods=[method])


def test_what_a_posted_view_wrote_is_committed(app: Flask, client: Callable[..., Visitor], database: Database) -> None:
    def view() -> str:
        add_failure()
        return "done"

    add_view(app, view)
    assert client().post("/probe").status_code == 200
    assert failures(database) == 1


def test_a_refusal_rolls_back(app: Flask, client: Callable[..., Visitor], database: Database) -> None:
    def view() -> str:
        add_failure()
        db_session().flush()
        raise Conflict

    add_view(app, view)
    assert client().post("/probe").status_code == 409
    assert failures(database) == 0


def test_an_answer_that_shows_the_form_again_rolls_back(
    app: Flask, client: Callable[..., Visitor], database: Database
) -> None:
    def view() -> tuple[str, int]:
        add_failure()
        db_session().flush()
        return "mend this", 422

    add_view(app, view)
    assert client().post("/probe").status_code == 422
    assert failures(database) == 0


def test_a_commit_that_fails_is_answered_by_the_error_page(
    app: Flask, client: Callable[..., Visitor], database: Database
) -> None:
    def view() -> str:
        db_session().add(RoleGrant(user_id=uuid7(), role="buyer"))
        return "done"

    add_view(app, view)
    answer = client().post("/probe")
    assert answer.status_code == 409
    assert "done" not in answer.get_data(as_text=True)
    with database.reading() as session:
        assert not session.exec(select(RoleGrant).where(col(RoleGrant.role) == "nobody")).all()


@pytest.mark.parametrize(("decorate", "kept"), [(lambda view: view, 0), (writes, 1)])
def test_a_get_keeps_nothing_unless_it_is_marked_as_writing(
    app: Flask, client: Callable[..., Visitor], database: Database, decorate: Any, kept: int
) -> None:
    def view() -> str:
        add_failure()
        db_session().flush()
        return "done"

    add_view(app, decorate(view), "GET")
    assert client().get("/probe").status_code == 200
    assert failures(database) == kept


def test_a_request_happens_at_one_instant(app: Flask, client: Callable[..., Visitor], clock: ManualClock) -> None:
    def view() -> dict[str, bool]:
        first = request_time()
        clock.advance(timedelta(seconds=5))
        return {"same": request_time() == first}

    add_view(app, view, "GET")
    assert client().get("/probe").get_json() == {"same": True}


def test_the_session_is_closed_after_the_request(app: Flask, client: Callable[..., Visitor]) -> None:
    kept: list[Session] = []

    def view() -> str:
        add_failure()
        kept.append(db_session())
        return "done"

    add_view(app, view)
    client().post("/probe")
    assert not kept[0].in_transaction()
