"""What those who wait for a factory are told: buyers, merchandisers and visitors, in their language."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand.models import Campaign, DemandSheet, Pledge
from c2m.matching.offers import accept_offers
from c2m.matching.searches import Search, search_for
from tests.builders import a_line, an_open_sheet
from tests.conftest import Person, Visitor
from tests.matching.market import answers, match

LOOKED_FOR, ANSWERED = timedelta(days=3), timedelta(days=2)
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def sheet(database: Database, clock: ManualClock, people: dict[str, Person]) -> DemandSheet:
    """A sheet of `merchandiser`'s campaign with 10 T-shirts of `buyer`."""
    with database.transaction() as session:
        found = an_open_sheet(
            session, 10, issued_at=clock.now(), required_date=clock.now() + timedelta(days=40), target_cost_minor=50_00
        )
        campaign, pledge = session.get_one(Campaign, found.campaign_id), session.exec(select(Pledge)).one()
        campaign.organisation_id, pledge.buyer_id = (
            people["merchandiser"].organisation_id,
            people["buyer"].organisation_id,
        )
        campaign.final_quantity, campaign.final_price_minor, campaign.closed_at = 10, 100_00, clock.now()
    return found


def search(database: Database, sheet: DemandSheet) -> Search:
    with database.reading() as session:
        found = search_for(session, sheet.campaign_id)
    assert found is not None
    return found


def pages(client: Callable[..., Visitor], database: Database, sheet: DemandSheet) -> list[str]:
    """The campaign as a visitor sees it, the buyer's order, the merchandiser's sheet."""
    with database.reading() as session:
        pledge_id = session.exec(select(Pledge.id)).one()
    return [
        client(name).get(path, headers=ENGLISH).get_data(as_text=True)
        for name, path in (
            (None, f"/campaigns/{sheet.campaign_id}"),
            ("buyer", f"/orders/{pledge_id}"),
            ("merchandiser", f"/sheets/{sheet.id}"),
        )
    ]


def test_pieces_that_no_factory_takes_say_why_until_when_and_when_the_money_comes_back(
    client: Callable[..., Visitor], database: Database, clock: ManualClock, sheet: DemandSheet
) -> None:
    with database.transaction() as session:
        a_line(session)
    match(database, clock.now())
    found = search(database, sheet)
    assert (found.untaken, found.until, found.released_by) == (
        10,
        sheet.issued_at + LOOKED_FOR,
        sheet.issued_at + LOOKED_FOR + ANSWERED,
    )
    found_pages = list(pages(client, database, sheet))
    for page in found_pages:
        assert "No factory has taken 10 pieces yet." in page
        assert "We go on looking for factories until" in page
    told = ["Every factory&#39;s price lies above the target cost; in all by ¥103.50." in page for page in found_pages]
    assert told == [False, False, True]  # how factories bargain is not for buyers


def test_an_offer_that_waits_for_an_answer_and_an_accepted_one_are_told_apart(
    client: Callable[..., Visitor], database: Database, clock: ManualClock, sheet: DemandSheet
) -> None:
    with database.transaction() as session:
        a_line(session, prices={1: 40_00})
    found = match(database, clock.now())
    for page in pages(client, database, sheet):
        assert "A factory has been asked to make 10 pieces and has yet to answer." in page
    with database.transaction() as session:
        accept_offers(session, answers(found), now=clock.now())
    campaign, order, _sheet = pages(client, database, sheet)
    assert "A factory has taken 10 pieces; they are made to order." in campaign
    assert "refunded in full" not in campaign
    assert "has yet to answer" not in order


def test_released_pieces_say_when_the_money_went_back(
    client: Callable[..., Visitor], database: Database, clock: ManualClock, sheet: DemandSheet
) -> None:
    match(database, clock.now())
    clock.advance(LOOKED_FOR)
    match(database, clock.now())
    assert search(database, sheet).released == 10
    found_pages = list(pages(client, database, sheet))
    for page in found_pages:
        assert "No factory took 10 pieces; their buyers got their money back on" in page
    told = ["No verified factory makes this kind of product." in page for page in found_pages]
    assert told == [False, False, True]


def test_a_campaign_without_a_sheet_has_no_search(database: Database, sheet: DemandSheet) -> None:
    with database.reading() as session:
        assert search_for(session, sheet.id) is None
