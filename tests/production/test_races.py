"""Two units of work on one sheet at once, on PostgreSQL; with the guard switched off the fault shows."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from c2m.db import Database
from c2m.ledger.models import AccountKind
from c2m.production import deliveries, shipping, work_orders
from c2m.production.accounts import mismatches
from c2m.production.deliveries import deliver_lots
from c2m.production.models import Lot, WorkOrder
from c2m.production.queries import work_order
from c2m.production.shipping import NothingReady, ShipRequest, ship_lot
from tests.builders import MORNING
from tests.conftest import empty
from tests.production.market import PROMISED, a_sold_campaign, an_order, balances, count, make, ship

pytestmark = pytest.mark.both_databases


@pytest.fixture
def database(postgres_database: Database) -> Iterator[Database]:
    yield postgres_database
    empty(postgres_database)


def meet(monkeypatch: pytest.MonkeyPatch, *, guarded: bool) -> None:
    """Let two units of work read before either writes, if the locks allow it; unguarded, they take no locks."""
    barrier = Barrier(2)

    def wait() -> None:
        try:
            barrier.wait(timeout=0.5)
        except BrokenBarrierError:
            return

    for room, name in ((deliveries, "_purses"), (shipping, "_lot_counts")):
        read = getattr(room, name)

        def read_then_wait(*arguments: object, read: object = read) -> object:
            found = read(*arguments)  # type: ignore[operator]
            wait()
            return found

        monkeypatch.setattr(room, name, read_then_wait)
    if not guarded:
        monkeypatch.setattr(work_orders, "lock_rows", lambda *_: None)


def at_once(*works: object) -> list[object]:
    """Run these at the same time; what each returned or raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(work) for work in works]  # type: ignore[arg-type]
        return [future.exception() or future.result() for future in futures]


def two_lots(database: Database) -> tuple[WorkOrder, list[UUID]]:
    """An order of seven pieces, three of them in one lot and four in another."""
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [7], payments=[[700_01]])
        order = an_order(session, sheet, {variant: 7}, total_minor=400_03)
        make(session, order, 7)
        return order, [ship(session, order, 3), ship(session, order, 4)]


def deliver_both(database: Database, lots: list[UUID]) -> None:
    def deliver(lot: UUID) -> None:
        with database.transaction() as session:
            deliver_lots(session, [lot], now=PROMISED)

    at_once(*(lambda lot=lot: deliver(lot) for lot in lots))


def test_two_lots_of_one_pledge_delivered_at_once_count_both(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, lots = two_lots(database)
    meet(monkeypatch, guarded=True)
    deliver_both(database, lots)
    with database.reading() as session:
        assert work_order(session, order.id).delivered == 7
        assert balances(session) == {
            AccountKind.OUTSIDE: -700_01,
            AccountKind.FACTORY_PAYABLE: 400_03,
            AccountKind.MERCHANDISER_PAYABLE: 299_98,
        }
        assert list(mismatches(session)) == []


def test_without_the_lock_a_delivery_is_lost(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    order, lots = two_lots(database)
    meet(monkeypatch, guarded=False)
    deliver_both(database, lots)
    with database.reading() as session:
        assert work_order(session, order.id).delivered < 7


def ship_twice(database: Database) -> list[object]:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [7])
        order = an_order(session, sheet, {variant: 7})
        make(session, order, 7)

    def send(key: str) -> UUID:
        with database.transaction() as session:
            return ship_lot(session, ShipRequest(order.id, None, "SF", "1", key), now=MORNING)

    return at_once(lambda: send("left"), lambda: send("right"))


def test_pieces_shipped_from_two_phones_at_once_leave_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    meet(monkeypatch, guarded=True)
    answers = ship_twice(database)
    assert sorted(type(answer).__name__ for answer in answers) == [NothingReady.__name__, UUID.__name__]
    with database.reading() as session:
        assert count(session, Lot) == [1]


def test_without_the_lock_only_the_constraints_stop_the_second_lot(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet(monkeypatch, guarded=False)
    assert any(isinstance(answer, IntegrityError) for answer in ship_twice(database))
