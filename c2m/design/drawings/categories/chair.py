"""Chair with an upholstered seat and back, three-quarter view."""

from collections.abc import Sequence

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import stitches
from c2m.design.drawings.lighting import Surface
from c2m.design.drawings.outlines import Path, ellipse, move
from c2m.design.drawings.palette import Field, tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube

_WOOD = tone(0.44, 0.25, 0.11)
_STEEL = tone(0.05, 0.05, 0.055)


def paint(scene: Scene) -> None:
    """Far legs, back posts, back cushion, seat, near legs."""
    wide, back_top = 0.2 * scene.number("width"), -0.385 * scene.number("back")
    seat, floor = 0.075, 0.395
    scene.stand(floor - 0.035, wide * 1.15)
    splay = 0.03
    for x, y in ((-wide * 0.62, floor - 0.085), (wide * 0.72, floor - 0.075)):
        _leg(scene, x, seat + 0.01, x * 1.06, y, dim=0.55)
    shell = scene.choice("style") == "shell"
    if not shell:
        for x in (-wide * 0.66, wide * 0.66):
            _leg(scene, x * 0.98, seat, x * 1.04, back_top + 0.12, dim=0.85)
    _back(scene, wide, back_top, seat, shell=shell)
    _seat(scene, wide, seat)
    for x in (-wide * 0.88, wide * 0.9):
        _leg(scene, x * 0.96, seat + 0.062, x + np.sign(x) * splay, floor, dim=1.0)


def _leg(scene: Scene, x0: float, y0: float, x1: float, y1: float, *, dim: float) -> None:
    canvas = scene.canvas
    wooden = scene.choice("legs") == "wood"
    spine = np.array(((x0, y0), (x1, y1)))
    part = tube(canvas, spine, np.array((0.034, 0.022)) if wooden else 0.017, caps=not wooden)
    canvas.shade(part.region, dx=0.006, dy=0.004, blur=0.008, strength=0.3, within=canvas.alpha)
    colour = _WOOD * (1 + 0.13 * np.sin(part.v * 700 + 3 * np.sin(part.u * 40)))[..., None] if wooden else _STEEL
    canvas.paint(
        part.region, np.asarray(colour * np.float32(dim)), scene.made_of("matte" if wooden else "glossy"), part.surface
    )
    canvas.darken(part.region * np.clip(1 - (canvas.y - y0) / 0.09, 0, 1) * (y1 > y0), 0.5)


def _upholster(
    scene: Scene,
    outline: Field,
    *,
    radius: float,
    rise: float,
    squash: float = 1.0,
    lift: float = 0.0,
    tufts: Sequence[tuple[float, float]] = (),
) -> Field:
    canvas = scene.canvas
    region = canvas.region(outline)
    canvas.shade(region, dx=0.004, dy=0.014, blur=0.016, strength=0.45, within=canvas.alpha)
    relief = canvas.relief(region).round(radius, rise).round(0.02, 0.25).wrinkles(0.0022, 6)
    for x, y in tufts:
        relief.add(-0.03 * np.exp(-np.hypot(relief.x - np.float32(x), relief.y - np.float32(y)) / 0.026))
        for dx, dy in ((0.07, 0.07), (-0.07, 0.07), (0.07, -0.07), (-0.07, -0.07)):
            relief.fold(np.array(((x, y), (x + dx, y + dy))), 0.011, -0.006)
    surface = relief.surface()
    tilted = Surface(surface.slope_x, surface.slope_y + np.float32(lift), surface.openness)
    canvas.paint(region, scene.draped(surface, canvas.x, canvas.y * squash, 0.085), scene.finish, tilted)
    return region


def _back(scene: Scene, wide: float, top: float, seat: float, *, shell: bool) -> None:
    if shell:
        outline = (
            Path(0, top)
            .cubic(wide * 0.7, top, wide * 0.98, top + 0.06, wide * 0.96, top + 0.2)
            .cubic(wide * 0.94, seat - 0.08, wide * 1.02, seat - 0.02, wide * 1.0, seat + 0.03)
            .line(0, seat + 0.04)
            .mirrored()
        )
    else:
        low = seat - 0.085
        outline = (
            Path(0, top - 0.005)
            .quad(wide * 0.8, top, wide * 0.86, top + 0.03)
            .cubic(wide * 0.9, top + 0.1, wide * 0.86, low - 0.06, wide * 0.82, low - 0.02)
            .quad(wide * 0.6, low + 0.012, 0, low + 0.014)
            .mirrored()
        )
    canvas = scene.canvas
    if scene.choice("tufts") == "buttons":
        middle = top + (seat - top) * 0.45
        spots = [
            (-0.07, middle - 0.06),
            (0.07, middle - 0.06),
            (0.0, middle + 0.01),
            (-0.07, middle + 0.08),
            (0.07, middle + 0.08),
        ]
        region = _upholster(scene, outline, radius=0.06, rise=0.75, tufts=spots)
        for x, y in spots:
            button = canvas.region(ellipse(x, y, 0.011, 0.011)) * region
            canvas.shade(button, dx=0.0, dy=0.003, blur=0.006, strength=0.5)
            canvas.paint(button, scene.accent, scene.finish, canvas.relief(button).round(0.009).surface())
    else:
        _upholster(scene, outline, radius=0.06, rise=0.75)
        stitches(scene, move(outline, about=(0, (top + seat) / 2), scale=(0.9, 0.92)), strength=0.22)


def _seat(scene: Scene, wide: float, seat: float) -> None:
    canvas = scene.canvas
    front = seat + 0.072
    side = (
        Path(0, front - 0.03)
        .line(wide * 1.08, front - 0.035)
        .quad(wide * 1.12, front + 0.012, wide * 1.02, front + 0.022)
        .quad(wide * 0.6, front + 0.034, 0, front + 0.034)
    )
    frame = canvas.region(side.mirrored())
    canvas.paint(frame, scene.accent, scene.finish, canvas.relief(frame).round(0.025, 0.8).surface())
    canvas.darken(frame * np.clip((canvas.y - front + 0.005) / 0.05, 0, 1), 0.45)
    top = (
        Path(0, seat - 0.055)
        .quad(wide * 0.7, seat - 0.055, wide * 0.86, seat - 0.045)
        .quad(wide * 1.04, seat + 0.02, wide * 1.1, front - 0.028)
        .quad(wide * 1.06, front + 0.006, wide * 0.7, front + 0.01)
        .line(0, front + 0.012)
        .mirrored()
    )
    region = _upholster(scene, top, radius=0.05, rise=0.6, squash=2.0, lift=-0.22)
    canvas.darken(region * np.clip(1 - (canvas.y - seat + 0.05) / 0.06, 0, 1), 0.35)


CHAIR = Category(
    "chair",
    "椅子",
    "Chair",
    paint,
    ("canvas", "fleece", "leather", "cotton"),
    {
        "style": Choice(("shell", "dining")),
        "legs": Choice(("wood", "steel")),
        "tufts": Choice(("plain", "buttons")),
        "width": Range(0.92, 1.12, 1.0),
        "back": Range(0.85, 1.06, 1.0),
    },
)
