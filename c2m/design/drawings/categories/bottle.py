"""Bottle or flask with a cap, standing."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.outlines import ellipse, through
from c2m.design.drawings.palette import tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube
from c2m.design.drawings.turned import turned


def paint(scene: Scene) -> None:
    """Body, neck ring, cap, and a loop to carry it by."""
    canvas = scene.canvas
    radius, tall = 0.108 * scene.number("width"), 0.56 * scene.number("height")
    base = 0.385
    top = base - tall
    neck = radius * 0.62
    scene.stand(base + 0.008, radius)
    shoulders = {
        "round": through(
            (neck, top),
            (neck + 0.006, top + 0.02),
            (radius * 0.93, top + 0.085),
            (radius, top + 0.15),
            (radius, base - 0.1),
            (radius, base - 0.02),
            (radius * 0.93, base),
        ),
        "slim": through(
            (neck, top),
            (neck, top + 0.07),
            (radius * 0.8, top + 0.18),
            (radius, top + 0.28),
            (radius, base - 0.08),
            (radius, base - 0.02),
            (radius * 0.92, base),
        ),
        "tumbler": through(
            (radius * 1.12, top + 0.06),
            (radius * 1.08, top + 0.2),
            (radius * 0.98, base - 0.1),
            (radius * 0.94, base - 0.02),
            (radius * 0.88, base),
        ),
    }
    kind = scene.choice("body")
    body = turned(canvas, shoulders[kind], bow=0.024)
    if kind != "tumbler" and scene.choice("cap") == "loop":
        loop = tube(canvas, ellipse(0, top - 0.098, 0.042, 0.036, np.pi, 2 * np.pi), 0.013)
        canvas.paint(loop.region, scene.accent, scene.made_of("glossy"), loop.surface)
    canvas.paint(
        body.region, scene.printed(*body.texture, repeat=0.095), scene.finish, body.surface, texture=body.texture
    )
    band = np.clip(1 - np.abs(body.v - (base - 0.055)) / 0.0022, 0, 1)
    canvas.darken(body.region * band, 0.35)
    canvas.darken(body.region * np.clip((body.v - base + 0.03) / 0.03, 0, 1) ** 2, 0.4)
    if kind == "tumbler":
        _lid(scene, radius * 1.12, top + 0.06)
    else:
        _cap(scene, neck, top)


def _cap(scene: Scene, neck: float, top: float) -> None:
    canvas = scene.canvas
    collar = turned(canvas, np.array(((neck * 0.94, top - 0.012), (neck * 0.94, top + 0.004))), bow=0.016)
    canvas.paint(collar.region, tone(0.55, 0.55, 0.57), scene.made_of("metallic"), collar.surface)
    wide = neck * 1.08
    profile = through((wide * 0.9, top - 0.098), (wide, top - 0.088), (wide, top - 0.03), (wide * 0.98, top - 0.012))
    cap = turned(canvas, profile, bow=0.018)
    canvas.paint(cap.region, scene.accent, scene.made_of("matte"), cap.surface)
    ridges = (np.sin(np.arcsin(cap.t) * 26) > 0.2) * np.clip((cap.v - top + 0.085) / 0.004, 0, 1) * (cap.v < top - 0.02)
    canvas.darken(cap.region * ridges, 0.22)
    canvas.paint(
        canvas.region(ellipse(0, top - 0.098, wide * 0.9, 0.016)), scene.accent, scene.made_of("matte"), canvas.flat()
    )


def _lid(scene: Scene, wide: float, top: float) -> None:
    canvas = scene.canvas
    steel = turned(canvas, np.array(((wide * 0.98, top - 0.012), (wide, top + 0.012))), bow=0.026)
    canvas.paint(steel.region, tone(0.55, 0.55, 0.57), scene.made_of("metallic"), steel.surface)
    lid = turned(
        canvas, through((wide * 0.9, top - 0.05), (wide * 1.02, top - 0.042), (wide * 1.02, top - 0.01)), bow=0.026
    )
    canvas.paint(lid.region, scene.accent, scene.made_of("matte"), lid.surface)
    canvas.paint(
        canvas.region(ellipse(0, top - 0.05, wide * 0.9, 0.024)), scene.accent, scene.made_of("matte"), canvas.flat()
    )
    straw = tube(canvas, np.array(((0.03, top - 0.05), (0.055, top - 0.19))), 0.018)
    canvas.shade(straw.region, dx=0.01, dy=0.0, blur=0.01, strength=0.3, within=lid.region)
    canvas.paint(straw.region, scene.accent, scene.made_of("glossy"), straw.surface)
    canvas.darken(canvas.region(ellipse(0.055, top - 0.19, 0.008, 0.004)), 0.6)


BOTTLE = Category(
    "bottle",
    "水瓶",
    "Bottle",
    paint,
    ("matte", "glossy", "metallic"),
    {
        "body": Choice(("round", "slim", "tumbler")),
        "cap": Choice(("plain", "loop")),
        "width": Range(0.85, 1.2, 1.0),
        "height": Range(0.88, 1.08, 1.0),
    },
)
