"""What pictures look like, as vectors whose distance says how much alike they are; and finding the nearest."""

from c2m.design.likeness.features import SHAPE_AND_COLOUR, Looks, ShapeAndColour, Vector
from c2m.design.likeness.neighbours import Neighbours

__all__ = ["SHAPE_AND_COLOUR", "Looks", "Neighbours", "ShapeAndColour", "Vector"]
