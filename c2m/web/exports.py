"""Tables to take away: CSV that opens well in a spreadsheet and can't be taken for formulas there."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
BYTE_ORDER_MARK = "\ufeff"  # without it, Excel takes UTF-8 for the local code page


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A CSV download in UTF-8: one line of heads, then the rows."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([guarded(cell) for cell in head])
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    response = Response(BYTE_ORDER_MARK + text.getvalue(), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.csv")
    return response


def guarded(cell: object) -> object:
    """A cell that no spreadsheet runs: text that would begin a formula gets an apostrophe before it (OWASP)."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell
