"""What is searched for in the marketplace, by day and word, kept without who searched for it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeAlias

from sqlmodel import Session

from c2m.db import insert_missing, update_rows
from c2m.demand.clustering.reading import read
from c2m.demand.models import SearchCount
from c2m.tallying import TallyLog

SEARCHES = "c2m.searches"
LONGEST_WORD = 40
MOST_WORDS = 8  # of one search

Searched: TypeAlias = tuple[date, str]


class SearchLog(TallyLog[Searched]):
    """This process's memory of what was searched for."""

    def note(self, words: str, *, now: datetime) -> None:
        """Somebody searched for these words."""
        said = list(dict.fromkeys(word[:LONGEST_WORD] for word in read(words).words))[:MOST_WORDS]
        with self.lock:
            self.count((now.date(), word) for word in said)

    def store(self, session: Session, noted: Mapping[Searched, int]) -> None:
        add_searches(session, noted)


def add_searches(session: Session, noted: Mapping[Searched, int]) -> None:
    """Add to how often words were searched for on a day."""
    rows = [{"day": day, "word": word, "searches": count} for (day, word), count in sorted(noted.items())]
    insert_missing(session, SearchCount, [row | {"searches": 0} for row in rows])
    update_rows(session, SearchCount, rows, by=("day", "word"), add=("searches",))
