"""The fifteen colours a product is drawn in, and the backgrounds it stands before."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Field: TypeAlias = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Colour:
    """A named colour, as 8-bit sRGB."""

    name: str
    zh: str
    en: str
    rgb: tuple[int, int, int]

    @property
    def linear(self) -> Field:
        """The colour as linear light, which is what shading multiplies."""
        return to_linear(np.array(self.rgb, dtype=np.float32) / 255)


@dataclass(frozen=True)
class Background:
    """A seamless studio sweep from the wall above to the floor below."""

    name: str
    zh: str
    en: str
    wall: tuple[int, int, int]
    floor: tuple[int, int, int]

    def linear_pair(self) -> tuple[Field, Field]:
        """Wall and floor as linear light."""
        wall, floor = to_linear(np.array((self.wall, self.floor), dtype=np.float32) / 255)
        return wall, floor


def tone(red: float, green: float, blue: float) -> Field:
    """Linear light 0…1 of a part that is that colour whatever the product's (steel, rubber, wood)."""
    return np.array((red, green, blue), dtype=np.float32)


def to_linear(srgb: Field) -> Field:
    """sRGB in 0…1 as linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear: Field) -> Field:
    """Linear light in 0…1 as sRGB (IEC 61966-2-1)."""
    low = np.clip(linear, 0, 1)
    return np.where(low <= 0.0031308, low * 12.92, 1.055 * low ** (1 / 2.4) - 0.055).astype(np.float32)


COLOURS = {
    colour.name: colour
    for colour in (
        Colour("white", "白色", "White", (242, 242, 239)),
        Colour("beige", "米色", "Beige", (224, 202, 166)),
        Colour("grey", "灰色", "Grey", (141, 145, 150)),
        Colour("black", "黑色", "Black", (38, 38, 42)),
        Colour("red", "红色", "Red", (202, 39, 46)),
        Colour("orange", "橙色", "Orange", (238, 122, 34)),
        Colour("yellow", "黄色", "Yellow", (246, 203, 54)),
        Colour("olive", "橄榄绿", "Olive", (116, 118, 58)),
        Colour("green", "绿色", "Green", (38, 138, 76)),
        Colour("teal", "青色", "Teal", (18, 138, 146)),
        Colour("blue", "蓝色", "Blue", (44, 104, 208)),
        Colour("navy", "藏青", "Navy", (31, 44, 92)),
        Colour("purple", "紫色", "Purple", (118, 66, 160)),
        Colour("pink", "粉色", "Pink", (242, 158, 182)),
        Colour("brown", "棕色", "Brown", (122, 76, 46)),
    )
}

BACKGROUNDS = {
    background.name: background
    for background in (
        Background("studio", "影棚白", "Studio white", (238, 239, 240), (250, 250, 250)),
        Background("mist", "雾灰", "Mist grey", (196, 199, 204), (222, 224, 227)),
        Background("sand", "沙色", "Sand", (226, 210, 188), (242, 231, 215)),
        Background("sky", "浅天蓝", "Sky", (190, 209, 226), (219, 231, 241)),
        Background("sage", "鼠尾草绿", "Sage", (192, 204, 188), (219, 227, 214)),
        Background("blush", "浅粉", "Blush", (231, 204, 199), (245, 226, 221)),
    )
}
