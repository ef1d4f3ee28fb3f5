"""Round bars bent along a curve: handles, straps, cords, legs and stems."""

from dataclasses import dataclass

import numpy as np

from c2m.design.drawings.canvas import Canvas, bounds
from c2m.design.drawings.lighting import Surface
from c2m.design.drawings.outlines import ribbon
from c2m.design.drawings.palette import Field


@dataclass(frozen=True)
class Tube:
    """A bent bar, and coordinates along and across it."""

    region: Field
    surface: Surface
    u: Field
    v: Field

    @property
    def texture(self) -> tuple[Field, Field]:
        """Coordinates for pattern and grain."""
        return self.u, self.v


def tube(canvas: Canvas, spine: Field, width: float | Field, *, flatness: float = 0.0, caps: bool = False) -> Tube:
    """A bar of that width along the spine; `flatness` 0 is round, near 1 a flat band, `caps` rounds the ends."""
    widths = np.broadcast_to(np.asarray(width, dtype=np.float64), (len(spine),))
    region = canvas.region(ribbon(spine, widths))
    if caps:
        ends = [canvas.stroke(np.stack([p, p + 1e-4]), width=w) for p, w in ((spine[0], widths[0]), (spine[-1], widths[-1]))]
        region = np.maximum(region, np.maximum(*ends))
    flat = canvas.flat()
    slope_x, slope_y = flat.slope_x.copy(), flat.slope_y.copy()
    along, across = slope_x.copy(), slope_y.copy()
    box = bounds(region)
    if box is not None:
        x, y = canvas.x[box], canvas.y[box]
        nearest = np.full(x.shape, 9.0, dtype=np.float32)
        travelled = 0.0
        for (ax, ay), (bx, by), wide in zip(spine[:-1], spine[1:], widths, strict=False):
            dx, dy = bx - ax, by - ay
            length = float(np.hypot(dx, dy)) + 1e-9
            px, py = x - np.float32(ax), y - np.float32(ay)
            t = np.clip((px * np.float32(dx) + py * np.float32(dy)) / np.float32(length**2), 0, 1)
            ox, oy = px - t * np.float32(dx), py - t * np.float32(dy)
            far = ox * ox + oy * oy
            closer = far < nearest
            nearest = np.where(closer, far, nearest)
            for field, value in (
                (slope_x, ox * np.float32(2 / wide)),
                (slope_y, oy * np.float32(2 / wide)),
                (along, np.float32(travelled) + t * np.float32(length)),
                (across, (px * np.float32(-dy) + py * np.float32(dx)) / np.float32(length)),
            ):
                field[box] = np.where(closer, value, field[box])
            travelled += length
        out = np.minimum(slope_x[box] ** 2 + slope_y[box] ** 2, 0.94)
        steep = -(1 - flatness * (1 - out**2)) / np.sqrt(1 - out)
        slope_x[box] *= steep
        slope_y[box] *= steep
    return Tube(region, Surface(slope_x, slope_y, flat.openness), along, across)
