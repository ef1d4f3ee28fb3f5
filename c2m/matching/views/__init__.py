"""A factory's pages: the inbox of offers, capacity by weeks, and what it says about itself."""

from c2m.matching.views import inbox, lines
from c2m.matching.views.blueprint import blueprint

__all__ = ["blueprint", "inbox", "lines"]
