"""Demand's pages: the marketplace and a buyer's orders, a merchandiser's campaigns and sheets."""

from c2m.demand.views import market, orders
from c2m.demand.views.blueprint import blueprint

__all__ = ["blueprint", "market", "orders"]
