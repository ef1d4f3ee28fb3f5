"""A version of a demand sheet, read whole: what its page, its paper and its JSON all say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from c2m.demand import queries, sheet_figures
from c2m.demand.models import Campaign, DemandSheet, SheetQuestion
from c2m.demand.questions import questions_about, questions_for
from c2m.demand.sheet_figures import Figures, Version
from c2m.demand.tech_packs import TechPack, tech_pack
from c2m.demand.upside import Upside, upside_of


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
    questions: Sequence[SheetQuestion]
    upside: Upside | None

    @property
    def story(self) -> Version:
        """When this version was issued, and what it left out."""
        return self.versions[self.version - 1]

    @property
    def left_out(self) -> int:
        """Pieces of the first version that this one no longer asks for."""
        return self.sheet.quantity - self.figures.total.pieces


def read_sheet(
    session: Session, found: DemandSheet, version: int | None, *, factory_id: UUID | None = None, now: datetime
) -> SheetReading:
    """A sheet in the version asked for, the present one for None, as a factory reads it where one is named.

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
        pack=tech_pack(session, found, campaign),
        questions=questions_for(session, found.id, factory_id) if factory_id else questions_about(session, found.id),
        upside=upside_of(session, campaign.id, now=now),
    )
