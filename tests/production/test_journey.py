"""From an accepted offer to a settled work order, through the jobs, with every cent accounted for."""

from datetime import timedelta

from sqlmodel import select

from c2m import outbox
from c2m.db import Database
from c2m.demand.models import Pledge, PledgeState
from c2m.jobs import Worker
from c2m.ledger.models import AccountKind
from c2m.production import jobs
from c2m.production.models import Settlement, WorkOrder, WorkOrderState
from c2m.production.queries import work_order
from tests.builders import MORNING, a_capability, a_factory, an_offer
from tests.production.market import PROMISED, a_sold_campaign, balances, deliver, make, pay_everything, ship


def test_an_accepted_offer_is_made_shipped_delivered_and_settled_to_the_cent(database: Database) -> None:
    worker = Worker(database, jobs.handlers(), jobs.SUBSCRIPTIONS, jobs.SCHEDULES)
    with database.transaction() as session:
        _, variant, pledges, sheet = a_sold_campaign(session, [3, 7])
        offer = an_offer(session, sheet, a_capability(session, a_factory(session)), {variant: 10})
        outbox.announce(session, "matching.offers_accepted", [offer.id], now=MORNING)
    worker.run_until_idle(MORNING)
    with database.transaction() as session:
        order = session.exec(select(WorkOrder)).one()
        make(session, order, 10)
        lot = ship(session, order)
    with database.transaction() as session:
        deliver(session, lot)
        assert balances(session) == {
            AccountKind.OUTSIDE: -1_000_00,
            AccountKind.FACTORY_PAYABLE: 600_00,
            AccountKind.MERCHANDISER_PAYABLE: 400_00,
        }
    worker.run_until_idle(PROMISED + timedelta(days=15) - timedelta(seconds=1))
    with database.reading() as session:
        assert work_order(session, order.id).state is WorkOrderState.DELIVERED
    worker.run_until_idle(PROMISED + timedelta(days=15))
    with database.transaction() as session:
        pay_everything(session, now=PROMISED + timedelta(days=15))
        assert balances(session) == {AccountKind.OUTSIDE: -18_00, AccountKind.PLATFORM_FEES: 18_00}
        settlement = session.exec(select(Settlement)).one()
        assert (settlement.earned_minor, settlement.fee_minor, settlement.net_minor) == (600_00, 18_00, 582_00)
        assert (settlement.paid_minor, settlement.margin_paid_minor) == (582_00, 400_00)
        assert work_order(session, order.id).state is WorkOrderState.SETTLED
        states = session.exec(select(Pledge.state).where(Pledge.id.in_([p.id for p in pledges]))).all()
        assert states == [PledgeState.FULFILLED] * 2
