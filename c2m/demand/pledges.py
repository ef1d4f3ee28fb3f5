"""Pledges after joining: paid or declined, left, completed by their balance."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.db import chunks, lock_rows, table_of, update_rows
from c2m.demand import queries
from c2m.demand.campaigns import CLOSE
from c2m.demand.models import BuyerTotal, Campaign, CampaignState, Pledge, PledgeState
from c2m.demand.refunds import refund_everything, refund_pledges
from c2m.errors import N_, Conflict
from c2m.ledger.models import Transfer, TransferState
from c2m.ledger.service import Charge, request_charges


class PaymentInFlight(Conflict):
    sentence = N_("The payment is still being processed. Please try again in a moment.")


class PledgeNotCancellable(Conflict):
    sentence = N_("This order can't be cancelled any more.")


class BalanceNotDue(Conflict):
    sentence = N_("There is no balance to pay on this order.")


def record_payments(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Money for these pledges has reached escrow: they are paid; those that ended meanwhile are granted it back."""
    states = _states(session, ids)
    arrived = [i for i in ids if states.get(i) == PledgeState.UNPAID]
    _move(session, arrived, PledgeState.UNPAID, {"state": PledgeState.PAID, "paid_at": now})
    ended = [i for i in ids if states.get(i) in (PledgeState.CANCELLED, PledgeState.REFUNDED)]
    refund_everything(session, ended, reason="late_payment", now=now)
    _reconsider_closing(session, arrived, now)


def record_declines(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """The payments for these pledges were declined: their pieces are free again."""
    cancel_unpaid(session, ids, now=now)
    _reconsider_closing(session, ids, now)


def cancel_unpaid(session: Session, ids: Sequence[UUID], *, now: datetime) -> None:
    """Drop pledges whose payment never came."""
    states = _states(session, ids)
    unpaid = [i for i in ids if states.get(i) == PledgeState.UNPAID]
    _move(session, unpaid, PledgeState.UNPAID, {"state": PledgeState.CANCELLED, "ended_at": now})
    free_pieces(session, unpaid)


def cancel_pledge(session: Session, pledge: Pledge, *, now: datetime) -> None:
    """A buyer leaves before the deadline and is refunded wholly.

    Raises:
        PledgeNotCancellable, PaymentInFlight
    """
    lock_rows(session, Campaign, [pledge.campaign_id])
    session.refresh(pledge)
    campaign = queries.campaign(session, pledge.campaign_id)
    session.refresh(campaign)
    if pledge.state is PledgeState.UNPAID:
        raise PaymentInFlight(pledge_id=pledge.id)
    if pledge.state is not PledgeState.PAID or campaign.state is not CampaignState.OPEN or now >= campaign.deadline:
        raise PledgeNotCancellable(pledge_id=pledge.id)
    refund_pledges(session, [pledge.id], reason="cancelled", now=now, state=PledgeState.CANCELLED)
    free_pieces(session, [pledge.id])
    session.expire(pledge)
    session.expire(campaign)


def pay_balance(session: Session, pledge: Pledge, *, now: datetime) -> None:
    """A buyer pays the whole balance of a presale within its window.

    Raises:
        BalanceNotDue, PaymentInFlight
    """
    lock_rows(session, Campaign, [pledge.campaign_id])
    session.refresh(pledge)
    campaign = queries.campaign(session, pledge.campaign_id)
    due = campaign.balance_due_at is not None and now < campaign.balance_due_at
    if pledge.state is not PledgeState.BALANCE_DUE or not pledge.balance_minor or not due:
        raise BalanceNotDue(pledge_id=pledge.id)
    transfer = table_of(Transfer)
    tries = session.execute(
        sa.select(transfer.c.state).where(transfer.c.subject_id == pledge.id, transfer.c.purpose == "demand.balance")
    ).scalars()
    tried = list(tries)
    if any(state in (TransferState.PENDING, TransferState.DONE) for state in tried):
        raise PaymentInFlight(pledge_id=pledge.id)
    charge = Charge(
        reference=f"balance:{pledge.id}:{len(tried)}",
        purpose="demand.balance",
        subject_id=pledge.id,
        payer_id=pledge.buyer_id,
        escrow_owner_id=pledge.campaign_id,
        amount_minor=pledge.balance_minor,
        currency=campaign.currency,
    )
    request_charges(session, [charge], now=now)


def record_balances(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Balances have reached escrow: those pledges are confirmed; too late ones are granted the balance back."""
    states = _states(session, ids)
    due = [i for i in ids if states.get(i) == PledgeState.BALANCE_DUE]
    _move(session, due, PledgeState.BALANCE_DUE, {"state": PledgeState.CONFIRMED})
    late = [i for i in ids if states.get(i) in (PledgeState.FORFEITED, PledgeState.REFUNDED, PledgeState.CANCELLED)]
    refund_everything(session, late, reason="late_balance", now=now)


def free_pieces(session: Session, pledge_ids: Sequence[UUID]) -> None:
    """Take ended pledges' pieces off their campaigns' and buyers' totals."""
    pledge = table_of(Pledge)
    for part in chunks(pledge_ids):
        rows = session.execute(
            sa.select(pledge.c.campaign_id, pledge.c.buyer_id, sa.func.sum(pledge.c.quantity).label("pieces"))
            .where(pledge.c.id.in_(part))
            .group_by(pledge.c.campaign_id, pledge.c.buyer_id)
        ).all()
        taken = [{"id": r.campaign_id, "pledged_quantity": -r.pieces} for r in rows]
        update_rows(session, Campaign, taken, add=("pledged_quantity",))
        taken = [{"campaign_id": r.campaign_id, "buyer_id": r.buyer_id, "quantity": -r.pieces} for r in rows]
        update_rows(session, BuyerTotal, taken, by=("campaign_id", "buyer_id"), add=("quantity",))


def _states(session: Session, ids: Sequence[UUID]) -> dict[UUID, PledgeState]:
    c = table_of(Pledge).c
    campaign_ids: set[UUID] = set()
    for part in chunks(ids):
        campaign_ids |= set(session.execute(sa.select(c.campaign_id).where(c.id.in_(part))).scalars())
    lock_rows(session, Campaign, sorted(campaign_ids))
    states: dict[UUID, PledgeState] = {}
    for part in chunks(ids):
        states |= {row.id: row.state for row in session.execute(sa.select(c.id, c.state).where(c.id.in_(part)))}
    return states


def _move(session: Session, ids: Sequence[UUID], source: PledgeState, values: dict[str, object]) -> None:
    table = table_of(Pledge)
    for part in chunks(ids):
        session.execute(sa.update(table).where(table.c.id.in_(part), table.c.state == source).values(values))


def _reconsider_closing(session: Session, pledge_ids: Sequence[UUID], now: datetime) -> None:
    pledge, campaign = table_of(Pledge).c, table_of(Campaign).c
    closing: set[UUID] = set()
    for part in chunks(pledge_ids):
        closing |= set(
            session.execute(
                sa.select(campaign.id)
                .join_from(table_of(Pledge), table_of(Campaign), pledge.campaign_id == campaign.id)
                .where(pledge.id.in_(part), campaign.state == CampaignState.CLOSING)
                .distinct()
            ).scalars()
        )
    work = [(f"close:{i}:paid:{now.isoformat()}", [i], now) for i in sorted(closing)]
    jobs.enqueue_all(session, CLOSE, work, now=now)
