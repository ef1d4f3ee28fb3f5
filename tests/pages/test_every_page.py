"""Every page that links lead to, on a market that has lived, read as each role, on PostgreSQL."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html import unescape
from itertools import cycle
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from c2m import audit
from c2m.app import create_app
from c2m.clock import ManualClock
from c2m.config import DEMO_PASSWORD, Settings
from c2m.db import Database
from c2m.demo.calendar import Calendar
from c2m.demo.life import live
from c2m.demo.market import Market, Size
from c2m.demo.summary import summarise
from c2m.identity.models import Role
from c2m.ledger.provider import SandboxProvider
from c2m.web.i18n import LOCALE_COOKIE
from tests.conftest import CHEAP, Visitor

END = datetime(2026, 11, 22, 6, tzinfo=UTC)
SMALL = Size(factories=12, buyers=14, merchandisers=1, campaigns=3, drafts=1, concepts=1, picture_px=64)
A_KIND = 2  # pages read of each endpoint
READERS = [None, *Role]
NOT_LINKED = {  # copied, posted to, and asked by programs
    "web.healthz",
    "web.readyz",
    "demand.looks_alike_json",
    "demand.team_link",
    "demand.checkout",
    "matching.arrival_json",
}
NOT_ALWAYS_THERE = {
    "demand.edit_campaign",
    "demand.promote",
    "demand.sheet_compare",
    "demand.sheet_compare_json",
    "matching.counter_offer",
    "matching.offer",
    "matching.offer_csv",
    "matching.offer_json",
    "matching.offer_sheet",
    "matching.offer_sheet_compare",
    "matching.offer_sheet_compare_json",
    "matching.offer_sheet_json",
    "matching.offer_sheet_pdf",
    "pages.want_group_picture",
}
LINK = re.compile(r'(?:href|hx-get|src)="(/[^"]*|\?[^"]*)"')


pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # the pages' own tests run on SQLite


@pytest.fixture
def lived_site(database: Database) -> Flask:
    """The site on a small market that has lived through eight weeks, from first pledges to factories being paid."""
    live(
        Market(database, SandboxProvider(), Calendar(END, 56), 7, SMALL),
        CHEAP.hash(DEMO_PASSWORD),
        lambda _hour: None,
        ThreadPoolExecutor(1),
    )
    with database.reading() as session:
        summary = summarise(session, now=END)
        assert audit.run(session, now=END) == []
    assert summary.work_orders["settled"] > 0
    assert summary.pieces.delivered > 0
    assert summary.money.settled > 0
    assert summary.matched_share_pct > 0
    settings = Settings(
        database_url=database.url,
        secret_key="a secret for tests only",
        secure_cookies=False,
        job_threads=0,
        password_passes=1,
        password_memory_kib=8,
    )
    app = create_app(settings, clock=ManualClock(END), provider=SandboxProvider(), database=database)
    app.testing = True
    app.test_client_class = Visitor
    return app


def test_every_link_leads_to_a_page(lived_site: Flask) -> None:
    found: set[str] = set()
    for role, language in zip(READERS, cycle(("zh", "en"))):
        found |= read_everything(lived_site, role, language)
    readable = {rule.endpoint for rule in lived_site.url_map.iter_rules() if "GET" in (rule.methods or set())}
    assert readable - found <= NOT_LINKED | NOT_ALWAYS_THERE


def read_everything(app: Flask, role: Role | None, language: str) -> set[str]:
    """Follow every link from the front page; the endpoints that were read."""
    reader = app.test_client()
    assert isinstance(reader, Visitor)
    reader.set_cookie(LOCALE_COOKIE, language)
    if role is not None:
        form = {"email": f"{role}@c2m.example", "password": DEMO_PASSWORD}
        assert reader.post("/sign-in", data=form).status_code == 303
    addresses = app.url_map.bind("localhost")
    waiting, known = ["/"], {"/"}
    count: dict[str, int] = {}
    while waiting:
        address = waiting.pop()
        try:
            endpoint, _ = addresses.match(urlsplit(address).path)
        except HTTPException as fault:
            pytest.fail(f"a link leads to {address}: {fault}")
        count[endpoint] = count.get(endpoint, 0) + 1
        if count[endpoint] > A_KIND:
            continue
        answer = reader.get(address)
        assert answer.status_code in (200, 303, 304), f"{role} {language} {address}: {answer.status_code}"
        if answer.mimetype == "text/html":
            for link in LINK.findall(answer.get_data(as_text=True)):
                target = urljoin(address, unescape(link))
                if target not in known:
                    known.add(target)
                    waiting.append(target)
    return set(count)
