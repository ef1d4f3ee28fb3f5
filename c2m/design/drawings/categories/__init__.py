"""The kinds of products that can be drawn."""

from c2m.design.drawings.categories.bottle import BOTTLE
from c2m.design.drawings.categories.coat import COAT
from c2m.design.drawings.categories.cup_holder import CUP_HOLDER
from c2m.design.drawings.categories.dress import DRESS
from c2m.design.drawings.categories.hoodie import HOODIE
from c2m.design.drawings.categories.mug import MUG
from c2m.design.drawings.categories.tote import TOTE
from c2m.design.drawings.categories.tshirt import TSHIRT

CATEGORIES = {category.name: category for category in (TSHIRT, HOODIE, COAT, DRESS, TOTE, MUG, BOTTLE, CUP_HOLDER)}
