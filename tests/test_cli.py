"""The `c2m` command: what it does, what it refuses, and with which exit status."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from c2m import __version__
from c2m.cli import main
from c2m.db import Database
from c2m.identity.models import Role
from c2m.identity.queries import roles_of, user_by_email

Command = Callable[..., tuple[int, str, str]]
STARTS_WITHIN_SECONDS = 120


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of an installation of its own; gives the address of its database file."""
    for name in [name for name in os.environ if name.startswith("C2M_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "c2m.sqlite3"
    monkeypatch.setenv("C2M_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("C2M_SECRET_KEY", "a secret for tests only")
    monkeypatch.setenv("C2M_PASSWORD_PASSES", "1")
    monkeypatch.setenv("C2M_PASSWORD_MEMORY_KIB", "8")
    return path


@pytest.fixture
def c2m(installed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command: arguments → exit status, what it said, what it complained about."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["c2m", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_a_fresh_installation_migrates_gets_an_operator_and_works_off_its_jobs(installed: Path, c2m: Command) -> None:
    assert c2m("migrate")[0] == 0
    assert c2m("add-operator", "Ops@C2M.test", "--password", "a long password") == (
        0,
        "Ops@C2M.test may sign in\n",
        "",
    )
    database = Database(f"sqlite:///{installed}")
    with database.reading() as session:
        user = user_by_email(session, "ops@c2m.test")
        assert user is not None
        assert roles_of(session, user.id) == {Role.OPERATOR}
    database.dispose()
    again = c2m("add-operator", "ops@c2m.test", "--password", "a long password")
    assert again == (1, "", "There is already an account with this e-mail address.\n")
    status, said, _ = c2m("worker", "--once")
    assert status == 0
    assert int(said.split(" jobs run")[0]) >= 1


@pytest.mark.parametrize(
    ("arguments", "changes", "status", "sentence"),
    [
        (["serve"], {}, 2, "The database is not up to date; run `c2m migrate` first."),
        (["worker", "--once"], {}, 2, "The database is not up to date; run `c2m migrate` first."),
        (["serve", "--debug", "--host", "0.0.0.0"], {}, 2, "--debug"),
        (["serve"], {"C2M_SECRET_KEY": "change-me"}, 2, "C2M_SECRET_KEY is still at its default"),
        (["serve"], {"C2M_SECRET_KEY": "short"}, 2, "C2M_SECRET_KEY is too short"),
        (["serve"], {"C2M_CURRENCY": "yuan"}, 2, "C2M_CURRENCY: "),
        (["add-operator", "nobody", "--password", "a long password"], {}, 2, "is not an e-mail address"),
        (["add-operator", "a@b.cd", "--password", "short"], {}, 2, "10 characters"),
        (["audit", "--database-url", "nonsense"], {}, 2, "A database is named like"),
        (["migrate"], {"C2M_DATABASE_URL": "mysql://x"}, 2, "A database is named like"),
        (["migrate"], {"C2M_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, 1, "The database can't be used"),
        (["migrate"], {"C2M_DATABASE_URL": "sqlite:////nowhere/c2m.sqlite3"}, 2, "/nowhere of the database doesn't"),
        (["worker", "--queue", "jobs"], {}, 2, "--queue needs a broker; set C2M_BROKER_URL."),
        (["worker", "--queue", "jobs"], {"C2M_BROKER_URL": "redis://x/0"}, 2, "The database is not up to date"),
        (["worker", "--queue", "jobs", "--queue", "design"], {}, 2, "give --queue design a process of its own."),
        (["worker", "--queue", "design", "--once"], {}, 2, "The database is not up to date"),
        (["worker", "--queue", "jam"], {}, 2, "'jam'"),
        (["serve"], {"C2M_BROKER_URL": "amqp://x"}, 2, "C2M_BROKER_URL: "),
        (["dance"], {}, 2, "dance"),
        (["serve", "--port", "99999"], {}, 2, "--port"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_status(
    c2m: Command,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    changes: dict[str, str],
    status: int,
    sentence: str,
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    answered, _, complaint = c2m(*arguments)
    assert answered == status
    assert sentence in complaint
    assert "Traceback" not in complaint


def test_a_worker_without_its_model_says_so_at_once(c2m: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert c2m("migrate")[0] == 0
    monkeypatch.setenv("C2M_DESIGN_MODEL", "./nowhere")
    answered, _, complaint = c2m("worker", "--queue", "design", "--once")
    assert answered == 0
    assert "No pictures can be made. There is no image model at ./nowhere: model_index.json is missing." in complaint


def test_the_version_is_told(c2m: Command) -> None:
    assert c2m("--version") == (0, f"{__version__}\n", "")


def test_the_site_is_served_until_it_is_told_to_stop(c2m: Command) -> None:
    assert c2m("migrate")[0] == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = subprocess.Popen(
        [sys.executable, "-m", "c2m", "serve", "--port", str(port)],
        env=os.environ | {"C2M_ACCESS_LOG": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert answers(f"http://127.0.0.1:{port}/readyz?q=something") == 200
    finally:
        site.send_signal(signal.SIGTERM)
        _, log = site.communicate(timeout=STARTS_WITHIN_SECONDS)
    assert site.returncode == 0
    events = [json.loads(line) for line in log.splitlines()]  # every line is one
    request = next(event for event in events if event["event"] == "request" and event["status"] == 200)
    assert (request["method"], request["path"], request["level"]) == ("GET", "/readyz", "info")
    assert {"gunicorn.error"} <= {event.get("logger") for event in events}


def test_a_line_of_the_log_is_one_write_so_that_processes_may_share_it() -> None:
    tells = """if True:
        import structlog, sys
        from c2m.app import configure_logging

        class Stream:
            written = []
            write = written.append
            flush = int

        sys.stderr, real = Stream(), sys.stderr
        configure_logging()
        structlog.get_logger().warning("something")
        sys.exit([text[-1] for text in Stream.written] != [chr(10)])
    """
    assert subprocess.run([sys.executable, "-c", tells], check=False).returncode == 0


def test_only_a_folder_below_the_present_one_is_made(
    c2m: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("C2M_DATABASE_URL", "sqlite:///var/c2m.sqlite3")
    assert c2m("migrate")[0] == 0
    assert (tmp_path / "var" / "c2m.sqlite3").exists()


def test_the_web_starts_without_the_libraries_that_only_pictures_paper_or_a_broker_need() -> None:
    heavy = "scipy torch sklearn diffusers transformers celery kombu redis reportlab fontTools"
    check = f"import sys, c2m.app; sys.exit(', '.join(set('{heavy}'.split()) & set(sys.modules)) or 0)"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def answers(address: str) -> int:
    """The status of an address that may take a moment to be there."""
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            with urlopen(address, timeout=STARTS_WITHIN_SECONDS) as answer:
                return int(answer.status)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
