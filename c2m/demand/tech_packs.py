"""What a factory has to know to make a sheet's product, as far as its merchant and the catalogue say it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from c2m.demand.models import Campaign, DemandSheet
from c2m.design import pictures
from c2m.design.drawings.flats import FLATS, Measurement, TechFlat, tech_flat
from c2m.design.routes import route_of


@dataclass(frozen=True)
class Making:
    """A process the product needs, and its steps in order."""

    process: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class TechPack:
    """How the product is to be made; `description` is the merchant's own, in one language or both.

    `flat` is the technical drawing of the sketch that buyers saw, None where they saw something else.
    """

    description: str
    making: tuple[Making, ...]
    quality_grade: str
    pack_pieces: int
    flat: TechFlat | None = None


def tech_pack(session: Session, sheet: DemandSheet, campaign: Campaign) -> TechPack:
    """The tech pack of a sheet; what nobody stated isn't in it."""
    return TechPack(
        description=campaign.description,
        making=tuple(Making(p, tuple(step for step, _ in route_of(p))) for p in sheet.processes),
        quality_grade=sheet.quality_grade,
        pack_pieces=campaign.pack_pieces,
        flat=_flat(session, campaign),
    )


def measures(measurement: Measurement, sizes: Sequence[str]) -> dict[str, int]:
    """Millimetres in each of these sizes the drawing knows; in its own size alone, under "", where it knows none."""
    known = {size: measurement.by_size[size] for size in sizes if size in measurement.by_size}
    return known or {"": measurement.millimetres}


def _flat(session: Session, campaign: Campaign) -> TechFlat | None:
    """The drawing of a sketched product, in the shape it was sketched in."""
    if campaign.picture_id is None or campaign.category not in FLATS:
        return None
    spec = pictures.picture(session, campaign.picture_id).provenance.get("spec") or {}
    if spec.get("category") != campaign.category:
        return None
    return tech_flat(campaign.category, spec.get("shape") or {})
