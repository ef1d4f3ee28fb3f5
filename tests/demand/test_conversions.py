"""When a campaign that was a concept closes, it is kept which of those who wanted the pieces ordered them."""

from uuid import UUID

import pytest
from sqlmodel import select

from c2m.demand import queries
from c2m.demand.campaigns import cancel_campaign
from c2m.demand.pledges import cancel_pledge
from c2m.design.models import Commitment, Outcome
from tests.demand.market import WEEK, Market
from tests.design.builders import NOON, a_concept
from tests.design.test_validation import a_crowd, paid


@pytest.fixture
def market(market: Market) -> Market:
    market.now = NOON
    return market


def a_promoted_concept(market: Market) -> tuple[UUID, list[UUID]]:
    """The campaign a concept became, and its twelve interested buyers, of whom the first six paid a deposit."""
    with market.database.transaction() as session:
        concept, variants = a_concept(session, organisation_id=market.merchandiser, category="tshirt", deposit_minor=0)
        buyers = a_crowd(session, variants, 12)
        paid(session, buyers[:6])
    return market.campaign(minimum=20, concept_id=concept.id), buyers


def outcomes(market: Market) -> dict[Commitment, tuple[int, int]]:
    with market.database.reading() as session:
        return {row.commitment: (row.buyers, row.orders) for row in session.exec(select(Outcome)).all()}


@pytest.mark.parametrize("pieces", [10, 1])
def test_orders_alive_at_the_close_count_whether_or_not_the_minimum_was_reached(market: Market, pieces: int) -> None:
    campaign_id, buyers = a_promoted_concept(market)
    for buyer in (buyers[0], buyers[1], buyers[2], buyers[7], market.buyer()):
        market.join_and_pay(campaign_id, pieces, buyer=buyer)
    gone = market.join_and_pay(campaign_id, 1, buyer=buyers[8])
    with market.database.transaction() as session:
        cancel_pledge(session, queries.pledge_of(session, gone, buyer_id=buyers[8]), now=market.now)
    market.pass_time(WEEK)
    assert market.get(campaign_id).state == ("succeeded" if pieces == 10 else "failed")
    assert outcomes(market) == {Commitment.STATED: (6, 1), Commitment.DEPOSITED: (6, 3)}


def test_a_campaign_that_is_called_off_teaches_nothing(market: Market) -> None:
    campaign_id, buyers = a_promoted_concept(market)
    market.join_and_pay(campaign_id, 10, buyer=buyers[0])
    with market.database.transaction() as session:
        cancel_campaign(session, campaign_id, now=market.now)
    market.work()
    assert outcomes(market) == {}


def test_a_campaign_that_was_no_concept_teaches_nothing(market: Market) -> None:
    market.join_and_pay(market.campaign(), 60)
    market.pass_time(WEEK)
    assert outcomes(market) == {}
