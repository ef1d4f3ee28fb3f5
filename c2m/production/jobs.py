"""What production does when offers are accepted and when settlements fall due."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from c2m.jobs import Handler, Schedule
from c2m.production.exits import ENDED, end_exit_windows
from c2m.production.first_articles import END_WINDOWS, JUDGED, SENT
from c2m.production.punctuality import MEASURE, measure_punctuality
from c2m.production.settlement import SETTLE, settle_work_orders
from c2m.production.telling import TELL_ENDED, TELL_JUDGED, TELL_SENT, tell_ended, tell_judged, tell_sent
from c2m.production.work_orders import create_work_orders

CREATE = "production.create_work_orders"

SUBSCRIPTIONS: dict[str, list[str]] = {
    "matching.offers_accepted": [CREATE],
    SENT: [TELL_SENT],
    JUDGED: [TELL_JUDGED],
    ENDED: [TELL_ENDED],
}
SCHEDULES: list[Schedule] = [Schedule(MEASURE, timedelta(days=1))]


def handlers() -> dict[str, Handler]:
    """Job kind → what is done."""

    def create(session: Session, ids: Sequence[UUID], now: datetime) -> None:
        create_work_orders(session, ids, now=now)

    def settle(session: Session, ids: Sequence[UUID], now: datetime) -> None:
        settle_work_orders(session, ids, now=now)

    return {
        CREATE: create,
        SETTLE: settle,
        MEASURE: measure_punctuality,
        TELL_SENT: tell_sent,
        TELL_JUDGED: tell_judged,
        END_WINDOWS: end_exit_windows,
        TELL_ENDED: tell_ended,
    }
