"""Samples: their price credited once to a later pledge, and what those who held them say."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, insert_rows, lock_rows, table_of
from c2m.demand import queries
from c2m.demand.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Evaluation,
    Pledge,
    PledgeState,
    Policy,
    PriceTier,
    SampleCredit,
)
from c2m.demand.queries import GONE
from c2m.demand.rules import charge_at_joining, most_credit
from c2m.errors import N_, Conflict, Invalid
from c2m.identity.models import Organisation
from c2m.money import PPM
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

LONGEST_WORDS = 1000
MARKS = range(1, 6)

pledge, campaign, credit = (table_of(model) for model in (Pledge, Campaign, SampleCredit))
bulk = campaign.alias("bulk")
credited = pledge.alias("credited")
standing = credit.join(credited, credited.c.id == credit.c.pledge_id)

TRIED = (CampaignState.OPEN, CampaignState.CLOSING, CampaignState.SUCCEEDED)
SampleOf = tuple[UUID, UUID]
"""A sample campaign and a buyer."""


class NotASample(Conflict):
    sentence = N_("Only a sample that was delivered can be evaluated.")


class AlreadyEvaluated(Conflict):
    sentence = N_("You have evaluated this sample already.")


class MarkRefused(Invalid):
    sentence = N_("Marks go from 1 to 5; what you write takes 1,000 characters at most.")


@dataclass(frozen=True)
class Credit:
    """What one delivered sample cost, not credited to a living or fulfilled pledge."""

    sample_pledge_id: UUID
    amount_minor: int


@dataclass(frozen=True)
class Terms:
    """What bounds a credit in a campaign: its ladder's lowest price, its deposit, the merchandiser's margin."""

    sample_campaign_id: UUID
    lowest_minor: int
    deposit_minor: int
    deposit_counts_minor: int
    margin_ppm: int

    def most_off(self, unit_price_minor: int, quantity: int) -> int:
        """The most that samples may take off the charge for these certain pieces."""
        charge = charge_at_joining(unit_price_minor, quantity, self.deposit_minor)
        given = (self.deposit_counts_minor - self.deposit_minor) * quantity
        return most_credit(charge, self.lowest_minor * quantity, given, self.margin_ppm)


@dataclass
class SampleCredits:
    """The samples that a batch of joins may take off, and what each pledge was credited with."""

    terms: dict[UUID, Terms] = field(default_factory=dict)
    unused: dict[SampleOf, list[Credit]] = field(default_factory=dict)
    taken: list[dict[str, Any]] = field(default_factory=list)
    credited: dict[UUID, int] = field(default_factory=dict)  # pledge → minor units

    @classmethod
    def open(
        cls, session: Session, campaigns: Mapping[UUID, Mapping[str, Any]], buyer_ids: Collection[UUID]
    ) -> "SampleCredits":
        """Read the terms of campaigns that name a sample and lock these buyers' samples, each to be credited once."""
        sampled = [i for i, row in campaigns.items() if row["sample_campaign_id"] is not None]
        if not sampled:
            return cls()
        terms = terms_of(session, sampled)
        wanted = {(each.sample_campaign_id, buyer_id) for each in terms.values() for buyer_id in buyer_ids}
        return cls(terms, unused_credits(session, wanted, lock=True))

    def take(self, pledge_id: UUID, campaign_id: UUID, buyer_id: UUID, unit_price_minor: int, quantity: int) -> None:
        """Credit a pledge with its buyer's samples, the oldest first, as far as the terms allow."""
        terms = self.terms.get(campaign_id)
        unused = self.unused.get((terms.sample_campaign_id, buyer_id)) if terms else None
        if not terms or not unused:
            return
        left = terms.most_off(unit_price_minor, quantity)
        while unused and left > 0:
            found = unused.pop(0)
            amount = min(found.amount_minor, left)
            left -= amount
            row = {"sample_pledge_id": found.sample_pledge_id, "pledge_id": pledge_id, "amount_minor": amount}
            self.taken.append(row)
            self.credited[pledge_id] = self.of(pledge_id) + amount

    def of(self, pledge_id: UUID) -> int:
        """What a pledge was credited with, in minor units."""
        return self.credited.get(pledge_id, 0)

    def write(self, session: Session) -> None:
        """Store what was taken off; a credit whose pledge ended unfulfilled makes way."""
        for part in chunks([row["sample_pledge_id"] for row in self.taken]):
            session.execute(sa.delete(credit).where(credit.c.sample_pledge_id.in_(part)))
        insert_rows(session, SampleCredit, self.taken)


def terms_of(session: Session, campaign_ids: Collection[UUID]) -> dict[UUID, Terms]:
    """The terms of those of these campaigns that name a sample."""
    policy, tier = table_of(Policy).c, table_of(PriceTier).c
    lowest = sa.select(sa.func.min(tier.price_minor)).where(tier.campaign_id == campaign.c.id).scalar_subquery()
    found: dict[UUID, Terms] = {}
    for part in chunks(sorted(campaign_ids)):
        rows = session.execute(
            sa.select(campaign, policy.target_cost_ppm, policy.fee_ppm, lowest.label("lowest_minor"))
            .join_from(campaign, table_of(Policy), policy.id == campaign.c.policy_id)
            .where(campaign.c.id.in_(part), campaign.c.sample_campaign_id.is_not(None))
        )
        for row in rows:
            found[row.id] = Terms(
                row.sample_campaign_id,
                row.lowest_minor,
                row.deposit_minor,
                row.deposit_counts_minor,
                max(PPM - row.target_cost_ppm - row.fee_ppm - row.commission_ppm, 0),
            )
    return found


def unused_credits(
    session: Session, wanted: Collection[SampleOf], *, lock: bool = False
) -> dict[SampleOf, list[Credit]]:
    """What these buyers' delivered samples cost, where no living or fulfilled pledge was credited with it."""
    samples = sorted({sample for sample, _ in wanted})
    rows: dict[UUID, sa.Row[Any]] = {}
    for part in chunks(sorted({buyer for _, buyer in wanted})):
        found = session.execute(
            sa.select(pledge.c.id, pledge.c.campaign_id, pledge.c.buyer_id, _cost().label("cost"))
            .where(pledge.c.campaign_id.in_(samples), pledge.c.buyer_id.in_(part))
            .where(pledge.c.state == PledgeState.FULFILLED)
            .order_by(pledge.c.id)
        )
        rows |= {row.id: row for row in found}
    if lock:
        lock_rows(session, Pledge, list(rows))
    used: set[UUID] = set()
    for some in chunks(list(rows)):
        spent = sa.select(credit.c.sample_pledge_id).select_from(standing).where(credited.c.state.not_in(GONE))
        used |= set(session.execute(spent.where(credit.c.sample_pledge_id.in_(some))).scalars())
    unused: dict[SampleOf, list[Credit]] = defaultdict(list)
    for row in rows.values():
        if row.id not in used and row.cost > 0:
            unused[row.campaign_id, row.buyer_id].append(Credit(row.id, row.cost))
    return dict(unused)


@dataclass(frozen=True)
class Offered:
    """What a buyer's samples take off joining with some pieces, and what they cost in all, in minor units."""

    off_minor: int = 0
    cost_minor: int = 0


def credit_offered(
    session: Session, found: Campaign, buyer_id: UUID | None, *, unit_price_minor: int, quantity: int
) -> Offered:
    """What joining with these certain pieces at this price would be credited with."""
    if found.sample_campaign_id is None or buyer_id is None:
        return Offered()
    wanted = (found.sample_campaign_id, buyer_id)
    cost = sum(each.amount_minor for each in unused_credits(session, [wanted]).get(wanted, []))
    if not cost:
        return Offered()
    return Offered(min(cost, terms_of(session, [found.id])[found.id].most_off(unit_price_minor, quantity)), cost)


def samples_arrived(session: Session, pledge_ids: Sequence[UUID], *, now: datetime) -> None:
    """Samples among these fulfilled pledges are in their buyers' hands: ask what they think, tell what it counts."""
    for part in chunks(pledge_ids):
        rows = session.execute(
            sa.select(pledge.c.id, pledge.c.buyer_id, campaign.c.title, campaign.c.title_en)
            .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
            .where(pledge.c.id.in_(part), campaign.c.kind == CampaignKind.SAMPLE)
        ).all()
        if not rows:
            continue
        asked = [
            Message(
                row.buyer_id,
                NoticeKind.EVALUATION_ASKED,
                row.id,
                f"evaluation_asked:{row.id}",
                {"title": row.title, "title_en": row.title_en},
            )
            for row in rows
        ]
        tell(session, asked, now=now)
        _tell_of_credits(session, pledge.c.id.in_([row.id for row in rows]), now)


def tell_of_credits(session: Session, campaign_ids: Sequence[UUID], *, now: datetime) -> None:
    """Campaigns that name a sample have opened: tell whoever holds one that its price is taken off."""
    for part in chunks(campaign_ids):
        _tell_of_credits(session, bulk.c.id.in_(part), now)


def _tell_of_credits(session: Session, which: sa.ColumnElement[bool], now: datetime) -> None:
    spent = sa.select(credit.c.sample_pledge_id).select_from(standing).where(credited.c.state.not_in(GONE))
    rows = session.execute(
        sa.select(pledge.c.id, pledge.c.buyer_id, _cost().label("cost"), bulk.c.id.label("bulk_id"))
        .add_columns(bulk.c.title, bulk.c.title_en, bulk.c.currency)
        .join_from(pledge, bulk, bulk.c.sample_campaign_id == pledge.c.campaign_id)
        .where(bulk.c.state == CampaignState.OPEN, pledge.c.state == PledgeState.FULFILLED, _cost() > 0, which)
        .where(pledge.c.id.not_in(spent))
        .order_by(pledge.c.id)
    )
    messages = [
        Message(
            row.buyer_id,
            NoticeKind.SAMPLE_CREDIT,
            row.bulk_id,
            f"sample_credit:{row.bulk_id}:{row.id}",
            {"title": row.title, "title_en": row.title_en, "amount_minor": row.cost, "currency": row.currency},
        )
        for row in rows
    ]
    tell(session, messages, now=now)


def samples_of(session: Session, organisation_id: UUID) -> list[Campaign]:
    """A merchandiser's sample orders that a later campaign may name, the newest first."""
    statement = select(Campaign).where(
        Campaign.organisation_id == organisation_id,
        Campaign.kind == CampaignKind.SAMPLE,
        col(Campaign.state).in_(TRIED),
    )
    return list(session.exec(statement.order_by(col(Campaign.created_at).desc(), col(Campaign.id).desc())).all())


def evaluate_sample(
    session: Session, sample: Pledge, *, quality: int, fit: int, would_order: bool, words: str, now: datetime
) -> None:
    """Keep what a buyer says of a delivered sample, once.

    Raises:
        NotASample, AlreadyEvaluated, MarkRefused
    """
    lock_rows(session, Pledge, [sample.id])
    session.refresh(sample)
    found = queries.campaign(session, sample.campaign_id)
    if found.kind is not CampaignKind.SAMPLE or sample.state is not PledgeState.FULFILLED:
        raise NotASample(pledge_id=sample.id)
    if quality not in MARKS or fit not in MARKS or len(words) > LONGEST_WORDS:
        raise MarkRefused(pledge_id=sample.id)
    if session.get(Evaluation, sample.id) is not None:
        raise AlreadyEvaluated(pledge_id=sample.id)
    said = {"quality": quality, "fit": fit, "would_order": would_order, "words": words.strip()}
    whose = {"pledge_id": sample.id, "campaign_id": found.id, "buyer_id": sample.buyer_id, "given_at": now}
    insert_rows(session, Evaluation, [said | whose])


@dataclass(frozen=True)
class Opinion:
    """One evaluation as strangers may see it: a masked name, a place, the marks, the words."""

    initial: str
    region: str
    quality: int
    fit: int
    would_order: bool
    words: str
    at: datetime


@dataclass(frozen=True)
class Opinions:
    """What all who held a sample say: how many, their average marks, the share that would order, the latest."""

    count: int
    quality: float
    fit: float
    would_order: float
    latest: tuple[Opinion, ...]


def opinions_of(session: Session, sample_campaign_id: UUID, *, limit: int = 6) -> Opinions | None:
    """The evaluations of a sample order; None before the first."""
    e = table_of(Evaluation).c
    would = sa.case((e.would_order.is_(True), 1), else_=0)
    count, quality, fit, yes = session.execute(
        sa.select(sa.func.count(), sa.func.avg(e.quality), sa.func.avg(e.fit), sa.func.avg(would)).where(
            e.campaign_id == sample_campaign_id
        )
    ).one()
    if not count:
        return None
    rows = session.exec(
        select(Evaluation, Organisation)
        .join(Organisation, col(Organisation.id) == col(Evaluation.buyer_id))
        .where(Evaluation.campaign_id == sample_campaign_id)
        .order_by(col(Evaluation.given_at).desc(), col(Evaluation.pledge_id).desc())
        .limit(limit)
    )
    latest = tuple(
        Opinion(who.name[:1], who.region, said.quality, said.fit, said.would_order, said.words, said.given_at)
        for said, who in rows
    )
    return Opinions(int(count), float(quality), float(fit), float(yes), latest)


def _cost() -> sa.ColumnElement[int]:
    """What a delivered sample cost its buyer."""
    return pledge.c.delivered_quantity * sa.func.coalesce(pledge.c.final_price_minor, pledge.c.unit_price_minor)
