"""Order lines out of a shop's export: in file order, cancellations netted, everything else accounted for."""

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TextIO

from c2m.replay.layout import ONLINE_RETAIL, Layout
from c2m.replay.lines import Cancellation, LineParser, Meaning, OrderLine, Reason
from c2m.replay.records import CsvFile, Record


@dataclass(slots=True)
class Tally:
    """What became of every line: lines_read = lines_used + 2 · netted + everything rejected.

    `rejects`, a text file, receives each line that is not used, netted ones included, as CSV of line number, reason,
    the counterpart's line number where two lines were netted, and the line as it stood.
    """

    rejects: TextIO | None = None
    lines_read: int = 0
    lines_used: int = 0
    netted: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._write("line_no", "reason", "other_line_no", "line")

    def use(self) -> None:
        self.lines_read += 1
        self.lines_used += 1

    def set_aside(self, record: Record, reason: Reason, other_line_no: int | None = None) -> None:
        self.lines_read += 1
        if reason is Reason.CANCELLED:
            self.netted += 1
        elif reason is not Reason.CANCELLATION:
            self.rejected[reason] += 1
        self._write(record.line_no, reason, other_line_no, record.raw)

    def _write(self, *cells: object) -> None:
        if self.rejects is not None:
            csv.writer(self.rejects, lineterminator="\n").writerow(cells)


def everybody(buyer: str) -> bool:
    """Every buyer takes part."""
    return True


def order_lines(
    path: Path,
    layout: Layout = ONLINE_RETAIL,
    *,
    tally: Tally,
    limit: int | None = None,
    takes_part: Callable[[str], bool] = everybody,
) -> Iterator[OrderLine]:
    """The lines that count as orders, in file order; the tally says what became of all others.

    A cancellation (invoice C…) removes the latest earlier line of the same customer, product and quantity that no other
    cancellation removed; without a customer it removes none. The file is read three times, so that memory holds its
    cancellations and never its lines: all refusals come before the first line does.

    Args:
        limit: stop after so many lines, as if the file ended there.
        takes_part: whether a buyer's lines are used; those of others are rejected as not taking part.

    Raises:
        MissingColumns, RepeatedColumns, AmbiguousDates, UnsortedDates, and what `CsvFile.records` raises.
    """
    file = CsvFile(path, encoding=layout.encoding, delimiter=layout.delimiter)
    cancelled = {parsed for _, parsed in _parsed(file, layout, limit) if isinstance(parsed, Cancellation)}
    counterparts = _counterparts(_parsed(file, layout, limit), cancelled)
    for record, parsed in _parsed(file, layout, limit):
        other_line_no = counterparts.get(record.line_no)
        match parsed:
            case Cancellation():
                reason = Reason.CANCELLATION if other_line_no else Reason.CANCELLATION_WITHOUT_MATCH
                tally.set_aside(record, reason, other_line_no)
            case OrderLine() if other_line_no:
                tally.set_aside(record, Reason.CANCELLED, other_line_no)
            case OrderLine() if not takes_part(parsed.buyer):
                tally.set_aside(record, Reason.NOT_TAKING_PART)
            case OrderLine():
                tally.use()
                yield parsed
            case _:
                tally.set_aside(record, parsed)


def _counterparts(lines: Iterator[tuple[Record, Meaning]], cancelled: set[Cancellation]) -> dict[int, int]:
    """Line numbers of netted pairs, each pointing to the other."""
    standing: defaultdict[Cancellation, list[int]] = defaultdict(list)
    counterparts: dict[int, int] = {}
    for record, parsed in lines:
        match parsed:
            case OrderLine():
                taking_back = Cancellation(parsed.customer, parsed.product_key, parsed.quantity)
                if parsed.customer and taking_back in cancelled:
                    standing[taking_back].append(record.line_no)
            case Cancellation() if standing[parsed]:
                latest = standing[parsed].pop()
                counterparts[latest], counterparts[record.line_no] = record.line_no, latest
    return counterparts


def _parsed(file: CsvFile, layout: Layout, limit: int | None) -> Iterator[tuple[Record, Meaning]]:
    """Every line below the header with what it says, or the reason why it says nothing usable."""
    records = file.records()
    parser = LineParser(file.path, layout, next(records))
    for record in islice(records, limit):
        yield record, parser.parse(record)
