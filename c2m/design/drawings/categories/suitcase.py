"""Cabin suitcase with wheels and a telescopic handle."""

import numpy as np

from c2m.design.drawings.canvas import Relief
from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.lighting import Surface
from c2m.design.drawings.outlines import ellipse, rounded, through
from c2m.design.drawings.palette import Field, tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube


def paint(scene: Scene) -> None:
    """Telescopic bars, wheels, shell with its ribs, corner guards, zip, grip and lock."""
    canvas = scene.canvas
    half, top, base = 0.195 * scene.number("width"), -0.225 * scene.number("height"), 0.345
    scene.stand(base + 0.052, half * 0.95)
    steel, black = tone(0.55, 0.55, 0.57), tone(0.03, 0.03, 0.033)
    for x in (-half * 0.42, half * 0.42):
        bar = tube(canvas, np.array(((x, top + 0.03), (x, top - 0.155))), 0.017)
        canvas.paint(bar.region, steel, scene.made_of("metallic"), bar.surface)
    grip = tube(
        canvas,
        through(
            (-half * 0.46, top - 0.148),
            (-half * 0.40, top - 0.166),
            (half * 0.40, top - 0.166),
            (half * 0.46, top - 0.148),
        ),
        0.033,
        caps=True,
    )
    canvas.paint(grip.region, black, scene.made_of("matte"), grip.surface)
    for x in (-half * 0.76, half * 0.76):
        housing = canvas.region(rounded(x - 0.034, base - 0.02, x + 0.034, base + 0.018, 0.012))
        canvas.paint(housing, black, scene.made_of("matte"), canvas.relief(housing).round(0.012).surface())
        wheel = canvas.region(rounded(x - 0.015, base + 0.002, x + 0.015, base + 0.052, 0.015))
        canvas.paint(wheel, black * 1.6, scene.made_of("glossy"), canvas.relief(wheel).round(0.015).surface())
        canvas.lighten(canvas.region(ellipse(x, base + 0.03, 0.005, 0.012)), 0.3)
    outline = rounded(-half, top, half, base, 0.052, 2.5)
    shell = canvas.region(outline)
    relief = canvas.relief(shell).round(0.045, 1.0)
    _ribs(scene, relief, half, top, base)
    surface = relief.surface(0.6)
    tilted = Surface(surface.slope_x - 0.12 * canvas.x, surface.slope_y - 0.05 * canvas.y, surface.openness)
    canvas.paint(shell, scene.printed(canvas.x, canvas.y, 0.11), scene.finish, tilted)
    if scene.choice("guards") == "contrast":
        _guards(scene, shell, surface, half, top, base)
    seam = rounded(-half + 0.012, top + 0.012, half - 0.012, base - 0.012, 0.045, 2.5)
    canvas.darken(canvas.stroke(np.concatenate([seam, seam[:1]]), width=0.004), 0.22)
    handle = tube(
        canvas,
        through((-0.055, top + 0.004), (-0.045, top - 0.026), (0.045, top - 0.026), (0.055, top + 0.004)),
        0.02,
        flatness=0.3,
        caps=True,
    )
    canvas.paint(handle.region, scene.accent, scene.made_of("matte"), handle.surface)
    lock = canvas.region(rounded(half - 0.02, -0.005, half + 0.008, 0.075, 0.008))
    canvas.shade(lock, dx=0.003, dy=0.004, blur=0.005, strength=0.4)
    canvas.paint(lock, steel, scene.made_of("metallic"), canvas.relief(lock).round(0.008).surface())
    badge = canvas.region(rounded(-0.032, top + 0.052, 0.032, top + 0.07, 0.006))
    canvas.paint(badge, steel, scene.made_of("metallic"), canvas.relief(badge).round(0.006).surface())


def _ribs(scene: Scene, relief: Relief, half: float, top: float, base: float) -> None:
    x, y = relief.x, relief.y
    inside = (
        np.clip((half - 0.022 - np.abs(x)) / 0.02, 0, 1)
        * np.clip((y - top - 0.085) / 0.02, 0, 1)
        * np.clip((base - 0.05 - y) / 0.02, 0, 1)
    )
    if scene.choice("shell") == "vertical":
        wave = np.cos(x / (half * 0.235) * 2 * np.pi)
    elif scene.choice("shell") == "horizontal":
        wave = np.cos((y - top) / 0.072 * 2 * np.pi)
    else:
        return
    relief.add((0.0062 * inside * np.tanh(2.2 * wave)).astype(np.float32))


def _guards(scene: Scene, shell: Field, surface: Surface, half: float, top: float, base: float) -> None:
    canvas = scene.canvas
    for sx in (1, -1):
        for cy in (top, base):
            corner = canvas.region(ellipse(sx * half, cy, 0.088, 0.088)) * shell
            canvas.shade(corner, dx=0.002, dy=0.003, blur=0.006, strength=0.35, within=shell)
            canvas.paint(corner, scene.accent, scene.made_of("matte"), surface)
            for angle in (0.5, 1.07):
                x = sx * (half - 0.06 * np.cos(angle))
                y = cy + (0.06 if cy == top else -0.06) * np.sin(angle)
                canvas.lighten(canvas.region(ellipse(x, y, 0.004, 0.004)), 0.5)


SUITCASE = Category(
    "suitcase",
    "行李箱",
    "Suitcase",
    paint,
    ("glossy", "matte", "metallic", "canvas"),
    {
        "shell": Choice(("vertical", "horizontal", "smooth")),
        "guards": Choice(("none", "contrast")),
        "width": Range(0.9, 1.14, 1.0),
        "height": Range(0.88, 1.1, 1.0),
    },
)
