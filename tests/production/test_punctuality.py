"""How punctual factories are: counted from deliveries, planned with, and said to the factory."""

from datetime import datetime, timedelta
from uuid import UUID

from c2m.db import Database
from c2m.matching.models import Factory
from c2m.matching.rules import on_time_share
from c2m.production.punctuality import measure_punctuality
from tests.production.market import PROMISED, a_sold_campaign, an_order, deliver, make, ship

DAY = timedelta(days=1)


def record(database: Database, factory_id: UUID) -> tuple[int, int, int]:
    with database.reading() as session:
        found = session.get_one(Factory, factory_id)
        return found.orders_in_time, found.orders_due, found.on_time_ppm


def measure(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        measure_punctuality(session, [], now)


def test_orders_delivered_by_their_day_count_and_overdue_ones_count_against(database: Database) -> None:
    with database.transaction() as session:
        _, variant, _, sheet = a_sold_campaign(session, [9])
        punctual, overdue = an_order(session, sheet, {variant: 4}), an_order(session, sheet, {variant: 5})
        make(session, punctual, 4)
        deliver(session, ship(session, punctual), now=PROMISED - DAY)
    measure(database, PROMISED - DAY)
    assert record(database, punctual.factory_id) == (1, 1, 954_545)
    assert record(database, overdue.factory_id) == (0, 0, 950_000)  # not due yet: no record, planned with as usual
    measure(database, PROMISED + DAY)
    assert record(database, overdue.factory_id) == (0, 1, 863_636)
    measure(database, PROMISED + 400 * DAY)  # a year later nothing of it counts any more
    assert record(database, overdue.factory_id) == (0, 0, 950_000)


def test_a_long_record_outweighs_what_is_usual() -> None:
    assert on_time_share(0, 0) == 950_000
    assert on_time_share(990, 990) == 999_500
    assert on_time_share(0, 90) == 95_000
