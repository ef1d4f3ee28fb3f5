"""A factory's weeks as CSV: taken away, edited in a spreadsheet, brought back; each bad row is named."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from c2m.errors import N_, Invalid, Refusal
from c2m.matching.calendars import MOST_UNITS
from c2m.matching.capacity import CapacityRow, capacity_map
from c2m.matching.models import Capability, LineKind
from c2m.matching.queries import capabilities
from c2m.matching.rules import is_too_far, monday
from c2m.matching.weeks import CapacityBooked, set_week_capacity

HEAD = ("category", "process", "kind", "week", "unit", "capacity")
MOST_ROWS = 2_000
DELIMITERS = ",;\t"  # a comma where several are as frequent
ENCODINGS = ("utf-8-sig", "gb18030")  # as spreadsheets write it, here and in China


class InvalidCalendar(Invalid):
    """`errors` maps a row's number in the file to its sentence."""

    sentence = N_("The file was not taken over; nothing has changed.")


class BadRow(Refusal):
    sentence = N_("This row can't be read.")


class WrongHead(BadRow):
    sentence = N_("The first row must name the columns %(columns)s.")


class TooManyRows(BadRow):
    sentence = N_("A file has at most %(most)s rows.")


class UnknownLine(BadRow):
    sentence = N_("You have no line for this category, process and kind of hours.")


class BadWeek(BadRow):
    sentence = N_("Write the week as a day in it, such as 2026-11-23.")


class PastWeek(BadRow):
    sentence = N_("This week is over.")


class TooFarAhead(BadRow):
    sentence = N_("This week lies more than two years ahead.")


class NoRows(BadRow):
    sentence = N_("The file names no weeks.")


class UnknownColumn(BadRow):
    sentence = N_("There is no column %(name)s; the columns are %(columns)s.")


class BadCapacity(BadRow):
    sentence = N_("The capacity is a whole number, 0 or more.")


class OtherUnit(BadRow):
    sentence = N_("This line counts in another unit: %(unit)s.")


class NamedTwice(BadRow):
    sentence = N_("This week of the line stands in the file already, in row %(row)s.")


class IdleWeeksMove(BadRow):
    sentence = N_("Idle weeks are offered on the page, not by file.")


@dataclass(frozen=True)
class _Row:
    number: int
    line: UUID
    week: date
    units: int


def rows_of(lines: list[CapacityRow]) -> Iterator[tuple[object, ...]]:
    """A factory's weeks as rows below HEAD, in each line's own unit."""
    for row in lines:
        line = row.capability
        for cell in row.cells:
            yield line.category, line.process, line.kind, cell.week.isoformat(), line.unit, cell.units


def import_calendar(session: Session, factory_id: UUID, content: bytes, *, now: datetime) -> int:
    """Take over the capacities of a factory's weeks from a CSV file; returns how many weeks it changes.

    A week that the file names as it stands stays as it is: it goes on following the line's hours.

    Raises:
        InvalidCalendar: rows that can't be read, weeks that are over, less than what is booked. Nothing is changed.
    """
    lines = {(line.category, line.process, line.kind.value): line for line in capabilities(session, factory_id)}
    errors: dict[str, Refusal] = {}
    wanted: dict[tuple[UUID, date], _Row] = {}
    for number, cells in _records(content):
        try:
            row = _read(number, cells, lines, monday(now.date()))
            if earlier := wanted.get((row.line, row.week)):
                raise NamedTwice(row=earlier.number)
        except Refusal as refusal:
            errors[str(number)] = refusal
        else:
            wanted[row.line, row.week] = row
    changed = _changed(session, factory_id, list(wanted.values()))
    for row in [] if errors else changed:
        try:
            set_week_capacity(session, factory_id, {(row.line, row.week): row.units}, now=now)
        except CapacityBooked as refusal:
            errors[str(row.number)] = refusal
    if errors:
        raise InvalidCalendar(errors=errors)
    return len(changed)


def _changed(session: Session, factory_id: UUID, rows: list[_Row]) -> list[_Row]:
    """The rows that say something else than what stands."""
    standing = {
        (line.capability.id, cell.week): cell.units
        for line in capacity_map(session, factory_id, sorted({row.week for row in rows}))
        for cell in line.cells
    }
    return [row for row in rows if standing[row.line, row.week] != row.units]


def _records(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """The file's rows by their number, the head being row 1."""
    text = _text(content)
    first_line = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=max(DELIMITERS, key=first_line.count))
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    if not set(HEAD) - {"kind", "unit"} <= set(columns):
        raise InvalidCalendar(errors={"1": WrongHead(columns=", ".join(HEAD))})
    if unknown := next((name for name in columns if name and name not in HEAD), None):
        raise InvalidCalendar(errors={"1": UnknownColumn(name=unknown, columns=", ".join(HEAD))})
    found = [
        (number, {name: str(value or "").strip() for name, value in cells.items() if name})
        for number, cells in enumerate(reader, start=2)
    ]
    if not found:
        raise InvalidCalendar(errors={"2": NoRows()})
    if len(found) > MOST_ROWS:
        raise InvalidCalendar(errors={str(MOST_ROWS + 2): TooManyRows(most=MOST_ROWS)})
    return found


def _day(text: str) -> date:
    """A day as spreadsheets write it: 2026-11-23, 2026/11/23 or 2026/1/5."""
    year, month, day = (int(part) for part in text.replace("/", "-").split("-"))
    return date(year, month, day)


def _text(content: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidCalendar(errors={"1": BadRow()})


def _read(
    number: int, cells: Mapping[str, str], lines: Mapping[tuple[str, str, str], Capability], this_week: date
) -> _Row:
    kind = cells.get("kind") or LineKind.REGULAR.value
    line = lines.get((cells["category"], cells["process"], kind))
    if line is None:
        raise UnknownLine()
    if line.kind is LineKind.IDLE:
        raise IdleWeeksMove()
    if (cells.get("unit") or line.unit) != line.unit:
        raise OtherUnit(unit=line.unit)
    try:
        week = monday(_day(cells["week"]))
    except ValueError:
        raise BadWeek() from None
    if week < this_week:
        raise PastWeek()
    units = cells["capacity"]
    if not (units.isascii() and units.isdigit() and int(units) <= MOST_UNITS):
        raise BadCapacity()
    if is_too_far(week, this_week):
        raise TooFarAhead()
    return _Row(number, line.id, week, int(units))
