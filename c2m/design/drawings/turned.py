"""Bodies of revolution (thrown, blown, spun or moulded): mugs, bottles, teapots, lamps."""

from dataclasses import dataclass

import numpy as np

from c2m.design.drawings.canvas import Canvas
from c2m.design.drawings.finishes import Finish
from c2m.design.drawings.lighting import Surface
from c2m.design.drawings.outlines import ellipse
from c2m.design.drawings.palette import Field


@dataclass(frozen=True)
class Turned:
    """A turned body as seen slightly from above, and surface coordinates that wrap around it."""

    region: Field
    surface: Surface
    u: Field
    v: Field
    t: Field

    @property
    def texture(self) -> tuple[Field, Field]:
        """Coordinates for pattern and grain."""
        return self.u, self.v


def turned(canvas: Canvas, profile: Field, *, x: float = 0.0, bow: float = 0.03) -> Turned:
    """A body with that profile, rows of (radius, y) from top to bottom; `bow` is how far circles dip in front."""
    radius, height = profile[:, 0], profile[:, 1]
    widest = radius.max()
    left = np.stack([x - radius, height], axis=1)
    right = np.stack([x + radius, height], axis=1)
    base = ellipse(x, height[-1], radius[-1], bow * radius[-1] / widest, np.pi, 0)
    top = ellipse(x, height[0], radius[0], bow * radius[0] / widest, 0, -np.pi)
    region = canvas.region(np.concatenate([left, base, right[::-1], top]))
    gx = canvas.x - np.float32(x)
    v: Field = canvas.y
    slopes = np.gradient(radius, height)
    for _ in range(2):
        around = np.interp(v, height, radius).astype(np.float32)
        t = np.clip(gx / np.maximum(around, 1e-4), -0.985, 0.985)
        v = canvas.y - np.float32(bow / widest) * around * np.sqrt(1 - t * t)
    lean = np.interp(v, height, slopes).astype(np.float32)
    depth = np.sqrt(1 - t * t)
    surface = Surface(-t / depth, np.clip(lean / depth, -4, 4), np.ones_like(t))
    return Turned(region, surface, np.float32(widest) * np.arcsin(t), v, t)


def rim(
    canvas: Canvas,
    *,
    x: float,
    y: float,
    radius: float,
    bow: float,
    wall: float,
    outer: Field,
    inner: Field,
    finish: Finish,
) -> None:
    """The open mouth of a vessel: its lip, and the inside with the light that falls in from the upper left."""
    lip = canvas.region(ellipse(x, y, radius, bow))
    flat = canvas.flat()
    canvas.paint(lip, outer, finish, Surface(flat.slope_x, flat.slope_y - 0.35, flat.openness))
    mouth = canvas.region(ellipse(x, y + wall * 0.05, radius - wall, bow * (radius - wall) / radius))
    t = np.clip((canvas.x - np.float32(x)) / radius, -0.99, 0.99)
    sunk = np.clip((canvas.y - (y - bow)) / (2 * bow), 0, 1)
    open_to_light = np.clip(0.42 + 0.45 * sunk + 0.25 * t, 0.2, 1)
    canvas.paint(mouth, inner, finish, Surface(1.1 * t, -0.3 + 0 * t, open_to_light))
    canvas.lighten(
        canvas.stroke(
            ellipse(x, y, radius - wall * 0.45, bow * (1 - wall / radius * 0.45), np.pi * 0.95, np.pi * 1.45),
            width=wall * 0.5,
        ),
        0.35,
    )
