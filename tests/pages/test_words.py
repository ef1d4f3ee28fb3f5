"""Every kind of job and account has its words."""

from c2m.app import build_worker
from c2m.db import Database
from c2m.ledger.models import AccountKind
from c2m.ledger.provider import SandboxProvider
from c2m.pages.words import ACCOUNTS, JOBS


def test_every_job_the_worker_knows_has_words() -> None:
    worker = build_worker(Database("sqlite://"), SandboxProvider())
    assert set(JOBS) == set(worker.handlers)


def test_every_kind_of_account_has_words() -> None:
    assert set(ACCOUNTS) == set(AccountKind)
