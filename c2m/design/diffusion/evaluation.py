"""Judging the embedded model honestly: unseen prompts, gated judges, controls, and the same for real drawings."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from c2m.design.diffusion.card import NOTE
from c2m.design.diffusion.colours import ColourJudge
from c2m.design.diffusion.dataset import Shards, as_plain, pictures_of, specs_of, write_atomically
from c2m.design.diffusion.generator import PipelineGenerator
from c2m.design.diffusion.judges import Eye, Judges, trained_eye
from c2m.design.diffusion.patterns import PatternJudge
from c2m.design.diffusion.recipe import Recipe, digest
from c2m.design.diffusion.trials import Trial, blobs, trials
from c2m.design.drawings import CATEGORIES, DrawingSpec, draw, random_spec

Pixels = npt.NDArray[np.uint8]
Say = Callable[[str], None]

JUDGE_SEED = 977


@dataclass(frozen=True)
class Plan:
    """How much is judged, and by judges trained how long."""

    each: int = 14  # prompts of each category
    size: int = 128  # pixels at which pictures are judged
    judge_drawings: int = 4400
    epochs: int = 8
    eyes: int = 3  # judges, which judge together
    blobs: int = 600
    empty: int = 44
    varied: int = len(CATEGORIES)  # prompts whose variety is measured
    seeds: int = 4  # of each of them
    timed: int = 5
    shards: int = 4  # of drawings searched for pictures copied from them


def few() -> Plan:
    """A plan of seconds, to try the command."""
    return Plan(
        each=1, size=64, judge_drawings=110, epochs=1, eyes=2, blobs=4, empty=2, varied=1, seeds=2, timed=1, shards=1
    )


@dataclass(frozen=True)
class Bar:
    """A figure beside what it should reach (or stay below), and what real drawings reach by the same measure."""

    name: str
    figure: float
    bar: float
    at_least: bool = True
    drawings: float | None = None

    @property
    def met(self) -> bool:
        """Whether the figure is good enough."""
        return self.figure >= self.bar if self.at_least else self.figure <= self.bar


@dataclass(frozen=True)
class Report:
    """Everything the evaluation found."""

    model: dict[str, Any]
    prompts: int
    bars: list[Bar]
    controls: dict[str, float]
    categories: dict[str, float]
    patterns: dict[str, float]
    sheet: list[tuple[str, Image.Image]] = field(repr=False)

    @property
    def met(self) -> bool:
        """Whether every bar is met."""
        return all(bar.met for bar in self.bars)

    def plain(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return {
            "model": self.model,
            "prompts": self.prompts,
            "met": self.met,
            "bars": [{**asdict(bar), "met": bar.met} for bar in self.bars],
            "controls": self.controls,
            "categories": self.categories,
            "patterns": self.patterns,
        }


@dataclass(frozen=True)
class Score:
    """Shares of pictures that show what was asked for."""

    category: list[bool]
    typical: list[bool]
    primary: list[bool]
    secondary: list[bool]
    pattern: list[bool]

    @property
    def good(self) -> list[bool]:
        """Right category and like a drawing, for each picture."""
        return [a and b for a, b in zip(self.category, self.typical, strict=True)]


class Evaluation:
    """The judges, and what they find; the judges are trained once and kept in the folder."""

    def __init__(self, folder: Path, plan: Plan, say: Say) -> None:
        self.folder, self.plan, self.say = folder, plan, say
        specs = specs_of(JUDGE_SEED, count=plan.judge_drawings)
        pictures = self._drawings(specs)
        learnt, compared = len(specs) * 6 // 10, len(specs) * 9 // 10
        eyes = [self._eye(pictures[:learnt], specs[:learnt], seed=JUDGE_SEED + number) for number in range(plan.eyes)]
        self.judges = Judges(eyes, list(pictures[learnt:compared]))
        self.colours = ColourJudge(size=self.plan.size, seed=JUDGE_SEED)
        self.patterns = PatternJudge(
            self.colours, list(zip(specs[:learnt], pictures[:learnt], strict=True)), seed=JUDGE_SEED
        )
        self.held_out = list(zip(specs[compared:], pictures[compared:], strict=True))

    def score(self, shown: Sequence[tuple[DrawingSpec, Pixels]]) -> Score:
        """What the judges say of pictures that should show these products."""
        verdict = self.judges.judge([picture for _, picture in shown])
        patterned = [(spec, picture) for spec, picture in shown if spec.pattern != "plain"]
        return Score(
            category=[name == spec.category for name, (spec, _) in zip(verdict.categories, shown, strict=True)],
            typical=verdict.typical,
            primary=[
                self.colours.shows_primary(picture, spec.category, spec.primary, patterned=spec.pattern != "plain")
                for spec, picture in shown
            ],
            secondary=[
                self.colours.shows_secondary(picture, spec.category, spec.secondary) for spec, picture in patterned
            ],
            pattern=[
                name == spec.pattern for name, (spec, _) in zip(self.patterns.patterns(shown), shown, strict=True)
            ],
        )

    def evaluate(self, model: Path, recipe: Recipe, *, drawings: Path) -> Report:
        """The figures of the model beside the bars. The prompts follow from the weights, so that none is known before.

        `drawings` is the training's folder; shards missing there are drawn again.
        """
        plan, note = self.plan, json.loads((model / NOTE).read_text("utf-8"))
        generator = PipelineGenerator(model=model)
        seed = int(digest(note), 16) % 2**32
        used = recipe.denoiser.shards_at(note["steps"]["denoiser"])
        tried = trials(recipe, shards=used, seed=seed, each=plan.each)
        self.say(f"{len(tried)} unseen prompts, chosen by the weights")
        made = self._made(generator, [trial.prompt for trial in tried], seed=seed)
        shown = [(trial.spec, self._judged(picture)) for trial, picture in zip(tried, made, strict=True)]
        score, real = self.score(shown), self.score(self.held_out)
        self.say("controls")
        empty = self.score(
            list(
                zip(
                    [trial.spec for trial in tried],
                    map(self._judged, self._made(generator, [""] * plan.empty, seed=seed + 1)),
                    strict=False,
                )
            )
        )
        nothing = self.judges.judge(list(blobs(size=self.plan.size, count=plan.blobs, seed=seed)))
        codec = self.score([(spec, self._coded(generator, picture)) for spec, picture in self.held_out[:110]])
        by_category = _by(lambda trial: trial.spec.category, tried, score.good)
        variety = self._variety(generator, tried[: plan.varied], seed=seed + 2)
        copied = self._copied(generator, recipe, [picture for _, picture in shown], drawings)
        seconds = self._seconds(generator, tried)
        size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file()) / 1e6
        bars = [
            Bar("category and typical", _share(score.good), 0.85, drawings=_share(real.good)),
            Bar("weakest category", min(by_category.values()), 0.65),
            Bar("primary colour", _share(score.primary), 0.90, drawings=_share(real.primary)),
            Bar("secondary colour", _share(score.secondary), 0.80, drawings=_share(real.secondary)),
            Bar("pattern", _share(score.pattern), 0.60, drawings=_share(real.pattern)),
            Bar("variety against drawings", variety, 0.70),
            Bar("seconds a picture", seconds, 2.0, at_least=False),
            Bar("megabytes", round(size, 1), 25.0, at_least=False),
            Bar("blobs taken for products", _share(nothing.typical), 0.10, False),
            Bar("empty prompt taken for the product asked", _share(empty.good), 0.12, False),
            Bar("nearer to a training drawing than drawings are", copied, 0.05, False),
        ]
        controls = {
            "category without the gate": _share(score.category),
            "typical": _share(score.typical),
            "drawings through the codec: category and typical": _share(codec.good),
            "drawings through the codec: pattern": _share(codec.pattern),
            "drawings: typical": _share(real.typical),
            "pattern of the next prompt": _share(self.score(_shifted(shown)).pattern),
        }
        return Report(
            model={"revision": digest(note), "steps": generator.steps, "guidance": generator.guidance, **note},
            prompts=len(tried),
            bars=bars,
            controls=controls,
            categories=by_category,
            patterns=_by(lambda trial: trial.spec.pattern, tried, score.pattern),
            sheet=[(trial.prompt, picture) for trial, picture in zip(tried, made, strict=True)][:66],
        )

    def _drawings(self, specs: list[DrawingSpec]) -> Pixels:
        path = self.folder / f"{digest([self.plan.size, *map(as_plain, specs)])}-drawings.npy"
        if not path.exists():
            self.say(f"drawing {len(specs)} products for the judges")
            pictures = np.stack(list(pictures_of(specs, size=self.plan.size, seed=JUDGE_SEED * 100_000)))
            write_atomically(path, lambda draft: np.save(draft, pictures, allow_pickle=False))
        loaded: Pixels = np.load(path)
        return loaded

    def _eye(self, pictures: Pixels, specs: list[DrawingSpec], *, seed: int) -> Eye:
        path = self.folder / f"{digest([self.plan.size, self.plan.epochs, *map(as_plain, specs)])}-eye-{seed}.pt"
        eye: Eye = Eye()
        if path.exists():
            eye.load_state_dict(torch.load(path, weights_only=True))
            return eye
        self.say(f"training the judge of seed {seed}")
        eye = trained_eye(pictures, specs, epochs=self.plan.epochs, seed=seed)
        write_atomically(path, lambda draft: torch.save(eye.state_dict(), draft))
        return eye

    def _made(self, generator: PipelineGenerator, prompts: Sequence[str], *, seed: int) -> list[Image.Image]:
        made = []
        for number, prompt in enumerate(prompts):
            made.append(generator.picture(prompt, seed=seed + number))
            if (number + 1) % 44 == 0:
                self.say(f"{number + 1} of {len(prompts)} pictures")
        return made

    def _coded(self, generator: PipelineGenerator, picture: Pixels) -> Pixels:
        latents = torch.from_numpy(generator.codec.latents_of([picture], size=generator.size).astype(np.float32))
        with torch.inference_mode():
            decoded = generator.codec.decode(latents).sample[0]
        pixels = ((decoded.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).to(torch.uint8)
        return self._judged(Image.fromarray(pixels.numpy()))

    def _judged(self, picture: Image.Image) -> Pixels:
        return np.asarray(picture.resize((self.plan.size, self.plan.size), Image.Resampling.BOX))

    def _variety(self, generator: PipelineGenerator, tried: Sequence[Trial], *, seed: int) -> float:
        """Mean distance between pictures of one prompt, over that of drawings with the same attributes."""
        made, drawn = [], []
        rng = np.random.default_rng(seed)
        for trial in tried:
            prompts = [trial.prompt] * self.plan.seeds
            made.append([self._judged(picture) for picture in self._made(generator, prompts, seed=seed)])
            specs = [_alike(trial.spec, rng) for _ in prompts]
            drawn.append(
                [np.asarray(draw(spec, size=self.plan.size, seed=seed + number)) for number, spec in enumerate(specs)]
            )
        return round(self._spread(made) / self._spread(drawn), 3)

    def _spread(self, groups: list[list[Pixels]]) -> float:
        distances = []
        for group in groups:
            features = self.judges.judge(group).features
            distances += [float(np.linalg.norm(a - b)) for a, b in combinations(features, 2)]
        return float(np.mean(distances))

    def _copied(self, generator: PipelineGenerator, recipe: Recipe, shown: Sequence[Pixels], drawings: Path) -> float:
        """Share of pictures nearer to a training drawing than all but one in a hundred new drawings are."""
        shards = Shards(drawings / "shards", recipe)
        for number in range(self.plan.shards):
            shards.draw(number, generator.codec)
        known = np.concatenate([shards.read(number).latents for number in range(self.plan.shards)])

        def nearest(pictures: Sequence[Pixels]) -> npt.NDArray[np.float32]:
            latents = generator.codec.latents_of(list(pictures), size=generator.size)
            return _nearest(latents.reshape(len(latents), -1), known.reshape(len(known), -1))

        usual = np.percentile(nearest([picture for _, picture in self.held_out]), 1)
        return _share([bool(distance < usual) for distance in nearest(shown)])

    def _seconds(self, generator: PipelineGenerator, tried: Sequence[Trial]) -> float:
        """Median seconds a picture."""
        taken = []
        for number, trial in enumerate(tried[: self.plan.timed]):
            started = time.perf_counter()
            generator.picture(trial.prompt, seed=number)
            taken.append(time.perf_counter() - started)
        return round(float(np.median(taken)), 2)


def _shifted(shown: Sequence[tuple[DrawingSpec, Pixels]]) -> list[tuple[DrawingSpec, Pixels]]:
    """The same pictures, each as if its pattern had been asked for by the next prompt: what chance would reach."""
    asked = [spec.pattern for spec, _ in shown]
    return [
        (replace(spec, pattern=pattern), picture)
        for (spec, picture), pattern in zip(shown, asked[1:] + asked[:1], strict=True)
    ]


def _alike(spec: DrawingSpec, rng: np.random.Generator) -> DrawingSpec:
    other = random_spec(rng, spec.category)
    return replace(other, primary=spec.primary, secondary=spec.secondary, pattern=spec.pattern)


def _nearest(rows: npt.NDArray[Any], known: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    a, b = rows.astype(np.float32), known.astype(np.float32)
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squared.min(axis=1), 0)))


def _by(key: Callable[[Trial], str], tried: Sequence[Trial], right: Sequence[bool]) -> dict[str, float]:
    groups: dict[str, list[bool]] = {}
    for trial, good in zip(tried, right, strict=True):
        groups.setdefault(key(trial), []).append(good)
    return {name: _share(group) for name, group in sorted(groups.items())}


def _share(right: Sequence[bool]) -> float:
    return round(float(np.mean(right)), 3)
