"""What a merchandiser's board shows: own campaigns filtered in SQL, their money in escrow, their pledges masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.demand import queries
from c2m.demand.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    DemandSheet,
    Pledge,
    PledgeLine,
    Waiting,
    WaitingState,
)
from c2m.demand.queries import GONE
from c2m.identity.models import Organisation
from c2m.ledger.models import Hold

SORTS = {
    "title": table_of(Campaign).c.title,
    "pieces": table_of(Campaign).c.pledged_quantity,
    "deadline": table_of(Campaign).c.deadline,
    "created": table_of(Campaign).c.created_at,
}


class View(StrEnum):
    """The saved views of a board: what a merchandiser comes to see."""

    ALL = "all"
    DRAFTS = "drafts"
    OPEN = "open"
    SHORT = "short"  # the deadline is near and the minimum isn't reached
    CLOSING = "closing"
    SUCCEEDED = "succeeded"
    ENDED = "ended"  # fell short or called off


NEAR = timedelta(hours=48)


@dataclass(frozen=True)
class Wanted:
    """Which of the campaigns, in which order: a key of SORTS, falling with a minus before it."""

    view: View = View.ALL
    kind: CampaignKind | None = None
    words: str = ""
    sort: str = "-created"


@dataclass(frozen=True)
class Totals:
    """All of a merchandiser's campaigns: how many are open, what is pledged in those, what is held in escrow."""

    open: int
    pieces: int
    escrow_minor: int


def campaign_of(session: Session, campaign_id: UUID, *, organisation_id: UUID) -> Campaign:
    """A merchandiser's own campaign; other people's are not found.

    Raises:
        CampaignNotFound
    """
    found = queries.campaign(session, campaign_id)
    if found.organisation_id != organisation_id:
        raise queries.CampaignNotFound(campaign_id=campaign_id)
    return found


def campaign_of_concept(session: Session, concept_id: UUID) -> Campaign:
    """The campaign a concept has become.

    Raises:
        CampaignNotFound
    """
    found = session.exec(select(Campaign).where(Campaign.concept_id == concept_id)).first()
    if found is None:
        raise queries.CampaignNotFound(concept_id=concept_id)
    return found


def found(organisation_id: UUID, wanted: Wanted, *, now: datetime) -> sa.Select[Any]:
    """A merchandiser's campaigns, filtered and in order."""
    campaign = table_of(Campaign).c
    statement = sa.select(Campaign).where(campaign.organisation_id == organisation_id, _in_view(wanted.view, now))
    if wanted.kind is not None:
        statement = statement.where(campaign.kind == wanted.kind)
    for word in wanted.words.split():
        pattern = f"%{word.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        fields = (campaign.title, campaign.title_en, campaign.number)
        statement = statement.where(sa.or_(*(field.ilike(pattern, escape="!") for field in fields)))
    order = (SORTS[wanted.sort.removeprefix("-")], campaign.id)
    return statement.order_by(*(column.desc() for column in order) if wanted.sort.startswith("-") else order)


def counts(session: Session, organisation_id: UUID, *, now: datetime) -> dict[View, int]:
    """How many campaigns a merchandiser has in each view."""
    each = [sa.func.count().filter(_in_view(view, now)) for view in View]
    own = table_of(Campaign).c.organisation_id == organisation_id
    return dict(zip(View, session.execute(sa.select(*each).where(own)).one(), strict=True))


def waiting(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """Who waits for pieces of each campaign: (buyers, pieces); campaigns that nobody waits for are left out."""
    c = table_of(Waiting).c
    found: dict[UUID, tuple[int, int]] = {}
    for part in chunks(campaign_ids):
        rows = session.execute(
            sa.select(c.campaign_id, sa.func.count(), sa.func.sum(c.quantity - c.filled_quantity))
            .where(c.campaign_id.in_(part), c.state == WaitingState.WAITING)
            .group_by(c.campaign_id)
        )
        found |= {campaign_id: (people, int(pieces)) for campaign_id, people, pieces in rows}
    return found


def totals(session: Session, organisation_id: UUID) -> Totals:
    """A merchandiser's figures over all campaigns."""
    campaign = table_of(Campaign).c
    opened, pieces = session.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(campaign.pledged_quantity), 0)).where(
            campaign.organisation_id == organisation_id, campaign.state == CampaignState.OPEN
        )
    ).one()
    own = sa.select(campaign.id).where(campaign.organisation_id == organisation_id)
    return Totals(opened, int(pieces), sum(minor for _campaign, minor in _escrow(session, own)))


def escrow(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The money each campaign's pledges hold in escrow, in minor units; campaigns without any are left out."""
    held: dict[UUID, int] = {}
    for part in chunks(campaign_ids):
        held |= {campaign_id: minor for campaign_id, minor in _escrow(session, part) if minor}
    return held


def pieces_by_variant(session: Session, campaign_id: UUID) -> dict[UUID, int]:
    """Pieces in living pledges by variant."""
    pledge, line = table_of(Pledge), table_of(PledgeLine)
    rows = session.execute(
        sa.select(line.c.variant_id, sa.func.sum(line.c.quantity))
        .join_from(line, pledge, line.c.pledge_id == pledge.c.id)
        .where(pledge.c.campaign_id == campaign_id, pledge.c.state.not_in(GONE))
        .group_by(line.c.variant_id)
    )
    return {variant_id: int(pieces) for variant_id, pieces in rows}


def masked_pledges(campaign_id: UUID) -> sa.Select[Any]:
    """A campaign's pledges, newest first, with the first letter of who made each and no more."""
    pledge, organisation = table_of(Pledge), table_of(Organisation)
    return (
        sa.select(
            pledge.c.id,
            sa.func.substr(organisation.c.name, 1, 1).label("initial"),
            pledge.c.region,
            pledge.c.quantity,
            pledge.c.unit_price_minor,
            pledge.c.final_price_minor,
            pledge.c.charged_minor,
            pledge.c.state,
            pledge.c.flexible_quantity,
            pledge.c.merchant_funded,
            pledge.c.placed_at,
        )
        .join_from(pledge, organisation, pledge.c.buyer_id == organisation.c.id)
        .where(pledge.c.campaign_id == campaign_id)
        .order_by(pledge.c.placed_at.desc(), pledge.c.id.desc())
    )


def sheets_of(session: Session, campaign_id: UUID) -> list[DemandSheet]:
    """A campaign's demand sheets, the first version first."""
    statement = select(DemandSheet).where(DemandSheet.campaign_id == campaign_id).order_by(col(DemandSheet.version))
    return list(session.exec(statement).all())


def _in_view(view: View, now: datetime) -> sa.ColumnElement[bool]:
    c = table_of(Campaign).c
    running = sa.and_(c.state == CampaignState.OPEN, c.deadline > now)
    certain = c.pledged_quantity - c.conditional_quantity
    views: dict[View, sa.ColumnElement[bool]] = {
        View.ALL: sa.true(),
        View.DRAFTS: c.state == CampaignState.DRAFT,
        View.OPEN: running,
        View.SHORT: sa.and_(running, c.deadline <= now + NEAR, certain < c.minimum),
        View.CLOSING: sa.or_(c.state == CampaignState.CLOSING, sa.and_(c.state == CampaignState.OPEN, ~running)),
        View.SUCCEEDED: c.state == CampaignState.SUCCEEDED,
        View.ENDED: c.state.in_([CampaignState.FAILED, CampaignState.CANCELLED]),
    }
    return views[view]


def _escrow(session: Session, campaigns: Sequence[UUID] | sa.Select[Any]) -> list[tuple[UUID, int]]:
    hold, pledge = table_of(Hold).c, table_of(Pledge)
    left = hold.amount_minor - hold.captured_minor - hold.refunded_minor - hold.forfeited_minor
    rows = session.execute(
        sa.select(pledge.c.campaign_id, sa.func.sum(left))
        .join_from(pledge, table_of(Hold), hold.subject_id == pledge.c.id)
        .where(pledge.c.campaign_id.in_(campaigns))
        .group_by(pledge.c.campaign_id)
    )
    return [(campaign_id, int(minor)) for campaign_id, minor in rows]
