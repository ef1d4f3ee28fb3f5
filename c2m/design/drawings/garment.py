"""How clothes are put together: draped panels, sleeves in pairs, ribs, hems and stitches."""

from collections.abc import Iterable

import numpy as np

from c2m.design.drawings.lighting import Surface
from c2m.design.drawings.outlines import ribbon
from c2m.design.drawings.palette import Field
from c2m.design.drawings.scene import Scene

Fold = tuple[tuple[tuple[float, float], ...], float, float]


def panel(
    scene: Scene,
    outline: Field,
    folds: Iterable[Fold] = (),
    *,
    turn: float = 0.0,
    rim: float = 0.035,
    rise: float = 0.55,
    wrinkle: float = 0.0022,
    repeat: float = 0.09,
    albedo: Field | None = None,
    trim: Field | None = None,
) -> Field:
    """Paint one piece of draped cloth and return its region; `turn` is the direction its grain and pattern run."""
    canvas = scene.canvas
    region = canvas.region(outline)
    if trim is not None:
        region = region * (1 - trim)
    surface = drape(scene, region, folds, rim=rim, rise=rise, wrinkle=wrinkle)
    u, v = along(scene, turn)
    ink = scene.draped(surface, u, v, repeat) if albedo is None else albedo
    canvas.paint(region, ink, scene.finish, surface, texture=(u, v))
    return region


def drape(
    scene: Scene,
    region: Field,
    folds: Iterable[Fold] = (),
    *,
    rim: float = 0.035,
    rise: float = 0.55,
    wrinkle: float = 0.0022,
) -> Surface:
    """The surface of cloth over that region with its folds, each a little elsewhere for every seed."""
    relief = scene.canvas.relief(region).round(rim, rise).wrinkles(wrinkle)
    for line, width, depth in folds:
        moved = np.array(line) + np.array((scene.jitter(0.007), scene.jitter(0.007)))
        relief.fold(moved, width * (1 + scene.jitter(0.15)), depth * (1 + scene.jitter(0.25)))
    return relief.surface()


def along(scene: Scene, turn: float) -> tuple[Field, Field]:
    """Cloth coordinates whose grain runs at that angle (radians, clockwise)."""
    x, y = scene.canvas.x, scene.canvas.y
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    return cos * x + sin * y, cos * y - sin * x


def mirrored_folds(folds: Iterable[Fold]) -> list[Fold]:
    """The folds and their mirror images across x = 0."""
    kept = list(folds)
    return kept + [(tuple((-x, y) for x, y in line), width, depth) for line, width, depth in kept]


def rib(
    scene: Scene, spine: Field, width: float, albedo: Field, *, period: float = 0.011, shadow: float = 0.35
) -> Field:
    """A ribbed knit band along a curve: collar, cuff or waistband."""
    canvas = scene.canvas
    region = canvas.region(ribbon(spine, width))
    canvas.shade(region, dx=0.002, dy=0.006, blur=0.006, strength=shadow, within=canvas.alpha)
    surface = canvas.relief(region).round(width * 0.5, 0.7).surface()
    canvas.paint(region, albedo, scene.finish, surface)
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(spine, axis=0).T))])
    middles = np.arange(period / 2, steps[-1], period)
    x, y = np.interp(middles, steps, spine[:, 0]), np.interp(middles, steps, spine[:, 1])
    direction = np.gradient(spine, axis=0)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9
    nx, ny = np.interp(middles, steps, -direction[:, 1]), np.interp(middles, steps, direction[:, 0])
    half = width * 0.42
    lines = [
        np.array(((a - p * half, b - q * half), (a + p * half, b + q * half)))
        for a, b, p, q in zip(x, y, nx, ny, strict=True)
    ]
    canvas.darken(canvas.stroke(*lines, width=period * 0.35), 0.22)
    return region


def seam(scene: Scene, *lines: Field, width: float = 0.004, strength: float = 0.32) -> None:
    """A sewn joint: a thin dark line with a lit edge beneath it."""
    canvas = scene.canvas
    canvas.darken(canvas.stroke(*lines, width=width), strength)
    canvas.lighten(canvas.stroke(*[line + np.array((0.0028, 0.0036)) for line in lines], width=width * 0.7), 0.07)


def stitches(scene: Scene, *lines: Field, strength: float = 0.26, length: float = 0.007) -> None:
    """A row of topstitching."""
    scene.canvas.darken(scene.canvas.stroke(*lines, width=0.0028, dash=length), strength)
