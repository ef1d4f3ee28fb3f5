"""What is searched for in the marketplace, by day and word: noted in memory, written a few seconds later in one go.

A page that searches only reads; a process that is killed loses the last seconds, so nothing is counted too high. Words
are kept without who searched for them.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeAlias

import sqlalchemy as sa
import structlog
from sqlmodel import Session

from c2m.db import Database, insert_missing, update_rows
from c2m.demand.clustering.reading import read
from c2m.demand.models import SearchCount

SEARCHES = "c2m.searches"
WRITES_AFTER_SECONDS = 5.0
LONGEST_WORD = 40
MOST_WORDS = 8  # of one search

Searched: TypeAlias = tuple[date, str]

log = structlog.get_logger(__name__)


class SearchLog:
    """This process's memory of what was searched for; without `after_seconds` it is written when somebody says so."""

    def __init__(self, database: Database, *, after_seconds: float | None = WRITES_AFTER_SECONDS) -> None:
        self.database = database
        self.after_seconds = after_seconds
        self._lock = threading.Lock()
        self._noted: Counter[Searched] = Counter()
        self._clock: threading.Timer | None = None

    def note(self, words: str, *, now: datetime) -> None:
        """Somebody searched for these words."""
        said = list(dict.fromkeys(word[:LONGEST_WORD] for word in read(words).words))[:MOST_WORDS]
        with self._lock:
            self._noted.update((now.date(), word) for word in said)
            if self._noted and self._clock is None and self.after_seconds is not None:
                self._clock = threading.Timer(self.after_seconds, self.write)
                self._clock.daemon = True
                self._clock.start()

    def write(self) -> None:
        """Write down what was noted so far; what can't be written now is kept for the next time."""
        with self._lock:
            noted, self._noted = self._noted, Counter()
            clock, self._clock = self._clock, None
        if clock is not None:
            clock.cancel()
        try:
            with self.database.transaction() as session:
                add_searches(session, noted)
        except sa.exc.SQLAlchemyError:
            log.warning("searches_kept", count=noted.total(), exc_info=True)
            with self._lock:
                self._noted.update(noted)


def add_searches(session: Session, noted: Mapping[Searched, int]) -> None:
    """Add to how often words were searched for on a day."""
    rows = [{"day": day, "word": word, "searches": count} for (day, word), count in sorted(noted.items())]
    insert_missing(session, SearchCount, [row | {"searches": 0} for row in rows])
    update_rows(session, SearchCount, rows, by=("day", "word"), add=("searches",))
