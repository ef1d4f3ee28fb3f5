"""Cup holder for a car, on its stem."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.lighting import Surface
from c2m.design.drawings.outlines import ellipse, rounded, through
from c2m.design.drawings.palette import tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.turned import turned


def paint(scene: Scene) -> None:
    """Stem, tray, then the cups' wells."""
    canvas = scene.canvas
    double = scene.choice("cups") == "double"
    half, tall = (0.30 if double else 0.185) * scene.number("width"), 0.155 * scene.number("depth")
    top = -0.10
    stem = turned(
        canvas,
        through(
            (0.052, top + tall),
            (0.05, top + tall + 0.12),
            (0.062, top + tall + 0.15),
            (0.062, top + tall + 0.22),
            (0.05, top + tall + 0.24),
        ),
        bow=0.012,
    )
    scene.stand(top + tall + 0.25, 0.09)
    canvas.paint(stem.region, tone(0.03, 0.03, 0.032), scene.made_of("matte"), stem.surface)
    ribs = np.sin(stem.v * 2 * np.pi / 0.02) > 0.1
    canvas.darken(stem.region * ribs * (stem.v < top + tall + 0.12), 0.45)

    bow = 0.085
    side = turned(
        canvas,
        through((half, top), (half, top + tall * 0.55), (half * 0.985, top + tall * 0.84), (half * 0.94, top + tall)),
        bow=bow,
    )
    flatter = Surface(side.surface.slope_x * (0.55 if double else 1), side.surface.slope_y, side.surface.openness)
    canvas.paint(
        side.region,
        scene.printed(side.u, side.v - np.float32(top + tall * 0.3), 0.085),
        scene.finish,
        flatter,
        texture=side.texture,
    )
    canvas.darken(side.region * np.clip((side.v - top - tall * 0.45) / (tall * 0.6), 0, 1) ** 2, 0.4)
    deck = canvas.region(
        ellipse(0, top, half, bow) if not double else rounded(-half, top - bow, half, top + bow, bow, 2.3)
    )
    lit = Surface(canvas.flat().slope_x, canvas.flat().slope_y - 0.25, canvas.flat().openness)
    canvas.paint(
        deck,
        scene.printed(canvas.x, canvas.y * 2.2, 0.085),
        scene.finish,
        lit + canvas.relief(deck).round(0.02, 0.8).surface(),
    )
    for x in (-half * 0.47, half * 0.47) if double else (0.0,):
        _well(scene, x, top, half * (0.37 if double else 0.72))


def _well(scene: Scene, x: float, y: float, radius: float) -> None:
    canvas = scene.canvas
    bow = radius * 0.42
    ring = canvas.region(ellipse(x, y, radius, bow))
    canvas.paint(ring, scene.accent, scene.made_of("glossy"), canvas.relief(ring).round(0.016, 1.0).surface())
    hole = canvas.region(ellipse(x, y, radius * 0.86, bow * 0.86))
    t = np.clip((canvas.x - np.float32(x)) / radius, -0.95, 0.95)
    sunk = np.clip((canvas.y - (y - bow)) / (2 * bow), 0, 1)
    inside = Surface(1.2 * t, -0.2 + 0 * t, np.clip(0.25 + 0.9 * sunk**2, 0, 1))
    canvas.paint(hole, tone(0.045, 0.045, 0.05), scene.made_of("matte"), inside)
    floor = canvas.region(ellipse(x, y + bow * 0.55, radius * 0.62, bow * 0.5)) * hole
    canvas.darken(floor, 0.45)
    for angle in (0.5, 2.6, 4.2):
        cx, cy = x + radius * 0.8 * np.cos(angle), y + bow * 0.8 * np.sin(angle)
        grip = canvas.region(ellipse(cx, cy, radius * 0.1, bow * 0.16)) * hole
        canvas.paint(grip, tone(0.07, 0.07, 0.075), scene.made_of("matte"), canvas.relief(grip).round(0.01).surface())


CUP_HOLDER = Category(
    "cup_holder",
    "杯架",
    "Cup holder",
    paint,
    ("matte", "glossy", "leather"),
    {"cups": Choice(("single", "double")), "width": Range(0.9, 1.12, 1.0), "depth": Range(0.8, 1.25, 1.0)},
)
