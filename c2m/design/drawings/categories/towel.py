"""Terry towel: a folded stack, or one hung over a rail."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import Fold, along, drape, mirrored_folds
from c2m.design.drawings.outlines import Path, rounded
from c2m.design.drawings.palette import Field, tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube


def paint(scene: Scene) -> None:
    """Either arrangement, in terry with a woven border."""
    if scene.choice("arrangement") == "hung":
        _hung(scene)
    else:
        _stack(scene)


def _terry(
    scene: Scene,
    outline: Field,
    folds: list[Fold],
    *,
    albedo: Field | None = None,
    rim: float = 0.04,
    rise: float = 1.0,
) -> Field:
    canvas = scene.canvas
    region = canvas.region(outline)
    surface = drape(scene, region, folds, rim=rim, rise=rise)
    colour = scene.draped(surface, repeat=0.1) if albedo is None else albedo
    canvas.paint(region, colour, scene.finish, surface, texture=along(scene, 0.0))
    return region


def _hung(scene: Scene) -> None:
    canvas = scene.canvas
    half, low = 0.215 * scene.number("width"), 0.35 * scene.number("size")
    rail_y = -0.30
    rail = tube(canvas, np.array(((-0.40, rail_y), (0.40, rail_y))), 0.026, caps=True)
    canvas.paint(rail.region, tone(0.55, 0.55, 0.57), scene.made_of("metallic"), rail.surface)
    back = (
        Path(-half + 0.012, rail_y)
        .line(half + 0.006, rail_y)
        .line(half + 0.012, low - 0.07)
        .line(-half + 0.02, low - 0.065)
        .points()
    )
    _terry(scene, back, [], albedo=scene.primary * 0.55)
    front = (
        Path(0, rail_y - 0.03)
        .line(half - 0.012, rail_y - 0.03)
        .quad(half, rail_y - 0.03, half, rail_y)
        .cubic(half - 0.008, 0.0, half + 0.004, 0.15, half + 0.006, low)
        .quad(half * 0.5, low + 0.016, 0, low + 0.008)
        .mirrored()
    )
    canvas.shade(canvas.region(front), dx=0.008, dy=0.008, blur=0.014, strength=0.45, within=canvas.alpha)
    drift = scene.jitter(0.03)
    region = _terry(
        scene,
        front,
        [
            *mirrored_folds([(((half * 0.72, rail_y + 0.04), (half * 0.66, low + 0.03)), 0.03, 0.016)]),
            (((-0.07 + drift, rail_y + 0.03), (-0.06 + drift, low + 0.03)), 0.032, 0.014),
            (((0.02 + drift, rail_y + 0.06), (0.03 + drift, low + 0.03)), 0.03, -0.014),
        ],
        rim=0.03,
    )
    canvas.darken(region * np.clip(1 - np.abs(canvas.y - rail_y - 0.022) / 0.02, 0, 1), 0.2)
    _border(scene, region, low - 0.085, low - 0.045)


def _border(scene: Scene, region: Field, top: float, low: float) -> None:
    canvas = scene.canvas
    bow = -0.012 * (1 - (canvas.x / 0.22) ** 2)
    y = canvas.y + bow
    band = region * np.clip((y - top) / canvas.pixel + 0.5, 0, 1) * np.clip((low - y) / canvas.pixel + 0.5, 0, 1)
    surface = drape(scene, region, [], rim=0.03)
    canvas.paint(band, scene.accent, scene.made_of("cotton"), surface)
    for edge in (top, low):
        canvas.darken(region * np.clip(1 - np.abs(y - edge) / 0.004, 0, 1), 0.3)
    middle = (top + low) / 2
    canvas.lighten(region * np.clip(1 - np.abs(y - middle) / 0.004, 0, 1), 0.25)


def _stack(scene: Scene) -> None:
    canvas = scene.canvas
    half, base, layers = 0.275 * scene.number("width"), 0.27, 3
    thick = 0.128 * scene.number("size")
    scene.stand(base + 0.002, half * 0.98)
    for index in range(layers):
        low = base - index * thick * 0.96
        shift, inset = scene.jitter(0.008), 0.006 * index
        colour = scene.accent if index == 1 and scene.pattern.name == "plain" else None
        for part in (0, 1):
            y1 = low - part * thick * 0.48
            outline = rounded(-half + inset + shift, y1 - thick * 0.52, half - inset + shift, y1, thick * 0.25)
            canvas.shade(canvas.region(outline), dx=0.0, dy=0.008, blur=0.010, strength=0.35, within=canvas.alpha)
            folds: list[Fold] = [(((-half * 0.5, y1 - thick * 0.2), (half * 0.3, y1 - thick * 0.24)), 0.012, 0.002)]
            region = _terry(scene, outline, folds, albedo=colour, rim=thick * 0.26, rise=1.25)
            if index == layers - 1 and part == 1:
                _stack_top(scene, half - inset, shift, y1 - thick * 0.5)
            if part == 0:
                x = half * 0.60 + shift
                band = region * np.clip(1.2 - np.abs(canvas.x - x) / 0.016, 0, 1)
                canvas.paint(
                    band,
                    scene.accent if colour is None else scene.primary,
                    scene.made_of("cotton"),
                    canvas.relief(region).round(thick * 0.26, 1.25).surface(),
                )


def _stack_top(scene: Scene, half: float, shift: float, y: float) -> None:
    canvas = scene.canvas
    top = (
        Path(-half + 0.02 + shift, y + 0.012)
        .line(-half + 0.062 + shift, y - 0.05)
        .quad(shift, y - 0.056, half - 0.062 + shift, y - 0.05)
        .line(half - 0.02 + shift, y + 0.012)
        .points()
    )
    region = canvas.region(top)
    surface = drape(scene, region, [], rim=0.016, rise=0.8)
    canvas.paint(region, scene.printed(canvas.x, canvas.y * 2.2, 0.1), scene.finish, surface)
    canvas.lighten(region, 0.10)


TOWEL = Category(
    "towel",
    "毛巾",
    "Towel",
    paint,
    ("fleece", "cotton"),
    {"arrangement": Choice(("hung", "stack")), "width": Range(0.88, 1.12, 1.0), "size": Range(0.86, 1.1, 1.0)},
)
