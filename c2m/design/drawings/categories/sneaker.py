"""Sneaker, seen from its outer side."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import panel, seam, stitches
from c2m.design.drawings.outlines import Path, ellipse, ribbon, through
from c2m.design.drawings.palette import Field, tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube


def paint(scene: Scene) -> None:
    """Lining and tongue, upper, overlays, laces, then the sole in front."""
    canvas = scene.canvas
    high = scene.choice("cut") == "high"
    collar = (-0.185 if high else -0.105) * scene.number("height")
    thick = 0.062 * scene.number("sole")
    ground = 0.20
    deck = ground - thick
    scene.stand(ground + 0.004, 0.36)

    tongue = ribbon(through((0.12, 0.0), (0.055, (collar + 0.02) * 0.42), (-0.016, collar - 0.055)), 0.085)
    panel(scene, tongue, rim=0.02, rise=0.8, albedo=scene.primary * 0.85)
    throat = canvas.region(
        through(
            (-0.285, collar - 0.012),
            (-0.16, collar + 0.02),
            (-0.03, collar - 0.02),
            (-0.05, collar + 0.07),
            (-0.26, collar + 0.06),
            closed=True,
        )
    )
    canvas.paint(throat, scene.accent * 0.35, scene.made_of("cotton"), canvas.flat())

    upper = _upper(collar, deck)
    region = panel(
        scene,
        upper,
        [
            (((0.11, 0.0), (0.17, 0.09)), 0.016, -0.006),
            (((0.14, 0.02), (0.20, 0.10)), 0.014, 0.005),
            (((-0.2, 0.03), (-0.1, 0.0)), 0.02, -0.004),
        ],
        rim=0.075,
        rise=1.0,
        repeat=0.085,
    )
    edge = through((-0.292, collar - 0.006), (-0.17, collar + 0.034), (-0.04, collar - 0.014))
    trim = tube(canvas, edge, 0.02, caps=True)
    canvas.paint(trim.region, scene.accent, scene.made_of("cotton"), trim.surface)
    _overlays(scene, region, collar, deck)
    _laces(scene, collar)
    _sole(scene, deck, ground)


def _upper(collar: float, deck: float) -> Field:
    return (
        Path(-0.335, deck + 0.015)
        .cubic(-0.355, 0.02, -0.325, collar + 0.05, -0.295, collar - 0.008)
        .cubic(-0.24, collar + 0.035, -0.12, collar + 0.045, -0.035, collar - 0.022)
        .cubic(0.02, collar + 0.05, 0.055, -0.015, 0.115, 0.012)
        .cubic(0.22, 0.035, 0.335, 0.04, 0.358, deck - 0.012)
        .line(0.352, deck + 0.02)
        .points()
    )


def _overlays(scene: Scene, upper: Field, collar: float, deck: float) -> None:
    canvas = scene.canvas
    toe = through((0.38, 0.0), (0.25, 0.025), (0.2, 0.075), (0.185, deck + 0.03), (0.4, deck + 0.05), closed=True)
    heel = through(
        (-0.4, collar + 0.1),
        (-0.29, collar + 0.09),
        (-0.245, 0.06),
        (-0.215, deck + 0.02),
        (-0.4, deck + 0.04),
        closed=True,
    )
    eyestay = through(
        (-0.035, collar - 0.03),
        (0.03, -0.06),
        (0.13, 0.005),
        (0.128, 0.045),
        (0.055, 0.025),
        (-0.01, -0.02),
        (-0.075, collar + 0.045),
        closed=True,
    )
    parts = {"classic": (heel, eyestay), "runner": (toe, heel, eyestay), "plain": (eyestay,)}[scene.choice("style")]
    for part in parts:
        piece = canvas.region(part) * upper
        canvas.shade(piece, dx=0.001, dy=0.006, blur=0.006, strength=0.35, within=upper)
        surface = canvas.relief(upper).round(0.075, 1.0).surface() + canvas.relief(piece).round(0.012, 0.35).surface()
        canvas.paint(piece, scene.accent, scene.made_of("leather"), surface)
    if scene.choice("style") == "runner":
        swoop = (
            Path(-0.2, 0.085)
            .cubic(-0.1, 0.105, 0.02, 0.06, 0.09, 0.03)
            .cubic(0.04, 0.1, -0.06, 0.135, -0.15, 0.128)
            .points()
        )
        canvas.shade(canvas.region(swoop), dx=0.001, dy=0.005, blur=0.005, strength=0.3, within=upper)
        canvas.paint(
            canvas.region(swoop) * upper,
            scene.accent,
            scene.made_of("leather"),
            canvas.relief(upper).round(0.075, 1.0).surface(),
        )
    else:
        curve = Path(0.12, 0.05).cubic(0.08, 0.08, 0.03, 0.1, 0.0, deck).points()
        seam(scene, curve)
        stitches(scene, curve + np.array((0.008, 0.002)))
    cap = Path(0.212, 0.03).cubic(0.19, 0.07, 0.195, 0.1, 0.205, deck).points()
    if scene.choice("style") != "runner":
        seam(scene, cap)
        stitches(scene, cap + np.array((-0.008, 0.0)))


def _laces(scene: Scene, collar: float) -> None:
    canvas = scene.canvas
    start, end = np.array((-0.028, collar + 0.018)), np.array((0.108, 0.028))
    for index in range(5):
        t = index / 4
        hole = start + (end - start) * t
        hole[1] += 0.018 * np.sin(np.pi * t)
        canvas.darken(canvas.region(ellipse(float(hole[0]), float(hole[1]), 0.006, 0.006)), 0.7)
        far = hole + np.array((0.058, -0.034))
        lace = tube(
            canvas,
            through(tuple(hole), tuple((hole + far) / 2 + (0.006, -0.006)), tuple(far)),
            0.0135,
            flatness=0.4,
            caps=True,
        )
        canvas.shade(lace.region, dx=0.002, dy=0.005, blur=0.005, strength=0.45, within=canvas.alpha)
        canvas.paint(lace.region, tone(0.86, 0.86, 0.84), scene.made_of("cotton"), lace.surface, texture=lace.texture)


def _sole(scene: Scene, deck: float, ground: float) -> None:
    canvas = scene.canvas
    outline = (
        Path(-0.352, deck - 0.002)
        .cubic(-0.2, deck + 0.014, 0.1, deck + 0.022, 0.362, deck - 0.022)
        .cubic(0.39, deck + 0.01, 0.37, ground - 0.004, 0.30, ground)
        .line(-0.3, ground)
        .cubic(-0.365, ground, -0.378, ground - 0.03, -0.352, deck - 0.002)
        .points()
    )
    sole = canvas.region(outline)
    canvas.shade(sole, dx=0.0, dy=-0.010, blur=0.010, strength=0.45, within=canvas.alpha)
    rubber = tone(0.84, 0.83, 0.80) if scene.choice("rubber") == "white" else tone(0.40, 0.25, 0.12)
    canvas.paint(sole, rubber, scene.made_of("matte"), canvas.relief(sole).round(0.02, 0.8).surface())
    line = Path(-0.362, deck + 0.03).cubic(-0.2, deck + 0.04, 0.1, deck + 0.044, 0.382, deck + 0.014).points()
    canvas.paint(canvas.stroke(line, width=0.007) * sole, scene.accent, scene.made_of("matte"), canvas.flat())
    tread = canvas.stroke(np.array(((-0.34, ground - 0.006), (0.33, ground - 0.006))), width=0.012, dash=0.014) * sole
    canvas.darken(tread, 0.35)


SNEAKER = Category(
    "sneaker",
    "运动鞋",
    "Sneaker",
    paint,
    ("canvas", "leather", "nylon"),
    {
        "cut": Choice(("low", "high")),
        "style": Choice(("classic", "runner", "plain")),
        "rubber": Choice(("white", "gum")),
        "height": Range(0.9, 1.12, 1.0),
        "sole": Range(0.8, 1.4, 1.0),
    },
)
