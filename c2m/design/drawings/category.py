"""A kind of product: its names, what may vary in its shape, what it is made of, and how it is drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from c2m.design.drawings.names import look_up
from c2m.design.drawings.scene import Scene

ShapeValue: TypeAlias = float | str


@dataclass(frozen=True)
class Range:
    """A shape parameter that takes any number between two bounds."""

    low: float
    high: float
    default: float

    def check(self, name: str, value: ShapeValue) -> None:
        """Raises ValueError unless the value lies within the bounds."""
        if isinstance(value, str) or not self.low <= value <= self.high:
            raise ValueError(f"{name} is {value!r}, but must lie between {self.low} and {self.high}.")


@dataclass(frozen=True)
class Choice:
    """A shape parameter that takes one of a few names; the first is the default."""

    options: tuple[str, ...]

    @property
    def default(self) -> str:
        """The usual choice."""
        return self.options[0]

    def check(self, name: str, value: ShapeValue) -> None:
        """Raises UnknownName unless the value is one of the options."""
        look_up(name, str(value), dict.fromkeys(self.options))


@dataclass(frozen=True)
class Category:
    """A kind of product that can be drawn."""

    name: str
    zh: str
    en: str
    paint: Callable[[Scene], None]
    finishes: tuple[str, ...]
    shape: Mapping[str, Range | Choice] = field(default_factory=dict)
