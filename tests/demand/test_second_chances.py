"""A campaign below its minimum: extended once with everyone's consent, then begun anew with those who come along."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from c2m.app import build_worker
from c2m.clock import calendar_days, end_of_day
from c2m.demand import queries
from c2m.demand.campaigns import CampaignDraft, CampaignNotOpen, create_campaign, draft_errors
from c2m.demand.extension import (
    AlreadyExtended,
    ExtensionTooLong,
    NothingToAnswer,
    answer_extension,
    extend_campaign,
    lapse_consents,
)
from c2m.demand.models import (
    HOME_TIME_ZONE,
    Campaign,
    CampaignKind,
    CampaignState,
    ChangeKind,
    Consent,
    Pledge,
    PledgeLine,
    PledgeState,
)
from c2m.demand.pledges import cancel_pledge
from c2m.demand.policies import standard_policy
from c2m.demand.rules import Tier
from c2m.errors import Invalid, Refusal
from c2m.jobs import Job, JobState
from c2m.ledger.models import HoldState
from c2m.ledger.queries import holds_of
from c2m.notices.models import NoticeKind
from tests.demand.market import WEEK, Market
from tests.demand.test_settling import messages, refunds, told

DAY = timedelta(days=1)


def test_below_the_minimum_it_is_extended_once_and_everyone_is_asked(market: Market) -> None:
    campaign, buyer = market.campaign(extension_days=5), market.buyer()
    before = market.get(campaign)
    pledge = market.join_and_pay(campaign, 30, buyer=buyer)
    market.pass_time(WEEK)
    found = market.get(campaign)
    assert (found.state, found.deadline - before.deadline) == (CampaignState.OPEN, 5 * DAY)
    assert found.promised_date - before.promised_date == 5 * DAY
    assert found.consents_due_at == market.now + 2 * DAY
    assert market.pledge(pledge).consent is Consent.ASKED
    assert told(market, pledge) == [(ChangeKind.EXTENDED, 0, 0)]
    [notice] = messages(market, NoticeKind.CAMPAIGN_EXTENDED)
    assert (notice.organisation_id, notice.subject_id) == (buyer, pledge)
    assert market.escrow(campaign) == 30 * 40_00


def test_who_agrees_stays_who_refuses_is_refunded_at_once_who_is_silent_in_the_end(market: Market) -> None:
    campaign = market.campaign(extension_days=5, per_buyer_limit=30)
    buyers = [market.buyer() for _ in range(3)]
    agrees, refuses, silent = (market.join_and_pay(campaign, 12, buyer=buyer) for buyer in buyers)
    market.pass_time(WEEK)
    answer(market, agrees, agree=True)
    answer(market, refuses, agree=False)
    market.work()
    assert [market.state(p) for p in (agrees, refuses, silent)] == [
        PledgeState.PAID,
        PledgeState.REFUNDED,
        PledgeState.PAID,
    ]
    assert refunds(market, refuses) == {"demand.extension_declined": 12 * 40_00}
    assert market.get(campaign).pledged_quantity == 24
    market.pass_time(2 * DAY)
    assert (market.state(silent), market.pledge(silent).consent) == (PledgeState.REFUNDED, Consent.LAPSED)
    [notice] = messages(market, NoticeKind.CONSENT_LAPSED)
    assert (notice.organisation_id, notice.facts["amount_minor"]) == (buyers[2], 12 * 40_00)
    assert [market.spent(buyer) for buyer in buyers] == [12 * 40_00, 0, 0]
    market.join_and_pay(campaign, 30, buyer=buyers[1])
    market.join_and_pay(campaign, 20)
    market.pass_time(5 * DAY)
    found = market.get(campaign)
    assert (found.state, found.final_quantity) == (CampaignState.SUCCEEDED, 62)
    assert market.escrow(campaign) == 62 * 34_00


def test_those_who_join_after_the_extension_need_not_agree(market: Market) -> None:
    campaign = market.campaign(extension_days=5)
    market.join_and_pay(campaign, 30)
    market.pass_time(WEEK)
    late = market.join_and_pay(campaign, 20)
    assert market.pledge(late).consent is None
    market.pass_time(3 * DAY)
    assert market.state(late) is PledgeState.PAID


def test_an_extended_campaign_that_misses_again_fails(market: Market) -> None:
    campaign, buyer = market.campaign(extension_days=5), market.buyer()
    pledge = market.join_and_pay(campaign, 30, buyer=buyer)
    market.pass_time(WEEK)
    answer(market, pledge, agree=True)
    market.pass_time(5 * DAY)
    assert market.get(campaign).state is CampaignState.FAILED
    assert (market.state(pledge), market.spent(buyer)) == (PledgeState.REFUNDED, 0)


def test_with_nobody_in_there_is_nothing_to_extend(market: Market) -> None:
    campaign = market.campaign(extension_days=5)
    market.pass_time(WEEK)
    assert market.get(campaign).state is CampaignState.FAILED


def test_at_the_deadline_every_open_question_counts_as_no(market: Market) -> None:
    campaign = market.campaign(extension_days=1)
    pledge = market.join_and_pay(campaign, 60)
    quiet = market.campaign(extension_days=1)
    market.join_and_pay(quiet, 5)
    market.pass_time(WEEK)
    assert market.state(pledge) is PledgeState.CONFIRMED
    assert market.get(quiet).consents_due_at == market.get(quiet).deadline
    market.pass_time(DAY)
    assert market.get(quiet).state is CampaignState.FAILED
    assert market.get(quiet).final_quantity == 0


def test_consent_is_given_once_in_time_and_only_when_asked(market: Market) -> None:
    campaign = market.campaign(extension_days=5)
    first, second = market.join_and_pay(campaign, 10), market.join_and_pay(campaign, 10)
    with pytest.raises(NothingToAnswer):
        answer(market, first, agree=True)
    market.pass_time(WEEK)
    answer(market, first, agree=True)
    with pytest.raises(NothingToAnswer):
        answer(market, first, agree=False)
    market.now += 2 * DAY
    with pytest.raises(NothingToAnswer):
        answer(market, second, agree=True)
    market.work()
    with pytest.raises(NothingToAnswer):
        answer(market, second, agree=True)


def test_lapsing_twice_has_one_effect(market: Market) -> None:
    campaign, buyer = market.campaign(extension_days=5), market.buyer()
    market.join_and_pay(campaign, 10, buyer=buyer)
    market.pass_time(WEEK)
    market.pass_time(2 * DAY)
    with market.database.transaction() as session:
        lapse_consents(session, [campaign], market.now)
    market.work()
    assert (market.spent(buyer), market.get(campaign).pledged_quantity) == (0, 0)
    assert len(messages(market, NoticeKind.CONSENT_LAPSED)) == 1


def test_whoever_left_is_not_asked_and_may_leave_an_extended_campaign(market: Market) -> None:
    campaign, buyer = market.campaign(extension_days=5), market.buyer()
    pledge = market.join_and_pay(campaign, 10, buyer=buyer)
    market.pass_time(WEEK)
    with market.database.transaction() as session:
        cancel_pledge(session, queries.pledge_of(session, pledge, buyer_id=buyer), now=market.now)
    market.pass_time(3 * DAY)
    assert (market.state(pledge), market.spent(buyer)) == (PledgeState.CANCELLED, 0)


def test_a_merchandiser_extends_by_hand_before_the_deadline_once(market: Market) -> None:
    campaign = market.campaign(extension_days=5)
    paid, in_flight = market.join_and_pay(campaign, 10), market.join(campaign, 5)
    for days in (0, -1, 15, 10**9):
        with pytest.raises(ExtensionTooLong):
            extend(market, campaign, days)
    extend(market, campaign, 14)
    assert market.get(campaign).deadline == market.now + 21 * DAY
    assert {market.pledge(p).consent for p in (paid, in_flight)} == {Consent.ASKED}
    with pytest.raises(AlreadyExtended):
        extend(market, campaign, 1)
    market.pass_time(WEEK)
    assert market.get(campaign).state is CampaignState.OPEN
    market.pass_time(2 * WEEK)
    assert market.get(campaign).state is CampaignState.FAILED


def test_after_the_deadline_nobody_extends(market: Market) -> None:
    campaign = market.campaign()
    market.now += WEEK
    with pytest.raises(CampaignNotOpen):
        extend(market, campaign, 3)


def test_a_refused_payment_still_in_flight_is_granted_back_when_it_arrives(market: Market) -> None:
    campaign, buyer = market.campaign(), market.buyer()
    pledge = market.join(campaign, 10, buyer=buyer)
    extend(market, campaign, 3)
    answer(market, pledge, agree=False)
    market.work()
    assert (market.state(pledge), market.spent(buyer), market.escrow(campaign)) == (PledgeState.REFUNDED, 0, 0)


def test_the_next_round_takes_those_along_who_agreed_with_their_money(market: Market) -> None:
    campaign = market.campaign(next_round_days=10, per_buyer_limit=50, pack_pieces=4)
    comes, stays = market.buyer(), market.buyer()
    along = market.join_and_pay(campaign, 20, buyer=comes, joins_next_round=True, flexible=3)
    market.join_and_pay(campaign, 10, buyer=stays)
    market.pass_time(WEEK)
    old, new = market.get(campaign), the_round_after(market, campaign)
    assert (old.state, old.final_quantity, new.state) == (CampaignState.FAILED, 32, CampaignState.OPEN)  # whole packs
    assert (new.deadline, new.minimum, new.pack_pieces) == (market.now + 10 * DAY, 50, 4)
    assert calendar_days(new.deadline, new.promised_date, HOME_TIME_ZONE) == 28
    assert new.promised_date == end_of_day(new.promised_date, HOME_TIME_ZONE)
    assert (new.pledged_quantity, new.flexible_quantity) == (20, 3)
    [carried] = market.pledges(new.id)
    assert (carried.state, carried.buyer_id, carried.carried_from_id) == (PledgeState.PAID, comes, along)
    assert (carried.unit_price_minor, carried.charged_minor) == (40_00, 23 * 40_00)
    assert told(market, along) == [(ChangeKind.CARRIED_ON, 20, 23 * 40_00)]
    assert (market.escrow(campaign), market.escrow(new.id)) == (0, 23 * 40_00)
    assert (market.spent(comes), market.spent(stays), market.ledger_sum()) == (23 * 40_00, 0, 0)
    with market.database.reading() as session:
        assert [hold.state for hold in holds_of(session, [along])] == [HoldState.REFUNDED]
        [line] = session.exec(select(PledgeLine).where(PledgeLine.pledge_id == carried.id)).all()
    assert (line.variant_id, line.quantity, line.flexible_quantity) == (market.variant(new.id), 20, 3)
    [notice] = messages(market, NoticeKind.NEXT_ROUND)
    assert (notice.organisation_id, notice.subject_id) == (comes, carried.id)


def test_carried_pledges_keep_every_protection(market: Market) -> None:
    campaign = market.campaign(next_round_days=10, per_buyer_limit=60)
    keeps, leaves = market.buyer(), market.buyer()
    market.join_and_pay(campaign, 20, buyer=keeps, joins_next_round=True)
    market.join_and_pay(campaign, 10, buyer=leaves, joins_next_round=True)
    market.pass_time(WEEK)
    new = the_round_after(market, campaign)
    [kept, left] = sorted(market.pledges(new.id), key=lambda pledge: pledge.id)
    with market.database.transaction() as session:
        cancel_pledge(session, queries.pledge_of(session, left.id, buyer_id=leaves), now=market.now)
    with pytest.raises(Refusal):
        market.join(new.id, 41, buyer=keeps)
    market.join_and_pay(new.id, 40, buyer=keeps)
    market.pass_time(10 * DAY)
    assert market.get(new.id).state is CampaignState.SUCCEEDED
    assert market.pledge(kept.id).final_price_minor == 34_00
    assert (market.spent(keeps), market.spent(leaves)) == (60 * 34_00, 0)


def test_coming_along_is_agreed_to_for_one_round(market: Market) -> None:
    campaign, buyer = market.campaign(next_round_days=10), market.buyer()
    market.join_and_pay(campaign, 20, buyer=buyer, joins_next_round=True)
    market.pass_time(WEEK)
    new = the_round_after(market, campaign)
    market.pass_time(10 * DAY)
    assert market.get(new.id).state is CampaignState.FAILED
    assert market.spent(buyer) == market.escrow(new.id) == 0
    with market.database.reading() as session:
        assert session.exec(select(Campaign).where(Campaign.previous_round_id == new.id)).all() == []


def test_extension_comes_before_the_next_round(market: Market) -> None:
    campaign = market.campaign(extension_days=3, next_round_days=10)
    pledge = market.join_and_pay(campaign, 20, joins_next_round=True)
    market.pass_time(WEEK)
    assert market.get(campaign).state is CampaignState.OPEN
    answer(market, pledge, agree=True)
    market.pass_time(3 * DAY)
    new = the_round_after(market, campaign)
    assert (new.extended_at, new.consents_due_at, new.pledged_quantity) == (None, None, 20)


def test_a_presales_deposits_go_along(market: Market) -> None:
    campaign, buyer = market.campaign(CampaignKind.PRESALE, next_round_days=10), market.buyer()
    market.join_and_pay(campaign, 20, buyer=buyer, joins_next_round=True, ceiling_minor=29_00)
    market.pass_time(WEEK)
    new = the_round_after(market, campaign)
    assert market.escrow(new.id) == market.spent(buyer) == 20 * 5_00
    assert (new.deposit_minor, new.conditional_quantity) == (5_00, 20)


def test_nobody_joins_a_next_round_that_was_never_offered(market: Market) -> None:
    campaign, buyer = market.campaign(), market.buyer()
    market.join_and_pay(campaign, 20, buyer=buyer, joins_next_round=True)
    market.pass_time(WEEK)
    assert market.spent(buyer) == 0
    with market.database.reading() as session:
        assert session.exec(select(Campaign)).all() == [market.get(campaign)]


def test_closing_again_opens_no_second_round(market: Market) -> None:
    campaign = market.campaign(next_round_days=10)
    market.join_and_pay(campaign, 20, joins_next_round=True)
    market.pass_time(WEEK)
    with market.database.transaction() as session:
        done = session.exec(select(Job).where(col(Job.kind) == "demand.close_campaigns", Job.state == JobState.DONE))
        for job in done.all():
            job.state = JobState.READY
            session.add(job)
    build_worker(market.database, market.provider).run_until_idle(market.now)
    with market.database.reading() as session:
        assert len(session.exec(select(Campaign)).all()) == 2
        assert len(session.exec(select(Pledge)).all()) == 2


BAD_TERMS = [
    ({"pack_pieces": 0}, "pack_pieces"),
    ({"pack_pieces": 10**9}, "pack_pieces"),
    ({"colour_minimum": -1}, "colour_minimum"),
    ({"colour_minimum": 51}, "colour_minimum"),
    ({"colour_minimum": 5, "variants": (("black", "M"),)}, "colour_minimum"),
    ({"extension_days": -1}, "extension_days"),
    ({"extension_days": 91}, "extension_days"),
    ({"extension_days": 15}, "extension_days"),
    ({"next_round_days": -1}, "next_round_days"),
    ({"next_round_days": 91}, "next_round_days"),
]


@pytest.mark.parametrize(("terms", "field"), BAD_TERMS)
def test_a_draft_with_terms_beyond_the_policy_is_refused(market: Market, terms: dict[str, object], field: str) -> None:
    fields = {"variants": (("black", "M"), ("white", "M"))} | terms
    draft = CampaignDraft(
        organisation_id=market.merchandiser,
        kind=CampaignKind.GROUP_BUY,
        title="Tee",
        category="tshirt",
        currency="CNY",
        tiers=(Tier(1, 40_00),),
        minimum=50,
        deadline=market.now + WEEK,
        **fields,  # type: ignore[arg-type]
    )
    with market.database.transaction() as session:
        policy = standard_policy(session, now=market.now)
    with pytest.raises(Invalid) as refused, market.database.transaction() as session:
        create_campaign(session, draft, policy=policy, now=market.now)
    assert list(refused.value.errors) == [field]
    assert draft_errors(draft, now=market.now).keys() <= {field}


def answer(market: Market, pledge_id: UUID, *, agree: bool) -> None:
    with market.database.transaction() as session:
        answer_extension(session, session.get_one(Pledge, pledge_id), agrees=agree, now=market.now)


def extend(market: Market, campaign_id: UUID, days: int) -> None:
    with market.database.transaction() as session:
        extend_campaign(session, campaign_id, days, now=market.now)


def the_round_after(market: Market, campaign_id: UUID) -> Campaign:
    with market.database.reading() as session:
        return session.exec(select(Campaign).where(Campaign.previous_round_id == campaign_id)).one()
