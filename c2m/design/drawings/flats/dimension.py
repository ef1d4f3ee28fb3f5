"""What a category's technical drawing declares: its scale, its sizes, and the points that are measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from c2m.design.drawings.category import ShapeValue
from c2m.design.drawings.flats.tracing import Draft, Point

Place: TypeAlias = Literal["on", "beside", "left", "right", "above", "below"]


@dataclass(frozen=True)
class Dimension:
    """A point of measure: from where to where on the drawing, and by how many millimetres a size step changes it.

    `times` is how often the drawn stretch lies in the real one (cloth that is drawn folded).
    """

    zh: str
    en: str
    ends: tuple[Point, Point]
    place: Place = "on"
    grade: int = 0
    times: int = 1


@dataclass(frozen=True)
class Flat:
    """How a category is drawn to scale: millimetres of one picture width, across and down, at the base size.

    `shape` is what is usual for a flat, `always` what it cannot do without (a towel is measured hanging).
    """

    across_mm: float
    down_mm: float
    dimensions: Callable[[Draft], tuple[Dimension, ...]]
    sizes: tuple[str, ...] = ()
    base: str = ""
    rounded_to: int = 1
    tolerance_pct: float = 1.0
    shape: Mapping[str, ShapeValue] = field(default_factory=dict)
    always: Mapping[str, ShapeValue] = field(default_factory=dict)
    details: Callable[[Draft], tuple[tuple[Point, ...], ...]] = lambda draft: ()
