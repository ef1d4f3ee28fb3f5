"""Design's pages: pictures, what buyers see of a concept, and a merchandiser's studio."""

from c2m.design.views import buyers, drafts, pictures, signals, studio, validation
from c2m.design.views.blueprint import blueprint

__all__ = ["blueprint", "buyers", "drafts", "pictures", "signals", "studio", "validation"]
