"""Closing: everyone on the final tier, or everyone refunded; once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from c2m.db import table_of
from c2m.demand import queries
from c2m.demand.campaigns import CampaignNotOpen, cancel_campaign
from c2m.demand.closing import close_campaigns
from c2m.demand.models import CampaignKind, CampaignState, PledgeState, SheetPledge
from c2m.demand.pledges import (
    BalanceNotDue,
    PaymentInFlight,
    PledgeNotCancellable,
    cancel_pledge,
    pay_balance,
)
from c2m.ledger.models import AccountKind, HoldState
from c2m.ledger.queries import holds_of
from tests.demand.market import WEEK, Market


def test_everyone_ends_on_the_final_tier_with_the_difference_back(market: Market) -> None:
    campaign, early, late = market.campaign(), market.buyer(), market.buyer()
    first = market.join_and_pay(campaign, 30, buyer=early)
    market.join_and_pay(campaign, 30, buyer=late)
    market.pass_time(WEEK)
    closed = market.get(campaign)
    assert (closed.state, closed.final_quantity, closed.final_price_minor) == (CampaignState.SUCCEEDED, 60, 34_00)
    assert market.spent(early) == market.spent(late) == 30 * 34_00
    assert market.pledge(first).final_price_minor == 34_00
    assert market.escrow(campaign) == 60 * 34_00
    assert market.ledger_sum() == 0


def test_below_the_minimum_everyone_is_refunded(market: Market) -> None:
    campaign, buyer = market.campaign(), market.buyer()
    pledge = market.join_and_pay(campaign, 49, buyer=buyer)
    market.pass_time(WEEK)
    assert market.get(campaign).state is CampaignState.FAILED
    assert market.state(pledge) is PledgeState.REFUNDED
    assert market.spent(buyer) == market.escrow(campaign) == 0


def test_closing_twice_has_one_effect(market: Market) -> None:
    campaign = market.campaign()
    market.join_and_pay(campaign, 60)
    market.pass_time(WEEK)
    before = market.escrow(campaign)
    with market.database.transaction() as session:
        close_campaigns(session, [campaign], market.now)
    market.work()
    assert market.escrow(campaign) == before
    with market.database.reading() as session:
        assert len(queries.open_sheets(session)) == 1


def test_a_sheet_holds_every_confirmed_unit_once(market: Market) -> None:
    campaign = market.campaign()
    pledges = [market.join_and_pay(campaign, quantity) for quantity in (30, 25, 5)]
    market.pass_time(WEEK)
    with market.database.reading() as session:
        [sheet] = queries.open_sheets(session)
        [line] = queries.sheet_lines(session, [sheet.id])[sheet.id]
        made_of = table_of(SheetPledge)
        rows = session.execute(sa.select(made_of.c.pledge_id, made_of.c.quantity)).all()
    assert sheet.quantity == line.quantity == 60
    assert sheet.target_cost_minor == 27_20
    assert sheet.processes == ["sewing"]
    assert sorted(rows) == sorted(zip(pledges, (30, 25, 5), strict=True))


def test_a_payment_in_flight_is_waited_for(market: Market) -> None:
    campaign = market.campaign()
    market.join_and_pay(campaign, 30)
    market.now += WEEK - timedelta(seconds=5)
    market.provider.failures_left = 1
    late = market.join(campaign, 30)
    market.work()
    market.pass_time(timedelta(seconds=5))
    assert market.get(campaign).state is CampaignState.CLOSING
    market.pass_time(timedelta(minutes=1))
    assert market.get(campaign).state is CampaignState.SUCCEEDED
    assert market.state(late) is PledgeState.CONFIRMED


def test_a_payment_that_comes_too_late_is_granted_back(market: Market) -> None:
    campaign, buyer = market.campaign(), market.buyer()
    market.join_and_pay(campaign, 60)
    market.now += WEEK - timedelta(seconds=5)
    market.provider.failures_left = 12
    late = market.join(campaign, 10, buyer=buyer)
    for _ in range(12):
        market.pass_time(timedelta(hours=1))
    assert market.get(campaign).final_quantity == 60
    assert market.state(late) is PledgeState.CANCELLED
    assert market.spent(buyer) == 0
    assert market.escrow(campaign) == 60 * 34_00


def test_leaving_before_the_deadline_brings_everything_back(market: Market) -> None:
    campaign, buyer = market.campaign(cap=60, per_buyer_limit=60), market.buyer()
    pledge = market.join_and_pay(campaign, 60, buyer=buyer)
    with market.database.transaction() as session:
        cancel_pledge(session, queries.pledge_of(session, pledge, buyer_id=buyer), now=market.now)
    market.work()
    assert (market.state(pledge), market.spent(buyer)) == (PledgeState.CANCELLED, 0)
    assert market.get(campaign).pledged_quantity == 0
    market.join(campaign, 60, buyer=buyer)


def test_leaving_with_the_payment_in_flight_or_after_the_deadline_is_refused(market: Market) -> None:
    campaign, buyer = market.campaign(), market.buyer()
    pledge = market.join(campaign, 60, buyer=buyer)
    for refusal, wait in ((PaymentInFlight, timedelta(0)), (PledgeNotCancellable, WEEK)):
        with pytest.raises(refusal), market.database.transaction() as session:
            cancel_pledge(session, queries.pledge_of(session, pledge, buyer_id=buyer), now=market.now + wait)
        market.work()
    assert market.state(pledge) is PledgeState.PAID


def test_someone_elses_pledge_is_not_found(market: Market) -> None:
    pledge = market.join_and_pay(market.campaign(), 5)
    with pytest.raises(queries.PledgeNotFound), market.database.reading() as session:
        queries.pledge_of(session, pledge, buyer_id=market.buyer())


def test_others_leaving_never_raises_what_one_pays(market: Market) -> None:
    campaign, stays, leaves = market.campaign(minimum=10), market.buyer(), market.buyer()
    big = market.join_and_pay(campaign, 190, buyer=leaves)
    market.join_and_pay(campaign, 10, buyer=stays)
    with market.database.transaction() as session:
        cancel_pledge(session, queries.pledge_of(session, big, buyer_id=leaves), now=market.now)
    market.pass_time(WEEK)
    assert market.get(campaign).final_price_minor == 40_00
    assert market.spent(stays) == 10 * 29_00


def test_a_campaign_called_off_refunds_everyone_even_payments_in_flight(market: Market) -> None:
    campaign, paid, unpaid = market.campaign(), market.buyer(), market.buyer()
    market.join_and_pay(campaign, 20, buyer=paid)
    market.join(campaign, 20, buyer=unpaid)
    with market.database.transaction() as session:
        cancel_campaign(session, campaign, now=market.now)
    market.work()
    assert market.get(campaign).state is CampaignState.CANCELLED
    assert market.spent(paid) == market.spent(unpaid) == market.escrow(campaign) == 0
    with pytest.raises(CampaignNotOpen), market.database.transaction() as session:
        cancel_campaign(session, campaign, now=market.now)


def test_a_presale_takes_deposit_then_balance(market: Market) -> None:
    campaign, buyer = market.campaign(CampaignKind.PRESALE), market.buyer()
    pledge = market.join_and_pay(campaign, 60, buyer=buyer)
    assert market.spent(buyer) == 60 * 5_00
    market.pass_time(WEEK)
    assert market.state(pledge) is PledgeState.BALANCE_DUE
    assert market.pledge(pledge).balance_minor == 60 * (34_00 - 10_00)
    with market.database.transaction() as session:
        pay_balance(session, queries.pledge_of(session, pledge, buyer_id=buyer), now=market.now)
    market.work()
    assert market.state(pledge) is PledgeState.CONFIRMED
    assert market.spent(buyer) == 60 * (5_00 + 24_00)
    market.pass_time(timedelta(days=3))
    with market.database.reading() as session:
        assert [sheet.quantity for sheet in queries.open_sheets(session)] == [60]


def test_an_unpaid_balance_forfeits_the_deposit(market: Market) -> None:
    campaign, pays, forgets = market.campaign(CampaignKind.PRESALE), market.buyer(), market.buyer()
    paid = market.join_and_pay(campaign, 40, buyer=pays)
    unpaid = market.join_and_pay(campaign, 20, buyer=forgets)
    market.pass_time(WEEK)
    with market.database.transaction() as session:
        pay_balance(session, queries.pledge_of(session, paid, buyer_id=pays), now=market.now)
    market.work()
    market.pass_time(timedelta(days=3))
    assert market.state(unpaid) is PledgeState.FORFEITED
    assert market.balance(AccountKind.MERCHANDISER_PAYABLE, market.merchandiser) == 20 * 5_00
    with market.database.reading() as session:
        assert [hold.state for hold in holds_of(session, [unpaid])] == [HoldState.FORFEITED]
        assert [sheet.quantity for sheet in queries.open_sheets(session)] == [40]
    assert market.escrow(campaign) == 40 * 29_00


def test_a_balance_is_paid_once_and_only_within_its_window(market: Market) -> None:
    campaign, buyer = market.campaign(CampaignKind.PRESALE), market.buyer()
    pledge = market.join_and_pay(campaign, 60, buyer=buyer)

    def pay(refusal: type[Exception]) -> None:
        with pytest.raises(refusal), market.database.transaction() as session:
            pay_balance(session, queries.pledge_of(session, pledge, buyer_id=buyer), now=market.now)

    pay(BalanceNotDue)
    market.pass_time(WEEK)
    with market.database.transaction() as session:
        pay_balance(session, queries.pledge_of(session, pledge, buyer_id=buyer), now=market.now)
    pay(PaymentInFlight)
    market.work()
    pay(BalanceNotDue)


def test_a_declined_balance_may_be_tried_again(market: Market) -> None:
    campaign, buyer = market.campaign(CampaignKind.PRESALE), market.buyer()
    pledge = market.join_and_pay(campaign, 60, buyer=buyer)
    market.pass_time(WEEK)
    market.provider.declined_organisations.add(str(buyer))
    for _ in range(2):
        with market.database.transaction() as session:
            pay_balance(session, queries.pledge_of(session, pledge, buyer_id=buyer), now=market.now)
        market.work()
        market.provider.declined_organisations.clear()
    assert market.state(pledge) is PledgeState.CONFIRMED
