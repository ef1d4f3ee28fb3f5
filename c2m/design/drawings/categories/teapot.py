"""Teapot with spout, handle and lid."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.outlines import ellipse, through
from c2m.design.drawings.palette import Field, tone
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube
from c2m.design.drawings.turned import turned


def paint(scene: Scene) -> None:
    """Spout and handle behind, belly, lid and knob."""
    canvas = scene.canvas
    belly, tall = 0.2 * scene.number("width"), 0.29 * scene.number("height")
    base, x = 0.24, -0.005
    top = base - tall
    middle = base - tall * 0.48
    scene.stand(base + 0.012, belly * 0.7, x)
    neck = belly * 0.52
    bodies = {
        "round": through(
            (neck, top),
            (belly * 0.86, top + tall * 0.2),
            (belly, middle),
            (belly * 0.84, base - tall * 0.16),
            (belly * 0.56, base - 0.014),
            (belly * 0.58, base),
        ),
        "squat": through(
            (neck, top),
            (belly * 0.92, top + tall * 0.26),
            (belly * 1.1, middle + 0.03),
            (belly * 0.98, base - tall * 0.14),
            (belly * 0.7, base - 0.012),
            (belly * 0.72, base),
        ),
        "pear": through(
            (neck * 0.9, top),
            (neck * 1.02, top + tall * 0.2),
            (belly * 0.88, middle),
            (belly, base - tall * 0.26),
            (belly * 0.72, base - 0.02),
            (belly * 0.66, base),
        ),
    }
    profile = bodies[scene.choice("body")]
    girth = float(np.interp(middle, profile[:, 1], profile[:, 0]))
    spout = through(
        (x - girth * 0.78, middle + 0.055),
        (x - girth - 0.055, middle + 0.02),
        (x - girth - 0.095, middle - 0.07),
        (x - girth - 0.145, middle - 0.12),
    )
    part = tube(canvas, spout, np.interp(np.linspace(0, 1, len(spout)), (0, 0.4, 1), (0.115, 0.062, 0.036)))
    canvas.paint(part.region, scene.primary, scene.finish, part.surface)
    lip = spout[-1]
    opening = canvas.region(ellipse(float(lip[0]), float(lip[1]), 0.016, 0.011))
    canvas.paint(opening, scene.primary * 0.3, scene.finish, canvas.flat())

    _handle(scene, profile, middle, x)
    body = turned(canvas, profile, x=x, bow=0.04)
    canvas.shade(body.region, dx=0.004, dy=0.004, blur=0.012, strength=0.4, within=canvas.alpha)
    canvas.paint(
        body.region, scene.printed(*body.texture, repeat=0.1), scene.finish, body.surface, texture=body.texture
    )
    canvas.darken(body.region * np.clip((body.v - base + tall * 0.3) / (tall * 0.3), 0, 1) ** 2, 0.42)

    lid_top = top - 0.05
    profile = through(
        (neck * 0.12, lid_top),
        (neck * 0.62, lid_top + 0.016),
        (neck * 0.98, lid_top + 0.05),
        (neck * 1.04, top + 0.006),
    )
    lid = turned(canvas, profile, x=x, bow=0.022)
    canvas.shade(lid.region, dx=0.002, dy=0.008, blur=0.008, strength=0.5, within=canvas.alpha)
    colour = scene.accent if scene.choice("lid") == "contrast" else scene.primary
    canvas.paint(lid.region, colour, scene.finish, lid.surface)
    knob = turned(
        canvas,
        through(
            (0.004, lid_top - 0.046),
            (0.024, lid_top - 0.036),
            (0.027, lid_top - 0.02),
            (0.013, lid_top - 0.004),
            (0.018, lid_top + 0.006),
        ),
        x=x,
        bow=0.006,
    )
    canvas.shade(knob.region, dx=0.004, dy=0.006, blur=0.006, strength=0.4, within=lid.region)
    canvas.paint(knob.region, scene.accent, scene.finish, knob.surface)


def _handle(scene: Scene, profile: Field, middle: float, x: float) -> None:
    canvas = scene.canvas

    def side(y: float) -> float:
        return float(np.interp(y, profile[:, 1], profile[:, 0]))

    top = float(profile[0, 1])
    if scene.choice("handle") == "top":
        foot = side(top + 0.05) * 0.96
        spine = through(
            (x - foot, top + 0.06),
            (x - foot - 0.02, top - 0.09),
            (x, top - 0.215),
            (x + foot + 0.02, top - 0.09),
            (x + foot, top + 0.06),
        )
        part = tube(canvas, spine, 0.026)
        canvas.paint(part.region, tone(0.30, 0.16, 0.07), scene.made_of("matte"), part.surface, texture=part.texture)
        canvas.darken(part.region * (np.sin(part.u * 2 * np.pi / 0.02 + part.v * 60) > 0.75), 0.35)
        return
    high, low = middle - 0.085, middle + 0.065
    reach = x + max(side(high), side(low))
    spine = through(
        (x + side(high) - 0.03, high),
        (reach + 0.06, high - 0.03),
        (reach + 0.11, middle - 0.03),
        (reach + 0.065, low - 0.004),
        (x + side(low) - 0.02, low),
    )
    part = tube(canvas, spine, 0.032)
    colour = scene.accent if scene.choice("lid") == "contrast" else scene.primary
    canvas.paint(part.region, colour, scene.finish, part.surface)


TEAPOT = Category(
    "teapot",
    "茶壶",
    "Teapot",
    paint,
    ("glazed", "stoneware", "matte", "metallic"),
    {
        "body": Choice(("round", "squat", "pear")),
        "handle": Choice(("side", "top")),
        "lid": Choice(("matching", "contrast")),
        "width": Range(0.9, 1.12, 1.0),
        "height": Range(0.88, 1.12, 1.0),
    },
)
