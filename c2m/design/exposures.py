"""How often each variant is shown: noted in memory while pages are made, written a few seconds later in one go.

A page that shows concepts only reads, and the joins' way is not touched. A process that is killed loses what it noted
in its last seconds, so exposures are never counted too high.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlmodel import Session

from c2m.db import Database, insert_missing, update_rows, uuid7
from c2m.design.models import Exposure, Place

EXPOSURES = "c2m.exposures"
WRITES_AFTER_SECONDS = 5.0
MOST_REMEMBERED = 200_000  # who saw what today; beyond it somebody may be counted twice

Shown: TypeAlias = tuple[UUID, date, Place]

log = structlog.get_logger(__name__)


class ExposureLog:
    """This process's memory of what was shown; the first note after a while starts the clock for writing it down.

    Without `after_seconds` it is written when somebody says so.
    """

    def __init__(self, database: Database, *, after_seconds: float | None = WRITES_AFTER_SECONDS) -> None:
        self.database = database
        self.after_seconds = after_seconds
        self._lock = threading.Lock()
        self._noted: Counter[Shown] = Counter()
        self._seen: set[tuple[str, UUID, Place]] = set()
        self._today: date | None = None
        self._clock: threading.Timer | None = None

    def note(self, variant_ids: Iterable[UUID], place: Place, *, who: str, now: datetime) -> None:
        """These variants were shown to somebody; the same person counts once a day for each variant and place."""
        with self._lock:
            if self._today != now.date() or len(self._seen) > MOST_REMEMBERED:
                self._today, self._seen = now.date(), set()
            for variant_id in variant_ids:
                if (who, variant_id, place) not in self._seen:
                    self._seen.add((who, variant_id, place))
                    self._noted[variant_id, now.date(), place] += 1
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
            self._store(noted)
        except sa.exc.SQLAlchemyError:
            log.warning("exposures_kept", count=noted.total(), exc_info=True)
            with self._lock:
                self._noted.update(noted)

    def _store(self, noted: Counter[Shown]) -> None:
        with self.database.transaction() as session:
            add_exposures(session, noted)


def add_exposures(session: Session, noted: Mapping[Shown, int]) -> None:
    """Add to how often variants were shown on a day at a place."""
    rows = [
        {"variant_id": variant_id, "day": day, "place": place, "shown": count}
        for (variant_id, day, place), count in sorted(noted.items())
    ]
    insert_missing(session, Exposure, [row | {"id": uuid7(), "shown": 0} for row in rows])
    update_rows(session, Exposure, rows, by=("variant_id", "day", "place"), add=("shown",))
