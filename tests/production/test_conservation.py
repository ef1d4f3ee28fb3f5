"""Whatever the order of lots and deliveries: no unit and no cent is lost, invented or counted twice."""

from datetime import timedelta
from random import Random
from uuid import UUID

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from c2m.db import Database, table_of
from c2m.demand.models import Pledge, PledgeState
from c2m.ledger.models import AccountKind, Hold, HoldState
from c2m.production.accounts import mismatches
from c2m.production.deliveries import deliver_parcels
from c2m.production.models import Compensation, Parcel, WorkOrder, WorkOrderState
from c2m.production.settlement import settle_work_orders
from tests.production.market import PROMISED, a_sold_campaign, an_order, balances, make, pay_everything, ship

PLEDGES = st.lists(
    st.tuples(st.integers(1, 5), st.lists(st.integers(1, 2_000), min_size=1, max_size=2)), min_size=1, max_size=4
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(pledged=PLEDGES, totals=st.lists(st.integers(1, 3_000), min_size=1, max_size=2), random=st.randoms())
def test_captures_are_the_pledges_money_and_earnings_the_offers_totals(
    database: Database, pledged: list[tuple[int, list[int]]], totals: list[int], random: Random
) -> None:
    with database.writing() as session:
        _, variant, pledges, sheet = a_sold_campaign(
            session, [quantity for quantity, _ in pledged], payments=[payments for _, payments in pledged]
        )
        pieces = _split(sum(quantity for quantity, _ in pledged), len(totals), random)
        orders = [
            an_order(session, sheet, {variant: quantity}, total_minor=total)
            for quantity, total in zip(pieces, totals, strict=False)
        ]
        for order in orders:
            make(session, order, order.quantity)
        _ship_and_deliver(session, orders, random)

        paid = sum(amount for _, payments in pledged for amount in payments)
        earned = sum(order.total_minor for order in orders)
        compensated = session.execute(sa.select(sa.func.sum(table_of(Compensation).c.amount_minor))).scalar() or 0
        kept = balances(session)
        assert kept.get(AccountKind.ESCROW, 0) == 0
        assert kept.get(AccountKind.FACTORY_PAYABLE, 0) == earned - compensated
        assert kept.get(AccountKind.MERCHANDISER_PAYABLE, 0) == paid - earned
        assert all(hold.captured_minor == hold.amount_minor for hold in session.exec(select(Hold)))
        assert set(session.exec(select(Hold.state))) == {HoldState.CAPTURED}
        assert set(session.exec(select(Pledge.state))) == {PledgeState.FULFILLED}
        assert list(mismatches(session)) == []

        settle_work_orders(session, [order.id for order in orders], now=PROMISED + timedelta(days=60))
        pay_everything(session, now=PROMISED + timedelta(days=60))
        assert set(session.exec(select(WorkOrder.state))) == {WorkOrderState.SETTLED}
        assert list(mismatches(session)) == []
        assert sum(balances(session).values()) == 0
        assert _delivered_by_pledge(session) == {pledge.id: pledge.quantity for pledge in pledges}
        session.rollback()


def _split(whole: int, parts: int, random: Random) -> list[int]:
    if parts == 1 or whole == 1:
        return [whole]
    first = random.randint(1, whole - 1)
    return [first, whole - first]


def _ship_and_deliver(session: Session, orders: list[WorkOrder], random: Random) -> None:
    """Ship lots of chance sizes and deliver chance parcels at chance times until everything has arrived."""
    unshipped = {order.id: order.quantity for order in orders}
    by_id = {order.id: order for order in orders}
    now = PROMISED - timedelta(days=2)
    underway: list[UUID] = []
    while unshipped or underway:
        now += timedelta(hours=random.randint(0, 30))
        if unshipped and (not underway or random.random() < 0.5):
            order_id = random.choice(sorted(unshipped))
            pieces = random.randint(1, unshipped[order_id])
            ship(session, by_id[order_id], pieces, now=now)
            unshipped[order_id] -= pieces
            unshipped = {i: left for i, left in unshipped.items() if left}
        else:
            chosen = random.sample(underway, random.randint(1, len(underway)))
            deliver_parcels(session, chosen, now=now)
        underway = list(session.exec(select(Parcel.id).where(Parcel.delivered_at == None)))  # noqa: E711


def _delivered_by_pledge(session: Session) -> dict[UUID, int]:
    c = table_of(Parcel).c
    rows = session.execute(sa.select(c.pledge_id, sa.func.sum(c.quantity)).group_by(c.pledge_id))
    return {pledge_id: int(pieces) for pledge_id, pieces in rows}
