"""The drawings to learn from: made once, in numbered shards, each from the recipe's seed and its number alone."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from c2m.design.diffusion.recipe import Recipe
from c2m.design.drawings import CATEGORIES, DrawingSpec, draw, random_spec

if TYPE_CHECKING:
    from c2m.design.diffusion.codec import PatchCodec

FITTING_STREAM, CODEC_STREAM, SHARD_STREAM, STEP_STREAM = range(4)
Pixels = npt.NDArray[np.uint8]
Latents = npt.NDArray[np.float16]


@dataclass(frozen=True)
class Shard:
    """Drawings as latents (n × channels × cells × cells), with what each shows."""

    latents: Latents
    specs: list[DrawingSpec]


@dataclass(frozen=True)
class Shards:
    """A folder of shards."""

    folder: Path
    recipe: Recipe

    def path(self, number: int) -> Path:
        """Where the shard of that number lies."""
        return self.folder / f"{self.recipe.latents_fingerprint()}-{number:04d}.npz"

    def draw(self, number: int, codec: "PatchCodec") -> None:
        """Draw the shard and keep it, unless it is there already."""
        if self.path(number).exists():
            return
        recipe = self.recipe.denoiser
        specs = specs_of(self.recipe.seed, SHARD_STREAM, number, count=recipe.shard_drawings)
        pictures = pictures_of(specs, size=recipe.drawing_size, seed=number * recipe.shard_drawings)
        latents = codec.latents_of(pictures, size=self.recipe.codec.size)
        write_atomically(
            self.path(number),
            lambda path: np.savez(
                path, allow_pickle=False, latents=latents, specs=np.array(json.dumps([as_plain(s) for s in specs]))
            ),
        )

    def read(self, number: int) -> Shard:
        """The shard of that number; FileNotFoundError while it has not been drawn."""
        with np.load(self.path(number), allow_pickle=False) as stored:
            return Shard(stored["latents"], [DrawingSpec(**plain) for plain in json.loads(str(stored["specs"]))])


def specs_of(seed: int, *stream: int, count: int) -> list[DrawingSpec]:
    """Random products, each category as often as the others."""
    rng = np.random.default_rng([seed, *stream])
    names = list(CATEGORIES)
    order = rng.permutation(count)
    return [random_spec(rng, names[int(place) % len(names)]) for place in order]


def pictures_of(specs: list[DrawingSpec], *, size: int, seed: int) -> Iterator[Pixels]:
    """The drawings' pixels, one after the other."""
    for number, spec in enumerate(specs):
        yield np.asarray(draw(spec, size=size, seed=seed + number))


def as_plain(spec: DrawingSpec) -> dict[str, Any]:
    """The specification as JSON can hold it; `DrawingSpec(**plain)` gives it back."""
    return {
        "category": spec.category,
        "primary": spec.primary,
        "secondary": spec.secondary,
        "pattern": spec.pattern,
        "finish": spec.finish,
        "shape": dict(spec.shape),
        "background": spec.background,
    }


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file whole or not at all, whatever interrupts it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    write(draft)
    os.replace(draft, path)
