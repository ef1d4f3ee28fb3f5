"""Which of the palette's colours a picture of a product shows, by how far apart colours look (CIE76 ΔE)."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from c2m.design.drawings import COLOURS, DrawingSpec, draw, random_spec

Pixels = npt.NDArray[np.uint8]
Real = npt.NDArray[np.float32]

LIGHT_COUNTS = 0.6  # lightness says less than hue, since products are shaded
CERTAIN = 0.9  # share of drawings in which a pixel is the product's
SHOWN_ON = ("mug", "tshirt", "tote")  # what a colour's look is learned from
BARELY_DIFFERENT = 8  # levels by which the same pixel may differ before two backgrounds and still be the product


class ColourJudge:
    """Knows where each category's product surely is, and how each colour looks there under studio light."""

    def __init__(self, *, size: int, seed: int) -> None:
        self.size, self.seed = size, seed
        self._cores: dict[str, npt.NDArray[np.bool_]] = {}
        self._looks = np.stack([self._look(colour) for colour in COLOURS])

    def shares(self, picture: Pixels, category: str) -> Mapping[str, float]:
        """The share of the product's pixels that looks most like each colour of the palette."""
        pixels = lab(picture[self.core(category)])
        difference = np.linalg.norm(_weighted(pixels)[:, None] - _weighted(self._looks)[None], axis=2)
        counts = np.bincount(difference.argmin(axis=1), minlength=len(COLOURS))
        return dict(zip(COLOURS, (counts / counts.sum()).tolist(), strict=True))

    def shows_primary(self, picture: Pixels, category: str, colour: str, *, patterned: bool) -> bool:
        """Whether the colour leads; on a patterned product, whether it is one of the two that do."""
        shares = self.shares(picture, category)
        leading = sorted(shares, key=shares.__getitem__, reverse=True)
        return colour in leading[:2] and shares[colour] >= 0.15 if patterned else colour == leading[0]

    def shows_secondary(self, picture: Pixels, category: str, colour: str) -> bool:
        """Whether a patterned product's second colour is among the first three."""
        shares = self.shares(picture, category)
        return colour in sorted(shares, key=shares.__getitem__, reverse=True)[:3] and shares[colour] >= 0.06

    def _look(self, colour: str) -> Real:
        """The colour's median on plain products of several kinds."""
        seen = []
        for number, category in enumerate(SHOWN_ON):
            picture = np.asarray(draw(DrawingSpec(category, colour, colour), size=self.size, seed=self.seed + number))
            seen.append(np.median(lab(picture[self.core(category)]), axis=0))
        return np.asarray(np.median(seen, axis=0), dtype=np.float32)

    def core(self, category: str) -> npt.NDArray[np.bool_]:
        """The pixels of the product in nearly every drawing: those that stay as they are before another background."""
        if category not in self._cores:
            rng = np.random.default_rng([self.seed, 7])
            products = []
            for number in range(6):
                spec = random_spec(rng, category)
                one, other = (
                    np.asarray(draw(replace(spec, background=name), size=self.size, seed=number), dtype=np.int16)
                    for name in ("studio", "mist")
                )
                products.append(np.abs(one - other).max(axis=2) < BARELY_DIFFERENT)
            self._cores[category] = np.asarray(np.mean(products, axis=0) >= CERTAIN)
        return self._cores[category]


def lab(pixels: Pixels) -> Real:
    """8-bit sRGB as CIE L*a*b* (D65)."""
    srgb = pixels.astype(np.float32) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    matrix = np.array(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)), dtype=np.float32)
    ratio = linear @ matrix.T / np.array((0.9505, 1.0, 1.089), dtype=np.float32)
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def _weighted(pixels: Real) -> Real:
    return pixels * np.array((LIGHT_COUNTS, 1, 1), dtype=np.float32)
