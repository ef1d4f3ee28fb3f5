"""Wants: a buyer would take so many of a concept at a price; a deposit, if asked for, is always refundable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, lock_rows, table_of, uuid7
from c2m.design.models import Concept, ConceptState, ConceptVariant, Want, WantState
from c2m.design.queries import ALIVE
from c2m.errors import N_, Conflict, Invalid, NotFound
from c2m.ledger.models import HoldState
from c2m.ledger.queries import holds_of
from c2m.ledger.service import Charge, Release, refund, request_charges

MOST_PIECES = 100_000
HIGHEST_PRICE_MINOR = 100_000_000
MOST_TIMES_THE_PRICE = 3  # that a buyer may name: more is a slip of the pen, or a voice that would drown the others


class WantNotFound(NotFound):
    sentence = N_("There is no such want.")


class ConceptClosed(Conflict):
    sentence = N_("This concept takes no more wants.")


class WantNotWithdrawable(Conflict):
    sentence = N_("This want can't be withdrawn any more.")


class DepositInFlight(Conflict):
    sentence = N_("The deposit is still being processed. Please try again in a moment.")


class WantKeyReused(Invalid):
    sentence = N_("This form was already sent with different content. Please start again.")


class MoreThanTheTarget(Invalid):
    """One buyer alone can't want more than makes a concept worth making."""

    sentence = N_("One buyer can want at most %(target)s pieces of this, its target: you can add %(left)s more.")


@dataclass(frozen=True)
class WantRequest:
    """So many of this variant, each at this price at most; the key makes sending it twice harmless."""

    concept_id: UUID
    variant_id: UUID
    buyer_id: UUID
    quantity: int
    price_minor: int
    idempotency_key: str


def state_want(session: Session, request: WantRequest, *, now: datetime) -> Want:
    """Record what a buyer would take, and ask for the refundable deposit if the concept has one.

    Raises:
        ConceptClosed, WantNotFound, Invalid, MoreThanTheTarget, WantKeyReused
    """
    lock_rows(session, Concept, [request.concept_id])
    known = session.exec(
        select(Want).where(Want.buyer_id == request.buyer_id, Want.idempotency_key == request.idempotency_key)
    ).first()
    if known is not None:
        same = (known.variant_id, known.quantity, known.price_minor)
        if same != (request.variant_id, request.quantity, request.price_minor):
            raise WantKeyReused(want_id=known.id)
        return known
    concept = session.get(Concept, request.concept_id)
    if concept is None:
        raise WantNotFound(concept_id=request.concept_id)
    if concept.state is not ConceptState.PUBLISHED or now >= concept.ends_at:
        raise ConceptClosed(concept_id=concept.id)
    if errors := _errors(session, request, concept):
        raise Invalid(errors=errors)
    left = left_to_want(session, concept, request.buyer_id)
    if request.quantity > left:
        raise MoreThanTheTarget(field="quantity", target=concept.target_quantity, left=left)
    deposit = concept.deposit_minor * request.quantity
    want = Want(
        id=uuid7(),
        concept_id=concept.id,
        variant_id=request.variant_id,
        buyer_id=request.buyer_id,
        quantity=request.quantity,
        price_minor=request.price_minor,
        deposit_minor=deposit,
        state=WantState.UNPAID if deposit else WantState.STATED,
        idempotency_key=request.idempotency_key,
        stated_at=now,
    )
    session.add(want)
    session.flush()
    if deposit:
        charge = Charge(
            reference=f"want:{want.id}",
            purpose="design.want",
            subject_id=want.id,
            payer_id=want.buyer_id,
            escrow_owner_id=concept.id,
            amount_minor=deposit,
            currency=concept.currency,
        )
        request_charges(session, [charge], now=now)
    return want


def withdraw_want(session: Session, want: Want, *, now: datetime) -> None:
    """A buyer takes a want back; the deposit is granted back at once.

    Raises:
        DepositInFlight, WantNotWithdrawable
    """
    lock_rows(session, Concept, [want.concept_id])
    session.refresh(want)
    if want.state is WantState.UNPAID:
        raise DepositInFlight(want_id=want.id)
    if want.state not in (WantState.STATED, WantState.DEPOSITED):
        raise WantNotWithdrawable(want_id=want.id)
    _refund(session, [want.id], now)
    want.state, want.ended_at = WantState.WITHDRAWN, now
    session.add(want)
    session.flush()


def refund_wants(session: Session, concept_id: UUID, *, now: datetime) -> None:
    """Grant back every deposit of a concept that has ended."""
    table = table_of(Want)
    paid = sa.select(table.c.id).where(table.c.concept_id == concept_id, table.c.state == WantState.DEPOSITED)
    ids = list(session.execute(paid).scalars())
    _refund(session, ids, now)
    for part in chunks(ids):
        session.execute(sa.update(table).where(table.c.id.in_(part)).values(state=WantState.REFUNDED, ended_at=now))


def record_deposits(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Deposits have reached escrow; those of concepts that ended meanwhile are granted back."""
    for want, concept in _with_concepts(session, ids):
        if want.state is WantState.UNPAID and concept.state is ConceptState.PUBLISHED:
            want.state = WantState.DEPOSITED
        elif want.state is WantState.UNPAID:
            _refund(session, [want.id], now)
            want.state, want.ended_at = WantState.REFUNDED, now
        session.add(want)


def record_declines(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Deposits that were declined: the wants are withdrawn."""
    for want, _concept in _with_concepts(session, ids):
        if want.state is WantState.UNPAID:
            want.state, want.ended_at = WantState.WITHDRAWN, now
            session.add(want)


def want_of(session: Session, want_id: UUID, *, buyer_id: UUID) -> Want:
    """A buyer's own want.

    Raises:
        WantNotFound
    """
    found = session.get(Want, want_id)
    if found is None or found.buyer_id != buyer_id:
        raise WantNotFound(want_id=want_id)
    return found


def left_to_want(session: Session, concept: Concept, buyer_id: UUID) -> int:
    """How many more a buyer can want of a concept: one alone may want its target, whatever is said together."""
    want = table_of(Want).c
    own = sa.select(sa.func.coalesce(sa.func.sum(want.quantity), 0)).where(
        want.concept_id == concept.id, want.buyer_id == buyer_id, want.state.in_(ALIVE)
    )
    return max(concept.target_quantity - int(session.execute(own).scalar_one()), 0)


def _errors(session: Session, request: WantRequest, concept: Concept) -> dict[str, str]:
    errors: dict[str, str] = {}
    variant = session.get(ConceptVariant, request.variant_id)
    if variant is None or variant.concept_id != request.concept_id:
        errors["variant_id"] = N_("Choose one of the pictures.")
    if isinstance(request.quantity, bool) or not 1 <= request.quantity <= MOST_PIECES:
        errors["quantity"] = N_("Quantities are whole numbers between 1 and 100,000.")
    if not 1 <= request.price_minor <= HIGHEST_PRICE_MINOR:
        errors["price"] = N_("The price must be above zero and at most 1,000,000.")
    elif request.price_minor > MOST_TIMES_THE_PRICE * concept.price_minor:
        errors["price"] = N_("Name at most three times the price it would have.")
    return errors


def _with_concepts(session: Session, ids: Sequence[UUID]) -> list[tuple[Want, Concept]]:
    concept_ids = session.exec(select(Want.concept_id).where(col(Want.id).in_(ids)).distinct()).all()
    lock_rows(session, Concept, concept_ids)
    statement = (
        select(Want, Concept).join(Concept, col(Want.concept_id) == col(Concept.id)).where(col(Want.id).in_(ids))
    )
    return list(session.exec(statement.execution_options(populate_existing=True)).all())


def _refund(session: Session, want_ids: Sequence[UUID], now: datetime) -> None:
    releases = [
        Release(hold, hold.remaining_minor, f"want_refund:{hold.id}", "design.want_refund")
        for hold in holds_of(session, want_ids)
        if hold.state == HoldState.HELD
    ]
    refund(session, releases, now=now)
