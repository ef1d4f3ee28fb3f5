"""Order lines pooled: one pledge per buyer, product and day, and the window in which each product's pledges meet."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from hashlib import blake2b
from itertools import groupby, takewhile
from operator import attrgetter
from zoneinfo import ZoneInfo

from c2m.errors import N_, Refusal
from c2m.replay.lines import OrderLine


class BadWindow(Refusal):
    sentence = N_("%(text)s is no window; say how many days, such as 7d.")


class Mode(StrEnum):
    """What opens a product's window: its first order, or the calendar."""

    TRIGGER = "trigger"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class Window:
    """The days [opens_on, closes_on) in which the pledges to one product are pooled."""

    product_key: str
    opens_on: date
    closes_on: date

    def opens_at(self, zone: ZoneInfo) -> datetime:
        """The first instant of the first day, in UTC."""
        return datetime.combine(self.opens_on, time.min, zone).astimezone(UTC)

    def closes_at(self, zone: ZoneInfo) -> datetime:
        """The first instant after the last day, in UTC."""
        return datetime.combine(self.closes_on, time.min, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class DailyPledge:
    """What one buyer ordered of one product on one day, in one or more lines."""

    window: Window
    buyer: str
    lines: tuple[OrderLine, ...]

    @property
    def day(self) -> date:
        return self.lines[0].day

    @property
    def at(self) -> datetime:
        """When the first of its lines was ordered."""
        return self.lines[0].at

    @property
    def quantity(self) -> int:
        """Pieces."""
        return sum(line.quantity for line in self.lines)

    @property
    def spend_minor(self) -> int:
        """What the pieces cost at the prices in the file, before any tier."""
        return sum(line.spend_minor for line in self.lines)

    @property
    def wait_days(self) -> int:
        """Days from the day of the order to the day on which its window closes."""
        return (self.window.closes_on - self.day).days


@dataclass(frozen=True, slots=True)
class MarketDay:
    """One day on which something happens: windows close as it begins, others open, and pledges come in."""

    day: date
    closing: tuple[Window, ...]
    opening: tuple[Window, ...]
    pledges: tuple[DailyPledge, ...]


def window_days(text: str) -> int:
    """The days that "7d" stands for.

    Raises:
        BadWindow: anything but a number of days from 1d to 366d.
    """
    match = re.fullmatch(r"([0-9]{1,3})d", text)
    if match is None or not 1 <= int(match[1]) <= 366:
        raise BadWindow(text=text)
    return int(match[1])


def market_days(lines: Iterable[OrderLine], *, mode: Mode = Mode.TRIGGER, days: int = 7) -> Iterator[MarketDay]:
    """The days of the market, in order, until the last window is closed. Memory holds one day and the open windows.

    Args:
        lines: in order of time.
        mode: trigger: a product's first order opens a window of that day and the next days - 1; the first order after
            it opens the next. calendar: windows of `days` days follow one another from Monday, 1 January 1 on, so that
            seven days are the weeks from Monday to Sunday.

    Raises:
        ValueError: a window of less than a day.
    """
    if days < 1:
        raise ValueError("a window takes at least one day")
    open_windows: dict[str, Window] = {}
    for day, todays in groupby(lines, key=attrgetter("day")):
        yield from _days_of_closing_only(open_windows, before=day)
        closing = _take_due(open_windows, before=day + timedelta(days=1))
        opening: list[Window] = []
        orders: defaultdict[tuple[str, str], list[OrderLine]] = defaultdict(list)
        for line in todays:
            orders[line.product_key, line.buyer].append(line)
            if line.product_key not in open_windows:
                open_windows[line.product_key] = _window(line.product_key, day, mode, days)
                opening.append(open_windows[line.product_key])
        pledges = (DailyPledge(open_windows[product], buyer, tuple(of)) for (product, buyer), of in orders.items())
        yield MarketDay(day, closing, tuple(opening), tuple(pledges))
    yield from _days_of_closing_only(open_windows, before=date.max)


def _window(product_key: str, day: date, mode: Mode, days: int) -> Window:
    into_window = (day.toordinal() - 1) % days if mode is Mode.CALENDAR else 0
    opens_on = day - timedelta(days=into_window)
    return Window(product_key, opens_on, opens_on + timedelta(days=days))


def _days_of_closing_only(open_windows: dict[str, Window], *, before: date) -> Iterator[MarketDay]:
    for day, closing in groupby(_take_due(open_windows, before=before), key=attrgetter("closes_on")):
        yield MarketDay(day, tuple(closing), (), ())


def _take_due(open_windows: dict[str, Window], *, before: date) -> tuple[Window, ...]:
    """Remove and return the windows that close before a day; the first opened closes first, all being equally long."""
    due = tuple(takewhile(lambda window: window.closes_on < before, open_windows.values()))
    for window in due:
        del open_windows[window.product_key]
    return due


def takes_part(buyer: str, *, participation: float, seed: int) -> bool:
    """Whether a buyer pools at all: a share `participation` of buyers does, the same ones for the same seed.

    Whoever takes part at one share also does at every higher one.
    """
    drawn = blake2b(f"{seed} {buyer}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big") < participation * 2**64
