"""Coat with lapels, buttons and an optional belt, on an unseen hanger."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import Fold, mirrored_folds, panel, seam, stitches
from c2m.design.drawings.outlines import Path, ellipse, flip, rounded
from c2m.design.drawings.palette import tone
from c2m.design.drawings.scene import Scene


def paint(scene: Scene) -> None:
    """Lining, sleeves, right front, left front over it, pockets, lapels, buttons, belt."""
    canvas = scene.canvas
    half, hem = 0.178 * scene.number("width"), 0.375 * scene.number("length")
    flare = scene.number("flare")
    lining = canvas.region(Path(0.085, -0.375).quad(0, -0.35, -0.085, -0.375).line(0, -0.1).points())
    canvas.paint(lining, scene.accent * 0.45, scene.made_of("satin"), canvas.flat())
    for side in (1, -1):
        _sleeve(scene, half, side)
    torso = (
        Path(0, -0.15)
        .line(0.082, -0.372)
        .line(half + 0.022, -0.322)
        .quad(half - 0.012, -0.24, half - 0.006, -0.12)
        .cubic(half - 0.022, 0.0, half + 0.02 * flare, 0.1, half + 0.052 * flare, hem)
        .line(0, hem + 0.012)
        .mirrored()
    )
    canvas.shade(canvas.region(torso), dx=0.006, dy=0.006, blur=0.014, strength=0.42, within=canvas.alpha)
    low = half + 0.05 * flare
    drift = scene.jitter(0.02)
    panel(
        scene,
        torso,
        [
            *mirrored_folds(
                [
                    (((half - 0.01, -0.12), (half - 0.10, -0.02)), 0.018, 0.009),
                    (((half - 0.045, 0.06), (low - 0.055, hem)), 0.022, 0.013),
                    (((half - 0.085, 0.08), (low - 0.105, hem)), 0.018, -0.010),
                ]
            ),
            (((-0.05 + drift, 0.07), (-0.07 + drift, hem)), 0.02, 0.008),
        ],
        rim=0.04,
        rise=0.6,
        repeat=0.1,
    )
    armhole = Path(half + 0.022, -0.322).quad(half - 0.012, -0.24, half - 0.006, -0.12).points()
    seam(scene, armhole, flip(armhole))
    front = np.array(((-0.03, -0.14), (-0.026, 0.1), (-0.022, hem + 0.01)))
    canvas.shade(
        canvas.region(np.concatenate([front, [[low, hem], [half, -0.1]]])),
        dx=-0.008,
        dy=0.0,
        blur=0.008,
        strength=0.32,
        within=canvas.region(np.concatenate([front, [[-low, hem], [-half, -0.1]]])),
    )
    seam(scene, front, strength=0.5)
    stitches(scene, front + np.array((0.012, 0)))
    _pockets(scene, half)
    _lapels(scene)
    _buttons(scene, hem)
    if scene.choice("belt") == "belted":
        _belt(scene, half)


def _sleeve(scene: Scene, half: float, side: int) -> None:
    outline = (
        Path(half - 0.03, -0.32)
        .line(half + 0.02, -0.3225)
        .cubic(half + 0.085, -0.3, half + 0.075, -0.1, half + 0.108, 0.17)
        .line(half + 0.022, 0.187)
        .cubic(half + 0.012, 0.05, half + 0.008, -0.03, half - 0.02, -0.12)
        .points()
    )
    folds: list[Fold] = [
        (((half - 0.005, -0.13), (half + 0.06, -0.19)), 0.016, 0.008),
        (((half - 0.005, -0.06), (half + 0.075, -0.09)), 0.015, -0.008),
        (((half + 0.005, 0.0), (half + 0.08, -0.02)), 0.015, 0.009),
        (((half + 0.01, 0.07), (half + 0.09, 0.06)), 0.015, -0.007),
    ]
    mirrored: list[Fold] = [(tuple((side * x, y) for x, y in line), w, d) for line, w, d in folds]
    panel(scene, outline if side == 1 else flip(outline), mirrored, turn=-0.13 * side, rim=0.04, rise=0.75, repeat=0.1)
    cuff = np.array(((half + 0.101, 0.125), (half + 0.018, 0.141)))
    seam(scene, cuff if side == 1 else flip(cuff))


def _pockets(scene: Scene, half: float) -> None:
    canvas = scene.canvas
    for side in (1, -1):
        x0, x1 = side * 0.062, side * (half - 0.028)
        flap = np.array(((x0, 0.105), (x1, 0.092), (x1, 0.128), (x0, 0.141)))
        canvas.shade(canvas.region(flap), dx=0.002, dy=0.007, blur=0.007, strength=0.45)
        panel(scene, flap, rim=0.012, rise=0.5, repeat=0.1)
        stitches(scene, flap[[0, 3, 2, 1]] + np.array((0, -0.006)), strength=0.2)


def _lapels(scene: Scene) -> None:
    canvas = scene.canvas
    contrast = scene.choice("lapel") == "contrast"
    for side in (-1, 1):
        lapel = (
            Path(0.068, -0.39)
            .line(0.098, -0.36)
            .line(0.138, -0.262)
            .line(0.098, -0.257)
            .line(0.108, -0.232)
            .quad(0.06, -0.17, -0.02 if side == 1 else 0.028, -0.118)
            .quad(0.03, -0.24, 0.05, -0.352)
            .points()
        )
        lapel = lapel if side == 1 else flip(lapel)
        canvas.shade(canvas.region(lapel), dx=0.004, dy=0.008, blur=0.010, strength=0.5, within=canvas.alpha)
        panel(
            scene, lapel, turn=side * 0.35, rim=0.014, rise=0.6, albedo=scene.accent if contrast else None, repeat=0.1
        )
        notch = np.array(((0.138, -0.262), (0.06, -0.285)))
        seam(scene, notch if side == 1 else flip(notch), width=0.003)
    neck = Path(0.07, -0.392).quad(0, -0.37, -0.07, -0.392).line(-0.052, -0.352).quad(0, -0.336, 0.052, -0.352).points()
    panel(scene, neck, rim=0.012, rise=0.7, albedo=scene.accent if contrast else None, repeat=0.1)


def _buttons(scene: Scene, hem: float) -> None:
    canvas = scene.canvas
    columns = (0.004,) if scene.choice("closure") == "single" else (-0.014, 0.062)
    spots = [(x, y) for x in columns for y in (-0.075, 0.005, 0.085, 0.165) if y < hem - 0.08]
    if scene.choice("belt") == "belted":
        spots = [(x, y) for x, y in spots if abs(y) > 0.03]
    for x, y in spots:
        button = canvas.region(ellipse(x, y, 0.0125, 0.0125))
        canvas.shade(button, dx=0.002, dy=0.004, blur=0.004, strength=0.6)
        surface = canvas.relief(button).round(0.008, 0.7).surface()
        canvas.paint(button, scene.accent * 0.75 + 0.02, scene.made_of("glossy"), surface)
        canvas.darken(canvas.stroke(ellipse(x, y, 0.0085, 0.0085), width=0.002), 0.35)
        canvas.darken(canvas.region(ellipse(x - 0.003, y, 0.0018, 0.0018), ellipse(x + 0.003, y, 0.0018, 0.0018)), 0.7)


def _belt(scene: Scene, half: float) -> None:
    canvas = scene.canvas
    band = (
        Path(-half + 0.012, -0.02)
        .quad(0, 0.004, half - 0.012, -0.02)
        .line(half - 0.012, 0.022)
        .quad(0, 0.046, -half + 0.012, 0.022)
        .points()
    )
    canvas.shade(canvas.region(band), dx=0.002, dy=0.010, blur=0.010, strength=0.5)
    panel(scene, band, rim=0.014, rise=0.6, albedo=scene.accent)
    edges = Path(-half + 0.012, -0.013).quad(0, 0.011, half - 0.012, -0.013).points()
    stitches(scene, edges, edges + np.array((0, 0.029)))
    buckle = canvas.region(rounded(-0.03, -0.016, 0.03, 0.04, 0.008)) - canvas.region(
        rounded(-0.019, -0.005, 0.019, 0.029, 0.005)
    )
    canvas.shade(buckle, dx=0.003, dy=0.005, blur=0.005, strength=0.5)
    canvas.paint(buckle, tone(0.6, 0.56, 0.5), scene.made_of("metallic"), canvas.relief(buckle).round(0.008).surface())


COAT = Category(
    "coat",
    "大衣",
    "Coat",
    paint,
    ("fleece", "cotton", "denim", "leather"),
    {
        "closure": Choice(("single", "double")),
        "belt": Choice(("plain", "belted")),
        "lapel": Choice(("matching", "contrast")),
        "width": Range(0.92, 1.1, 1.0),
        "length": Range(0.85, 1.06, 1.0),
        "flare": Range(0.0, 1.4, 0.6),
    },
)
