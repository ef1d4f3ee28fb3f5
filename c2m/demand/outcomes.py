"""What follows from the end of a campaign: everyone who was in is told, balances are asked for, queues end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.db import chunks, table_of
from c2m.demand.balances import REMIND, ask_for_balances
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Pledge, PledgeState, Policy
from c2m.demand.waiting import lapse_queues
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

FOLLOW_OUTCOMES = "demand.follow_outcomes"
BUYERS_AT_ONCE = 5_000

ENDED = (CampaignState.SUCCEEDED, CampaignState.FAILED, CampaignState.CANCELLED)

campaign, pledge, policy = (table_of(model) for model in (Campaign, Pledge, Policy))


def follow_outcomes(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Campaigns have ended: tell everybody, remind of balances in time, and end the queues that wait in vain."""
    for part in chunks(ids):
        ended = _ended(session, part)
        presales = [row for row in ended.values() if _asks_for_balances(row)]
        _tell_merchandisers(session, ended, now)
        _tell_buyers(session, ended, now)
        ask_for_balances(session, [row.id for row in presales], now=now)
        _remind(session, presales, now)
        over = [row.id for row in ended.values() if row.cap is not None and not _asks_for_balances(row)]
        lapse_queues(session, over, now=now)


def _ended(session: Session, ids: Sequence[UUID]) -> dict[UUID, sa.Row[Any]]:
    rows = session.execute(
        sa.select(campaign, policy.c.reminder_hours)
        .join_from(campaign, policy, policy.c.id == campaign.c.policy_id)
        .where(campaign.c.id.in_(ids), campaign.c.state.in_(ENDED))
    )
    return {row.id: row for row in rows}


def _asks_for_balances(row: sa.Row[Any]) -> bool:
    return row.kind is CampaignKind.PRESALE and row.state is CampaignState.SUCCEEDED


def _tell_merchandisers(session: Session, ended: dict[UUID, sa.Row[Any]], now: datetime) -> None:
    told = [_message(row, row.organisation_id, _facts(row), "") for row in ended.values()]
    tell(session, told, now=now)


def _tell_buyers(session: Session, ended: dict[UUID, sa.Row[Any]], now: datetime) -> None:
    """One message for each buyer whose pledges were alive at the end; those who owe a balance are told of that."""
    facts = {i: _facts(row) for i, row in ended.items()}
    alive = sa.or_(pledge.c.ended_at.is_(None), pledge.c.ended_at >= campaign.c.closed_at)
    found = session.execute(
        sa.select(pledge.c.campaign_id, pledge.c.buyer_id)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .where(pledge.c.campaign_id.in_(list(ended)), alive)
        .where(pledge.c.state.not_in([PledgeState.BALANCE_DUE, PledgeState.CANCELLED]))
        .where(pledge.c.placed_at < campaign.c.closed_at)
        .distinct()
    )
    for rows in found.partitions(BUYERS_AT_ONCE):
        messages = [_message(ended[i], buyer_id, facts[i], f":{buyer_id}") for i, buyer_id in rows]
        tell(session, messages, now=now)


def _message(row: sa.Row[Any], organisation_id: UUID, facts: dict[str, Any], suffix: str) -> Message:
    succeeded = row.state is CampaignState.SUCCEEDED
    kind = NoticeKind.CAMPAIGN_SUCCEEDED if succeeded else NoticeKind.CAMPAIGN_FAILED
    return Message(organisation_id, kind, row.id, f"campaign_ended:{row.id}{suffix}", facts)


def _facts(row: sa.Row[Any]) -> dict[str, Any]:
    named = {"title": row.title, "title_en": row.title_en}
    if row.state is CampaignState.CANCELLED:
        return named | {"how": "called_off"}
    if row.state is CampaignState.FAILED:
        return named | {"pieces": row.final_quantity, "minimum": row.minimum}
    final = {"pieces": row.final_quantity, "price_minor": row.final_price_minor, "currency": row.currency}
    return named | final


def _remind(session: Session, presales: Sequence[sa.Row[Any]], now: datetime) -> None:
    """Have balances reminded of before their window ends, where the policy leaves a while between."""
    work = [
        (f"remind_balances:{row.id}", [row.id], at)
        for row in presales
        if row.balance_due_at is not None
        and (at := row.balance_due_at - timedelta(hours=row.reminder_hours)) > row.closed_at
    ]
    jobs.enqueue_all(session, REMIND, work, now=now)
