"""Round bars bent along a curve: handles, straps, cords, legs and stems."""

from dataclasses import dataclass

import numpy as np

from c2m.design.drawings.canvas import Canvas
from c2m.design.drawings.lighting import Surface
from c2m.design.drawings.outlines import ribbon
from c2m.design.drawings.palette import Field

_SEGMENTS = 40
_RIM = 0.94  # beyond this squared distance from the middle a pixel sees the rim no steeper


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
        for end, wide in ((spine[0], widths[0]), (spine[-1], widths[-1])):
            region = np.maximum(region, canvas.stroke(np.stack([end, end + 1e-4]), width=float(wide)))
    fields = np.zeros((4, *region.shape), dtype=np.float32)
    inked = np.flatnonzero(region)
    x, y = canvas.x.ravel()[inked], canvas.y.ravel()[inked]
    fields.reshape(4, -1)[:, inked] = _across(x, y, *_thinned(spine, widths), flatness)
    slope_x, slope_y, along, across = fields
    return Tube(region, Surface(slope_x, slope_y, canvas.flat().openness), along, across)


def _thinned(spine: Field, widths: Field) -> tuple[Field, Field]:
    keep = np.unique(np.round(np.linspace(0, len(spine) - 1, min(len(spine), _SEGMENTS + 1))).astype(int))
    return spine[keep].astype(np.float32), widths[keep].astype(np.float32)


def _across(x: Field, y: Field, spine: Field, widths: Field, flatness: float) -> Field:
    """Slopes, and distance along and across, of each point by the segment of the spine nearest to it."""
    start, step = spine[:-1], np.diff(spine, axis=0)
    length = np.hypot(step[:, 0], step[:, 1]) + np.float32(1e-7)
    from_x, from_y = x[:, None] - start[:, 0], y[:, None] - start[:, 1]
    t = np.clip((from_x * step[:, 0] + from_y * step[:, 1]) / length**2, 0, 1)
    off_x, off_y = from_x - t * step[:, 0], from_y - t * step[:, 1]
    nearest = np.argmin(off_x**2 + off_y**2, axis=1)
    point = np.arange(len(x))
    t, off_x, off_y = t[point, nearest], off_x[point, nearest], off_y[point, nearest]
    width = widths[nearest] + t * np.diff(widths)[nearest]
    along = np.concatenate([[0], np.cumsum(length[:-1])])[nearest] + t * length[nearest]
    across = (from_y[point, nearest] * step[nearest, 0] - from_x[point, nearest] * step[nearest, 1]) / length[nearest]
    off_x, off_y = off_x * 2 / width, off_y * 2 / width
    out = np.minimum(off_x**2 + off_y**2, _RIM)
    steepness = -(1 - flatness * (1 - out**2)) / np.sqrt(1 - out)
    return np.stack([off_x * steepness, off_y * steepness, along, across])
