"""What a product is made of: how its surface answers light, and its grain seen from close by."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from c2m.design.drawings.palette import Field

Grain = Callable[[Field, Field, float, np.random.Generator], Field]


@dataclass(frozen=True)
class Finish:
    """A surface finish.

    `wrap` softens the border between light and shade, `gloss` is the strength of reflections and `roughness` their
    blur, `sheen` the light that fibres catch at grazing angles, `metal` 0…1 tints reflections with the colour.
    `grain` gives brightness around 1 from surface coordinates, the pixel size in them, and a noise source.
    """

    name: str
    zh: str
    en: str
    grain: Grain
    wrap: float = 0.3
    gloss: float = 0.0
    roughness: float = 0.5
    sheen: float = 0.0
    metal: float = 0.0


def resolvable(period: float, pixel: float) -> float:
    """How much of a texture of that period survives sampling at that pixel size: 0 below two pixels, 1 above four."""
    return float(np.clip((period / pixel - 2) / 2, 0, 1))


def _noise(u: Field, rng: np.random.Generator) -> Field:
    return rng.standard_normal(u.shape, dtype=np.float32)


def _smooth(u: Field, v: Field, pixel: float, rng: np.random.Generator) -> Field:
    return 1 + 0.004 * _noise(u, rng)


def _weave(u: Field, v: Field, pixel: float, rng: np.random.Generator) -> Field:
    period = 0.0085
    threads = np.sin(u * (2 * np.pi / period)) * np.sin(v * (2 * np.pi / period))
    return np.asarray(1 + 0.05 * resolvable(period, pixel) * threads + 0.016 * _noise(u, rng))


def _canvas(u: Field, v: Field, pixel: float, rng: np.random.Generator) -> Field:
    period = 0.013
    over = np.where(np.sin(u * np.pi / period) * np.sin(v * np.pi / period) > 0, u, v)
    return 1 + 0.075 * resolvable(period, pixel) * np.sin(over * (2 * np.pi / period)) + 0.022 * _noise(u, rng)


def _twill(u: Field, v: Field, pixel: float, rng: np.random.Generator) -> Field:
    period = 0.014
    ribs = np.sin((u * 0.8 + v) * (2 * np.pi / period))
    return 1 + 0.085 * resolvable(period, pixel) * ribs + 0.03 * _noise(u, rng)


def _knit(u: Field, v: Field, pixel: float, rng: np.random.Generator) -> Field:
    width, height = 0.026, 0.02
    column = np.abs((u / width) % 1 - 0.5)
    stitch = np.cos((v / height + 1.1 * column) * 2 * np.pi) * 0.55 + np.cos(column * 4 * np.pi) * 0.45
    return np.asarray(1 - 0.13 * resolvable(height, pixel) * stitch + 0.018 * _noise(u, rng))


def _fuzz(u: Field, v: Field, pixel: float, rng: np.random.Generator) -> Field:
    noise = _noise(u, rng)
    clumps = noise + np.roll(noise, 1, axis=0) + np.roll(noise, 1, axis=1) + np.roll(noise, (1, 1), axis=(0, 1))
    return 1 + 0.034 * clumps


def _pebble(u: Field, v: Field, pixel: float, rng: np.random.Generator) -> Field:
    noise = _noise(u, rng)
    return 1 + 0.022 * (noise - np.roll(noise, (1, 1), axis=(0, 1)))


def _speckle(u: Field, v: Field, pixel: float, rng: np.random.Generator) -> Field:
    noise = _noise(u, rng)
    return 1 - 0.16 * (noise > 2.35) + 0.008 * noise


def _brushed(u: Field, v: Field, pixel: float, rng: np.random.Generator) -> Field:
    lines = rng.standard_normal((u.shape[0], 1), dtype=np.float32)
    return 1 + 0.03 * lines + 0.008 * _noise(u, rng)


FINISHES = {
    finish.name: finish
    for finish in (
        Finish("cotton", "棉布", "Cotton", _weave, wrap=0.35, sheen=0.10),
        Finish("canvas", "帆布", "Canvas", _canvas, wrap=0.3, sheen=0.06),
        Finish("denim", "牛仔斜纹", "Denim twill", _twill, wrap=0.3, sheen=0.05),
        Finish("knit", "针织", "Knit", _knit, wrap=0.45, sheen=0.10),
        Finish("fleece", "绒布", "Fleece", _fuzz, wrap=0.5, sheen=0.12),
        Finish("satin", "缎面", "Satin", _smooth, wrap=0.2, gloss=0.34, roughness=0.55, sheen=0.1),
        Finish("nylon", "尼龙", "Nylon", _weave, wrap=0.25, gloss=0.16, roughness=0.6, sheen=0.04),
        Finish("leather", "皮革", "Leather", _pebble, wrap=0.2, gloss=0.26, roughness=0.5),
        Finish("glazed", "釉面", "Glazed", _smooth, wrap=0.15, gloss=0.9, roughness=0.06),
        Finish("stoneware", "粗陶", "Stoneware", _speckle, wrap=0.3, gloss=0.2, roughness=0.55),
        Finish("glossy", "亮面", "Glossy", _smooth, wrap=0.18, gloss=0.75, roughness=0.12),
        Finish("matte", "哑光", "Matte", _smooth, wrap=0.35, gloss=0.12, roughness=0.8),
        Finish("metallic", "金属拉丝", "Brushed metal", _brushed, wrap=0.1, gloss=0.8, roughness=0.3, metal=0.75),
    )
}
