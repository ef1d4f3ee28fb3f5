"""The time, passed in: a use case is told `now`, and only the edge reads a clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock, as an aware UTC instant."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class ManualClock:
    """A clock that moves when it is told to: tests, demo and replay live on it."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant

    def set(self, instant: datetime) -> None:
        """Move forward to `instant`; time never runs backwards.

        Raises:
            ValueError: the instant lies before the present one.
        """
        if instant < self.instant:
            raise ValueError(f"the clock stands at {self.instant}, it can't go back to {instant}")
        self.instant = instant

    def advance(self, by: timedelta) -> None:
        self.set(self.instant + by)


def end_of_day(instant: datetime, time_zone: str, *, days: int = 0) -> datetime:
    """The last instant, in UTC, of the day on which `instant` falls in a time zone, or of a day so many days later."""
    zone = ZoneInfo(time_zone)
    day = instant.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time.max, zone).astimezone(UTC)


def calendar_days(begin: datetime, end: datetime, time_zone: str) -> int:
    """How many days the date of one instant lies after that of another in a time zone."""
    zone = ZoneInfo(time_zone)
    return (end.astimezone(zone).date() - begin.astimezone(zone).date()).days


EVENING = time(22)  # when a day's shopping is done: deadlines that nobody chose end then


def evening_after(earliest: datetime, time_zone: str) -> datetime:
    """The first ten o'clock in the evening, on the clocks of a time zone, that is not before an instant."""
    zone = ZoneInfo(time_zone)
    day = earliest.astimezone(zone).date()
    evening = datetime.combine(day, EVENING, zone)
    if evening < earliest:
        evening = datetime.combine(day + timedelta(days=1), EVENING, zone)
    return evening.astimezone(UTC)
