"""The door to picture generation: what a generator is given and what it must hand back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from PIL import Image

from c2m.design.drawings import CATEGORIES, DrawingSpec, contrast, draw, random_spec
from c2m.design.models import PictureKind
from c2m.errors import N_, Invalid

USUAL_STRENGTH = 0.6


@dataclass(frozen=True)
class Brief:
    """What a merchandiser asks for: words, and attributes: primary, secondary, pattern, finish, background."""

    category: str
    words: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    source: Image.Image | None = None  # a sketch or photograph to start from
    strength: float = USUAL_STRENGTH  # how far from it, 0…1; another than the usual one was chosen


@dataclass(frozen=True)
class Generated:
    """A picture with everything needed to make it again."""

    image: Image.Image
    kind: PictureKind
    provenance: dict[str, Any]


CONTRAST = 28  # CIE76 ΔE between two colours that can be told apart
Progress = Callable[[int, int], None]  # steps done, of the steps that all pictures asked for take together


class Cancelled(Exception):
    """Raised by a progress callback to stop the work between two steps; the generator lets it through."""


class NothingFromPictures(Invalid):
    """A generator that knows words only was given a picture to start from."""

    sentence = N_("Sketches are drawn from words, not from a picture.")


class ImageGenerator(Protocol):
    """Turns a brief into pictures; the same brief and seed give the same pictures."""

    @property
    def name(self) -> str:
        """What the provenance of its pictures calls it."""
        ...

    def generate(self, brief: Brief, *, count: int, seed: int, progress: Progress) -> Iterator[Generated]:
        """Pictures as they are made, with `progress` after every step; what it raises ends the work.

        The picture at place i is the one that `seed + i` gives alone.
        """
        ...


@dataclass(frozen=True)
class SketchGenerator:
    """Draws labelled sketches by our own renderer: no model, no network, never passed off as AI output."""

    name: str = "sketch"
    size: int = 512

    def generate(self, brief: Brief, *, count: int, seed: int, progress: Progress) -> Iterator[Generated]:
        """Sketches as they are drawn, each in one step.

        Raises:
            NothingFromPictures
        """
        if brief.source is not None:
            raise NothingFromPictures()
        for i in range(count):
            rng = np.random.default_rng([seed + i, 0])
            spec = _with_attributes(random_spec(rng, brief.category), brief.attributes)
            image = draw(spec, size=self.size, seed=seed + i)
            provenance = {"generator": self.name, "seed": seed + i, "spec": _described(spec), "brief": brief.words}
            progress(i + 1, count)
            yield Generated(image, PictureKind.SKETCH, provenance)


def _with_attributes(spec: DrawingSpec, chosen: dict[str, str]) -> DrawingSpec:
    """The random product with what was chosen; a second colour nobody chose stands out from the first."""
    primary = chosen.get("primary", spec.primary)
    finish = chosen.get("finish", spec.finish)
    beside = spec.secondary if contrast(primary, spec.secondary) > CONTRAST else spec.primary
    return DrawingSpec(
        category=spec.category,
        primary=primary,
        secondary=chosen.get("secondary", beside),
        pattern=chosen.get("pattern", spec.pattern),
        finish=finish if finish in CATEGORIES[spec.category].finishes else spec.finish,
        shape=spec.shape,
        background=chosen.get("background", spec.background),
    )


def _described(spec: DrawingSpec) -> dict[str, Any]:
    return {
        "category": spec.category,
        "primary": spec.primary,
        "secondary": spec.secondary,
        "pattern": spec.pattern,
        "finish": spec.finish,
        "background": spec.background,
        "shape": dict(spec.shape),
    }
