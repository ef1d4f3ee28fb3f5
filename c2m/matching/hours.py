"""Flexible capacity: shifts and units, overtime, idle weeks, and what a factory keeps for orders of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m import money
from c2m.db import insert_rows, lock_rows, table_of, uuid7
from c2m.errors import N_, Conflict, Invalid, NotFound
from c2m.matching import bookings, queries
from c2m.matching.calendars import MOST_UNITS, Load, Shifts
from c2m.matching.idle_groups import groups_open_on
from c2m.matching.models import Capability, CapacityUnit, CapacityWeek, LineKind, PriceBreak, Reservation
from c2m.matching.rules import is_too_far, monday, starts_at
from c2m.matching.weeks import let_weeks_follow

LARGEST_PREMIUM = 2 * money.PPM
LARGEST_DISCOUNT = money.PPM // 2


class InvalidHours(Invalid):
    sentence = N_("These hours can't be accepted.")


class NoRoomLeft(Conflict):
    sentence = N_("In the week of %(week)s only %(free)s pieces are free.")


class ReservationNotFound(NotFound):
    sentence = N_("There is no such reservation.")


@dataclass(frozen=True)
class Keep:
    """Pieces of a line's week that its factory keeps for an order of its own."""

    capability_id: UUID
    week: date
    quantity: int
    note: str = ""
    made_by: UUID | None = None


def set_shifts(
    session: Session,
    capability_id: UUID,
    unit: CapacityUnit,
    load: Load,
    shifts: Shifts,
    *,
    factory_id: UUID,
    now: datetime,
) -> None:
    """Say in what unit a line counts, what a piece takes of it, and what an ordinary week has; weeks that were set by
    hand keep what they have, booked ones at least what is booked.

    Raises:
        CapabilityNotFound, InvalidHours
    """
    line = regular_line(session, capability_id, factory_id=factory_id)
    if errors := _shift_errors(unit, load, shifts):
        raise InvalidHours(errors=errors)
    lock_rows(session, Capability, [line.id])
    line.unit, line.load_num, line.load_den = unit, load.num, load.den
    line.days_a_week, line.shifts_a_day = shifts.days_a_week, shifts.shifts_a_day
    line.weekly_units = shifts.units
    if line.weekly_units is not None:
        line.weekly_capacity = load.pieces(line.weekly_units)
    session.add(line)
    session.flush()
    keep_beside(session, line)
    let_weeks_follow(session, line, now=now)


def set_overtime(
    session: Session, capability_id: UUID, units: int, premium_ppm: int, *, factory_id: UUID, now: datetime
) -> UUID:
    """Offer overtime on a line: up to so many of its units a week, at a premium on its prices; 0 ends it.

    Raises:
        CapabilityNotFound, InvalidHours
    """
    line = regular_line(session, capability_id, factory_id=factory_id)
    load, standing = Load(line.load_num, line.load_den), _found_beside(session, line, LineKind.OVERTIME)
    pieces = load.pieces(units)
    if standing and units == load.figure(standing.weekly_capacity, standing.weekly_units):
        pieces = standing.weekly_capacity
    errors = {}
    if not 0 <= pieces <= line.weekly_capacity:
        errors["units"] = N_("Overtime lies between 0 and what an ordinary week has.")
    if not 0 <= premium_ppm <= LARGEST_PREMIUM:
        errors["premium"] = N_("The premium lies between 0 and 200 %.")
    if errors:
        raise InvalidHours(errors=errors)
    overtime = _beside(session, line, LineKind.OVERTIME, money.PPM + premium_ppm, pieces)
    overtime.weekly_units = units
    session.add(overtime)
    session.flush()
    let_weeks_follow(session, line, now=now)
    return overtime.id


def offer_idle_weeks(
    session: Session,
    capability_id: UUID,
    pieces: Mapping[date, int],
    discount_ppm: int,
    *,
    factory_id: UUID,
    now: datetime,
) -> UUID:
    """Offer so many free pieces of these weeks at a discount, in all; 0 takes them back.

    They move from the line's ordinary hours to its idle ones, so that a piece is offered once.

    Raises:
        CapabilityNotFound, InvalidHours, NoRoomLeft: in every case nothing is changed.
    """
    line = regular_line(session, capability_id, factory_id=factory_id)
    weeks = {monday(day): quantity for day, quantity in pieces.items()}
    errors = {}
    if not 0 < discount_ppm <= LARGEST_DISCOUNT:
        errors["discount"] = N_("The discount lies above 0 and is at most 50 %.")
    if any(quantity < 0 or (quantity and starts_at(week) <= now) for week, quantity in weeks.items()):
        errors["pieces"] = N_("Give pieces of 0 or more, for weeks that have not begun.")
    if any(is_too_far(week, monday(now.date())) for week in weeks):
        errors["week"] = N_("This week lies more than two years ahead.")
    if errors:
        raise InvalidHours(errors=errors)
    standing = _found_beside(session, line, LineKind.IDLE)
    if standing and money.PPM - discount_ppm > standing.price_ppm and groups_open_on(session, standing.id):
        raise InvalidHours(
            errors={"discount": N_("Groups were opened on this discount; until they are made it can only rise.")}
        )
    idle_id = _beside(session, line, LineKind.IDLE, money.PPM - discount_ppm, 0).id
    lock_rows(session, Capability, [line.id, idle_id])
    usual = {line.id: line.weekly_capacity, idle_id: 0}
    bookings.store_weeks(session, [(at, week) for at in usual for week in weeks], usual)
    stored = _stored(session, list(usual), list(weeks))
    moves: dict[tuple[UUID, date], int] = {}
    for week, wanted in weeks.items():
        regular, idle = stored[line.id, week], stored[idle_id, week]
        more = wanted - idle.capacity
        if more > regular.capacity - regular.booked:
            raise NoRoomLeft(week=week, free=regular.capacity - regular.booked)
        if wanted < idle.booked:
            raise NoRoomLeft(week=week, free=idle.capacity - idle.booked)
        moves[line.id, week], moves[idle_id, week] = -more, more
    table = table_of(CapacityWeek)
    session.connection().execute(
        sa.update(table)
        .where(table.c.capability_id == sa.bindparam("line"), table.c.week == sa.bindparam("of_week"))
        .values(capacity=table.c.capacity + sa.bindparam("more")),
        [{"line": at, "of_week": week, "more": more} for (at, week), more in sorted(moves.items())],
    )
    return idle_id


def reserve(session: Session, keep: Keep, *, factory_id: UUID, now: datetime) -> UUID:
    """Keep pieces of a week for an order of the factory's own; nobody else is offered them.

    Raises:
        CapabilityNotFound, InvalidHours, NoRoomLeft
    """
    line = queries.capability_of(session, keep.capability_id, factory_id=factory_id)
    week = monday(keep.week)
    if keep.quantity < 1 or week < monday(now.date()):
        raise InvalidHours(errors={"quantity": N_("Keep one piece or more of a week not yet over.")})
    lock_rows(session, Capability, [line.id])
    free = queries.free_pieces(session, {line.id: line.weekly_capacity}, [week])[line.id][week]
    if keep.quantity > free:
        raise NoRoomLeft(week=week, free=free)
    reservation_id = uuid7()
    bookings.add(session, {(line.id, week): keep.quantity}, usual={line.id: line.weekly_capacity})
    row = {
        "id": reservation_id,
        "capability_id": line.id,
        "week": week,
        "quantity": keep.quantity,
        "note": keep.note,
        "made_at": now,
        "made_by": keep.made_by,
    }
    insert_rows(session, Reservation, [row])
    return reservation_id


def give_up_reservation(session: Session, reservation_id: UUID, *, factory_id: UUID, now: datetime) -> None:
    """Give a reservation's pieces back to the market, once.

    Raises:
        ReservationNotFound
    """
    found = session.exec(
        select(Reservation, Capability)
        .join(Capability, col(Capability.id) == col(Reservation.capability_id))
        .where(Reservation.id == reservation_id, Capability.factory_id == factory_id)
    ).first()
    if found is None:
        raise ReservationNotFound(reservation_id=reservation_id)
    reservation, line = found
    lock_rows(session, Capability, [line.id])
    table = table_of(Reservation)
    released = sa.update(table).where(table.c.id == reservation_id, table.c.released_at.is_(None))
    if session.execute(released.values(released_at=now).returning(table.c.id)).first():
        bookings.add(session, {(line.id, reservation.week): -reservation.quantity}, usual={})


def regular_line(session: Session, capability_id: UUID, *, factory_id: UUID) -> Capability:
    """A factory's own line in its ordinary hours; others are not found.

    Raises:
        CapabilityNotFound
    """
    line = queries.capability_of(session, capability_id, factory_id=factory_id)
    if line.kind is not LineKind.REGULAR:
        raise queries.CapabilityNotFound(capability_id=capability_id)
    return line


def keep_beside(session: Session, line: Capability) -> None:
    """Have a line's overtime and idle weeks follow its terms: minimum, setup, lead time, calendar, and its prices at
    their share."""
    beside = session.exec(select(Capability).where(Capability.regular_id == line.id)).all()
    steps = session.exec(
        select(PriceBreak).where(PriceBreak.capability_id == line.id).order_by(col(PriceBreak.from_quantity))
    ).all()
    for other in beside:
        for name in ("minimum", "setup_minor", "lead_days", "unit", "load_num", "load_den", "days_a_week"):
            setattr(other, name, getattr(line, name))
        session.add(other)
        session.execute(sa.delete(table_of(PriceBreak)).where(col(PriceBreak.capability_id) == other.id))
        rows = [
            {
                "capability_id": other.id,
                "from_quantity": step.from_quantity,
                "unit_price_minor": _at(step.unit_price_minor, other.price_ppm),
                "target_ppm": _at(step.target_ppm, other.price_ppm),
            }
            for step in steps
        ]
        insert_rows(session, PriceBreak, rows)


def _at(amount: int | None, ppm: int) -> int | None:
    return None if amount is None else max(money.share(amount, ppm), 1)


def _found_beside(session: Session, line: Capability, kind: LineKind) -> Capability | None:
    return session.exec(select(Capability).where(Capability.regular_id == line.id, Capability.kind == kind)).first()


def _beside(session: Session, line: Capability, kind: LineKind, price_ppm: int, weekly: int) -> Capability:
    """The line of this kind beside a regular one, made where it is missing, at this price and weekly capacity."""
    lock_rows(session, Capability, [line.id])
    other = _found_beside(session, line, kind) or Capability(
        factory_id=line.factory_id,
        category=line.category,
        process=line.process,
        kind=kind,
        regular_id=line.id,
        weekly_capacity=weekly,
        minimum=line.minimum,
        lead_days=line.lead_days,
    )
    other.price_ppm, other.weekly_capacity = price_ppm, weekly
    session.add(other)
    session.flush()
    keep_beside(session, line)
    session.flush()
    return other


def _stored(session: Session, lines: list[UUID], weeks: list[date]) -> dict[tuple[UUID, date], CapacityWeek]:
    statement = select(CapacityWeek).where(
        col(CapacityWeek.capability_id).in_(lines), col(CapacityWeek.week).in_(weeks)
    )
    rows = session.exec(statement.execution_options(populate_existing=True)).all()
    return {(row.capability_id, row.week): row for row in rows}


def _shift_errors(unit: CapacityUnit, load: Load, shifts: Shifts) -> dict[str, str]:
    errors = {}
    if load.num < 1 or load.den < 1:
        errors["load"] = N_("A piece takes more than nothing.")
    elif unit is CapacityUnit.PIECE and load.num != load.den:
        errors["load"] = N_("Where a line counts pieces, a piece takes one.")
    if not 1 <= shifts.days_a_week <= 7:
        errors["days"] = N_("A week has one to seven working days.")
    if not 1 <= shifts.shifts_a_day <= 3:
        errors["shifts"] = N_("A day has one to three shifts.")
    if shifts.units_a_shift is not None and not 0 <= shifts.units_a_shift <= MOST_UNITS:
        errors["units"] = N_("A shift has 0 to 10 million units.")
    return errors
