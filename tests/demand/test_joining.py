"""Joining: pieces reserved, money asked for, each key once; every refusal changes nothing."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from c2m.db import table_of, uuid7
from c2m.demand import pledge_requests
from c2m.demand.campaigns import CampaignNotOpen
from c2m.demand.joining import place_pledge, place_pledges
from c2m.demand.models import Campaign, Pledge, PledgeState
from c2m.demand.pledge_requests import (
    CampaignFull,
    KeyReused,
    LimitReached,
    NothingChosen,
    PledgeRequest,
    QuantityRefused,
    UnknownVariant,
)
from c2m.demand.queries import CampaignNotFound
from c2m.errors import Refusal
from c2m.ledger.models import Transfer
from tests.demand.market import Market


def test_a_pledge_is_paid_into_escrow_at_the_present_price(market: Market) -> None:
    campaign, buyer = market.campaign(), market.buyer()
    pledge = market.join_and_pay(campaign, 24, buyer=buyer)
    assert market.state(pledge) is PledgeState.PAID
    assert market.escrow(campaign) == market.spent(buyer) == 24 * 40_00
    assert market.get(campaign).pledged_quantity == 24
    assert market.ledger_sum() == 0


def test_the_price_counts_the_buyers_own_pieces(market: Market) -> None:
    campaign = market.campaign()
    market.join(campaign, 40)
    assert market.pledge(market.join(campaign, 10)).unit_price_minor == 34_00


def test_the_same_key_gets_its_first_answer(market: Market) -> None:
    campaign, buyer = market.campaign(cap=50), market.buyer()
    first = market.join(campaign, 50, buyer=buyer, key="once-only")
    assert market.join(campaign, 50, buyer=buyer, key="once-only") == first
    market.work()
    assert market.escrow(campaign) == 50 * 34_00


def test_the_same_key_with_another_body_is_refused(market: Market) -> None:
    campaign, buyer = market.campaign(), market.buyer()
    market.join(campaign, 5, buyer=buyer, key="once-only")
    with pytest.raises(KeyReused):
        market.join(campaign, 6, buyer=buyer, key="once-only")


def test_two_buyers_may_use_the_same_key(market: Market) -> None:
    campaign = market.campaign()
    assert market.join(campaign, 5, key="same-key") != market.join(campaign, 5, key="same-key")


def test_in_a_set_each_request_is_judged_after_those_before_it(market: Market) -> None:
    campaign = market.campaign(cap=60)
    requests = [market.request(campaign, quantity) for quantity in (40, 30, 20)]
    with market.database.transaction() as session:
        first, second, third = place_pledges(session, requests, now=market.now)
    assert isinstance(first, UUID)
    assert isinstance(third, UUID)
    assert isinstance(second, CampaignFull)
    assert second.details["left"] == 20
    assert market.get(campaign).pledged_quantity == 60


REFUSED: list[tuple[str, Callable[[Market, PledgeRequest], PledgeRequest], type[Refusal]]] = [
    ("nothing", lambda m, r: replace(r, lines=()), NothingChosen),
    ("zero", lambda m, r: replace(r, lines=((r.lines[0][0], 0),)), QuantityRefused),
    ("negative", lambda m, r: replace(r, lines=((r.lines[0][0], -1),)), QuantityRefused),
    ("boolean", lambda m, r: replace(r, lines=((r.lines[0][0], True),)), QuantityRefused),
    ("huge", lambda m, r: replace(r, lines=((r.lines[0][0], 10**12),)), QuantityRefused),
    ("unknown variant", lambda m, r: replace(r, lines=((uuid7(), 1),)), UnknownVariant),
    ("variant twice", lambda m, r: replace(r, lines=r.lines * 2), UnknownVariant),
    ("foreign variant", lambda m, r: replace(r, lines=((m.variant(m.campaign()), 1),)), UnknownVariant),
    ("over the limit", lambda m, r: replace(r, lines=((r.lines[0][0], 31),)), LimitReached),
    ("unknown campaign", lambda m, r: replace(r, campaign_id=uuid7()), CampaignNotFound),
]


@pytest.mark.parametrize(("spoil", "refusal"), [pytest.param(s, r, id=name) for name, s, r in REFUSED])
def test_a_refused_request_changes_nothing(
    market: Market, spoil: Callable[[Market, PledgeRequest], PledgeRequest], refusal: type[Refusal]
) -> None:
    campaign = market.campaign(cap=500, per_buyer_limit=30)
    request = spoil(market, market.request(campaign, 5))
    with pytest.raises(refusal), market.database.transaction() as session:
        place_pledge(session, request, now=market.now)
    assert market.get(campaign).pledged_quantity == 0
    with market.database.reading() as session:
        for model in (Pledge, Transfer):
            assert session.execute(sa.select(sa.func.count()).select_from(table_of(model))).scalar() == 0


def test_the_limit_counts_all_of_a_buyers_pledges(market: Market) -> None:
    campaign, buyer = market.campaign(per_buyer_limit=30), market.buyer()
    market.join(campaign, 20, buyer=buyer)
    with pytest.raises(LimitReached) as refused:
        market.join(campaign, 11, buyer=buyer)
    assert refused.value.details == {"limit": 30, "held": 20}
    market.join(campaign, 10, buyer=buyer)


def test_after_the_deadline_nobody_joins(market: Market) -> None:
    campaign = market.campaign()
    market.now += timedelta(days=7)
    with pytest.raises(CampaignNotOpen):
        market.join(campaign, 5)


def test_a_declined_payment_frees_the_pieces(market: Market) -> None:
    campaign, buyer = market.campaign(cap=50, per_buyer_limit=50), market.buyer()
    market.provider.declined_organisations.add(str(buyer))
    pledge = market.join_and_pay(campaign, 50, buyer=buyer)
    assert market.state(pledge) is PledgeState.CANCELLED
    assert market.get(campaign).pledged_quantity == 0
    market.provider.declined_organisations.clear()
    assert market.state(market.join_and_pay(campaign, 50, buyer=buyer)) is PledgeState.PAID


def test_a_provider_that_is_away_is_asked_again(market: Market) -> None:
    campaign = market.campaign()
    market.provider.failures_left = 2
    pledge = market.join_and_pay(campaign, 5)
    assert market.state(pledge) is PledgeState.UNPAID
    market.pass_time(timedelta(minutes=1))
    market.pass_time(timedelta(minutes=1))
    assert market.state(pledge) is PledgeState.PAID
    assert market.escrow(campaign) == 5 * 40_00


def test_four_hundred_attempts_on_a_cap_of_fifty_sell_exactly_fifty(market: Market) -> None:
    campaign = market.campaign(cap=50, minimum=1)
    outcomes = _rush(market, campaign, lambda session, request: place_pledge(session, request, now=market.now))
    assert outcomes.count("in") == 50
    assert outcomes.count("CampaignFull") == 350
    assert market.get(campaign).pledged_quantity == sum(p.quantity for p in market.pledges(campaign)) == 50


def test_without_the_guard_the_same_rush_oversells(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = market.campaign(cap=50, minimum=1)
    with market.database.engine.begin() as connection:
        connection.execute(sa.update(table_of(Campaign)).values(cap=None))
    seen = threading.Barrier(16)

    def join_unguarded(session: object, request: PledgeRequest) -> None:
        with market.database.reading() as reader:  # looks before it leaps, without a lock
            sold = sum(q for (q,) in reader.execute(sa.select(table_of(Pledge).c.quantity)))
        seen.wait()
        if sold < 50:
            place_pledge(session, request, now=market.now)  # type: ignore[arg-type]

    _rush(market, campaign, join_unguarded)
    assert sum(p.quantity for p in market.pledges(campaign)) > 50


def _rush(market: Market, campaign: UUID, join: Callable[..., object]) -> list[str]:
    """400 attempts to take one piece each from 16 threads; what became of each."""
    buyers, variant = [market.buyer() for _ in range(16)], market.variant(campaign)
    outcomes: list[str] = []

    def attempt(thread: int) -> None:
        for i in range(25):
            request = PledgeRequest(campaign, buyers[thread], ((variant, 1),), f"rush-{thread}-{i}")
            try:
                with market.database.transaction() as session:
                    join(session, request)
                outcomes.append("in")
            except (Refusal, IntegrityError) as refused:
                outcomes.append(type(refused).__name__)

    threads = [threading.Thread(target=attempt, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_the_database_itself_refuses_to_oversell(market: Market) -> None:
    campaign = market.campaign(cap=50, minimum=1)
    market.join(campaign, 50)
    table = table_of(Campaign)
    with pytest.raises(IntegrityError), market.database.transaction() as session:
        session.execute(sa.update(table).where(table.c.id == campaign).values(pledged_quantity=51))


def test_the_most_pieces_of_a_pledge_is_what_the_sentence_says() -> None:
    assert f"{pledge_requests.MOST_PIECES_A_PLEDGE:,}" in QuantityRefused.sentence
