"""Printed documents on A4 with reportlab: one typeface in two weights, hairlines, one accent."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from io import BytesIO
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image as PillowImage
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, CondPageBreak, Flowable, Frame, Image, PageTemplate, Paragraph
from reportlab.platypus import Table as Grid

from c2m.web.printed import (
    Bar,
    Block,
    Cell,
    Column,
    Drawing,
    Entries,
    Fact,
    Heading,
    Masthead,
    Paper,
    Plate,
    Prose,
    Table,
)
from c2m.web.typefaces import REGULAR, STRONG, cut

TEXT, QUIET, LINE, SUNKEN, ACCENT, DATA = (
    HexColor(colour) for colour in ("#14191b", "#5c666a", "#dde1e1", "#f1f3f3", "#bf3514", "#2c6fae")
)
SIDE, TOP, BOTTOM = 16 * mm, 24 * mm, 17 * mm
WIDTH = A4[0] - 2 * SIDE
PLATE = 46 * mm
PIXELS = 1000  # the longer side of a picture as it is printed
STANDING, LYING, LIFT = 6 * mm, 2 * mm, 0.9 * mm  # of bars; a lying one stands as high as its figures
BEGINNING = 34 * mm  # what must fit below a heading, else it goes to the next page
PLAIN, BOLD = "c2m-regular", "c2m-strong"
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
TIGHT = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0)]

_one_at_a_time = Lock()  # reportlab keeps typefaces by name for the whole process


def typeset(paper: Paper) -> bytes:
    """A document as a PDF with its typeface inside; the same blocks give the same bytes."""
    faces = cut(paper.characters())
    written = BytesIO()
    with _one_at_a_time:
        for name, weight in ((PLAIN, REGULAR), (BOLD, STRONG)):
            _register(TTFont(name, BytesIO(faces[weight])))
        document = BaseDocTemplate(
            written, pagesize=A4, title=paper.title, author=paper.author, lang=paper.language, invariant=1
        )
        frame = Frame(SIDE, BOTTOM, WIDTH, A4[1] - TOP - BOTTOM, 0, 0, 0, 0)
        document.addPageTemplates(PageTemplate("page", [frame]))
        story = [flowable for block in paper.blocks for flowable in _set(block)]
        document.build(story, canvasmaker=partial(_Sheets, paper))
    return written.getvalue()


def _register(font: TTFont) -> None:
    """Make a typeface known under its name instead of the last document's, which reportlab would keep."""
    pdfmetrics._fonts.pop(font.fontName, None)
    pdfmetrics._dynFaceNames.pop(font.face.name, None)
    pdfmetrics.registerFont(font)
    pdfmetrics.registerFontFamily(font.fontName, *[font.fontName] * 4)


class _Sheets(Canvas):  # type: ignore[misc]  # reportlab is untyped
    """Pages that know how many they are."""

    def __init__(self, paper: Paper, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._paper = paper
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        pages = self._pages
        for at, page in enumerate(pages, 1):
            self.__dict__.update(page)
            self._margins(at, len(pages))
            super().showPage()
        super().save()

    def _margins(self, page: int, pages: int) -> None:
        top, left, right = A4[1] - 15 * mm, SIDE, A4[0] - SIDE
        self.setFillColor(ACCENT)
        self.setFont(BOLD, 11)
        self.drawString(left, top, self._paper.kind)
        self.setFillColor(TEXT)
        self.setFont(PLAIN, 9)
        self.drawRightString(right, top, self._paper.number)
        self.setStrokeColor(ACCENT)
        self.setLineWidth(1.2)
        self.line(left, top - 2.6 * mm, right, top - 2.6 * mm)
        self.setStrokeColor(LINE)
        self.setLineWidth(0.5)
        self.line(left, 12.5 * mm, right, 12.5 * mm)
        self.setFillColor(QUIET)
        self.setFont(PLAIN, 7)
        self.drawString(left, 9 * mm, self._paper.foot)
        self.drawRightString(right, 9 * mm, self._paper.page_words % {"page": page, "pages": pages})


class _Drawn(Flowable):  # type: ignore[misc]
    """A bar of a share of the width or height it is given."""

    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self._bar = bar

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self._width = width
        return width, STANDING if self._bar.standing else LYING

    def draw(self) -> None:
        share = min(max(self._bar.share, 0), 1)
        self.canv.setFillColor(DATA)
        if self._bar.standing:
            thick = min(self._width, 6 * mm)
            self.canv.rect(self._width - thick, 0, thick, max(share * STANDING, 0.4), stroke=0, fill=1)
        else:
            self.canv.setFillColor(SUNKEN)
            self.canv.rect(0, LIFT, self._width, LYING, stroke=0, fill=1)
            self.canv.setFillColor(DATA)
            self.canv.rect(0, LIFT, share * self._width, LYING, stroke=0, fill=1)


def _set(block: Block) -> Iterator[Flowable]:
    match block:
        case Masthead():
            yield _masthead(block)
        case Heading():
            yield from _heading(block)
        case Prose():
            for line in block.text.splitlines():
                yield _text(line, size=8.5, colour=QUIET if block.quiet else TEXT, after=1.2)
        case Table():
            yield _table(block)
        case Entries():
            yield _entries(block.entries, WIDTH)
        case Drawing():
            yield _drawing(block)


def _masthead(block: Masthead) -> Flowable:
    room = WIDTH - (PLATE + 6 * mm if block.plate else 0)
    lines: list[Flowable] = [_text(block.name, size=17, bold=True, after=0.6)]
    if block.other_name:
        lines.append(_text(block.other_name, size=9.5, colour=QUIET, after=0.6))
    lines += [_text(block.line, size=8, colour=QUIET, after=2), _facts(block.facts, room)]
    if block.plate is None:
        return _row([lines], [WIDTH], after=1)
    return _row([_plate(block.plate, PLATE, PLATE), lines], [PLATE + 6 * mm, room], after=1)


def _facts(facts: Sequence[Fact], width: float) -> Flowable:
    """Figures that decide, three in a row."""
    cells = [
        [
            _text(fact.label, size=7.5, colour=QUIET),
            _text(fact.value, size=12.5, bold=True),
            *([_text(fact.note, size=7, colour=QUIET)] if fact.note else []),
        ]
        for fact in facts
    ]
    cells += [[] for _ in range(-len(cells) % 3)]
    rows = [cells[at : at + 3] for at in range(0, len(cells), 3)]
    rules = [("LINEABOVE", (0, 0), (-1, -1), 0.5, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    padding = [("TOPPADDING", (0, 0), (-1, -1), 3), ("BOTTOMPADDING", (0, 0), (-1, -1), 4), TIGHT[0]]
    return Grid(rows, colWidths=[width / 3] * 3, style=[*rules, *padding])


def _heading(block: Heading) -> Iterator[Flowable]:
    yield CondPageBreak(BEGINNING)
    yield _text(block.text, size=10.5, bold=True, before=3.6, after=0.6)
    if block.note:
        yield _text(block.note, size=7.5, colour=QUIET, after=0.8)


def _table(block: Table) -> Flowable:
    whole = sum(column.width for column in block.columns)
    widths = [column.width * WIDTH / whole for column in block.columns]
    size = 7.5 if block.dense else 8.5
    head = [_text(c.head, size=7.5, colour=QUIET, right=c.figures) for c in block.columns]
    body = [_cells(row, block.columns, size) for row in block.rows]
    sums = [_cells(row, block.columns, size, bold=True) for row in block.sums]
    last = len(body) + len(sums)
    style: list[tuple[Any, ...]] = [
        ("LINEBELOW", (0, 0), (-1, 0), 0.7, TEXT),
        ("LINEBELOW", (0, 1), (-1, last), 0.35, LINE),
        ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.1 if block.dense else 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2 if block.dense else 3),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]
    if sums:
        style.append(("LINEABOVE", (0, len(body) + 1), (-1, len(body) + 1), 0.7, TEXT))
    return Grid([head, *body, *sums], colWidths=widths, repeatRows=1, style=style)


def _cells(row: Sequence[Cell], columns: Sequence[Column], size: float, *, bold: bool = False) -> list[Flowable]:
    return [
        _Drawn(cell) if isinstance(cell, Bar) else _text(cell, size=size, bold=bold, right=column.figures)
        for cell, column in zip(row, columns, strict=True)
    ]


def _entries(entries: Sequence[tuple[str, str]], width: float) -> Flowable:
    label = 32 * mm
    rows = [
        [_text(name, size=8, colour=QUIET), [_text(line, size=8.5, after=0.4) for line in said.splitlines()]]
        for name, said in entries
    ]
    style = [
        ("LINEABOVE", (0, 0), (-1, -1), 0.35, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        TIGHT[0],
    ]
    return Grid(rows, colWidths=[label, width - label], style=style)


def _drawing(block: Drawing) -> Flowable:
    room = WIDTH * 0.54
    plate = _plate(block.plate, room - 6 * mm, block.height_mm * mm)
    if not block.entries:
        return _row([plate], [WIDTH])
    return _row([plate, [_entries(block.entries, WIDTH - room)]], [room, WIDTH - room])


def _row(cells: Sequence[Sequence[Flowable]], widths: Sequence[float], *, after: float = 0) -> Flowable:
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), *TIGHT, ("TOPPADDING", (0, 0), (-1, -1), 0)]
    return Grid([list(map(list, cells))], colWidths=list(widths), style=style, spaceAfter=after * mm)


def _plate(plate: Plate, width: float, height: float) -> list[Flowable]:
    """A picture as large as fits, its caption below."""
    with PillowImage.open(BytesIO(plate.content)) as opened:
        seen = opened.convert("RGBA")
    ground = PillowImage.new("RGB", seen.size, "white")
    ground.paste(seen, mask=seen.getchannel("A"))
    ground.thumbnail((PIXELS, PIXELS))
    written = BytesIO()
    ground.save(written, "JPEG", quality=88)
    written.seek(0)
    scale = min(width / ground.width, height / ground.height)
    image = Image(written, ground.width * scale, ground.height * scale, hAlign="LEFT")
    return [image, *([_text(plate.caption, size=7, colour=QUIET, before=1)] if plate.caption else [])]


def _text(
    text: str,
    *,
    size: float,
    bold: bool = False,
    colour: Any = TEXT,
    right: bool = False,
    before: float = 0,
    after: float = 0,
) -> Flowable:
    """A paragraph; Chinese may break between any two characters, other text between words."""
    style = ParagraphStyle(
        "text",
        fontName=BOLD if bold else PLAIN,
        fontSize=size,
        leading=size * 1.42,
        textColor=colour,
        alignment=TA_RIGHT if right else 0,
        spaceBefore=before * mm,
        spaceAfter=after * mm,
        wordWrap="CJK" if CHINESE.search(text) else None,
    )
    return Paragraph(escape(text), style)
