"""What is printed: a document's blocks as plain values, and the PDF that is made of them.

The typesetter and its typeface are only imported when a PDF is asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from flask import Response


@dataclass(frozen=True)
class Fact:
    """A figure that decides: its label, its value, and what is to be said of it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Plate:
    """A picture in a file format Pillow reads, with what has to be said beside it."""

    content: bytes
    caption: str = ""


@dataclass(frozen=True)
class Masthead:
    """What a document is about, at a glance."""

    name: str
    other_name: str
    line: str
    facts: Sequence[Fact]
    plate: Plate | None = None


@dataclass(frozen=True)
class Heading:
    """Begins a part; never the last thing on a page."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Prose:
    """Running text, a paragraph for each of its lines."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Bar:
    """A share drawn as a bar: lying in its row, or standing above its column."""

    share: float
    standing: bool = False


Cell = str | Bar


@dataclass(frozen=True)
class Column:
    """A table's column: its head, its part of the width, and whether it holds figures."""

    head: str
    width: float = 1
    figures: bool = True


@dataclass(frozen=True)
class Table:
    """Rows under heads, which stand again on each page; `sums` close it."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    sums: Sequence[Sequence[Cell]] = ()
    dense: bool = False


@dataclass(frozen=True)
class Entries:
    """Names with what is said of them, one below the other."""

    entries: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Drawing:
    """A drawing with the figures that belong to it beside it."""

    plate: Plate
    entries: Sequence[tuple[str, str]] = ()
    height_mm: float = 92


Block = Masthead | Heading | Prose | Table | Entries | Drawing


@dataclass(frozen=True)
class Paper:
    """A document: what it is called, what stands at the head and the foot of each page, and its blocks."""

    title: str
    author: str
    language: str  # BCP 47
    kind: str
    number: str
    foot: str
    page_words: str  # with %(page)s and %(pages)s
    blocks: Sequence[Block] = field(default_factory=tuple)

    def characters(self) -> frozenset[str]:
        """Every character that is printed: the typeface is cut down to them."""
        return frozenset("0123456789").union(
            self.kind, self.number, self.foot, self.page_words, *(text for b in self.blocks for text in _texts(b))
        )


def pdf_file(name: str, paper: Paper) -> Response:
    """A document as a PDF to take away."""
    from c2m.web.typesetting import typeset

    response = Response(typeset(paper), mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.pdf")
    return response


def _texts(block: Block) -> Iterable[str]:
    match block:
        case Masthead():
            yield from (block.name, block.other_name, block.line, block.plate.caption if block.plate else "")
            for fact in block.facts:
                yield from (fact.label, fact.value, fact.note)
        case Heading():
            yield from (block.text, block.note)
        case Prose():
            yield block.text
        case Table():
            yield from (column.head for column in block.columns)
            yield from (cell for row in (*block.rows, *block.sums) for cell in row if isinstance(cell, str))
        case Entries():
            yield from (text for entry in block.entries for text in entry)
        case Drawing():
            yield block.plate.caption
            yield from (text for entry in block.entries for text in entry)
