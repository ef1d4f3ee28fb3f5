"""The short way of a join: it says yes as the site would, and leaves everything else to the site."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.db import Database, table_of
from c2m.demand.models import Pledge
from c2m.identity.models import SignIn
from tests.builders import a_campaign
from tests.conftest import NOON, Person, Visitor

Client = Callable[..., Visitor]
Choice = tuple[UUID, dict[str, str]]


@pytest.fixture
def choice(database: Database, people: dict[str, Person]) -> Choice:
    """An open campaign with forty pieces, and the form that takes three of them."""
    with database.transaction() as session:
        campaign, variants = a_campaign(
            session,
            organisation_id=people["merchandiser"].organisation_id,
            cap=40,
            opened_at=NOON - timedelta(days=1),
            deadline=NOON + timedelta(days=7),
        )
        return campaign.id, {f"pieces.{variants[0].id}": "3", "idempotency_key": "a-key-of-its-own"}


def send(buyer: Visitor, choice: Choice, *, headers: dict[str, str] | None = None, **more: str) -> tuple[int, str]:
    """Post the form as a browser does, with the token among its fields."""
    campaign, fields = choice
    form = fields | {"csrf_token": buyer.csrf_token()} | more
    answer = buyer.post(f"/campaigns/{campaign}/join", data=form, with_token=False, headers=headers)
    return answer.status_code, answer.headers.get("Location", "")


def pledges(database: Database) -> list[Pledge]:
    with database.reading() as session:
        return list(session.exec(select(Pledge)).all())


@pytest.mark.both_databases
def test_a_join_is_stored_once_and_leads_to_its_order_without_the_whole_site(
    app: Flask, client: Client, database: Database, choice: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = client("buyer")
    buyer.csrf_token()
    monkeypatch.setattr(app, "full_dispatch_request", lambda: pytest.fail("the long way was taken"))
    first, again = send(buyer, choice), send(buyer, choice)
    [pledge] = pledges(database)
    assert first == again == (303, f"/orders/{pledge.id}")
    assert (pledge.quantity, pledge.buyer_id) == (3, buyer.person.organisation_id if buyer.person else None)


UNUSUAL = {
    "a form of another site": (400, {"csrf_token": "forged"}, {}),
    "a field nobody asked for": (422, {"discount": "90"}, {}),
    "a quantity in words": (422, {"pieces.00000000-0000-0000-0000-000000000000": "three"}, {}),
    "a variant of nowhere": (422, {"pieces.00000000-0000-0000-0000-000000000000": "1"}, {}),
    "a team of nowhere": (422, {"team": "nowhere"}, {}),
    "no key": (422, {"idempotency_key": ""}, {}),
    "a program": (201, {}, {"Accept": "application/json"}),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_the_unusual_goes_the_long_way(client: Client, database: Database, choice: Choice, name: str) -> None:
    status, fields, headers = UNUSUAL[name]
    assert send(client("buyer"), choice, headers=headers, **fields)[0] == status
    assert len(pledges(database)) == (1 if status == 201 else 0)


def test_more_than_is_left_is_refused_with_the_page(client: Client, database: Database, choice: Choice) -> None:
    campaign, fields = choice
    many = {name: "41" if name.startswith("pieces") else text for name, text in fields.items()}
    assert send(client("buyer"), (campaign, many))[0] == 422
    assert pledges(database) == []


@pytest.mark.parametrize(("name", "status"), [("factory", 403), ("merchandiser", 403), (None, 401)])
def test_only_buyers_join(client: Client, database: Database, choice: Choice, name: str | None, status: int) -> None:
    assert send(client(name), choice)[0] == status
    assert pledges(database) == []


@pytest.mark.both_databases
def test_a_sign_in_that_ended_joins_nothing(
    client: Client, database: Database, clock: ManualClock, choice: Choice
) -> None:
    buyer = client("buyer")
    with database.transaction() as session:
        session.execute(sa.update(table_of(SignIn)).values(expires_at=clock.now()))
    assert send(buyer, choice)[0] == 401
    assert pledges(database) == []


def test_over_tls_the_page_it_came_from_must_be_ours(client: Client, database: Database, choice: Choice) -> None:
    buyer = client("buyer")
    buyer.csrf_token()
    campaign, fields = choice
    form = fields | {"csrf_token": buyer.csrf_token()}
    for referrer, status in ((None, 400), ("https://elsewhere.example/", 400), ("https://localhost/market", 303)):
        headers = {"Referer": referrer} if referrer else {}
        answer = buyer.post(
            f"/campaigns/{campaign}/join", data=form, with_token=False, headers=headers, base_url="https://localhost"
        )
        assert answer.status_code == status
    assert len(pledges(database)) == 1
