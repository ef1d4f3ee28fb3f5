"""The shop floor's pages: reports, lots, parcels received, money; refusals change nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import Session, select

from c2m.app import build_worker
from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand.models import DemandSheet, Pledge, PledgeState
from c2m.ledger.provider import SandboxProvider
from c2m.matching.models import Factory, Offer, OfferState
from c2m.production.models import Lot, Parcel, Settlement, WorkOrder, WorkOrderState
from c2m.production.queries import progress_of, work_order
from tests.builders import a_line, an_offer, verify
from tests.conftest import Person, Visitor
from tests.production.market import a_sold_campaign, make, ship
from tests.web.test_access import everything

KEY = "a-key-of-this-form"
REPORT = {"position": "0", "made": "6", "rejected": "0", "idempotency_key": KEY}
SHIP = {"pieces": "4", "carrier": "SF Express", "tracking_number": "SF1", "idempotency_key": KEY}
ENGLISH = {"Accept-Language": "en"}


@dataclass(frozen=True)
class Floor:
    """A work order of `factory` for ten pieces: three for `buyer`, seven for `buyer2`."""

    order_id: UUID
    pledges: dict[str, UUID]

    @property
    def address(self) -> str:
        return f"/factory/work-orders/{self.order_id}"


def sold_to(session: Session, people: dict[str, Person]) -> tuple[DemandSheet, UUID, dict[str, UUID]]:
    """A sheet of ten pieces, the variant, and the pledges by who made them."""
    campaign, variant, pledges, sheet = a_sold_campaign(session, [3, 7])
    owners = dict(zip(("buyer", "buyer2"), pledges, strict=True))
    for name, pledge in owners.items():
        pledge.buyer_id = people[name].organisation_id
        session.add(pledge)
    session.add(campaign)
    session.flush()
    return sheet, variant, {name: pledge.id for name, pledge in owners.items()}


def offered(session: Session, sheet: DemandSheet, variant: UUID, person: Person, now: ManualClock) -> Offer:
    """An open offer of the sheet's ten pieces to a person's factory."""
    factory = Factory(id=person.organisation_id, belt="Yiwu", region="Zhejiang")
    session.add(factory)
    session.flush()
    verify(session, factory)
    reason = {"reason": "least_cost", "next_best": None, "fit": {"score": 90, "parts": []}}
    return an_offer(
        session,
        sheet,
        a_line(session, factory),
        {variant: 10},
        state=OfferState.OFFERED,
        expires_at=now.now() + timedelta(days=2),
        answered_at=None,
        explanation=reason,
    )


@pytest.fixture
def offer(database: Database, people: dict[str, Person], clock: ManualClock) -> tuple[UUID, dict[str, UUID]]:
    """An open offer to `factory`, and the pledges it is for."""
    with database.transaction() as session:
        sheet, variant, pledges = sold_to(session, people)
        return offered(session, sheet, variant, people["factory"], clock).id, pledges


@pytest.fixture
def work(database: Database, clock: ManualClock, provider: SandboxProvider) -> Callable[[], None]:
    """Let the worker do everything that is due."""
    worker = build_worker(database, provider)
    return lambda: worker.run_until_idle(clock.now())


@pytest.fixture
def floor(
    client: Callable[..., Visitor],
    database: Database,
    offer: tuple[UUID, dict[str, UUID]],
    work: Callable[[], None],
) -> Floor:
    """The work order of an offer that was accepted through the inbox."""
    offer_id, pledges = offer
    answer = client("factory").post(f"/factory/inbox/{offer_id}/answer", data={"answer": "accept"})
    assert answer.location == "/factory/work-orders"
    work()
    with database.reading() as session:
        return Floor(session.exec(select(WorkOrder.id)).one(), pledges)


def sent(database: Database, floor: Floor, clock: ManualClock) -> dict[str, UUID]:
    """The parcels, by buyer, of a lot with all ten pieces."""
    with database.transaction() as session:
        order = work_order(session, floor.order_id)
        make(session, order, 10, now=clock.now())
        ship(session, order, now=clock.now())
        parcels = {parcel.pledge_id: parcel.id for parcel in session.exec(select(Parcel))}
    return {name: parcels[pledge_id] for name, pledge_id in floor.pledges.items()}


def test_from_the_offer_to_the_settlement_through_the_pages(
    client: Callable[..., Visitor], database: Database, floor: Floor, clock: ManualClock, work: Callable[[], None]
) -> None:
    factory = client("factory")
    assert str(floor.order_id) in factory.get("/factory/work-orders?show=making").get_data(as_text=True)
    for position in range(steps_of(database, floor)):
        form = {"position": str(position), "made": "10", "rejected": "0", "idempotency_key": f"report-{position}"}
        assert factory.post(f"{floor.address}/report", data=form).location == floor.address
    assert factory.post(f"{floor.address}/ship", data=SHIP | {"pieces": "10"}).location == floor.address
    work()
    for name, pledge_id in floor.pledges.items():
        buyer = client(name)
        assert "/received" in buyer.get(f"/orders/{pledge_id}").get_data(as_text=True)
        parcel_id = parcel_for(database, pledge_id)
        assert buyer.post(f"/orders/parcels/{parcel_id}/received").location == f"/orders/{pledge_id}"
        assert "/received" not in buyer.get(f"/orders/{pledge_id}").get_data(as_text=True)
    work()
    assert "¥600.00" in factory.get("/factory/money").get_data(as_text=True)
    clock.advance(timedelta(days=15) - timedelta(seconds=1))
    work()
    with database.reading() as session:
        assert session.exec(select(Settlement)).all() == []
    clock.advance(timedelta(seconds=1))
    work()
    with database.reading() as session:
        settlement = session.exec(select(Settlement)).one()
        assert work_order(session, floor.order_id).state is WorkOrderState.SETTLED
        assert set(session.exec(select(Pledge.state))) == {PledgeState.FULFILLED}
    assert (settlement.earned_minor, settlement.fee_minor, settlement.net_minor) == (600_00, 18_00, 582_00)
    page = client("factory").get("/factory/money").get_data(as_text=True)  # the first sign-in has run out by now
    assert settlement.number in page
    assert "¥582.00" in page


def steps_of(database: Database, floor: Floor) -> int:
    """How many steps the work order takes."""
    with database.reading() as session:
        [progress] = progress_of(session, [work_order(session, floor.order_id)])
        return len(progress.steps)


def parcel_for(database: Database, pledge_id: UUID) -> UUID:
    """The one parcel that goes to a pledge."""
    with database.reading() as session:
        return session.exec(select(Parcel.id).where(Parcel.pledge_id == pledge_id)).one()


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"made": "11"}, "Only 10 more good pieces are needed"),
        ({"made": "0"}, "at least 1"),
        ({"made": "ten"}, "whole number"),
        ({"made": ""}, "fill this in"),
        ({"rejected": "7"}, "no more rejected ones than were made"),
        ({"rejected": "-1"}, "at least 0"),
        ({"position": "1"}, "Only 0 pieces have come out of the step before"),
        ({"position": "first"}, "whole number"),
        ({"idempotency_key": ""}, "fill this in"),
    ],
)
def test_a_report_that_cannot_be_is_refused_beside_its_field(
    client: Callable[..., Visitor], database: Database, floor: Floor, entered: dict[str, str], sentence: str
) -> None:
    factory = client("factory")
    before = everything(database)
    answer = factory.post(f"{floor.address}/report", data=REPORT | entered, headers=ENGLISH)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert everything(database) == before


def test_a_step_that_is_not_there_is_not_found(
    client: Callable[..., Visitor], database: Database, floor: Floor
) -> None:
    factory = client("factory")
    before = everything(database)
    assert factory.post(f"{floor.address}/report", data=REPORT | {"position": "50"}).status_code == 404
    assert everything(database) == before


def test_a_report_sent_twice_counts_once(client: Callable[..., Visitor], database: Database, floor: Floor) -> None:
    factory = client("factory")
    assert factory.post(f"{floor.address}/report", data=REPORT).status_code == 303
    before = everything(database)
    assert factory.post(f"{floor.address}/report", data=REPORT).status_code == 303
    assert factory.post(f"{floor.address}/report", data=REPORT | {"made": "2"}).status_code == 422
    assert everything(database) == before


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"pieces": "5"}, "Only 4 finished pieces are ready"),
        ({"pieces": "0"}, "at least 1"),
        ({"carrier": ""}, "fill this in"),
        ({"tracking_number": "x" * 61}, "at most 60"),
        ({"idempotency_key": "short"}, "at least 8"),
    ],
)
def test_a_lot_that_cannot_leave_is_refused_beside_its_field(
    client: Callable[..., Visitor],
    database: Database,
    floor: Floor,
    clock: ManualClock,
    entered: dict[str, str],
    sentence: str,
) -> None:
    with database.transaction() as session:
        make(session, work_order(session, floor.order_id), 4, now=clock.now())
    factory = client("factory")
    before = everything(database)
    answer = factory.post(f"{floor.address}/ship", data=SHIP | entered, headers=ENGLISH)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert everything(database) == before


def test_nothing_leaves_before_it_is_made_and_a_lot_leaves_once(
    client: Callable[..., Visitor], database: Database, floor: Floor, clock: ManualClock
) -> None:
    factory = client("factory")
    before = everything(database)
    assert factory.post(f"{floor.address}/ship", data=SHIP).status_code == 422
    assert everything(database) == before
    with database.transaction() as session:
        make(session, work_order(session, floor.order_id), 10, now=clock.now())
    assert factory.post(f"{floor.address}/ship", data=SHIP).status_code == 303
    before = everything(database)
    assert factory.post(f"{floor.address}/ship", data=SHIP).status_code == 303
    assert everything(database) == before


@pytest.mark.parametrize(("path", "form"), [("", None), ("/report", REPORT), ("/ship", SHIP)])
def test_another_factorys_work_order_is_not_found(
    client: Callable[..., Visitor], database: Database, floor: Floor, path: str, form: dict[str, str] | None
) -> None:
    stranger = client("factory2")
    before = everything(database)
    answer = stranger.post(floor.address + path, data=form) if form else stranger.get(floor.address)
    assert answer.status_code == 404
    assert everything(database) == before
    assert str(floor.order_id) not in stranger.get("/factory/work-orders").get_data(as_text=True)


def test_the_page_stands_on_the_step_asked_for(client: Callable[..., Visitor], floor: Floor) -> None:
    factory = client("factory")
    factory.post(f"{floor.address}/report", data=REPORT)
    for step, pieces in (("0", "4"), ("1", "6"), ("99", "4")):
        page = factory.get(f"{floor.address}?step={step}").get_data(as_text=True)
        assert f'name="position" value="{step if step != "99" else "0"}"' in page
        assert f'value="{pieces}"' in page.partition('id="made"')[2].partition(">")[0]
    assert factory.get(f"{floor.address}?step=x").status_code == 422


def test_a_buyer_confirms_only_their_own_parcel(
    client: Callable[..., Visitor], database: Database, floor: Floor, clock: ManualClock
) -> None:
    parcels = sent(database, floor, clock)
    buyer = client("buyer")
    before = everything(database)
    assert buyer.post(f"/orders/parcels/{parcels['buyer2']}/received").status_code == 404
    assert everything(database) == before
    assert buyer.post(f"/orders/parcels/{parcels['buyer']}/received").status_code == 303
    before = everything(database)
    assert buyer.post(f"/orders/parcels/{parcels['buyer']}/received").status_code == 303
    assert everything(database) == before


def test_an_operator_records_that_a_lot_has_arrived(
    client: Callable[..., Visitor], database: Database, floor: Floor, clock: ManualClock
) -> None:
    sent(database, floor, clock)
    with database.reading() as session:
        lot_id = session.exec(select(Lot.id)).one()
    client("operator").post(f"/operator/lots/{lot_id}/deliver")
    with database.reading() as session:
        assert work_order(session, floor.order_id).state is WorkOrderState.DELIVERED
        assert session.exec(select(Parcel).where(Parcel.delivered_at == None)).all() == []  # noqa: E711


def test_a_factory_sees_only_its_own_money(
    client: Callable[..., Visitor], database: Database, floor: Floor, clock: ManualClock
) -> None:
    parcels = sent(database, floor, clock)
    for name, parcel_id in parcels.items():
        client(name).post(f"/orders/parcels/{parcel_id}/received")
    assert "¥600.00" in client("factory").get("/factory/money").get_data(as_text=True)
    stranger = client("factory2").get("/factory/money").get_data(as_text=True)
    assert str(floor.order_id) not in stranger
    assert "¥600.00" not in stranger
