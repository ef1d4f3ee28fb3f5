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
class Came:
    """What came of statements: how many something came of, and the shares of these that came before the range, on a
    day of it and after it; in the mean so many days after its end, early ones negative. None: nothing came yet."""

    count: int
    before: float | None = None
    inside: float | None = None
    after: float | None = None
    error_days: float | None = None


@dataclass(frozen=True)
class Kept:
    """What was said at one stage, and how often what came lay within it.

    `planned` is about statements whose campaign factories have taken on whole, `delivered` about those whose every
    piece has arrived.
    """

    stage: Stage
    said: int
    without_date: int
    width_days: float | None
    planned: Came
    delivered: Came


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
    return Kept(
        stage,
        len(said) + without_date,
        without_date,
        mean((one.latest - one.earliest) / DAY for one in said) if said else None,
        _came([(one, one.planned) for one in said if one.planned]),
        _came([(one, one.delivered) for one in said if one.delivered]),
    )


def _came(came: Sequence[tuple[_Said, datetime]]) -> Came:
    if not came:
        return Came(0)
    return Came(
        len(came),
        before=sum(at < said.earliest for said, at in came) / len(came),
        inside=sum(said.earliest <= at < said.latest + DAY for said, at in came) / len(came),
        after=sum(at >= said.latest + DAY for said, at in came) / len(came),
        error_days=mean((at - said.latest) / DAY for said, at in came),
    )


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
