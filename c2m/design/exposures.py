"""How often each variant is shown, by day and place, each visitor once a day."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

from sqlmodel import Session

from c2m.db import Database, insert_missing, update_rows, uuid7
from c2m.design.models import Exposure, Place
from c2m.tallying import WRITES_AFTER_SECONDS, TallyLog

EXPOSURES = "c2m.exposures"
MOST_REMEMBERED = 200_000  # who saw what today; beyond it somebody may be counted twice

Shown: TypeAlias = tuple[UUID, date, Place]


class ExposureLog(TallyLog[Shown]):
    """This process's memory of what was shown, and to whom today."""

    def __init__(self, database: Database, *, after_seconds: float | None = WRITES_AFTER_SECONDS) -> None:
        super().__init__(database, after_seconds=after_seconds)
        self._seen: set[tuple[str, UUID, Place]] = set()
        self._today: date | None = None

    def note(self, variant_ids: Iterable[UUID], place: Place, *, who: str, now: datetime) -> None:
        """These variants were shown to somebody; the same person counts once a day for each variant and place."""
        with self.lock:
            if self._today != now.date() or len(self._seen) > MOST_REMEMBERED:
                self._today, self._seen = now.date(), set()
            new = [each for each in dict.fromkeys(variant_ids) if (who, each, place) not in self._seen]
            self._seen.update((who, each, place) for each in new)
            self.count((each, now.date(), place) for each in new)

    def store(self, session: Session, noted: Mapping[Shown, int]) -> None:
        add_exposures(session, noted)


def add_exposures(session: Session, noted: Mapping[Shown, int]) -> None:
    """Add to how often variants were shown on a day at a place."""
    rows = [
        {"variant_id": variant_id, "day": day, "place": place, "shown": count}
        for (variant_id, day, place), count in sorted(noted.items())
    ]
    insert_missing(session, Exposure, [row | {"id": uuid7(), "shown": 0} for row in rows])
    update_rows(session, Exposure, rows, by=("variant_id", "day", "place"), add=("shown",))
