"""What wakes in this process: the loop that works jobs off, and the processes that long jobs have to themselves."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from c2m.clock import Clock, SystemClock
from c2m.db import Database
from c2m.job_rows import is_due

IDLE_SECONDS = 300  # after which a process that found nothing to do gives its memory back
COMMAND = (sys.executable, "-m", "c2m")
NICER = 5
PAUSE_SECONDS = 60.0  # after one that failed, so that a fault doesn't start it every second

log = structlog.get_logger(__name__)


def start_in_background(
    work_off: Callable[[datetime], int], clock: Clock, *, threads: int, every_seconds: float = 1.0
) -> BackgroundScheduler:
    """Have what is due worked off again and again in this process; APScheduler keeps no state of its own."""
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)  # a worker still at work is no fault
    scheduler = BackgroundScheduler(timezone="UTC")
    for number in range(threads):
        scheduler.add_job(
            lambda: work_off(clock.now()),
            "interval",
            seconds=every_seconds,
            id=f"worker-{number}",
            max_instances=1,
            coalesce=True,
        )
    scheduler.start()
    return scheduler


@dataclass
class Attendant:
    """Has jobs of some kinds done by a process of its own, there only while there is something to do."""

    database: Database
    kinds: Collection[str]
    arguments: tuple[str, ...]  # of the c2m command
    environment: Mapping[str, str] = field(default_factory=dict)
    stopwatch: Callable[[], float] = time.monotonic
    _process: subprocess.Popen[bytes] | None = None
    _pause_until: float = 0.0

    def attend(self, now: datetime) -> int:
        """Start the process if a job is due and none is there; return how many were started."""
        if self._is_there() or self.stopwatch() < self._pause_until:
            return 0
        with self.database.reading() as session:
            if not is_due(session, self.kinds, now=now):
                return 0
        command = [*COMMAND, *self.arguments]
        self._process = subprocess.Popen(command, env={**os.environ, **self.environment})  # noqa: S603 - our own
        return 1

    def _is_there(self) -> bool:
        if self._process is None:
            return False
        status = self._process.poll()
        if status is None:
            return True
        if status != 0:
            log.error("process failed", arguments=self.arguments, status=status, pause_s=PAUSE_SECONDS)
            self._pause_until = self.stopwatch() + PAUSE_SECONDS
        self._process = None
        return False


def keep_at_it(
    work_off: Callable[[datetime], int],
    attendant: Attendant | None,
    *,
    every_seconds: float,
    idle_seconds: float,
    clock: Clock | None = None,
) -> None:
    """Work off what is due again and again, until told to stop or, if so asked, idle for long or left by the parent.

    A process that stops by itself works for another one, so it gives way to it.
    """
    clock, stop = clock or SystemClock(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    parent, last_at_work = os.getppid(), time.monotonic()
    if idle_seconds:
        os.nice(NICER)
    while not stop.is_set():
        if work_off(clock.now()):
            last_at_work = time.monotonic()
        if attendant is not None:
            attendant.attend(clock.now())
        if idle_seconds and (os.getppid() != parent or time.monotonic() - last_at_work > idle_seconds):
            return
        stop.wait(every_seconds)
