"""T-shirt, laid flat."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.garment import Fold, mirrored_folds, panel, rib, seam, stitches
from c2m.design.drawings.outlines import Path, flip
from c2m.design.drawings.palette import Field
from c2m.design.drawings.scene import Scene


def paint(scene: Scene) -> None:
    """Sleeves first, then the body over them, then collar and hems."""
    canvas = scene.canvas
    half, hem = 0.205 * scene.number("width"), 0.335 * scene.number("length")
    deep = scene.choice("neck") == "v"
    long_sleeves = scene.choice("sleeves") == "long"
    inside = canvas.region(Path(0.092, -0.338).quad(0, -0.318, -0.092, -0.338).quad(0, -0.1, 0.092, -0.338).points())
    canvas.paint(inside, scene.primary * 0.55, scene.finish, canvas.flat())

    for side in (1, -1):
        outline, cuff, axis = _sleeve(half, long_sleeves)
        outline, cuff = (outline, cuff) if side == 1 else (flip(outline), flip(cuff))
        panel(scene, outline, _sleeve_folds(half, side, long_sleeves), turn=side * axis, rim=0.03)
        if long_sleeves:
            rib(scene, cuff, 0.034, scene.primary)
        else:
            inner = cuff + np.array((-side * 0.014, -0.022))
            stitches(scene, inner)

    neck = Path(0.092, -0.338)
    neckline = (neck.line(0, -0.205) if deep else neck.cubic(0.075, -0.262, 0.035, -0.25, 0, -0.25)).points()
    body = Path(0, neckline[-1][1])
    for x, y in neckline[::-1]:
        body.line(x, y)
    body.line(half + 0.028, -0.287).quad(half - 0.012, -0.2, half, -0.095).cubic(
        half - 0.012, 0.05, half - 0.004, hem - 0.12, half + 0.004, hem
    ).quad(half * 0.5, hem + 0.014, 0, hem + 0.014)
    sleeve_shadow = canvas.region(body.mirrored())
    canvas.shade(sleeve_shadow, dx=0.006, dy=0.008, blur=0.012, strength=0.38, within=canvas.alpha)
    panel(scene, body.mirrored(), _body_folds(scene, half, hem))

    armhole = Path(half + 0.028, -0.287).quad(half - 0.012, -0.2, half, -0.095).points()
    seam(scene, armhole, flip(armhole))
    bottom = Path(half + 0.003, hem - 0.022).quad(half * 0.5, hem - 0.008, 0, hem - 0.008).mirrored()
    stitches(scene, bottom, bottom + np.array((0, 0.006)))
    collar = np.concatenate([neckline, flip(neckline)[::-1]])
    rib(
        scene,
        collar + np.array((0, 0.004)),
        0.024,
        scene.accent if scene.choice("collar") == "contrast" else scene.primary,
    )


def _sleeve(half: float, long_sleeves: bool) -> tuple[Field, Field, float]:
    if long_sleeves:
        outline = (
            Path(half - 0.03, -0.29)
            .line(half + 0.026, -0.2875)
            .cubic(half + 0.1, -0.262, half + 0.1, -0.1, half + 0.165, 0.2)
            .line(half + 0.09, 0.225)
            .cubic(half + 0.05, 0.08, half + 0.03, -0.02, half - 0.01, -0.09)
        )
        return outline.points(), Path(half + 0.158, 0.2).line(half + 0.09, 0.222).points(), -0.22
    outline = (
        Path(half - 0.03, -0.29)
        .line(half + 0.026, -0.2875)
        .cubic(half + 0.085, -0.262, half + 0.125, -0.15, half + 0.165, -0.065)
        .line(half + 0.075, -0.005)
        .quad(half + 0.035, -0.045, half - 0.01, -0.09)
    )
    return outline.points(), Path(half + 0.165, -0.065).line(half + 0.075, -0.005).points(), -0.55


def _sleeve_folds(half: float, side: int, long_sleeves: bool) -> list[Fold]:
    folds: list[Fold] = [
        (((half + 0.0, -0.11), (half + 0.075, -0.16)), 0.012, 0.006),
        (((half + 0.03, -0.06), (half + 0.12, -0.12)), 0.014, -0.005),
    ]
    if long_sleeves:
        folds += [
            (((half + 0.04, 0.03), (half + 0.115, 0.0)), 0.014, 0.007),
            (((half + 0.055, 0.075), (half + 0.13, 0.06)), 0.012, -0.006),
            (((half + 0.075, 0.15), (half + 0.15, 0.15)), 0.012, 0.006),
        ]
    return [(tuple((side * x, y) for x, y in line), width, depth) for line, width, depth in folds]


def _body_folds(scene: Scene, half: float, hem: float) -> list[Fold]:
    drift = scene.jitter(0.03)
    return [
        *mirrored_folds(
            [
                (((half - 0.01, -0.09), (half - 0.12, 0.0)), 0.016, 0.008),
                (((half - 0.005, -0.07), (half - 0.08, 0.08)), 0.018, -0.007),
                (((half - 0.03, 0.06), (half - 0.05, 0.25)), 0.022, 0.006),
            ]
        ),
        (((-0.10 + drift, 0.16), (-0.06 + drift, hem)), 0.026, 0.008),
        (((0.04 + drift, 0.06), (0.075 + drift, hem - 0.01)), 0.024, -0.008),
        (((-0.02 + drift, -0.17), (-0.10 + drift, 0.07)), 0.03, 0.006),
        (((0.05, -0.2), (0.13, -0.03)), 0.026, 0.005),
    ]


TSHIRT = Category(
    "tshirt",
    "T恤",
    "T-shirt",
    paint,
    ("cotton", "knit", "satin"),
    {
        "sleeves": Choice(("short", "long")),
        "neck": Choice(("round", "v")),
        "collar": Choice(("matching", "contrast")),
        "width": Range(0.9, 1.12, 1.0),
        "length": Range(0.85, 1.1, 1.0),
    },
)
