"""How punctual factories are: their orders of a year, counted from what was delivered."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of
from c2m.matching.factories import record_on_time
from c2m.matching.models import Factory
from c2m.production.models import WorkOrder

MEASURE = "production.measure_punctuality"
COUNTED = timedelta(days=365)


def measure_punctuality(session: Session, _ids: Sequence[UUID], now: datetime) -> None:
    """Have matching plan with how many orders each factory delivered wholly by their day, of those that fell due or
    were delivered within a year."""
    order, factory = table_of(WorkOrder).c, table_of(Factory).c
    decided = sa.or_(order.delivered_at.is_not(None), order.due_at < now)
    in_time = sa.func.sum(sa.case((order.delivered_at <= order.due_at, 1), else_=0))
    rows = session.execute(
        sa.select(order.factory_id, in_time.label("in_time"), sa.func.count().label("due"))
        .where(order.due_at >= now - COUNTED, order.quantity > 0, decided)
        .group_by(order.factory_id)
    )
    found = {row.factory_id: (int(row.in_time), int(row.due)) for row in rows}
    known = session.execute(sa.select(factory.id, factory.orders_in_time, factory.orders_due))
    changed = {row.id: now_is for row in known if (now_is := found.get(row.id, (0, 0))) != tuple(row)[1:]}
    record_on_time(session, changed)
