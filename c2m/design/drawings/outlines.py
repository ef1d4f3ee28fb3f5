"""Outlines in the drawing's own units: the picture is one unit wide, its middle is (0, 0), y points down."""

from typing import Self

import numpy as np

from c2m.design.drawings.palette import Field

_CURVE_STEPS = 18


class Path:
    """A pen that draws lines and Bézier curves."""

    def __init__(self, x: float, y: float) -> None:
        self._points: list[tuple[float, float]] = [(x, y)]

    def line(self, x: float, y: float) -> Self:
        """Straight to (x, y)."""
        self._points.append((x, y))
        return self

    def quad(self, cx: float, cy: float, x: float, y: float) -> Self:
        """A curve to (x, y), pulled toward one control point."""
        x0, y0 = self._points[-1]
        return self.cubic(
            x0 + (cx - x0) * 2 / 3, y0 + (cy - y0) * 2 / 3, x + (cx - x) * 2 / 3, y + (cy - y) * 2 / 3, x, y
        )

    def cubic(self, ax: float, ay: float, bx: float, by: float, x: float, y: float) -> Self:
        """A curve to (x, y), leaving toward a and arriving from b."""
        x0, y0 = self._points[-1]
        for step in range(1, _CURVE_STEPS + 1):
            t = step / _CURVE_STEPS
            s = 1 - t
            weights = (s**3, 3 * s * s * t, 3 * s * t * t, t**3)
            self._points.append(
                (
                    weights[0] * x0 + weights[1] * ax + weights[2] * bx + weights[3] * x,
                    weights[0] * y0 + weights[1] * ay + weights[2] * by + weights[3] * y,
                )
            )
        return self

    def points(self) -> Field:
        """The outline as an array of points."""
        return np.array(self._points, dtype=np.float64)

    def mirrored(self) -> Field:
        """The outline closed by its mirror image across x = 0."""
        return np.concatenate([self.points(), flip(self.points())[::-1]])


def flip(points: Field) -> Field:
    """The mirror image across x = 0."""
    return np.asarray(points * np.array((-1.0, 1.0)))


def move(
    points: Field,
    dx: float = 0.0,
    dy: float = 0.0,
    *,
    turn: float = 0.0,
    about: tuple[float, float] = (0, 0),
    scale: tuple[float, float] = (1, 1),
) -> Field:
    """The outline scaled, turned (radians, clockwise on the picture) about a point, then shifted."""
    centre = np.array(about)
    local = (points - centre) * np.array(scale)
    rotation = np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))))
    return np.asarray(local @ rotation.T + centre + np.array((dx, dy)))


def ellipse(cx: float, cy: float, rx: float, ry: float, start: float = 0.0, end: float = 2 * np.pi) -> Field:
    """An ellipse, or the arc of one from `start` to `end` (radians, clockwise from the right)."""
    angle = np.linspace(start, end, 72)
    return np.stack([cx + rx * np.cos(angle), cy + ry * np.sin(angle)], axis=1)


def rounded(left: float, top: float, right: float, bottom: float, radius: float, power: float = 2.0) -> Field:
    """A rectangle with rounded corners; a power above two makes the corner squarer, as moulded goods have it."""
    angle = np.linspace(0, np.pi / 2, 14)
    cos, sin = np.cos(angle) ** (2 / power), np.sin(angle) ** (2 / power)
    corners = [
        (right - radius + radius * sin, top + radius - radius * cos),
        (right - radius + radius * cos, bottom - radius + radius * sin),
        (left + radius - radius * sin, bottom - radius + radius * cos),
        (left + radius - radius * cos, top + radius - radius * sin),
    ]
    return np.concatenate([np.stack(corner, axis=1) for corner in corners])


def through(*points: tuple[float, float], closed: bool = False) -> Field:
    """A smooth curve through the points: a cubic spline in centripetal parameters, which neither loops nor kinks."""
    control = np.array([*points, points[0]] if closed else points, dtype=np.float64)
    steps = np.sqrt(np.hypot(*np.diff(control, axis=0).T))
    knots = np.concatenate([[0.0], np.cumsum(steps)])
    from scipy.interpolate import CubicSpline  # slow to load, and the web only needs the names of the drawings

    curve = CubicSpline(knots, control, bc_type="periodic" if closed else "natural")
    return np.asarray(curve(np.linspace(0, knots[-1], 12 * len(points))))


def ribbon(spine: Field, width: float | Field) -> Field:
    """The outline of a band of that width (one number, or one for each point) along a spine."""
    direction = np.gradient(spine, axis=0)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=1) * (np.asarray(width).reshape(-1, 1) / 2)
    return np.concatenate([spine + normal, (spine - normal)[::-1]])
