"""Workers under Celery, started from our own command."""

import os
import socket
from collections.abc import Sequence
from functools import cache, partial

from c2m.app import build_worker
from c2m.broker import Queue, celery_at, perform_jobs
from c2m.clock import SystemClock
from c2m.config import Settings
from c2m.db import Database
from c2m.jobs import Worker
from c2m.ledger.provider import SandboxProvider
from c2m.matching.remote import Post, advance_components, remote_crew


def work(settings: Settings, queues: Sequence[Queue], *, processes: int) -> None:
    """Take work from these queues until told to stop; what is begun is finished first."""
    url, secret = settings.broker_url, settings.secret_key.get_secret_value()

    @cache  # first called in a process that Celery forked, as connections don't outlive a fork
    def worker_of_process() -> Worker:
        return build_worker(Database(settings.database_url), SandboxProvider(), hire=partial(remote_crew, url, secret))

    app = celery_at(url)
    perform_jobs(app, worker_of_process, SystemClock())
    advance_components(app, Post(url, secret))
    app.Worker(
        queues=[queue.value for queue in queues],
        hostname=f"{'-'.join(queues)}-{os.getpid()}@{socket.gethostname()}",
        concurrency=processes,
        pool="prefork",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    ).start()
