"""The catalogue of categories: what can be designed, ordered and made, and the process each one needs."""

from dataclasses import dataclass

from c2m.errors import N_, Invalid


@dataclass(frozen=True)
class Category:
    """A kind of product; `process` is what a factory must master to make it. Drawings go by the same codes."""

    code: str
    name: str
    process: str


CATEGORIES: dict[str, Category] = {
    category.code: category
    for category in (
        Category("tshirt", N_("T-shirts"), "sewing"),
        Category("hoodie", N_("Hoodies"), "sewing"),
        Category("coat", N_("Coats"), "sewing"),
        Category("dress", N_("Dresses"), "sewing"),
        Category("scarf", N_("Scarves"), "knitting"),
        Category("beanie", N_("Beanies"), "knitting"),
        Category("socks", N_("Socks"), "knitting"),
        Category("towel", N_("Towels"), "weaving"),
        Category("cushion", N_("Cushions"), "sewing"),
        Category("tote", N_("Tote bags"), "bag_making"),
        Category("backpack", N_("Backpacks"), "bag_making"),
        Category("suitcase", N_("Suitcases"), "bag_making"),
        Category("mug", N_("Mugs"), "ceramics"),
        Category("teapot", N_("Teapots"), "ceramics"),
        Category("bottle", N_("Bottles"), "metal_forming"),
        Category("cup_holder", N_("Cup holders"), "moulding"),
        Category("phone_case", N_("Phone cases"), "moulding"),
        Category("lamp", N_("Lamps"), "lamp_assembly"),
        Category("sneaker", N_("Sneakers"), "shoemaking"),
        Category("umbrella", N_("Umbrellas"), "umbrella_making"),
        Category("plush", N_("Plush toys"), "toy_making"),
        Category("chair", N_("Chairs"), "furniture_making"),
        Category("general", N_("General goods"), "general"),
    )
}

PROCESSES: dict[str, str] = {
    "sewing": N_("Sewing"),
    "knitting": N_("Knitting"),
    "weaving": N_("Weaving"),
    "bag_making": N_("Bag making"),
    "ceramics": N_("Ceramics"),
    "metal_forming": N_("Metal forming"),
    "moulding": N_("Injection moulding"),
    "lamp_assembly": N_("Lamp assembly"),
    "shoemaking": N_("Shoemaking"),
    "umbrella_making": N_("Umbrella making"),
    "toy_making": N_("Toy making"),
    "furniture_making": N_("Furniture making"),
    "general": N_("General manufacturing"),
}


class UnknownCategory(Invalid):
    sentence = N_("There is no category “%(category)s”.")


def category_of(code: str) -> Category:
    """The category with this code.

    Raises:
        UnknownCategory
    """
    if code not in CATEGORIES:
        raise UnknownCategory(category=code)
    return CATEGORIES[code]
