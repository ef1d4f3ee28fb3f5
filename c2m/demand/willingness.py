"""What buyers have shown that they would pay: budgets of wants, signals to a concept, and the prices they joined at.

A pledge says that its buyer would pay at least the price it was joined at, or its ceiling; a want and a deposit name
the price themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of
from c2m.demand.forecasting.ladders import LadderProposal, Market, QuoteCurve, Willing, continued_ladder, design_ladder
from c2m.demand.group_figures import budgets_of
from c2m.demand.models import Campaign, CampaignKind, CampaignState, GroupCampaign, Need, NeedState, Pledge, PledgeState
from c2m.design.evidence import said_of
from c2m.design.validation.curve import Foreseen

FEWEST = 3  # buyers who must have shown a price before a ladder is designed from them
MOST_SHOWN = 400  # buyers that are looked at one by one, evenly taken from all
REMEMBERED = timedelta(days=365)
KINDS = (CampaignKind.GROUP_BUY, CampaignKind.PRESALE)
ENDED = (CampaignState.SUCCEEDED, CampaignState.FAILED)
HIGHEST_PRICE_MINOR = 100_000_000

campaign, pledge, drafted_for = table_of(Campaign).c, table_of(Pledge).c, table_of(GroupCampaign).c
need = table_of(Need).c


@dataclass(frozen=True)
class Subject:
    """What a ladder is for: a product of a house, perhaps made of a concept, perhaps a draft that exists already."""

    organisation_id: UUID
    category: str
    currency: str
    title: str = ""
    concept_id: UUID | None = None
    campaign_id: UUID | None = None


@dataclass(frozen=True)
class Observed:
    """Buyers who have shown what they would pay, by how they did; `come` is as how many they count for what comes."""

    willing: tuple[Willing, ...] = ()
    come: float = 0.0
    wants: int = 0  # with a budget, that the draft was made of
    wants_alike: int = 0  # with a budget, for other things of the category
    stated: int = 0  # buyers who want the concept at a price
    deposits: int = 0  # and paid for saying so
    pledges: int = 0  # orders in earlier campaigns
    campaigns: int = 0
    own: bool = True  # those campaigns were of this very product, else of its category
    since: date | None = None  # the first of those campaigns ended then

    @property
    def enough(self) -> bool:
        """Whether a ladder can rest on it."""
        return self.wants + self.wants_alike + self.stated + self.deposits + self.pledges >= FEWEST


def observed(session: Session, subject: Subject, *, now: datetime) -> Observed:
    """All that buyers have shown of a product; of its category where the product itself says too little.

    Of a concept what its own buyers said is all: how likely they order is its validation's to say.
    """
    if subject.concept_id is not None:
        return _of_concept(session, subject.concept_id)
    found, wants = _earlier(session, subject, own=True, now=now), _of_group(session, subject)
    found = replace(
        found, willing=found.willing + wants.willing, come=found.come + wants.come, wants=found.wants + wants.wants
    )
    if found.enough:
        return found
    alike = _earlier(session, subject, own=False, now=now)
    wanted = _of_category(session, subject, now)
    return replace(
        alike,
        willing=found.willing + alike.willing + wanted,
        come=found.come + alike.come + len(wanted),
        wants=found.wants,
        wants_alike=len(wanted),
    )


def proposed_ladder(
    quotes: Sequence[QuoteCurve], shown: Observed, *, target_cost_ppm: int, seed: int
) -> LadderProposal | None:
    """The ladder of greatest expected margin for what buyers have shown; None where that is too little, or where no
    price covers what factories ask."""
    if not shown.enough or not quotes:
        return None
    market = Market(quotes, _thinned(shown.willing), factory_ppm=target_cost_ppm, buyers=shown.come)
    found = design_ladder(market, rng=np.random.default_rng(seed))
    if found is None or found.steps[0].price_minor > HIGHEST_PRICE_MINOR:
        return None
    return replace(found, buyers=len(shown.willing))


def continued(
    quotes: Sequence[QuoteCurve], shown: Observed, foreseen: Foreseen, *, target_cost_ppm: int
) -> LadderProposal | None:
    """A concept's proposed campaign with the cheaper tiers that earn more, at the chance that its validation gives it;
    None where buyers said too little, or where its price doesn't cover what factories ask."""
    if not shown.enough or not quotes:
        return None
    market, begun = Market(quotes, shown.willing, factory_ppm=target_cost_ppm), foreseen.proposed
    found = continued_ladder(market, foreseen.prices, foreseen.pieces, minimum=begun.minimum)
    if found is None:
        return None
    steps = tuple(replace(step, chance=min(step.chance, begun.chance)) for step in found.steps[1:])
    first = replace(found.steps[0], chance=begun.chance)
    return replace(found, chance=begun.chance, steps=(first, *steps))


def _of_group(session: Session, subject: Subject) -> Observed:
    """What the buyers would pay whose wants a draft was made of."""
    group_id = _group_of(session, subject)
    if group_id is None:
        return Observed()
    willing = tuple(Willing(price, pieces) for price, pieces in budgets_of(session, group_id))
    return Observed(willing, come=float(len(willing)), wants=len(willing))


def _group_of(session: Session, subject: Subject) -> UUID | None:
    found = sa.select(drafted_for.group_id).where(drafted_for.campaign_id == subject.campaign_id)
    return session.execute(found).scalar() if subject.campaign_id else None


def _of_category(session: Session, subject: Subject, now: datetime) -> tuple[Willing, ...]:
    """What buyers would pay whose open wants are of the category, without those the draft was made of."""
    statement = (
        sa.select(need.budget_minor, need.quantity)
        .where(need.category == subject.category, need.currency == subject.currency)
        .where(need.state == NeedState.OPEN, need.budget_minor.is_not(None))
        .where(need.stated_at <= now, need.stated_at > now - REMEMBERED)
        .order_by(need.id)
    )
    if (own := _group_of(session, subject)) is not None:
        statement = statement.where(need.group_id.is_distinct_from(own))
    return tuple(Willing(row[0], row[1]) for row in session.execute(statement))


def _of_concept(session: Session, concept_id: UUID) -> Observed:
    """What the concept's buyers named."""
    said = said_of(session, [concept_id])[concept_id]
    deposits = sum(want.deposited for want in said)
    return Observed(
        willing=tuple(Willing(want.price_minor, want.quantity) for want in said),
        stated=len(said) - deposits,
        deposits=deposits,
    )


def _earlier(session: Session, subject: Subject, *, own: bool, now: datetime) -> Observed:
    """The prices at which orders came in the product's, or its category's, campaigns that had ended by now."""
    price = sa.func.coalesce(pledge.ceiling_minor, pledge.unit_price_minor)
    statement = (
        sa.select(campaign.id, campaign.closed_at, price.label("price"), sa.func.count(), sa.func.sum(pledge.quantity))
        .join_from(table_of(Pledge), table_of(Campaign), campaign.id == pledge.campaign_id)
        .where(campaign.category == subject.category, campaign.currency == subject.currency)
        .where(campaign.kind.in_(KINDS), campaign.state.in_(ENDED))
        .where(campaign.closed_at <= now, campaign.closed_at > now - REMEMBERED, pledge.placed_at <= now)
        .where(pledge.state != PledgeState.CANCELLED, pledge.carried_from_id.is_(None))
        .where(pledge.merchant_funded.is_(False))
        .group_by(campaign.id, campaign.closed_at, sa.literal_column("price"))
        .order_by(campaign.id, sa.literal_column("price"))
    )
    if own:
        named = sa.func.lower(sa.func.trim(campaign.title)) == sa.func.lower(subject.title.strip())
        statement = statement.where(campaign.organisation_id == subject.organisation_id, named)
    rows: Sequence[Any] = session.execute(statement).all()
    campaigns = {row[0]: row[1] for row in rows}
    willing = tuple(Willing(int(row[2]), max(round(row[4] / row[3]), 1)) for row in rows for _ in range(row[3]))
    if not willing:
        return Observed()
    a_campaign = len(willing) / len(campaigns)
    return Observed(
        willing=willing,
        come=a_campaign / (Market.conversion * Market.reach),  # who came once is expected to come as often again
        pledges=len(willing),
        campaigns=len(campaigns),
        own=own,
        since=min(campaigns.values()).date(),
    )


def _thinned(willing: Sequence[Willing]) -> Sequence[Willing]:
    ordered = sorted(willing, key=lambda buyer: (buyer.price_minor, buyer.pieces))
    if len(ordered) <= MOST_SHOWN:
        return ordered
    return [ordered[at] for at in np.linspace(0, len(ordered) - 1, MOST_SHOWN).round().astype(int)]
