"""A factory's pages: the inbox of offers, capacity by weeks, what it says about itself; the operator's offers."""

from c2m.matching.views import arrival, dispatch, hours, inbox, lines, opportunities, sheets, vetting
from c2m.matching.views.blueprint import blueprint

__all__ = ["arrival", "blueprint", "dispatch", "hours", "inbox", "lines", "opportunities", "sheets", "vetting"]
