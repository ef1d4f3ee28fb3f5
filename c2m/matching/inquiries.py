"""What a campaign's page asks of the lines that could make it: by when, and what more pieces would open up."""

import random
from collections import defaultdict
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, select

from c2m.db import insert_rows, table_of
from c2m.demand.models import Campaign, CampaignKind, CampaignState, DemandSheet, Policy
from c2m.demand.queries import ladder, ladders
from c2m.design.categories import category_of
from c2m.matching import queries
from c2m.matching.market import Line, late_week
from c2m.matching.models import StatedWindow
from c2m.matching.promising import WEEKS, Claim, Outlook, Window, likely_pieces
from c2m.matching.rules import first_week, free_between, weeks_from
from c2m.matching.unlocking import Unlock, unlocks
from c2m.money import share

FRESH = timedelta(seconds=15)  # what others ask for may be so old in an answer; a campaign's own pieces never are
STATE = "matching.state_windows"
STATED_AT_ONCE = 100

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


@dataclass(frozen=True)
class Running:
    """A campaign with its policy and the price it has reached."""

    campaign: Campaign
    policy: Policy
    price_minor: int

    @property
    def kind(self) -> Kind:
        """Whose lines it asks."""
        return self.campaign.category, self.campaign.currency

    @property
    def target_cost_minor(self) -> int:
        """What a piece may cost to make."""
        return max(share(self.price_minor, self.policy.target_cost_ppm), 1)

    @property
    def certain_at(self) -> datetime:
        """When it is known how many pieces are to be made: at the deadline, or once a presale's balances are paid."""
        campaign = self.campaign
        paying = timedelta(days=self.policy.balance_days if campaign.kind is CampaignKind.PRESALE else 0)
        return campaign.balance_due_at or campaign.deadline + paying

    def claim(self, growth: Growth, *, now: datetime, joining: int = 0) -> Claim:
        """What the campaign will ask of the lines: what it is sure of now, and what it may well come to."""
        campaign, late = self.campaign, late_week(self.price_minor, self.policy.compensation_ppm_per_day)
        terms = max(self.certain_at, now), campaign.promised_date, self.target_cost_minor, late
        if campaign.final_quantity is not None:
            return Claim(*terms, campaign.final_quantity, campaign.final_quantity)
        pieces = campaign.certain_quantity + joining
        opened = campaign.opened_at or campaign.created_at
        likely = joining + likely_pieces(  # one buyer's pieces say nothing of how many others come
            campaign.certain_quantity,
            minimum=campaign.minimum,
            cap=campaign.cap,
            elapsed=min(max((now - opened) / (campaign.deadline - opened), 0.0), 1.0),
            growth=growth[campaign.kind],
        )
        most = likely if campaign.cap is None else min(likely, max(campaign.cap, pieces))
        return Claim(*terms, pieces if pieces >= campaign.minimum else 0, most)


Prospects = MutableMapping[Kind, Prospect]


@dataclass(frozen=True)
class Answer:
    """What a campaign's page says of its lines."""

    window: Window
    unlocks: Sequence[Unlock]
    late: bool  # even the fewest pieces would come after the promised day
    may_be_late: bool  # if so many join as are likely


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
    running = Running(campaign, policy, ladder(session, campaign.id).price_at(pieces))
    claim = running.claim(prospect.growth, now=now, joining=joining)
    start = first_week(prospect.at)
    ahead = unlocks(
        [
            (line, free_between(line.free, start, claim.certain_at, campaign.promised_date, line.terms.lead_days))
            for line in prospect.lines
        ],
        pieces,
        target_cost_minor=running.target_cost_minor,
    )
    window = _window(prospect, campaign, claim)
    late, may_be_late = (end is None or end > campaign.promised_date for end in (window.earliest, window.latest))
    return Answer(window, ahead, late, may_be_late)


def _window(prospect: Prospect, campaign: Campaign, claim: Claim) -> Window:
    sure = max(claim.sure, campaign.minimum)
    window = prospect.outlook.window(replace(claim, sure=sure, likely=max(claim.likely, sure)))
    return replace(window, factories=prospect.factories(sure))


def prospect_of(session: Session, kind: Kind, *, now: datetime, running: Sequence[Running] | None = None) -> Prospect:
    """The verified lines of a kind with their free weeks, and everything that will be asked of them.

    Args:
        running: the campaigns of that kind, where they are known.
    """
    category, currency = kind
    start = first_week(now)
    process = category_of(category).process
    lines = [
        line
        for line in queries.lines_for(session, {category}, weeks_from(start, WEEKS)).values()
        if line.currency == currency and line.process == process
    ]
    grown = growth(session)
    asking = _running(session, kind, now) if running is None else running
    claims = [one.claim(grown, now=now) for one in asking]
    return Prospect(now, lines, Outlook(start, lines, [*_sheets(session, kind, now), *claims]), grown)


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
        Claim(
            now,
            sheet.required_date,
            sheet.target_cost_minor,
            late_week(sheet.unit_price_minor, sheet.compensation_ppm_per_day),
            sheet.quantity,
            sheet.quantity,
        )
        for sheet in still_looked_for.values()
    ]


def _running(session: Session, kind: Kind | None, now: datetime) -> list[Running]:
    """Campaigns that are open or whose payments or balances are being waited for, of a kind or of all."""
    campaign, policy, sheet = table_of(Campaign), table_of(Policy), table_of(DemandSheet)
    running = campaign.c.state.in_((CampaignState.OPEN, CampaignState.CLOSING))
    paying = sa.and_(
        campaign.c.state == CampaignState.SUCCEEDED,
        campaign.c.balance_due_at > now,
        ~sa.exists().where(sheet.c.campaign_id == campaign.c.id),
    )
    statement = (
        select(Campaign, Policy)
        .join(Policy, policy.c.id == campaign.c.policy_id)
        .where(sa.or_(running, paying))
        .order_by(campaign.c.id)
    )
    if kind is not None:
        statement = statement.where(campaign.c.category == kind[0], campaign.c.currency == kind[1])
    rows = session.exec(statement).all()
    ladder_of = ladders(session, [found.id for found, _ in rows])
    return [Running(found, terms, ladder_of[found.id].price_at(found.certain_quantity)) for found, terms in rows]


def state_windows(session: Session, _ids: Sequence[UUID], now: datetime) -> None:
    """Write down what open campaigns' pages say, of many a sample, so that it can be held against what came."""
    asking: dict[Kind, list[Running]] = defaultdict(list)
    for running in _running(session, None, now):
        asking[running.kind].append(running)
    open_now = [one for kind in asking.values() for one in kind if one.campaign.state is CampaignState.OPEN]
    known: dict[Kind, Prospect] = {}
    rows = []
    for running in random.Random(now.toordinal()).sample(open_now, min(len(open_now), STATED_AT_ONCE)):
        campaign, kind = running.campaign, running.kind
        prospect = known.get(kind) or prospect_of(session, kind, now=now, running=asking[kind])
        known[kind] = prospect
        window = _window(prospect, campaign, running.claim(prospect.growth, now=now))
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
