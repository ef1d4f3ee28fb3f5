"""Judges trained on drawings alone: what a picture shows, and whether it looks like a drawing at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy, pad

from c2m.design.drawings import CATEGORIES, PATTERNS, DrawingSpec

Pixels = npt.NDArray[np.uint8]
Real = npt.NDArray[np.float32]

NEIGHBOURS = 5
TYPICAL = 95  # percentile of real drawings' distances


class Eye(nn.Module):  # type: ignore[misc]  # torch is read without its types
    """A small convolutional network that names category and pattern."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        widths = (3, width, width * 2, width * 4, width * 6)
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, 3, stride=2, padding=1),
                nn.GroupNorm(8, b),
                nn.SiLU(),
                nn.Conv2d(b, b, 3, padding=1, groups=1 if a > 3 else 8),
                nn.GroupNorm(8, b),
                nn.SiLU(),
            )
            for a, b in pairwise(widths)
        )
        self.category = nn.Linear(widths[-1], len(CATEGORIES))
        self.pattern = nn.Linear(widths[-1] + widths[-2], len(PATTERNS))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of categories and patterns, and what the judge of typicality compares."""
        seen, grid = [], x
        for stage in self.stages:
            x = stage(x)
            seen.append(x.mean(dim=(2, 3)))
            grid = x
        category = self.category(seen[-1])
        pattern = self.pattern(torch.cat(seen[-2:], dim=1))
        places = avg_pool2d(grid, grid.shape[-1] // 4).flatten(1)
        return category, pattern, torch.cat([*seen[1:], places * 0.5], dim=1)


@dataclass(frozen=True)
class Verdict:
    """What the judges saw in each picture."""

    categories: list[str]
    patterns: list[str]
    distances: Real
    features: Real


class Judges:
    """The trained eye, and the real drawings that new pictures are compared with."""

    def __init__(self, eye: Eye, references: Sequence[Pixels], calibration: Sequence[Pixels]) -> None:
        self.eye = eye.eval()
        raw = _seen(eye, references)[2]
        self._mean, self._deviation = raw.mean(axis=0), raw.std(axis=0) + 1e-3
        self._references = (raw - self._mean) / self._deviation
        self.limit = float(np.percentile(self.judge(calibration).distances, TYPICAL))

    def judge(self, pictures: Sequence[Pixels]) -> Verdict:
        """Category, pattern, and the distance to the nearest real drawings."""
        category, pattern, raw = _seen(self.eye, pictures)
        features = (raw - self._mean) / self._deviation
        squared = (features**2).sum(1)[:, None] + (self._references**2).sum(1) - 2 * features @ self._references.T
        distances = np.sqrt(np.maximum(np.sort(squared, axis=1)[:, :NEIGHBOURS], 0)).mean(axis=1)
        categories, patterns = list(CATEGORIES), list(PATTERNS)
        return Verdict(
            [categories[i] for i in category.argmax(1)],
            [patterns[i] for i in pattern.argmax(1)],
            distances.astype(np.float32),
            features,
        )


def trained_eye(
    pictures: npt.NDArray[np.uint8], specs: Sequence[DrawingSpec], *, epochs: int, seed: int, batch: int = 32
) -> Eye:
    """An eye that has learned from the drawings, shifted, blurred and dimmed a little each time they are shown."""
    torch.manual_seed(seed)
    eye = Eye()
    eye.to(memory_format=torch.channels_last)
    category = torch.tensor([list(CATEGORIES).index(spec.category) for spec in specs])
    pattern = torch.tensor([list(PATTERNS).index(spec.pattern) for spec in specs])
    steps = epochs * (len(specs) // batch)
    optimiser = torch.optim.AdamW(eye.parameters(), lr=3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps)
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(specs))
        for start in range(0, len(specs) // batch * batch, batch):
            chosen = order[start : start + batch]
            shown = _disturbed(_tensor(pictures[chosen]), rng)
            named, printed, _ = eye(shown.contiguous(memory_format=torch.channels_last))
            loss = cross_entropy(named, category[chosen]) + cross_entropy(printed, pattern[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return eye


def _disturbed(shown: Tensor, rng: np.random.Generator) -> Tensor:
    size = shown.shape[-1]
    x, y = rng.integers(0, 9, size=2)
    shown = pad(shown, (4, 4, 4, 4), mode="replicate")[..., y : y + size, x : x + size]
    if rng.random() < 0.3:
        shown = avg_pool2d(pad(shown, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    light = torch.from_numpy(rng.uniform(0.9, 1.1, (len(shown), 3, 1, 1)).astype(np.float32))
    noise = torch.from_numpy(rng.normal(0, 0.02, tuple(shown.shape)).astype(np.float32))
    return shown * light + noise


def _seen(eye: Eye, pictures: Sequence[Pixels]) -> tuple[Real, Real, Real]:
    with torch.inference_mode():
        parts = [eye(_tensor(np.stack(pictures[start : start + 64]))) for start in range(0, len(pictures), 64)]
    category, pattern, features = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
    return category, pattern, features


def _tensor(pictures: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
