"""Cushion with piping, buttons or tassels."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import Fold
from c2m.design.drawings.outlines import ellipse, through
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube


def paint(scene: Scene) -> None:
    """A stuffed square, pinched at its corners, with its trim."""
    canvas = scene.canvas
    a, b = 0.315 * scene.number("width"), 0.30 * scene.number("height")
    pinch = 0.026 * scene.number("plumpness")
    if scene.choice("shape") == "round":
        edge = ellipse(0, 0, a, b)
    else:
        corners = [
            (a, -b),
            (a - pinch, 0.0),
            (a, b),
            (0.0, b - pinch * 0.9),
            (-a, b),
            (-a + pinch, 0.0),
            (-a, -b),
            (0.0, -b + pinch * 0.9),
        ]
        pts = []
        for cx, cy in corners:
            if abs(cx) == a and abs(cy) == b:
                s, t = np.sign(cx), np.sign(cy)
                first, second = (cx - s * 0.012, cy + t * 0.004), (cx + s * 0.004, cy - t * 0.012)
                pts += [first, second] if s * t > 0 else [second, first]
                pts[-2:] = [first, second] if (s, t) in ((1, -1), (-1, 1)) else [second, first]
            else:
                pts.append((cx, cy))
        edge = through(*pts, closed=True)
    if scene.choice("trim") == "tassels" and scene.choice("shape") == "square":
        for cx, cy in ((a, -b), (a, b), (-a, b), (-a, -b)):
            _tassel(scene, cx, cy)
    region = canvas.region(edge)
    folds: list[Fold] = []
    for sx in (1, -1):
        for sy in (1, -1):
            folds += [
                (((sx * a * 0.97, sy * b * 0.97), (sx * a * 0.58, sy * b * 0.52)), 0.03, 0.012),
                (((sx * a * 0.95, sy * b * 0.9), (sx * a * 0.72, sy * b * 0.45)), 0.014, -0.009),
                (((sx * a * 0.88, sy * b * 0.95), (sx * a * 0.45, sy * b * 0.70)), 0.014, -0.008),
            ]
    relief = canvas.relief(region).round(0.03, 0.5).wrinkles(0.003, 5)
    if scene.choice("shape") == "round":
        dome = np.clip(1 - (relief.x / a) ** 2 - (relief.y / b) ** 2, 0, 1) ** 0.7
    else:
        dome = (np.clip(1 - (relief.x / a) ** 2, 0, 1) * np.clip(1 - (relief.y / b) ** 2, 0, 1)) ** 0.75
    relief.add((0.15 * scene.number("plumpness") * dome).astype(np.float32))
    for line, width, depth in folds if scene.choice("shape") == "square" else []:
        relief.fold(np.array(line) + scene.jitter(0.008), width, depth * (1 + scene.jitter(0.3)))
    if scene.choice("trim") == "button":
        away = np.hypot(relief.x, relief.y)
        relief.add((-0.055 * np.exp(-((away / 0.055) ** 2))).astype(np.float32))
        for angle in np.linspace(0, 2 * np.pi, 9)[:-1] + scene.jitter(0.2):
            tip = np.array((np.cos(angle), np.sin(angle)))
            relief.fold(np.stack([tip * 0.01, tip * 0.15]), 0.014, -0.010)
    surface = relief.surface()
    bulge = 1 - 0.16 * np.clip(1 - (canvas.x / a) ** 2, 0, 1) * np.clip(1 - (canvas.y / b) ** 2, 0, 1)
    canvas.paint(region, scene.draped(surface, canvas.x * bulge, canvas.y * bulge, 0.105), scene.finish, surface)
    if scene.choice("trim") in ("piping", "tassels"):
        piping = tube(canvas, edge, 0.0125)
        canvas.paint(piping.region, scene.accent, scene.made_of("satin"), piping.surface)
        canvas.darken(piping.region * (np.sin((piping.u + piping.v) * 2 * np.pi / 0.012) > 0.3), 0.14)
    else:
        canvas.darken(canvas.stroke(edge, width=0.004), 0.3)
    if scene.choice("trim") == "button":
        button = canvas.region(ellipse(0, 0, 0.024, 0.023))
        canvas.shade(button, dx=0.003, dy=0.006, blur=0.008, strength=0.6)
        canvas.paint(button, scene.accent, scene.finish, canvas.relief(button).round(0.02, 0.9).surface())


def _tassel(scene: Scene, x: float, y: float) -> None:
    canvas = scene.canvas
    sx, sy = np.sign(x), np.sign(y)
    head = np.array((x + sx * 0.012, y + sy * 0.012))
    strands = [
        np.stack(
            [
                head,
                head + np.array((sx * (0.02 + 0.012 * t), sy * 0.03 + 0.012)),
                head + np.array((sx * (0.02 + 0.03 * t), sy * 0.045 + 0.035 - 0.01 * abs(t))),
            ]
        )
        for t in np.linspace(-0.8, 1.2, 10)
    ]
    region = canvas.stroke(*strands, width=0.006)
    canvas.paint(region, scene.accent, scene.made_of("satin"), canvas.relief(region).round(0.008).surface())
    knot = canvas.region(ellipse(float(head[0]), float(head[1]), 0.014, 0.014))
    canvas.paint(knot, scene.accent, scene.made_of("satin"), canvas.relief(knot).round(0.012).surface())


CUSHION = Category(
    "cushion",
    "抱枕",
    "Cushion",
    paint,
    ("cotton", "canvas", "fleece", "satin", "knit"),
    {
        "shape": Choice(("square", "round")),
        "trim": Choice(("piping", "plain", "button", "tassels")),
        "width": Range(0.9, 1.1, 1.0),
        "height": Range(0.85, 1.1, 1.0),
        "plumpness": Range(0.5, 1.3, 1.0),
    },
)
