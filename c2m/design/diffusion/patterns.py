"""Which pattern a product bears, judged by how its colours repeat: directions, frequencies and shares."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageFilter
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch.nn.functional import affine_grid, grid_sample, interpolate

from c2m.design.diffusion.colours import ColourJudge, lab
from c2m.design.drawings import DrawingSpec

Pixels = npt.NDArray[np.uint8]
Real = npt.NDArray[np.float32]

WINDOW = 40  # hundredths of a picture's side that are looked at
FREQUENCIES, DIRECTIONS, LEVELS = 9, 12, 9
BENT = (0.0025, 0.012)  # of a picture's side: how far the lines of a sketchier picture stray
BENDS = 24  # along a picture's side
SOFTENED = (0.0015, 0.012)  # of a picture's side: radius of the blur


class PatternJudge:
    """Names patterns from the middle of each category's product, after learning from drawings.

    It sees each drawing twice, as it is and with a less steady hand, so that it names what repeats and not how cleanly.
    """

    def __init__(self, colours: ColourJudge, shown: Sequence[tuple[DrawingSpec, Pixels]], *, seed: int) -> None:
        self._colours = colours
        rng = np.random.default_rng(seed)
        twice = [*shown, *((spec, less_steady(picture, rng)) for spec, picture in shown)]
        # Balanced, since a third of the drawings are plain and doubt is no evidence of that.
        self._named = make_pipeline(StandardScaler(), SVC(C=10, class_weight="balanced"))
        self._named.fit(self._features(twice), [spec.pattern for spec, _ in twice])

    def patterns(self, shown: Sequence[tuple[DrawingSpec, Pixels]]) -> list[str]:
        """The pattern each picture shows; of the specification only the category is used."""
        return [str(name) for name in self._named.predict(self._features(shown))]

    def _features(self, shown: Sequence[tuple[DrawingSpec, Pixels]]) -> Real:
        return np.stack([repeats(picture, self._colours.core(spec.category)) for spec, picture in shown])


def less_steady(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """The picture with its lines bent and its edges softened a little, by chance."""
    size = len(picture)
    coarse = torch.from_numpy(rng.standard_normal((1, 2, BENDS, BENDS), dtype=np.float32))
    stray = interpolate(coarse, size=(size, size), mode="bicubic").permute(0, 2, 3, 1)
    stray *= 2 * float(rng.uniform(*BENT)) / stray.std()  # a side is two units long
    even = affine_grid(torch.eye(2, 3)[None], [1, 3, size, size], align_corners=False)
    whole = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None]
    bent = grid_sample(whole, even + stray, padding_mode="border", align_corners=False)
    drawn = Image.fromarray(bent[0].permute(1, 2, 0).round().to(torch.uint8).numpy())
    return np.asarray(drawn.filter(ImageFilter.GaussianBlur(size * float(rng.uniform(*SOFTENED)))))


def repeats(picture: Pixels, core: npt.NDArray[np.bool_]) -> Real:
    """Energy by frequency and direction, distribution and contrast along the axis on which the colours differ most."""
    pixels = lab(picture)
    inside = pixels[core]
    middle = np.median(inside, axis=0)
    values, axes = np.linalg.eigh(np.cov(inside, rowvar=False))
    along = (pixels - middle) @ axes[:, -1]
    along *= np.sign(np.percentile(along[core], 95) + np.percentile(along[core], 5) or 1)
    contrast = float(along[core].std()) + 1e-3
    levels = np.percentile(along[core], np.linspace(2, 98, LEVELS)) / contrast
    map_ = np.where(core, along, 0) / contrast
    size = len(picture)
    rows, columns = (np.flatnonzero(core.any(axis=axis)) for axis in (1, 0))
    side = size * WINDOW // 100
    y = int(np.clip(rows.mean() - side / 2, 0, size - side))
    x = int(np.clip(columns.mean() - side / 2, 0, size - side))
    window = map_[y : y + side, x : x + side] * np.outer(np.hanning(side), np.hanning(side))
    power = np.abs(np.fft.fft2(window - window.mean(), (64, 64))) ** 2
    fy, fx = np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64), indexing="ij")
    frequency = np.clip((np.log2(np.hypot(fy, fx) + 1e-9) + 6) / 5 * FREQUENCIES, 0, FREQUENCIES - 1).astype(int)
    direction = ((np.arctan2(fy, fx) / np.pi + 0.5 / DIRECTIONS) % 1 * DIRECTIONS).astype(int) % DIRECTIONS
    energy = np.bincount((frequency * DIRECTIONS + direction).ravel(), power.ravel(), FREQUENCIES * DIRECTIONS)
    shares = np.sqrt(energy / (energy.sum() + 1e-9))
    down, across = (np.abs(np.diff(map_, axis=axis))[core[1:] if axis == 0 else core[:, 1:]].mean() for axis in (0, 1))
    by_frequency = shares.reshape(FREQUENCIES, DIRECTIONS)
    sharpness = [*by_frequency.max(axis=1), *by_frequency.max(axis=0), float(down), float(across)]
    spread = values[::-1] / (values.sum() + 1e-6)
    return np.concatenate([shares, levels, sharpness, spread, [contrast]]).astype(np.float32)
