"""Product drawings: a seeded procedural renderer of labelled sketches.

It shows a merchandiser's idea, illustrates the demo market, and supplies the pictures a small diffusion model learns
from. A drawing is always labelled a sketch.
"""

from c2m.design.drawings.categories import CATEGORIES
from c2m.design.drawings.category import Category, Choice, Range
from c2m.design.drawings.finishes import FINISHES, Finish
from c2m.design.drawings.names import UnknownName
from c2m.design.drawings.palette import BACKGROUNDS, COLOURS, Background, Colour
from c2m.design.drawings.patterns import PATTERNS, Pattern
from c2m.design.drawings.render import MAX_SIZE, MIN_SIZE, draw
from c2m.design.drawings.spec import DrawingSpec, contrast, random_spec

__all__ = [
    "BACKGROUNDS",
    "CATEGORIES",
    "COLOURS",
    "FINISHES",
    "MAX_SIZE",
    "MIN_SIZE",
    "PATTERNS",
    "Background",
    "Category",
    "Choice",
    "Colour",
    "DrawingSpec",
    "Finish",
    "Pattern",
    "Range",
    "UnknownName",
    "contrast",
    "draw",
    "random_spec",
]
