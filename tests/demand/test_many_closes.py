"""Dozens of campaigns with all there is to agree to, closed in one go, extended, begun anew, paid and forfeited."""

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select

from c2m.audit import run
from c2m.demand.extension import answer_extension
from c2m.demand.joining import place_pledge
from c2m.demand.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    ChangeKind,
    Consent,
    Pledge,
    PledgeChange,
    PledgeState,
)
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.pledges import pay_balance
from c2m.demand.queries import variants
from c2m.errors import Refusal
from tests.demand.market import LADDER, WEEK, Market

CAMPAIGNS = 40
DAY = timedelta(days=1)
COLOURS = (("black", "M"), ("black", "L"), ("white", "M"), ("white", "L"), ("red", "M"))
PRICES = [price for _, price in LADDER]


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_was_agreed_to_every_close_adds_up(market: Market, seed: int) -> None:
    chance = Random(seed)
    campaigns = [a_campaign(market, chance) for _ in range(CAMPAIGNS)]
    for campaign in campaigns:
        a_crowd_joins(market, chance, campaign)
    market.work()
    audited(market)
    market.pass_time(WEEK)
    audited(market)
    some_answer(market, chance)
    some_balances_are_paid(market, chance)
    market.pass_time(2 * DAY)
    audited(market)
    for _ in range(6):
        market.pass_time(3 * DAY)
        some_balances_are_paid(market, chance)
    audited(market)
    assert_everything_happened(market)


def a_campaign(market: Market, chance: Random) -> UUID:
    return market.campaign(
        chance.choice([CampaignKind.GROUP_BUY, CampaignKind.GROUP_BUY, CampaignKind.PRESALE]),
        category="mug",
        variants=COLOURS,
        minimum=chance.choice([20, 45, 70]),
        cap=chance.choice([None, 150]),
        per_buyer_limit=chance.choice([None, 90]),
        pack_pieces=chance.choice([1, 1, 6, 12]),
        colour_minimum=chance.choice([0, 8, 15]),
        extension_days=chance.choice([0, 3]),
        next_round_days=chance.choice([0, 4]),
    )


def a_crowd_joins(market: Market, chance: Random, campaign_id: UUID) -> None:
    with market.database.reading() as session:
        chosen_from = [variant.id for variant in variants(session, campaign_id)]
    for number in range(chance.randint(0, 7)):
        chosen = chance.sample(chosen_from, chance.randint(1, 3))
        lines = tuple((variant, chance.randint(1, 16)) for variant in chosen)
        request = PledgeRequest(
            campaign_id,
            market.buyer(),
            lines,
            f"crowd-{number}",
            flexible=tuple((variant, chance.randint(1, 9)) for variant, _ in lines if chance.random() < 0.4),
            ceiling_minor=chance.choice([None, None, *PRICES, 36_50]),
            accepts_dearer=chance.random() < 0.3,
            fallback_colour=chance.choice(["", "black", "white", "red"]),
            joins_next_round=chance.random() < 0.5,
        )
        try:
            with market.database.transaction() as session:
                place_pledge(session, request, now=market.now)
        except Refusal:
            continue


def some_answer(market: Market, chance: Random) -> None:
    for pledge in pledges(market, col(Pledge.consent) == Consent.ASKED):
        answer = chance.choice([True, True, False, None])
        if answer is not None:
            with market.database.transaction() as session:
                answer_extension(session, session.get_one(Pledge, pledge.id), agrees=answer, now=market.now)
    market.work()


def some_balances_are_paid(market: Market, chance: Random) -> None:
    for pledge in pledges(market, col(Pledge.state) == PledgeState.BALANCE_DUE):
        if chance.random() < 0.7:
            with market.database.transaction() as session:
                pay_balance(session, session.get_one(Pledge, pledge.id), now=market.now)
    market.work()


def pledges(market: Market, *which: Any) -> list[Pledge]:
    with market.database.reading() as session:
        return list(session.exec(select(Pledge).where(*which).order_by(col(Pledge.id))).all())


def audited(market: Market) -> None:
    with market.database.reading() as session:
        assert run(session, now=market.now) == []


def assert_everything_happened(market: Market) -> None:
    """Nothing that can happen was left out by chance, and no campaign hangs."""
    with market.database.reading() as session:
        told = {change.kind for change in session.exec(select(PledgeChange))}
        states = {campaign.state for campaign in session.exec(select(Campaign))}
        consents = {pledge.consent for pledge in session.exec(select(Pledge))}
    assert told == set(ChangeKind) - {ChangeKind.MOVED_UP, ChangeKind.LEFT_FREE}
    assert states == {CampaignState.SUCCEEDED, CampaignState.FAILED}
    assert consents >= {Consent.GIVEN, Consent.REFUSED, Consent.LAPSED}
