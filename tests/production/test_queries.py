"""What the pages read about production."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import col, select

from c2m.db import Database
from c2m.production import queries
from c2m.production.floor import ReportRequest, report_step
from c2m.production.models import Parcel, WorkOrderState
from c2m.production.settlement import settle_work_orders
from tests.builders import MORNING, a_campaign, a_confirmed_pledge, a_sheet
from tests.production.market import PROMISED, a_sold_campaign, an_order, deliver, make, ship


def test_a_factory_sees_its_own_orders_newest_first_and_page_by_page(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [9])
        order, other = an_order(session, sheet, {variant: 4}), an_order(session, sheet, {variant: 5})
        [seen] = queries.work_orders_of(session, order.factory_id)
        assert (seen.order.id, seen.title, seen.title_en, seen.category) == (order.id, "T 恤", "T-shirt", "tshirt")
        assert queries.work_orders_of(session, order.factory_id, before=order.id) == []
        assert queries.work_orders_of(session, order.factory_id, states=[WorkOrderState.SETTLED]) == []
        with pytest.raises(queries.WorkOrderNotFound):
            queries.work_order(session, order.id, factory_id=other.factory_id)
        with pytest.raises(queries.WorkOrderNotFound):
            queries.work_order(session, uuid4())


def test_progress_says_what_is_done_what_is_next_and_what_may_be_reported(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [10])
        order = an_order(session, sheet, {variant: 10})
        report_step(session, ReportRequest(order.id, 0, 10, 0, "a"), now=MORNING)
        report_step(session, ReportRequest(order.id, 1, 5, 1, "b"), now=MORNING)
        [seen] = queries.progress_of(session, [queries.work_order(session, order.id)])
        assert [(step.done, step.rejected, step.reportable) for step in seen.steps] == [
            (10, 0, 1),
            (4, 1, 5),
            (0, 0, 4),
            (0, 0, 0),
            (0, 0, 0),
        ]
        assert seen.current is not None
        assert seen.current.step == "material"
        assert (seen.done_ppm, seen.ready) == (280_000, 0)
        make(session, order, 1)
        report_step(session, ReportRequest(order.id, 1, 5, 0, "c"), now=MORNING)
        [seen] = queries.progress_of(session, [queries.work_order(session, order.id)])
        assert seen.current is not None
        assert (seen.current.step, seen.ready) == ("sewing", 1)


def test_an_order_shows_its_variants_and_how_much_of_each_lot_arrived(database: Database) -> None:
    with database.transaction() as session:
        campaign, [m, large] = a_campaign(session, variants=[("black", "M"), ("black", "L")])
        pledges = [
            a_confirmed_pledge(session, campaign, {m.id: 2, large.id: 1}),
            a_confirmed_pledge(session, campaign, {m.id: 1}, placed_at=MORNING + timedelta(minutes=1)),
        ]
        order = an_order(session, a_sheet(session, campaign, pledges), {m.id: 3, large.id: 1})
        make(session, order, 4)
        first, second = ship(session, order, 3), ship(session, order)
        deliver(session, second)
        assert [(v.colour, v.size, v.quantity, v.shipped) for v in queries.lines_of(session, order.id)] == [
            ("black", "M", 3, 3),
            ("black", "L", 1, 1),
        ]
        lots = queries.lots_of(session, order.id)
        assert [(p.lot.id, p.parcels, p.delivered_parcels, p.delivered_pieces) for p in lots] == [
            (first, 1, 0, 0),
            (second, 1, 1, 1),
        ]
        assert queries.lot(session, first).quantity == 3
        with pytest.raises(queries.LotNotFound):
            queries.lot(session, uuid4())


def test_a_buyer_sees_parcels_with_contents_and_compensation(database: Database) -> None:
    with database.transaction() as session:
        _, variant, [a, b], sheet = a_sold_campaign(session, [3, 2])
        order = an_order(session, sheet, {variant: 5})
        make(session, order, 5)
        first, second = ship(session, order, 2), ship(session, order, now=MORNING + timedelta(days=1))
        deliver(session, first, now=PROMISED + timedelta(days=2))
        seen = queries.parcels_of(session, [a.id, b.id])
        assert [(p.lot_id, p.quantity, p.days_late, p.compensation_minor) for p in seen[a.id]] == [
            (first, 2, 2, 4_00),
            (second, 1, 0, 0),
        ]
        assert [p.delivered_at for p in seen[a.id]] == [PROMISED + timedelta(days=2), None]
        [parcel] = seen[b.id]
        assert (parcel.carrier, parcel.tracking_number, parcel.currency) == ("SF Express", "SF1", "CNY")
        assert [(line.colour, line.size, line.quantity) for line in parcel.lines] == [("black", "M", 2)]


def test_a_parcel_is_found_only_by_those_it_goes_to(database: Database) -> None:
    with database.transaction() as session:
        _, variant, [a, b], sheet = a_sold_campaign(session, [3, 2])
        order = an_order(session, sheet, {variant: 5})
        make(session, order, 3)
        ship(session, order)
        parcel = session.exec(select(Parcel).order_by(col(Parcel.id))).one()
        assert queries.parcel_of(session, parcel.id, pledge_ids=[a.id]) is parcel
        with pytest.raises(queries.ParcelNotFound):
            queries.parcel_of(session, parcel.id, pledge_ids=[b.id])


def test_late_orders_are_those_past_due_and_not_wholly_delivered(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [3, 3, 3])
        delivered, idle, half = (an_order(session, sheet, {variant: 3}) for _ in range(3))
        make(session, delivered, 3)
        make(session, half, 3)
        deliver(session, ship(session, delivered))
        deliver(session, ship(session, half, 1))
        assert queries.late_work_orders(session, now=PROMISED) == []
        late = queries.late_work_orders(session, now=PROMISED + timedelta(seconds=1))
        assert [seen.order.id for seen in late] == [idle.id, half.id]


def test_a_factory_sees_its_settlements(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [2])
        order = an_order(session, sheet, {variant: 2})
        make(session, order, 2)
        deliver(session, ship(session, order))
        assert queries.settlements_of(session, order.factory_id) == []
        settle_work_orders(session, [order.id], now=PROMISED + timedelta(days=15))
        [(settlement, settled)] = queries.settlements_of(session, order.factory_id)
        assert (settlement.net_minor, settled.number) == (116_40, order.number)
        assert queries.settlements_of(session, order.factory_id, before=order.id) == []
