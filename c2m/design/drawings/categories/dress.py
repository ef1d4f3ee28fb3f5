"""Dress with a fitted bodice and a full skirt."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import Fold, mirrored_folds, panel, seam, stitches
from c2m.design.drawings.outlines import Path, flip, ribbon
from c2m.design.drawings.scene import Scene


def paint(scene: Scene) -> None:
    """Back of the neck, sleeves, skirt with its gathers, bodice over it, sash."""
    canvas = scene.canvas
    hem, flare, waist = 0.40 * scene.number("length"), 0.235 * scene.number("flare"), 0.098
    sleeves = scene.choice("sleeves")
    shoulder = 0.128 if sleeves != "none" else 0.112
    back = canvas.region(
        Path(0.069, -0.396).quad(0, -0.376, -0.069, -0.396).line(-0.06, -0.29).line(0.06, -0.29).points()
    )
    canvas.paint(back, scene.primary * 0.45, scene.finish, canvas.flat())
    if sleeves != "none":
        _sleeves(scene, long=sleeves == "long")
    _skirt(scene, waist, flare, hem)

    bodice = (
        Path(0, -0.305)
        .cubic(0.04, -0.305, 0.062, -0.33, 0.07, -0.398)
        .line(shoulder, -0.375)
        .quad(0.1, -0.30, 0.125, -0.235)
        .cubic(0.128, -0.18, 0.105, -0.14, waist, -0.085)
        .quad(0, -0.070, 0, -0.072)
    )
    canvas.shade(canvas.region(bodice.mirrored()), dx=0.003, dy=0.010, blur=0.010, strength=0.4, within=canvas.alpha)
    folds = mirrored_folds(
        [(((0.118, -0.23), (0.05, -0.16)), 0.016, 0.007), (((0.095, -0.1), (0.05, -0.2)), 0.014, -0.006)]
    )
    panel(scene, bodice.mirrored(), folds, rim=0.045, rise=0.9)
    dart = Path(0.052, -0.085).quad(0.062, -0.14, 0.06, -0.19).points()
    seam(scene, dart, flip(dart), width=0.003, strength=0.25)
    neck = Path(0.074, -0.393).cubic(0.066, -0.328, 0.042, -0.298, 0, -0.298).mirrored()
    stitches(scene, neck)
    if scene.choice("waist") == "sash":
        _sash(scene, waist)
    else:
        seam(scene, Path(-waist, -0.085).quad(0, -0.066, waist, -0.085).points())


def _sleeves(scene: Scene, *, long: bool) -> None:
    for side in (1, -1):
        if long:
            path = (
                Path(0.095, -0.37)
                .line(0.126, -0.376)
                .cubic(0.165, -0.36, 0.175, -0.2, 0.225, 0.0)
                .line(0.172, 0.018)
                .cubic(0.145, -0.08, 0.14, -0.17, 0.112, -0.24)
            )
            folds: list[Fold] = [
                (((0.125, -0.25), (0.165, -0.29)), 0.012, 0.006),
                (((0.13, -0.17), (0.18, -0.2)), 0.012, -0.006),
                (((0.145, -0.1), (0.195, -0.11)), 0.012, 0.006),
            ]
        else:
            path = (
                Path(0.095, -0.37)
                .line(0.126, -0.376)
                .cubic(0.165, -0.375, 0.2, -0.31, 0.208, -0.262)
                .quad(0.165, -0.225, 0.112, -0.238)
            )
            folds = [
                (((0.125, -0.24), (0.15, -0.34)), 0.012, 0.008),
                (((0.16, -0.24), (0.165, -0.33)), 0.010, -0.007),
                (((0.19, -0.255), (0.18, -0.32)), 0.010, 0.006),
            ]
        mirrored: list[Fold] = [(tuple((side * x, y) for x, y in line), w, d) for line, w, d in folds]
        panel(
            scene, path.points() if side == 1 else flip(path.points()), mirrored, turn=-0.3 * side, rim=0.03, rise=0.8
        )


def _skirt(scene: Scene, waist: float, flare: float, hem: float) -> None:
    canvas = scene.canvas
    pleats = int(4 + 5 * scene.number("fullness"))
    steps = np.linspace(-1, 1, 241)
    depth = 0.009 * scene.number("fullness")
    bottom = [(flare * t, hem - 0.035 * t * t + depth * np.cos(np.pi * (pleats + 0.5) * t)) for t in steps[::-1]]
    side = Path(waist, -0.09).cubic(waist + 0.02, 0.02, flare * 0.82, 0.16, flare, hem - 0.035).points()
    outline = np.concatenate([side, bottom, flip(side)[::-1]])
    folds: list[Fold] = []
    for index in range(2 * pleats + 1):
        t = (index / pleats - 1) * 0.94
        sway = scene.jitter(0.012)
        crest = 1.0 if index % 2 == 0 else -1.0
        line = ((t * waist * 0.9, -0.08), (t * flare * 0.62 + sway, 0.13), (t * flare + sway, hem + 0.05))
        folds.append((line, 0.55 * flare / pleats, crest * 0.022 * (0.5 + 0.5 * scene.number("fullness"))))
    region = panel(scene, outline, folds, rim=0.04, rise=0.7, wrinkle=0.002)
    gathers = [
        np.array(((t * waist, -0.08), (t * waist * 1.25, -0.08 + 0.045))) for t in np.linspace(-0.9, 0.9, 2 * pleats)
    ]
    canvas.darken(canvas.stroke(*gathers, width=0.003) * region, 0.22)
    low = np.array([(x * 0.985, y - 0.018) for x, y in bottom])
    stitches(scene, low, strength=0.2)


def _sash(scene: Scene, waist: float) -> None:
    canvas = scene.canvas
    spine = Path(-waist - 0.002, -0.092).quad(0, -0.074, waist + 0.002, -0.092).points()
    canvas.shade(canvas.region(ribbon(spine, 0.034)), dx=0.002, dy=0.008, blur=0.008, strength=0.5, within=canvas.alpha)
    panel(
        scene,
        ribbon(spine, 0.034),
        [(((-0.08, -0.09), (0.08, -0.08)), 0.006, -0.003)],
        rim=0.014,
        rise=0.9,
        albedo=scene.accent,
    )
    for reach, drop in ((0.03, 0.1), (0.056, 0.085)):
        tail = Path(0.052, -0.085).quad(0.05 + reach * 0.2, -0.03, 0.052 + reach, drop - 0.085).points()
        piece = ribbon(tail, np.linspace(0.012, 0.026, len(tail)))
        canvas.shade(canvas.region(piece), dx=0.004, dy=0.005, blur=0.006, strength=0.4)
        panel(scene, piece, rim=0.01, rise=0.8, albedo=scene.accent)
    knot = (
        Path(0.04, -0.1)
        .line(0.066, -0.1)
        .quad(0.07, -0.082, 0.064, -0.068)
        .line(0.042, -0.068)
        .quad(0.036, -0.082, 0.04, -0.1)
    )
    panel(scene, knot.points(), rim=0.012, rise=1.1, albedo=scene.accent)


DRESS = Category(
    "dress",
    "连衣裙",
    "Dress",
    paint,
    ("cotton", "satin", "knit"),
    {
        "sleeves": Choice(("none", "short", "long")),
        "waist": Choice(("seam", "sash")),
        "flare": Range(0.75, 1.15, 1.0),
        "fullness": Range(0.2, 1.0, 0.6),
        "length": Range(0.82, 1.05, 1.0),
    },
)
