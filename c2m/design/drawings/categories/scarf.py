"""Scarf, looped once and laid flat."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import Fold, drape
from c2m.design.drawings.outlines import ribbon, through
from c2m.design.drawings.palette import Field
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube


def paint(scene: Scene) -> None:
    """The back of the loop, two hanging ends with fringes, the front of the loop over them."""
    wide = 0.105 * scene.number("width")
    long = 0.36 * scene.number("length")
    back = through((-0.145, -0.165), (-0.125, -0.27), (0.0, -0.318), (0.125, -0.27), (0.145, -0.165))
    _band(scene, back, wide * 0.86, dim=0.62)
    _end(scene, through((0.06, -0.10), (0.095, 0.05), (0.12 + scene.jitter(0.01), long - 0.05)), wide * 1.05)
    _end(scene, through((-0.035, -0.10), (-0.075, 0.05), (-0.10 + scene.jitter(0.01), long)), wide * 1.12)
    front = through((-0.15, -0.19), (-0.135, -0.10), (-0.03, -0.045), (0.08, -0.06), (0.142, -0.125), (0.15, -0.195))
    _band(scene, front, wide * 1.02, dim=1.0)
    knot = through((0.055, -0.135), (0.02, -0.08), (0.005, -0.02), (0.03, 0.03))
    _band(scene, knot, wide * 0.82, dim=1.0)


def _band(scene: Scene, spine: Field, wide: float, *, dim: float) -> None:
    canvas = scene.canvas
    band = tube(canvas, spine, wide, flatness=0.25)
    canvas.shade(band.region, dx=0.006, dy=0.014, blur=0.016, strength=0.5, within=canvas.alpha)
    creases: list[Fold] = []
    step = len(spine) // 4
    for offset, depth in ((-0.26, 0.012), (0.02, -0.012), (0.27, 0.010)):
        middle = ribbon(spine, 2 * offset * wide)[: len(spine)]
        for start in range(0, len(spine) - step, step):
            part = middle[start : start + step + 1]
            creases.append(((tuple(part[0]), tuple(part[step // 2]), tuple(part[-1])), wide * 0.13, depth))
    surface = band.surface + drape(scene, band.region, creases, rim=0.02, rise=0.3)
    albedo = scene.printed(band.v + 0.5 * wide, band.u, 0.075).dimmed(dim)
    canvas.paint(band.region, albedo, scene.finish, surface, texture=(band.v, band.u))


def _end(scene: Scene, spine: Field, wide: float) -> None:
    canvas = scene.canvas
    widths = np.interp(np.linspace(0, 1, len(spine)), (0, 0.35, 1), (0.8, 0.95, 1.08)) * wide
    across = ribbon(spine, widths)
    left, right = across[len(spine) - 1], across[len(spine)]
    if scene.choice("ends") == "fringe":
        direction = (spine[-1] - spine[-3]) / np.linalg.norm(spine[-1] - spine[-3])
        count = 15
        strands = [
            np.stack(
                [
                    p - 0.004 * direction,
                    p + direction * 0.024 + (scene.jitter(0.002), 0),
                    p + direction * (0.052 + scene.jitter(0.004)) + (scene.jitter(0.005), 0),
                ]
            )
            for p in (left + (right - left) * t for t in np.linspace(0.03, 0.97, count))
        ]
        strokes = canvas.stroke(*strands, width=0.0065)
        canvas.paint(strokes, scene.accent, scene.finish, canvas.relief(strokes).round(0.006, 0.6).surface())
    band = tube(canvas, spine, widths, flatness=0.55)
    canvas.shade(band.region, dx=0.008, dy=0.008, blur=0.014, strength=0.4, within=canvas.alpha)
    folds: list[Fold] = [
        (
            ((spine[2][0] + o * wide, spine[2][1]), (spine[-1][0] + o * wide * 1.1, spine[-1][1] + 0.03)),
            wide * 0.14,
            depth,
        )
        for o, depth in ((-0.3, 0.011), (-0.06, -0.010), (0.16, 0.010), (0.34, -0.007))
    ]
    surface = band.surface + drape(scene, band.region, folds, rim=0.02, rise=0.4)
    canvas.paint(
        band.region, scene.printed(band.v + 0.5 * wide, band.u, 0.075), scene.finish, surface, texture=(band.v, band.u)
    )


SCARF = Category(
    "scarf",
    "围巾",
    "Scarf",
    paint,
    ("knit", "fleece", "satin"),
    {"ends": Choice(("fringe", "plain")), "width": Range(0.85, 1.2, 1.0), "length": Range(0.85, 1.08, 1.0)},
)
