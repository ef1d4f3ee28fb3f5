"""The product in a picture: what differs from the ground at the edges, cut out."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from c2m.design.drawings.palette import to_linear

Real: TypeAlias = npt.NDArray[np.floating[Any]]

LOOKED_AT = 112  # pixels a side in which the product is sought
EDGE = 3  # pixels that count as the ground
DIFFERENT = 8.0  # CIE76 ΔE from the ground at which the product begins
SOFTNESS = 2.0
SHARE_OF_LINE = 0.01  # of a row or column that must differ to belong to the product
NARROWEST = 4

TO_XYZ = np.array(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)), dtype=np.float32)
WHITE = np.array((0.9505, 1.0, 1.089), dtype=np.float32)


@dataclass(frozen=True)
class Product:
    """A picture as it is, and the product in it, both in RGB."""

    whole: Image.Image
    cut: Image.Image


def product_in(image: Image.Image) -> Product:
    """The product cut out of its ground; the whole picture where nothing stands out."""
    whole = image.convert("RGB")
    small = whole.resize((LOOKED_AT, LOOKED_AT), Image.Resampling.BILINEAR)
    differs = difference_from_ground(lab(small)) > DIFFERENT
    rows, columns = (np.flatnonzero(differs.mean(axis=axis) > SHARE_OF_LINE) for axis in (1, 0))
    if len(rows) < NARROWEST or len(columns) < NARROWEST:
        return Product(whole, whole)
    across, down = whole.width / LOOKED_AT, whole.height / LOOKED_AT
    left, right = columns[0] * across, (columns[-1] + 1) * across
    top, bottom = rows[0] * down, (rows[-1] + 1) * down
    return Product(whole, whole.crop((round(left), round(top), round(right), round(bottom))))


def weight_of_product(pixels: Real) -> Real:
    """How surely each pixel (L*a*b*) is the product's, 0…1."""
    weight: Real = 1 / (1 + np.exp((DIFFERENT - difference_from_ground(pixels)) / SOFTNESS))
    return weight


def difference_from_ground(pixels: Real) -> Real:
    """Each pixel's ΔE from the median colour at the edges."""
    sides = (pixels[:EDGE], pixels[-EDGE:], pixels[:, :EDGE], pixels[:, -EDGE:])
    ground = np.median(np.concatenate([side.reshape(-1, 3) for side in sides]), axis=0)
    difference: Real = np.linalg.norm(pixels - ground, axis=-1)
    return difference


def lab(image: Image.Image) -> Real:
    """A picture's pixels as CIE L*a*b* (D65)."""
    ratio = to_linear(np.asarray(image.convert("RGB"), dtype=np.float32) / 255) @ TO_XYZ.T / WHITE
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)
