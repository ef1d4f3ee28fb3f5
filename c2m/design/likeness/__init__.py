"""What pictures look like, as vectors whose distance says how much alike they are; and finding the nearest."""

from c2m.design.likeness.degrees import Degree, Degrees, of_a_kind
from c2m.design.likeness.features import SHAPE_AND_COLOUR, Looks, ShapeAndColour, Vector
from c2m.design.likeness.neighbours import Neighbours

__all__ = [
    "SHAPE_AND_COLOUR",
    "Degree",
    "Degrees",
    "Looks",
    "Neighbours",
    "ShapeAndColour",
    "Vector",
    "of_a_kind",
]
