"""The kinds of products that can be drawn."""

from c2m.design.drawings.categories.backpack import BACKPACK
from c2m.design.drawings.categories.beanie import BEANIE
from c2m.design.drawings.categories.bottle import BOTTLE
from c2m.design.drawings.categories.chair import CHAIR
from c2m.design.drawings.categories.coat import COAT
from c2m.design.drawings.categories.cup_holder import CUP_HOLDER
from c2m.design.drawings.categories.cushion import CUSHION
from c2m.design.drawings.categories.dress import DRESS
from c2m.design.drawings.categories.hoodie import HOODIE
from c2m.design.drawings.categories.lamp import LAMP
from c2m.design.drawings.categories.mug import MUG
from c2m.design.drawings.categories.phone_case import PHONE_CASE
from c2m.design.drawings.categories.plush import PLUSH
from c2m.design.drawings.categories.scarf import SCARF
from c2m.design.drawings.categories.sneaker import SNEAKER
from c2m.design.drawings.categories.socks import SOCKS
from c2m.design.drawings.categories.suitcase import SUITCASE
from c2m.design.drawings.categories.teapot import TEAPOT
from c2m.design.drawings.categories.tote import TOTE
from c2m.design.drawings.categories.towel import TOWEL
from c2m.design.drawings.categories.tshirt import TSHIRT
from c2m.design.drawings.categories.umbrella import UMBRELLA

CATEGORIES = {
    category.name: category
    for category in (
        TSHIRT,
        HOODIE,
        COAT,
        DRESS,
        SCARF,
        BEANIE,
        SOCKS,
        SNEAKER,
        TOTE,
        BACKPACK,
        SUITCASE,
        UMBRELLA,
        MUG,
        BOTTLE,
        TEAPOT,
        CUP_HOLDER,
        TOWEL,
        CUSHION,
        PLUSH,
        LAMP,
        CHAIR,
        PHONE_CASE,
    )
}
