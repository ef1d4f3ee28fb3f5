"""Table lamp, lit."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.outlines import ellipse, through
from c2m.design.drawings.palette import Field, tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.turned import turned


def paint(scene: Scene) -> None:
    """Foot and stem in the accent colour, then the shade with the bulb's glow behind its cloth."""
    canvas = scene.canvas
    base = 0.40
    wide, tall = 0.2 * scene.number("shade_width"), 0.235 * scene.number("shade_height")
    top = -0.36
    low = top + tall
    scene.stand(base + 0.006, 0.105)
    foot = turned(canvas, _stem(scene.choice("base"), low, base), bow=0.022)
    stem_finish = scene.made_of("metallic" if scene.choice("base") == "column" else "glazed")
    canvas.paint(foot.region, scene.accent, stem_finish, foot.surface, texture=foot.texture)
    canvas.darken(foot.region * np.clip(1 - (foot.v - low + 0.02) / 0.12, 0, 1), 0.45)
    canvas.darken(foot.region * np.clip((foot.v - base + 0.022) / 0.022, 0, 1), 0.35)

    ratio = {"cone": 0.55, "drum": 0.9, "empire": 0.4}[scene.choice("shade")]
    profile = np.array(
        ((wide * ratio, top), (wide * (ratio + 1) / 2 * (0.93 if ratio < 0.5 else 1.0), (top + low) / 2), (wide, low))
    )
    if ratio < 0.5:
        profile = through(*((float(radius), float(y)) for radius, y in profile))
    inside = canvas.region(ellipse(0, low, wide, 0.03))
    canvas.lay(inside, tone(1.0, 0.87, 0.62) * 0.75)
    shade = turned(canvas, profile, bow=0.03)
    canvas.paint(
        shade.region,
        scene.printed(shade.u, shade.v - np.float32(top + tall * 0.6), 0.09),
        scene.finish,
        shade.surface,
        texture=shade.texture,
    )
    _glow(scene, shade.region, low - tall * 0.42)
    for y, radius in ((top + 0.006, wide * ratio), (low - 0.006, wide * 0.99)):
        trim = canvas.stroke(ellipse(0, y, radius, 0.03 * radius / wide, 0.02, np.pi - 0.02), width=0.009)
        canvas.darken(trim * shade.region, 0.3)
    canvas.lay(canvas.region(ellipse(0, top, wide * ratio, 0.03 * ratio)), tone(0.75, 0.58, 0.36))
    canvas.darken(canvas.region(ellipse(0, top, wide * ratio, 0.03 * ratio)), 0.15)


def _stem(kind: str, low: float, base: float) -> Field:
    if kind == "column":
        return np.array(
            (
                (0.011, low - 0.02),
                (0.011, base - 0.032),
                (0.03, base - 0.026),
                (0.098, base - 0.016),
                (0.104, base - 0.008),
                (0.104, base),
            )
        )
    if kind == "gourd":
        return through(
            (0.014, low - 0.02),
            (0.016, low + 0.03),
            (0.06, low + 0.10),
            (0.036, low + 0.19),
            (0.1, low + 0.31),
            (0.106, base - 0.11),
            (0.066, base - 0.02),
            (0.07, base),
        )
    return through(
        (0.014, low - 0.02),
        (0.018, low + 0.03),
        (0.05, low + 0.07),
        (0.11, low + 0.17),
        (0.118, low + 0.25),
        (0.078, base - 0.05),
        (0.062, base - 0.018),
        (0.078, base),
    )


def _glow(scene: Scene, shade: Field, y: float) -> None:
    canvas = scene.canvas
    near = np.exp(-((canvas.x / 0.15) ** 2 + ((canvas.y - y) / 0.12) ** 2))[..., None]
    warm = np.array((1.0, 0.80, 0.52), dtype=np.float32)
    lit = canvas.rgb * (1 + 0.75 * near * warm) + 0.16 * near * warm
    cover = shade[..., None]
    canvas.rgb = np.clip(canvas.rgb * (1 - cover) + lit * cover, 0, 1)


LAMP = Category(
    "lamp",
    "台灯",
    "Table lamp",
    paint,
    ("cotton", "canvas", "satin"),
    {
        "shade": Choice(("cone", "drum", "empire")),
        "base": Choice(("vase", "gourd", "column")),
        "shade_width": Range(0.85, 1.2, 1.0),
        "shade_height": Range(0.85, 1.15, 1.0),
    },
)
