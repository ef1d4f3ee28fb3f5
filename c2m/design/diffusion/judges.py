"""Judges trained on drawings alone: which product a picture shows, and whether it looks like one at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, avg_pool2d, cross_entropy, grid_sample, interpolate, pad

from c2m.design.diffusion.compute import Compute
from c2m.design.drawings import CATEGORIES, DrawingSpec

Pixels = npt.NDArray[np.uint8]
Real = npt.NDArray[np.float32]

FORM = 64  # numbers that describe what a picture shows
SPOILED = 0.25  # share of training pictures that are ruined, to learn what is no product
PLACES = 4  # areas along a picture's side
NEIGHBOURS = 5
TYPICAL = 95  # percentile of real drawings' distances


class Eye(nn.Module):  # type: ignore[misc]  # torch is read without its types
    """A small convolutional network that names the category, or says that a picture is spoiled."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        widths = (3, width, width * 2, width * 4, width * 6)
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, 3, stride=2, padding=1),
                nn.GroupNorm(8, b),
                nn.SiLU(),
                nn.Conv2d(b, b, 3, padding=1),
                nn.GroupNorm(8, b),
                nn.SiLU(),
            )
            for a, b in pairwise(widths)
        )
        self.form = nn.Sequential(nn.Linear(widths[-1] * PLACES**2, FORM), nn.LayerNorm(FORM), nn.SiLU())
        self.category = nn.Linear(FORM, len(CATEGORIES) + 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of the categories (the last: spoiled), and the form that typicality compares."""
        for stage in self.stages:
            x = stage(x)
        form = self.form(avg_pool2d(x, x.shape[-1] // PLACES).flatten(1))
        return self.category(form), form


@dataclass(frozen=True)
class Verdict:
    """What the judges saw in each picture."""

    categories: list[str]
    typical: list[bool]
    features: Real


class Judges:
    """Trained eyes that judge together, and the real drawings that new pictures are compared with.

    What one eye takes for like a drawing by chance, another one seldom does.
    """

    def __init__(self, eyes: Sequence[Eye], references: Sequence[Pixels]) -> None:
        self.eyes = [eye.eval() for eye in eyes]
        raw = [_seen(eye, references)[1] for eye in self.eyes]
        self._scales = [(seen.mean(axis=0), seen.std(axis=0) + 1e-3) for seen in raw]
        self._references = self._form(references)[1]
        self.limit = float(np.percentile(self._distances(self._references, apart=True), TYPICAL))

    def judge(self, pictures: Sequence[Pixels]) -> Verdict:
        """Category, and whether the picture is like real drawings: not spoiled, and as near to some as they are."""
        scores, features = self._form(pictures)
        near, whole = self._distances(features) <= self.limit, scores.argmax(axis=1) < len(CATEGORIES)
        names = list(CATEGORIES)
        return Verdict([names[i] for i in scores[:, :-1].argmax(axis=1)], (near & whole).tolist(), features)

    def _form(self, pictures: Sequence[Pixels]) -> tuple[Real, Real]:
        """The eyes' mean scores, and side by side what each of them sees."""
        seen = [_seen(eye, pictures) for eye in self.eyes]
        forms = [(raw - mean) / deviation for (_, raw), (mean, deviation) in zip(seen, self._scales, strict=True)]
        return np.mean([scores for scores, _ in seen], axis=0), np.concatenate(forms, axis=1)

    def _distances(self, features: Real, *, apart: bool = False) -> Real:
        """Mean distance to the nearest of the real drawings; `apart` for those themselves, each from the others."""
        squared = (features**2).sum(1)[:, None] + (self._references**2).sum(1) - 2 * features @ self._references.T
        if apart:
            np.fill_diagonal(squared, np.inf)
        nearest = np.sort(squared, axis=1)[:, :NEIGHBOURS]
        return np.asarray(np.sqrt(np.maximum(nearest, 0)).mean(axis=1), dtype=np.float32)


def trained_eye(
    pictures: npt.NDArray[np.uint8], specs: Sequence[DrawingSpec], *, epochs: int, seed: int, batch: int = 32
) -> Eye:
    """An eye that has learned from the drawings, shifted, blurred and tinted a little each time they are shown.

    Some are ruined instead, which it learns to tell from products. Blobs are not among them: those are the control.
    """
    compute = Compute.best("cpu")
    torch.manual_seed(seed)
    eye = Eye()
    category = torch.tensor([list(CATEGORIES).index(spec.category) for spec in specs])
    steps = epochs * (len(specs) // batch)
    optimiser = torch.optim.AdamW(eye.parameters(), lr=3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps)
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(specs))
        for start in range(0, len(specs) // batch * batch, batch):
            chosen = order[start : start + batch]
            shown = _disturbed(_tensor(pictures[chosen]), rng)
            ruined = torch.from_numpy(rng.random(batch) < SPOILED)
            shown = torch.where(ruined[:, None, None, None], _spoiled(shown, rng), shown)
            with compute.autocast():
                named, _ = eye(shown)
            names = torch.where(ruined, len(CATEGORIES), category[chosen])
            loss = cross_entropy(named.float(), names)
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
    noise = 0.02 * torch.from_numpy(rng.standard_normal(tuple(shown.shape), dtype=np.float32))
    order = torch.from_numpy(rng.permutation(3))  # colours are another judge's business
    return (shown * light + noise)[:, order]


def _spoiled(shown: Tensor, rng: np.random.Generator) -> Tensor:
    """The pictures with their parts in the wrong places, two shown at once, or little but their colours left."""
    size = shown.shape[-1]
    kind = rng.integers(4)
    if kind == 0:
        return shown.roll((size // 2, size // 2) if rng.random() < 0.5 else (0, size // 2), dims=(2, 3))
    if kind == 1:
        return (shown + shown.roll(1, dims=0)) / 2
    if kind == 2:
        coarse = avg_pool2d(shown, size // int(rng.integers(5, 13)))
        return interpolate(coarse, size=(size, size), mode="bicubic")
    coarse = torch.from_numpy(rng.normal(0, 0.2, (len(shown), 2, 4, 4)).astype(np.float32))
    shift = interpolate(coarse, size=(size, size), mode="bicubic").permute(0, 2, 3, 1)
    even = affine_grid(torch.eye(2, 3).expand(len(shown), 2, 3), list(shown.shape), align_corners=False)
    return grid_sample(shown, even + shift, padding_mode="border", align_corners=False)


def _seen(eye: Eye, pictures: Sequence[Pixels]) -> tuple[Real, Real]:
    with torch.inference_mode():
        parts = [eye(_tensor(np.stack(pictures[start : start + 64]))) for start in range(0, len(pictures), 64)]
    scores, forms = (torch.cat(part) for part in zip(*parts, strict=True))
    return scores.softmax(dim=1).numpy(), forms.numpy()


def _tensor(pictures: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
