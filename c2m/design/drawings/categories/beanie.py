"""Knitted hat with a turned-up brim."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import mirrored_folds, panel
from c2m.design.drawings.outlines import Path, ellipse
from c2m.design.drawings.scene import Scene


def paint(scene: Scene) -> None:
    """Pompom behind, crown with its gathers, brim over it."""
    canvas = scene.canvas
    half, top = 0.245 * scene.number("width"), -0.20 * scene.number("height")
    brim, base = 0.115 * scene.number("brim"), 0.24
    if scene.choice("pompom") == "pompom":
        _pompom(scene, top)
    crown = (
        Path(0, top)
        .cubic(half * 0.62, top + 0.004, half * 0.96, 0.0, half * 0.985, base - brim + 0.03)
        .line(0, base - brim + 0.03)
        .mirrored()
    )
    gathers = mirrored_folds(
        [
            (((x * 0.22, top + 0.015), (x * 0.8, top + 0.14), (x, base - brim)), 0.02, depth)
            for x, depth in ((half * 0.2, 0.012), (half * 0.5, -0.012), (half * 0.78, 0.011))
        ]
    )
    region = panel(scene, crown, gathers, rim=0.10, rise=1.0, repeat=0.085)
    for t in np.linspace(-0.92, 0.92, 13):
        line = Path(t * 0.05, top + 0.008).quad(half * t * 0.95, top + 0.08, half * t, base - brim + 0.02).points()
        canvas.darken(canvas.stroke(line, width=0.005) * region, 0.13)
    band = (
        Path(0, base - brim - 0.008)
        .quad(half * 0.7, base - brim - 0.008, half * 1.02, base - brim - 0.022)
        .quad(half * 1.06, base - brim * 0.5, half * 1.0, base - 0.018)
        .quad(half * 0.7, base + 0.006, 0, base + 0.008)
        .mirrored()
    )
    canvas.shade(canvas.region(band), dx=0.002, dy=-0.012, blur=0.012, strength=0.5, within=region)
    cuff = panel(scene, band, rim=0.045, rise=0.95, albedo=scene.accent if scene.choice("cuff") == "contrast" else None)
    ribs = [
        Path(half * t, base - brim - 0.012).line(half * t * 0.985, base + 0.004).points()
        for t in np.sin(np.linspace(-1.45, 1.45, 33))
    ]
    canvas.darken(canvas.stroke(*ribs, width=0.0055) * cuff, 0.24)
    canvas.lighten(canvas.stroke(*[r + np.array((0.006, 0)) for r in ribs], width=0.004) * cuff, 0.06)
    if scene.choice("cuff") == "label":
        label = np.array(
            (
                (-0.035, base - brim * 0.72),
                (0.035, base - brim * 0.72),
                (0.035, base - brim * 0.28),
                (-0.035, base - brim * 0.28),
            )
        )
        canvas.shade(canvas.region(label), dx=0.002, dy=0.004, blur=0.004, strength=0.4)
        canvas.paint(
            canvas.region(label),
            scene.accent,
            scene.made_of("leather"),
            canvas.relief(canvas.region(label)).round(0.006, 0.5).surface(),
        )


def _pompom(scene: Scene, top: float) -> None:
    canvas, rng = scene.canvas, scene.rng
    centre, radius = np.array((0.0, top - 0.055)), 0.088
    ball = canvas.region(ellipse(0, top - 0.055, radius, radius * 0.96))
    canvas.paint(ball, scene.accent, scene.made_of("fleece"), canvas.relief(ball).round(radius, 0.9).surface())
    angles, lengths = rng.uniform(0, 2 * np.pi, 220), np.sqrt(rng.uniform(0.02, 1, 220)) * radius
    starts = centre + np.stack([np.cos(angles), np.sin(angles)], axis=1) * lengths[:, None] * 0.8
    ends = centre + np.stack([np.cos(angles + 0.12), np.sin(angles + 0.12)], axis=1) * (lengths[:, None] * 0.85 + 0.028)
    for half, lit in ((slice(0, 110), 0.72), (slice(110, 220), 1.08)):
        strands = canvas.stroke(*[np.stack(pair) for pair in zip(starts[half], ends[half], strict=True)], width=0.0045)
        surface = canvas.relief(np.maximum(ball, strands)).round(radius, 0.8).surface(0.4)
        canvas.paint(strands * 0.85, np.clip(scene.accent * np.float32(lit), 0, 1), scene.made_of("fleece"), surface)


BEANIE = Category(
    "beanie",
    "毛线帽",
    "Knitted hat",
    paint,
    ("knit", "fleece"),
    {
        "pompom": Choice(("pompom", "none")),
        "cuff": Choice(("matching", "contrast", "label")),
        "width": Range(0.9, 1.12, 1.0),
        "height": Range(0.85, 1.15, 1.0),
        "brim": Range(0.8, 1.25, 1.0),
    },
)
