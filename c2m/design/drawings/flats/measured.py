"""A technical flat: a product's outlines to scale, its points of measure, and their millimetres in every size."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from c2m.design.drawings.categories import CATEGORIES
from c2m.design.drawings.category import ShapeValue
from c2m.design.drawings.flats.bags import BAGS
from c2m.design.drawings.flats.clothes import CLOTHES
from c2m.design.drawings.flats.dimension import Dimension, Flat, Place
from c2m.design.drawings.flats.household import HOUSEHOLD
from c2m.design.drawings.flats.tracing import Piece, Point, draft
from c2m.design.drawings.names import look_up
from c2m.design.drawings.palette import Field
from c2m.design.drawings.spec import DrawingSpec

FLATS = CLOTHES | BAGS | HOUSEHOLD
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Measurement:
    """One point of measure: its letter on the drawing, its name, millimetres by size, and what may be off."""

    letter: str
    zh: str
    en: str
    millimetres: int
    by_size: Mapping[str, int]
    tolerance_mm: int


@dataclass(frozen=True)
class DimensionLine:
    """Where a measurement stands on the drawing, in millimetres from its middle."""

    start: Point
    end: Point
    place: Place


@dataclass(frozen=True)
class TechFlat:
    """A product as a maker reads it: lines to scale (in millimetres from the middle), and measurements.

    `size` is the one whose figures stand on the drawing, "" where the product comes in one size only.
    """

    category: str
    zh: str
    en: str
    size: str
    sizes: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    pieces: tuple[Piece, ...] = field(repr=False)
    lines: tuple[DimensionLine, ...] = field(repr=False)


def tech_flat(category: str, shape: Mapping[str, ShapeValue] | None = None, *, size: str = "") -> TechFlat:
    """The labelled flat of a category's product in that shape (what is left out takes its usual value), to scale.

    `size` is one of the category's sizes, by default its base size. Raises UnknownName for a category or shape
    parameter that the drawings do not know or a size the category does not come in, and ValueError for a shape value
    out of range.
    """
    declared = look_up("category", category, FLATS)
    chosen = tuple(sorted((shape or {}).items()))
    known = {name: name for name in (declared.base, *declared.sizes)}
    return _flat(category, chosen, look_up("size", size or declared.base, known))


@lru_cache(maxsize=64)
def _flat(category: str, shape: tuple[tuple[str, ShapeValue], ...], size: str) -> TechFlat:
    declared, kind = FLATS[category], CATEGORIES[category]
    drawn = draft(DrawingSpec(category, "white", "black", shape={**declared.shape, **dict(shape), **declared.always}))
    dimensions = declared.dimensions(drawn)
    to_mm = np.array((declared.across_mm, declared.down_mm))
    details = tuple(Piece(lines=(np.array(line),), width=0.002) for line in declared.details(drawn))
    return TechFlat(
        category=category,
        zh=kind.zh,
        en=kind.en,
        size=size,
        sizes=declared.sizes,
        measurements=tuple(
            _measurement(declared, dimension, letter, size)
            for letter, dimension in zip(_LETTERS, dimensions, strict=False)
        ),
        pieces=tuple(_scaled(piece, to_mm) for piece in (*drawn.pieces, *details)),
        lines=tuple(DimensionLine(_to(one.ends[0], to_mm), _to(one.ends[1], to_mm), one.place) for one in dimensions),
    )


def _measurement(declared: Flat, dimension: Dimension, letter: str, size: str) -> Measurement:
    (x0, y0), (x1, y1) = dimension.ends
    across, down = abs(x1 - x0) * declared.across_mm, abs(y1 - y0) * declared.down_mm
    if dimension.place in ("left", "right"):
        across = 0.0
    elif dimension.place in ("above", "below"):
        down = 0.0
    base = _rounded(float(np.hypot(across, down)) * dimension.times, declared.rounded_to)
    steps = {name: declared.sizes.index(name) - declared.sizes.index(declared.base) for name in declared.sizes}
    by_size = {name: base + dimension.grade * step for name, step in steps.items()}
    own = by_size.get(size, base)
    return Measurement(letter, dimension.zh, dimension.en, own, by_size, _tolerance(own, declared))


def _rounded(millimetres: float, step: int) -> int:
    """To the step of the trade, but nothing small to nothing."""
    return round(millimetres / step) * step if millimetres >= 10 * step else max(1, round(millimetres))


def _tolerance(millimetres: int, declared: Flat) -> int:
    """What a first article may be off: a share of the measure, no finer than a tape is read."""
    return max(1, round(millimetres * declared.tolerance_pct / 100))


def _to(point: Point, to_mm: Field) -> Point:
    return point[0] * float(to_mm[0]), point[1] * float(to_mm[1])


def _scaled(piece: Piece, to_mm: Field) -> Piece:
    return Piece(
        outlines=tuple(np.asarray(outline * to_mm) for outline in piece.outlines),
        holes=tuple(np.asarray(hole * to_mm) for hole in piece.holes),
        lines=tuple(np.asarray(line * to_mm) for line in piece.lines),
        width=piece.width * float(to_mm.mean()),
        dash=piece.dash * float(to_mm.mean()),
        within=tuple(_scaled(other, to_mm) for other in piece.within),
    )
