"""The picture that others start from, where a brief asks for a colour it doesn't have: its product gives way.

At the usual strength a model keeps the colours it starts from: a black bag stays black whatever the words say. So the
product is found as image search finds it and moved to the colour in L*a*b*, its shading kept, before it is encoded.
"""

import numpy as np
from PIL import Image

from c2m.design.diffusion.colours import LIGHT_COUNTS
from c2m.design.drawings import COLOURS
from c2m.design.drawings.palette import to_srgb
from c2m.design.likeness.foreground import TO_XYZ, WHITE, Real, lab, weight_of_product

SURELY = 0.5  # from this weight on a pixel is the product's
LEAST_SEEN = 0.02  # of the picture that must surely be the product
LEAST_SHOWN = 0.25  # of the product that must have a colour for the picture to have it
SHADING, TINGE = 0.6, 0.15  # how much of the differences in lightness and in colour stays
DARKEST, LIGHTEST = 2.0, 98.0


def in_colour(source: Image.Image, colour: str) -> Image.Image | None:
    """The picture with its product in a colour of the palette; None where it has it, or no product stands out."""
    pixels = lab(source)
    weight = weight_of_product(pixels)
    product = pixels[weight > SURELY]
    if len(product) < LEAST_SEEN * weight.size or _share(product, colour) >= LEAST_SHOWN:
        return None
    middle, target = np.median(product, axis=0), _PALETTE[list(COLOURS).index(colour)]
    moved = target + (pixels - middle) * np.array((SHADING, TINGE, TINGE))
    moved[..., 0] = moved[..., 0].clip(DARKEST, LIGHTEST)
    return _image(pixels + (moved - pixels) * weight[..., None])


def _share(product: Real, colour: str) -> float:
    """The share of these pixels that looks most like the colour, of all colours of the palette."""
    apart = (product[:, None] - _PALETTE[None]) * np.array((LIGHT_COUNTS, 1, 1))
    nearest = np.linalg.norm(apart, axis=-1).argmin(axis=1)
    return float((nearest == list(COLOURS).index(colour)).mean())


def _image(pixels: Real) -> Image.Image:
    """L*a*b* (D65) as a picture."""
    lightness, green_red, blue_yellow = np.moveaxis(pixels, -1, 0)
    y = (lightness + 16) / 116
    f = np.stack([y + green_red / 500, y, y - blue_yellow / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (f - 16 / 116) / 7.787) * WHITE
    return Image.fromarray(np.uint8((to_srgb(xyz @ np.linalg.inv(TO_XYZ).T) * 255).round()))


_PALETTE = lab(Image.fromarray(np.array([[colour.rgb for colour in COLOURS.values()]], dtype=np.uint8)))[0]
