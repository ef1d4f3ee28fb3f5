"""Joining over the web: the form and the programs' way, a full line, and what a flash sale looks like to its buyers."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand.batcher import JOINS, JoinBatcher
from c2m.identity.models import Role, RoleGrant, SignIn, User
from c2m.identity.rules import token_hash
from tests.conftest import PASSWORD, PASSWORD_HASH, Person, Visitor
from tests.demand.market import Market

JSON = {"Accept": "application/json"}


@pytest.fixture
def market(database: Database) -> Market:
    return Market(database, now=datetime(2026, 11, 22, 8, 0, tzinfo=UTC))


def form(market: Market, campaign: UUID, pieces: int, key: str = "") -> dict[str, str]:
    return {f"pieces.{market.variant(campaign)}": str(pieces), "idempotency_key": key or str(uuid4())}


def test_joining_leads_to_the_order(client: Callable[..., Visitor], market: Market) -> None:
    campaign = market.campaign()
    answer = client("buyer").post(f"/campaigns/{campaign}/join", data=form(market, campaign, 3))
    [pledge] = market.pledges(campaign)
    assert (answer.status_code, answer.location) == (303, f"/orders/{pledge.id}")
    assert (pledge.quantity, pledge.placed_at) == (3, market.now)


@pytest.mark.parametrize("way", ["join", "checkout", "wait"])
def test_after_the_deadline_a_sentence_says_that_nothing_was_ordered(
    client: Callable[..., Visitor], market: Market, clock: ManualClock, way: str
) -> None:
    campaign, shop = market.campaign(cap=50), client("buyer")
    shop.set_cookie("locale", "en")
    clock.advance(timedelta(days=8))
    page = shop.get(f"/campaigns/{campaign}").get_data(as_text=True)
    assert "Settling" in page
    assert "Continue to checkout" not in page
    answer = shop.post(f"/campaigns/{campaign}/{way}", data=form(market, campaign, 3))
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "nothing was ordered or charged" in page
    assert "Your 3 pieces" not in page
    assert market.pledges(campaign) == []


def test_the_price_follows_the_pieces_chosen(client: Callable[..., Visitor], market: Market) -> None:
    campaign, shop = market.campaign(), client("buyer")
    shop.set_cookie("locale", "en")
    part = shop.post(f"/campaigns/{campaign}/quote", data=form(market, campaign, 60)).get_data(as_text=True)
    assert 'id="headline" hx-swap-oob' in part
    assert "Price with your pieces" in part
    assert 'id="bar" hx-swap-oob' in part
    assert "¥2,040.00" in part


def test_the_language_switch_keeps_what_was_entered(client: Callable[..., Visitor], market: Market) -> None:
    campaign, shop = market.campaign(cap=50), client("buyer")
    sent = form(market, campaign, 60)
    answer = shop.post(f"/campaigns/{campaign}/checkout", data=sent)
    assert answer.status_code == 422
    assert f'name="next" value="/campaigns/{campaign}?pieces.' in answer.get_data(as_text=True)


def test_a_program_is_told_its_order_and_refused_with_problems(client: Callable[..., Visitor], market: Market) -> None:
    campaign, shop = market.campaign(cap=50), client("buyer")
    sent = form(market, campaign, 48)
    address = f"/campaigns/{campaign}/join"
    first = shop.post(address, data=sent, headers=JSON)
    [pledge] = market.pledges(campaign)
    assert first.status_code == 201
    assert first.json == {"pledge_id": str(pledge.id), "order": f"/orders/{pledge.id}"}
    assert shop.post(address, data=sent, headers=JSON).json == first.json
    reused = shop.post(address, data=form(market, campaign, 2, key=sent["idempotency_key"]), headers=JSON)
    assert (reused.status_code, reused.json["type"]) == (422, "urn:c2m:problem:KeyReused")  # type: ignore[index]
    full = shop.post(address, data=form(market, campaign, 3), headers=JSON)
    assert (full.status_code, full.json["type"]) == (409, "urn:c2m:problem:CampaignFull")  # type: ignore[index]
    wrong = shop.post(address, data=form(market, campaign, 3) | {"pieces.x": "1"}, headers=JSON)
    assert (wrong.status_code, wrong.mimetype) == (422, "application/problem+json")
    assert len(market.pledges(campaign)) == 1


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_full_line_answers_503_and_when_to_come_back(
    app: Flask, client: Callable[..., Visitor], market: Market, accept: str
) -> None:
    campaign = market.campaign()
    joins: JoinBatcher = app.extensions[JOINS]
    joins.most_waiting = 0
    shop = client("buyer")
    sent = form(market, campaign, 3)
    turned_away = shop.post(f"/campaigns/{campaign}/join", data=sent, headers={"Accept": accept})
    assert turned_away.status_code == 503
    assert int(turned_away.headers["Retry-After"]) > 0
    assert market.pledges(campaign) == []
    assert market.get(campaign).pledged_quantity == 0
    joins.most_waiting = 10
    assert shop.post(f"/campaigns/{campaign}/join", data=sent).status_code == 303


@pytest.fixture
def mortal_site(database: Database, tmp_path: Path) -> Iterator[int]:
    """The site under gunicorn whose worker is killed between the first commit of a join and its answer; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "dies").touch()
    settings = {
        "C2M_DATABASE_URL": database.url,
        "C2M_DEMO": "1",
        "C2M_JOB_THREADS": "0",
        "C2M_TEST_DIES": str(tmp_path / "dies"),
    }
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
    command += ["--no-control-socket", "tests.demand.mortal_site:site()"]
    running = subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.DEVNULL)
    yield port
    running.terminate()
    running.wait(30)


def test_a_worker_killed_between_commit_and_answer_leaves_one_pledge(
    mortal_site: int, database: Database, tmp_path: Path
) -> None:
    market = Market(database, now=datetime.now(UTC))
    campaign, buyer = market.campaign(), market.buyer()
    sign_in(database, buyer, market.now)
    cookie, token = cookie_and_token(mortal_site)
    body = urlencode(form(market, campaign, 3, key="killed-once") | {"csrf_token": token})
    headers = {"Cookie": f"{cookie}; c2m_sign_in=a-token", "Content-Type": "application/x-www-form-urlencoded"}
    with pytest.raises(ConnectionError):
        ask(mortal_site, "POST", f"/campaigns/{campaign}/join", body, headers)
    [pledge] = market.pledges(campaign)
    assert not (tmp_path / "dies").exists()
    cookie_and_token(mortal_site)  # another worker has taken over
    again = ask(mortal_site, "POST", f"/campaigns/{campaign}/join", body, headers)
    assert (again.status, again.headers["Location"]) == (303, f"/orders/{pledge.id}")
    assert [p.id for p in market.pledges(campaign)] == [pledge.id]
    assert market.get(campaign).pledged_quantity == 3


def ask(
    port: int, method: str, address: str, body: str = "", headers: dict[str, str] | None = None
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    connection.request(method, address, body, headers or {})
    return connection.getresponse()


def cookie_and_token(port: int) -> tuple[str, str]:
    """A form's token and the cookie it belongs to, once the site answers."""
    until = time.monotonic() + 120
    while True:
        try:
            answer = ask(port, "GET", "/sign-in")
            page = answer.read().decode()
            return answer.headers["Set-Cookie"].split(";")[0], page.split('name="csrf_token" value="')[1].split('"')[0]
        except ConnectionError:
            assert time.monotonic() < until
            time.sleep(0.1)


def sign_in(database: Database, buyer: UUID, now: datetime) -> None:
    with database.transaction() as session:
        user = User(
            organisation_id=buyer, email="shop@c2m.test", name="Shop", password_hash=PASSWORD_HASH, registered_at=now
        )
        session.add(user)
        session.flush()
        session.add(RoleGrant(user_id=user.id, role=Role.BUYER))
        session.add(
            SignIn(
                token_hash=token_hash("a-token"), user_id=user.id, signed_in_at=now, expires_at=now + timedelta(days=1)
            )
        )


@pytest.mark.browser
def test_a_flash_sale_that_sells_out(
    live_site: str, context: BrowserContext, people: dict[str, Person], market: Market
) -> None:
    campaign = market.campaign(cap=50, minimum=10, deadline=market.now + timedelta(minutes=10))
    market.join(campaign, 40)
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: said.append(str(error.error)))
    context.add_cookies([{"name": "locale", "value": "en", "url": live_site}])

    def at_checkout(person: str, pieces: int) -> Page:
        context.clear_cookies(name="c2m_sign_in")
        page = context.new_page()
        page.goto(f"{live_site}/sign-in?next=/campaigns/{campaign}")
        page.locator("input[name=email]").fill(people[person].email)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main form button.btn[type=submit]").first.click()
        page.wait_for_url(f"**/campaigns/{campaign}")
        page.locator(f"[name='pieces.{market.variant(campaign)}']").fill(str(pieces))
        page.locator("#join button.btn.go[type=submit]").click()
        page.wait_for_url("**/checkout?*")
        return page

    first = at_checkout("buyer", 6)
    first.locator("form[action$='/join'] button[type=submit]").first.click()
    first.wait_for_url("**/orders/*")
    assert "6 pieces" in first.locator("main").inner_text()

    late = at_checkout("buyer2", 4)
    market.join(campaign, 3)  # somebody is faster while this buyer reads the terms
    late.locator("form[action$='/join'] button[type=submit]").first.click()
    late.get_by_text("Only 1 pieces are left.").first.wait_for()
    late.locator(f"[name='pieces.{market.variant(campaign)}']").fill("1")
    late.locator("#join button.btn.go[type=submit]").click()
    late.wait_for_url("**/checkout?*")
    late.locator("form[action$='/join'] button[type=submit]").first.click()
    late.wait_for_url("**/orders/*")
    assert market.get(campaign).pledged_quantity == 50
    assert [text for text in said if "422" not in text] == []  # chromium reports the refused form as an error
