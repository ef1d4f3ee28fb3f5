"""A Redis and Celery workers of our own, as real processes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from c2m.broker import celery_at
from tests.conftest import missing

SECRET = "a secret for tests only"
WITHIN_SECONDS = 60


def wait_until(true: Callable[[], object], what: str) -> None:
    """Wait for something that another process does."""
    until = time.monotonic() + WITHIN_SECONDS
    while not true():
        assert time.monotonic() < until, f"{what} took more than {WITHIN_SECONDS} s"
        time.sleep(0.05)


def a_free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Broker:
    """A Redis server that listens on this machine."""

    url: str
    process: subprocess.Popen[bytes]
    workers: list["WorkerProcess"] = field(default_factory=list)

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def start_worker(self, *queues: str, processes: int = 1, **environment: str) -> "WorkerProcess":
        """A `c2m worker` for these queues; it takes a while until it takes work."""
        options = [option for queue in queues for option in ("--queue", queue)]
        command = [sys.executable, "-m", "c2m", "worker", *options, "--processes", str(processes)]
        ours = {"C2M_BROKER_URL": self.url, "C2M_SECRET_KEY": SECRET, "C2M_LOG_LEVEL": "ERROR"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("C2M_")}
        process = subprocess.Popen(command, env=inherited | ours | environment, start_new_session=True)
        worker = WorkerProcess(process)
        self.workers.append(worker)
        return worker

    def has_workers(self) -> bool:
        """Whether any that was started still lives."""
        return any(worker.process.poll() is None for worker in self.workers)

    def wait_for_workers(self, number: int) -> None:
        """Wait until so many workers take work."""
        app = celery_at(self.url)
        wait_until(lambda: len(app.control.ping(timeout=0.3)) >= number, "starting workers")


@dataclass
class WorkerProcess:
    """A Celery worker with its children."""

    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End it and its children without a word, as a machine that loses power."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def a_broker() -> Iterator[Broker]:
    """A Redis of our own on a free port, ended with all its workers."""
    server = shutil.which("redis-server")
    if server is None:
        missing("redis-server")
    port = a_free_port()
    command = [str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd="/")
    broker = Broker(f"redis://127.0.0.1:{port}/0", process)
    try:
        wait_until(lambda: is_open(port), "starting redis-server")
        yield broker
    finally:
        for worker in broker.workers:
            worker.kill()
        broker.stop()
