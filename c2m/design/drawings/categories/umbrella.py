"""Open umbrella, seen from the side."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.lighting import Surface
from c2m.design.drawings.outlines import ellipse, through
from c2m.design.drawings.palette import Field, tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube


def paint(scene: Scene) -> None:
    """Shaft and handle, then the canopy gore by gore with its ribs and tips."""
    canvas = scene.canvas
    half, tall = 0.40 * scene.number("width"), 0.30 * scene.number("dome")
    rim_y = 0.0
    top = rim_y - tall
    _shaft(scene, rim_y, top)
    edges = [np.cos(a) for a in np.linspace(np.pi, 0, 7)]
    low = [rim_y + 0.035 * np.sqrt(max(0.0, 1 - e * e)) for e in edges]
    under = canvas.region(ellipse(0, rim_y, half * 0.98, 0.045))
    canvas.paint(under, scene.primary * 0.3, scene.finish, canvas.flat())
    gores = [_gore(half, top, (edges[i], low[i]), (edges[i + 1], low[i + 1])) for i in range(6)]
    for index, gore in enumerate(gores):
        _paint_gore(scene, gore, half, top, tall, edges[index], edges[index + 1], index)
    for edge, y in zip(edges, low, strict=True):
        rib = _meridian(half, top, edge, y)
        canvas.darken(canvas.stroke(rib, width=0.0035), 0.35)
        canvas.lighten(canvas.stroke(rib + np.array((0.004, 0.0)), width=0.002), 0.10)
        tip = tube(canvas, np.array((rib[-1], rib[-1] + (0.012 * edge, 0.014))), 0.008, caps=True)
        canvas.paint(tip.region, tone(0.55, 0.55, 0.57), scene.made_of("metallic"), tip.surface)
    ferrule = tube(canvas, np.array(((0.0, top - 0.055), (0.0, top + 0.006))), np.array((0.008, 0.016)), caps=True)
    canvas.paint(ferrule.region, scene.accent, scene.made_of("glossy"), ferrule.surface)


def _meridian(half: float, top: float, edge: float, low: float) -> Field:
    s = np.linspace(0, 1, 26)
    return np.stack(
        [half * edge * np.sin(s * np.pi / 2) ** 0.92, top + (low - top) * (1 - np.cos(s * np.pi / 2)) ** 0.86], axis=1
    )


def _gore(half: float, top: float, left: tuple[float, float], right: tuple[float, float]) -> Field:
    first, second = _meridian(half, top, *left), _meridian(half, top, *right)
    s = np.linspace(0, 1, 16)[1:-1, None]
    scallop = first[-1] + (second[-1] - first[-1]) * s
    scallop[:, 1] -= 0.026 * np.sin(np.pi * s[:, 0]) * (0.6 + 0.4 * abs(left[0] + right[0]) / 2)
    return np.concatenate([first, scallop, second[::-1]])


def _paint_gore(
    scene: Scene, outline: Field, half: float, top: float, tall: float, left: float, right: float, index: int
) -> None:
    canvas = scene.canvas
    region = canvas.region(outline)
    down = np.clip((canvas.y - top) / tall, 0.02, 1.1)
    spread = half * np.sin(np.arccos(np.clip(1 - down ** (1 / 0.86), -0.2, 1))) ** 0.92
    across = np.clip(canvas.x / np.maximum(spread, 1e-3), -0.985, 0.985)
    within = np.clip((across - left) / (right - left), 0, 1)
    sag = (within - 0.5) * 0.9
    round_x = -across * np.sqrt(down) * 0.85
    surface = Surface(round_x + sag * 0.55, 0.75 * (1.0 - 0.75 * down), canvas.flat().openness)
    centre = (index + 0.5) * np.pi / 6
    wrapped = np.arcsin(across) - (centre - np.pi / 2)
    if scene.choice("gores") == "alternate" and scene.pattern.name == "plain" and index % 2:
        canvas.paint(region, scene.accent, scene.finish, surface)
    else:
        print_ = scene.printed(wrapped * half * 0.9 * np.sqrt(down), (canvas.y - top) * 1.15 - 0.14, 0.088)
        canvas.paint(region, print_, scene.finish, surface)
    canvas.darken(region * np.clip((down - 0.86) * 5, 0, 1), 0.08)


def _shaft(scene: Scene, rim_y: float, top: float) -> None:
    canvas = scene.canvas
    shaft = tube(canvas, np.array(((0.0, top + 0.05), (0.0, 0.27))), 0.013)
    canvas.paint(shaft.region, tone(0.5, 0.5, 0.52), scene.made_of("metallic"), shaft.surface)
    canvas.darken(shaft.region * np.clip(1 - (canvas.y - rim_y) / 0.08, 0, 1), 0.6)
    if scene.choice("handle") == "hook":
        spine = through((0.0, 0.24), (0.0, 0.34), (0.026, 0.392), (0.072, 0.392), (0.096, 0.345))
    else:
        spine = np.array(((0.0, 0.24), (0.0, 0.39)))
    handle = tube(canvas, spine, 0.031, caps=True)
    wood = tone(0.33, 0.17, 0.075)
    canvas.paint(handle.region, wood, scene.made_of("glossy"), handle.surface, texture=handle.texture)
    ring = tube(canvas, np.array(((0.0, 0.236), (0.0, 0.25))), 0.034)
    canvas.paint(ring.region, scene.accent, scene.made_of("glossy"), ring.surface)


UMBRELLA = Category(
    "umbrella",
    "雨伞",
    "Umbrella",
    paint,
    ("nylon", "satin", "cotton"),
    {
        "handle": Choice(("hook", "straight")),
        "gores": Choice(("same", "alternate")),
        "width": Range(0.9, 1.04, 1.0),
        "dome": Range(0.8, 1.2, 1.0),
    },
)
