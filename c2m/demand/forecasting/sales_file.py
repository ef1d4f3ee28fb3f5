"""Weekly sales out of a file, one product a line and one week a column, and their forecast into one."""

import csv
import gzip
import io
import math
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from c2m.demand.forecasting.baselines import Floats
from c2m.demand.forecasting.weekly import WeeklyForecast

GZIP_MAGIC = b"\x1f\x8b"
MOST_BYTES = 1 << 30  # unpacked
MOST_PIECES = 1e12  # in a week: more is a slip of the pen
UNKNOWN = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
COLUMNS = ("product", "step", "mean", "p10", "p50", "p90")


class Unreadable(Exception):
    """One sentence on why a file can't be forecast."""


@dataclass(frozen=True)
class SalesTable:
    """Pieces by product and week (products, weeks), nan where the file says nothing."""

    products: tuple[str, ...]
    weeks: tuple[str, ...]
    sales: Floats


def read_sales(path: Path) -> SalesTable:
    """The table in a CSV or CSV.gz. Empty cells are unknown, or nothing sold where the file has no 0 at all.

    Raises:
        Unreadable, OSError
    """
    csv.field_size_limit(sys.maxsize // 2)
    text = _text(path.read_bytes())
    header_line = text.lstrip("\r\n").partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header_line.count))
    try:
        rows = [(lines.line_num, row) for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as wrong:
        raise Unreadable(f"Line {lines.line_num} is no CSV: {wrong}.") from None
    if not rows:
        raise Unreadable("The file is empty.")
    header, body = [name.strip() for name in rows[0][1]], rows[1:]
    while (
        header and not header[-1] and all(len(row) < len(header) or not row[len(header) - 1].strip() for _, row in body)
    ):
        header.pop()  # commas that a spreadsheet left behind
    if len(header) < 2:
        raise Unreadable("The header needs a column for the product and at least one for a week.")
    if not body:
        raise Unreadable("The file has no products below its header.")
    products = _products(body)
    sales = np.array([_weeks(line_no, row, header) for line_no, row in body])
    if not (sales == 0).any():
        sales = np.nan_to_num(sales, nan=0.0)
    return SalesTable(products, tuple(header[1:]), sales)


def write_forecast(path: Path, products: Sequence[str], forecast: WeeklyForecast) -> None:
    """A line for each product and step, in the products' order; compressed where the name ends in .gz.

    Raises:
        OSError
    """
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(_lines(products, forecast))
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def _lines(products: Sequence[str], forecast: WeeklyForecast) -> Iterator[tuple[str, ...]]:
    values = np.stack([forecast.mean, forecast.p10, forecast.p50, forecast.p90], axis=-1)
    for product, ahead in zip(products, values, strict=True):
        for step, row in enumerate(ahead, start=1):
            yield product, str(step), *(f"{value:.3f}" for value in row)


def _text(content: bytes) -> str:
    try:
        if content.startswith(GZIP_MAGIC):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                content = packed.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise Unreadable("The file is larger than a gigabyte.")
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The file is not UTF-8 text.") from None
    except (EOFError, OSError, zlib.error):
        raise Unreadable("The file is not whole: its gzip data breaks off or is damaged.") from None
    if "\0" in text:
        raise Unreadable("The file is not a CSV: it holds zero bytes.")
    return text


def _products(body: Sequence[tuple[int, list[str]]]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    for line_no, row in body:
        product = row[0].strip()
        if not product:
            raise Unreadable(f"Line {line_no} names no product in its first column.")
        if product in seen:
            raise Unreadable(f"Product {product} stands on lines {seen[product]} and {line_no}; it may stand on one.")
        seen[product] = line_no
    return tuple(seen)


def _weeks(line_no: int, row: Sequence[str], header: Sequence[str]) -> list[float]:
    if any(cell.strip() for cell in row[len(header) :]):
        raise Unreadable(f"Line {line_no} has {len(row)} cells where the header has {len(header)}.")
    cells = [*row[1 : len(header)], *[""] * (len(header) - len(row))]  # a line cut short says nothing of its last weeks
    return [_pieces(cell.strip(), line_no, week) for cell, week in zip(cells, header[1:], strict=True)]


def _pieces(cell: str, line_no: int, week: str) -> float:
    if cell.lower() in UNKNOWN:
        return math.nan
    try:
        pieces = float(cell)
    except ValueError:
        raise Unreadable(f"Line {line_no} says {cell[:40]!r} in column {week or '?'}, which is no number.") from None
    if not abs(pieces) <= MOST_PIECES:
        raise Unreadable(f"Line {line_no} says {cell[:40]!r} in column {week or '?'}, which is no number of pieces.")
    return pieces
