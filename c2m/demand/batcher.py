"""Joins in batches: in each process one writer, one transaction for everybody who was waiting, first come first served.

What limits a flash sale is the lock on the campaign's row, held until the commit is on disk. Whatever waits when the
writer is free is the next batch; nobody lingers for more company, and nobody is answered before the commit.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from c2m.clock import Clock
from c2m.db import Database
from c2m.demand.joining import place_pledges
from c2m.demand.pledge_requests import Offers, PledgeRequest
from c2m.errors import Forbidden, Refusal, Unauthenticated, Unavailable
from c2m.identity.models import Role
from c2m.identity.queries import SignedIn, all_signed_in
from c2m.ledger.rules import AccountRef
from c2m.ledger.service import OPEN_ACCOUNTS

JOINS = "c2m.joins"
log = structlog.get_logger(__name__)

MOST_A_BATCH = 250
MOST_WAITING = 2_000
MOST_REMEMBERED = 2_000  # campaigns whose offers a process keeps in mind
PATIENCE_SECONDS = 20.0
IDLE_SECONDS = 5.0  # a writer with nothing to do ends, so that a process that stops waits for no one

Answer = UUID | Refusal


@dataclass(frozen=True)
class Stranger:
    """Somebody known by a sign-in only; the batch finds out who it is, and then what they ask for."""

    token_hash: str
    request: Callable[[SignedIn], PledgeRequest]


Waiting = tuple[PledgeRequest | Stranger, "Future[Answer]"]


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
        self._offers: Offers = {}  # of campaigns that were open, which doesn't change any more
        self._accounts: set[AccountRef] = set()  # known to be there

    def join(self, request: PledgeRequest | Stranger, *, patience: float = PATIENCE_SECONDS) -> UUID:
        """Let one buyer join; returns once it is committed.

        Raises:
            Unavailable: too many are waiting, or the turn did not come in time; nothing was stored.
            Unauthenticated, Forbidden: a stranger's sign-in doesn't hold, or not for a buyer.
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

    def _queue(self, request: PledgeRequest | Stranger) -> "Future[Answer]":
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

    def _place(self, waiting: Sequence[PledgeRequest | Stranger]) -> list[Answer]:
        with self.database.transaction() as session:
            known = self._introduced(session, waiting)
            requests = [request for request in known if isinstance(request, PledgeRequest)]
            accounts = session.info[OPEN_ACCOUNTS] = set(self._accounts)
            placed = iter(place_pledges(session, requests, now=self.clock, offers=self._offers))
        self._accounts = accounts
        if len(self._offers) > MOST_REMEMBERED:
            self._offers.clear()
            self._accounts = set()
        return [next(placed) if isinstance(request, PledgeRequest) else request for request in known]

    def _introduced(
        self, session: Session, waiting: Sequence[PledgeRequest | Stranger]
    ) -> list[PledgeRequest | Refusal]:
        """What everybody asks for; strangers are looked up together, before anything is locked."""
        hashes = [one.token_hash for one in waiting if isinstance(one, Stranger)]
        people = all_signed_in(session, hashes, now=self.clock.now()) if hashes else {}

        def introduced(one: PledgeRequest | Stranger) -> PledgeRequest | Refusal:
            if isinstance(one, PledgeRequest):
                return one
            who = people.get(one.token_hash)
            if who is None:
                return Unauthenticated()
            return one.request(who) if Role.BUYER in who.roles else Forbidden()

        return [introduced(one) for one in waiting]
