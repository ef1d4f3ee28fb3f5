"""Closing: everyone on the final tier with the difference back, or everyone refunded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.db import chunks, lock_rows, table_of, update_rows
from c2m.demand import queries
from c2m.demand.balances import END_BALANCE
from c2m.demand.campaigns import CLOSE
from c2m.demand.counting import Outcome, outcome_of
from c2m.demand.extension import extend_campaigns, lapse_consents
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Pledge, PledgeState, Policy
from c2m.demand.pledges import cancel_unpaid
from c2m.demand.refunds import refund_parts, refund_pledges
from c2m.demand.rounds import open_next_rounds
from c2m.demand.rules import Ladder, balance_after_deposit, final_price
from c2m.demand.settling import settle_campaigns
from c2m.demand.sheets import issue_sheets
from c2m.outbox import announce


@dataclass(frozen=True)
class _Ended:
    """A campaign whose count is final."""

    id: UUID
    kind: CampaignKind
    deposit_counts_minor: int
    balance_days: int
    outcome: Outcome
    pieces: int  # of all pledges
    quantity: int  # of those that take part, with the flexible pieces taken
    price_minor: int


def close_campaigns(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Settle campaigns whose deadline has passed, each once: succeeded on its final tier, or failed and refunded.

    Payments in flight are waited for as long as the campaign's policy allows; then those pledges fall. One below its
    minimum is extended, or begins anew with those who agreed to come along, where it said so.
    """
    counted = _count(session, _ready_to_count(session, ids, now), now)
    _extend(session, [c.id for c in counted if c.outcome is Outcome.EXTENDED], now)
    ended = [c for c in counted if c.outcome is not Outcome.EXTENDED]
    failed = [c for c in ended if c.outcome is not Outcome.SUCCEEDED]
    succeeded = [c for c in ended if c.outcome is Outcome.SUCCEEDED]
    _finish(session, failed, CampaignState.FAILED, now)
    _finish(session, succeeded, CampaignState.SUCCEEDED, now)
    open_next_rounds(session, [c.id for c in failed if c.outcome is Outcome.NEXT_ROUND], now=now)
    refund_pledges(session, _paid_pledges(session, failed), reason="campaign_failed", now=now)
    _settle_at_final_price(session, [c for c in succeeded if c.kind is not CampaignKind.PRESALE], now)
    _ask_for_balances(session, [c for c in succeeded if c.kind is CampaignKind.PRESALE], now)
    issue_sheets(session, [c.id for c in succeeded if c.kind is not CampaignKind.PRESALE], now=now)
    announce(session, "demand.campaigns_closed", [c.id for c in ended], now=now)


def _ready_to_count(session: Session, ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Move ended campaigns to closing; return those with no payment in flight, or none that may still come."""
    lock_rows(session, Campaign, ids)
    campaign, policy, pledge = table_of(Campaign), table_of(Policy), table_of(Pledge)
    grace: dict[UUID, datetime] = {}
    extended: list[UUID] = []
    for part in chunks(ids):
        rows = session.execute(
            sa.select(campaign.c.id, campaign.c.deadline, campaign.c.extended_at, policy.c.payment_minutes)
            .join_from(campaign, policy, campaign.c.policy_id == policy.c.id)
            .where(
                campaign.c.id.in_(part),
                campaign.c.state.in_([CampaignState.OPEN, CampaignState.CLOSING]),
                campaign.c.deadline <= now,
            )
        )
        for row in rows:
            grace[row.id] = row.deadline + timedelta(minutes=row.payment_minutes)
            extended += [row.id] if row.extended_at is not None else []
    lapse_consents(session, extended, now)
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


def _count(session: Session, ids: Sequence[UUID], now: datetime) -> list[_Ended]:
    """The final count, price and outcome of each campaign.

    Most are a sum and a ladder; those whose pledges say more than a quantity are decided one by one.
    """
    counted: dict[UUID, _Ended] = {}
    manifold: list[UUID] = []
    ladders = queries.ladders(session, ids)
    for part in chunks(ids):
        for row in session.execute(_counted(part)):
            counted[row.id] = _plainly(row, ladders[row.id])
            manifold += [row.id] if _is_manifold(row) else []
    for i, v in settle_campaigns(session, manifold, now=now).items():
        counted[i] = replace(counted[i], outcome=v.outcome, quantity=v.quantity, price_minor=v.price_minor)
    return list(counted.values())


def _plainly(row: sa.Row[Any], ladder: Ladder) -> _Ended:
    pieces = int(row.pieces)
    outcome = outcome_of(
        pieces,
        row.minimum,
        may_extend=bool(pieces) and row.extension_days > 0 and row.extended_at is None,
        may_begin_anew=row.next_round_days > 0 and row.coming_along > 0,
    )
    price = ladder.price_at(pieces)
    return _Ended(row.id, row.kind, row.deposit_counts_minor, row.balance_days, outcome, pieces, pieces, price)


def _counted(ids: Sequence[UUID]) -> sa.Select[Any]:
    """Campaigns with what is paid for them."""
    campaign, policy, pledge = table_of(Campaign), table_of(Policy), table_of(Pledge)
    sums = {
        "pieces": pledge.c.quantity,
        "coming_along": sa.case((pledge.c.joins_next_round, 1), else_=0),
        "with_ceiling": sa.case((pledge.c.ceiling_minor.is_not(None), 1), else_=0),
    }
    paid = (
        sa.select(pledge.c.campaign_id, *(sa.func.sum(part).label(name) for name, part in sums.items()))
        .where(pledge.c.campaign_id.in_(ids), pledge.c.state == PledgeState.PAID)
        .group_by(pledge.c.campaign_id)
        .subquery()
    )
    names = (
        "id",
        "kind",
        "minimum",
        "deposit_counts_minor",
        "flexible_quantity",
        "colour_minimum",
        "extension_days",
        "extended_at",
        "next_round_days",
    )
    return (
        sa.select(
            *(campaign.c[name] for name in names),
            policy.c.balance_days,
            *(sa.func.coalesce(paid.c[name], 0).label(name) for name in sums),
        )
        .join_from(campaign, policy, campaign.c.policy_id == policy.c.id)
        .outerjoin(paid, paid.c.campaign_id == campaign.c.id)
        .where(campaign.c.id.in_(ids))
    )


def _is_manifold(row: sa.Row[Any]) -> bool:
    """Whether pledges have to be looked at one by one: flexible pieces, ceilings, colours that may not be made."""
    return bool(row.pieces and (row.flexible_quantity or row.colour_minimum or row.with_ceiling))


def _extend(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    campaign = table_of(Campaign).c
    for part in chunks(ids):
        days = session.execute(sa.select(campaign.id, campaign.extension_days).where(campaign.id.in_(part)))
        extend_campaigns(session, {row.id: row.extension_days for row in days}, now=now)


def _finish(session: Session, ended: Sequence[_Ended], state: CampaignState, now: datetime) -> None:
    rows = [
        {
            "id": c.id,
            "state": state,
            "closed_at": now,
            "final_quantity": c.quantity,
            "final_price_minor": c.price_minor,
            "pledged_quantity": c.quantity if state is CampaignState.SUCCEEDED else c.pieces,
            "flexible_quantity": 0,
            "conditional_quantity": 0,
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
