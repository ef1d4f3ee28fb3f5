"""What making takes: the steps of each process, and the days each step usually takes."""

from c2m.errors import N_

STEPS: dict[str, str] = {
    "material": N_("Material"),
    "yarn": N_("Yarn"),
    "cutting": N_("Cutting"),
    "sewing": N_("Sewing"),
    "knitting": N_("Knitting"),
    "linking": N_("Linking"),
    "weaving": N_("Weaving"),
    "dyeing": N_("Dyeing"),
    "hemming": N_("Hemming"),
    "hardware": N_("Hardware"),
    "stuffing": N_("Stuffing"),
    "shaping": N_("Shaping"),
    "glazing": N_("Glazing"),
    "firing": N_("Firing"),
    "forming": N_("Forming"),
    "polishing": N_("Polishing"),
    "coating": N_("Coating"),
    "tooling": N_("Tooling"),
    "moulding": N_("Moulding"),
    "finishing": N_("Finishing"),
    "components": N_("Components"),
    "machining": N_("Machining"),
    "assembly": N_("Assembly"),
    "ageing": N_("Ageing test"),
    "stitching": N_("Stitching"),
    "lasting": N_("Lasting"),
    "soling": N_("Soling"),
    "prepress": N_("Prepress"),
    "printing": N_("Printing"),
    "production": N_("Production"),
    "inspection": N_("Inspection"),
    "packing": N_("Packing"),
}

Route = tuple[tuple[str, int], ...]
"""Steps in order, each with the days it usually takes."""

_END: Route = (("inspection", 1), ("packing", 1))

GENERAL: Route = (("material", 4), ("production", 6), *_END)

ROUTES: dict[str, Route] = {
    "sewing": (("material", 4), ("cutting", 2), ("sewing", 5), *_END),
    "knitting": (("yarn", 4), ("knitting", 5), ("linking", 2), *_END),
    "weaving": (("yarn", 4), ("weaving", 4), ("dyeing", 3), ("hemming", 2), *_END),
    "bag_making": (("material", 4), ("cutting", 2), ("sewing", 4), ("hardware", 1), *_END),
    "toy_making": (("material", 4), ("cutting", 2), ("sewing", 3), ("stuffing", 2), *_END),
    "ceramics": (("shaping", 4), ("glazing", 2), ("firing", 3), *_END),
    "metal_forming": (("material", 3), ("forming", 4), ("polishing", 2), ("coating", 2), *_END),
    "moulding": (("tooling", 7), ("moulding", 4), ("finishing", 2), *_END),
    "lamp_assembly": (("components", 5), ("assembly", 4), ("ageing", 2), *_END),
    "shoemaking": (("material", 4), ("cutting", 2), ("stitching", 3), ("lasting", 2), ("soling", 2), *_END),
    "umbrella_making": (("material", 4), ("cutting", 2), ("sewing", 3), ("assembly", 2), *_END),
    "furniture_making": (("material", 5), ("machining", 4), ("finishing", 3), ("assembly", 2), *_END),
    "printing": (("prepress", 2), ("printing", 3), ("finishing", 2), *_END),
    "general": GENERAL,
}


def route_of(process: str) -> Route:
    """The steps a process takes; the general route for one nobody described."""
    return ROUTES.get(process, GENERAL)
