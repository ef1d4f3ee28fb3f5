"""Samples: credited once to a later pledge, ledger-true and within the margin; evaluated by who held them."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from c2m.audit import running
from c2m.db import table_of, uuid7
from c2m.demand.campaigns import CampaignDraft, create_campaigns
from c2m.demand.fulfilment import record_deliveries
from c2m.demand.joining import place_pledges
from c2m.demand.models import CampaignKind, DemandSheet, Evaluation, Pledge, PledgeState, SampleCredit
from c2m.demand.policies import standard_policy
from c2m.demand.rules import Tier, most_credit
from c2m.demand.samples import (
    AlreadyEvaluated,
    MarkRefused,
    NotASample,
    credit_offered,
    evaluate_sample,
    opinions_of,
    samples_of,
)
from c2m.errors import Invalid, Refusal
from c2m.identity.models import Role
from c2m.notices.models import NoticeKind
from tests.builders import an_organisation
from tests.demand.market import WEEK, Market
from tests.demand.queueing import cancel, told

MARGIN_PPM = 1_000_000 - 800_000 - 30_000


def a_tried_sample(market: Market, buyer: UUID, *, quantity: int = 1, price_minor: int = 60_00) -> UUID:
    """A sample order whose sample this buyer holds in the hands; its campaign's id."""
    sample = market.campaign(CampaignKind.SAMPLE, ladder=((1, price_minor),), minimum=1, cap=20)
    pledge = market.join_and_pay(sample, quantity, buyer=buyer)
    market.pass_time(WEEK)
    deliver(market, pledge, quantity)
    return sample


def deliver(market: Market, pledge_id: UUID, quantity: int) -> None:
    """The sample's sheet is served and the sample handed over, without the factory between."""
    sheet = table_of(DemandSheet)
    with market.database.transaction() as session:
        session.execute(sa.update(sheet).where(sheet.c.served_at.is_(None)).values(served_at=market.now))
        record_deliveries(session, {pledge_id: quantity}, now=market.now)
    market.work()


def bulk(market: Market, sample: UUID, **terms: object) -> UUID:
    """¥40 falling to ¥29, margin 17 %."""
    return market.campaign(**{"minimum": 1, "sample_campaign_id": sample} | terms)  # type: ignore[arg-type]


def credits_used(market: Market) -> dict[UUID, int]:
    with market.database.reading() as session:
        return {row.pledge_id: row.amount_minor for row in session.exec(select(SampleCredit)).all()}


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_credit_is_never_more_than_the_margin(charge: int, least: int, given_minor: int, margin: int) -> None:
    most = most_credit(charge, least, given_minor, margin)
    assert 0 <= most <= charge
    assert most * 10**6 <= charge * margin
    assert most == 0 or (most + given_minor) * 10**6 <= least * margin


def test_a_delivered_sample_is_taken_off_the_next_order(market: Market) -> None:
    buyer = market.buyer()
    campaign = bulk(market, a_tried_sample(market, buyer))
    pledge = market.pledge(market.join_and_pay(campaign, 20, buyer=buyer))
    assert (pledge.credit_minor, pledge.charged_minor) == (60_00, 20 * 40_00 - 60_00)
    assert market.escrow(campaign) == pledge.charged_minor
    assert credits_used(market) == {pledge.id: 60_00}


def test_the_credit_stays_within_the_margin_of_the_lowest_price_the_order_may_end_at(market: Market) -> None:
    buyer = market.buyer()
    campaign = bulk(market, a_tried_sample(market, buyer))
    pledge = market.pledge(market.join(campaign, 2, buyer=buyer))
    assert pledge.credit_minor == 2 * 29_00 * MARGIN_PPM // 10**6 == 9_86


def test_a_sample_is_credited_once(market: Market) -> None:
    buyer = market.buyer()
    campaign = bulk(market, a_tried_sample(market, buyer))
    first, second = (market.pledge(market.join(campaign, 20, buyer=buyer)) for _ in range(2))
    assert (first.credit_minor, second.credit_minor) == (60_00, 0)


def test_a_sample_is_credited_once_in_one_batch_too(market: Market) -> None:
    buyer = market.buyer()
    sample = a_tried_sample(market, buyer)
    campaigns = [bulk(market, sample) for _ in range(2)]
    requests = [market.request(campaign, 20, buyer=buyer) for campaign in (*campaigns, campaigns[0])]
    with market.database.transaction() as session:
        ids = place_pledges(session, requests, now=market.now)
    assert [market.pledge(i).credit_minor for i in ids if isinstance(i, UUID)] == [60_00, 0, 0]


def test_two_samples_are_both_credited_as_far_as_the_margin_goes(market: Market) -> None:
    buyer = market.buyer()
    sample = market.campaign(CampaignKind.SAMPLE, ladder=((1, 60_00),), minimum=1, cap=20)
    pledges = [market.join_and_pay(sample, 1, buyer=buyer) for _ in range(2)]
    market.pass_time(WEEK)
    for pledge in pledges:
        deliver(market, pledge, 1)
    campaign = bulk(market, sample)
    assert market.pledge(market.join(campaign, 20, buyer=buyer)).credit_minor == 20 * 29_00 * MARGIN_PPM // 10**6


@pytest.mark.parametrize("how", ["cancelled", "declined", "failed"])
def test_the_credit_returns_when_the_order_ends_unfulfilled(market: Market, how: str) -> None:
    buyer = market.buyer()
    sample = a_tried_sample(market, buyer)
    campaign = bulk(market, sample, minimum=50)
    if how == "declined":
        market.provider.declined_organisations.add(str(buyer))
    first = market.join_and_pay(campaign, 20, buyer=buyer)
    market.provider.declined_organisations.clear()
    if how == "cancelled":
        cancel(market, first)
    elif how == "failed":
        market.pass_time(WEEK)
    assert market.state(first) in (PledgeState.CANCELLED, PledgeState.REFUNDED)
    again = market.pledge(market.join_and_pay(bulk(market, sample), 20, buyer=buyer))
    assert again.credit_minor == 60_00
    assert credits_used(market) == {again.id: 60_00}


def test_the_money_of_a_credited_order_is_right_to_the_end(market: Market) -> None:
    buyer = market.buyer()
    campaign = bulk(market, a_tried_sample(market, buyer), minimum=10)
    spent = market.spent(buyer)
    pledge = market.join_and_pay(campaign, 20, buyer=buyer)
    market.join_and_pay(campaign, 180)
    market.pass_time(WEEK)
    assert market.pledge(pledge).final_price_minor == 29_00
    assert market.spent(buyer) - spent == 20 * 29_00 - 60_00
    with market.database.reading() as session:
        found = running.run(session, now=market.now)
    assert [f for f in found if {str(pledge), str(campaign)} & set(f.ids)] == []
    assert market.ledger_sum() == 0


def test_a_presale_credits_no_more_than_the_margin_of_its_deposit(market: Market) -> None:
    buyer = market.buyer()
    sample = a_tried_sample(market, buyer)
    plain = bulk(market, sample, kind=CampaignKind.PRESALE, deposit_counts_minor=5_00)
    assert market.pledge(market.join(plain, 20, buyer=buyer)).credit_minor == 100_00 * MARGIN_PPM // 10**6
    generous = bulk(market, sample, kind=CampaignKind.PRESALE, deposit_counts_minor=10_00)
    assert market.pledge(market.join(generous, 20, buyer=market.buyer())).credit_minor == 0


def test_only_who_holds_this_sample_is_credited(market: Market) -> None:
    buyer, other = market.buyer(), market.buyer()
    sample, elsewhere = a_tried_sample(market, buyer), a_tried_sample(market, other)
    campaign = bulk(market, sample)
    assert market.pledge(market.join(campaign, 20, buyer=other)).credit_minor == 0
    assert market.pledge(market.join(market.campaign(), 20, buyer=buyer)).credit_minor == 0
    undelivered = market.campaign(CampaignKind.SAMPLE, ladder=((1, 60_00),), minimum=1, cap=20)
    market.join_and_pay(undelivered, 1, buyer=buyer)
    assert market.pledge(market.join(bulk(market, undelivered), 20, buyer=buyer)).credit_minor == 0
    assert elsewhere != sample


def test_what_is_offered_beforehand_is_what_is_taken_off(market: Market) -> None:
    buyer = market.buyer()
    campaign = bulk(market, a_tried_sample(market, buyer))
    for quantity in (1, 7, 30):
        with market.database.reading() as session:
            offered = credit_offered(session, market.get(campaign), buyer, unit_price_minor=40_00, quantity=quantity)
        pledge = market.join_and_pay(campaign, quantity, buyer=buyer)
        assert market.pledge(pledge).credit_minor == offered.off_minor
        assert offered.cost_minor == 60_00
        cancel(market, pledge)


def test_the_buyer_is_asked_and_told_once_the_sample_is_there(market: Market) -> None:
    before, after = market.buyer(), market.buyer()
    sample = a_tried_sample(market, before)
    late = market.campaign(CampaignKind.SAMPLE, ladder=((1, 60_00),), minimum=1, cap=20)
    pledge = market.join_and_pay(late, 1, buyer=after)
    market.pass_time(WEEK)
    bulk(market, sample)
    bulk(market, late)
    assert told(market, before)[-2:] == [NoticeKind.EVALUATION_ASKED, NoticeKind.SAMPLE_CREDIT]
    assert NoticeKind.SAMPLE_CREDIT not in told(market, after)
    deliver(market, pledge, 1)
    assert told(market, after)[-2:] == [NoticeKind.EVALUATION_ASKED, NoticeKind.SAMPLE_CREDIT]


def test_the_pieces_of_a_sample_order_are_limited(market: Market) -> None:
    sample = market.campaign(CampaignKind.SAMPLE, ladder=((1, 60_00),), minimum=1, cap=3, per_buyer_limit=2)
    market.join_and_pay(sample, 2)
    with pytest.raises(Refusal, match="Only 1 pieces"):
        market.join(sample, 2)


def evaluate(market: Market, pledge_id: UUID, **said: object) -> None:
    marks = {"quality": 4, "fit": 5, "would_order": True, "words": "Firm cloth, true to size."} | said
    with market.database.transaction() as session:
        evaluate_sample(session, session.get_one(Pledge, pledge_id), now=market.now, **marks)  # type: ignore[arg-type]


def pledge_in(market: Market, campaign: UUID, buyer: UUID) -> UUID:
    with market.database.reading() as session:
        return session.exec(
            select(Pledge.id).where(Pledge.campaign_id == campaign, Pledge.buyer_id == buyer).order_by(col(Pledge.id))
        ).first() or UUID(int=0)


def test_an_evaluation_is_kept_with_the_product(market: Market) -> None:
    one, other = market.buyer(), market.buyer()
    sample = a_tried_sample(market, one)
    evaluate(market, pledge_in(market, sample, one))
    with market.database.reading() as session:
        opinions = opinions_of(session, sample)
        assert opinions_of(session, a_tried_sample(market, other)) is None
    assert opinions is not None
    assert (opinions.count, opinions.quality, opinions.fit, opinions.would_order) == (1, 4.0, 5.0, 1.0)
    assert opinions.latest[0].words == "Firm cloth, true to size."


def test_only_a_delivered_sample_is_evaluated_and_only_once(market: Market) -> None:
    buyer = market.buyer()
    sample = a_tried_sample(market, buyer)
    pledge = pledge_in(market, sample, buyer)
    undelivered = market.join_and_pay(
        market.campaign(CampaignKind.SAMPLE, ladder=((1, 60_00),), minimum=1, cap=9), 1, buyer=buyer
    )
    ordinary = market.join_and_pay(market.campaign(), 1, buyer=buyer)
    for refused in (undelivered, ordinary):
        with pytest.raises(NotASample):
            evaluate(market, refused)
    for said in ({"quality": 0}, {"quality": 6}, {"fit": -1}, {"words": "长" * 1001}):
        with pytest.raises(MarkRefused):
            evaluate(market, pledge, **said)
    evaluate(market, pledge)
    with pytest.raises(AlreadyEvaluated):
        evaluate(market, pledge, quality=1)
    with market.database.reading() as session:
        assert [e.quality for e in session.exec(select(Evaluation)).all()] == [4]


def test_a_draft_names_only_ones_own_sample_order(market: Market) -> None:
    sample = market.campaign(CampaignKind.SAMPLE, ladder=((1, 60_00),), minimum=1, cap=9)
    ordinary = market.campaign()
    with market.database.transaction() as session:
        stranger = an_organisation(session, Role.MERCHANDISER).id
        policy = standard_policy(session, now=market.now)

        def draft(named: UUID, owner: UUID, kind: CampaignKind = CampaignKind.GROUP_BUY) -> CampaignDraft:
            return CampaignDraft(
                organisation_id=owner,
                kind=kind,
                title="Tee",
                category="tshirt",
                currency="CNY",
                variants=(("black", "M"),),
                tiers=(Tier(1, 40_00),),
                minimum=1,
                deadline=market.now + timedelta(days=3),
                sample_campaign_id=named,
            )

        drafts = [
            draft(sample, market.merchandiser),
            draft(sample, stranger),
            draft(ordinary, market.merchandiser),
            draft(uuid7(), market.merchandiser),
            draft(sample, market.merchandiser, CampaignKind.SAMPLE),
        ]
        answers = create_campaigns(session, drafts, policy=policy, now=market.now)
        assert [isinstance(answer, Invalid) for answer in answers] == [False, True, True, True, True]
        assert all("sample_campaign_id" in a.errors for a in answers if isinstance(a, Invalid))
        assert [found.id for found in samples_of(session, market.merchandiser)] == [sample]
        assert samples_of(session, stranger) == []
