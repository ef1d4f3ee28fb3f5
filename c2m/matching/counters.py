"""Counter-offers: made by a factory, weighed against the plan without it, agreed to or refused by the platform."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m import jobs
from c2m.db import insert_rows, lock_rows, table_of, uuid7
from c2m.demand.models import DemandSheet
from c2m.errors import N_, Conflict, Invalid, NotFound
from c2m.identity.models import Organisation, Role
from c2m.matching import bookings, queries, weighing
from c2m.matching.bargaining import (
    COUNTERS_AN_OFFER,
    DECIDE_WITHIN,
    CounterTerms,
    Effect,
    agreed_by_rule,
    counter_errors,
    kept_weeks,
    last_week_for,
    moved_weeks,
)
from c2m.matching.market import HORIZON_WEEKS
from c2m.matching.models import Capability, CounterOffer, CounterState, Offer, OfferState
from c2m.matching.offers import OfferNotOpen, accepted_with, as_offered, close, conclude
from c2m.matching.optimiser import Hire, crew_of
from c2m.matching.planning import EXPIRE
from c2m.matching.rules import Quote, arrival, released_by, starts_at, weeks_from
from c2m.matching.terms_taken import TermsTaken, explained_as_taken
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell
from c2m.outbox import announce

WEIGH = "matching.weigh_counters"


class InvalidCounter(Invalid):
    sentence = N_("These terms can't be offered.")


class CounterNotFound(NotFound):
    sentence = N_("There is no such counter-offer.")


class CounterDecided(Conflict):
    sentence = N_("This counter-offer has been decided, withdrawn, or has run out.")


class NoRoomForCounter(Conflict):
    sentence = N_("The factory's free weeks no longer have the room for these terms.")


class DayTooEarly(NoRoomForCounter):
    sentence = N_("Your free weeks and the days to the buyer end after this day; name a later one, or fewer pieces.")


class CountersUsedUp(Conflict):
    sentence = N_("This offer has been countered as often as it may be; accept or decline it.")


@dataclass(frozen=True)
class Counter:
    """The terms on which a factory would take one of its offers on."""

    offer_id: UUID
    factory_id: UUID
    quantity: int
    unit_price_minor: int
    deliver_by: datetime
    note: str = ""
    made_by: UUID | None = None


@dataclass(frozen=True)
class Decision:
    """The platform's word on a counter-offer; `decided_by` is the operator."""

    counter_id: UUID
    agrees: bool
    decided_by: UUID | None
    reason: str | None = None


def make_counter(session: Session, counter: Counter, *, now: datetime) -> UUID:
    """Name other terms for an open offer: its capacity stays held, and the platform works out what they would mean.

    Raises:
        OfferNotFound, OfferNotOpen, InvalidCounter, CountersUsedUp, DayTooEarly
    """
    found = queries.offer_detail(session, counter.offer_id, factory_id=counter.factory_id)
    offer, asked = found.offer, _terms(counter, found.offer.setup_minor)
    if errors := counter_errors(terms_of(offer), asked, now=now):
        raise InvalidCounter(errors=errors)
    lock_rows(session, Offer, [offer.id])
    if len(counters_of(session, offer.id)) >= COUNTERS_AN_OFFER:
        raise CountersUsedUp(offer_id=offer.id)
    lock_rows(session, Capability, [offer.capability_id])
    if _weeks_for(session, offer, asked, now) is None:
        raise DayTooEarly(offer_id=offer.id)
    last_moment = released_by(found.sheet.issued_at, found.policy.matching_days)
    expires_at = max(offer.expires_at, min(now + DECIDE_WITHIN, last_moment))
    c = table_of(Offer).c
    open_if = (c.state == OfferState.OFFERED, c.expires_at > now)
    if not close(session, [offer.id], open_if, {"state": OfferState.COUNTERED, "expires_at": expires_at}):
        raise OfferNotOpen(offer_id=offer.id)
    counter_id = uuid7()
    row = {
        "id": counter_id,
        "offer_id": offer.id,
        "quantity": asked.quantity,
        "unit_price_minor": asked.unit_price_minor,
        "deliver_by": asked.deliver_by,
        "note": counter.note,
        "made_at": now,
        "made_by": counter.made_by,
    }
    insert_rows(session, CounterOffer, [row])
    announce(session, "matching.offers_countered", [counter_id], now=now)
    jobs.enqueue(session, EXPIRE, [offer.id], key=f"{EXPIRE}:{counter_id}", due_at=expires_at, now=now)
    return counter_id


def decide_counter(session: Session, decision: Decision, *, now: datetime) -> None:
    """Agree to a counter-offer, which makes it an accepted offer on its terms, or refuse it: the offer then stands as
    it was, for what is left of its time.

    Raises:
        CounterNotFound, CounterDecided, NoRoomForCounter
    """
    counter = session.get(CounterOffer, decision.counter_id)
    if counter is None:
        raise CounterNotFound(counter_id=decision.counter_id)
    lock_rows(session, Offer, [counter.offer_id])
    offer = session.get_one(Offer, counter.offer_id, populate_existing=True)
    state = CounterState.AGREED if decision.agrees else CounterState.REFUSED
    if not _record(session, decision, state, now):
        raise CounterDecided(counter_id=counter.id)
    if decision.agrees:
        _accept(session, offer, counter, now)
    else:
        c = table_of(Offer).c
        open_if = (c.state == OfferState.COUNTERED, c.expires_at > now)
        if not close(session, [offer.id], open_if, {"state": OfferState.OFFERED}):
            raise CounterDecided(counter_id=counter.id)
    announce(session, "matching.counters_decided", [counter.id], now=now)
    told = NoticeKind.COUNTER_AGREED if decision.agrees else NoticeKind.COUNTER_REFUSED
    tell(session, [_message(session, offer.factory_id, told, offer, counter)], now=now)


def weigh_counters(
    session: Session, ids: Sequence[UUID], now: datetime, hire: Hire = crew_of
) -> list[tuple[UUID, Effect]]:
    """What each open counter-offer would do to the plan: the open market solved with it and without, by who is
    hired."""
    cases = [case for counter_id in ids if (case := _case(session, counter_id, now))]
    session.rollback()  # reading is over: no snapshot is held while the solver works
    if not cases:
        return []
    with hire() as crew:
        return [(counter_id, case.effect(crew)) for counter_id, case in cases]


def record_effects(session: Session, effects: Sequence[tuple[UUID, Effect]], now: datetime) -> None:
    """Write down what counter-offers would do; those within the sheet's target are agreed to, the others put before an
    operator."""
    for counter_id, effect in effects:
        counter = session.get_one(CounterOffer, counter_id)
        if counter.state is not CounterState.OPEN or counter.effect:
            continue
        counter.effect = document_of(effect)
        session.add(counter)
        session.flush()
        offer = session.get_one(Offer, counter.offer_id)
        sheet = session.get_one(DemandSheet, offer.sheet_id)
        asked = _terms(counter, offer.setup_minor)
        if agreed_by_rule(
            asked, effect, target_cost_minor=sheet.target_cost_minor, required=sheet.required_date
        ) and _weeks_for(session, offer, asked, now):
            decide_counter(session, Decision(counter_id, True, None), now=now)
        else:
            operators = session.exec(select(Organisation.id).where(Organisation.kind == Role.OPERATOR)).all()
            waits = [_message(session, o, NoticeKind.COUNTER_WAITS, offer, counter) for o in operators]
            tell(session, waits, now=now)


def counters_of(session: Session, offer_id: UUID) -> list[CounterOffer]:
    """An offer's counter-offers, the latest first."""
    statement = select(CounterOffer).where(CounterOffer.offer_id == offer_id).order_by(col(CounterOffer.id).desc())
    return list(session.exec(statement).all())


def terms_of(offer: Offer) -> CounterTerms:
    """The terms on which an offer stands."""
    return CounterTerms(offer.quantity, offer.unit_price_minor, offer.setup_minor, offer.deliver_by)


def document_of(effect: Effect) -> dict[str, Any]:
    """An effect as it is stored and shown."""
    return asdict(effect) | {
        "extra_minor": effect.extra_minor,
        "extra_served": effect.extra_served,
        "extra_late": effect.extra_late,
    }


def _terms(counter: Counter | CounterOffer, setup_minor: int) -> CounterTerms:
    return CounterTerms(counter.quantity, counter.unit_price_minor, setup_minor, counter.deliver_by)


def _record(session: Session, decision: Decision, state: CounterState, now: datetime) -> bool:
    """Decide a counter-offer that is open; of two deciding at once one does."""
    table = table_of(CounterOffer)
    decided = (
        sa.update(table)
        .where(table.c.id == decision.counter_id, table.c.state == CounterState.OPEN)
        .values(state=state, decided_at=now, decided_by=decision.decided_by, reason=decision.reason)
        .returning(table.c.id)
    )
    return session.execute(decided).first() is not None


def _accept(session: Session, offer: Offer, counter: CounterOffer, now: datetime) -> None:
    """Make the offer an accepted one on the counter-offer's terms, with capacity where these need it."""
    lock_rows(session, DemandSheet, [offer.sheet_id])
    lock_rows(session, Capability, [offer.capability_id])
    asked = _terms(counter, offer.setup_minor)
    weeks = _weeks_for(session, offer, asked, now)
    if weeks is None:
        raise NoRoomForCounter(counter_id=counter.id)
    c = table_of(Offer).c
    closing = accepted_with(counter.quantity) | {
        "state": OfferState.ACCEPTED,
        "unit_price_minor": asked.unit_price_minor,
        "total_minor": asked.total_minor,
        "deliver_by": asked.deliver_by,
        "explanation": _explained(session, offer, asked, weeks),
        "answered_at": now,
        "answered_by": counter.made_by,
    }
    accepted = close(session, [offer.id], (c.state == OfferState.COUNTERED, c.expires_at > now), closing)
    if not accepted:
        raise CounterDecided(counter_id=counter.id)
    line = session.get_one(Capability, offer.capability_id)
    bookings.rebook(session, {offer.id: weeks}, usual={line.id: line.weekly_capacity}, now=now)
    conclude(session, accepted, now=now)


def _explained(session: Session, offer: Offer, asked: CounterTerms, weeks: Mapping[date, int]) -> dict[str, Any]:
    """Why the offer went to its factory, on the counter-offer's terms, those offered kept beside them."""
    line, held = session.get_one(Capability, offer.capability_id), _held(session, offer)
    free = queries.free_pieces(session, {line.id: line.weekly_capacity}, sorted(weeks))[line.id]
    taken = TermsTaken(
        quantity=asked.quantity,
        each_minor=Quote(asked.quantity, asked.unit_price_minor, asked.setup_minor).each_minor,
        weeks=weeks,
        free=sum(free[week] + held.get(week, 0) for week in weeks),
        arrives=arrival(max(weeks), line.lead_days),
    )
    return explained_as_taken(offer.explanation, taken, as_offered(offer), offered_at=offer.offered_at)


def _held(session: Session, offer: Offer) -> Mapping[date, int]:
    return bookings.weeks_held(session, [offer.id])[offer.id].pieces


def _weeks_for(session: Session, offer: Offer, asked: CounterTerms, now: datetime) -> Mapping[date, int] | None:
    """The weeks in which the pieces would be made; None where the line has not the room for them."""
    held = _held(session, offer)
    if asked.deliver_by == offer.deliver_by:
        return kept_weeks(held, asked.quantity)
    line = session.get_one(Capability, offer.capability_id)
    ahead = [week for week in weeks_from(min(held), 2 * HORIZON_WEEKS) if starts_at(week) >= now]
    free = queries.free_pieces(session, {line.id: line.weekly_capacity}, ahead)[line.id]
    return moved_weeks(held, free, asked.quantity, last=last_week_for(asked.deliver_by, line.lead_days))


def _case(session: Session, counter_id: UUID, now: datetime) -> tuple[UUID, weighing.Case] | None:
    """A counter-offer that is open and not weighed yet, as the solver needs it."""
    counter = session.get(CounterOffer, counter_id)
    if counter is None or counter.state is not CounterState.OPEN or counter.effect:
        return None
    offer = session.get_one(Offer, counter.offer_id)
    asked = _terms(counter, offer.setup_minor)
    weeks = _weeks_for(session, offer, asked, now)
    return counter_id, weighing.case_of(session, offer, asked, weeks or {}, now=now)


def _message(session: Session, organisation_id: UUID, kind: NoticeKind, offer: Offer, counter: CounterOffer) -> Message:
    sheet = session.get_one(DemandSheet, offer.sheet_id)
    facts = {
        "title": sheet.title,
        "title_en": sheet.title_en,
        "pieces": counter.quantity,
        "price_minor": counter.unit_price_minor,
        "currency": offer.currency,
        "until": offer.expires_at.isoformat(),
    }
    subject = counter.id if kind is NoticeKind.COUNTER_WAITS else offer.id
    return Message(organisation_id, kind, subject, f"{kind}:{counter.id}:{organisation_id}", facts)
