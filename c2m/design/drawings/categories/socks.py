"""A pair of socks, laid flat, one over the other."""

from collections.abc import Callable

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import Fold, drape
from c2m.design.drawings.outlines import Path, move
from c2m.design.drawings.palette import Field
from c2m.design.drawings.scene import Scene


def paint(scene: Scene) -> None:
    """The far sock, a little turned, then the near one."""
    _sock(scene, 0.075, -0.025, 0.10 + scene.jitter(0.03))
    _sock(scene, -0.075, 0.02, -0.03 + scene.jitter(0.02))


def _sock(scene: Scene, dx: float, dy: float, turn: float) -> None:
    canvas = scene.canvas
    top = {"crew": -0.335, "knee": -0.385, "ankle": -0.135}[scene.choice("height")]
    slim = 0.076 * scene.number("width")
    toe = 0.225 * scene.number("length")

    def placed(points: Field) -> Field:
        return move(points, dx - 0.05, dy + (0.0 if top < -0.2 else -0.06), turn=turn)

    whole = (
        Path(-slim, top)
        .line(slim, top)
        .cubic(slim, -0.05, slim - 0.01, 0.04, slim + 0.01, 0.10)
        .cubic(slim + 0.045, 0.165, toe - 0.03, 0.155, toe, 0.205)
        .cubic(toe + 0.028, 0.265, toe - 0.02, 0.315, toe - 0.075, 0.315)
        .cubic(0.1, 0.325, 0.0, 0.32, -0.045, 0.295)
        .cubic(-0.105, 0.265, -0.098, 0.18, -slim - 0.004, 0.10)
        .cubic(-slim, 0.02, -slim, -0.1, -slim, top)
        .points()
    )
    region = canvas.region(placed(whole))
    canvas.shade(region, dx=0.010, dy=0.014, blur=0.018, strength=0.45, within=canvas.alpha)
    raw: list[Fold] = [
        (((-slim, 0.11), (slim * 0.6, 0.10)), 0.012, -0.008),
        (((slim, 0.07), (-slim * 0.3, 0.14)), 0.013, 0.009),
        (((slim + 0.015, 0.125), (-0.01, 0.19)), 0.014, -0.009),
        (((0.02, 0.15), (0.07, 0.30)), 0.018, 0.007),
        (((-slim * 0.4, top + 0.1), (-slim * 0.2, 0.05)), 0.02, 0.006),
    ]
    folds: list[Fold] = [(tuple(tuple(p) for p in placed(np.array(line))), width, depth) for line, width, depth in raw]
    surface = drape(scene, region, folds, rim=0.05, rise=0.8)
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    gx, gy = canvas.x - np.float32(dx - 0.05), canvas.y - np.float32(dy)
    u, v = cos * gx + sin * gy, cos * gy - sin * gx
    canvas.paint(region, scene.draped(surface, u, v, 0.075), scene.finish, surface, texture=(u, v))

    if scene.choice("toes") == "contrast":
        cap = (
            canvas.region(
                placed(
                    Path(toe - 0.065, 0.1)
                    .quad(toe - 0.085, 0.25, toe - 0.05, 0.35)
                    .line(toe + 0.1, 0.35)
                    .line(toe + 0.1, 0.1)
                    .points()
                )
            )
            * region
        )
        heel = (
            canvas.region(
                placed(
                    Path(-0.15, 0.10)
                    .line(-slim + 0.008, 0.135)
                    .quad(0.02, 0.215, -0.02, 0.34)
                    .line(-0.16, 0.34)
                    .points()
                )
            )
            * region
        )
        for part in (cap, heel):
            canvas.paint(part, scene.accent, scene.finish, surface, texture=(u, v))
            canvas.darken(np.clip(canvas.blurred(part, 0.003) - part, 0, 1) * region, 0.45)
    _cuff(scene, region, placed, top, slim)


def _cuff(scene: Scene, region: Field, placed: Callable[[Field], Field], top: float, slim: float) -> None:
    canvas = scene.canvas
    deep = 0.07 if top < -0.2 else 0.045
    band = (
        canvas.region(placed(np.array(((-0.2, top - 0.1), (0.2, top - 0.1), (0.2, top + deep), (-0.2, top + deep)))))
        * region
    )
    canvas.paint(
        band,
        scene.accent if scene.choice("toes") == "contrast" else scene.primary,
        scene.finish,
        canvas.relief(region).round(0.045, 0.9).surface(),
    )
    ribs = [
        placed(np.array(((x, top + 0.002), (x, top + deep - 0.004))))
        for x in np.linspace(-slim + 0.006, slim - 0.006, 12)
    ]
    canvas.darken(canvas.stroke(*ribs, width=0.0045), 0.22)
    canvas.darken(
        canvas.stroke(placed(np.array(((-slim, top + deep), (slim, top + deep)))), width=0.004) * region, 0.28
    )
    mouth = (
        canvas.stroke(placed(np.array(((-slim + 0.006, top + 0.003), (slim - 0.006, top + 0.003)))), width=0.006)
        * region
    )
    canvas.darken(mouth, 0.3)


SOCKS = Category(
    "socks",
    "袜子",
    "Socks",
    paint,
    ("knit", "cotton", "fleece"),
    {
        "height": Choice(("crew", "knee", "ankle")),
        "toes": Choice(("contrast", "matching")),
        "width": Range(0.9, 1.12, 1.0),
        "length": Range(0.9, 1.08, 1.0),
    },
)
