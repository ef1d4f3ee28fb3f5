"""Sketches asked for in a form: what can be chosen, and drawing them."""

from collections.abc import Container, Iterable, Mapping
from itertools import chain, count
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from c2m.design.drawings import CATEGORIES, COLOURS, PATTERNS
from c2m.design.drawings.names import Named
from c2m.design.generation import Brief, Generated, SketchGenerator
from c2m.design.views.blueprint import in_reader_language
from c2m.web.forms import FALLBACK, Form, Whole
from c2m.web.viewer import signed_in_viewer

MOST_AT_ONCE = 4


def one_of(known: Container[str]) -> AfterValidator:
    """A text that must be one of these names."""

    def check(value: str) -> str:
        if value not in known:
            raise PydanticCustomError("enum", FALLBACK)
        return value

    return AfterValidator(check)


class Looks(Form):
    """How a sketch should look, as far as it was chosen; the rest is drawn at random."""

    primary: Annotated[str, one_of(COLOURS)] | None = None
    secondary: Annotated[str, one_of(COLOURS)] | None = None
    pattern: Annotated[str, one_of(PATTERNS)] | None = None

    @property
    def chosen(self) -> dict[str, str]:
        """The attributes that were chosen, as a brief takes them."""
        looks = {"primary": self.primary, "secondary": self.secondary, "pattern": self.pattern}
        return {name: value for name, value in looks.items() if value}


class SketchForm(Looks):
    words: Annotated[str, Field(max_length=500)] = ""
    count: Annotated[Whole, Field(ge=1, le=MOST_AT_ONCE)] = 1


def can_draw(category: str) -> bool:
    """Whether products of this category can be drawn."""
    return category in CATEGORIES


def drawn(brief: Brief, *, count: int = 1, seed: int) -> list[Generated]:
    """Sketches for a brief, with who asked for them kept in their provenance."""
    made = SketchGenerator().generate(brief, count=count, seed=seed, progress=lambda done, count: None)
    by = {"by": signed_in_viewer().name}
    return [Generated(sketch.image, sketch.kind, sketch.provenance | by) for sketch in made]


def names_of(provenance: Mapping[str, Any]) -> tuple[str, str]:
    """What a picture shows, in Chinese and in English: 藏青横条纹, Navy, stripes."""
    looks = provenance.get("spec") or provenance.get("attributes") or {}
    parts: list[tuple[str, Mapping[str, Named]]] = [("primary", COLOURS), ("pattern", PATTERNS)]
    named = [known[looks[name]] for name, known in parts if looks.get(name) in known]
    if not named:
        return "概念图", "Concept picture"
    return "".join(thing.zh for thing in named), ", ".join(thing.en for thing in named).capitalize()


def colour_of(provenance: Mapping[str, Any]) -> str:
    """The colour a picture was made in, in both languages, 藏青 Navy; empty where nobody chose one."""
    looks = provenance.get("spec") or provenance.get("attributes") or {}
    found = COLOURS.get(looks.get("primary", ""))
    return f"{found.zh} {found.en}" if found else ""


def suffix_among(taken: Container[str], name: str) -> str:
    """What tells a name from those that are taken: nothing, or the next number."""
    return next(suffix for suffix in chain([""], (f" {number}" for number in count(2))) if name + suffix not in taken)


def colours() -> list[tuple[str, str]]:
    """Every colour and its name in the reader's language."""
    return _options(COLOURS.values())


def patterns() -> list[tuple[str, str]]:
    """Every pattern and its name in the reader's language."""
    return _options(PATTERNS.values())


def _options(known: Iterable[Named]) -> list[tuple[str, str]]:
    return [(thing.name, in_reader_language(thing)) for thing in known]
