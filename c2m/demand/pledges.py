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
from c2m.demand.teams import tell_leaders
from c2m.demand.waiting import END_RELEASE, fill_queues
from c2m.errors import N_, Conflict, Invalid
from c2m.ledger.models import Transfer, TransferState
from c2m.ledger.service import Charge, request_charges


class PaymentInFlight(Conflict):
    sentence = N_("The payment is still being processed. Please try again in a moment.")


class PledgeNotCancellable(Conflict):
    sentence = N_("This order can't be cancelled any more.")


class PartialBalance(Invalid):
    sentence = N_("A balance is paid whole, exactly as it is due. Another amount was offered, so nothing was charged.")


class BalanceNotDue(Conflict):
    sentence = N_("There is no balance to pay on this order.")


def record_payments(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Money for these pledges has reached escrow: they are paid; those that ended meanwhile are granted it back.

    Whoever was offered pieces after the close has paid the final price with it, and is confirmed.
    """
    states = _states(session, ids)
    arrived = [i for i in ids if states.get(i) == PledgeState.UNPAID]
    c = table_of(Pledge).c
    paid = sa.case((c.final_price_minor.is_(None), PledgeState.PAID.value), else_=PledgeState.CONFIRMED.value)
    members = _move(session, arrived, PledgeState.UNPAID, {"state": sa.type_coerce(paid, c.state.type), "paid_at": now})
    tell_leaders(session, members, now=now)
    ended = [i for i in ids if states.get(i) in (PledgeState.CANCELLED, PledgeState.REFUNDED)]
    refund_everything(session, ended, reason="late_payment", now=now)
    _reconsider(session, arrived, now)


def record_declines(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """The payments for these pledges were declined: their pieces are free again."""
    cancel_unpaid(session, ids, now=now)
    _reconsider(session, ids, now)


def cancel_unpaid(session: Session, ids: Sequence[UUID], *, now: datetime) -> None:
    """Drop pledges whose payment never came."""
    states = _states(session, ids)
    unpaid = [i for i in ids if states.get(i) == PledgeState.UNPAID]
    _move(session, unpaid, PledgeState.UNPAID, {"state": PledgeState.CANCELLED, "ended_at": now})
    free_pieces(session, unpaid, now=now)


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
    free_pieces(session, [pledge.id], now=now)
    session.expire(pledge)
    session.expire(campaign)


def pay_balance(session: Session, pledge: Pledge, *, now: datetime, offered_minor: int | None = None) -> None:
    """A buyer pays the whole balance of a presale within its window; an offer of another amount is not taken.

    Raises:
        BalanceNotDue, PaymentInFlight, PartialBalance
    """
    lock_rows(session, Campaign, [pledge.campaign_id])
    session.refresh(pledge)
    campaign = queries.campaign(session, pledge.campaign_id)
    due = campaign.balance_due_at is not None and now < campaign.balance_due_at
    if pledge.state is not PledgeState.BALANCE_DUE or not pledge.balance_minor or not due:
        raise BalanceNotDue(pledge_id=pledge.id)
    if offered_minor is not None and offered_minor != pledge.balance_minor:
        raise PartialBalance(pledge_id=pledge.id, balance_minor=pledge.balance_minor, offered_minor=offered_minor)
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


def free_pieces(session: Session, pledge_ids: Sequence[UUID], *, now: datetime) -> None:
    """Take ended pledges' pieces off their campaigns' and buyers' totals; who waits for them gets them at once."""
    freed: set[UUID] = set()
    c = table_of(Pledge).c
    conditional = sa.case((is_conditional(), c.quantity), else_=0)
    sums = {
        "pledged_quantity": c.quantity,
        "flexible_quantity": c.flexible_quantity,
        "conditional_quantity": conditional,
    }
    columns = [sa.func.sum(pieces).label(name) for name, pieces in sums.items()]
    for part in chunks(pledge_ids):
        rows = session.execute(
            sa.select(c.campaign_id, c.buyer_id, *columns).where(c.id.in_(part)).group_by(c.campaign_id, c.buyer_id)
        ).all()
        taken = [{"id": row.campaign_id} | {name: -row._mapping[name] for name in sums} for row in rows]
        update_rows(session, Campaign, taken, add=tuple(sums))
        freed |= {row.campaign_id for row in rows}
        totals = [
            {
                "campaign_id": row.campaign_id,
                "buyer_id": row.buyer_id,
                "quantity": -row.pledged_quantity - row.flexible_quantity,
            }
            for row in rows
        ]
        update_rows(session, BuyerTotal, totals, by=("campaign_id", "buyer_id"), add=("quantity",))
    fill_queues(session, sorted(freed), now=now)


def is_conditional() -> sa.ColumnElement[bool]:
    """Whether a pledge's pieces wait for its ceiling."""
    c = table_of(Pledge).c
    return sa.and_(c.ceiling_minor.is_not(None), sa.not_(c.accepts_dearer), c.final_price_minor.is_(None))


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


def _move(session: Session, ids: Sequence[UUID], source: PledgeState, values: dict[str, object]) -> list[UUID]:
    """Change those of these pledges that are in this state; return those that came with a team."""
    table = table_of(Pledge)
    members: list[UUID] = []
    for part in chunks(ids):
        change = sa.update(table).where(table.c.id.in_(part), table.c.state == source).values(values)
        moved = session.connection().execute(change.returning(table.c.id, table.c.team_id))
        members += [row.id for row in moved if row.team_id is not None]
    return members


def _reconsider(session: Session, pledge_ids: Sequence[UUID], now: datetime) -> None:
    """Closes and releases that waited for these payments go on."""
    pledge, campaign = table_of(Pledge).c, table_of(Campaign).c
    closing: dict[UUID, CampaignState] = {}
    for part in chunks(pledge_ids):
        rows = session.execute(
            sa.select(campaign.id, campaign.state)
            .join_from(table_of(Pledge), table_of(Campaign), pledge.campaign_id == campaign.id)
            .where(pledge.id.in_(part))
            .where(sa.or_(campaign.state == CampaignState.CLOSING, campaign.releasing_until.is_not(None)))
            .distinct()
        )
        closing |= {row.id: row.state for row in rows}
    for kind, of in ((CLOSE, CampaignState.CLOSING), (END_RELEASE, CampaignState.SUCCEEDED)):
        waited = sorted(i for i, state in closing.items() if state == of)
        jobs.enqueue_all(session, kind, [(f"{kind}:{i}:after:{pledge_ids[0]}", [i], now) for i in waited], now=now)
