"""Backpack, seen from the front."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import mirrored_folds, panel, seam, stitches
from c2m.design.drawings.outlines import Path, flip, rounded, through
from c2m.design.drawings.palette import Field, tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube


def paint(scene: Scene) -> None:
    """Straps behind, grab handle, body with zip, front pocket, side pockets."""
    canvas = scene.canvas
    half, top, base = 0.2 * scene.number("width"), -0.335 * scene.number("height"), 0.375
    scene.stand(base + 0.004, half * 0.95)
    for side in (1, -1):
        spine = through(
            (side * half * 0.6, top + 0.06),
            (side * (half + 0.045), top + 0.18),
            (side * (half + 0.055), 0.12),
            (side * (half - 0.03), base - 0.05),
        )
        strap = tube(canvas, spine, np.linspace(0.05, 0.026, len(spine)), flatness=0.6)
        canvas.paint(strap.region, scene.accent * 0.8, scene.finish, strap.surface, texture=strap.texture)
    grab = tube(
        canvas,
        through((-0.05, top + 0.015), (-0.038, top - 0.045), (0.038, top - 0.045), (0.05, top + 0.015)),
        0.022,
        flatness=0.3,
    )
    canvas.paint(grab.region, scene.accent, scene.finish, grab.surface, texture=grab.texture)

    body = (
        Path(0, top)
        .cubic(half * 0.75, top, half * 0.98, top + 0.06, half, top + 0.2)
        .line(half + 0.006, base - 0.07)
        .quad(half + 0.006, base, half - 0.06, base)
        .line(0, base + 0.004)
        .mirrored()
    )
    region = panel(
        scene,
        body,
        mirrored_folds(
            [
                (((half - 0.02, -0.05), (half * 0.5, 0.0)), 0.02, 0.006),
                (((half - 0.02, base - 0.05), (half * 0.6, base - 0.1)), 0.016, 0.006),
            ]
        ),
        rim=0.085,
        rise=0.95,
    )
    zipper = (
        Path(-half * 0.92, top + 0.235)
        .cubic(-half * 0.9, top + 0.03, half * 0.9, top + 0.03, half * 0.92, top + 0.235)
        .points()
    )
    _zip(scene, zipper, region)
    if scene.choice("style") == "flap":
        _flap(scene, half, top, base)
    else:
        _pocket(scene, half, base)
    for side in (1, -1):
        mesh = (
            Path(half * 0.86, 0.14)
            .line(half + 0.03, 0.115)
            .quad(half + 0.042, base - 0.05, half + 0.006, base - 0.02)
            .line(half * 0.9, base - 0.01)
            .points()
        )
        canvas.shade(
            canvas.region(mesh if side == 1 else flip(mesh)),
            dx=-0.004 * side,
            dy=0.002,
            blur=0.008,
            strength=0.4,
            within=region,
        )
        panel(scene, mesh if side == 1 else flip(mesh), rim=0.025, rise=0.8, albedo=scene.accent * 0.85)


def _zip(scene: Scene, line: Field, within: Field) -> None:
    canvas = scene.canvas
    canvas.paint(canvas.stroke(line, width=0.02) * within, scene.accent * 0.5, scene.made_of("nylon"), canvas.flat())
    teeth = canvas.stroke(line, width=0.008) * within
    canvas.paint(teeth, tone(0.36, 0.36, 0.38), scene.made_of("metallic"), canvas.flat())
    canvas.darken(canvas.stroke(line, width=0.009, dash=0.004) * within, 0.5)
    end = line[-12]
    pull = tube(canvas, np.array((end, end + np.array((0.004, 0.045)))), 0.013, flatness=0.5, caps=True)
    canvas.shade(pull.region, dx=0.004, dy=0.004, blur=0.004, strength=0.5)
    canvas.paint(pull.region, scene.accent, scene.made_of("leather"), pull.surface)


def _pocket(scene: Scene, half: float, base: float) -> None:
    canvas = scene.canvas
    wide = half * 0.78
    outline = rounded(-wide, 0.075, wide, base - 0.022, 0.05, 2.4)
    canvas.shade(canvas.region(outline), dx=0.005, dy=0.008, blur=0.012, strength=0.5)
    region = panel(
        scene, outline, mirrored_folds([(((wide * 0.8, 0.15), (wide * 0.3, 0.18)), 0.02, 0.006)]), rim=0.05, rise=0.8
    )
    _zip(scene, Path(-wide * 0.86, 0.135).quad(0, 0.112, wide * 0.86, 0.135).points(), region)
    stitches(
        scene, np.concatenate([rounded(-wide + 0.012, 0.087, wide - 0.012, base - 0.034, 0.042, 2.4)]), strength=0.2
    )
    patch = rounded(-0.045, 0.2, 0.045, 0.25, 0.008)
    canvas.shade(canvas.region(patch), dx=0.002, dy=0.004, blur=0.004, strength=0.35)
    panel(scene, patch, rim=0.006, rise=0.5, albedo=scene.accent)


def _flap(scene: Scene, half: float, top: float, base: float) -> None:
    canvas = scene.canvas
    flap = (
        Path(0, top + 0.0)
        .cubic(half * 0.75, top, half * 1.0, top + 0.05, half * 1.02, top + 0.19)
        .cubic(half * 1.0, 0.05, half * 0.7, 0.1, 0, 0.105)
        .mirrored()
    )
    canvas.shade(canvas.region(flap), dx=0.004, dy=0.014, blur=0.016, strength=0.5, within=canvas.alpha)
    panel(scene, flap, mirrored_folds([(((half * 0.4, 0.07), (half * 0.3, -0.08)), 0.03, 0.007)]), rim=0.07, rise=0.8)
    stitches(
        scene,
        Path(-half * 0.97, top + 0.2)
        .cubic(-half * 0.94, 0.035, -half * 0.66, 0.086, 0, 0.09)
        .cubic(half * 0.66, 0.086, half * 0.94, 0.035, half * 0.97, top + 0.2)
        .points(),
    )
    for x in (-half * 0.45, half * 0.45):
        strap = tube(canvas, np.array(((x, -0.02), (x, 0.24))), 0.032, flatness=0.7)
        canvas.shade(strap.region, dx=0.004, dy=0.004, blur=0.006, strength=0.4)
        canvas.paint(strap.region, scene.accent, scene.made_of("leather"), strap.surface)
        buckle = canvas.region(rounded(x - 0.025, 0.1, x + 0.025, 0.15, 0.007)) - canvas.region(
            rounded(x - 0.015, 0.111, x + 0.015, 0.139, 0.004)
        )
        canvas.paint(
            buckle, tone(0.55, 0.5, 0.42), scene.made_of("metallic"), canvas.relief(buckle).round(0.008).surface()
        )
    seam(scene, np.array(((-half * 0.95, base - 0.05), (half * 0.95, base - 0.05))))


BACKPACK = Category(
    "backpack",
    "双肩包",
    "Backpack",
    paint,
    ("nylon", "canvas", "leather"),
    {"style": Choice(("zip", "flap")), "width": Range(0.9, 1.15, 1.0), "height": Range(0.88, 1.1, 1.0)},
)
