"""A version of a demand sheet, read whole: what its page, its paper and its JSON all say."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from c2m.demand import queries, sheet_figures
from c2m.demand.models import Campaign, DemandSheet
from c2m.demand.sheet_figures import Figures, Version
from c2m.demand.tech_packs import TechPack, tech_pack


@dataclass(frozen=True)
class SheetReading:
    """Everything that stands on one version of a sheet; `state` says where its matching stands now."""

    sheet: DemandSheet
    campaign: Campaign
    version: int
    state: str
    figures: Figures
    versions: Sequence[Version]
    pack: TechPack

    @property
    def story(self) -> Version:
        """When this version was issued, and what it left out."""
        return self.versions[self.version - 1]

    @property
    def left_out(self) -> int:
        """Pieces of the first version that this one no longer asks for."""
        return self.sheet.quantity - self.figures.total.pieces


def read_sheet(session: Session, found: DemandSheet, version: int | None) -> SheetReading:
    """A sheet in the version asked for, the present one for None.

    Raises:
        NoSuchVersion
    """
    number = sheet_figures.version_of(found, version)
    campaign = queries.campaign(session, found.campaign_id)
    released = sheet_figures.released(session, [found.id]).get(found.id, 0)
    return SheetReading(
        sheet=found,
        campaign=campaign,
        version=number,
        state=sheet_figures.state_of(found, released),
        figures=sheet_figures.figures(session, found, number),
        versions=sheet_figures.versions(session, found),
        pack=tech_pack(found, campaign),
    )
