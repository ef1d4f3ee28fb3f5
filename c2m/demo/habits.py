"""Habits of buyers beside buying: what they agree to when joining, how they answer an extension, judge a sample."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of
from c2m.demand.extension import answer_extension
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Consent, Evaluation, Pledge, PledgeState
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.samples import evaluate_sample
from c2m.demo import demand
from c2m.demo.calendar import Diary
from c2m.demo.market import Market
from c2m.demo.products import Product
from c2m.demo.town import Town

OFFERS_EXTRA = 0.07  # share of those who join
NAMES_A_CEILING = 0.05
STAYS_IF_DEARER = 0.5
TAKES_ANOTHER_COLOUR = 0.6
COMES_ALONG = 0.65  # to the next round
AGREES_TO_EXTENSION = 0.88
ANSWERS = 0.94  # an extension at all
EVALUATES = 0.7
ORDERS_AFTER_SAMPLE = 0.5

WORDS = (
    "面料比想象的厚实，走线工整。 Sturdier than I expected, neat seams.",
    "颜色跟照片一致，尺寸略偏大。 The colour is as pictured; it runs a little large.",
    "手感不错，包装可以再讲究些。 Feels good; the packing could be better.",
    "店里试摆了一天，三个人问价。 On the counter for a day, three people asked the price.",
    "",
)

pledge, campaign, evaluation = table_of(Pledge), table_of(Campaign), table_of(Evaluation)


@dataclass
class Habits:
    """What all buyers do now and then; the buyer to try leaves questions open, for whoever tries."""

    market: Market
    town: Town
    _rng: Random = field(init=False)
    _asked: set[UUID] = field(default_factory=set)
    _answers: Diary[UUID] = field(default_factory=Diary)
    _judged: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._rng = self.market.chance("habits")

    def act(self, session: Session, *, now: datetime) -> None:
        """Answer extensions, and say what delivered samples are like."""
        self._answer(session, now)
        self._judge(session, now)

    def agreed(self, request: PledgeRequest, product: Product) -> PledgeRequest:
        """A request with what its buyer agrees to beside its pieces."""
        rng, colours = self._rng, list(dict.fromkeys(colour for colour, _size in product.variants))
        several = len(product.tiers) > 1
        if several and rng.random() < OFFERS_EXTRA:
            request = replace(request, flexible=((request.lines[0][0], rng.randint(1, 3)),))
        elif several and rng.random() < NAMES_A_CEILING:
            ceiling = rng.choice(product.tiers[1:]).price_minor
            request = replace(request, ceiling_minor=ceiling, accepts_dearer=rng.random() < STAYS_IF_DEARER)
        if product.colour_minimum and rng.random() < TAKES_ANOTHER_COLOUR:
            request = replace(request, fallback_colour=rng.choice(colours))
        if product.next_round and rng.random() < COMES_ALONG:
            request = replace(request, joins_next_round=True)
        return request

    def sample_holders(self, session: Session, campaign_id: UUID) -> list[UUID]:
        """Buyers who have a campaign's sample in their hands and order now."""
        sample_id = session.get_one(Campaign, campaign_id).sample_campaign_id
        if sample_id is None:
            return []
        holders = (
            sa.select(pledge.c.buyer_id)
            .where(pledge.c.campaign_id == sample_id, pledge.c.state == PledgeState.FULFILLED)
            .order_by(pledge.c.id)
        )
        return [buyer for buyer in session.execute(holders).scalars() if self._rng.random() < ORDERS_AFTER_SAMPLE]

    def _answer(self, session: Session, now: datetime) -> None:
        for row in session.execute(_consents_asked()).all():
            if row.id in self._asked:
                continue
            self._asked.add(row.id)
            if row.buyer_id != self.town.buyer_to_try.id and self._rng.random() < ANSWERS:
                left = row.consents_due_at - now
                self._answers.note(now + demand.within(self._rng, left * 0.02, left * 0.8), row.id)
        for pledge_id in self._answers.due(now):
            asked = session.get_one(Pledge, pledge_id, populate_existing=True)
            if asked.consent is Consent.ASKED and asked.state is PledgeState.PAID:
                answer_extension(session, asked, agrees=self._rng.random() < AGREES_TO_EXTENSION, now=now)

    def _judge(self, session: Session, now: datetime) -> None:
        for row in session.execute(_samples_in_hand()).all():
            if row.id in self._judged or row.buyer_id == self.town.buyer_to_try.id:
                continue
            self._judged.add(row.id)
            if self._rng.random() < EVALUATES:
                quality = self._rng.choices((2, 3, 4, 5), weights=(1, 2, 5, 5))[0]
                evaluate_sample(
                    session,
                    session.get_one(Pledge, row.id),
                    quality=quality,
                    fit=self._rng.choices((3, 4, 5), weights=(2, 4, 4))[0],
                    would_order=quality > 3,
                    words=self._rng.choice(WORDS),
                    now=now,
                )


def _consents_asked() -> sa.Select[Any]:
    return (
        sa.select(pledge.c.id, pledge.c.buyer_id, campaign.c.consents_due_at)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .where(campaign.c.state == CampaignState.OPEN, campaign.c.extended_at.is_not(None))
        .where(pledge.c.consent == Consent.ASKED, pledge.c.state == PledgeState.PAID)
        .order_by(pledge.c.id)
    )


def _samples_in_hand() -> sa.Select[Any]:
    return (
        sa.select(pledge.c.id, pledge.c.buyer_id)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .where(campaign.c.kind == CampaignKind.SAMPLE, pledge.c.state == PledgeState.FULFILLED)
        .where(~sa.exists().where(evaluation.c.pledge_id == pledge.c.id))
        .order_by(pledge.c.id)
    )
