"""Which pattern a product bears, judged by how its colours repeat: directions, frequencies and shares."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier

from c2m.design.diffusion.colours import ColourJudge, lab
from c2m.design.drawings import DrawingSpec

Pixels = npt.NDArray[np.uint8]
Real = npt.NDArray[np.float32]

WINDOW = 40  # hundredths of a picture's side that are looked at
FREQUENCIES, DIRECTIONS, LEVELS = 9, 12, 9


class PatternJudge:
    """Names patterns from the middle of each category's product, after learning from drawings."""

    def __init__(self, colours: ColourJudge, shown: Sequence[tuple[DrawingSpec, Pixels]], *, seed: int) -> None:
        self._colours = colours
        self._trees = ExtraTreesClassifier(400, min_samples_leaf=2, max_features=0.15, random_state=seed)
        self._trees.fit(self._features(shown), [spec.pattern for spec, _ in shown])

    def patterns(self, shown: Sequence[tuple[DrawingSpec, Pixels]]) -> list[str]:
        """The pattern each picture shows; of the specification only the category is used."""
        return [str(name) for name in self._trees.predict(self._features(shown))]

    def _features(self, shown: Sequence[tuple[DrawingSpec, Pixels]]) -> Real:
        return np.stack([repeats(picture, self._colours.core(spec.category)) for spec, picture in shown])


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
