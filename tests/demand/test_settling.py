"""Flexible pieces, ceilings and colours that are not made, from joining to the money that comes back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select

from c2m.demand import queries
from c2m.demand.joining import place_pledge
from c2m.demand.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    ChangeKind,
    Pledge,
    PledgeChange,
    PledgeState,
    SheetPledge,
)
from c2m.demand.pledge_requests import (
    CeilingRefused,
    FlexibleAlone,
    LimitReached,
    PledgeRequest,
    QuantityRefused,
    UnknownColour,
)
from c2m.demand.pledges import cancel_pledge, pay_balance
from c2m.ledger.models import Transfer
from c2m.notices.models import Notice, NoticeKind
from tests.demand.market import WEEK, Market

COLOURS = (("black", "M"), ("black", "L"), ("white", "M"))
BLACK_M, BLACK_L, WHITE_M = range(3)


def test_flexible_pieces_are_paid_for_and_do_not_count_yet(market: Market) -> None:
    campaign, buyer = market.campaign(cap=60), market.buyer()
    pledge = market.join_and_pay(campaign, 48, flexible=20, buyer=buyer)
    found = market.get(campaign)
    assert (found.pledged_quantity, found.flexible_quantity) == (48, 20)
    assert market.pledge(pledge).unit_price_minor == 40_00
    assert market.spent(buyer) == 68 * 40_00


def test_flexible_pieces_complete_the_tier_and_the_rest_comes_back(market: Market) -> None:
    campaign, buyer = market.campaign(minimum=40), market.buyer()
    pledge = market.join_and_pay(campaign, 46, flexible=10, buyer=buyer)
    market.pass_time(WEEK)
    found = market.get(campaign)
    assert (found.state, found.final_quantity, found.final_price_minor) == (CampaignState.SUCCEEDED, 50, 34_00)
    assert (found.pledged_quantity, found.flexible_quantity) == (50, 0)
    kept = market.pledge(pledge)
    assert (kept.state, kept.quantity, kept.flexible_quantity) == (PledgeState.CONFIRMED, 50, 0)
    assert told(market, pledge) == [(ChangeKind.FLEXIBLE_TAKEN, 4, 0), (ChangeKind.FLEXIBLE_FREED, 6, 6 * 40_00)]
    assert refunds(market, pledge) == {"demand.flexible_freed": 6 * 40_00, "demand.tier_difference": 50 * 6_00}
    assert market.spent(buyer) == market.escrow(campaign) == 50 * 34_00
    assert in_sheets(market) == {(pledge, BLACK_M): 50}
    assert market.ledger_sum() == 0


def test_flexible_pieces_fill_the_last_pack(market: Market) -> None:
    campaign = market.campaign(minimum=50, pack_pieces=12)
    market.join_and_pay(campaign, 52)
    pledge = market.join_and_pay(campaign, 3, flexible=9)
    market.pass_time(WEEK)
    assert market.get(campaign).final_quantity == 60
    assert told(market, pledge) == [(ChangeKind.FLEXIBLE_TAKEN, 5, 0), (ChangeKind.FLEXIBLE_FREED, 4, 4 * 34_00)]


def test_when_it_fails_flexible_pieces_are_refunded_with_the_others(market: Market) -> None:
    campaign, buyer = market.campaign(), market.buyer()
    pledge = market.join_and_pay(campaign, 20, flexible=10, buyer=buyer)
    market.pass_time(WEEK)
    assert (market.state(pledge), market.spent(buyer), told(market, pledge)) == (PledgeState.REFUNDED, 0, [])


def test_leaving_frees_flexible_and_conditional_pieces(market: Market) -> None:
    campaign, buyer = market.campaign(per_buyer_limit=30), market.buyer()
    pledge = market.join_and_pay(campaign, 10, flexible=5, ceiling_minor=29_00, buyer=buyer)
    found = market.get(campaign)
    assert (found.pledged_quantity, found.flexible_quantity, found.conditional_quantity) == (10, 5, 10)
    with market.database.transaction() as session:
        cancel_pledge(session, queries.pledge_of(session, pledge, buyer_id=buyer), now=market.now)
    found = market.get(campaign)
    assert (found.pledged_quantity, found.flexible_quantity, found.conditional_quantity) == (0, 0, 0)
    market.join(campaign, 25, flexible=5, buyer=buyer)


def test_flexible_pieces_count_against_the_buyers_limit(market: Market) -> None:
    campaign = market.campaign(per_buyer_limit=30)
    with pytest.raises(LimitReached):
        market.join(campaign, 25, flexible=6)


def test_a_ceiling_is_what_is_paid_and_lowers_the_price_for_nobody(market: Market) -> None:
    campaign, careful = market.campaign(), market.buyer()
    pledge = market.join_and_pay(campaign, 45, ceiling_minor=29_00, buyer=careful)
    assert market.spent(careful) == 45 * 29_00
    assert market.pledge(pledge).ceiling_minor == 29_00
    assert market.pledge(market.join(campaign, 10)).unit_price_minor == 40_00
    found = market.get(campaign)
    assert (found.certain_quantity, found.conditional_quantity) == (10, 45)


def test_a_ceiling_the_present_price_meets_is_no_condition(market: Market) -> None:
    campaign = market.campaign()
    pledge = market.join(campaign, 50, ceiling_minor=34_00)
    assert market.pledge(pledge).ceiling_minor is None
    assert market.get(campaign).conditional_quantity == 0


def test_ceilings_are_reached_together(market: Market) -> None:
    campaign = market.campaign()
    certain = market.join_and_pay(campaign, 40)
    together = [market.join_and_pay(campaign, 10, ceiling_minor=34_00) for _ in range(2)]
    market.pass_time(WEEK)
    found = market.get(campaign)
    assert (found.final_quantity, found.final_price_minor, found.conditional_quantity) == (60, 34_00, 0)
    assert {market.state(p) for p in (certain, *together)} == {PledgeState.CONFIRMED}
    assert market.escrow(campaign) == 60 * 34_00


def test_whoever_misses_the_ceiling_is_refunded_and_the_rest_go_on(market: Market) -> None:
    campaign, careful = market.campaign(minimum=40, per_buyer_limit=80), market.buyer()
    market.join_and_pay(campaign, 43)
    pledge = market.join_and_pay(campaign, 4, flexible=2, ceiling_minor=34_00, buyer=careful)
    market.pass_time(WEEK)
    assert market.get(campaign).final_quantity == 43
    assert (market.state(pledge), market.spent(careful)) == (PledgeState.REFUNDED, 0)
    assert told(market, pledge) == [(ChangeKind.CEILING_MISSED, 4, 6 * 34_00)]
    assert in_sheets(market).keys().isdisjoint({(pledge, BLACK_M)})


def test_whoever_accepts_a_dearer_price_pays_the_present_one_and_stays(market: Market) -> None:
    campaign, keen = market.campaign(minimum=40), market.buyer()
    pledge = market.join_and_pay(campaign, 45, ceiling_minor=29_00, accepts_dearer=True, buyer=keen)
    assert market.pledge(market.join_and_pay(campaign, 5)).unit_price_minor == 34_00
    market.pass_time(WEEK)
    assert market.spent(keen) == 45 * 34_00
    assert told(market, pledge) == [(ChangeKind.DEARER_ACCEPTED, 45, 0)]


def test_a_colour_ordered_too_seldom_is_made_in_the_agreed_other_one(market: Market) -> None:
    campaign = market.campaign(variants=COLOURS, colour_minimum=20, minimum=30)
    market.join_and_pay(campaign, 30, index=BLACK_M)
    buyer = market.buyer()
    pledge = market.join_and_pay(campaign, 5, index=WHITE_M, flexible=2, fallback_colour="black", buyer=buyer)
    market.pass_time(WEEK)
    assert market.get(campaign).final_quantity == 35
    assert told(market, pledge) == [(ChangeKind.COLOUR_CHANGED, 5, 0), (ChangeKind.FLEXIBLE_FREED, 2, 2 * 40_00)]
    assert in_sheets(market)[pledge, BLACK_M] == 5
    assert market.spent(buyer) == 5 * 40_00
    [notice] = messages(market, NoticeKind.COLOUR_CHANGED)
    assert (notice.organisation_id, notice.facts["pieces"]) == (buyer, 5)


def test_without_another_colour_agreed_to_the_pieces_are_given_up(market: Market) -> None:
    campaign = market.campaign(variants=COLOURS, colour_minimum=20, minimum=30, per_buyer_limit=50)
    buyer = market.buyer()
    lines = ((market.variant(campaign, BLACK_M), 30), (market.variant(campaign, WHITE_M), 6))
    mixed = place(market, PledgeRequest(campaign, buyer, lines, "mixed-lines"))
    whole = market.join_and_pay(campaign, 4, index=WHITE_M)
    market.pass_time(WEEK)
    assert market.pledge(mixed).quantity == market.get(campaign).final_quantity == 30
    assert told(market, mixed) == [(ChangeKind.COLOUR_DROPPED, 6, 6 * 40_00)]
    assert (market.state(whole), told(market, whole)) == (
        PledgeState.REFUNDED,
        [(ChangeKind.COLOUR_DROPPED, 4, 4 * 40_00)],
    )
    assert refunds(market, mixed) == {"demand.colour_dropped": 6 * 40_00}
    assert market.spent(buyer) == market.escrow(campaign) == 30 * 40_00


def test_a_presale_settles_flexible_pieces_and_ceilings_on_deposits(market: Market) -> None:
    campaign, buyer = market.campaign(CampaignKind.PRESALE, minimum=40), market.buyer()
    pledge = market.join_and_pay(campaign, 45, flexible=9, buyer=buyer)
    careful = market.join_and_pay(campaign, 1, ceiling_minor=29_00)
    assert market.spent(buyer) == 54 * 5_00
    market.pass_time(WEEK)
    assert told(market, pledge) == [(ChangeKind.FLEXIBLE_TAKEN, 5, 0), (ChangeKind.FLEXIBLE_FREED, 4, 4 * 5_00)]
    assert told(market, careful) == [(ChangeKind.CEILING_MISSED, 1, 5_00)]
    assert market.pledge(pledge).balance_minor == 50 * (34_00 - 10_00)
    with market.database.transaction() as session:
        pay_balance(session, queries.pledge_of(session, pledge, buyer_id=buyer), now=market.now)
    market.work()
    market.pass_time(timedelta(days=3))
    assert in_sheets(market) == {(pledge, BLACK_M): 50}
    assert market.spent(buyer) == 50 * (5_00 + 24_00)


def test_a_deposit_whose_ceiling_was_reached_can_be_forfeited(market: Market) -> None:
    campaign = market.campaign(CampaignKind.PRESALE, minimum=40)
    market.join_and_pay(campaign, 40)
    pledge = market.join_and_pay(campaign, 10, ceiling_minor=34_00, flexible=2)
    market.pass_time(WEEK)
    assert market.state(pledge) is PledgeState.BALANCE_DUE
    market.pass_time(timedelta(days=3))
    assert market.state(pledge) is PledgeState.FORFEITED
    found = market.get(campaign)
    assert (found.pledged_quantity, found.conditional_quantity, market.escrow(campaign)) == (0, 0, 0)


UNFIT: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"flexible": 1.5}, QuantityRefused),
    ({"flexible": -1}, QuantityRefused),
    ({"flexible": True}, QuantityRefused),
    ({"flexible": 10**9}, QuantityRefused),
    ({"ceiling_minor": 28_99}, CeilingRefused),
    ({"ceiling_minor": 0}, CeilingRefused),
    ({"ceiling_minor": -34_00}, CeilingRefused),
    ({"ceiling_minor": True}, CeilingRefused),
    ({"ceiling_minor": 10**30}, CeilingRefused),
    ({"ceiling_minor": float("nan")}, CeilingRefused),
    ({"fallback_colour": "octarine"}, UnknownColour),
    ({"fallback_colour": "{{7*7}}"}, UnknownColour),
]


@pytest.mark.parametrize(("terms", "refusal"), UNFIT)
def test_terms_that_make_no_sense_change_nothing(
    market: Market, terms: dict[str, Any], refusal: type[Exception]
) -> None:
    campaign = market.campaign(variants=COLOURS, colour_minimum=5)
    with pytest.raises(refusal):
        market.join(campaign, 5, **terms)
    assert market.get(campaign).pledged_quantity == 0
    assert market.pledges(campaign) == []


def test_extra_pieces_go_with_ordered_ones_of_the_same_variant(market: Market) -> None:
    campaign = market.campaign(variants=COLOURS)
    ordered, other = market.variant(campaign, BLACK_M), market.variant(campaign, WHITE_M)
    for flexible in (((other, 1),), ((ordered, 1), (ordered, 2))):
        with pytest.raises(FlexibleAlone):
            place(market, PledgeRequest(campaign, market.buyer(), ((ordered, 5),), "the-same-key", flexible=flexible))


def test_the_same_key_with_other_terms_is_refused(market: Market) -> None:
    campaign, buyer = market.campaign(), market.buyer()
    first = market.join(campaign, 5, buyer=buyer, key="once-only", ceiling_minor=30_00)
    assert market.join(campaign, 5, buyer=buyer, key="once-only", ceiling_minor=30_00) == first
    for other in ({"ceiling_minor": 31_00}, {"ceiling_minor": 30_00, "flexible": 1}, {}):
        with pytest.raises(Exception, match="different content"):
            market.join(campaign, 5, buyer=buyer, key="once-only", **other)


def test_a_plain_campaign_is_closed_without_looking_at_each_pledge(market: Market) -> None:
    campaign = market.campaign(minimum=1)
    market.join_and_pay(campaign, 60)
    market.pass_time(WEEK)
    assert market.get(campaign).state is CampaignState.SUCCEEDED
    with market.database.reading() as session:
        assert session.exec(select(PledgeChange)).all() == []


def place(market: Market, request: PledgeRequest) -> UUID:
    with market.database.transaction() as session:
        pledge_id = place_pledge(session, request, now=market.now)
    market.work()
    return pledge_id


def told(market: Market, pledge_id: UUID) -> list[tuple[ChangeKind, int, int]]:
    """What happened to a pledge, with pieces and amount, as its buyer is told."""
    statement = select(PledgeChange).where(PledgeChange.pledge_id == pledge_id).order_by(col(PledgeChange.id))
    with market.database.reading() as session:
        return [(change.kind, change.pieces, change.amount_minor) for change in session.exec(statement)]


def refunds(market: Market, pledge_id: UUID) -> dict[str, int]:
    statement = select(Transfer).where(Transfer.subject_id == pledge_id, Transfer.direction == "refund")
    with market.database.reading() as session:
        return {transfer.purpose: transfer.amount_minor for transfer in session.exec(statement)}


def messages(market: Market, kind: NoticeKind) -> list[Notice]:
    with market.database.reading() as session:
        return list(session.exec(select(Notice).where(Notice.kind == kind)).all())


def in_sheets(market: Market) -> dict[tuple[UUID, int], int]:
    """Pieces by pledge and place of the variant."""
    with market.database.reading() as session:
        places = {
            variant.id: variant.position
            for campaign in session.exec(select(Campaign.id))
            for variant in queries.variants(session, campaign)
        }
        rows = session.exec(select(SheetPledge)).all()
        pledges = {p.id: p.quantity for p in session.exec(select(Pledge).where(Pledge.state == PledgeState.CONFIRMED))}
    assert sum(row.quantity for row in rows) == sum(pledges.values())
    return {(row.pledge_id, places[row.variant_id]): row.quantity for row in rows}
