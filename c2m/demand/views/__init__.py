"""Demand's pages: the marketplace and a buyer's orders, a merchandiser's campaigns and sheets."""

from c2m.demand.views import drafting, market, orders, sheets, studio
from c2m.demand.views.blueprint import blueprint

__all__ = ["blueprint", "drafting", "market", "orders", "sheets", "studio"]
