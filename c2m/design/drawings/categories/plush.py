"""Plush bear, rabbit or cat, sitting."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import stitches
from c2m.design.drawings.outlines import Path, ellipse, flip, move
from c2m.design.drawings.palette import Field, tone
from c2m.design.drawings.scene import Scene


def paint(scene: Scene) -> None:
    """From back to front: ears, body, arms, legs with soles, head, face, ribbon."""
    size = scene.number("head")
    plump = scene.number("body")
    scene.stand(0.38, 0.2)
    animal = scene.choice("animal")
    _ears(scene, animal, size)
    _stuffed(scene, ellipse(0, 0.165, 0.165 * plump, 0.195), printed=True)
    belly = ellipse(0, 0.185, 0.105 * plump, 0.135)
    if scene.pattern.name == "plain":
        _stuffed(scene, belly, albedo=_pale(scene.accent), radius=0.10, rise=0.35, shadow=0.0)
        stitches(scene, belly, strength=0.18)
    for side in (1, -1):
        leg = move(ellipse(0.165 * plump, 0.31, 0.092, 0.078), about=(0.165, 0.31), turn=0.25)
        _stuffed(scene, leg if side == 1 else flip(leg), printed=True, radius=0.07)
        sole = move(ellipse(0.185 * plump, 0.318, 0.052, 0.056), about=(0.185, 0.318), turn=0.2)
        _stuffed(scene, sole if side == 1 else flip(sole), albedo=scene.accent, radius=0.03, rise=0.5, shadow=0.15)
        stitches(scene, sole if side == 1 else flip(sole), strength=0.2)
        arm = move(ellipse(0.175 * plump, 0.105, 0.052, 0.108), about=(0.175, 0.05), turn=-0.42 + scene.jitter(0.08))
        _stuffed(scene, arm if side == 1 else flip(arm), printed=True, radius=0.05)
    head = ellipse(0, -0.125, 0.182 * size, 0.158 * size)
    _stuffed(scene, head, radius=0.15, shadow=0.5)
    _face(scene, animal, size)
    if scene.choice("ribbon") == "bow":
        _bow(scene)


def _pale(colour: Field) -> Field:
    return np.asarray(0.55 * colour + 0.45 * tone(0.80, 0.72, 0.60))


def _stuffed(
    scene: Scene,
    outline: Field,
    *,
    albedo: Field | None = None,
    printed: bool = False,
    radius: float = 0.12,
    rise: float = 1.0,
    shadow: float = 0.42,
) -> Field:
    canvas = scene.canvas
    region = canvas.region(outline)
    if shadow:
        canvas.shade(region, dx=0.005, dy=0.014, blur=0.016, strength=shadow, within=canvas.alpha)
    surface = (
        canvas.relief(region).round(radius, rise * 0.62).round(radius * 0.4, rise * 0.55).wrinkles(0.0018, 9).surface()
    )
    stuff = (scene.draped(surface, repeat=0.08) if printed else scene.primary) if albedo is None else albedo
    canvas.paint(region, stuff, scene.finish, surface)
    _pile(scene, region)
    return region


def _pile(scene: Scene, region: Field) -> None:
    """Short fibres that stand out and catch the light along the upper rim."""
    canvas = scene.canvas
    inner = canvas.blurred(region, 0.012)
    rim = np.clip(region * (1 - inner) * 2, 0, 1)
    canvas.lighten(rim * np.clip(0.5 - 0.9 * canvas.y, 0, 1), 0.16)


def _ears(scene: Scene, animal: str, size: float) -> None:
    for side in (1, -1):
        if animal == "rabbit":
            lean = 0.18 + scene.jitter(0.06)
            outer = move(ellipse(0.082 * size, -0.315, 0.044, 0.105), about=(0.085, -0.24), turn=lean)
            inner = move(ellipse(0.082 * size, -0.312, 0.024, 0.08), about=(0.085, -0.24), turn=lean)
        elif animal == "cat":
            outer = (
                Path(0.035, -0.245)
                .quad(0.10, -0.37, 0.152 * size, -0.375)
                .quad(0.198 * size, -0.27, 0.175, -0.14)
                .points()
            )
            inner = (
                Path(0.075, -0.25)
                .quad(0.115, -0.33, 0.145 * size, -0.338)
                .quad(0.172 * size, -0.26, 0.16, -0.18)
                .points()
            )
        else:
            outer, inner = ellipse(0.135 * size, -0.255, 0.068, 0.066), ellipse(0.137 * size, -0.25, 0.042, 0.042)
        _stuffed(scene, outer if side == 1 else flip(outer), radius=0.05)
        _stuffed(
            scene, inner if side == 1 else flip(inner), albedo=_pale(scene.accent), radius=0.03, rise=-0.5, shadow=0.0
        )


def _face(scene: Scene, animal: str, size: float) -> None:
    canvas = scene.canvas
    muzzle = ellipse(0, -0.075, 0.078 * size, 0.058 * size)
    if animal != "cat":
        _stuffed(scene, muzzle, albedo=_pale(scene.accent), radius=0.055, shadow=0.2)
    ink = tone(0.010, 0.009, 0.010)
    for side in (1, -1):
        eye = canvas.region(ellipse(side * 0.073 * size, -0.145, 0.0175, 0.019))
        canvas.shade(eye, dx=0.002, dy=0.004, blur=0.006, strength=0.45)
        canvas.paint(eye, ink, scene.made_of("glossy"), canvas.relief(eye).round(0.016, 0.8).surface())
        canvas.lighten(canvas.region(ellipse(side * 0.073 * size - 0.006, -0.152, 0.0052, 0.0052)), 0.9)
        blush = np.exp(-(((canvas.x - side * 0.118 * size) / 0.03) ** 2 + ((canvas.y + 0.085) / 0.02) ** 2))
        canvas.rgb += (tone(0.85, 0.28, 0.25) - canvas.rgb) * (0.16 * blush * canvas.alpha)[..., None]
    nose = canvas.region(
        Path(-0.022, -0.108)
        .quad(0, -0.116, 0.022, -0.108)
        .quad(0.018, -0.088, 0, -0.082)
        .quad(-0.018, -0.088, -0.022, -0.108)
        .points()
    )
    colour = ink if animal == "bear" else tone(0.55, 0.16, 0.18)
    canvas.paint(nose, colour, scene.made_of("glossy"), canvas.relief(nose).round(0.014, 0.7).surface())
    mouth = Path(-0.026, -0.062).quad(-0.014, -0.044, 0, -0.058).quad(0.014, -0.044, 0.026, -0.062).points()
    canvas.darken(canvas.stroke(mouth, np.array(((0.0, -0.084), (0.0, -0.06))), width=0.0048), 0.75)
    if animal == "cat":
        lines = [
            np.array(((side * 0.075, -0.075 + dy), (side * 0.15, -0.085 + 2.2 * dy)))
            for side in (1, -1)
            for dy in (-0.008, 0.008)
        ]
        canvas.darken(canvas.stroke(*lines, width=0.0028), 0.55)


def _bow(scene: Scene) -> None:
    canvas = scene.canvas
    for side in (1, -1):
        loop = (
            Path(0, 0.03)
            .cubic(0.03, -0.012, 0.085, -0.008, 0.09, 0.022)
            .cubic(0.092, 0.062, 0.04, 0.06, 0, 0.036)
            .points()
        )
        part = canvas.region(loop if side == 1 else flip(loop))
        canvas.shade(part, dx=0.003, dy=0.008, blur=0.008, strength=0.45)
        relief = (
            canvas.relief(part).round(0.02, 0.9).fold(np.array(((0.0, 0.033), (side * 0.06, 0.028))), 0.008, -0.008)
        )
        canvas.paint(part, scene.accent, scene.made_of("satin"), relief.surface())
    knot = canvas.region(ellipse(0, 0.032, 0.017, 0.019))
    canvas.shade(knot, dx=0.002, dy=0.003, blur=0.005, strength=0.4)
    canvas.paint(knot, scene.accent, scene.made_of("satin"), canvas.relief(knot).round(0.014).surface())


PLUSH = Category(
    "plush",
    "毛绒玩具",
    "Plush toy",
    paint,
    ("fleece", "knit"),
    {
        "animal": Choice(("bear", "rabbit", "cat")),
        "ribbon": Choice(("bow", "none")),
        "head": Range(0.92, 1.1, 1.0),
        "body": Range(0.88, 1.12, 1.0),
    },
)
