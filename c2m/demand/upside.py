"""What more of a product the coming weeks may bring, beyond what its demand sheet confirms, and on what that rests.

A product is what one merchandiser puts up under one title in one category, however many campaigns and rounds that is.
Its history are the pieces pledged in weeks in which it could be had: a week in which nothing was on offer says nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.demand.forecasting.upside import FEWEST_ALIKE, Tried, further_demand
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Pledge, PledgeState

HORIZON = 4  # weeks ahead
MOST_WEEKS = 52  # of history
RECENT = 4  # weeks that are held against all of them
FRAGMENT = 3  # days on offer below which a week's pieces are counted with the week after it
LATEST = 400  # finished campaigns that a prior is made of
REMEMBERED = timedelta(days=365)
KINDS = (CampaignKind.GROUP_BUY, CampaignKind.PRESALE)
WEEK = 7

campaign, pledge = table_of(Campaign).c, table_of(Pledge).c
Product = tuple[UUID, str, str]


class Basis(StrEnum):
    """What a forecast rests on."""

    OWN = "own"  # the product's own weeks
    BOTH = "both"  # few weeks of its own, beside finished campaigns of its kind
    ALIKE = "alike"  # finished campaigns of its kind alone


@dataclass(frozen=True)
class Week:
    """Pieces pledged in a week in which the product could be had."""

    begins: date
    pieces: int


@dataclass(frozen=True)
class WeekAhead:
    """A week to come, the first is 1: the middle of what it may bring, and what one case in ten exceeds."""

    step: int
    p50: int
    p90: int


@dataclass(frozen=True)
class Upside:
    """Further pieces of a product in the coming weeks, were it on offer on: P50 and P90, and what they rest on.

    `method` is a name of c2m.demand.forecasting (baselines, "combined", "like products"); `error` is its error on
    trial, the sum of absolute errors over what was pledged, None without a trial; `origins` are the moments the latest
    weeks were forecast from on trial. `beside` has the naive forecast, the moving average and Croston's.
    `alike` finished campaigns, of the category or of the whole platform, stand in for weeks that the product lacks.
    """

    made_at: datetime
    weeks: int
    p50: int
    p90: int
    ahead: tuple[WeekAhead, ...]
    past: tuple[Week, ...]
    campaigns: int  # of this product, all rounds
    basis: Basis
    method: str
    error: float | None
    origins: int
    beside: tuple[Tried, ...]
    alike: int
    of_category: bool  # whether those alike are of its category, else of all
    usual: float | None  # pieces a week of the middle one of those alike, None where it rests on none

    @property
    def since(self) -> date | None:
        """The first day of the history, None where there is none."""
        return self.past[0].begins if self.past else None

    @property
    def drift(self) -> float:
        """What moves it: how far its latest weeks lie above all of its own, or its own above the usual."""
        if not self.past:
            return 0.0
        mean = sum(week.pieces for week in self.past) / len(self.past)
        if self.usual is not None:
            return mean / max(self.usual, 1.0) - 1
        latest = self.past[-RECENT:]
        return sum(week.pieces for week in latest) / len(latest) / mean - 1 if mean else 0.0


def upside_of(session: Session, campaign_id: UUID, *, now: datetime, weeks: int = HORIZON) -> Upside | None:
    """The further demand of a campaign's product; None where too little is known to say any."""
    return upsides(session, [campaign_id], now=now, weeks=weeks).get(campaign_id)


def upsides(
    session: Session, campaign_ids: Sequence[UUID], *, now: datetime, weeks: int = HORIZON
) -> dict[UUID, Upside]:
    """The further demand of each campaign's product as it is known by now; left out where too little is known."""
    asked = _products(session, campaign_ids)
    offers = _offers(session, sorted(set(asked.values()), key=str), now)
    pledged = _pledged_by_day(session, [row.id for rows in offers.values() for row in rows], now)
    finished = _finished_rates(session, now)
    found: dict[Product, Upside] = {}
    for product in set(asked.values()):
        past = _weeks(offers[product], pledged, now)
        if not past and any(row.concept_id for row in offers[product]):
            continue  # others' campaigns don't speak for what buyers have spoken of themselves
        mine = [rate for category, rate, owner in finished if category == product[1] and owner != product]
        everyone = [rate for _category, rate, owner in finished if owner != product]
        alike = mine if len(mine) >= FEWEST_ALIKE else everyone
        said = further_demand([week.pieces for week in past], weeks, alike)
        if said is None:
            continue
        own = said.origins > 0
        found[product] = Upside(
            made_at=now,
            weeks=weeks,
            p50=round(said.p50),
            p90=round(said.p90),
            ahead=tuple(WeekAhead(at, round(p50), round(p90)) for at, (p50, p90) in enumerate(said.by_week, start=1)),
            past=tuple(past),
            campaigns=len(offers[product]),
            basis=Basis.OWN if own else Basis.BOTH if past else Basis.ALIKE,
            method=said.method,
            error=said.error,
            origins=said.origins,
            beside=said.beside,
            alike=0 if own else len(alike),
            of_category=not own and alike is mine,
            usual=None if own else median(alike),
        )
    return {campaign_id: found[product] for campaign_id, product in asked.items() if product in found}


def _product() -> sa.ColumnElement[str]:
    return sa.func.lower(sa.func.trim(campaign.title))


def _products(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, Product]:
    found: dict[UUID, Product] = {}
    for part in chunks(list(campaign_ids)):
        rows = session.execute(
            sa.select(campaign.id, campaign.organisation_id, campaign.category, _product()).where(
                campaign.id.in_(part), campaign.kind.in_(KINDS)
            )
        )
        found |= {row[0]: (row[1], row[2], row[3]) for row in rows}
    return found


def _offers(session: Session, products: Sequence[Product], now: datetime) -> dict[Product, list[Any]]:
    """The campaigns of each product that buyers had seen by now and that weren't called off by then."""
    found: dict[Product, list[Any]] = defaultdict(list)
    stood = sa.or_(campaign.state != CampaignState.CANCELLED, campaign.closed_at > now)
    for part in chunks(sorted({owner for owner, _category, _title in products})):
        rows = session.execute(
            sa.select(
                campaign.id,
                campaign.organisation_id,
                campaign.category,
                _product().label("product"),
                campaign.opened_at,
                campaign.closed_at,
                campaign.deadline,
                campaign.concept_id,
            )
            .where(campaign.organisation_id.in_(part), campaign.kind.in_(KINDS), campaign.opened_at <= now, stood)
            .order_by(campaign.opened_at, campaign.id)
        )
        for row in rows:
            found[row.organisation_id, row.category, row.product].append(row)
    return defaultdict(list, {product: found[product] for product in products})


def _pledged_by_day(session: Session, ids: Sequence[UUID], now: datetime) -> Mapping[UUID, Mapping[date, int]]:
    """Pieces that buyers had asked for by now, by campaign and day; what came over from a round before counts there."""
    found: dict[UUID, dict[date, int]] = defaultdict(dict)
    alive = sa.or_(pledge.state != PledgeState.CANCELLED, pledge.ended_at > now)
    day = sa.func.date(pledge.placed_at)
    for part in chunks(ids):
        rows = session.execute(
            sa.select(pledge.campaign_id, day, sa.func.sum(pledge.quantity))
            .where(pledge.campaign_id.in_(part), pledge.placed_at < now, alive)
            .where(pledge.carried_from_id.is_(None), pledge.merchant_funded.is_(False))
            .group_by(pledge.campaign_id, day)
        )
        for campaign_id, when, pieces in rows:
            found[campaign_id][date.fromisoformat(str(when))] = int(pieces)
    return found


def _weeks(offers: Sequence[Any], pledged: Mapping[UUID, Mapping[date, int]], now: datetime) -> list[Week]:
    """Weeks back from the last day on offer, oldest first; left out are those without a day on offer, and the latest
    while it is on offer but hasn't been for a whole week."""
    if not offers:
        return []
    days: set[date] = set()
    pieces: dict[date, int] = defaultdict(int)
    for row in offers:
        first, last = row.opened_at.date(), _until(row, now).date()
        days |= {first + timedelta(days=at) for at in range((last - first).days + 1)}
        for day, count in pledged.get(row.id, {}).items():
            pieces[day] += count
    end = max(days)
    on_offer: Counter[int] = Counter((end - day).days // WEEK for day in days)
    counted: Counter[int] = Counter()
    for day, count in pieces.items():
        counted[(end - day).days // WEEK] += count
    for at in sorted(on_offer, reverse=True):
        if on_offer[at] < FRAGMENT and at - 1 in on_offer:
            counted[at - 1] += counted.pop(at, 0)
            del on_offer[at]
    latest = sorted(on_offer)[:MOST_WEEKS]
    if latest and on_offer[latest[0]] < WEEK and any(_until(row, now) == now for row in offers):
        latest = latest[1:]  # it has begun, and what it will bring is not in yet
    return [Week(end - timedelta(days=(at + 1) * WEEK - 1), counted[at]) for at in reversed(latest)]


def _until(row: Any, now: datetime) -> datetime:
    """When a campaign was last on offer, as far as that was known by now."""
    closed: datetime = row.closed_at if row.closed_at is not None and row.closed_at <= now else row.deadline
    return min(closed, now)


def _finished_rates(session: Session, now: datetime) -> list[tuple[str, float, Product]]:
    """Pieces a week of the latest campaigns that had ended by now: (category, rate, product)."""
    rows = session.execute(
        sa.select(
            campaign.organisation_id,
            campaign.category,
            _product().label("product"),
            campaign.opened_at,
            campaign.closed_at,
            campaign.final_quantity,
        )
        .where(campaign.state.in_((CampaignState.SUCCEEDED, CampaignState.FAILED)), campaign.kind.in_(KINDS))
        .where(campaign.closed_at <= now, campaign.closed_at > now - REMEMBERED, campaign.final_quantity.is_not(None))
        .where(campaign.opened_at.is_not(None))
        .order_by(campaign.closed_at.desc(), campaign.id)
        .limit(LATEST)
    )
    return [
        (
            row.category,
            row.final_quantity / max((row.closed_at - row.opened_at) / timedelta(days=WEEK), 1.0),
            (row.organisation_id, row.category, row.product),
        )
        for row in rows
    ]
