"""What a model is tried on: prompts it has not seen, and pictures that no judge should take for products."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from c2m.design.diffusion.captions import Habit, Speaker
from c2m.design.diffusion.dataset import SHARD_STREAM, specs_of
from c2m.design.diffusion.recipe import Recipe
from c2m.design.drawings import CATEGORIES, COLOURS, DrawingSpec

Pixels = npt.NDArray[np.uint8]

TELLING = Habit(
    category=1, primary=1, secondary=1, pattern=1, plain=1, finish=0.4, shape=0.15, background=0.4, opening=0.1
)


@dataclass(frozen=True)
class Trial:
    """A prompt, and what the picture must show."""

    prompt: str
    spec: DrawingSpec

    @property
    def patterned(self) -> bool:
        """Whether two colours are asked for."""
        return self.spec.pattern != "plain"


def trials(recipe: Recipe, *, shards: int, seed: int, each: int) -> list[Trial]:
    """So many prompts for each category, of colours and pattern that no drawing of the training combined like that."""
    drawings = recipe.denoiser.shard_drawings
    seen = {
        combination(spec)
        for number in range(shards)
        for spec in specs_of(recipe.seed, SHARD_STREAM, number, count=drawings)
    }
    chosen: dict[str, list[Trial]] = {name: [] for name in CATEGORIES}
    round_ = 0
    while any(len(found) < each for found in chosen.values()):
        speaker = Speaker(np.random.default_rng([seed, round_]), TELLING)
        for spec in specs_of(seed, round_, count=len(CATEGORIES) * each):
            if combination(spec) not in seen and len(chosen[spec.category]) < each:
                chosen[spec.category].append(Trial(speaker.caption(spec), spec))
        round_ += 1
    return [trial for group in zip(*chosen.values(), strict=True) for trial in group]


def combination(spec: DrawingSpec) -> tuple[str, ...]:
    """What decides whether a prompt is new."""
    second = spec.secondary if spec.pattern != "plain" else ""
    return spec.category, spec.primary, second, spec.pattern


def blobs(*, size: int, count: int, seed: int) -> Iterator[Pixels]:
    """Shaded spots of one colour before a plain background, which are no products."""
    colours = [colour.rgb for colour in COLOURS.values()]
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size - 0.5
    for _ in range(count):
        wide, tall, power = rng.uniform(0.15, 0.38), rng.uniform(0.15, 0.38), rng.uniform(2, 4)
        distance = (np.abs(x / wide) ** power + np.abs(y / tall) ** power) ** (1 / power)
        cover = np.clip((1 - distance) * wide * size / 2, 0, 1)[..., None]
        light = (1.05 - 0.5 * (x + y) - 0.25 * distance.clip(0, 1))[..., None]
        ground = np.full((size, size, 3), rng.uniform(190, 245, 3) * 0.3 + 235 * 0.7)
        spot = np.array(colours[int(rng.integers(len(colours)))]) * light
        noise = rng.normal(0, 2, (size, size, 3))
        yield (ground * (1 - cover) + spot * cover + noise).clip(0, 255).astype(np.uint8)
