"""Phone case, seen from its back."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.lighting import Surface
from c2m.design.drawings.outlines import ellipse, rounded
from c2m.design.drawings.palette import tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube


def paint(scene: Scene) -> None:
    """Side buttons, back shell with rounded rim, camera island and its lenses."""
    canvas = scene.canvas
    half, tall = 0.172 * scene.number("width"), 0.36
    for y0, y1 in ((-0.16, -0.085), (-0.06, 0.015)):
        key = canvas.region(rounded(half - 0.01, y0, half + 0.007, y1, 0.005))
        canvas.paint(key, scene.accent * 0.8, scene.made_of("matte"), canvas.relief(key).round(0.006).surface())
    corner = 0.052 * scene.number("corner")
    shell = canvas.region(rounded(-half, -tall, half, tall, corner, 2.4))
    surface = canvas.relief(shell).round(0.017, 1.0).surface(0.3)
    bent = Surface(surface.slope_x - 0.10 * canvas.x - 0.11, surface.slope_y - 0.06 * canvas.y, surface.openness)
    canvas.paint(shell, scene.printed(canvas.x, canvas.y, 0.1), scene.finish, bent)
    if scene.finish.gloss > 0.3:
        band = canvas.region(np.array(((-0.02, -0.4), (0.11, -0.4), (-0.16, 0.4), (-0.29, 0.4)))) * canvas.region(
            rounded(-half + 0.013, -tall + 0.013, half - 0.013, tall - 0.013, corner * 0.8, 2.4)
        )
        canvas.lighten(band * np.clip(0.55 - canvas.y, 0, 1), 0.17)
    edge = rounded(-half + 0.012, -tall + 0.012, half - 0.012, tall - 0.012, corner * 0.82, 2.4)
    canvas.darken(canvas.stroke(np.concatenate([edge, edge[:1]]), width=0.003), 0.18)
    _camera(scene, half, tall)
    if scene.choice("ring") == "ring":
        _ring(scene)


def _camera(scene: Scene, half: float, tall: float) -> None:
    canvas = scene.canvas
    shape = scene.choice("camera")
    if shape == "pill":
        island, lenses = (
            rounded(-half + 0.022, -tall + 0.024, -half + 0.098, -tall + 0.204, 0.037),
            [(-half + 0.06, -tall + 0.067), (-half + 0.06, -tall + 0.155)],
        )
    elif shape == "bar":
        island, lenses = (
            rounded(-half + 0.022, -tall + 0.04, half - 0.022, -tall + 0.118, 0.038),
            [(-half + 0.066, -tall + 0.079), (-half + 0.145, -tall + 0.079), (half - 0.12, -tall + 0.079)],
        )
    else:
        island, lenses = (
            rounded(-half + 0.02, -tall + 0.022, -half + 0.178, -tall + 0.18, 0.04, 2.4),
            [(-half + 0.062, -tall + 0.064), (-half + 0.062, -tall + 0.138), (-half + 0.136, -tall + 0.101)],
        )
    hole = canvas.region(island)
    canvas.paint(hole, tone(0.014, 0.014, 0.016), scene.made_of("glossy"), canvas.flat())
    canvas.lighten(hole * np.clip(0.4 - 6 * (canvas.y + tall - 0.02), 0, 1), 0.12)
    lip = tube(canvas, np.concatenate([island, island[:1]]), 0.008)
    canvas.paint(lip.region, scene.primary, scene.made_of("matte"), lip.surface)
    for x, y in lenses:
        metal = tube(canvas, ellipse(x, y, 0.0285, 0.0285), 0.008)
        canvas.paint(metal.region, tone(0.42, 0.42, 0.44), scene.made_of("metallic"), metal.surface)
        canvas.lay(canvas.region(ellipse(x, y, 0.027, 0.027)), tone(0.006, 0.006, 0.008))
        canvas.lay(canvas.region(ellipse(x, y, 0.016, 0.016)), tone(0.014, 0.02, 0.045))
        canvas.lay(canvas.region(ellipse(x, y, 0.008, 0.008)), tone(0.004, 0.004, 0.008))
        canvas.lighten(canvas.region(ellipse(x - 0.009, y - 0.011, 0.0055, 0.0045)), 0.85)
        canvas.lighten(canvas.region(ellipse(x + 0.01, y + 0.011, 0.003, 0.003)), 0.35)


def _ring(scene: Scene) -> None:
    canvas = scene.canvas
    plate = canvas.region(ellipse(0, 0.08, 0.068, 0.068))
    canvas.shade(plate, dx=0.003, dy=0.005, blur=0.006, strength=0.4)
    canvas.paint(plate, scene.accent, scene.made_of("metallic"), canvas.relief(plate).round(0.01, 0.8).surface())
    ring = tube(canvas, ellipse(0, 0.08, 0.049, 0.049), 0.014)
    canvas.shade(ring.region, dx=0.004, dy=0.005, blur=0.005, strength=0.5, within=plate)
    canvas.paint(ring.region, tone(0.5, 0.5, 0.52), scene.made_of("metallic"), ring.surface)


PHONE_CASE = Category(
    "phone_case",
    "手机壳",
    "Phone case",
    paint,
    ("glossy", "matte", "leather", "metallic"),
    {
        "camera": Choice(("square", "pill", "bar")),
        "ring": Choice(("plain", "ring")),
        "width": Range(0.92, 1.1, 1.0),
        "corner": Range(0.7, 1.3, 1.0),
    },
)
