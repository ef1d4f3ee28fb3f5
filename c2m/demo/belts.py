"""An industrial belt of the demo market, and what a usual line of a category is like."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trade:
    """What a usual line of a category is like; factories deviate from it. Prices in yuan."""

    cost: float  # a piece in an order of some hundreds
    weekly: int  # pieces
    minimum: int  # pieces an order
    setup: int  # an order
    lead_days: int


@dataclass(frozen=True)
class Belt:
    """A place known for what it makes; `place` and `trade` go into its companies' names."""

    name: str
    name_en: str
    region: str
    region_en: str
    place: str
    place_en: str
    trade: str
    trade_en: str
    categories: tuple[str, ...]
    factories: int
    about: str
    about_en: str

    @property
    def label(self) -> str:
        """The belt in both languages."""
        return f"{self.name} {self.name_en}"

    @property
    def region_label(self) -> str:
        """The region in both languages."""
        return f"{self.region} {self.region_en}"
