"""The demo's days: from its first instant to its last, and what is noted down to be done on them."""

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
USUAL_DAYS = 90
LOCAL = ZoneInfo("Asia/Shanghai")

T = TypeVar("T")


@dataclass(frozen=True)
class Calendar:
    """So many days up to an instant; a shorter demo squeezes what happens into fewer days."""

    ends_at: datetime
    days: int = USUAL_DAYS

    @property
    def starts_at(self) -> datetime:
        return self.ends_at - timedelta(days=self.days)

    def at(self, day: float) -> datetime:
        """The instant so many days from the end (negative: before it), on a full hour and never before the start."""
        instant = self.ends_at + self.lasting(day)
        return max(instant.replace(minute=0, second=0, microsecond=0), self.starts_at + HOUR)

    def evening(self, day: float, hour: int) -> datetime:
        """That hour of that day by the market's clocks, on the same side of the end."""
        instant = self.at(day)
        evening = instant.astimezone(LOCAL).replace(hour=hour).astimezone(UTC)
        return evening if (evening > self.ends_at) == (day > 0) else instant

    def lasting(self, days: float) -> timedelta:
        """So many days of the usual demo."""
        return timedelta(days=days * self.days / USUAL_DAYS)

    def hours(self) -> Iterator[datetime]:
        """Each hour after the start, up to the end."""
        for passed in range(1, self.days * 24 + 1):
            yield self.starts_at + HOUR * passed


def local_hour(instant: datetime) -> int:
    """The hour of the day in the market's place."""
    return instant.astimezone(LOCAL).hour


@dataclass
class Diary(Generic[T]):
    """Things to do, each at its time."""

    entries: list[tuple[datetime, int, T]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def note(self, when: datetime, what: T) -> None:
        """Remember to do something."""
        heapq.heappush(self.entries, (when, next(self.numbers), what))

    def due(self, now: datetime) -> list[T]:
        """Take out what is to be done by now, in the order of its times."""
        found = []
        while self.entries and self.entries[0][0] <= now:
            found.append(heapq.heappop(self.entries)[2])
        return found
