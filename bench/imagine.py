"""What c2m's own path adds to the bare pipeline: a brief understood, provenance kept, a labelled PNG written.

    python bench/imagine.py [--quick] [--json] [--model DIR]

Both make the same pictures from the same seeds, in turns and in one process, so that only their ratio is read: of the
process's CPU seconds, which a busy machine does not stretch, and of the wall's.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from c2m.design.diffusion.briefs import understand
from c2m.design.diffusion.cli import save_png
from c2m.design.diffusion.generator import EMBEDDED, PipelineGenerator
from c2m.design.diffusion.loading import load
from c2m.design.generation import Brief

BRIEFS = ("红白条纹帆布托特包", "navy polka dot hoodie with a contrast lining", "蓝白青海波茶壶 提梁")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="fewer pictures")
    arguments.add_argument("--model", type=Path, default=EMBEDDED)
    arguments.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = arguments.parse_args()
    if not (chosen.model / "model_index.json").is_file():
        print(f"skipped: there is no model at {chosen.model}; write one with `c2m imagine export` or name another")
        return
    rounds = 2 if chosen.quick else 8

    started = time.perf_counter()
    bare = load(chosen.model)
    loading = time.perf_counter() - started
    generator = PipelineGenerator(model=chosen.model)
    ours: list[Spent] = []
    theirs: list[Spent] = []
    with TemporaryDirectory() as folder:
        for round_ in range(rounds + 1):  # the first one warms up
            for number, words in enumerate(BRIEFS):
                job = Job(words, seed=round_ * 10 + number, folder=Path(folder))
                # Whoever comes second finds warmer caches, so they take turns at that.
                if round_ % 2:
                    mine, bare_one = timed(job.through_c2m, generator), timed(job.through_diffusers, bare)
                else:
                    bare_one, mine = timed(job.through_diffusers, bare), timed(job.through_c2m, generator)
                if round_:
                    ours.append(mine)
                    theirs.append(bare_one)
    figures = {
        "loading_s": round(loading, 2),
        "threads": torch.get_num_threads(),
        "steps": generator.steps,
        "pictures": len(ours),
        "bare_s": round(statistics.median(spent.wall for spent in theirs), 3),
        "through_c2m_s": round(statistics.median(spent.wall for spent in ours), 3),
        "overhead_pct": overhead([(a.cpu, b.cpu) for a, b in zip(ours, theirs, strict=True)]),
        "overhead_wall_pct": overhead([(a.wall, b.wall) for a, b in zip(ours, theirs, strict=True)]),
    }
    if chosen.json:
        print(json.dumps(figures))
        return
    print("loading {loading_s} s, {threads} threads, {steps} steps, {pictures} pictures".format_map(figures))
    print("a picture: bare {bare_s} s, through c2m {through_c2m_s} s".format_map(figures))
    print("overhead: {overhead_pct:+} % of CPU (median of pairs; the bar is 5 %)".format_map(figures))
    print("          {overhead_wall_pct:+} % by the clock".format_map(figures))


@dataclass(frozen=True)
class Job:
    """One picture to make."""

    words: str
    seed: int
    folder: Path

    def through_c2m(self, generator: PipelineGenerator) -> None:
        """What `c2m imagine` does for it."""
        brief = Brief(understand(self.words).attributes["category"], self.words)
        for made in generator.generate(brief, count=1, seed=self.seed, progress=lambda done, count: None):
            save_png(made, self.folder / "ours.png")

    def through_diffusers(self, pipeline: Any) -> None:
        """The same picture, written as PNG too, with nothing around the pipeline."""
        made = pipeline(
            understand(self.words).prompt,
            num_inference_steps=PipelineGenerator.steps,
            guidance_scale=PipelineGenerator.guidance,
            generator=torch.Generator("cpu").manual_seed(self.seed),
        )
        made.images[0].save(self.folder / "theirs.png")


@dataclass(frozen=True)
class Spent:
    """Seconds that a piece of work took, of this process's CPU and by the clock."""

    cpu: float
    wall: float


def timed(work: Callable[[Any], None], by: Any) -> Spent:
    """Do the work; what it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    work(by)
    return Spent(time.process_time() - cpu, time.perf_counter() - wall)


def overhead(pairs: list[tuple[float, float]]) -> float:
    """By how many per cent the first of each pair is the longer, in the middle one."""
    return round(100 * (statistics.median(ours / bare for ours, bare in pairs) - 1), 2)


if __name__ == "__main__":
    main()
