"""What waits for the operator: how much of each kind, and which is the most pressing."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import g
from sqlmodel import Session, col, select

from c2m.db import Database, table_of
from c2m.demand.models import Campaign, CampaignState
from c2m.identity.models import Organisation, OrganisationState, Role
from c2m.jobs import Job, JobState
from c2m.matching.calendars import usual_capacity
from c2m.matching.models import (
    Capability,
    CapacityWeek,
    Claim,
    ClaimState,
    CounterOffer,
    CounterState,
    Factory,
    Offer,
    OfferState,
)
from c2m.production.models import Lot, Parcel, WorkOrder
from c2m.production.queries import UNDERWAY

SOON = timedelta(hours=24)
"""A campaign that closes, an offer that runs out within this time is in its queue."""


@dataclass(frozen=True)
class Queue:
    """How many wait, and the instant of the one that presses most: registered, closes, runs out, was due, gave up."""

    count: int
    first: datetime | None


@dataclass(frozen=True)
class Queues:
    """Everything that waits for the operator."""

    factories: Queue
    falling_short: Queue
    offers: Queue
    counters: Queue
    claims: Queue
    late_orders: Queue
    dead_jobs: Queue


def queues(session: Session, *, now: datetime) -> Queues:
    """Count what waits."""
    organisation, offer, order, job = (table_of(model).c for model in (Organisation, Offer, WorkOrder, Job))
    counter, claim = table_of(CounterOffer).c, table_of(Claim).c
    pending = (organisation.kind == Role.FACTORY, organisation.state == OrganisationState.PENDING)
    return Queues(
        factories=_queue(session, organisation.registered_at, *pending),
        falling_short=_queue(session, table_of(Campaign).c.deadline, *_falling_short(now)),
        offers=_queue(session, offer.expires_at, offer.state == OfferState.OFFERED, offer.expires_at <= now + SOON),
        counters=_queue(session, counter.made_at, counter.state == CounterState.OPEN),
        claims=_queue(session, claim.made_at, sa.or_(claim.state == ClaimState.OPEN, claim.recheck.is_not(None))),
        late_orders=_queue(session, order.due_at, order.state.in_(UNDERWAY), order.due_at < now),
        dead_jobs=_queue(session, job.finished_at, job.state == JobState.DEAD),
    )


def queues_of_this_request(database: Database, *, now: datetime) -> Queues:
    """The same, counted once a request however many places of a page show it."""
    if "queues" not in g:
        with database.reading() as session:
            g.queues = queues(session, now=now)
    found: Queues = g.queues
    return found


def campaigns_falling_short(session: Session, *, now: datetime, limit: int) -> list[Campaign]:
    """Open campaigns that close within a day and are below their minimum, the next to close first."""
    statement = select(Campaign).where(*_falling_short(now)).order_by(col(Campaign.deadline)).limit(limit)
    return list(session.exec(statement).all())


def lots_on_their_way(session: Session, *, limit: int) -> list[tuple[Lot, WorkOrder]]:
    """Lots with parcels that have not arrived, the longest on their way first."""
    arriving = sa.exists().where(
        table_of(Parcel).c.lot_id == table_of(Lot).c.id, table_of(Parcel).c.delivered_at.is_(None)
    )
    statement = select(Lot, WorkOrder).join(WorkOrder, col(WorkOrder.id) == col(Lot.work_order_id)).where(arriving)
    return list(session.exec(statement.order_by(col(Lot.shipped_at), col(Lot.id)).limit(limit)).all())


def dead_jobs(session: Session, *, limit: int) -> list[Job]:
    """Jobs that were given up, the latest first."""
    statement = select(Job).where(Job.state == JobState.DEAD).order_by(col(Job.finished_at).desc(), col(Job.id).desc())
    return list(session.exec(statement.limit(limit)).all())


def free_capacity(session: Session, week: date, *, limit: int) -> list[tuple[str, int, int]]:
    """Pieces free, and in all, that verified factories of each belt can make in a week; the largest belts first."""
    line, edited, factory, organisation = (
        table_of(model) for model in (Capability, CapacityWeek, Factory, Organisation)
    )
    this_week = sa.and_(edited.c.capability_id == line.c.id, edited.c.week == week)
    rows = session.execute(
        sa.select(factory.c.belt, line.c.weekly_capacity, line.c.days_a_week, edited.c.capacity, edited.c.booked)
        .join_from(line, factory, factory.c.id == line.c.factory_id)
        .join(organisation, organisation.c.id == factory.c.id)
        .outerjoin(edited, this_week)
        .where(organisation.c.state == OrganisationState.ACTIVE)
    )
    whole: dict[str, int] = defaultdict(int)
    booked: dict[str, int] = defaultdict(int)
    for row in rows:
        usual = usual_capacity(row.weekly_capacity, week, row.days_a_week)
        whole[row.belt] += usual if row.capacity is None else row.capacity
        booked[row.belt] += row.booked or 0
    largest = sorted((belt for belt in whole if whole[belt]), key=lambda belt: (-whole[belt], belt))
    return [(belt, whole[belt] - booked[belt], whole[belt]) for belt in largest[:limit]]


def _queue(session: Session, instant: sa.ColumnElement[Any], *which: sa.ColumnElement[bool]) -> Queue:
    count, first = session.execute(sa.select(sa.func.count(), sa.func.min(instant)).where(*which)).one()
    return Queue(count, first)


def _falling_short(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    campaign = table_of(Campaign).c
    return (
        campaign.state == CampaignState.OPEN,
        campaign.deadline <= now + SOON,
        campaign.pledged_quantity < campaign.minimum,
    )
