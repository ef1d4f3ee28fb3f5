"""`c2m cluster`: titles of a file put into groups of the same product."""

import csv
import gzip
import io
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from c2m.demand.clustering.encoding import Encode

MISUSED = 2
HELP = escape("""Put titles of the same product, or needs for the same thing, into groups.

TITLES is CSV or CSV.gz, UTF-8, with a header: a column that names each row (--id) and one with its title in English,
Chinese or both (--text); other columns are passed over. Separated by commas, semicolons or tabs.

--out gets the columns id and group, a line for each row in its order. Groups are numbered from 1 as they first appear;
a row whose title is empty is a group of its own. The same file always gives the same groups: nothing is drawn at
random.""")


class Unreadable(Exception):
    """One sentence on why a file can't be grouped."""


@dataclass(frozen=True)
class Titles:
    """The rows of a file: what each is called, and its text."""

    ids: Sequence[str]
    texts: Sequence[str]


def cluster(
    titles: Annotated[Path, typer.Argument(metavar="TITLES.csv", help="The rows, CSV or CSV.gz.")],
    out: Annotated[Path, typer.Option(metavar="OUT.csv", help="Where id and group go; .gz is compressed.")],
    id_column: Annotated[str, typer.Option("--id", metavar="COLUMN", help="The column that names a row.")] = "id",
    text_column: Annotated[str, typer.Option("--text", metavar="COLUMN", help="The column with the title.")] = "title",
    encoder: Annotated[
        str, typer.Option(metavar="DIR", help="Directory of a sentence encoder (transformers) that is asked as well.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="End in one JSON object.")] = False,
) -> None:
    """Put titles of the same product into groups."""
    started = perf_counter()
    try:
        encode = _encoder(encoder)
        rows = read_titles(titles, id_column, text_column)
        groups = _grouped(rows, encode)
        _write(out, rows.ids, groups)
    except Unreadable as wrong:
        _fail(f"{titles}: {wrong}")
    except OSError as wrong:
        _fail(f"{wrong.filename or titles}: {wrong.strerror or wrong}")
    sizes = Counter(groups).values()
    figures = {
        "rows": len(groups),
        "groups": len(sizes),
        "alone": sum(size == 1 for size in sizes),
        "largest": max(sizes, default=0),
        "seconds": round(perf_counter() - started, 2),
    }
    if as_json:
        typer.echo(json.dumps({**figures, "out": str(out)}))
    else:
        typer.echo(
            f"{figures['rows']:,} rows in {figures['groups']:,} groups, {figures['alone']:,} of them of one row; "
            f"the largest has {figures['largest']:,}. Written to {out}."
        )


def read_titles(path: Path, id_column: str, text_column: str) -> Titles:
    """The named columns of a file.

    Raises:
        Unreadable, OSError
    """
    csv.field_size_limit(sys.maxsize // 2)
    content = path.read_bytes()
    try:
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The file is not UTF-8 text.") from None
    except (EOFError, gzip.BadGzipFile, OSError):
        raise Unreadable("The file is not whole: its gzip data breaks off or is damaged.") from None
    if "\0" in text:
        raise Unreadable("The file is not a CSV: it holds zero bytes.")
    header = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    try:
        names = next(lines, [])
        at = [_column(names, wanted, option) for wanted, option in ((id_column, "--id"), (text_column, "--text"))]
        rows = [line for line in lines if any(field.strip() for field in line)]
    except csv.Error as wrong:
        raise Unreadable(f"The file is not a CSV: {wrong}.") from None
    for number, row in enumerate(rows, start=1):
        if len(row) <= at[0]:
            raise Unreadable(f"Row {number} has no column “{id_column}”.")
    if not rows:
        raise Unreadable("The file has no rows below its header.")
    return Titles([row[at[0]] for row in rows], [row[at[1]] if len(row) > at[1] else "" for row in rows])


def _column(names: Sequence[str], wanted: str, option: str) -> int:
    known = [name.strip() for name in names]
    if wanted not in known:
        listed = ", ".join(known) if any(known) else "none"
        raise Unreadable(f"There is no column “{wanted}” for {option}; the columns are: {listed}.")
    return known.index(wanted)


def _encoder(folder: str) -> "Encode | None":
    if not folder:
        return None
    from c2m.demand.clustering.encoding import Encoder, MissingEncoder

    try:
        return Encoder(folder)
    except MissingEncoder as wrong:
        _fail(str(wrong))


def _grouped(rows: Titles, encode: "Encode | None") -> list[int]:
    from c2m.demand.clustering.grouping import groups_of  # scikit-learn takes a second to come up

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as screen:
        task = screen.add_task("reading", total=1.0)
        groups = groups_of(
            rows.texts, lambda what, share: screen.update(task, description=what, completed=share), encode
        )
    return [int(group) + 1 for group in groups]


def _write(path: Path, ids: Sequence[str], groups: Sequence[int]) -> None:
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("id", "group"))
    lines.writerows(zip(ids, groups, strict=True))
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(MISUSED)
