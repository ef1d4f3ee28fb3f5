"""What is drawn: a specification that names only registered things, and random ones for training and demos."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from c2m.design.drawings.categories import CATEGORIES
from c2m.design.drawings.category import Choice, ShapeValue
from c2m.design.drawings.finishes import FINISHES
from c2m.design.drawings.names import look_up
from c2m.design.drawings.palette import BACKGROUNDS, COLOURS, Field
from c2m.design.drawings.patterns import PATTERNS


@dataclass(frozen=True)
class DrawingSpec:
    """A product to draw, by registered names; an empty finish means the category's usual one.

    `shape` holds the category's own parameters (see `CATEGORIES[…].shape`); those left out take their defaults.
    Raises UnknownName for a name nobody registered and ValueError for a shape value out of range.
    """

    category: str
    primary: str
    secondary: str
    pattern: str = "plain"
    finish: str = ""
    shape: Mapping[str, ShapeValue] = field(default_factory=dict, hash=False)
    background: str = "studio"

    def __post_init__(self) -> None:
        category = look_up("category", self.category, CATEGORIES)
        look_up("colour", self.primary, COLOURS)
        look_up("colour", self.secondary, COLOURS)
        look_up("pattern", self.pattern, PATTERNS)
        look_up("background", self.background, BACKGROUNDS)
        finish = self.finish or category.finishes[0]
        look_up("finish", finish, FINISHES)
        for name, value in self.shape.items():
            look_up(f"{self.category} shape parameter", name, category.shape).check(f"{self.category} {name}", value)
        complete = {name: self.shape.get(name, parameter.default) for name, parameter in category.shape.items()}
        object.__setattr__(self, "finish", finish)
        object.__setattr__(self, "shape", MappingProxyType(complete))


def random_spec(rng: np.random.Generator, category: str | None = None) -> DrawingSpec:
    """A plausible product: colours that can be told apart, a pattern two times in three, a finish it is made in."""
    chosen = CATEGORIES[_pick(rng, CATEGORIES)] if category is None else look_up("category", category, CATEGORIES)
    primary = _pick(rng, COLOURS)
    secondary = _pick(rng, [name for name in COLOURS if contrast(name, primary) > 28])
    shape: dict[str, ShapeValue] = {
        name: _pick(rng, p.options) if isinstance(p, Choice) else round(float(rng.uniform(p.low, p.high)), 3)
        for name, p in chosen.shape.items()
    }
    return DrawingSpec(
        category=chosen.name,
        primary=primary,
        secondary=secondary,
        pattern="plain" if rng.random() < 1 / 3 else _pick(rng, [name for name in PATTERNS if name != "plain"]),
        finish=chosen.finishes[0] if rng.random() < 0.5 else _pick(rng, chosen.finishes),
        shape=shape,
        background=_pick(rng, BACKGROUNDS),
    )


def contrast(first: str, second: str) -> float:
    """How far apart two named colours look: CIE76 ΔE in L*a*b* (D65)."""
    return float(np.linalg.norm(_lab(first) - _lab(second)))


def _lab(name: str) -> Field:
    matrix = np.array(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)))
    ratio = matrix @ look_up("colour", name, COLOURS).linear / np.array((0.9505, 1.0, 1.089))
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array((116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])))


def _pick(rng: np.random.Generator, names: "Mapping[str, object] | list[str] | tuple[str, ...]") -> str:
    known = list(names)
    return known[int(rng.integers(len(known)))]
