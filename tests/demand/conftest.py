"""What demand's tests ask for: a market on both databases, and browsers signed in as each person."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from c2m.app import build_worker
from c2m.db import Database
from c2m.jobs import Worker
from c2m.ledger.provider import SandboxProvider
from tests.conftest import PASSWORD, Person
from tests.demand.market import Market

Go = Callable[[str, str], Page]


@pytest.fixture
def market(database: Database) -> Market:
    return Market(database)


@pytest.fixture
def worker(database: Database, provider: SandboxProvider) -> Worker:
    return build_worker(database, provider)


@pytest.fixture
def said() -> list[str]:
    """What browsers complained of."""
    return []


@pytest.fixture
def go(app: Flask, live_site: str, browser: Browser, people: dict[str, Person], said: list[str]) -> Go:
    """`go("buyer", "/orders")`: the page in the browser of this person, who signed in through the form."""
    pages: dict[str, Page] = {}

    def visit(name: str, path: str) -> Page:
        if name not in pages:
            pages[name] = page = browser.new_context(locale="en-GB").new_page()
            page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", lambda r: None if r.url.startswith((live_site, "data:")) else said.append(r.url))
            page.goto(f"{live_site}/sign-in")
            page.fill("input[name=email]", people[name].email)
            page.fill("input[name=password]", PASSWORD)
            page.click("main button[type=submit]")
        pages[name].goto(live_site + path)
        return pages[name]

    return visit
