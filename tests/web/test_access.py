"""Every route × method × viewer, from the URL map: answers are as the view declared, refusals change nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from c2m import migrations
from c2m.db import Database
from c2m.identity.models import Role
from c2m.web.access import Access, UndeclaredRoute, access_of, allow, require_declarations
from tests.conftest import PEOPLE, Person, Visitor

NAMES = (None, "buyer", "buyer2", "factory", "factory2", "merchandiser", "operator")
WITHOUT_TOKEN = {"/market/alike.json"}  # asked by programs, and changes nothing
EXAMPLES = {"UUIDConverter": UUID(int=7), "IntegerConverter": 7, "UnicodeConverter": "x", "PathConverter": "x"}
ENDS_SIGN_IN = "identity.sign_out"


@dataclass(frozen=True)
class Door:
    """One way in: a route and a method, with what its view declared."""

    endpoint: str
    method: str
    address: str
    access: Access
    leads_to_a_row: bool

    def admits(self, name: str | None) -> bool:
        if self.access.everybody:
            return True
        return name is not None and (not self.access.roles or PEOPLE[name] in self.access.roles)


def doors(app: Flask, ids: Mapping[str, UUID] = MappingProxyType({})) -> Iterator[Door]:
    """Every route and method, its arguments filled from `ids` by name; the one that ends a sign-in comes last."""
    rules: list[Rule] = sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint == ENDS_SIGN_IN, rule.rule))
    with app.test_request_context():
        addresses = app.url_map.bind("localhost")
        for rule in rules:
            kinds = {name: type(kind).__name__ for name, kind in rule._converters.items()}
            values = {name: ids.get(name, EXAMPLES[kind]) for name, kind in kinds.items()}
            address = addresses.build(rule.endpoint, values)
            for method in sorted((rule.methods or set()) - {"HEAD"}):
                access = access_of(app.view_functions[rule.endpoint])
                yield Door(rule.endpoint, method, address, access, "UUIDConverter" in kinds.values())


def everything(database: Database) -> dict[str, tuple[int, str]]:
    """Each table's number of rows and a checksum over them."""
    found = {}
    with database.reading() as session:
        for table in migrations.metadata().sorted_tables:
            rows = sorted(repr(tuple(row)) for row in session.execute(sa.select(table)))
            found[table.name] = (len(rows), sha256("\n".join(rows).encode()).hexdigest())
    return found


def knock(visitor: Visitor, door: Door) -> TestResponse:
    """Ask for a page, or send a form."""
    if door.method == "POST":
        return visitor.post(door.address)
    return visitor.open(door.address, method=door.method)


def is_refused(answer: TestResponse, door: Door, name: str | None) -> bool:
    """Whether the answer turns this viewer away: readers are asked to sign in, programs told, others forbidden."""
    if name is not None:
        return answer.status_code == 403
    if door.method == "GET" and not door.address.endswith(".json"):
        return answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in?next=")
    return answer.status_code == 401


@pytest.mark.parametrize("name", NAMES)
def test_each_route_admits_whom_it_declared_and_refusals_change_nothing(
    app: Flask, client: Callable[..., Visitor], database: Database, name: str | None
) -> None:
    visitor = client(name)
    every = list(doors(app))
    assert len(every) > 10
    before = everything(database)
    wrongly_admitted = [
        (door.method, door.address)
        for door in every
        if not door.admits(name) and not is_refused(knock(visitor, door), door, name)
    ]
    assert wrongly_admitted == []
    assert everything(database) == before
    wrongly_refused = [
        (door.method, door.address, answer.status_code)
        for door in every
        if door.admits(name)
        and ((answer := knock(visitor, door)).status_code in (401, 403) or answer.status_code >= 500)
    ]
    assert wrongly_refused == []


def test_each_unsafe_route_refuses_a_request_without_csrf_token(
    app: Flask, client: Callable[..., Visitor], database: Database
) -> None:
    for name in NAMES:
        visitor = client(name)
        before = everything(database)
        for door in doors(app):
            if door.method == "POST":
                status = visitor.post(door.address, with_token=False).status_code
                assert status == (422 if door.address in WITHOUT_TOKEN else 400), door
        assert everything(database) == before


def test_only_safe_methods_and_post_are_served(app: Flask) -> None:
    assert {door.method for door in doors(app)} <= {"GET", "POST", "OPTIONS"}


def test_a_route_that_declares_nothing_keeps_the_site_from_starting(app: Flask) -> None:
    app.add_url_rule("/secret-door", "secret", lambda: "come in")
    with pytest.raises(UndeclaredRoute):
        require_declarations(app)
    with pytest.raises(UndeclaredRoute):
        list(doors(app))


def test_a_route_that_declares_nothing_answers_nobody(app: Flask, client: Callable[..., Visitor]) -> None:
    app.add_url_rule("/secret-door", "secret", lambda: "come in")
    with pytest.raises(UndeclaredRoute):
        client("operator").get("/secret-door")


def test_allow_without_a_role_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one role"):
        allow()


def test_the_role_is_read_anew_at_each_request(
    client: Callable[..., Visitor], people: dict[str, Person], app: Flask, database: Database
) -> None:
    @allow(Role.OPERATOR)
    def vault() -> dict[str, Any]:
        return {"open": True}

    app.add_url_rule("/vault", "vault", vault)
    operator = client("operator")
    assert operator.get("/vault").status_code == 200
    with database.transaction() as session:
        session.execute(sa.text("DELETE FROM role_grant"))
    assert operator.get("/vault").status_code == 403
