"""Labelled technical flats: a product's outlines to scale with dimension lines, for those who make it.

Drawn by the renderer's own drawing functions on a canvas that keeps outlines instead of light, so that flat and
picture have the same geometry.
"""

from c2m.design.drawings.flats.measured import FLATS, Measurement, TechFlat, tech_flat
from c2m.design.drawings.flats.paper import png, svg
from c2m.design.drawings.flats.sheet import drawing, full_sheet

__all__ = ["FLATS", "Measurement", "TechFlat", "drawing", "full_sheet", "png", "svg", "tech_flat"]
