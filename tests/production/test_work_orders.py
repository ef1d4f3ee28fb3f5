"""Accepted offers become work orders, each once."""

from datetime import timedelta

from sqlmodel import col, select

from c2m.db import Database
from c2m.matching.models import OfferState
from c2m.production.models import Milestone, WorkOrder, WorkOrderLine, WorkOrderState
from c2m.production.queries import work_order
from c2m.production.work_orders import create_work_orders
from tests.builders import MORNING, a_campaign, a_capability, a_confirmed_pledge, a_factory, a_sheet, an_offer
from tests.production.market import PROMISED, a_sold_campaign, announced, count


def test_an_order_takes_over_what_was_offered(database: Database) -> None:
    with database.transaction() as session:
        campaign, [black, white] = a_campaign(session, variants=[("black", "M"), ("white", "L")])
        pledge = a_confirmed_pledge(session, campaign, {black.id: 4, white.id: 2})
        sheet = a_sheet(session, campaign, [pledge])
        capability = a_capability(session, a_factory(session))
        offer = an_offer(session, sheet, capability, {black.id: 4, white.id: 2}, total_minor=361_99)
        [order_id] = create_work_orders(session, [offer.id], now=MORNING)
        order = work_order(session, order_id)
        assert (order.quantity, order.total_minor, order.currency) == (6, 361_99, "CNY")
        assert (order.factory_id, order.sheet_id, order.due_at) == (capability.factory_id, sheet.id, PROMISED)
        assert (order.state, order.planned_at) == (WorkOrderState.PLANNED, MORNING)
        assert order.number.startswith("WO-")
        lines = session.exec(select(WorkOrderLine).where(WorkOrderLine.work_order_id == order_id)).all()
        assert {line.variant_id: (line.quantity, line.shipped) for line in lines} == {
            black.id: (4, 0),
            white.id: (2, 0),
        }
        assert announced(session) == [("production.work_orders_planned", [str(order_id)])]


def test_the_route_ends_in_time_for_the_way_to_the_buyer(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [5])
        capability = a_capability(session, a_factory(session), process="ceramics", lead_days=4)
        offer = an_offer(session, sheet, capability, {variant: 5})
        create_work_orders(session, [offer.id], now=MORNING)
        steps = session.exec(select(Milestone).order_by(col(Milestone.position))).all()
        assert [step.step for step in steps] == ["shaping", "glazing", "firing", "inspection", "packing"]
        finish = (PROMISED - timedelta(days=4)).date()
        assert [(finish - step.planned_on).days for step in steps] == [7, 5, 2, 1, 0]


def test_an_offer_becomes_one_order_however_often_it_is_announced(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [5])
        offer = an_offer(session, sheet, a_capability(session, a_factory(session)), {variant: 5})
        assert len(create_work_orders(session, [offer.id, offer.id], now=MORNING)) == 1
    with database.transaction() as session:
        assert create_work_orders(session, [offer.id], now=MORNING) == []
        assert count(session, WorkOrder, WorkOrderLine, Milestone) == [1, 1, 5]
        assert len(announced(session)) == 1


def test_offers_that_were_not_accepted_become_nothing(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [5])
        capability = a_capability(session, a_factory(session))
        states = [OfferState.OFFERED, OfferState.DECLINED, OfferState.EXPIRED]
        offers = [an_offer(session, sheet, capability, {variant: 1}, state=state) for state in states]
        assert create_work_orders(session, [offer.id for offer in offers], now=MORNING) == []
        assert count(session, WorkOrder) == [0]
        assert announced(session) == []
