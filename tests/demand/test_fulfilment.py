"""What later stages report back: pieces delivered, pieces nobody makes."""

from uuid import UUID

import pytest
from sqlmodel import select

from c2m.demand import queries
from c2m.demand.fulfilment import record_deliveries, release_units
from c2m.demand.models import PledgeState
from c2m.ledger.models import Entry
from c2m.ledger.queries import holds_of
from tests.demand.market import WEEK, Market


def a_sheet(market: Market, *quantities: int) -> tuple[UUID, UUID, list[UUID], list[UUID]]:
    """A succeeded campaign's sheet and variant with its buyers and pledges, oldest first."""
    campaign = market.campaign(minimum=1)
    buyers = [market.buyer() for _ in quantities]
    pledges = [market.join_and_pay(campaign, q, buyer=b) for q, b in zip(quantities, buyers, strict=True)]
    market.pass_time(WEEK)
    with market.database.reading() as session:
        [sheet] = queries.open_sheets(session)
    return sheet.id, market.variant(campaign), buyers, pledges


def release(market: Market, sheet: UUID, variant: UUID, pieces: int) -> None:
    with market.database.transaction() as session:
        release_units(session, {(sheet, variant): pieces}, now=market.now)
    market.work()


def test_the_latest_pledges_are_released_first(market: Market) -> None:
    sheet, variant, (first, last), pledges = a_sheet(market, 10, 10)
    release(market, sheet, variant, 12)
    assert [market.state(p) for p in pledges] == [PledgeState.CONFIRMED, PledgeState.REFUNDED]
    assert (market.spent(first), market.spent(last)) == (8 * 40_00, 0)
    with market.database.reading() as session:
        assert queries.released_units(session, [sheet]) == {(sheet, variant): 12}


def test_released_again_adds_up(market: Market) -> None:
    sheet, variant, (buyer,), (pledge,) = a_sheet(market, 10)
    release(market, sheet, variant, 3)
    release(market, sheet, variant, 3)
    assert market.spent(buyer) == 4 * 40_00
    assert market.pledge(pledge).released_quantity == 6


def test_the_entry_of_a_release_names_its_hold_last(market: Market) -> None:
    sheet, variant, _buyers, (pledge,) = a_sheet(market, 10)
    release(market, sheet, variant, 3)
    release(market, sheet, variant, 3)
    with market.database.reading() as session:
        [hold] = holds_of(session, [pledge])
        kinds = select(Entry.reference).where(Entry.kind == "demand.unserved").order_by(Entry.reference)
        references = session.exec(kinds).all()
    assert references == [f"unserved:10:{hold.id}", f"unserved:7:{hold.id}"]


def test_more_than_the_line_holds_is_refused_and_changes_nothing(market: Market) -> None:
    sheet, variant, (buyer,), (pledge,) = a_sheet(market, 10)
    with pytest.raises(ValueError, match="1 of 11 pieces"):
        release(market, sheet, variant, 11)
    assert (market.spent(buyer), market.state(pledge)) == (10 * 40_00, PledgeState.CONFIRMED)


def test_a_pledge_ends_fulfilled_when_nothing_is_outstanding(market: Market) -> None:
    sheet, variant, _buyers, (pledge,) = a_sheet(market, 10)
    release(market, sheet, variant, 4)
    with market.database.transaction() as session:
        record_deliveries(session, {pledge: 5}, now=market.now)
    assert market.state(pledge) is PledgeState.CONFIRMED
    with market.database.transaction() as session:
        record_deliveries(session, {pledge: 1}, now=market.now)
    assert market.state(pledge) is PledgeState.FULFILLED
