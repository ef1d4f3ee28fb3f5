"""Vectors of shape and colour without any training: a smooth histogram of oriented gradients, and one of colours.

Shape: HOG (Dalal & Triggs, CVPR 2005) with signed orientations, each pixel's gradient that of its strongest channel and
shared among the nearest cells, each cell normalised by its four neighbourhoods, of the whole picture and of the product
cut out; of these maps only the low frequencies are kept, over the cells by a
cosine transform and over the orientations by a Fourier transform, so that small shifts and turns change little.
Colour: the product's pixels in L*a*b*, as a soft histogram compared by Hellinger's distance.
"""

from dataclasses import dataclass
from itertools import product as every
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from c2m.design.likeness.degrees import Degrees
from c2m.design.likeness.foreground import Real, lab, product_in, weight_of_product

Vector: TypeAlias = npt.NDArray[np.float32]

SIDE = 96  # pixels in which gradients are taken
CELL = 8
ORIENTATIONS = 18
CLIP = 0.2  # of a normalised cell's strongest orientation
LEAST_ENERGY = 0.1  # below it a gradient is noise, such as that of compression
COSINES = 7  # frequencies kept along each direction
HARMONICS = 6  # of the orientations
SPATIAL_LIFT, ANGULAR_LIFT = 0.5, 0.5  # powers of the frequency: fine detail says more than its energy

COLOUR_SIDE = 48
BINS = (5, 7, 7)  # of lightness, green–red, blue–yellow
CHROMA_SCALE, CHROMA_RANGE = 10.0, 8.0  # chroma is binned by arcsinh: finely near grey, up to 80
COLOUR_WEIGHT = 0.4  # of squared colour distance, where both shapes together may differ by 4

MEASURED = Degrees(very=1.0, alike=1.2, faint=1.4)  # on photographs and drawings, see ADR 16


class Looks(Protocol):
    """A way to say what a picture looks like; vectors of one version can be compared."""

    @property
    def version(self) -> str:
        """Changes with whatever changes the vectors."""
        ...

    @property
    def degrees(self) -> Degrees | None:
        """Which distances mean alike; None where nobody has measured it."""
        ...

    def of(self, image: Image.Image) -> Vector:
        """The picture's vector."""
        ...


@dataclass(frozen=True)
class ShapeAndColour:
    """What ships with c2m: some thousand numbers a picture, without a model."""

    version: str = "shape-and-colour-2"
    degrees: Degrees = MEASURED

    def of(self, image: Image.Image) -> Vector:
        """Shape of the whole, shape of the product, and its colours, in one vector."""
        found = product_in(image)
        return np.concatenate([shape(found.whole), shape(found.cut), COLOUR_WEIGHT**0.5 * colours(found.cut)])


SHAPE_AND_COLOUR = ShapeAndColour()


def shape(image: Image.Image) -> Vector:
    """The low frequencies of the picture's oriented gradients, of length 1 unless it is blank."""
    small = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32)
    cells = _normalised(_oriented(small / 255))
    turns = np.fft.rfft(cells, axis=-1)[..., :HARMONICS] * (1 + np.arange(HARMONICS)) ** ANGULAR_LIFT
    parts = np.concatenate([turns.real, turns[..., 1:].imag], axis=-1)
    waves = np.einsum("ki,lj,ijo->klo", _COSINES, _COSINES, parts)
    kept = (waves * ((1 + _FREQUENCY) ** SPATIAL_LIFT)[..., None])[_FREQUENCY <= COSINES - 0.5].ravel()
    return np.asarray(kept / max(float(np.linalg.norm(kept)), 1e-9), dtype=np.float32)


def colours(image: Image.Image) -> Vector:
    """The square roots of the shares that the product's pixels have in each colour; of length 1."""
    pixels = lab(image.resize((COLOUR_SIDE, COLOUR_SIDE), Image.Resampling.BOX))
    chroma = np.arcsinh(pixels[..., 1:] / CHROMA_SCALE) / np.arcsinh(CHROMA_RANGE)
    places = np.concatenate([pixels[..., :1] / 100, (chroma + 1) / 2], axis=-1).clip(0, 1)
    at = places * (np.array(BINS) - 1)
    below = np.minimum(at.astype(int), np.array(BINS) - 2)
    beyond = at - below
    weight = weight_of_product(pixels)
    shares = np.zeros(BINS)
    for corner in every((0, 1), repeat=3):
        near = np.where(np.array(corner), beyond, 1 - beyond).prod(axis=-1)
        np.add.at(shares, tuple(np.moveaxis(below + corner, -1, 0)), weight * near)
    return np.asarray(np.sqrt(shares / max(shares.sum(), 1e-9)).ravel(), dtype=np.float32)


def _oriented(rgb: Real) -> Real:
    """How strong the edges of each orientation are in each cell: cells × cells × orientations."""
    by_channel = np.asarray(np.gradient(np.sqrt(rgb), axis=(0, 1)))
    strongest = (by_channel**2).sum(axis=0).argmax(axis=-1)[None, ..., None]
    down, across = np.take_along_axis(by_channel, strongest, axis=-1)[..., 0]
    strength = np.hypot(across, down)
    turn = np.arctan2(down, across) % (2 * np.pi) / (2 * np.pi) * ORIENTATIONS
    low = np.floor(turn).astype(int)
    beyond = turn - low
    rows, columns = np.mgrid[:SIDE, :SIDE]
    edges = np.zeros((ORIENTATIONS, SIDE, SIDE), dtype=np.float32)
    for orientation, share in ((low, 1 - beyond), (low + 1, beyond)):
        edges[orientation % ORIENTATIONS, rows, columns] += strength * share
    return np.asarray((_SHARES @ edges @ _SHARES.T).transpose(1, 2, 0))


def _normalised(cells: Real) -> Real:
    """Each cell beside the energy of the four squares of cells it belongs to, clipped, averaged."""
    energy = np.pad((cells**2).sum(axis=-1), 1, mode="edge")
    squares = energy[:-1, :-1] + energy[1:, :-1] + energy[:-1, 1:] + energy[1:, 1:]
    around = (squares[:-1, :-1], squares[1:, :-1], squares[:-1, 1:], squares[1:, 1:])
    clipped = [np.minimum(cells / np.sqrt(square + LEAST_ENERGY)[..., None], CLIP) for square in around]
    return np.asarray(np.mean(clipped, axis=0))


def _cosines(kept: int, points: int) -> Real:
    """The first rows of the orthonormal cosine transform (DCT-II)."""
    wave = np.cos(np.pi * np.outer(np.arange(kept), 2 * np.arange(points) + 1) / (2 * points)) * (2 / points) ** 0.5
    wave[0] /= 2**0.5
    return np.asarray(wave)


def _shares(cells: int, pixels: int) -> Real:
    """How much each pixel along a side gives to each cell: the nearer of two centres gets more."""
    places = ((np.arange(pixels) + 0.5) * cells / pixels - 0.5).clip(0, cells - 1)
    apart = np.abs(np.arange(cells)[:, None] - places)
    return np.asarray((1 - apart).clip(0), dtype=np.float32)


_SHARES = _shares(SIDE // CELL, SIDE)
_COSINES = _cosines(COSINES, SIDE // CELL)
_FREQUENCY = np.hypot(*np.mgrid[:COSINES, :COSINES])
