"""A small market in which everything that can happen has happened, all of it through use cases."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select

from c2m.db import Database
from c2m.demand.campaigns import cancel_campaign
from c2m.demand.joining import place_pledge
from c2m.demand.models import CampaignKind, Pledge
from c2m.demand.pledges import cancel_pledge, pay_balance
from c2m.demand.teams import start_team
from c2m.design.concepts import stop_concept
from c2m.design.models import Concept, Want
from c2m.design.wants import withdraw_want
from c2m.matching.models import Offer, OfferState
from c2m.matching.offers import Answer, accept_offer, decline_offer
from c2m.production.deliveries import deliver_parcels
from c2m.production.models import Parcel, WorkOrder, WorkOrderState
from tests.audit.closes import Closes, answer_extensions, campaigns_with_everything, extended_now
from tests.audit.exits import Exits, some_leave_free
from tests.builders import a_factory, a_line
from tests.demand.market import Market
from tests.demand.queueing import wait
from tests.design.builders import NOON, a_concept, a_want
from tests.production.market import make, ship

DAY = timedelta(days=1)
LADDER = ((1, 100_00), (20, 90_00), (60, 80_00))


@dataclass(frozen=True)
class Life:
    """When the market stands still, and the campaigns a test may want to spoil."""

    now: datetime
    group_buy: UUID
    failed: UUID
    called_off: UUID
    hopeless: UUID  # no factory made any of it
    running: UUID
    closes: Closes
    exits: Exits


def a_market_that_lived(database: Database) -> Life:
    """Campaigns of every kind and end, payments declined and forfeited, pieces unserved, late, compensated, settled."""
    market = Market(database)
    _factories(market)
    _concepts(market)
    group_buy = market.campaign(
        ladder=LADDER,
        minimum=10,
        cap=100,
        per_buyer_limit=40,
        variants=(("black", "M"), ("white", "L")),
        commission_ppm=25_000,
    )
    presale = market.campaign(CampaignKind.PRESALE, ladder=LADDER, minimum=5, deposit_counts_minor=20_00)
    sample = market.campaign(CampaignKind.SAMPLE, ladder=((1, 120_00),), minimum=1, cap=5, per_buyer_limit=2)
    failed = market.campaign(ladder=LADDER, minimum=50)
    called_off = market.campaign(ladder=LADDER, minimum=50)
    leader = market.join_and_pay(group_buy, 5)
    _join_team_of(market, leader, 20)
    for quantity in (30, 10):
        market.join_and_pay(group_buy, quantity)
    _leave(market, market.join_and_pay(group_buy, 3))
    _decline(market, group_buy)
    presold = [market.join_and_pay(presale, quantity) for quantity in (4, 6, 2)]
    tried = market.pledge(market.join_and_pay(sample, 2)).buyer_id
    market.join_and_pay(failed, 7)
    market.join_and_pay(called_off, 4)
    closes = campaigns_with_everything(market)
    with database.transaction() as session:
        cancel_campaign(session, called_off, now=market.now)
    market.pass_time(7 * DAY)
    answer_extensions(market, closes)
    _pay_balances(market, [*presold[:2], closes.presold])
    _answer(market, decline_first=True)
    market.pass_time(4 * DAY)  # what no factory takes is given up, the balance window ends
    _answer(market)
    _make(market)
    _ship_and_deliver(market)
    market.pass_time(16 * DAY)
    scarce = market.campaign(ladder=LADDER, minimum=10, promised_date=market.now + 17 * DAY)
    hopeless = market.campaign(ladder=LADDER, minimum=10, promised_date=market.now + 8 * DAY)
    for quantity in (60, 50):
        market.join_and_pay(scarce, quantity)
    market.join_and_pay(hopeless, 12)
    market.pass_time(7 * DAY)
    _answer(market)
    market.pass_time(4 * DAY)
    _answer(market)
    _make(market)
    market.pass_time(20 * DAY + timedelta(hours=5))
    _ship_and_deliver(market, part=2)
    with database.transaction() as session:
        for order in session.exec(select(WorkOrder).where(WorkOrder.state == WorkOrderState.IN_PRODUCTION)).all():
            ship(session, order, 1, now=market.now)
    exits = some_leave_free(market)
    closes = extended_now(market, closes)
    running = market.campaign(ladder=LADDER, minimum=10, cap=30, per_buyer_limit=20, sample_campaign_id=sample)
    market.join_and_pay(running, 8, buyer=tried)
    market.join(running, 3)
    _queue(market, running)
    return Life(market.now, group_buy, failed, called_off, hopeless, running, closes, exits)


def _queue(market: Market, campaign_id: UUID) -> None:
    """A place that is filled at once, and one that the limit of its buyer keeps waiting."""
    wait(market, campaign_id, 2)
    greedy = market.buyer()
    wait(market, campaign_id, 20, buyer=greedy)
    market.join(campaign_id, 1, buyer=greedy)


def _factories(market: Market) -> None:
    with market.database.transaction() as session:
        for capacity, price_minor in ((20, 50_00), (15, 60_00)):
            a_line(session, a_factory(session), category="tshirt", weekly_capacity=capacity, prices={1: price_minor})


def _concepts(market: Market) -> None:
    """A concept that is stopped with one deposit withdrawn before, one that still runs, one that asks for none."""
    buyers = [market.buyer() for _ in range(3)]
    with market.database.transaction() as session:
        stopped, [first, second] = a_concept(session)
        _, [running, _] = a_concept(session, ends_at=NOON + 60 * DAY)
        _, [free, _] = a_concept(session, deposit_minor=0)
        withdrawn = a_want(session, second, buyers[1], now=market.now)
        for variant, buyer in ((first, buyers[0]), (running, buyers[2]), (free, buyers[2])):
            a_want(session, variant, buyer, key=str(variant.id), now=market.now)
    market.work()
    with market.database.transaction() as session:
        withdraw_want(session, session.get_one(Want, withdrawn.id), now=market.now)
        stop_concept(session, session.get_one(Concept, stopped.id), now=market.now)
    market.work()


def _join_team_of(market: Market, leader: UUID, quantity: int) -> None:
    """Somebody who joined begins a team, and somebody joins by its link."""
    request = market.request(market.pledge(leader).campaign_id, quantity)
    with market.database.transaction() as session:
        team = start_team(session, session.get_one(Pledge, leader), "Lane end", now=market.now)
        place_pledge(session, replace(request, team_id=team.id), now=market.now)
    market.work()


def _leave(market: Market, pledge_id: UUID) -> None:
    with market.database.transaction() as session:
        cancel_pledge(session, session.get_one(Pledge, pledge_id), now=market.now)
    market.work()


def _decline(market: Market, campaign_id: UUID) -> None:
    """Somebody joins whose payment the provider declines."""
    poor = market.buyer()
    market.provider.declined_organisations.add(str(poor))
    market.join(campaign_id, 2, buyer=poor)
    market.work()


def _pay_balances(market: Market, pledge_ids: list[UUID]) -> None:
    for pledge_id in pledge_ids:
        with market.database.transaction() as session:
            pay_balance(session, session.get_one(Pledge, pledge_id), now=market.now)
    market.work()


def _answer(market: Market, *, decline_first: bool = False) -> None:
    """Factories take on what they are offered, until nothing is offered any more."""
    while offers := _offers(market.database):
        with market.database.transaction() as session:
            for number, offer in enumerate(offers):
                answer = Answer(offer.id, offer.factory_id)
                if decline_first and number == 0:
                    decline_offer(session, answer, now=market.now)
                else:
                    accept_offer(session, answer, now=market.now)
        decline_first = False
        market.work()


def _offers(database: Database) -> list[Offer]:
    with database.reading() as session:
        return list(session.exec(select(Offer).where(Offer.state == OfferState.OFFERED).order_by(col(Offer.id))).all())


def _make(market: Market) -> None:
    """Every new order is made; one piece of each is rejected at the last step and made again."""
    with market.database.transaction() as session:
        for order in session.exec(select(WorkOrder).where(WorkOrder.state == WorkOrderState.PLANNED)).all():
            make(session, order, order.quantity, rejected=1, now=market.now)
            make(session, order, 1, now=market.now)


def _ship_and_deliver(market: Market, *, part: int = 1) -> None:
    """One piece in so many of each order leaves, and arrives two days later."""
    underway = col(WorkOrder.state) == WorkOrderState.IN_PRODUCTION
    with market.database.transaction() as session:
        for order in session.exec(select(WorkOrder).where(underway)).all():
            ship(session, order, -(-(order.quantity - order.shipped) // part), now=market.now)
    market.pass_time(2 * DAY)
    with market.database.transaction() as session:
        arriving = session.exec(select(Parcel.id).where(col(Parcel.delivered_at).is_(None))).all()
        deliver_parcels(session, arriving, now=market.now)
    market.work()
