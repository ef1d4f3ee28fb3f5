"""A small market to match: run it, read what came of it, check that nothing was given away twice."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import Database, table_of
from c2m.demand.models import SheetLine, SheetRelease
from c2m.matching.models import Booking, Capability, CapacityWeek, Offer, OfferLine, OfferState, Reservation
from c2m.matching.offers import Answer
from c2m.matching.planning import make_offers, plan_matches


def match(database: Database, now: datetime) -> list[Offer]:
    """One match run, as the job does it; returns the open offers, oldest first."""
    with database.reading() as session:
        planned = plan_matches(session, [], now)
    with database.transaction() as session:
        make_offers(session, planned, now)
    return offers(database, OfferState.OFFERED)


def offers(database: Database, *states: OfferState) -> list[Offer]:
    """The offers in these states (any, if none is named), oldest first."""
    with database.reading() as session:
        statement = select(Offer).order_by(col(Offer.id))
        found = session.exec(statement.where(col(Offer.state).in_(states)) if states else statement).all()
        return list(found)


def answers(found: Sequence[Offer]) -> list[Answer]:
    """Each offer's own factory answers."""
    return [Answer(offer.id, offer.factory_id) for offer in found]


def allocated_twice(session: Session) -> list[tuple[UUID, UUID]]:
    """Sheet lines with more pieces offered, accepted or released than they have (invariant I9)."""
    line, offer, offered, released = (table_of(t) for t in (SheetLine, Offer, OfferLine, SheetRelease))
    taken = (
        sa.select(sa.func.coalesce(sa.func.sum(offered.c.quantity), 0))
        .join_from(offer, offered, offered.c.offer_id == offer.c.id)
        .where(
            offer.c.sheet_id == line.c.sheet_id,
            offered.c.variant_id == line.c.variant_id,
            offer.c.state.in_([OfferState.OFFERED, OfferState.COUNTERED, OfferState.ACCEPTED]),
        )
        .scalar_subquery()
    )
    given_up = (
        sa.select(sa.func.coalesce(sa.func.sum(released.c.quantity), 0))
        .where(released.c.sheet_id == line.c.sheet_id, released.c.variant_id == line.c.variant_id)
        .scalar_subquery()
    )
    statement = sa.select(line.c.sheet_id, line.c.variant_id).where(taken + given_up > line.c.quantity)
    return [(row.sheet_id, row.variant_id) for row in session.execute(statement)]


def misbooked_weeks(session: Session) -> list[tuple[UUID, str]]:
    """Line-weeks whose living bookings and reservations exceed the capacity, or differ from the week's count (I9)."""
    booking, week, line = table_of(Booking), table_of(CapacityWeek), table_of(Capability)
    booked = defaultdict[tuple[UUID, str], int](int)
    for table in (booking, table_of(Reservation)):
        rows = session.execute(
            sa.select(table.c.capability_id, table.c.week, sa.func.sum(table.c.quantity).label("pieces"))
            .where(table.c.released_at.is_(None))
            .group_by(table.c.capability_id, table.c.week)
        )
        for row in rows:
            booked[row.capability_id, row.week.isoformat()] += int(row.pieces)
    stored = {(w.capability_id, w.week.isoformat()): w for w in session.execute(sa.select(week))}
    usual = {row.id: row.weekly_capacity for row in session.execute(sa.select(line.c.id, line.c.weekly_capacity))}
    wrong = [key for key, w in stored.items() if w.booked != booked.get(key, 0)]
    for key, pieces in booked.items():
        capacity = stored[key].capacity if key in stored else usual[key[0]]
        if pieces > capacity:
            wrong.append(key)
    return wrong


def sound(database: Database) -> bool:
    """No piece given away twice, no week overbooked."""
    with database.reading() as session:
        return not allocated_twice(session) and not misbooked_weeks(session)
