"""Hoodie with kangaroo pocket, laid flat."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import Fold, mirrored_folds, panel, rib, seam, stitches
from c2m.design.drawings.outlines import Path, ellipse, flip, through
from c2m.design.drawings.palette import tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube


def paint(scene: Scene) -> None:
    """Hood behind, sleeves, body, pocket, then the hood's front and its cords."""
    canvas = scene.canvas
    half, hem = 0.195 * scene.number("width"), 0.30 * scene.number("length")
    for side in (1, -1):
        outline = (
            Path(half - 0.05, -0.24)
            .line(half - 0.012, -0.246)
            .cubic(half + 0.085, -0.225, half + 0.095, -0.02, half + 0.125, 0.245)
            .line(half + 0.04, 0.262)
            .cubic(half + 0.03, 0.1, half + 0.01, 0.02, half - 0.02, -0.05)
            .points()
        )
        cuff = Path(half + 0.122, 0.262).line(half + 0.044, 0.277).points()
        folds: list[Fold] = [
            (((half - 0.01, -0.09), (half + 0.07, -0.15)), 0.018, 0.009),
            (((half + 0.0, -0.01), (half + 0.09, -0.04)), 0.016, -0.008),
            (((half + 0.02, 0.06), (half + 0.11, 0.05)), 0.017, 0.01),
            (((half + 0.025, 0.13), (half + 0.105, 0.10)), 0.014, -0.009),
            (((half + 0.035, 0.20), (half + 0.12, 0.19)), 0.014, 0.010),
        ]
        mirrored: list[Fold] = [(tuple((side * x, y) for x, y in line), w, d) for line, w, d in folds]
        panel(scene, outline if side == 1 else flip(outline), mirrored, turn=-0.16 * side, rim=0.045, rise=0.75)
        rib(scene, cuff if side == 1 else flip(cuff), 0.042, scene.primary)

    body = (
        Path(0, -0.262)
        .line(0.07, -0.27)
        .line(half - 0.01, -0.245)
        .quad(half - 0.03, -0.15, half - 0.012, -0.05)
        .cubic(half + 0.004, 0.05, half + 0.008, hem - 0.1, half - 0.006, hem)
        .line(0, hem + 0.008)
        .mirrored()
    )
    canvas.shade(canvas.region(body), dx=0.006, dy=0.008, blur=0.014, strength=0.42, within=canvas.alpha)
    drift = scene.jitter(0.02)
    panel(
        scene,
        body,
        [
            *mirrored_folds(
                [
                    (((half - 0.02, -0.06), (half - 0.13, 0.02)), 0.02, 0.010),
                    (((half - 0.02, -0.03), (half - 0.09, 0.1)), 0.02, -0.009),
                    (((half - 0.03, hem - 0.02), (half - 0.06, hem - 0.12)), 0.016, 0.010),
                ]
            ),
            (((-0.06 + drift, hem), (-0.05 + drift, hem - 0.08)), 0.014, 0.008),
            (((0.03 + drift, hem), (0.04 + drift, hem - 0.07)), 0.014, 0.008),
            (((-0.03 + drift, -0.12), (-0.12 + drift, 0.05)), 0.03, 0.008),
        ],
        rim=0.05,
        rise=0.7,
    )
    armhole = Path(half - 0.01, -0.245).quad(half - 0.03, -0.15, half - 0.012, -0.05).points()
    seam(scene, armhole, flip(armhole))
    rib(
        scene,
        Path(-half + 0.006, hem + 0.014).quad(0, hem + 0.026, half - 0.006, hem + 0.014).points(),
        0.05,
        scene.primary,
    )
    if scene.choice("front") == "zip":
        _zip(scene, hem)
    else:
        _pocket(scene, half, hem)
    _hood(scene)


def _pocket(scene: Scene, half: float, hem: float) -> None:
    canvas = scene.canvas
    wide, top, low = half * 0.66, hem - 0.155, hem - 0.014
    outline = (
        Path(0, top)
        .line(wide * 0.62, top)
        .quad(wide * 0.72, top + 0.05, wide, top + 0.085)
        .line(wide, low)
        .line(0, low)
    )
    canvas.shade(canvas.region(outline.mirrored()), dx=0.004, dy=0.006, blur=0.008, strength=0.4)
    panel(scene, outline.mirrored(), rim=0.02, rise=0.35)
    opening = Path(wide * 0.62, top).quad(wide * 0.72, top + 0.05, wide, top + 0.085).points()
    canvas.darken(canvas.stroke(opening, flip(opening), width=0.006), 0.4)
    inner = opening + np.array((-0.011, 0.004))
    stitches(scene, inner, flip(inner), np.array(((-wide * 0.6, top + 0.008), (wide * 0.6, top + 0.008))))


def _zip(scene: Scene, hem: float) -> None:
    canvas = scene.canvas
    line = np.array(((0.0, -0.24), (0.0, hem + 0.035)))
    canvas.darken(canvas.stroke(line, width=0.018), 0.4)
    teeth = canvas.stroke(line, width=0.007)
    canvas.paint(teeth, tone(0.55, 0.55, 0.57), scene.made_of("metallic"), canvas.flat())
    canvas.darken(canvas.stroke(line, width=0.008, dash=0.004), 0.45)
    canvas.lay(canvas.stroke(np.array(((0.0, -0.16), (0.0, -0.125))), width=0.012), tone(0.62, 0.62, 0.64))


def _hood(scene: Scene) -> None:
    canvas = scene.canvas
    hood = through(
        (0.0, -0.42),
        (0.075, -0.407),
        (0.128, -0.355),
        (0.135, -0.285),
        (0.098, -0.222),
        (0.03, -0.19),
        (-0.03, -0.19),
        (-0.098, -0.222),
        (-0.135, -0.285),
        (-0.128, -0.355),
        (-0.075, -0.407),
        closed=True,
    )
    canvas.shade(canvas.region(hood), dx=0.006, dy=0.014, blur=0.016, strength=0.5, within=canvas.alpha)
    panel(
        scene,
        hood,
        mirrored_folds(
            [(((0.03, -0.2), (0.115, -0.29)), 0.016, 0.010), (((0.085, -0.23), (0.12, -0.33)), 0.014, -0.008)]
        ),
        rim=0.06,
        rise=1.0,
    )
    opening = through(
        (0.0, -0.392),
        (0.062, -0.372),
        (0.083, -0.31),
        (0.055, -0.245),
        (0.0, -0.205),
        (-0.055, -0.245),
        (-0.083, -0.31),
        (-0.062, -0.372),
        closed=True,
    )
    inside = canvas.region(opening)
    lining = scene.accent if scene.choice("lining") == "contrast" else scene.primary
    shaded = np.clip(0.30 + 2.0 * (canvas.y + 0.36), 0.16, 0.75)[..., None]
    canvas.paint(
        inside, lining * shaded.astype(np.float32), scene.finish, canvas.relief(inside).round(0.05, -0.9).surface()
    )
    edge = through(
        (0.0, -0.397),
        (0.067, -0.376),
        (0.089, -0.31),
        (0.06, -0.24),
        (0.0, -0.197),
        (-0.06, -0.24),
        (-0.089, -0.31),
        (-0.067, -0.376),
        closed=True,
    )
    stitches(scene, edge)
    for side in (1, -1):
        spine = through((side * 0.042, -0.222), (side * 0.05, -0.16), (side * (0.044 + scene.jitter(0.006)), -0.07))
        cord = tube(canvas, spine, 0.0085, caps=True)
        canvas.shade(cord.region, dx=0.005, dy=0.005, blur=0.005, strength=0.5)
        canvas.paint(cord.region, scene.accent, scene.made_of("cotton"), cord.surface, texture=cord.texture)
        eyelet = canvas.region(ellipse(side * 0.042, -0.222, 0.0075, 0.0075))
        canvas.paint(
            eyelet, tone(0.6, 0.6, 0.62), scene.made_of("metallic"), canvas.relief(eyelet).round(0.006).surface()
        )


HOODIE = Category(
    "hoodie",
    "连帽卫衣",
    "Hoodie",
    paint,
    ("fleece", "cotton", "knit"),
    {
        "front": Choice(("pocket", "zip")),
        "lining": Choice(("matching", "contrast")),
        "width": Range(0.9, 1.12, 1.0),
        "length": Range(0.88, 1.1, 1.0),
    },
)
