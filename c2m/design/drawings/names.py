"""What every registry of the drawings shares: names in two languages, and a clear refusal of unknown ones."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

T = TypeVar("T")


class Named(Protocol):
    """Anything a merchandiser picks by name."""

    @property
    def name(self) -> str: ...
    @property
    def zh(self) -> str: ...
    @property
    def en(self) -> str: ...


class UnknownName(ValueError):
    """A category, colour, pattern, finish, background or shape parameter that the drawings do not know."""

    def __init__(self, kind: str, name: str, known: Mapping[str, object]) -> None:
        super().__init__(f"Unknown {kind} {name!r}. Known: {', '.join(known)}.")
        self.kind = kind
        self.name = name


def look_up(kind: str, name: str, known: Mapping[str, T]) -> T:
    """The registered thing of that name; raises UnknownName listing what is known."""
    try:
        return known[name]
    except KeyError:
        raise UnknownName(kind, name, known) from None
