"""A parcel that arrived pays the factory and the merchandiser, and its buyer if it came late."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlmodel import Session, col, select

from c2m.db import Database
from c2m.demand.models import Campaign, Pledge, PledgeState
from c2m.jobs import Job
from c2m.ledger.models import AccountKind, Direction, Hold, HoldState, Transfer
from c2m.production.deliveries import deliver_lots, deliver_parcels
from c2m.production.models import Compensation, Parcel, WorkOrder, WorkOrderState
from c2m.production.queries import work_order
from tests.builders import a_policy
from tests.production.market import (
    PROMISED,
    a_sold_campaign,
    an_order,
    announced,
    balances,
    deliver,
    everything,
    make,
    pay_everything,
    ship,
)


def money(session: Session, order: WorkOrder) -> tuple[int, int, int]:
    """Delivered pieces of an order, what its factory earned and what is left for the merchandiser."""
    seen = work_order(session, order.id)
    return seen.delivered, seen.earned_minor, seen.margin_minor


def an_order_made(session: Session, pledged: list[int], **fields: object) -> tuple[WorkOrder, list[Pledge], Campaign]:
    """One order for a whole campaign, all pieces made."""
    offer = {name: fields.pop(name) for name in ("total_minor", "unit_price_minor") if name in fields}
    campaign, variant, pledges, sheet = a_sold_campaign(session, pledged, **fields)
    order = an_order(session, sheet, {variant: sum(pledged)}, **offer)
    make(session, order, sum(pledged))
    return order, pledges, campaign


def holds(session: Session) -> list[tuple[int, int, HoldState]]:
    """What each payment was, how much of it was captured, and its state."""
    found = session.exec(select(Hold).order_by(col(Hold.id)).execution_options(populate_existing=True))
    return [(hold.amount_minor, hold.captured_minor, hold.state) for hold in found]


def test_two_lots_of_one_order_share_the_money_exactly(database: Database) -> None:
    with database.transaction() as session:
        order, [pledge], _ = an_order_made(session, [3], payments=[[10_01]], total_minor=5_00)
        first, second = ship(session, order, 1), ship(session, order, 2)
        deliver(session, first)
        assert money(session, order) == (1, 1_66, 1_67)
        assert holds(session) == [(10_01, 3_33, HoldState.HELD)]
        assert session.get_one(Pledge, pledge.id, populate_existing=True).delivered_quantity == 1
        deliver(session, second)
        assert money(session, order) == (3, 5_00, 5_01)
        assert holds(session) == [(10_01, 10_01, HoldState.CAPTURED)]
        assert session.get_one(Pledge, pledge.id, populate_existing=True).state is PledgeState.FULFILLED


def test_a_split_sheet_earns_each_factory_its_own_total(database: Database) -> None:
    with database.transaction() as session:
        _, variant, pledges, sheet = a_sold_campaign(session, [5, 5])
        cheap = an_order(session, sheet, {variant: 4}, unit_price_minor=50_00)
        dear = an_order(session, sheet, {variant: 6}, unit_price_minor=70_00)
        make(session, cheap, 4)
        make(session, dear, 6)
        lots = [ship(session, cheap), ship(session, dear)]
        deliver_lots(session, lots, now=PROMISED)
        assert money(session, cheap) == (4, 200_00, 200_00)
        assert money(session, dear) == (6, 420_00, 180_00)
        delivered = session.exec(select(Pledge.delivered_quantity).where(col(Pledge.id).in_([p.id for p in pledges])))
        assert list(delivered) == [5, 5]
        assert balances(session) == {
            AccountKind.OUTSIDE: -1_000_00,
            AccountKind.FACTORY_PAYABLE: 620_00,
            AccountKind.MERCHANDISER_PAYABLE: 380_00,
        }


def test_a_presale_pays_out_of_the_deposit_first_and_only_what_was_paid(database: Database) -> None:
    """Two pieces at ¥300: the deposit of ¥50 each counts ¥100, the balance is ¥400, so ¥500 are there, not ¥600."""
    with database.transaction() as session:
        order, _, _ = an_order_made(
            session, [2], price_minor=300_00, payments=[[100_00, 400_00]], unit_price_minor=200_00
        )
        lots = [ship(session, order, 1), ship(session, order, 1)]
        deliver(session, lots[0])
        assert holds(session) == [(100_00, 100_00, HoldState.CAPTURED), (400_00, 150_00, HoldState.HELD)]
        assert money(session, order) == (1, 200_00, 50_00)
        deliver(session, lots[1])
        assert holds(session) == [(100_00, 100_00, HoldState.CAPTURED), (400_00, 400_00, HoldState.CAPTURED)]
        assert money(session, order) == (2, 400_00, 100_00)


def test_where_the_factory_costs_more_than_buyers_paid_the_merchandiser_bears_it(database: Database) -> None:
    with database.transaction() as session:
        order, _, _ = an_order_made(session, [2], payments=[[60_00, 100_00]], unit_price_minor=110_00)
        deliver(session, ship(session, order))
        assert money(session, order) == (2, 220_00, -60_00)
        assert balances(session) == {
            AccountKind.OUTSIDE: -160_00,
            AccountKind.FACTORY_PAYABLE: 220_00,
            AccountKind.MERCHANDISER_PAYABLE: -60_00,
        }


def test_pieces_whose_share_of_the_money_is_nothing_still_earn_the_factory(database: Database) -> None:
    with database.transaction() as session:
        order, _, _ = an_order_made(session, [3], price_minor=1, payments=[[1]], unit_price_minor=2)
        for _ in range(3):
            deliver(session, ship(session, order, 1))
        assert money(session, order) == (3, 6, -5)
        assert holds(session) == [(1, 1, HoldState.CAPTURED)]
        assert balances(session) == {
            AccountKind.OUTSIDE: -1,
            AccountKind.FACTORY_PAYABLE: 6,
            AccountKind.MERCHANDISER_PAYABLE: -5,
        }


def test_a_parcel_that_comes_on_the_promised_instant_is_in_time(database: Database) -> None:
    with database.transaction() as session:
        order, _, _ = an_order_made(session, [2])
        deliver(session, ship(session, order), now=PROMISED)
        assert session.exec(select(Compensation)).all() == []


def test_a_late_parcel_is_compensated_to_the_cent_without_being_asked_for(database: Database) -> None:
    """Three pieces at ¥33.33, 1 % a day, three days begun: ¥2.9997, rounded to ¥3.00."""
    with database.transaction() as session:
        order, [pledge], _ = an_order_made(session, [3], price_minor=33_33, unit_price_minor=20_00)
        lot = ship(session, order)
        deliver(session, lot, now=PROMISED + timedelta(days=2, hours=1))
        [granted] = session.exec(select(Compensation)).all()
        assert (granted.pledge_id, granted.work_order_id) == (pledge.id, order.id)
        assert (granted.days_late, granted.amount_minor) == (3, 3_00)
        [transfer] = session.exec(select(Transfer).where(Transfer.direction == Direction.REFUND)).all()
        assert (transfer.subject_id, transfer.organisation_id) == (pledge.id, pledge.buyer_id)
        assert (transfer.amount_minor, transfer.purpose) == (3_00, "production.compensation")
        assert balances(session) == {
            AccountKind.OUTSIDE: -99_99,
            AccountKind.BUYER_PAYABLE: 3_00,
            AccountKind.FACTORY_PAYABLE: 57_00,
            AccountKind.MERCHANDISER_PAYABLE: 39_99,
        }
        pay_everything(session, now=PROMISED + timedelta(days=3))
        assert AccountKind.BUYER_PAYABLE not in balances(session)


def test_compensation_stops_at_the_cap_of_the_frozen_policy(database: Database) -> None:
    with database.transaction() as session:
        terms = a_policy(session, compensation_ppm_per_day=25_000, compensation_cap_ppm=110_000)
        a_policy(session)  # newer terms do not apply
        order, _, _ = an_order_made(session, [1, 1], policy=terms)
        deliver(session, ship(session, order, 1), now=PROMISED + timedelta(days=4))
        deliver(session, ship(session, order, 1), now=PROMISED + timedelta(days=5))
        granted = session.exec(select(Compensation.days_late, Compensation.amount_minor)).all()
        assert sorted(granted) == [(4, 10_00), (5, 11_00)]


def test_compensation_of_less_than_half_a_cent_is_not_granted(database: Database) -> None:
    with database.transaction() as session:
        order, _, _ = an_order_made(session, [1], price_minor=49, unit_price_minor=20)
        deliver(session, ship(session, order), now=PROMISED + timedelta(hours=1))
        assert session.exec(select(Compensation)).all() == []


def test_a_parcel_delivered_twice_has_one_effect(database: Database) -> None:
    with database.transaction() as session:
        order, _, _ = an_order_made(session, [3, 4])
        lot = ship(session, order)
        parcels = list(session.exec(select(Parcel.id).order_by(col(Parcel.id))).all())
        late = PROMISED + timedelta(days=1, hours=1)
        assert deliver_parcels(session, [parcels[0], parcels[0]], now=late) == parcels[:1]
        assert deliver(session, lot, now=late) == parcels[1:]
        before = everything(session)
        assert deliver_parcels(session, [*parcels, uuid4()], now=late) == []
        assert deliver(session, lot, now=late) == []
        assert everything(session) == before


def test_an_order_is_delivered_with_its_last_piece_and_then_falls_due_for_settlement(database: Database) -> None:
    with database.transaction() as session:
        terms = a_policy(session, settlement_days=9)
        order, _, _ = an_order_made(session, [3, 4], policy=terms)
        first, second = ship(session, order, 3), ship(session, order, 4)
        deliver(session, second)
        assert work_order(session, order.id).state is WorkOrderState.SHIPPED
        assert session.exec(select(Job).where(col(Job.kind).startswith("production."))).all() == []
        later = PROMISED + timedelta(hours=5)
        deliver(session, first, now=later)
        seen = work_order(session, order.id)
        assert (seen.state, seen.delivered_at) == (WorkOrderState.DELIVERED, later)
        assert announced(session)[-1] == ("production.work_orders_delivered", [str(order.id)])
        [job] = session.exec(select(Job).where(col(Job.kind).startswith("production."))).all()
        assert (job.kind, job.key) == ("production.settle_work_orders", f"settle:{order.id}")
        assert ([UUID(i) for i in job.ids], job.due_at) == ([order.id], later + timedelta(days=9))
