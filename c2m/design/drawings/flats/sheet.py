"""The flat laid out on paper: the drawing with dimension lines, and beside it the table of measurements."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from c2m.design.drawings.flats.measured import DimensionLine, Measurement, TechFlat
from c2m.design.drawings.flats.tracing import Piece, Point
from c2m.design.drawings.palette import Field

INK, SOFT, MEASURE = "#1c1b19", "#8b867d", "#a3341f"
_FIELD = 900.0  # the drawing's own square, in the units of the sheet
_TABLE = 620.0
_FIRST_LANE, _LANE = 34.0, 40.0
_ARROW = 9.0

Anchor: TypeAlias = Literal["start", "middle", "end"]
_Placing: TypeAlias = Callable[[Field], Field]


@dataclass(frozen=True)
class Shape:
    """A piece in the units of the sheet: paper that hides what lies behind it, with an inked edge."""

    piece: Piece


@dataclass(frozen=True)
class Line:
    """A plain line."""

    points: tuple[Point, ...]
    width: float = 1.0
    colour: str = INK


@dataclass(frozen=True)
class Words:
    """A text, standing on its baseline; `box` lays paper beneath it."""

    at: Point
    text: str
    size: float = 15.0
    anchor: Anchor = "start"
    colour: str = INK
    bold: bool = False
    box: bool = False


Mark: TypeAlias = Shape | Line | Words


@dataclass(frozen=True)
class Sheet:
    """What stands on the paper, from back to front."""

    width: float
    height: float
    marks: tuple[Mark, ...]


def drawing(flat: TechFlat) -> Sheet:
    """The drawing with its dimension lines alone, to stand beside a table of the page's own."""
    return Sheet(_FIELD, _FIELD, _drawn(flat))


def full_sheet(flat: TechFlat, title: str = "") -> Sheet:
    """The drawing, the table of measurements in Chinese and English, and the title block."""
    width = _FIELD + _TABLE
    frame = Line(((12, 12), (width - 12, 12), (width - 12, _FIELD - 12), (12, _FIELD - 12), (12, 12)), 1.4)
    return Sheet(width, _FIELD, (*_drawn(flat), *_table(flat, title), frame))


def _drawn(flat: TechFlat) -> tuple[Mark, ...]:
    points = np.concatenate([p for piece in flat.pieces if not piece.within for p in (*piece.outlines, *piece.lines)])
    low, high = points.min(axis=0), points.max(axis=0)
    lanes = {place: _lanes(flat, place) for place in ("left", "right", "above", "below")}
    pad = {place: 46 + (_FIRST_LANE + _LANE * len(found) if found else 0) for place, found in lanes.items()}
    room = np.array((_FIELD - pad["left"] - pad["right"], _FIELD - pad["above"] - pad["below"]))
    scale = float((room / (high - low)).min())
    corner = np.array((pad["left"], pad["above"])) + (room - (high - low) * scale) / 2

    def placed(points: Field) -> Field:
        return np.asarray((points - low) * scale + corner)

    def at(point: Point) -> Point:
        x, y = placed(np.array(point)).tolist()
        return x, y

    box = (at((float(low[0]), float(low[1]))), at((float(high[0]), float(high[1]))))
    marks: list[Mark] = [Shape(_moved(piece, placed, scale)) for piece in flat.pieces]
    for line, measured in zip(flat.lines, flat.measurements, strict=True):
        lane = lanes[line.place].index(line) if line.place in lanes else 0
        marks += _dimension(DimensionLine(at(line.start), at(line.end), line.place), measured, lane, box)
    return tuple(marks)


def _lanes(flat: TechFlat, place: str) -> list[DimensionLine]:
    """The dimension lines on that side, the shortest nearest to the product."""
    axis = 1 if place in ("left", "right") else 0
    there = [line for line in flat.lines if line.place == place]
    return sorted(there, key=lambda line: abs(line.end[axis] - line.start[axis]))


def _dimension(line: DimensionLine, measured: Measurement, lane: int, box: tuple[Point, Point]) -> list[Mark]:
    start, end = np.array(line.start), np.array(line.end)
    (left, top), (right, low) = box
    away = _FIRST_LANE + _LANE * lane
    from_, to = start.copy(), end.copy()
    if line.place == "left":
        from_[0] = to[0] = left - away
    elif line.place == "right":
        from_[0] = to[0] = right + away
    elif line.place == "above":
        from_[1] = to[1] = top - away
    elif line.place == "below":
        from_[1] = to[1] = low + away
    elif line.place == "beside":
        along = end - start
        normal = np.array((along[1], -along[0])) / (np.hypot(*along) + 1e-9)
        outward = normal if normal @ (start - ((left + right) / 2, (top + low) / 2)) > 0 else -normal
        from_, to = start + outward * 22, end + outward * 22
    marks: list[Mark] = [
        Line((_point(a), _point(b + _unit(b - a) * 6)), 0.7, MEASURE)
        for a, b in ((start, from_), (end, to))
        if np.hypot(*(b - a)) > 1
    ]
    return [*marks, *_arrows(from_, to), _label(from_, to, f"{measured.letter} {measured.millimetres}")]


def _arrows(start: Field, end: Field) -> list[Mark]:
    """A line with an arrowhead at each end; one too short for that is pointed at from outside."""
    along = _unit(end - start)
    is_short = np.hypot(*(end - start)) < 3 * _ARROW
    tail = along * (2.4 * _ARROW if is_short else 0)
    marks: list[Mark] = [Line((_point(start - tail), _point(end + tail)), 1.1, MEASURE)]
    across = np.array((-along[1], along[0]))
    for tip, inward in ((start, -along if is_short else along), (end, along if is_short else -along)):
        back = tip + inward * _ARROW
        marks.append(Line((_point(back + across * 3.4), _point(tip), _point(back - across * 3.4)), 1.1, MEASURE))
    return marks


def _label(start: Field, end: Field, text: str) -> Words:
    along, length = _unit(end - start), float(np.hypot(*(end - start)))
    wide = 11 + 8.6 * len(text)
    is_flat = abs(along[0]) > abs(along[1])
    if length < (wide + 24 if is_flat else 46):
        tail = 2.4 * _ARROW if length < 3 * _ARROW else 4.0
        spot = end + along * (tail + (wide / 2 + 4 if is_flat else 14))
    else:
        spot = (start + end) / 2
    return Words((float(spot[0]), float(spot[1]) + 5.5), text, 15.5, "middle", MEASURE, bold=True, box=True)


def _table(flat: TechFlat, title: str) -> list[Mark]:
    left, right = _FIELD + 8, _FIELD + _TABLE - 40
    sizes = flat.sizes or ("",)
    columns = [right - 52 - 54 * step for step in range(len(sizes))][::-1]
    marks: list[Mark] = [
        Words((left, 70), f"{flat.zh}  {flat.en}", 27, bold=True),
        Words((left, 98), title, 16, colour=SOFT),
        Words((left, 132), "尺寸表（毫米）  Measurements, mm", 16, bold=True),
        Words((right, 158), "± 公差", 13, "end", SOFT),
    ]
    for size, x in zip(sizes, columns, strict=True):
        marks.append(Words((x, 158), size.split()[0] if size else "", 15, "end", INK, bold=size == flat.size))
    y = 170.0
    for measured in flat.measurements:
        marks += [
            Line(((left, y), (right, y)), 0.6, SOFT),
            Words((left, y + 30), measured.letter, 17, colour=MEASURE, bold=True),
            Words((left + 28, y + 23), measured.zh, 15.5),
            Words((left + 28, y + 42), measured.en, 12.5, colour=SOFT),
            Words((right, y + 30), f"±{measured.tolerance_mm}", 13.5, "end", SOFT),
        ]
        for size, x in zip(sizes, columns, strict=True):
            value = measured.by_size.get(size, measured.millimetres)
            marks.append(Words((x, y + 30), str(value), 15.5, "end", INK, bold=size in ("", flat.size)))
        y += 54
    marks.append(Line(((left, y), (right, y)), 0.6, SOFT))
    said = f"图上为 {flat.size} 码  Drawn in size {flat.size}" if flat.size else "单一尺码  One size"
    return [
        *marks,
        Words((left, _FIELD - 84), said, 13.5, colour=SOFT),
        Words((left, _FIELD - 62), "按比例绘制的款式图，不是照片，也不是 AI 生成", 13.5, colour=SOFT),
        Words((left, _FIELD - 42), "A flat drawn to scale; not a photograph, not made by AI", 13.5, colour=SOFT),
    ]


def _moved(piece: Piece, placed: _Placing, scale: float) -> Piece:
    return Piece(
        outlines=tuple(placed(outline) for outline in piece.outlines),
        holes=tuple(placed(hole) for hole in piece.holes),
        lines=tuple(placed(line) for line in piece.lines),
        width=piece.width * scale,
        dash=piece.dash * scale,
        within=tuple(_moved(other, placed, scale) for other in piece.within),
    )


def _point(spot: Field) -> Point:
    return float(spot[0]), float(spot[1])


def _unit(vector: Field) -> Field:
    return np.asarray(vector / (np.hypot(*vector) + 1e-9))
