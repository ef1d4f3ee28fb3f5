"""A merchandiser may complete its own campaign, openly and by what is missing, and join it in no other way."""

from uuid import UUID

import pytest

from c2m.db import uuid7
from c2m.demand.completion import complete_campaign, missing_pieces, pieces_bought_by_merchant, suggested_pieces
from c2m.demand.joining import place_pledge
from c2m.demand.models import Campaign, CampaignKind, CampaignState, PledgeState
from c2m.demand.pledge_requests import NothingMissing, OwnCampaign, PledgeRequest
from tests.demand.market import WEEK, Market


def complete(market: Market, campaign: UUID, quantity: int, *, key: str = "") -> UUID:
    variant = market.variant(campaign)
    with market.database.transaction() as session:
        found = session.get_one(Campaign, campaign)
        return complete_campaign(
            session, found, {variant: quantity}, idempotency_key=key or str(uuid7()), now=market.now
        )


def missing(market: Market, campaign: UUID) -> int:
    return missing_pieces(market.get(campaign), now=market.now)


def bought(market: Market, campaign: UUID) -> int:
    with market.database.reading() as session:
        return pieces_bought_by_merchant(session, campaign)


def test_a_merchandiser_does_not_join_its_own_campaign(market: Market) -> None:
    campaign = market.campaign()
    with pytest.raises(OwnCampaign):
        market.join(campaign, 3, buyer=market.merchandiser)
    assert market.pledges(campaign) == []


def test_nobody_else_completes_a_campaign(market: Market) -> None:
    campaign = market.campaign()
    request = PledgeRequest(campaign, market.buyer(), ((market.variant(campaign), 3),), "a key", merchant_funded=True)
    with pytest.raises(OwnCampaign), market.database.transaction() as session:
        place_pledge(session, request, now=market.now)
    assert market.pledges(campaign) == []


def test_the_missing_pieces_are_paid_like_any_other_and_named(market: Market) -> None:
    campaign = market.campaign(minimum=50, per_buyer_limit=40)
    market.join_and_pay(campaign, 30)
    assert missing(market, campaign) == 20
    pledge = complete(market, campaign, 20)
    market.work()
    assert (market.state(pledge), market.pledge(pledge).merchant_funded) == (PledgeState.PAID, True)
    assert (bought(market, campaign), missing(market, campaign)) == (20, 0)
    assert market.spent(market.merchandiser) == 20 * 34_00
    market.pass_time(WEEK)
    assert market.get(campaign).state is CampaignState.SUCCEEDED
    assert market.pledge(pledge).final_price_minor == 34_00


def test_no_more_than_is_missing(market: Market) -> None:
    campaign = market.campaign(minimum=50)
    market.join_and_pay(campaign, 30)
    with pytest.raises(NothingMissing):
        complete(market, campaign, 21)
    complete(market, campaign, 5, key="once")
    complete(market, campaign, 5, key="once")
    with pytest.raises(NothingMissing):
        complete(market, campaign, 16)
    assert (market.get(campaign).pledged_quantity, bought(market, campaign)) == (35, 5)


def test_a_presale_is_completed_by_its_buyers_alone(market: Market) -> None:
    campaign = market.campaign(CampaignKind.PRESALE)
    assert missing(market, campaign) == 0
    with pytest.raises(NothingMissing):
        complete(market, campaign, 1)


def test_the_suggestion_follows_what_buyers_chose() -> None:
    one, other = uuid7(), uuid7()
    assert suggested_pieces(10, {one: 3, other: 1}) == {one: 8, other: 2}
    assert suggested_pieces(5, {one: 0, other: 0}) == {one: 3, other: 2}
