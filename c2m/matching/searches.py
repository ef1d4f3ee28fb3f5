"""Where the search for factories stands that make a campaign's pieces, for those who wait for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import table_of
from c2m.demand.models import Campaign, DemandSheet, Policy, SheetLine, SheetRelease
from c2m.matching.models import OPEN, MatchRun, Offer, OfferState
from c2m.matching.rules import matched_until, released_by

RUNS_LOOKED_THROUGH = 50  # of the latest runs; every run names each sheet that it leaves pieces of


@dataclass(frozen=True)
class Search:
    """The pieces of a demand sheet by what became of them, and until when a factory is looked for."""

    sheet: DemandSheet
    pieces: int
    accepted: int
    offered: int
    released: int
    released_at: datetime | None
    until: datetime  # no offers are made from then on
    released_by: datetime  # the last open offer has been answered or has run out
    unserved: Mapping[str, Any] | None  # what the last run that left pieces says: reason and figures

    @property
    def untaken(self) -> int:
        """Pieces that nobody makes and nobody was asked to make."""
        return self.pieces - self.accepted - self.offered - self.released


def search_for(session: Session, campaign_id: UUID) -> Search | None:
    """How the search for a campaign's factories goes; None as long as there is no demand sheet."""
    found = session.exec(
        select(DemandSheet, Policy)
        .join(Campaign, col(Campaign.id) == col(DemandSheet.campaign_id))
        .join(Policy, col(Policy.id) == col(Campaign.policy_id))
        .where(DemandSheet.campaign_id == campaign_id)
    ).first()
    if found is None:
        return None
    sheet, policy = found
    offered = _offered(session, sheet.id)
    released, released_at = _released(session, sheet.id)
    return Search(
        sheet=sheet,
        pieces=_pieces(session, sheet.id),
        accepted=offered.get(OfferState.ACCEPTED, 0),
        offered=sum(offered.get(state, 0) for state in OPEN),
        released=released,
        released_at=released_at,
        until=matched_until(sheet.issued_at, policy.matching_days),
        released_by=released_by(sheet.issued_at, policy.matching_days),
        unserved=_unserved(session, sheet.id, released_at),
    )


def _pieces(session: Session, sheet_id: UUID) -> int:
    c = table_of(SheetLine).c
    return int(session.execute(sa.select(sa.func.sum(c.quantity)).where(c.sheet_id == sheet_id)).scalar_one())


def _offered(session: Session, sheet_id: UUID) -> dict[OfferState, int]:
    c = table_of(Offer).c
    rows = session.execute(sa.select(c.state, sa.func.sum(c.quantity)).where(c.sheet_id == sheet_id).group_by(c.state))
    return {OfferState(state): int(pieces) for state, pieces in rows}


def _released(session: Session, sheet_id: UUID) -> tuple[int, datetime | None]:
    c = table_of(SheetRelease).c
    pieces, latest = session.execute(
        sa.select(sa.func.coalesce(sa.func.sum(c.quantity), 0), sa.func.max(c.released_at)).where(
            c.sheet_id == sheet_id, c.left_free.is_(False)
        )
    ).one()
    return int(pieces), latest


def _unserved(session: Session, sheet_id: UUID, released_at: datetime | None) -> Mapping[str, Any] | None:
    """What the latest run that left pieces of the sheet says about it; of a released one, the last before that."""
    c = table_of(MatchRun).c
    latest = sa.select(c.unserved).order_by(c.id.desc()).limit(RUNS_LOOKED_THROUGH)
    if released_at is not None:
        latest = latest.where(c.started_at <= released_at)
    for entries in session.execute(latest).scalars():
        for entry in entries:
            if entry["sheet_id"] == str(sheet_id):
                found: Mapping[str, Any] = entry
                return found
    return None
