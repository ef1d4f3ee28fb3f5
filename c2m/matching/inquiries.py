"""What a campaign's page asks of the lines that could make it: by when, and what more pieces would open up."""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import insert_rows, table_of
from c2m.demand.models import Campaign, CampaignKind, CampaignState, DemandSheet, Policy
from c2m.demand.queries import ladder, ladders
from c2m.design.categories import category_of
from c2m.matching import queries
from c2m.matching.market import Line
from c2m.matching.models import StatedWindow
from c2m.matching.promising import WEEKS, Claim, Outlook, Window, likely_pieces
from c2m.matching.rules import first_week, free_between, weeks_from
from c2m.matching.unlocking import Unlock, unlocks
from c2m.money import share

FRESH = timedelta(seconds=15)  # what others ask for may be so old in an answer; a campaign's own pieces never are
STATE = "matching.state_windows"

Kind = tuple[str, str]  # category, currency
Growth = dict[CampaignKind, float]  # what a good campaign of a kind came to, as a multiple of its minimum
GOOD = 0.8  # of the earlier campaigns came to less
LEARNED_FROM = 10  # campaigns of a kind that have succeeded, or the prior holds
LATEST = 300
PRIOR_GROWTH = 3.0


@dataclass(frozen=True)
class Prospect:
    """The lines of a kind of product as they were at a moment, and the outlook on them."""

    at: datetime
    lines: Sequence[Line]
    outlook: Outlook
    growth: Growth

    def factories(self, pieces: int) -> int:
        """How many factories take an order of so many pieces and have a free week."""
        return len({x.factory_id for x in self.lines if x.terms.smallest_order <= pieces and any(x.free)})


Prospects = MutableMapping[Kind, Prospect]


@dataclass(frozen=True)
class Answer:
    """What a campaign's page says of its lines."""

    window: Window
    unlocks: Sequence[Unlock]
    late: bool  # even the fewest pieces would come after the promised day


def answer_for(session: Session, campaign: Campaign, *, joining: int, now: datetime, known: Prospects) -> Answer:
    """When free capacity has a campaign's pieces with its buyers if so many more join, and what still more open up.

    Nothing is reserved.

    Args:
        known: prospects by kind, taken while they are fresh and replaced when they are not.
    """
    kind = campaign.category, campaign.currency
    prospect = known.get(kind)
    if prospect is None or not timedelta(0) <= now - prospect.at < FRESH:
        prospect = known[kind] = prospect_of(session, kind, now=now)
    policy = session.get_one(Policy, campaign.policy_id)
    pieces = campaign.certain_quantity + joining
    price = ladder(session, campaign.id).price_at(pieces)
    target = max(share(price, policy.target_cost_ppm), 1)
    claim = claim_of(campaign, policy.balance_days, target, prospect.growth, now=now, joining=joining)
    start = first_week(prospect.at)
    ahead = unlocks(
        [
            (line, free_between(line.free, start, claim.certain_at, campaign.promised_date, line.terms.lead_days))
            for line in prospect.lines
        ],
        pieces,
        target_cost_minor=target,
    )
    window = _window(prospect, campaign, claim)
    late = window.earliest is None or window.earliest > campaign.promised_date
    return Answer(window, ahead, late)


def _window(prospect: Prospect, campaign: Any, claim: Claim) -> Window:
    sure = max(claim.sure, campaign.minimum)
    window = prospect.outlook.window(replace(claim, sure=sure, likely=max(claim.likely, sure)))
    return replace(window, factories=prospect.factories(sure))


def prospect_of(session: Session, kind: Kind, *, now: datetime) -> Prospect:
    """The verified lines of a kind with their free weeks, and everything that will be asked of them."""
    category, currency = kind
    start = first_week(now)
    process = category_of(category).process
    lines = [
        line
        for line in queries.lines_for(session, {category}, weeks_from(start, WEEKS)).values()
        if line.currency == currency and line.process == process
    ]
    grown = growth(session)
    running = [claim_of(*found, grown, now=now) for found in _campaigns(session, kind, now)]
    return Prospect(now, lines, Outlook(start, lines, [*_sheets(session, kind, now), *running]), grown)


def growth(session: Session) -> Growth:
    """What a good one of the latest campaigns of each kind came to, as a multiple of its minimum."""
    c = table_of(Campaign).c
    rows = session.execute(
        sa.select(c.kind, c.final_quantity, c.minimum)
        .where(c.state == CampaignState.SUCCEEDED, c.final_quantity.is_not(None))
        .order_by(c.closed_at.desc())
        .limit(LATEST)
    ).all()
    found: Growth = {}
    for kind in CampaignKind:
        ratios = sorted(row.final_quantity / row.minimum for row in rows if row.kind == kind)
        found[kind] = ratios[int(GOOD * len(ratios))] if len(ratios) >= LEARNED_FROM else PRIOR_GROWTH
    return found


def _sheets(session: Session, kind: Kind, now: datetime) -> list[Claim]:
    """What is left of demand sheets: it is asked for first."""
    sheet = table_of(DemandSheet)
    category, currency = kind
    ids = session.execute(
        sa.select(sheet.c.id).where(
            sheet.c.served_at.is_(None), sheet.c.category == category, sheet.c.currency == currency
        )
    ).scalars()
    left = queries.remaining_pieces(session, list(ids))
    still_looked_for = queries.open_sheets(session, left, now=now)
    return [
        Claim(now, sheet.required_date, sheet.target_cost_minor, sheet.quantity, sheet.quantity)
        for sheet in still_looked_for.values()
    ]


def _campaigns(session: Session, kind: Kind | None, now: datetime) -> list[tuple[Any, int, int]]:
    """Campaigns that are running or whose balances are being paid: with the days these may take, and what a piece may
    cost to make at the price reached."""
    campaign, policy, sheet = table_of(Campaign), table_of(Policy), table_of(DemandSheet)
    running = campaign.c.state.in_((CampaignState.OPEN, CampaignState.CLOSING))
    paying = sa.and_(
        campaign.c.state == CampaignState.SUCCEEDED,
        campaign.c.balance_due_at > now,
        ~sa.exists().where(sheet.c.campaign_id == campaign.c.id),
    )
    statement = (
        sa.select(campaign, policy.c.balance_days, policy.c.target_cost_ppm)
        .join_from(campaign, policy, policy.c.id == campaign.c.policy_id)
        .where(sa.or_(running, paying))
    )
    if kind is not None:
        statement = statement.where(campaign.c.category == kind[0], campaign.c.currency == kind[1])
    rows = session.execute(statement).all()
    price = ladders(session, [row.id for row in rows])
    return [
        (
            row,
            row.balance_days,
            share(price[row.id].price_at(row.pledged_quantity - row.conditional_quantity), row.target_cost_ppm),
        )
        for row in rows
    ]


def certain_at(campaign: Any, balance_days: int, now: datetime) -> datetime:
    """When it is known how many pieces are to be made: at the deadline, or once a presale's balances are paid."""
    paying = timedelta(days=balance_days if campaign.kind == CampaignKind.PRESALE else 0)
    known: datetime = campaign.balance_due_at or campaign.deadline + paying
    return max(known, now)


def claim_of(
    campaign: Any, balance_days: int, target_cost_minor: int, growth: Growth, *, now: datetime, joining: int = 0
) -> Claim:
    """What a campaign will ask of the lines: what it is sure of now, and what it comes to at its pace."""
    known_at = certain_at(campaign, balance_days, now)
    if campaign.state == CampaignState.SUCCEEDED:
        final: int = campaign.final_quantity
        return Claim(known_at, campaign.promised_date, target_cost_minor, final, final)
    pieces = campaign.pledged_quantity - campaign.conditional_quantity + joining
    opened = campaign.opened_at or campaign.created_at
    elapsed = min(max((now - opened) / (campaign.deadline - opened), 0.0), 1.0)
    likely = likely_pieces(
        pieces,
        minimum=campaign.minimum,
        cap=campaign.cap,
        elapsed=elapsed,
        growth=growth[CampaignKind(campaign.kind)],
    )
    sure = pieces if pieces >= campaign.minimum else 0
    return Claim(known_at, campaign.promised_date, target_cost_minor, sure, likely)


def state_windows(session: Session, _ids: Sequence[UUID], now: datetime) -> None:
    """Write down what every open campaign's page says today, so that it can be held against what came."""
    known: dict[Kind, Prospect] = {}
    rows = []
    for campaign, balance_days, target in _campaigns(session, None, now):
        if campaign.state != CampaignState.OPEN:
            continue
        kind = campaign.category, campaign.currency
        prospect = known.get(kind) or known.setdefault(kind, prospect_of(session, kind, now=now))
        claim = claim_of(campaign, balance_days, target, prospect.growth, now=now)
        window = _window(prospect, campaign, claim)
        rows.append(
            {
                "campaign_id": campaign.id,
                "stated_at": now,
                "fewest": window.pieces[0],
                "most": window.pieces[1],
                "earliest": window.earliest,
                "latest": window.latest,
            }
        )
    insert_rows(session, StatedWindow, rows)
