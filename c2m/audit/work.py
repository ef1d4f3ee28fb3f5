"""I10 and I11: jobs and announcements, and whether each was told once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from c2m.audit.check import Broken, Check, Part, hex_of, text_of
from c2m.db import table_of
from c2m.demand import jobs as demand_jobs
from c2m.demand.models import Campaign, DemandSheet, NeedGroup, SheetQuestion
from c2m.design import jobs as design_jobs
from c2m.design.models import Concept
from c2m.errors import N_
from c2m.jobs import Job, JobState
from c2m.matching import jobs as matching_jobs
from c2m.matching.models import CounterOffer, CounterState, Offer, OfferState
from c2m.outbox import Announcement
from c2m.production import jobs as production_jobs
from c2m.production.models import FirstArticle, Lot, WorkOrder

OVERDUE = timedelta(hours=1)  # a living worker takes up what is waiting within seconds

job, announcement = table_of(Job), table_of(Announcement)
campaign, group, sheet, question, concept, offer, counter, order, lot = (
    table_of(model)
    for model in (Campaign, NeedGroup, DemandSheet, SheetQuestion, Concept, Offer, CounterOffer, WorkOrder, Lot)
)
article = table_of(FirstArticle)

HAPPENED: Mapping[str, tuple[sa.Column[Any], sa.ColumnElement[bool]]] = {
    "design.concepts_published": (concept.c.id, concept.c.published_at.is_not(None)),
    "design.concepts_decided": (concept.c.id, concept.c.decided_at.is_not(None)),
    "demand.campaigns_opened": (campaign.c.id, campaign.c.opened_at.is_not(None)),
    "demand.campaigns_closed": (campaign.c.id, campaign.c.closed_at.is_not(None)),
    "demand.sheets_issued": (sheet.c.id, sa.true()),
    "demand.makers_asked": (group.c.id, group.c.makers_asked_at.is_not(None)),
    "demand.sheet_questions_asked": (question.c.id, sa.true()),
    "demand.sheet_questions_answered": (question.c.id, question.c.answered_at.is_not(None)),
    "matching.offers_made": (offer.c.id, sa.true()),
    "matching.offers_accepted": (offer.c.id, offer.c.state == OfferState.ACCEPTED),
    "matching.offers_returned": (offer.c.id, offer.c.state.in_([OfferState.DECLINED, OfferState.EXPIRED])),
    "matching.offers_cut": (offer.c.id, offer.c.untaken > 0),
    "matching.offers_countered": (counter.c.id, sa.true()),
    "matching.counters_decided": (counter.c.id, counter.c.state.in_([CounterState.AGREED, CounterState.REFUSED])),
    "production.work_orders_planned": (order.c.id, sa.true()),
    "production.lots_shipped": (lot.c.id, sa.true()),
    "production.exit_windows_ended": (article.c.id, article.c.window_ended_at.is_not(None)),
    "production.work_orders_delivered": (order.c.id, order.c.delivered_at.is_not(None)),
}
"""What each topic announces: the rows, and which of them it happened to."""


def _queued_twice(_part: Part) -> Broken:
    return sa.select(job.c.key).group_by(job.c.key).having(sa.func.count() > 1)


def _state_unmarked(part: Part) -> Broken:
    """A done job has its finish and no lease, a leased one its token and its end."""
    leased = sa.and_(job.c.lease_token.is_not(None), job.c.leased_until.is_not(None))
    free = sa.and_(job.c.lease_token.is_(None), job.c.leased_until.is_(None))
    right = sa.or_(
        sa.and_(job.c.state == JobState.DONE, free, job.c.finished_at.is_not(None)),
        sa.and_(job.c.state == JobState.LEASED, leased),
        sa.and_(job.c.state.in_([JobState.READY, JobState.DEAD]), free),
    )
    return sa.select(job.c.id).where(part.of(job.c.id), ~right)


def _lease_ran_out(part: Part) -> Broken:
    return sa.select(job.c.id).where(job.c.state == JobState.LEASED, job.c.leased_until < part.now - OVERDUE)


def _not_passed_on(part: Part) -> Broken:
    return sa.select(announcement.c.id).where(
        announcement.c.dispatched_at.is_(None), announcement.c.announced_at < part.now - OVERDUE
    )


def _without_its_jobs(part: Part) -> Broken:
    """An announcement that was passed on became a job of every kind that subscribed to its topic."""
    missing = [
        sa.and_(
            announcement.c.topic == topic,
            ~sa.exists().where(job.c.key == sa.literal(f"{kind}<") + text_of(announcement.c.id)),
        )
        for topic, kinds in _subscriptions().items()
        for kind in kinds
    ]
    return sa.select(announcement.c.id).where(
        part.of(announcement.c.id), announcement.c.dispatched_at.is_not(None), sa.or_(*missing)
    )


def _subscriptions() -> dict[str, Sequence[str]]:
    stages = (design_jobs, demand_jobs, matching_jobs, production_jobs)
    joined: dict[str, Sequence[str]] = {}
    for stage in stages:
        for topic, kinds in stage.SUBSCRIPTIONS.items():
            joined[topic] = [*joined.get(topic, ()), *kinds]
    return joined


def announced_checks(session: Session) -> list[Check]:
    """The checks that all that happened was announced; lists of ids are opened the way this database does it."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    open_list = sa.func.jsonb_array_elements_text if postgresql else sa.func.json_each

    def check(topic: str, key: sa.Column[Any], which: sa.ColumnElement[bool]) -> Check:
        def untold(_part: Part) -> Broken:
            ids = open_list(announcement.c.ids).table_valued("value")
            told = sa.select(sa.func.replace(ids.c.value, "-", "").label("hex")).where(announcement.c.topic == topic)
            heard = told.select_from(sa.join(announcement, ids, sa.true())).distinct().subquery()
            rows = sa.join(key.table, heard, heard.c.hex == hex_of(key), isouter=True)
            return sa.select(sa.literal(topic), key).select_from(rows).where(which, heard.c.hex.is_(None))

        return Check("I11", N_("Something happened and was never announced."), untold)

    return [check(topic, key, which) for topic, (key, which) in HAPPENED.items()]


CHECKS = (
    Check("I10", N_("A job was queued twice."), _queued_twice),
    Check("I10", N_("A job's state contradicts its lease or finish."), _state_unmarked, job.c.id),
    Check("I10", N_("A lease ran out and nobody took the job over."), _lease_ran_out),
    Check("I11", N_("An announcement waits and nobody passes it on."), _not_passed_on),
    Check("I11", N_("An announcement was passed on without its jobs."), _without_its_jobs, announcement.c.id),
)
