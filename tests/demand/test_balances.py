"""A presale after its close: told, reminded, forfeited by the stated rule, its pieces released to those who wait."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from c2m.audit import running
from c2m.demand import queries
from c2m.demand.models import CampaignKind, DemandSheet, Pledge, PledgeState, WaitingState
from c2m.demand.pledges import PartialBalance, cancel_pledge, pay_balance
from c2m.ledger.models import AccountKind, Transfer
from c2m.notices.models import Notice, NoticeKind
from tests.demand.market import WEEK, Market
from tests.demand.queueing import became, place, told, wait
from tests.design.builders import a_concept

WINDOW = timedelta(days=3)
DAY = timedelta(days=1)


def pay(market: Market, pledge_id: UUID, offered_minor: int | None = None) -> None:
    with market.database.transaction() as session:
        pledge = session.get_one(Pledge, pledge_id)
        pay_balance(session, pledge, now=market.now, offered_minor=offered_minor)
    market.work()


def presale(market: Market, *quantities: int, **terms: object) -> tuple[UUID, list[UUID]]:
    """A sold-out presale of ¥5 deposits that count ¥10 of the ¥40, with these paid pledges."""
    terms = {"cap": sum(quantities), "minimum": 1} | terms
    campaign = market.campaign(CampaignKind.PRESALE, **terms)
    return campaign, [market.join_and_pay(campaign, quantity) for quantity in quantities]


def a_published_concept(market: Market) -> UUID:
    with market.database.transaction() as session:
        return a_concept(session, organisation_id=market.merchandiser)[0].id


def sheets(market: Market, campaign: UUID) -> list[DemandSheet]:
    with market.database.reading() as session:
        return list(session.exec(select(DemandSheet).where(DemandSheet.campaign_id == campaign)).all())


def sound(market: Market) -> None:
    """The audit finds nothing."""
    with market.database.reading() as session:
        assert running.run(session, now=market.now) == []


def test_the_balance_is_told_at_the_opening_and_reminded_of_once_before_the_end(market: Market) -> None:
    _, [pledge] = presale(market, 5)
    buyer = market.pledge(pledge).buyer_id
    market.pass_time(WEEK)
    assert told(market, buyer) == [NoticeKind.BALANCE_DUE]
    market.pass_time(WINDOW - DAY - timedelta(minutes=1))
    assert told(market, buyer) == [NoticeKind.BALANCE_DUE]
    market.pass_time(timedelta(minutes=1))
    market.work()
    assert told(market, buyer) == [NoticeKind.BALANCE_DUE, NoticeKind.BALANCE_REMINDER]
    with market.database.reading() as session:
        due, reminder = session.exec(select(Notice).where(Notice.organisation_id == buyer).order_by(Notice.id)).all()  # type: ignore[arg-type]
    assert due.facts["amount_minor"] == reminder.facts["amount_minor"] == 150_00
    assert (due.subject_id, due.facts["until"]) == (pledge, (market.now + DAY).isoformat())


def test_who_has_paid_is_not_reminded(market: Market) -> None:
    _, [paid, unpaid] = presale(market, 5, 3)
    market.pass_time(WEEK)
    pay(market, paid)
    market.pass_time(WINDOW - DAY)
    assert NoticeKind.BALANCE_REMINDER not in told(market, market.pledge(paid).buyer_id)
    assert NoticeKind.BALANCE_REMINDER in told(market, market.pledge(unpaid).buyer_id)


@pytest.mark.parametrize("offered", [1, 149_99, 150_01, 0, -150_00, 10**15])
def test_another_amount_than_the_balance_is_refused_and_changes_nothing(market: Market, offered: int) -> None:
    _, [pledge] = presale(market, 5)
    market.pass_time(WEEK)
    with pytest.raises(PartialBalance) as refused:
        pay(market, pledge, offered)
    assert refused.value.details["balance_minor"] == 150_00
    assert market.state(pledge) is PledgeState.BALANCE_DUE
    with market.database.reading() as session:
        assert session.exec(select(Transfer).where(Transfer.purpose == "demand.balance")).all() == []
    pay(market, pledge, 150_00)
    assert market.state(pledge) is PledgeState.CONFIRMED


def test_a_forfeit_goes_to_the_merchandiser_and_is_told(market: Market) -> None:
    campaign, [paid, unpaid] = presale(market, 5, 3)
    market.pass_time(WEEK)
    pay(market, paid)
    market.pass_time(WINDOW)
    assert market.state(unpaid) is PledgeState.FORFEITED
    assert market.balance(AccountKind.MERCHANDISER_PAYABLE, market.merchandiser) == 15_00
    assert told(market, market.pledge(unpaid).buyer_id)[-1] is NoticeKind.DEPOSIT_FORFEITED
    assert [sheet.quantity for sheet in sheets(market, campaign)] == [5]
    sound(market)


def test_without_a_sample_the_deposit_of_what_was_a_concept_comes_back(market: Market) -> None:
    campaign, [paid, unpaid] = presale(market, 5, 3, concept_id=a_published_concept(market))
    waiting = wait(market, campaign, 3)
    market.pass_time(WEEK)
    pay(market, paid)
    market.pass_time(WINDOW)
    assert market.state(unpaid) is PledgeState.REFUNDED
    assert market.spent(market.pledge(unpaid).buyer_id) == 0
    assert market.balance(AccountKind.MERCHANDISER_PAYABLE, market.merchandiser) == 0
    assert told(market, market.pledge(unpaid).buyer_id)[-1] is NoticeKind.DEPOSIT_RETURNED
    [released] = became(market, waiting)
    market.pass_time(timedelta(minutes=1))
    assert market.state(released.id) is PledgeState.CONFIRMED
    assert [sheet.quantity for sheet in sheets(market, campaign)] == [8]
    sound(market)


def test_once_a_sample_was_to_be_had_the_deposit_is_forfeited(market: Market) -> None:
    sample = market.campaign(CampaignKind.SAMPLE, ladder=((1, 60_00),), minimum=1, cap=5, per_buyer_limit=2)
    terms = {"concept_id": a_published_concept(market), "sample_campaign_id": sample}
    _, [paid, unpaid] = presale(market, 5, 3, **terms)
    market.pass_time(WEEK)
    pay(market, paid)
    market.pass_time(WINDOW)
    assert market.state(unpaid) is PledgeState.FORFEITED
    sound(market)


def test_forfeited_pieces_are_released_to_those_who_wait_at_the_final_price_before_the_sheet(market: Market) -> None:
    campaign, [paid, unpaid] = presale(market, 5, 3)
    waiting = wait(market, campaign, 3)
    market.pass_time(WEEK)
    assert place(market, waiting).state is WaitingState.WAITING
    pay(market, paid)
    market.now += WINDOW
    market.provider.failures_left = 1
    market.work()
    assert market.state(unpaid) is PledgeState.FORFEITED
    [released] = became(market, waiting)
    assert (released.charged_minor, released.final_price_minor, released.balance_minor) == (120_00, 40_00, 0)
    assert (released.state, sheets(market, campaign)) == (PledgeState.UNPAID, [])
    sound(market)
    market.pass_time(timedelta(minutes=1))
    assert market.state(released.id) is PledgeState.CONFIRMED
    assert [sheet.quantity for sheet in sheets(market, campaign)] == [8]
    assert place(market, waiting).state is WaitingState.FILLED
    assert market.get(campaign).pledged_quantity == market.get(campaign).final_quantity == 8
    assert market.spent(released.buyer_id) == 120_00
    sound(market)


def test_who_named_a_ceiling_below_the_final_price_is_charged_nothing(market: Market) -> None:
    campaign, [paid, _] = presale(market, 5, 3)
    below = wait(market, campaign, 3, ceiling_minor=39_99)
    stays = wait(market, campaign, 3, ceiling_minor=39_99, accepts_dearer=True)
    market.pass_time(WEEK)
    pay(market, paid)
    market.pass_time(WINDOW)
    assert (became(market, below), place(market, below).state) == ([], WaitingState.LAPSED)
    assert market.spent(place(market, below).buyer_id) == 0
    assert [(p.state, p.charged_minor) for p in became(market, stays)] == [(PledgeState.CONFIRMED, 120_00)]
    assert [sheet.quantity for sheet in sheets(market, campaign)] == [8]
    sound(market)


def test_a_declined_release_goes_to_the_next_and_who_gets_none_is_told(market: Market) -> None:
    campaign, [paid, _] = presale(market, 5, 3)
    poor = market.buyer()
    market.provider.declined_organisations.add(str(poor))
    first, second, third = (wait(market, campaign, 3, buyer=buyer) for buyer in (poor, None, None))
    market.pass_time(WEEK)
    pay(market, paid)
    market.pass_time(WINDOW)
    assert [p.state for p in became(market, first)] == [PledgeState.CANCELLED]
    assert [p.state for p in became(market, second)] == [PledgeState.CONFIRMED]
    assert place(market, third).state is WaitingState.LAPSED
    assert told(market, place(market, third).buyer_id) == [NoticeKind.WAITING_LAPSED]
    assert [sheet.quantity for sheet in sheets(market, campaign)] == [8]
    sound(market)


def test_a_payment_that_does_not_come_in_time_holds_nobody_up(market: Market) -> None:
    campaign, [paid, _] = presale(market, 5, 3)
    waiting = wait(market, campaign, 3)
    market.pass_time(WEEK)
    pay(market, paid)
    market.provider.failures_left = 10**6
    market.now += WINDOW
    for _ in range(9):
        market.pass_time(timedelta(minutes=15))
    [late] = became(market, waiting)
    assert late.state is PledgeState.CANCELLED
    assert [sheet.quantity for sheet in sheets(market, campaign)] == [5]
    sound(market)
    market.provider.failures_left = 0
    market.pass_time(DAY)
    assert market.spent(late.buyer_id) == 0
    assert market.state(late.id) is PledgeState.CANCELLED
    sound(market)


def test_released_pieces_keep_the_limit_of_a_buyer(market: Market) -> None:
    campaign, [paid, _] = presale(market, 2, 2, per_buyer_limit=2)
    greedy = market.pledge(paid).buyer_id
    with pytest.raises(Exception, match="One buyer may take"):
        wait(market, campaign, 1, buyer=greedy)
    waiting = wait(market, campaign, 2)
    market.pass_time(WEEK)
    pay(market, paid)
    market.pass_time(WINDOW)
    assert [p.state for p in became(market, waiting)] == [PledgeState.CONFIRMED]
    sound(market)


def test_only_forfeited_pieces_are_released_not_what_was_never_sold(market: Market) -> None:
    campaign, [paid, _] = presale(market, 5, 3, cap=10)
    waiting = wait(market, campaign, 5)
    market.pass_time(WEEK)
    pay(market, paid)
    market.pass_time(WINDOW)
    assert place(market, waiting).state is WaitingState.LAPSED
    assert [sheet.quantity for sheet in sheets(market, campaign)] == [5]


def test_everybody_is_told_once_how_a_campaign_ended(market: Market) -> None:
    campaign = market.campaign(minimum=5)
    twice, left = market.buyer(), market.buyer()
    for _ in range(2):
        market.join_and_pay(campaign, 3, buyer=twice)
    gone = market.join_and_pay(campaign, 1, buyer=left)
    with market.database.transaction() as session:
        cancel_pledge(session, queries.pledge_of(session, gone, buyer_id=left), now=market.now)
    failed = market.campaign(minimum=500)
    other = market.pledge(market.join_and_pay(failed, 3)).buyer_id
    market.pass_time(WEEK)
    assert told(market, twice) == [NoticeKind.CAMPAIGN_SUCCEEDED]
    assert told(market, left) == []
    assert told(market, other) == [NoticeKind.CAMPAIGN_FAILED]
    assert sorted(told(market, market.merchandiser)) == [NoticeKind.CAMPAIGN_FAILED, NoticeKind.CAMPAIGN_SUCCEEDED]
