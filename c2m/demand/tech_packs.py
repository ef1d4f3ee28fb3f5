"""What a factory has to know to make a sheet's product, as far as its merchant and the catalogue say it."""

from dataclasses import dataclass

from c2m.demand.models import Campaign, DemandSheet
from c2m.design.routes import route_of


@dataclass(frozen=True)
class Making:
    """A process the product needs, and its steps in order."""

    process: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class TechPack:
    """How the product is to be made; `description` is the merchant's own, in one language or both."""

    description: str
    making: tuple[Making, ...]
    quality_grade: str
    pack_pieces: int


def tech_pack(sheet: DemandSheet, campaign: Campaign) -> TechPack:
    """The tech pack of a sheet; what nobody stated isn't in it."""
    return TechPack(
        description=campaign.description,
        making=tuple(Making(p, tuple(step for step, _ in route_of(p))) for p in sheet.processes),
        quality_grade=sheet.quality_grade,
        pack_pieces=campaign.pack_pieces,
    )
