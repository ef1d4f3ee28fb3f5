"""Design's pages: pictures, what buyers see of a concept, and a merchandiser's studio."""

from c2m.design.views import (
    about,
    buyers,
    comparing,
    drafts,
    flats,
    generations,
    overview,
    pictures,
    signals,
    studio,
    validation,
)
from c2m.design.views.blueprint import blueprint

__all__ = [
    "about",
    "blueprint",
    "buyers",
    "comparing",
    "drafts",
    "flats",
    "generations",
    "overview",
    "pictures",
    "signals",
    "studio",
    "validation",
]
