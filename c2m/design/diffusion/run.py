"""A training run's folder: its log, its checkpoints, and the file that pauses it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from c2m.design.diffusion.dataset import write_atomically
from c2m.design.diffusion.recipe import Recipe
from c2m.design.diffusion.refusals import OtherRecipe

PAUSE, PAUSE_LASTS_S = "pause", 15 * 60


@dataclass(frozen=True)
class Run:
    """Where a training keeps what it needs to go on; `say` prints a line of progress."""

    folder: Path
    say: Callable[[str], None]

    def note(self, part: str, **figures: Any) -> None:
        """Log the figures as one JSON line and say them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{part}.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(figures) + "\n")
        self.say(part + "  " + "  ".join(f"{name} {value}" for name, value in figures.items()))

    def wait_while_paused(self) -> None:
        """Sleep while a file named `pause` lies in the folder, a forgotten one no longer than a quarter of an hour."""
        while self.paused():
            time.sleep(2)

    def paused(self) -> bool:
        """Whether the training is to sleep."""
        try:
            return time.time() - (self.folder / PAUSE).stat().st_mtime < PAUSE_LASTS_S
        except FileNotFoundError:
            return False

    def save(self, part: str, recipe: Recipe, state: dict[str, Any]) -> None:
        """Keep a checkpoint, whole or not at all, with the recipe it was made by."""
        state = {"recipe": recipe.fingerprint(part), "settings": recipe.settings(part), **state}
        write_atomically(self.folder / f"{part}.pt", lambda path: torch.save(state, path))

    def load(self, part: str, recipe: Recipe) -> dict[str, Any] | None:
        """The last checkpoint, None when there is none; raises OtherRecipe when it was made by another one."""
        path = self.folder / f"{part}.pt"
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if state["recipe"] != recipe.fingerprint(part):
            raise OtherRecipe(path=path, found=state["recipe"], asked=recipe.fingerprint(part))
        return state


class Pace:
    """Says when so many seconds have passed since it last said so."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether it is time again."""
        if time.monotonic() - self._last < self.seconds:
            return False
        self._last = time.monotonic()
        return True
