"""What a line can make in a week: working days by the Chinese calendar, shifts, units. No database, no clock."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays

COUNTRY = "CN"  # where the factories are; adjusted working days (调休) are in the library's calendar
MOST_UNITS = 10_000_000


@lru_cache(maxsize=1)
def _calendar() -> holidays.HolidayBase:
    return holidays.country_holidays(COUNTRY)


@lru_cache(maxsize=4096)
def closed_days(week: date, days_a_week: int) -> tuple[tuple[date, str], ...]:
    """The working days of a line that are public holidays in a week, with their names."""
    days = (week + timedelta(days=i) for i in range(days_a_week))
    return tuple((day, str(_calendar()[day])) for day in days if day in _calendar())


def usual_capacity(weekly: int, week: date, days_a_week: int) -> int:
    """Pieces of an ordinary week that this one has, its public holidays being closed."""
    return weekly * (days_a_week - len(closed_days(week, days_a_week))) // days_a_week


@dataclass(frozen=True)
class Load:
    """How many units a piece takes: `num` / `den`."""

    num: int = 1
    den: int = 1

    def pieces(self, units: int) -> int:
        """Whole pieces that can be made of so many units."""
        return units * self.den // self.num

    def figure(self, pieces: int, entered: int | None) -> int:
        """These pieces in units: the figure that was entered where it still says them, else the whole units in them."""
        if entered is not None and self.pieces(entered) == pieces:
            return entered
        return pieces * self.num // self.den


@dataclass(frozen=True)
class Shifts:
    """An ordinary week: days from Monday on, shifts a day, units a shift; None: its pieces stay as they are."""

    days_a_week: int
    shifts_a_day: int
    units_a_shift: int | None = None

    @property
    def units(self) -> int | None:
        """What a week has in all."""
        if self.units_a_shift is None:
            return None
        return self.days_a_week * self.shifts_a_day * self.units_a_shift
