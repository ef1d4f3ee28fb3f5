"""Answering offers: accepted in full or in part, declined or run out, each exactly once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m import money
from c2m.db import chunks, lock_rows, table_of
from c2m.demand.models import DemandSheet
from c2m.errors import N_, Conflict, Invalid, Refusal
from c2m.matching import bookings
from c2m.matching.bargaining import kept_weeks
from c2m.matching.models import OPEN, Capability, CounterOffer, CounterState, Offer, OfferLine, OfferState
from c2m.matching.planning import mark_served
from c2m.matching.queries import OfferNotFound
from c2m.matching.rules import Quote, arrival
from c2m.matching.telling import messages_about
from c2m.matching.terms_taken import TermsTaken, explained_as_taken
from c2m.notices.models import NoticeKind
from c2m.notices.service import tell
from c2m.outbox import announce

WITHDRAWN = "资质不再有效 The licence holds no longer"  # why an offer ended that nobody let run out


class OfferNotOpen(Conflict):
    sentence = N_("This offer has already been answered or has run out.")


class InvalidPart(Invalid):
    sentence = N_("Take between one piece and all that are offered.")


@dataclass(frozen=True)
class Answer:
    """A factory's word on one of its offers; `answered_by` is the person who gave it, `quantity` the pieces that are
    accepted where these are not all."""

    offer_id: UUID
    factory_id: UUID
    answered_by: UUID | None = None
    reason: str | None = None
    quantity: int | None = None


def accept_offers(session: Session, answers: Sequence[Answer], *, now: datetime) -> list[UUID | Refusal]:
    """Take the work on: each offer becomes accepted, or the refusal says why not; in the order of the answers.

    An offer accepted in part keeps its price a piece and its setup; the rest is matched to others.
    """
    results, accepted = _answer(session, answers, OfferState.ACCEPTED, now)
    conclude(session, accepted, now=now)
    return results


def decline_offers(session: Session, answers: Sequence[Answer], *, now: datetime) -> list[UUID | Refusal]:
    """Turn the work down: the capacity is free again, and the pieces are matched to others."""
    results, declined = _answer(session, answers, OfferState.DECLINED, now)
    _give_back(session, sorted(declined), now)
    return results


def accept_offer(session: Session, answer: Answer, *, now: datetime) -> None:
    """Take one offer on.

    Raises:
        OfferNotFound, OfferNotOpen, InvalidPart
    """
    _raise_refusal(accept_offers(session, [answer], now=now))


def decline_offer(session: Session, answer: Answer, *, now: datetime) -> None:
    """Turn one offer down.

    Raises:
        OfferNotFound, OfferNotOpen
    """
    _raise_refusal(decline_offers(session, [answer], now=now))


def expire_offers(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Let offers run out whose time to answer is over, with what was countered; answered ones stay as they are."""
    c = table_of(Offer).c
    run_out = (c.state.in_(OPEN), c.expires_at <= now)
    lock_rows(session, Offer, ids)
    expired = close(session, ids, run_out, {"state": OfferState.EXPIRED, "answered_at": now})
    end_counters(session, list(expired), CounterState.LAPSED, now=now)
    _give_back(session, sorted(expired), now)
    about = messages_about(session, sorted(expired), NoticeKind.OFFER_RAN_OUT)
    tell(session, about, now=now)


def withdraw_offers(session: Session, factory_ids: Sequence[UUID], *, now: datetime) -> None:
    """End the open offers of factories that may no longer be matched, with what was countered: the capacity is free
    again, and the pieces are matched to others."""
    c = table_of(Offer).c
    ids: list[UUID] = []
    for part in chunks(factory_ids):
        rows = session.execute(sa.select(c.id).where(c.factory_id.in_(part), c.state.in_(OPEN)).order_by(c.id))
        ids += rows.scalars()
    if not ids:
        return
    lock_rows(session, Offer, ids)
    closing = {"state": OfferState.EXPIRED, "answered_at": now, "reason": WITHDRAWN}
    ended = close(session, ids, (c.state.in_(OPEN),), closing)
    end_counters(session, list(ended), CounterState.LAPSED, now=now)
    _give_back(session, sorted(ended), now)


def close(
    session: Session, ids: Sequence[UUID], open_if: Sequence[sa.ColumnElement[bool]], closing: Mapping[str, object]
) -> dict[UUID, UUID]:
    """Move offers that are open to their final state; those it moved, with their sheets: of two at once one wins."""
    table = table_of(Offer)
    won: dict[UUID, UUID] = {}
    for part in chunks(ids):
        closed = (
            sa.update(table)
            .where(table.c.id.in_(part), *open_if)
            .values(closing)
            .returning(table.c.id, table.c.sheet_id)
        )
        won |= {row.id: row.sheet_id for row in session.execute(closed)}
    return won


def accepted_with(quantity: int) -> dict[str, object]:
    """What changes on an offer of which so many pieces are accepted: the rest is untaken, the total follows."""
    c = table_of(Offer).c
    return {
        "quantity": quantity,
        "untaken": c.quantity - quantity,
        "total_minor": c.unit_price_minor * quantity + c.setup_minor,
    }


def conclude(session: Session, accepted: Mapping[UUID, UUID], *, now: datetime) -> None:
    """What follows for offers just accepted (with their sheets): of those in part, lines and capacity shrink and the
    rest is matched again; sheets wholly taken are served."""
    sheets = sorted(set(accepted.values()))
    cut = _cut(session, list(accepted))
    if cut:
        lock_rows(session, DemandSheet, sheets)  # in the order in which a match run locks: sheets, then lines
        _shrink(session, cut, now)
    mark_served(session, sheets, now=now)
    announce(session, "matching.offers_accepted", sorted(accepted), now=now)
    announce(session, "matching.offers_cut", sorted(offer.id for offer in cut), now=now)


def end_counters(session: Session, offer_ids: Sequence[UUID], state: CounterState, *, now: datetime) -> None:
    """End what is still open of these offers' counter-offers without a decision."""
    table = table_of(CounterOffer)
    for part in chunks(offer_ids):
        session.execute(
            sa.update(table)
            .where(table.c.offer_id.in_(part), table.c.state == CounterState.OPEN)
            .values(state=state, decided_at=now)
        )


def _answer(
    session: Session, answers: Sequence[Answer], state: OfferState, now: datetime
) -> tuple[list[UUID | Refusal], dict[UUID, UUID]]:
    """Answer what is open; the results in order, and the offers that were won with their sheets."""
    own, pieces = _own(session, answers)
    lock_rows(session, Offer, list(own))
    signed: dict[tuple[UUID | None, str | None, int | None], list[UUID]] = defaultdict(list)
    for offer_id, answer in own.items():
        if answer.quantity is None or 1 <= answer.quantity <= pieces[offer_id]:
            signed[answer.answered_by, answer.reason, answer.quantity].append(offer_id)
    won: dict[UUID, UUID] = {}
    for (person, reason, quantity), ids in signed.items():
        # One statement a row: PostgreSQL locks what a row refers to when one transaction changes it a second time.
        closing = {"state": state, "answered_at": now, "answered_by": person, "reason": reason}
        if quantity is not None and state is OfferState.ACCEPTED:
            closing |= accepted_with(quantity)
        won |= close(session, ids, _still_open(now), closing)
    end_counters(session, list(won), CounterState.WITHDRAWN, now=now)
    return [_result(answer, own, pieces, won) for answer in answers], won


def _result(
    answer: Answer, own: Mapping[UUID, Answer], pieces: Mapping[UUID, int], won: Mapping[UUID, UUID]
) -> UUID | Refusal:
    first = own.get(answer.offer_id)
    if first is None or first.factory_id != answer.factory_id:
        return OfferNotFound(offer_id=answer.offer_id)
    if answer.offer_id in won and first is answer:
        return answer.offer_id
    if answer.quantity is not None and not 1 <= answer.quantity <= pieces[answer.offer_id]:
        return InvalidPart(offer_id=answer.offer_id, errors={"quantity": InvalidPart.sentence})
    return OfferNotOpen(offer_id=answer.offer_id)


def _own(session: Session, answers: Sequence[Answer]) -> tuple[dict[UUID, Answer], dict[UUID, int]]:
    """The first answer to each offer that comes from the offer's own factory, and the offers' pieces."""
    c = table_of(Offer).c
    owners: dict[UUID, UUID] = {}
    pieces: dict[UUID, int] = {}
    for part in chunks([answer.offer_id for answer in answers]):
        for row in session.execute(sa.select(c.id, c.factory_id, c.quantity).where(c.id.in_(part))):
            owners[row.id], pieces[row.id] = row.factory_id, row.quantity
    own: dict[UUID, Answer] = {}
    for answer in answers:
        if owners.get(answer.offer_id) == answer.factory_id:
            own.setdefault(answer.offer_id, answer)
    return own, pieces


def _cut(session: Session, offer_ids: Sequence[UUID]) -> list[Offer]:
    found: list[Offer] = []
    for part in chunks(offer_ids):
        statement = select(Offer).where(col(Offer.id).in_(part), Offer.untaken > 0)
        found += session.exec(statement.execution_options(populate_existing=True)).all()
    return found


def _shrink(session: Session, cut: Sequence[Offer], now: datetime) -> None:
    """Bring lines and bookings of offers down to their pieces: variants keep their proportions, early weeks stay."""
    lock_rows(session, Capability, sorted({offer.capability_id for offer in cut}))
    held = bookings.weeks_held(session, [offer.id for offer in cut])
    wanted = {offer.id: kept_weeks(held[offer.id].pieces, offer.quantity) for offer in cut}
    bookings.rebook(session, wanted, usual={}, now=now)
    table = table_of(OfferLine)
    for offer in cut:
        _explain(session, offer, wanted[offer.id])
        lines = session.exec(
            select(OfferLine).where(OfferLine.offer_id == offer.id).order_by(col(OfferLine.variant_id))
        ).all()
        for line, pieces in zip(lines, money.allocate(offer.quantity, [x.quantity for x in lines]), strict=True):
            this = sa.and_(table.c.offer_id == offer.id, table.c.variant_id == line.variant_id)
            if pieces:
                session.execute(sa.update(table).where(this).values(quantity=pieces))
            else:
                session.execute(sa.delete(table).where(this))


def _explain(session: Session, offer: Offer, weeks: Mapping[date, int]) -> None:
    """Bring the explanation of an offer taken in part up to its pieces; a counter-offer's says them already."""
    if "offered" in offer.explanation:
        return
    line, [room] = session.get_one(Capability, offer.capability_id), _parts(offer, "capacity")
    each_minor = Quote(offer.quantity, offer.unit_price_minor, offer.setup_minor).each_minor
    arrives = arrival(max(weeks), line.lead_days)
    taken = TermsTaken(offer.quantity, each_minor, weeks, int(room["have"]), arrives)
    offer.explanation = explained_as_taken(offer.explanation, taken, as_offered(offer), offered_at=offer.offered_at)
    session.add(offer)


def as_offered(offer: Offer) -> dict[str, Any]:
    """The terms on which an offer was made, as they are kept when it is taken on others."""
    quantity = offer.quantity + offer.untaken
    return {
        "quantity": quantity,
        "unit_price_minor": offer.unit_price_minor,
        "total_minor": offer.unit_price_minor * quantity + offer.setup_minor,
        "deliver_by": offer.deliver_by.isoformat(),
    }


def _parts(offer: Offer, name: str) -> list[dict[str, Any]]:
    return [part for part in offer.explanation["fit"]["parts"] if part["part"] == name]


def _still_open(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    c = table_of(Offer).c
    return c.state.in_(OPEN), c.expires_at > now


def _give_back(session: Session, offer_ids: Sequence[UUID], now: datetime) -> None:
    bookings.release(session, offer_ids, now=now)
    announce(session, "matching.offers_returned", offer_ids, now=now)


def _raise_refusal(results: Sequence[UUID | Refusal]) -> None:
    for result in results:
        if isinstance(result, Refusal):
            raise result
