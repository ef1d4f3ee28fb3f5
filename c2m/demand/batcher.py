"""Joins in batches: in each process one writer, one transaction for everybody who was waiting, first come first served.

What limits a flash sale is the lock on the campaign's row, held until the commit is on disk. Whatever waits when the
writer is free is the next batch; nobody lingers for more company, and nobody is answered before the commit.
"""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError

from c2m.clock import Clock
from c2m.db import Database, lock_rows, present_instant
from c2m.demand.joining import PledgeRequest, place_pledges
from c2m.demand.models import Campaign
from c2m.errors import Refusal, Unavailable

JOINS = "c2m.joins"
log = structlog.get_logger(__name__)

MOST_A_BATCH = 250
MOST_WAITING = 2_000
PATIENCE_SECONDS = 20.0
IDLE_SECONDS = 5.0  # a writer with nothing to do ends, so that a process that stops waits for no one

Answer = UUID | Refusal
Waiting = tuple[PledgeRequest, "Future[Answer]"]


class JoinBatcher:
    """The way into a campaign: requests wait in line for this process's writer.

    The writer is a thread started by the first request, hence after any fork; it is not a daemon, so that a process
    that stops first answers who is in line.
    """

    def __init__(self, database: Database, clock: Clock, *, most_waiting: int = MOST_WAITING) -> None:
        self.database = database
        self.clock = clock
        self.most_waiting = most_waiting
        self._line: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._writer: threading.Thread | None = None

    def join(self, request: PledgeRequest, *, patience: float = PATIENCE_SECONDS) -> UUID:
        """Let one buyer join; returns once it is committed.

        Raises:
            Unavailable: too many are waiting, or the turn did not come in time; nothing was stored.
            Refusal: as place_pledge.
        """
        answer = self._queue(request)
        try:
            result = answer.result(patience)
        except TimeoutError:
            if answer.cancel():
                raise Unavailable() from None
            result = answer.result()  # it is being written: the commit is waited for
        if isinstance(result, Refusal):
            raise result
        return result

    def _queue(self, request: PledgeRequest) -> "Future[Answer]":
        answer: Future[Answer] = Future()
        with self._changed:
            if len(self._line) >= self.most_waiting:
                raise Unavailable()
            self._line.append((request, answer))
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._write_batches, name="joins")
                self._writer.start()
            self._changed.notify()
        return answer

    def _write_batches(self) -> None:
        while batch := self._next_batch():
            self._write(batch)

    def _next_batch(self) -> list[Waiting]:
        """Who is next in line; nobody, when nobody has come for a while."""
        with self._changed:
            while self._changed.wait_for(lambda: self._line, IDLE_SECONDS):
                taken = [self._line.popleft() for _ in range(min(len(self._line), MOST_A_BATCH))]
                if batch := [waiting for waiting in taken if waiting[1].set_running_or_notify_cancel()]:
                    return batch
            self._writer = None
            return []

    def _write(self, batch: Sequence[Waiting]) -> None:
        """Commit a batch, then answer; one that fails is tried request by request, so that a bad one fails alone."""
        try:
            answers = self._place([request for request, _ in batch])
        except Exception as error:
            if len(batch) == 1 or isinstance(error, OperationalError):  # the database is away for one as for all
                for _, waiting in batch:
                    waiting.set_exception(error)
                return
            log.warning("batch of joins failed, writing one by one", requests=len(batch), error=str(error))
            for one in batch:
                self._write([one])
            return
        for (_, waiting), answer in zip(batch, answers, strict=True):
            waiting.set_result(answer)

    def _place(self, requests: Sequence[PledgeRequest]) -> list[Answer]:
        with self.database.transaction() as session:
            lock_rows(session, Campaign, sorted({r.campaign_id for r in requests}))
            return place_pledges(session, requests, now=present_instant(session, self.clock))
