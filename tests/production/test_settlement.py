"""Some days after delivery the factory is paid what it earned, less compensation and fee."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from c2m.db import Database
from c2m.ledger.models import AccountKind, Direction, Transfer
from c2m.production.models import Settlement, WorkOrder, WorkOrderState
from c2m.production.queries import work_order
from c2m.production.settlement import settle_work_orders
from c2m.production.work_orders import create_work_orders
from tests.builders import MORNING, a_campaign, a_capability, a_confirmed_pledge, a_factory, a_policy, a_sheet, an_offer
from tests.production.market import (
    PROMISED,
    a_sold_campaign,
    an_order,
    balances,
    deliver,
    everything,
    make,
    pay_everything,
    ship,
)

DUE = PROMISED + timedelta(days=15)


def a_delivered_order(session: Session, pieces: int, *, at: datetime = PROMISED, **offer: object) -> WorkOrder:
    _, variant, _, sheet = a_sold_campaign(session, [pieces])
    order = an_order(session, sheet, {variant: pieces}, **offer)
    make(session, order, pieces)
    deliver(session, ship(session, order), now=at)
    return order


def payouts(session: Session) -> list[tuple[str, int]]:
    """Purpose and amount of everything to be paid to factories and merchandisers."""
    rows = session.exec(select(Transfer).where(Transfer.direction == Direction.PAYOUT).order_by(col(Transfer.id)))
    return [(row.purpose, row.amount_minor) for row in rows]


def test_a_late_order_is_settled_less_compensation_and_fee(database: Database) -> None:
    """Earned ¥600, compensation 2 % of ¥1,000, fee 3 % of ¥580."""
    with database.transaction() as session:
        order = a_delivered_order(session, 10, at=PROMISED + timedelta(days=2))
        assert settle_work_orders(session, [order.id], now=DUE) == [order.id]
        settlement = session.exec(select(Settlement)).one()
        assert settlement.number.startswith("S-")
        assert (settlement.earned_minor, settlement.compensation_minor) == (600_00, 20_00)
        assert (settlement.fee_minor, settlement.net_minor, settlement.paid_minor) == (17_40, 562_60, 562_60)
        assert (settlement.margin_minor, settlement.margin_paid_minor) == (400_00, 400_00)
        assert work_order(session, order.id).state is WorkOrderState.SETTLED
        assert payouts(session) == [("production.settlement", 562_60), ("production.settlement", 400_00)]
        pay_everything(session, now=DUE)
        assert balances(session) == {AccountKind.OUTSIDE: -17_40, AccountKind.PLATFORM_FEES: 17_40}


def test_an_order_settled_twice_is_paid_once(database: Database) -> None:
    with database.transaction() as session:
        order = a_delivered_order(session, 10)
        settle_work_orders(session, [order.id, order.id], now=DUE)
        before = everything(session)
        assert settle_work_orders(session, [order.id], now=DUE) == []
        assert everything(session) == before


def test_an_order_still_underway_is_not_settled(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [5])
        order = an_order(session, sheet, {variant: 5})
        make(session, order, 5)
        deliver(session, ship(session, order, 4))
        before = everything(session)
        assert settle_work_orders(session, [order.id], now=DUE) == []
        assert everything(session) == before


def test_what_an_order_leaves_owing_is_taken_off_the_next_settlements(database: Database) -> None:
    """Delivered 30 days late, ten pieces cost their factory ¥300 compensation and earn it ¥100."""
    with database.transaction() as session:
        factory, terms = a_factory(session), a_policy(session)
        capability = a_capability(session, factory)
        campaign, [variant] = a_campaign(session, policy=terms)
        pledge = a_confirmed_pledge(session, campaign, {variant.id: 40})
        sheet = a_sheet(session, campaign, [pledge])
        prices = [10_00, 15_00, 30_00, 30_00]
        offers = [an_offer(session, sheet, capability, {variant.id: 10}, unit_price_minor=price) for price in prices]
        orders = create_work_orders(session, [offer.id for offer in offers], now=MORNING)
        for order_id, days in zip(orders, [30, 0, 0, 0], strict=True):
            order = work_order(session, order_id)
            make(session, order, 10)
            deliver(session, ship(session, order), now=PROMISED + timedelta(days=days))
        settle_work_orders(session, orders[:1], now=DUE)
        settle_work_orders(session, orders[1:], now=DUE)
        settled = session.exec(select(Settlement).order_by(col(Settlement.work_order_id))).all()
        assert [s.net_minor for s in settled] == [-200_00, 145_50, 291_00, 291_00]
        assert [s.paid_minor for s in settled] == [0, 0, 236_50, 291_00]
        pay_everything(session, now=DUE)
        assert AccountKind.FACTORY_PAYABLE not in balances(session)


def test_a_margin_below_nothing_is_taken_off_the_next_one(database: Database) -> None:
    with database.transaction() as session:
        campaign, [variant] = a_campaign(session)
        pledge = a_confirmed_pledge(session, campaign, {variant.id: 2})
        sheet = a_sheet(session, campaign, [pledge])
        orders = [an_order(session, sheet, {variant.id: 1}, unit_price_minor=price) for price in (120_00, 50_00)]
        for order in orders:
            make(session, order, 1)
            deliver(session, ship(session, order))
        settle_work_orders(session, [order.id for order in orders], now=DUE)
        settled = session.exec(select(Settlement).order_by(col(Settlement.work_order_id))).all()
        assert [(s.margin_minor, s.margin_paid_minor) for s in settled] == [(-20_00, 0), (50_00, 30_00)]
        pay_everything(session, now=DUE)
        assert AccountKind.MERCHANDISER_PAYABLE not in balances(session)


def test_a_policy_without_fee_takes_none(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [1], policy=a_policy(session, fee_ppm=0))
        order = an_order(session, sheet, {variant: 1})
        make(session, order, 1)
        deliver(session, ship(session, order))
        settle_work_orders(session, [order.id], now=DUE)
        assert payouts(session) == [("production.settlement", 60_00), ("production.settlement", 40_00)]
        assert AccountKind.PLATFORM_FEES not in balances(session)
