"""I9: no piece given to two factories, no week given twice; and I10 for counter-offers."""

from datetime import timedelta

import sqlalchemy as sa

from c2m.audit.check import Broken, Check, Part, underway
from c2m.db import table_of
from c2m.demand.models import DemandSheet, SheetLine, SheetRelease
from c2m.errors import N_
from c2m.matching.counters import WEIGH
from c2m.matching.models import (
    HOLDING,
    Booking,
    CapacityWeek,
    Claim,
    ClaimKind,
    ClaimState,
    CounterOffer,
    CounterState,
    Factory,
    FactoryLevel,
    Offer,
    OfferLine,
    OfferState,
    Reservation,
)

sheet, sheet_line, released, offer, offered, booking, week = (
    table_of(model) for model in (DemandSheet, SheetLine, SheetRelease, Offer, OfferLine, Booking, CapacityWeek)
)
counter, reservation, factory, claim = (table_of(model) for model in (CounterOffer, Reservation, Factory, Claim))
RECHECKED_WITHIN = timedelta(hours=12)


def _offered_pieces(part: Part, *states: OfferState) -> sa.Subquery:
    """Pieces of each sheet line in offers of these states."""
    return (
        sa.select(offer.c.sheet_id, offered.c.variant_id, sa.func.sum(offered.c.quantity).label("pieces"))
        .join_from(offer, offered, offered.c.offer_id == offer.c.id)
        .where(part.of(offer.c.sheet_id), offer.c.state.in_(states))
        .group_by(offer.c.sheet_id, offered.c.variant_id)
        .subquery()
    )


def _released_pieces(part: Part) -> sa.Subquery:
    return (
        sa.select(released.c.sheet_id, released.c.variant_id, sa.func.sum(released.c.quantity).label("pieces"))
        .where(part.of(released.c.sheet_id), released.c.left_free.is_(False))
        .group_by(released.c.sheet_id, released.c.variant_id)
        .subquery()
    )


def _taken(part: Part, *states: OfferState) -> tuple[sa.FromClause, sa.ColumnElement[int]]:
    """The sheet lines joined with what is offered and released of them, and the pieces that come to."""
    given, freed = _offered_pieces(part, *states), _released_pieces(part)
    joined: sa.FromClause = sheet_line
    for pieces in (given, freed):
        same = sa.and_(pieces.c.sheet_id == sheet_line.c.sheet_id, pieces.c.variant_id == sheet_line.c.variant_id)
        joined = sa.join(joined, pieces, same, isouter=True)
    return joined, sa.func.coalesce(given.c.pieces, 0) + sa.func.coalesce(freed.c.pieces, 0)


def _given_twice(part: Part) -> Broken:
    joined, taken = _taken(part, *HOLDING)
    return (
        sa.select(sheet_line.c.sheet_id, sheet_line.c.variant_id)
        .select_from(joined)
        .where(part.of(sheet_line.c.sheet_id), taken > sheet_line.c.quantity)
    )


def _outside_the_sheet(part: Part) -> Broken:
    asked = sa.exists().where(
        sheet_line.c.sheet_id == offer.c.sheet_id, sheet_line.c.variant_id == offered.c.variant_id
    )
    return (
        sa.select(offer.c.id, offered.c.variant_id)
        .join_from(offer, offered, offered.c.offer_id == offer.c.id)
        .where(part.of(offer.c.id), ~asked)
    )


def _served_wrong(part: Part) -> Broken:
    joined, taken = _taken(part, OfferState.ACCEPTED)
    left = (
        sa.select(sheet_line.c.sheet_id, sa.func.sum(sheet_line.c.quantity - taken).label("pieces"))
        .select_from(joined)
        .where(part.of(sheet_line.c.sheet_id))
        .group_by(sheet_line.c.sheet_id)
        .subquery()
    )
    return (
        sa.select(sheet.c.id)
        .join_from(sheet, left, left.c.sheet_id == sheet.c.id)
        .where(part.of(sheet.c.id), sheet.c.served_at.is_(None) == (left.c.pieces == 0))
    )


def _offer_differs(part: Part) -> Broken:
    pieces = sa.func.coalesce(sa.func.sum(offered.c.quantity), 0)
    return (
        sa.select(offer.c.id)
        .join_from(offer, offered, offered.c.offer_id == offer.c.id, isouter=True)
        .where(part.of(offer.c.id))
        .group_by(offer.c.id, offer.c.quantity)
        .having(pieces != offer.c.quantity)
    )


def _held_wrong(part: Part) -> Broken:
    """An offer holds capacity for all its pieces while it is open or accepted, and for none afterwards."""
    alive = (
        sa.select(booking.c.offer_id, sa.func.sum(booking.c.quantity).label("pieces"))
        .where(part.of(booking.c.offer_id), booking.c.released_at.is_(None))
        .group_by(booking.c.offer_id)
        .subquery()
    )
    due = sa.case((offer.c.state.in_(HOLDING), offer.c.quantity), else_=0)
    return (
        sa.select(offer.c.id)
        .join_from(offer, alive, alive.c.offer_id == offer.c.id, isouter=True)
        .where(part.of(offer.c.id), sa.func.coalesce(alive.c.pieces, 0) != due)
    )


def _booked(part: Part) -> sa.Subquery:
    """What offers and reservations take of each line-week."""
    taken = sa.union_all(
        *(
            sa.select(table.c.capability_id, table.c.week, table.c.quantity).where(
                part.of(table.c.capability_id), table.c.released_at.is_(None)
            )
            for table in (booking, reservation)
        )
    ).subquery()
    return (
        sa.select(taken.c.capability_id, taken.c.week, sa.func.sum(taken.c.quantity).label("pieces"))
        .group_by(taken.c.capability_id, taken.c.week)
        .subquery()
    )


def _misbooked(part: Part) -> Broken:
    booked = _booked(part)
    same = sa.and_(booked.c.capability_id == week.c.capability_id, booked.c.week == week.c.week)
    return (
        sa.select(week.c.capability_id, week.c.week)
        .join_from(week, booked, same, isouter=True)
        .where(part.of(week.c.capability_id), week.c.booked != sa.func.coalesce(booked.c.pieces, 0))
    )


def _overbooked(part: Part) -> Broken:
    booked = _booked(part)
    same = sa.and_(booked.c.capability_id == week.c.capability_id, booked.c.week == week.c.week)
    return (
        sa.select(booked.c.capability_id, booked.c.week)
        .join_from(booked, week, same, isouter=True)
        .where(booked.c.pieces > sa.func.coalesce(week.c.capacity, 0))
    )


def _mispriced(part: Part) -> Broken:
    total = offer.c.unit_price_minor * offer.c.quantity + offer.c.setup_minor
    return sa.select(offer.c.id).where(part.of(offer.c.id), offer.c.total_minor != total)


def _countered_wrong(part: Part) -> Broken:
    """An offer is countered if and only if one counter-offer is open."""
    waits = sa.exists().where(counter.c.offer_id == offer.c.id, counter.c.state == CounterState.OPEN)
    return sa.select(offer.c.id).where(part.of(offer.c.id), (offer.c.state == OfferState.COUNTERED) != waits)


def _agreed_otherwise(part: Part) -> Broken:
    """A counter-offer that was agreed to is what its offer came to."""
    same = sa.and_(
        offer.c.state == OfferState.ACCEPTED,
        *(offer.c[name] == counter.c[name] for name in ("quantity", "unit_price_minor", "deliver_by")),
    )
    return (
        sa.select(counter.c.id)
        .join_from(counter, offer, offer.c.id == counter.c.offer_id)
        .where(part.of(counter.c.id), counter.c.state == CounterState.AGREED, ~same)
    )


def _never_weighed(part: Part) -> Broken:
    return sa.select(counter.c.id).where(
        part.of(counter.c.id),
        counter.c.state == CounterState.OPEN,
        sa.cast(counter.c.effect, sa.String) == "{}",
        ~underway(counter.c.id, WEIGH, "matching.offers_countered"),
    )


def _unlike_its_claims(part: Part) -> Broken:
    """A factory is matched if and only if its licence is verified, and vetted if all kinds of claims are."""
    kinds = (
        sa.select(sa.func.count(sa.distinct(claim.c.kind)))
        .where(claim.c.factory_id == factory.c.id, claim.c.state == ClaimState.VERIFIED)
        .correlate(factory)
        .scalar_subquery()
    )
    licensed = sa.exists().where(
        claim.c.factory_id == factory.c.id, claim.c.state == ClaimState.VERIFIED, claim.c.kind == ClaimKind.LICENCE
    )
    level = sa.case(
        (~licensed, FactoryLevel.LISTED.value),
        (kinds == len(ClaimKind), FactoryLevel.VETTED.value),
        else_=FactoryLevel.VERIFIED.value,
    )
    return sa.select(factory.c.id).where(part.of(factory.c.id), sa.cast(factory.c.level, sa.String) != level)


def _outlived(part: Part) -> Broken:
    """A claim ran out hours ago and still counts."""
    return sa.select(claim.c.id).where(
        part.of(claim.c.id), claim.c.state == ClaimState.VERIFIED, claim.c.expires_at < part.now - RECHECKED_WITHIN
    )


OFFERS, SHEETS, WEEKS = offer.c.id, sheet_line.c.sheet_id, week.c.capability_id
CHECKS = (
    Check("I9", N_("More of a sheet line was given to factories than it has."), _given_twice, SHEETS),
    Check("I9", N_("An offer contains pieces its sheet never asked for."), _outside_the_sheet, OFFERS),
    Check("I9", N_("A sheet is called served and isn't, or the other way round."), _served_wrong, SHEETS),
    Check("I9", N_("An offer isn't the sum of its lines."), _offer_differs, OFFERS),
    Check("I9", N_("An offer's total isn't its price times its pieces with the setup."), _mispriced, OFFERS),
    Check("I9", N_("An offer counts as countered and isn't, or the other way round."), _countered_wrong, OFFERS),
    Check("I9", N_("An agreed counter-offer isn't what its offer came to."), _agreed_otherwise, counter.c.id),
    Check("I10", N_("A counter-offer waits and nothing will weigh it."), _never_weighed, counter.c.id),
    Check("I9", N_("A factory's level isn't what its verified claims come to."), _unlike_its_claims, factory.c.id),
    Check("I10", N_("A claim ran out and nothing has ended it."), _outlived, claim.c.id),
    Check("I9", N_("An offer holds more or less capacity than it needs."), _held_wrong, OFFERS),
    Check("I9", N_("A week's bookings aren't what it says is booked."), _misbooked, WEEKS),
    Check("I9", N_("A week is booked beyond its capacity."), _overbooked, booking.c.capability_id),
)
