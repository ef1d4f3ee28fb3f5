"""Tote bag with two handles."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import mirrored_folds, panel, seam, stitches
from c2m.design.drawings.outlines import Path, ellipse, move, rounded, through
from c2m.design.drawings.palette import Field
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube


def paint(scene: Scene) -> None:
    """Back handle, body, front handle sewn on, optional leather base or patch."""
    canvas = scene.canvas
    half, tall = 0.215 * scene.number("width"), 0.40 * scene.number("height")
    top, base = 0.37 - tall, 0.37
    drop = 0.25 * scene.number("handles")
    scene.stand(base + 0.004, half * 0.98)
    back = through(
        (-half * 0.42, top + 0.02),
        (-half * 0.44, top - drop * 0.55),
        (0.02, top - drop * 1.02),
        (half * 0.48, top - drop * 0.5),
        (half * 0.42, top + 0.02),
    )
    _handle(scene, back, dim=0.6)
    mouth = canvas.region(ellipse(0, top, half * 0.985, 0.014))
    canvas.paint(mouth, scene.primary * 0.35, scene.finish, canvas.flat())
    body = (
        Path(0, top + 0.012)
        .quad(half * 0.6, top + 0.012, half, top - 0.004)
        .cubic(half + 0.012, top + 0.1, half + 0.006, base - 0.09, half - 0.012, base - 0.012)
        .quad(half * 0.6, base + 0.01, 0, base + 0.004)
    )
    drift = scene.jitter(0.03)
    region = panel(
        scene,
        body.mirrored(),
        [
            *mirrored_folds(
                [
                    (((half * 0.42, top + 0.05), (half * 0.78, base - 0.12)), 0.03, 0.012),
                    (((half - 0.02, base - 0.03), (half * 0.55, base - 0.13)), 0.02, 0.010),
                    (((half * 0.95, top + 0.03), (half * 0.86, base - 0.1)), 0.018, -0.010),
                ]
            ),
            (((-0.05 + drift, top + 0.07), (0.03 + drift, base - 0.05)), 0.04, -0.010),
            (((drift, base - 0.02), (0.1 + drift, base - 0.1)), 0.026, 0.008),
        ],
        rim=0.05,
        rise=0.6,
        repeat=0.105,
    )
    hem = Path(-half, top + 0.028).quad(0, top + 0.048, half, top + 0.028).points()
    stitches(scene, hem, hem + np.array((0, -0.008)))
    if scene.choice("base") == "contrast":
        low = canvas.region(rounded(-0.5, base - 0.085, 0.5, base + 0.2, 0.01)) * region
        surface = canvas.relief(region).round(0.05, 0.6).surface()
        canvas.paint(low, scene.accent, scene.made_of("leather"), surface)
        line = np.array(((-half, base - 0.085), (half, base - 0.085)))
        seam(scene, line)
        stitches(scene, line + np.array((0, 0.008)))
    elif scene.choice("base") == "patch":
        label = rounded(-0.05, base - 0.12, 0.05, base - 0.06, 0.008)
        canvas.shade(canvas.region(label), dx=0.002, dy=0.004, blur=0.005, strength=0.35)
        panel(scene, label, rim=0.008, rise=0.5, albedo=scene.accent)
        stitches(scene, move(np.concatenate([label, label[:1]]), about=(0, base - 0.09), scale=(0.86, 0.76)))
    front = through(
        (-half * 0.46, top + 0.07),
        (-half * 0.47, top),
        (-half * 0.45, top - drop * 0.5),
        (-0.012, top - drop * 0.94),
        (half * 0.44, top - drop * 0.52),
        (half * 0.47, top),
        (half * 0.46, top + 0.07),
    )
    _handle(scene, front, dim=1.0)
    for x in (-half * 0.46, half * 0.46):
        tab = rounded(x - 0.021, top + 0.03, x + 0.021, top + 0.1, 0.004)
        canvas.shade(canvas.region(tab), dx=0.003, dy=0.005, blur=0.006, strength=0.4)
        panel(scene, tab, rim=0.008, rise=0.6, albedo=scene.accent)
        stitches(
            scene,
            np.array(
                (
                    (x - 0.014, top + 0.055),
                    (x + 0.014, top + 0.055),
                    (x + 0.014, top + 0.092),
                    (x - 0.014, top + 0.092),
                    (x - 0.014, top + 0.055),
                )
            ),
        )


def _handle(scene: Scene, spine: Field, dim: float) -> None:
    canvas = scene.canvas
    strap = tube(canvas, spine, 0.032, flatness=0.75)
    canvas.shade(strap.region, dx=0.008, dy=0.008, blur=0.008, strength=0.35, within=canvas.alpha)
    canvas.paint(strap.region, scene.accent * np.float32(dim), scene.finish, strap.surface, texture=strap.texture)
    edges = np.clip(1 - np.abs(np.abs(strap.v) - 0.011) / 0.0022, 0, 1) * (np.sin(strap.u * 2 * np.pi / 0.012) > -0.2)
    canvas.darken(strap.region * edges, 0.25)


TOTE = Category(
    "tote",
    "托特包",
    "Tote bag",
    paint,
    ("canvas", "leather", "denim"),
    {
        "base": Choice(("plain", "contrast", "patch")),
        "width": Range(0.85, 1.2, 1.0),
        "height": Range(0.82, 1.08, 1.0),
        "handles": Range(0.7, 1.2, 1.0),
    },
)
