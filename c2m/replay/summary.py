"""What came of a replay, counted from the database at its end and held against the pure calculation."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of
from c2m.demand.models import Campaign, CampaignState, DemandSheet, Pledge, SheetRelease
from c2m.production.models import Compensation, Parcel
from c2m.replay.measures import Figures


class CountsDisagree(Exception):
    """The database holds something else than the orders come to: a fault of the platform."""


@dataclass(frozen=True)
class Outcome:
    """Counts and shares of a replayed market; shares in per cent of pieces, None where there were none."""

    pledges: int
    campaigns: int
    succeeded: int
    pieces: int
    matched_share: float | None
    on_time_share: float | None
    compensation_minor: int


def outcome(session: Session) -> Outcome:
    """Count what the market holds after its last settlement."""
    campaign, pledge, parcel = table_of(Campaign), table_of(Pledge), table_of(Parcel)
    sheet, release, paid = table_of(DemandSheet), table_of(SheetRelease), table_of(Compensation)

    def count(of: sa.ColumnElement[int], *conditions: sa.ColumnElement[bool]) -> int:
        return int(session.execute(sa.select(sa.func.coalesce(of, 0)).where(*conditions)).scalar_one())

    confirmed, released = count(sa.func.sum(sheet.c.quantity)), count(sa.func.sum(release.c.quantity))
    delivered = count(sa.func.sum(parcel.c.quantity))
    late = int(
        session.execute(
            sa.select(sa.func.coalesce(sa.func.sum(parcel.c.quantity), 0)).join_from(
                parcel, paid, paid.c.parcel_id == parcel.c.id
            )
        ).scalar_one()
    )
    return Outcome(
        pledges=count(sa.func.count(pledge.c.id)),
        campaigns=count(sa.func.count(campaign.c.id)),
        succeeded=count(sa.func.count(campaign.c.id), campaign.c.state == CampaignState.SUCCEEDED),
        pieces=count(sa.func.sum(pledge.c.quantity)),
        matched_share=_share(confirmed - released, confirmed),
        on_time_share=_share(delivered - late, delivered),
        compensation_minor=count(sa.func.sum(paid.c.amount_minor)),
    )


def check(found: Outcome, figures: Figures) -> None:
    """See that the platform holds exactly what the orders come to.

    Raises:
        CountsDisagree
    """
    for name in ("pledges", "campaigns", "succeeded", "pieces"):
        if getattr(found, name) != getattr(figures, name):
            raise CountsDisagree(
                f"{name}: {getattr(found, name)} in the database, {getattr(figures, name)} by the orders"
            )


def _share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None
