"""The demo market as a place: its database and calendar, its size, and the chances that rule it."""

from dataclasses import dataclass
from random import Random

import numpy as np

from c2m.db import Database
from c2m.demo.calendar import Calendar
from c2m.demo.catalogue import BELTS, DRAFTS, IDEAS, PRODUCTS
from c2m.demo.ideas import Idea
from c2m.demo.people import STUDIOS
from c2m.demo.products import Product
from c2m.ledger.provider import SandboxProvider

CURRENCY = "CNY"


@dataclass(frozen=True)
class Size:
    """How many of everything."""

    factories: int = sum(belt.factories for belt in BELTS)
    buyers: int = 430
    merchandisers: int = len(STUDIOS)
    campaigns: int = len(PRODUCTS)
    drafts: int = len(DRAFTS)
    concepts: int = len(IDEAS)
    picture_px: int = 512

    @property
    def products(self) -> tuple[Product, ...]:
        """As many products, evenly from the first that closes to the last."""
        return tuple(PRODUCTS[i * len(PRODUCTS) // self.campaigns] for i in range(self.campaigns))

    @property
    def prepared(self) -> tuple[Product, ...]:
        """Products whose campaigns are still drafts at the end."""
        return DRAFTS[: self.drafts]

    @property
    def ideas(self) -> tuple[Idea, ...]:
        return IDEAS[: self.concepts]


@dataclass(frozen=True)
class Market:
    """Everything the people of the demo need to act."""

    database: Database
    provider: SandboxProvider
    calendar: Calendar
    seed: int
    size: Size = Size()

    def chance(self, subject: str) -> Random:
        """The chance that rules one subject, the same for the same seed whatever happens elsewhere."""
        return Random(f"{self.seed}:{subject}")

    def counts(self, subject: str) -> np.random.Generator:
        """Like `chance`, for numbers drawn by the handful."""
        return np.random.default_rng([self.seed, *subject.encode()])
