"""Headers, cookies, language, colours, and the addresses that say whether the site is well."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask

from c2m import jobs
from c2m.app import configure_logging, create_app, strike_out_secrets
from c2m.config import Settings
from c2m.db import Database
from c2m.web.security import local_address
from c2m.web.viewer import COOKIE
from tests.conftest import NOON, Person, Visitor


def test_the_content_security_policy_is_strict_and_its_nonce_new(client: Callable[..., Visitor]) -> None:
    first, second = (client().get("/sign-in").headers["Content-Security-Policy"] for _ in range(2))
    rules = dict(rule.strip().split(" ", 1) for rule in first.split(";"))
    assert rules["default-src"] == "'self'"
    assert rules["img-src"] == "'self' data:"
    assert rules["frame-ancestors"] == "'none'"
    assert rules["script-src"].startswith("'self' 'nonce-")
    assert "unsafe" not in first
    assert "*" not in first
    assert first != second


def test_pages_carry_the_other_headers_too(client: Callable[..., Visitor]) -> None:
    headers = client().get("/sign-in").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_behind_https_cookies_are_secure(database: Database, settings: Settings, people: dict[str, Person]) -> None:
    app = create_app(settings.model_copy(update={"secure_cookies": True, "trusted_proxies": 1}), database=database)
    app.testing, app.test_client_class = True, Visitor
    visitor = app.test_client()
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost", "X-Forwarded-For": "203.0.113.9"}
    page = visitor.get("/sign-in", headers=forwarded)
    assert "; Secure;" in page.headers["Set-Cookie"]
    assert "max-age=" in page.headers["Strict-Transport-Security"]
    assert app.config["SESSION_COOKIE_HTTPONLY"] is True


@pytest.mark.parametrize("target", ["/", "/market?page=2&q=%E6%9D%AF", "/a//b"])
def test_addresses_of_this_site_are_followed(target: str) -> None:
    assert local_address(target, "/home") == target


@pytest.mark.parametrize(
    "target",
    ["//evil", "///evil", "/\\evil", "\\\\evil", "https://evil", "javascript:x", "evil", "", None, "/\tx", "/\r\nx: y"],
)
def test_other_addresses_are_not(target: str | None) -> None:
    assert local_address(target, "/home") == "/home"


def test_the_language_is_kept_in_a_cookie(client: Callable[..., Visitor]) -> None:
    visitor = client()
    assert '<html lang="zh-CN"' in visitor.get("/sign-in").get_data(as_text=True)
    answer = visitor.post("/locale", data={"locale": "en", "next": "/sign-in"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert '<html lang="en"' in visitor.get("/sign-in").get_data(as_text=True)


def test_the_colours_are_kept_until_the_device_decides_again(client: Callable[..., Visitor]) -> None:
    visitor = client()
    visitor.post("/theme", data={"theme": "dark"})
    assert 'data-theme="dark"' in visitor.get("/sign-in").get_data(as_text=True)
    visitor.post("/theme", data={"theme": ""})
    assert "data-theme=" not in visitor.get("/sign-in").get_data(as_text=True).partition(">")[0]
    visitor.set_cookie("theme", '"><script>')
    assert "<script>" not in visitor.get("/sign-in").get_data(as_text=True).partition("<head>")[0]


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/locale", {"locale": "xx"}),
        ("/locale", {}),
        ("/locale", {"locale": "en", "role": "operator"}),
        ("/theme", {"theme": "{{7*7}}"}),
    ],
)
def test_a_wrong_choice_is_refused(client: Callable[..., Visitor], address: str, form: dict[str, str]) -> None:
    answer = client().post(address, data=form)
    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers or COOKIE not in answer.headers["Set-Cookie"]


def test_a_redirect_after_a_choice_stays_on_the_site(client: Callable[..., Visitor]) -> None:
    answer = client().post("/theme", data={"theme": "dark", "next": "//evil.example"})
    assert answer.headers["Location"] == "/"


def test_the_process_is_well(client: Callable[..., Visitor]) -> None:
    assert client().get("/healthz").get_json() == {"status": "ok"}


def test_the_site_is_ready_on_its_own_schema_only(client: Callable[..., Visitor], database: Database) -> None:
    ready = {"status": "ready", "database": True, "migrations": True, "jobs": True}
    assert client().get("/readyz").get_json() == ready
    with database.transaction() as session:
        known = session.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
        session.execute(sa.text("UPDATE alembic_version SET version_num = 'older'"))
    answer = client().get("/readyz")
    assert (answer.status_code, answer.get_json()["migrations"]) == (503, False)
    with database.transaction() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = :known"), {"known": known})


def test_a_site_whose_jobs_nobody_works_off_is_not_ready(client: Callable[..., Visitor], database: Database) -> None:
    with database.transaction() as session:
        jobs.enqueue(session, "test.work", [], key="left alone", due_at=NOON - timedelta(minutes=6), now=NOON)
    answer = client().get("/readyz")
    assert (answer.status_code, answer.get_json()["jobs"]) == (503, False)


def test_a_database_out_of_reach_is_not_ready(app: Flask, settings: Settings) -> None:
    away = Database("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    site = create_app(settings, database=away)
    answer = site.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "secret" not in answer.get_data(as_text=True)


def test_the_log_is_json_on_stderr_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        configure_logging("INFO")
        log = structlog.get_logger()
        log.debug("too quiet")
        try:
            raise ValueError("broken")
        except ValueError as error:
            log.error("fault", password="hunter2", exc_info=error)
    finally:
        structlog.configure(**before)
    said = capsys.readouterr()
    entry = json.loads(said.err)
    assert said.out == ""
    assert (entry["event"], entry["level"], entry["password"]) == ("fault", "error", "***")
    assert "ValueError: broken" in entry["exception"]


def test_secrets_are_struck_out_of_the_log() -> None:
    said: dict[str, Any] = {"event": "sign-in", "password": "hunter2", "csrf_token": "x", "Cookie": "y", "email": "e"}
    kept = {"event": "sign-in", "password": "***", "csrf_token": "***", "Cookie": "***", "email": "e"}
    assert strike_out_secrets(None, "info", said) == kept
