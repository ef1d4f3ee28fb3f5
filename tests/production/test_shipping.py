"""Finished pieces leave as lots, each pegged to one pledge."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session, col, select

from c2m.db import Database, uuid7
from c2m.demand.fulfilment import release_units
from c2m.demand.models import Pledge, PledgeState
from c2m.errors import Refusal
from c2m.production.floor import KeyRefused, KeyReused
from c2m.production.models import Lot, Parcel, ParcelLine, WorkOrder, WorkOrderLine, WorkOrderState
from c2m.production.queries import WorkOrderNotFound, work_order
from c2m.production.shipping import (
    CarrierRefused,
    MoreThanReady,
    NothingReady,
    NotPledged,
    ShipQuantityRefused,
    ShipRequest,
    ship_lot,
    ship_lots,
)
from tests.builders import MORNING, a_campaign, a_confirmed_pledge, a_sheet
from tests.production.market import a_sold_campaign, an_order, announced, count, deliver, everything, make, ship


def a_shipment(order: WorkOrder, quantity: int | None = None, key: str | None = None) -> ShipRequest:
    return ShipRequest(order.id, quantity, "SF Express", "SF1", key or str(uuid7()))


def parcels(session: Session, lot_id: UUID) -> dict[UUID, int]:
    """Pledge → pieces of the parcels of a lot."""
    return {p.pledge_id: p.quantity for p in session.exec(select(Parcel).where(Parcel.lot_id == lot_id))}


def contents(session: Session, lot_id: UUID) -> dict[tuple[UUID, UUID], int]:
    """(pledge, variant) → pieces in the parcels of a lot."""
    rows = session.exec(
        select(Parcel.pledge_id, ParcelLine.variant_id, ParcelLine.quantity)
        .join(ParcelLine, col(ParcelLine.parcel_id) == col(Parcel.id))
        .where(Parcel.lot_id == lot_id)
    )
    return {(pledge_id, variant_id): quantity for pledge_id, variant_id, quantity in rows}


def test_the_oldest_pledges_are_served_first_over_several_lots(database: Database) -> None:
    with database.transaction() as session:
        _, variant, [a, b, c], sheet = a_sold_campaign(session, [3, 5, 2])
        order = an_order(session, sheet, {variant: 10})
        make(session, order, 10)
        assert parcels(session, ship(session, order, 4)) == {a.id: 3, b.id: 1}
        assert work_order(session, order.id).state is WorkOrderState.IN_PRODUCTION
        later = MORNING + timedelta(days=1)
        assert parcels(session, ship(session, order, now=later)) == {b.id: 4, c.id: 2}
        seen = work_order(session, order.id)
        assert (seen.shipped, seen.state, seen.shipped_at) == (10, WorkOrderState.SHIPPED, later)
        lots = session.exec(select(Lot).order_by(col(Lot.position))).all()
        assert [(lot.position, lot.quantity) for lot in lots] == [(1, 4), (2, 6)]
        assert announced(session)[1:] == [("production.lots_shipped", [str(lot.id)]) for lot in lots]


def test_a_lot_keeps_the_size_curve_and_packs_one_parcel_a_pledge(database: Database) -> None:
    with database.transaction() as session:
        campaign, [m, large] = a_campaign(session, variants=[("black", "M"), ("black", "L")])
        a = a_confirmed_pledge(session, campaign, {m.id: 4, large.id: 1})
        b = a_confirmed_pledge(session, campaign, {m.id: 2, large.id: 2}, placed_at=MORNING + timedelta(minutes=1))
        order = an_order(session, a_sheet(session, campaign, [a, b]), {m.id: 6, large.id: 3})
        make(session, order, 9)
        assert contents(session, ship(session, order, 3)) == {(a.id, m.id): 2, (a.id, large.id): 1}
        second = ship(session, order)
        assert contents(session, second) == {(a.id, m.id): 2, (b.id, m.id): 2, (b.id, large.id): 2}
        assert parcels(session, second) == {a.id: 2, b.id: 4}
        lines = session.exec(select(WorkOrderLine).execution_options(populate_existing=True)).all()
        assert all(line.shipped == line.quantity for line in lines)


def test_a_sheet_split_over_two_factories_serves_each_pledge_once(database: Database) -> None:
    with database.transaction() as session:
        _, variant, [a, b], sheet = a_sold_campaign(session, [5, 5])
        first, second = an_order(session, sheet, {variant: 4}), an_order(session, sheet, {variant: 6})
        make(session, first, 4)
        make(session, second, 6)
        lots = ship_lots(session, [a_shipment(second), a_shipment(first)], now=MORNING)
        assert [parcels(session, lot) for lot in lots if isinstance(lot, UUID)] == [{a.id: 5, b.id: 1}, {b.id: 4}]


def test_released_pieces_are_never_pegged(database: Database) -> None:
    with database.transaction() as session:
        _, variant, [a, b], sheet = a_sold_campaign(session, [5, 5])
        release_units(session, {(sheet.id, variant): 3}, now=MORNING)
        order = an_order(session, sheet, {variant: 7})
        make(session, order, 7)
        lot = ship(session, order)
        assert parcels(session, lot) == {a.id: 5, b.id: 2}
        deliver(session, lot)
        states = session.exec(select(Pledge.state, Pledge.delivered_quantity, Pledge.released_quantity)).all()
        assert sorted(states) == [(PledgeState.FULFILLED, 2, 3), (PledgeState.FULFILLED, 5, 0)]


def test_a_released_piece_leaves_for_nobody_even_if_a_factory_made_it(database: Database) -> None:
    with database.transaction() as session:
        _, variant, [a, b], sheet = a_sold_campaign(session, [5, 5])
        release_units(session, {(sheet.id, variant): 3}, now=MORNING)
        order = an_order(session, sheet, {variant: 8})
        make(session, order, 8)
        with pytest.raises(NotPledged):
            ship(session, order, 8)
        assert parcels(session, ship(session, order, 7)) == {a.id: 5, b.id: 2}


def test_pieces_nobody_pledged_for_do_not_leave(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [5])
        order = an_order(session, sheet, {variant: 6})
        make(session, order, 6)
        before = everything(session)
        with pytest.raises(NotPledged):
            ship(session, order, 6)
        assert everything(session) == before


@pytest.mark.parametrize(
    ("quantity", "refusal"),
    [(7, MoreThanReady), (0, ShipQuantityRefused), (-1, ShipQuantityRefused), (True, ShipQuantityRefused)],
)
def test_more_than_was_made_well_is_refused_and_changes_nothing(
    database: Database, quantity: int, refusal: type[Refusal]
) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [10])
        order = an_order(session, sheet, {variant: 10})
        make(session, order, 8, rejected=2)
        before = everything(session)
        with pytest.raises(refusal):
            ship(session, order, quantity)
        assert everything(session) == before
        ship(session, order, 6)
        with pytest.raises(NothingReady):
            ship(session, order)
        assert count(session, Lot) == [1]


@pytest.mark.parametrize(
    ("carrier", "number"), [("", "SF1"), (" ", "SF1"), ("SF", ""), ("S" * 61, "1"), ("S", "1" * 61)]
)
def test_a_lot_names_its_carrier_and_number(database: Database, carrier: str, number: str) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [1])
        order = an_order(session, sheet, {variant: 1})
        make(session, order, 1)
        before = everything(session)
        with pytest.raises(CarrierRefused):
            ship_lot(session, ShipRequest(order.id, None, carrier, number, "key"), now=MORNING)
        assert everything(session) == before


def test_the_same_shipment_sent_twice_leaves_once(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [4])
        order = an_order(session, sheet, {variant: 4})
        make(session, order, 4)
        request = a_shipment(order, key="dock-1")
        first = ship_lot(session, request, now=MORNING)
        assert ship_lots(session, [request, request], now=MORNING) == [first, first]
        assert count(session, Lot, Parcel) == [1, 1]
        with pytest.raises(KeyReused):
            ship_lot(session, a_shipment(order, 3, key="dock-1"), now=MORNING)
        with pytest.raises(KeyReused):
            ship_lot(session, ShipRequest(order.id, None, "YTO", "1", "dock-1"), now=MORNING)


def test_a_shipment_needs_a_key_and_an_order(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [4])
        order = an_order(session, sheet, {variant: 4})
        make(session, order, 4)
        with pytest.raises(KeyRefused):
            ship_lot(session, ShipRequest(order.id, None, "SF", "1", ""), now=MORNING)
        with pytest.raises(WorkOrderNotFound):
            ship_lot(session, ShipRequest(uuid4(), None, "SF", "1", "key"), now=MORNING)


def test_one_refused_shipment_does_not_hold_up_the_others(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [4, 4])
        ready, idle = an_order(session, sheet, {variant: 4}), an_order(session, sheet, {variant: 4})
        make(session, ready, 4)
        answers = ship_lots(session, [a_shipment(idle), a_shipment(ready, 3), a_shipment(ready)], now=MORNING)
        assert isinstance(answers[0], NothingReady)
        lots = [answer for answer in answers if isinstance(answer, UUID)]
        assert [session.get_one(Lot, lot).quantity for lot in lots] == [3, 1]
