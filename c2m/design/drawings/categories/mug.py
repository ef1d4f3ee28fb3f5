"""Mug with a handle, standing."""

import numpy as np

from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.outlines import through
from c2m.design.drawings.scene import Scene
from c2m.design.drawings.tube import tube
from c2m.design.drawings.turned import rim, turned


def paint(scene: Scene) -> None:
    """Handle behind, then the body, then the mouth."""
    canvas = scene.canvas
    radius, tall = 0.185 * scene.number("width"), 0.38 * scene.number("height")
    top, base, x = -tall / 2 + 0.01, tall / 2 + 0.01, -0.045
    scene.stand(base + 0.012, radius * 0.92, x)
    shapes = {
        "straight": through((radius, top), (radius, 0), (radius * 0.99, base - 0.03), (radius * 0.9, base)),
        "tapered": through((radius, top), (radius * 0.93, 0), (radius * 0.82, base - 0.025), (radius * 0.74, base)),
        "barrel": through((radius * 0.9, top), (radius * 1.04, 0), (radius * 0.98, base - 0.06), (radius * 0.78, base)),
    }
    profile = shapes[scene.choice("body")]
    mouth = float(profile[0, 0])
    reach = x + radius * 0.93
    spine = through(
        (reach - 0.01, -0.36 * tall),
        (reach + 0.075, -0.37 * tall),
        (reach + 0.125, -0.1 * tall),
        (reach + 0.085, 0.18 * tall),
        (reach - 0.025, 0.30 * tall),
    )
    handle = tube(canvas, spine, 0.036)
    colour = scene.accent if scene.choice("handle") == "contrast" else scene.primary
    canvas.paint(handle.region, colour, scene.finish, handle.surface)
    body = turned(canvas, profile, x=x, bow=0.042)
    canvas.shade(body.region, dx=0.012, dy=0.004, blur=0.01, strength=0.45, within=handle.region)
    canvas.paint(
        body.region, scene.printed(*body.texture, repeat=0.11), scene.finish, body.surface, texture=body.texture
    )
    foot = np.clip((body.v - base + 0.05) / 0.05, 0, 1)
    canvas.darken(body.region * foot**2, 0.35)
    rim(
        canvas,
        x=x,
        y=top,
        radius=mouth,
        bow=0.042 * mouth / radius,
        wall=0.013,
        outer=colour,
        inner=scene.accent if scene.choice("inside") == "contrast" else scene.primary,
        finish=scene.finish,
    )


MUG = Category(
    "mug",
    "马克杯",
    "Mug",
    paint,
    ("glazed", "stoneware", "matte"),
    {
        "body": Choice(("straight", "tapered", "barrel")),
        "handle": Choice(("matching", "contrast")),
        "inside": Choice(("matching", "contrast")),
        "width": Range(0.88, 1.15, 1.0),
        "height": Range(0.85, 1.15, 1.0),
    },
)
