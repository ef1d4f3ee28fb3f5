"""Answering offers: accepted, declined or run out, each exactly once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, lock_rows, table_of
from c2m.errors import N_, Conflict, Refusal
from c2m.matching import bookings
from c2m.matching.models import Offer, OfferState
from c2m.matching.planning import mark_served
from c2m.matching.queries import OfferNotFound
from c2m.outbox import announce


class OfferNotOpen(Conflict):
    sentence = N_("This offer has already been answered or has run out.")


@dataclass(frozen=True)
class Answer:
    """A factory's word on one of its offers; `answered_by` is the person who gave it."""

    offer_id: UUID
    factory_id: UUID
    answered_by: UUID | None = None
    reason: str | None = None


def accept_offers(session: Session, answers: Sequence[Answer], *, now: datetime) -> list[UUID | Refusal]:
    """Take the work on: each offer becomes accepted, or the refusal says why not; in the order of the answers."""
    results, accepted = _answer(session, answers, OfferState.ACCEPTED, now)
    mark_served(session, sorted(set(accepted.values())), now=now)
    announce(session, "matching.offers_accepted", sorted(accepted), now=now)
    return results


def decline_offers(session: Session, answers: Sequence[Answer], *, now: datetime) -> list[UUID | Refusal]:
    """Turn the work down: the capacity is free again, and the pieces are matched to others."""
    results, declined = _answer(session, answers, OfferState.DECLINED, now)
    _give_back(session, sorted(declined), now)
    return results


def accept_offer(session: Session, answer: Answer, *, now: datetime) -> None:
    """Take one offer on.

    Raises:
        OfferNotFound, OfferNotOpen
    """
    _raise_refusal(accept_offers(session, [answer], now=now))


def decline_offer(session: Session, answer: Answer, *, now: datetime) -> None:
    """Turn one offer down.

    Raises:
        OfferNotFound, OfferNotOpen
    """
    _raise_refusal(decline_offers(session, [answer], now=now))


def expire_offers(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Let offers run out whose time to answer is over; answered ones stay as they are."""
    c = table_of(Offer).c
    run_out = (c.state == OfferState.OFFERED, c.expires_at <= now)
    lock_rows(session, Offer, ids)
    expired = _close(session, ids, run_out, {"state": OfferState.EXPIRED, "answered_at": now})
    _give_back(session, sorted(expired), now)


def _answer(
    session: Session, answers: Sequence[Answer], state: OfferState, now: datetime
) -> tuple[list[UUID | Refusal], dict[UUID, UUID]]:
    """Answer what is open; the results in order, and the offers that were won with their sheets."""
    own = _own(session, answers)
    lock_rows(session, Offer, list(own))
    signed: dict[tuple[UUID | None, str | None], list[UUID]] = defaultdict(list)
    for offer_id, answer in own.items():
        signed[answer.answered_by, answer.reason].append(offer_id)
    won: dict[UUID, UUID] = {}
    for (person, reason), ids in signed.items():
        # One statement a row: PostgreSQL locks what a row refers to when one transaction changes it a second time.
        closing = {"state": state, "answered_at": now, "answered_by": person, "reason": reason}
        won |= _close(session, ids, _still_open(now), closing)
    results: list[UUID | Refusal] = []
    for answer in answers:
        if answer.offer_id in won and own[answer.offer_id] is answer:
            results.append(answer.offer_id)
        elif answer.offer_id in own and own[answer.offer_id].factory_id == answer.factory_id:
            results.append(OfferNotOpen(offer_id=answer.offer_id))
        else:
            results.append(OfferNotFound(offer_id=answer.offer_id))
    return results, won


def _own(session: Session, answers: Sequence[Answer]) -> dict[UUID, Answer]:
    """The first answer to each offer that comes from the offer's own factory."""
    c = table_of(Offer).c
    owners: dict[UUID, UUID] = {}
    for part in chunks([answer.offer_id for answer in answers]):
        rows = session.execute(sa.select(c.id, c.factory_id).where(c.id.in_(part)))
        owners |= {row.id: row.factory_id for row in rows}
    own: dict[UUID, Answer] = {}
    for answer in answers:
        if owners.get(answer.offer_id) == answer.factory_id:
            own.setdefault(answer.offer_id, answer)
    return own


def _close(
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


def _still_open(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    c = table_of(Offer).c
    return c.state == OfferState.OFFERED, c.expires_at > now


def _give_back(session: Session, offer_ids: Sequence[UUID], now: datetime) -> None:
    bookings.release(session, offer_ids, now=now)
    announce(session, "matching.offers_returned", offer_ids, now=now)


def _raise_refusal(results: Sequence[UUID | Refusal]) -> None:
    for result in results:
        if isinstance(result, Refusal):
            raise result
