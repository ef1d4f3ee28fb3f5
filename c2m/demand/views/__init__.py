"""Demand's pages: the marketplace and a buyer's orders, a merchandiser's campaigns and sheets."""

from c2m.demand.views import (
    alike,
    completing,
    drafting,
    market,
    orders,
    promoting,
    questions,
    sheets,
    studio,
    teams,
    versions,
    waiting,
)
from c2m.demand.views.blueprint import blueprint

__all__ = [
    "alike",
    "blueprint",
    "completing",
    "drafting",
    "market",
    "orders",
    "promoting",
    "questions",
    "sheets",
    "studio",
    "teams",
    "versions",
    "waiting",
]
