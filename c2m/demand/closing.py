"""Closing: everyone on the final tier with the difference back, or everyone refunded; balances and forfeits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.db import chunks, lock_rows, table_of, update_rows
from c2m.demand import queries
from c2m.demand.campaigns import CLOSE
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Pledge, PledgeState, Policy
from c2m.demand.pledges import cancel_unpaid, free_pieces
from c2m.demand.refunds import refund_parts, refund_pledges
from c2m.demand.rules import balance_after_deposit, final_price
from c2m.demand.sheets import issue_sheets
from c2m.ledger.models import AccountKind, HoldState, Side, Transfer, TransferState
from c2m.ledger.queries import holds_of
from c2m.ledger.rules import AccountRef, Leg
from c2m.ledger.service import Capture, capture
from c2m.outbox import announce

END_BALANCE = "demand.end_balance_windows"
BALANCE_IN_FLIGHT = timedelta(minutes=5)


@dataclass(frozen=True)
class _Ended:
    """A campaign whose count is final."""

    id: UUID
    kind: CampaignKind
    minimum: int
    merchandiser_id: UUID
    deposit_counts_minor: int
    balance_days: int
    quantity: int
    price_minor: int

    @property
    def succeeded(self) -> bool:
        return self.quantity >= self.minimum


def close_campaigns(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Settle campaigns whose deadline has passed, each once: succeeded on its final tier, or failed and refunded.

    Payments in flight are waited for as long as the campaign's policy allows; then those pledges fall.
    """
    ready = _ready_to_count(session, ids, now)
    ended = _count(session, ready)
    failed = [c for c in ended if not c.succeeded]
    succeeded = [c for c in ended if c.succeeded]
    _finish(session, failed, CampaignState.FAILED, now)
    _finish(session, succeeded, CampaignState.SUCCEEDED, now)
    refund_pledges(session, _paid_pledges(session, failed), reason="campaign_failed", now=now)
    _settle_at_final_price(session, [c for c in succeeded if c.kind is not CampaignKind.PRESALE], now)
    _ask_for_balances(session, [c for c in succeeded if c.kind is CampaignKind.PRESALE], now)
    issue_sheets(session, [c.id for c in succeeded if c.kind is not CampaignKind.PRESALE], now=now)
    announce(session, "demand.campaigns_closed", [c.id for c in ended], now=now)


def end_balance_windows(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Presales whose balance window has ended: unpaid deposits are forfeited, the paid pieces are ordered."""
    lock_rows(session, Campaign, ids)
    campaign = table_of(Campaign).c
    due: dict[UUID, UUID] = {}
    for part in chunks(ids):
        statement = sa.select(campaign.id, campaign.organisation_id).where(
            campaign.id.in_(part), campaign.balance_due_at <= now, campaign.state == CampaignState.SUCCEEDED
        )
        due |= {row.id: row.organisation_id for row in session.execute(statement)}
    waiting = _with_balance_in_flight(session, list(due))
    later = now + BALANCE_IN_FLIGHT
    work = [(f"end_balance:{i}:{later.isoformat()}", [i], later) for i in sorted(waiting)]
    jobs.enqueue_all(session, END_BALANCE, work, now=now)
    ended = [i for i in due if i not in waiting]
    _forfeit_unpaid(session, {i: due[i] for i in ended}, now)
    issue_sheets(session, ended, now=now)


def _ready_to_count(session: Session, ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Move ended campaigns to closing; return those with no payment in flight, or none that may still come."""
    lock_rows(session, Campaign, ids)
    campaign, policy, pledge = table_of(Campaign), table_of(Policy), table_of(Pledge)
    grace: dict[UUID, datetime] = {}
    for part in chunks(ids):
        rows = session.execute(
            sa.select(campaign.c.id, campaign.c.deadline, policy.c.payment_minutes)
            .join_from(campaign, policy, campaign.c.policy_id == policy.c.id)
            .where(
                campaign.c.id.in_(part),
                campaign.c.state.in_([CampaignState.OPEN, CampaignState.CLOSING]),
                campaign.c.deadline <= now,
            )
        )
        grace |= {row.id: row.deadline + timedelta(minutes=row.payment_minutes) for row in rows}
    unpaid: dict[UUID, list[UUID]] = {}
    for part in chunks(list(grace)):
        session.execute(sa.update(campaign).where(campaign.c.id.in_(part)).values(state=CampaignState.CLOSING))
        rows = session.execute(
            sa.select(pledge.c.id, pledge.c.campaign_id).where(
                pledge.c.campaign_id.in_(part), pledge.c.state == PledgeState.UNPAID
            )
        )
        for row in rows:
            unpaid.setdefault(row.campaign_id, []).append(row.id)
    waiting = {i for i in unpaid if now < grace[i]}
    work = [(f"close:{i}:{grace[i].isoformat()}", [i], grace[i]) for i in sorted(waiting)]
    jobs.enqueue_all(session, CLOSE, work, now=now)
    cancel_unpaid(session, [p for i, pledges in unpaid.items() if i not in waiting for p in pledges], now=now)
    return [i for i in grace if i not in waiting]


def _count(session: Session, ids: Sequence[UUID]) -> list[_Ended]:
    """The final count and price of each campaign."""
    campaign, policy, pledge = table_of(Campaign), table_of(Policy), table_of(Pledge)
    ladders = queries.ladders(session, ids)
    ended = []
    for part in chunks(ids):
        paid = (
            sa.select(pledge.c.campaign_id, sa.func.sum(pledge.c.quantity).label("pieces"))
            .where(pledge.c.campaign_id.in_(part), pledge.c.state == PledgeState.PAID)
            .group_by(pledge.c.campaign_id)
            .subquery()
        )
        rows = session.execute(
            sa.select(
                campaign.c.id,
                campaign.c.kind,
                campaign.c.minimum,
                campaign.c.organisation_id,
                campaign.c.deposit_counts_minor,
                policy.c.balance_days,
                sa.func.coalesce(paid.c.pieces, 0).label("pieces"),
            )
            .join_from(campaign, policy, campaign.c.policy_id == policy.c.id)
            .outerjoin(paid, paid.c.campaign_id == campaign.c.id)
            .where(campaign.c.id.in_(part))
        )
        for row in rows:
            pieces = int(row.pieces)
            ended.append(
                _Ended(
                    id=row.id,
                    kind=row.kind,
                    minimum=row.minimum,
                    merchandiser_id=row.organisation_id,
                    deposit_counts_minor=row.deposit_counts_minor,
                    balance_days=row.balance_days,
                    quantity=pieces,
                    price_minor=ladders[row.id].price_at(pieces),
                )
            )
    return ended


def _finish(session: Session, ended: Sequence[_Ended], state: CampaignState, now: datetime) -> None:
    rows = [
        {
            "id": c.id,
            "state": state,
            "closed_at": now,
            "final_quantity": c.quantity,
            "final_price_minor": c.price_minor,
            "pledged_quantity": c.quantity,
        }
        for c in ended
    ]
    update_rows(session, Campaign, rows)


def _paid_pledges(session: Session, campaigns: Sequence[_Ended]) -> list[UUID]:
    return [row.id for row in _pledges_in(session, [c.id for c in campaigns], PledgeState.PAID)]


def _pledges_in(session: Session, campaign_ids: Sequence[UUID], state: PledgeState) -> list[sa.Row[Any]]:
    c = table_of(Pledge).c
    rows: list[sa.Row[Any]] = []
    for part in chunks(campaign_ids):
        rows += session.execute(
            sa.select(c.id, c.campaign_id, c.quantity, c.unit_price_minor).where(
                c.campaign_id.in_(part), c.state == state
            )
        ).all()
    return rows


def _settle_at_final_price(session: Session, campaigns: Sequence[_Ended], now: datetime) -> None:
    """Confirm the pledges at the final price and grant the difference to what was paid."""
    price = {c.id: c.price_minor for c in campaigns}
    pledges = _pledges_in(session, list(price), PledgeState.PAID)
    rows = [
        {
            "id": row.id,
            "final_price_minor": final_price(row.unit_price_minor, price[row.campaign_id]),
            "balance_minor": None,
            "state": PledgeState.CONFIRMED,
        }
        for row in pledges
    ]
    update_rows(session, Pledge, rows)
    differences = {
        row.id: (row.unit_price_minor - price[row.campaign_id]) * row.quantity
        for row in pledges
        if row.unit_price_minor > price[row.campaign_id]
    }
    refund_parts(session, differences, reason="tier_difference", now=now)


def _ask_for_balances(session: Session, campaigns: Sequence[_Ended], now: datetime) -> None:
    """Open the balance window: what each deposit leaves to pay at the final price."""
    by_id = {c.id: c for c in campaigns}
    rows: list[dict[str, object]] = []
    for row in _pledges_in(session, list(by_id), PledgeState.PAID):
        campaign = by_id[row.campaign_id]
        price = final_price(row.unit_price_minor, campaign.price_minor)
        balance = balance_after_deposit(price, campaign.deposit_counts_minor, row.quantity)
        state = PledgeState.BALANCE_DUE if balance else PledgeState.CONFIRMED
        rows.append({"id": row.id, "final_price_minor": price, "balance_minor": balance, "state": state})
    update_rows(session, Pledge, rows)
    due_at = {c.id: now + timedelta(days=c.balance_days) for c in campaigns}
    update_rows(session, Campaign, [{"id": i, "balance_due_at": at} for i, at in due_at.items()])
    jobs.enqueue_all(session, END_BALANCE, [(f"end_balance:{i}", [i], at) for i, at in due_at.items()], now=now)


def _with_balance_in_flight(session: Session, campaign_ids: Sequence[UUID]) -> set[UUID]:
    pledge, transfer = table_of(Pledge).c, table_of(Transfer).c
    found: set[UUID] = set()
    for part in chunks(campaign_ids):
        found |= set(
            session.execute(
                sa.select(pledge.campaign_id)
                .join_from(table_of(Pledge), table_of(Transfer), transfer.subject_id == pledge.id)
                .where(
                    pledge.campaign_id.in_(part),
                    pledge.state == PledgeState.BALANCE_DUE,
                    transfer.purpose == "demand.balance",
                    transfer.state != TransferState.FAILED,
                )
                .distinct()
            ).scalars()
        )
    return found


def _forfeit_unpaid(session: Session, merchandisers: dict[UUID, UUID], now: datetime) -> None:
    """Unpaid balances: the deposits go to the merchandiser by the stated rule, the pieces are free."""
    unpaid = {row.id: row.campaign_id for row in _pledges_in(session, list(merchandisers), PledgeState.BALANCE_DUE)}
    captures = []
    for hold in holds_of(session, list(unpaid)):
        if hold.state == HoldState.HELD:
            merchandiser = merchandisers[unpaid[hold.subject_id]]
            receiver = AccountRef(AccountKind.MERCHANDISER_PAYABLE, merchandiser, hold.currency)
            legs = (Leg(receiver, Side.CREDIT, hold.remaining_minor),)
            captures.append(
                Capture(hold, hold.remaining_minor, f"forfeit:{hold.id}", "demand.forfeit", legs, forfeit=True)
            )
    capture(session, captures, now=now)
    pledge = table_of(Pledge)
    for part in chunks(list(unpaid)):
        session.execute(
            sa.update(pledge).where(pledge.c.id.in_(part)).values(state=PledgeState.FORFEITED, ended_at=now)
        )
    free_pieces(session, list(unpaid))
