"""The photographer's light: one large softbox upper left, a strip on the right, a bright room above."""

from dataclasses import dataclass

import numpy as np

from c2m.design.drawings.finishes import Finish
from c2m.design.drawings.palette import Field

KEY = np.array((-0.46, -0.62, 0.635), dtype=np.float32)
AMBIENT, KEY_STRENGTH = 0.36, 0.84


@dataclass(frozen=True)
class Surface:
    """The slope of a surface toward the viewer at each pixel, and how open it lies to the room's light, 0…1."""

    slope_x: Field
    slope_y: Field
    openness: Field

    def __add__(self, other: "Surface") -> "Surface":
        return Surface(self.slope_x + other.slope_x, self.slope_y + other.slope_y, self.openness * other.openness)

    def cut(self, box: tuple[slice, slice]) -> "Surface":
        """The same surface within a box of pixels."""
        return Surface(self.slope_x[box], self.slope_y[box], self.openness[box])


def smoothstep(low: float, high: float, value: Field) -> Field:
    """0 below `low`, 1 above `high`, and a smooth rise between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _panel(value: Field, low: float, high: float, blur: float) -> Field:
    return smoothstep(low - blur, low + blur, value) * (1 - smoothstep(high - blur, high + blur, value))


def light(albedo: Field, surface: Surface, finish: Finish, grain: Field) -> Field:
    """Linear light leaving a surface of that colour toward the viewer (diffuse, sheen, softbox reflections)."""
    facing = 1 / np.sqrt(1 + surface.slope_x**2 + surface.slope_y**2)
    nx, ny = -surface.slope_x * facing, -surface.slope_y * facing
    lambert = (nx * KEY[0] + ny * KEY[1] + facing * KEY[2] + finish.wrap) / (1 + finish.wrap)
    room = (1.0 - 0.45 * ny) * surface.openness
    diffuse = (AMBIENT * room + KEY_STRENGTH * np.clip(lambert, 0, None) * (0.45 + 0.55 * surface.openness)) * grain
    out = albedo * diffuse[..., None]
    grazing = (1 - facing) ** 2
    if finish.sheen:
        out = out + (finish.sheen * grazing * room)[..., None] * (0.35 + 0.65 * albedo)
    if finish.gloss:
        reflection = _reflection(nx, ny, facing, finish.roughness)
        fresnel = 0.05 + 0.5 * grazing * (1 - finish.roughness)
        strength = finish.gloss * reflection * fresnel * 3.2 * surface.openness
        tint = 1 - finish.metal + finish.metal * (0.25 + 2.6 * albedo)
        out = out * (1 - 0.55 * finish.metal) + strength[..., None] * tint
        if finish.metal:
            mirrored = (0.22 + 1.25 * reflection) * grain * finish.metal * 0.62
            out = out + albedo * mirrored[..., None]
    return _shoulder(out)


def _reflection(nx: Field, ny: Field, facing: Field, roughness: float) -> Field:
    """What the studio shows in a mirror of that direction: softbox, strip and bright ceiling."""
    rx, ry = 2 * facing * nx, 2 * facing * ny
    ahead = smoothstep(-0.25, 0.2, 2 * facing * facing - 1)
    blur = 0.04 + 0.5 * roughness
    softness = 1 / (1 + 2.2 * roughness)
    softbox = _panel(rx, -0.86, -0.44, blur) * _panel(ry, -0.92, 0.42, blur + 0.08)
    strip = _panel(rx, 0.80, 0.93, blur * 0.7) * _panel(ry, -0.8, 0.5, blur + 0.1)
    ceiling = smoothstep(0.3, 1.0, -ry)
    return (2.5 * softbox + 0.9 * strip) * softness * ahead + 0.55 * ceiling + 0.12


def _shoulder(linear: Field) -> Field:
    """Rolls highlights off toward white instead of clipping them."""
    over = np.maximum(linear - 0.75, 0)
    return np.asarray(np.minimum(linear, 0.75) + 0.25 * (1 - np.exp(-over / 0.25)))
