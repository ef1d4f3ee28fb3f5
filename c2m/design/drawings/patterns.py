"""Patterns as fields: how much of the secondary colour lies at each point of a surface, 0…1."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from c2m.design.drawings.palette import Field

PatternField = Callable[[Field, Field, float], Field]


@dataclass(frozen=True)
class Pattern:
    """A two-colour pattern.

    `field(u, v, pixel)` gives the share of the secondary colour; one unit of u and v is one repeat, and `pixel` is
    the size of a pixel in the same units, over which edges are softened.
    """

    name: str
    zh: str
    en: str
    field: PatternField


def _inside(distance: Field, pixel: float) -> Field:
    """Coverage by the points of negative distance, softened over one pixel."""
    return np.asarray(np.clip(0.5 - distance / pixel, 0, 1))


def _triangle(t: Field) -> Field:
    """A triangle wave of period 1 from 0 to 0.5 and back."""
    return np.asarray(np.abs((t % 1) - 0.5))


def _cells(u: Field, v: Field) -> tuple[Field, Field, Field, Field]:
    """Coordinates within staggered unit cells, and two repeatable random numbers in 0…1 for each cell."""
    row = np.floor(v)
    shifted = u + 0.5 * (row % 2)
    column = np.floor(shifted)
    chance = np.sin(column * 127.1 + row * 311.7) * 43758.547
    other = np.sin(column * 269.5 + row * 183.3) * 24634.633
    return shifted - column - 0.5, v - row - 0.5, chance - np.floor(chance), other - np.floor(other)


def _plain(u: Field, v: Field, pixel: float) -> Field:
    return np.zeros_like(u)


def _stripes(u: Field, v: Field, pixel: float) -> Field:
    return _inside(_triangle(v) - 0.25, pixel)


def _vertical_stripes(u: Field, v: Field, pixel: float) -> Field:
    return _inside(_triangle(u + 0.5) - 0.25, pixel)


def _pinstripes(u: Field, v: Field, pixel: float) -> Field:
    return _inside(_triangle(u * 2) - 0.5 * max(0.16, 1.2 * pixel), pixel * 2)


def _gingham(u: Field, v: Field, pixel: float) -> Field:
    return 0.5 * (_inside(_triangle(u * 1.25) - 0.25, pixel) + _inside(_triangle(v * 1.25) - 0.25, pixel))


def _tartan(u: Field, v: Field, pixel: float) -> Field:
    def bands(t: Field) -> Field:
        wide = _inside(_triangle(t * 0.8) - 0.14, pixel)
        fine = _inside(np.abs(_triangle(t * 0.8) - 0.30) - 0.022, pixel)
        return 0.62 * wide + 0.8 * fine

    return np.clip(0.55 * bands(u) + 0.55 * bands(v), 0, 1)


def _dots(u: Field, v: Field, pixel: float) -> Field:
    x, y, _, _ = _cells(u * 1.15, v * 1.3)
    return _inside(np.hypot(x, y * 0.88) - 0.25, pixel)


def _chevron(u: Field, v: Field, pixel: float) -> Field:
    return _inside(_triangle(v + 1.1 * _triangle(u * 1.2)) - 0.25, pixel * 1.4)


def _argyle(u: Field, v: Field, pixel: float) -> Field:
    diamonds = _triangle(u * 0.8) + _triangle(v * 0.56)
    fill = _inside(diamonds - 0.34, pixel)
    across = np.abs((u * 0.8 + v * 0.56 + 0.5) % 1 - 0.5)
    back = np.abs((u * 0.8 - v * 0.56 + 0.5) % 1 - 0.5)
    lines = _inside(np.minimum(across, back) - 0.018, pixel)
    return np.abs(0.9 * fill - 0.75 * lines)


def _floral(u: Field, v: Field, pixel: float) -> Field:
    x, y, turn, size = _cells(u * 0.92, v * 0.98)
    x, y = x + 0.14 * (size - 0.5), y + 0.14 * (turn - 0.5)
    radius, angle = np.hypot(x, y), np.arctan2(y, x) + turn * 6.283
    reach = 0.27 + 0.09 * size
    petals = _inside(radius - reach * (0.52 + 0.48 * np.abs(np.cos(2.5 * angle)) ** 0.7), pixel)
    heart = _inside(radius - 0.075, pixel)
    leaf_x, leaf_y = radius * np.cos(angle - 0.31), radius * np.sin(angle - 0.31)
    leaves = _inside(np.hypot((np.abs(leaf_x) - 0.37) / 1.9, leaf_y) - 0.05, pixel) * (np.abs(leaf_x) > 0.25)
    return np.asarray(np.maximum(petals - 0.85 * heart, 0.55 * leaves))


def _leaves(u: Field, v: Field, pixel: float) -> Field:
    x, y, turn, size = _cells(u * 1.1, v * 1.15)
    angle = turn * 6.283
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    reach = 0.36 + 0.06 * size
    blade = _inside(np.abs(across) - 0.17 * np.clip(1 - (along / reach) ** 2, 0, 1), pixel) * (np.abs(along) < reach)
    vein = _inside(np.abs(across) - 0.014, pixel)
    return np.asarray(blade * (1 - 0.7 * vein))


def _stars(u: Field, v: Field, pixel: float) -> Field:
    x, y, turn, size = _cells(u * 1.2, v * 1.3)
    radius, angle = np.hypot(x, y), np.arctan2(y, x) + (turn - 0.5) * 0.9
    sector = np.abs((angle / (2 * np.pi) * 5) % 1 - 0.5) * 2
    reach = 0.25 + 0.09 * size
    return _inside(radius - reach * (0.4 + 0.6 * np.maximum(sector, 1e-3) ** 1.35), pixel)


def _waves(u: Field, v: Field, pixel: float) -> Field:
    """Seigaiha, the overlapping scales of blue-and-white porcelain."""
    rings = np.zeros_like(u)
    free = np.ones_like(u)
    scaled_u, scaled_v = u * 0.8, v * 3.2
    base = np.floor(scaled_v)
    for step in (2, 1, 0, -1):
        row = base + step
        x = (scaled_u + 0.5 * (row % 2)) % 1 - 0.5
        radius = np.hypot(x, (row - scaled_v) / 4)
        scale = free * _inside(radius - 0.5, pixel)
        rings += scale * np.clip(0.5 - (_triangle(radius * 5 + 0.5) - 0.25) / (5 * pixel), 0, 1)
        free -= scale
    return rings


def _colour_block(u: Field, v: Field, pixel: float) -> Field:
    return _inside(-v + 0.35, pixel)


PATTERNS = {
    pattern.name: pattern
    for pattern in (
        Pattern("plain", "纯色", "Plain", _plain),
        Pattern("stripes", "横条纹", "Stripes", _stripes),
        Pattern("vertical_stripes", "竖条纹", "Vertical stripes", _vertical_stripes),
        Pattern("pinstripes", "细条纹", "Pinstripes", _pinstripes),
        Pattern("gingham", "格子", "Gingham checks", _gingham),
        Pattern("tartan", "苏格兰格", "Tartan", _tartan),
        Pattern("dots", "波点", "Dots", _dots),
        Pattern("chevron", "人字纹", "Chevron", _chevron),
        Pattern("argyle", "菱形格", "Argyle", _argyle),
        Pattern("floral", "花卉", "Floral", _floral),
        Pattern("leaves", "叶纹", "Leaves", _leaves),
        Pattern("stars", "星星", "Stars", _stars),
        Pattern("waves", "青海波", "Waves", _waves),
        Pattern("colour_block", "拼色", "Colour block", _colour_block),
    )
}
