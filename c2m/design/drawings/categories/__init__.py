"""The kinds of products that can be drawn."""

from c2m.design.drawings.categories.mug import MUG
from c2m.design.drawings.categories.tshirt import TSHIRT

CATEGORIES = {category.name: category for category in (TSHIRT, MUG)}
