"""Counts noted in memory while pages are made, written a few seconds later in one go.

A page that counts only reads, and what is hot is not touched. A process that is killed loses what it noted in its last
seconds, so nothing is ever counted too high.
"""

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import sqlalchemy as sa
import structlog
from sqlmodel import Session

from c2m.db import Database

WRITES_AFTER_SECONDS = 5.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


class TallyLog(ABC, Generic[T]):
    """This process's memory of what happened how often; the first note after a while starts the clock for writing it.

    Without `after_seconds` it is written when somebody says so.
    """

    def __init__(self, database: Database, *, after_seconds: float | None = WRITES_AFTER_SECONDS) -> None:
        self.database = database
        self.after_seconds = after_seconds
        self.lock = threading.Lock()
        self._noted: Counter[T] = Counter()
        self._clock: threading.Timer | None = None

    @abstractmethod
    def store(self, session: Session, noted: Mapping[T, int]) -> None:
        """Add the counts to their rows."""

    def count(self, things: Iterable[T]) -> None:
        """Note these; the lock is held by whoever calls."""
        self._noted.update(things)
        if self._noted and self._clock is None and self.after_seconds is not None:
            self._clock = threading.Timer(self.after_seconds, self.write)
            self._clock.daemon = True
            self._clock.start()

    def write(self) -> None:
        """Write down what was noted so far; what can't be written now is kept for the next time."""
        with self.lock:
            noted, self._noted = self._noted, Counter()
            clock, self._clock = self._clock, None
        if clock is not None:
            clock.cancel()
        try:
            with self.database.transaction() as session:
                self.store(session, noted)
        except sa.exc.SQLAlchemyError:
            log.warning("counts_kept", what=type(self).__name__, count=noted.total(), exc_info=True)
            with self.lock:
                self._noted.update(noted)
