"""How right the stated dates were: said while a campaign was open, against planned, against delivered."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import mean
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of
from c2m.demand.models import Campaign, DemandSheet
from c2m.matching.models import Booking, Capability, Offer, OfferState, StatedWindow
from c2m.matching.rules import arrival
from c2m.production.models import WorkOrder

DAY = timedelta(days=1)


class Stage(StrEnum):
    """How much of a campaign's time had passed when it was said."""

    EARLY = "early"  # the first third
    HALFWAY = "halfway"
    LATE = "late"  # the last third


@dataclass(frozen=True)
class Kept:
    """What was said at one stage, in days and shares: how wide the ranges were, how often what came lay within them.

    `planned` counts statements whose campaign factories have taken on whole, `delivered` those whose every piece has
    arrived. Errors are the days from the end of the range to what came, early ones negative. None: nothing to say yet.
    """

    stage: Stage
    said: int
    without_date: int
    width_days: float | None
    planned: int
    planned_by_then: float | None
    planned_error_days: float | None
    delivered: int
    delivered_by_then: float | None
    delivered_error_days: float | None


@dataclass(frozen=True)
class _Said:
    earliest: datetime
    latest: datetime
    planned: datetime | None
    delivered: datetime | None


def kept(session: Session) -> list[Kept]:
    """How right the stated dates have been, stage by stage."""
    planned, delivered = _planned(session), _delivered(session)
    said: dict[Stage, list[_Said]] = defaultdict(list)
    without_date: dict[Stage, int] = defaultdict(int)
    for row in _stated(session):
        stage = _stage((row.stated_at - row.opened_at) / (row.deadline - row.opened_at))
        if row.latest is None:
            without_date[stage] += 1
        else:
            came = planned.get(row.campaign_id), delivered.get(row.campaign_id)
            said[stage].append(_Said(row.earliest, row.latest, *came))
    return [_kept(stage, said[stage], without_date[stage]) for stage in Stage]


def _stage(elapsed: float) -> Stage:
    return Stage.EARLY if elapsed < 1 / 3 else Stage.HALFWAY if elapsed < 2 / 3 else Stage.LATE


def _kept(stage: Stage, said: Sequence[_Said], without_date: int) -> Kept:
    plans = [(one.planned, one.latest) for one in said if one.planned]
    deliveries = [(one.delivered, one.latest) for one in said if one.delivered]
    return Kept(
        stage,
        len(said) + without_date,
        without_date,
        mean((one.latest - one.earliest) / DAY for one in said) if said else None,
        len(plans),
        *_errors(plans),
        len(deliveries),
        *_errors(deliveries),
    )


def _errors(came: Sequence[tuple[datetime, datetime]]) -> tuple[float | None, float | None]:
    """The share that came by the end of that day, and the mean error in days."""
    if not came:
        return None, None
    return mean(at < latest + DAY for at, latest in came), mean((at - latest) / DAY for at, latest in came)


def _stated(session: Session) -> Sequence[sa.Row[tuple[object, ...]]]:
    stated, campaign = table_of(StatedWindow), table_of(Campaign)
    return session.execute(
        sa.select(
            stated.c.campaign_id,
            stated.c.stated_at,
            stated.c.earliest,
            stated.c.latest,
            campaign.c.opened_at,
            campaign.c.deadline,
        )
        .join_from(stated, campaign, campaign.c.id == stated.c.campaign_id)
        .where(campaign.c.opened_at.is_not(None))
        .order_by(stated.c.stated_at, stated.c.campaign_id)
    ).all()


def _planned(session: Session) -> dict[UUID, datetime]:
    """By campaign whose pieces are all in accepted offers: when the plan has the last of them arrive."""
    sheet, offer, booking, line = (table_of(model) for model in (DemandSheet, Offer, Booking, Capability))
    taken = (
        sa.select(sa.func.sum(offer.c.quantity))
        .where(offer.c.sheet_id == sheet.c.id, offer.c.state == OfferState.ACCEPTED)
        .correlate(sheet)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(sheet.c.campaign_id, sa.func.max(booking.c.week).label("week"), line.c.lead_days)
        .join_from(sheet, offer, offer.c.sheet_id == sheet.c.id)
        .join(booking, booking.c.offer_id == offer.c.id)
        .join(line, line.c.id == booking.c.capability_id)
        .where(offer.c.state == OfferState.ACCEPTED, booking.c.released_at.is_(None), taken == sheet.c.quantity)
        .group_by(sheet.c.campaign_id, line.c.lead_days)
    )
    found: dict[UUID, datetime] = {}
    for row in rows:
        arrives = arrival(row.week, row.lead_days)
        found[row.campaign_id] = max(arrives, found.get(row.campaign_id, arrives))
    return found


def _delivered(session: Session) -> dict[UUID, datetime]:
    """By campaign whose every piece has arrived: when the last did."""
    sheet, order = table_of(DemandSheet), table_of(WorkOrder)
    rows = session.execute(
        sa.select(sheet.c.campaign_id, sa.func.max(order.c.delivered_at).label("at"))
        .join_from(sheet, order, order.c.sheet_id == sheet.c.id)
        .group_by(sheet.c.campaign_id, sheet.c.quantity)
        .having(
            sa.func.sum(order.c.quantity) == sheet.c.quantity, sa.func.count(order.c.delivered_at) == sa.func.count()
        )
    )
    return {row.campaign_id: row.at for row in rows}
