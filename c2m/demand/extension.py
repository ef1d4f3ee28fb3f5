"""Extending a campaign, once: more days for everyone who agrees again, everything back for whoever does not."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.clock import end_of_day
from c2m.db import chunks, lock_rows, table_of, update_rows
from c2m.demand import queries
from c2m.demand.campaigns import CLOSE, CampaignNotOpen
from c2m.demand.changes import Change, note_changes
from c2m.demand.models import Campaign, CampaignState, ChangeKind, Consent, Pledge, PledgeState, Policy
from c2m.demand.pledges import free_pieces
from c2m.demand.refunds import refund_pledges
from c2m.errors import N_, Conflict, Invalid
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

LAPSE = "demand.lapse_consents"
JOINED = (PledgeState.UNPAID, PledgeState.PAID)

campaign, pledge, policy = (table_of(model) for model in (Campaign, Pledge, Policy))


class AlreadyExtended(Conflict):
    sentence = N_("A campaign can be extended once.")


class ExtensionTooLong(Invalid):
    sentence = N_("Extend by 1 to %(most)s days.")


class NothingToAnswer(Conflict):
    sentence = N_("There is nothing to agree to any more.")


def extend_campaign(session: Session, campaign_id: UUID, days: int, *, now: datetime) -> None:
    """A merchandiser gives an open campaign more days, once, before its deadline.

    Raises:
        CampaignNotOpen, AlreadyExtended, ExtensionTooLong
    """
    lock_rows(session, Campaign, [campaign_id])
    found = queries.campaign(session, campaign_id)
    session.refresh(found)
    if found.state is not CampaignState.OPEN or now >= found.deadline:
        raise CampaignNotOpen(campaign_id=campaign_id)
    if found.extended_at is not None:
        raise AlreadyExtended(campaign_id=campaign_id)
    most = session.get_one(Policy, found.policy_id).longest_extension_days
    if not 1 <= days <= most:
        raise ExtensionTooLong(most=most)
    extend_campaigns(session, {campaign_id: days}, now=now)
    session.expire(found)


def extend_campaigns(session: Session, days: Mapping[UUID, int], *, now: datetime) -> None:
    """Open these campaigns for so many days more and ask every buyer who is in to agree again.

    The promised date moves along. The caller holds the campaigns' locks and knows that none was extended before.
    """
    for part in chunks(list(days)):
        rows = [_extended(row, days[row.id], now) for row in _campaign_rows(session, part)]
        update_rows(session, Campaign, rows)
        closes = [(f"close:{row['id']}:{row['deadline'].isoformat()}", [row["id"]], row["deadline"]) for row in rows]
        jobs.enqueue_all(session, CLOSE, closes, now=now)
        lapses = [(f"lapse:{row['id']}", [row["id"]], row["consents_due_at"]) for row in rows]
        jobs.enqueue_all(session, LAPSE, lapses, now=now)
        _ask(session, part, now)


def answer_extension(session: Session, asked: Pledge, *, agrees: bool, now: datetime) -> None:
    """A buyer agrees to an extension and stays, or refuses and is refunded wholly at once.

    Raises:
        NothingToAnswer
    """
    lock_rows(session, Campaign, [asked.campaign_id])
    session.refresh(asked)
    found = queries.campaign(session, asked.campaign_id)
    session.refresh(found)
    in_time = found.consents_due_at is not None and now < found.consents_due_at and found.state is CampaignState.OPEN
    if asked.consent is not Consent.ASKED or asked.state not in JOINED or not in_time:
        raise NothingToAnswer(pledge_id=asked.id)
    if agrees:
        asked.consent = Consent.GIVEN
        session.add(asked)
        session.flush()
    else:
        _let_go(session, [asked.id], Consent.REFUSED, now)
        session.expire(asked)
        session.expire(found)


def lapse_consents(session: Session, campaign_ids: Sequence[UUID], now: datetime) -> None:
    """The time to agree is over: whoever has not answered is refunded and told so."""
    lock_rows(session, Campaign, campaign_ids)
    for part in chunks(campaign_ids):
        silent = session.execute(
            sa.select(pledge.c.id, pledge.c.buyer_id, pledge.c.charged_minor, *_told_of())
            .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
            .where(campaign.c.id.in_(part), campaign.c.consents_due_at <= now)
            .where(pledge.c.consent == Consent.ASKED, pledge.c.state.in_(JOINED))
            .order_by(pledge.c.id)
        ).all()
        _let_go(session, [row.id for row in silent], Consent.LAPSED, now)
        messages = [
            Message(
                row.buyer_id,
                NoticeKind.CONSENT_LAPSED,
                row.id,
                f"consent_lapsed:{row.id}",
                _facts(row) | {"amount_minor": row.charged_minor},
            )
            for row in silent
        ]
        tell(session, messages, now=now)


def _campaign_rows(session: Session, ids: Sequence[UUID]) -> Sequence[sa.Row[Any]]:
    columns = (campaign.c.id, campaign.c.deadline, campaign.c.promised_date, policy.c.consent_hours, policy.c.time_zone)
    return session.execute(
        sa.select(*columns)
        .join_from(campaign, policy, policy.c.id == campaign.c.policy_id)
        .where(campaign.c.id.in_(ids))
        .order_by(campaign.c.id)
    ).all()


def _extended(row: sa.Row[Any], days: int, now: datetime) -> dict[str, Any]:
    more = timedelta(days=days)
    deadline = max(row.deadline + more, now + timedelta(hours=1))  # however late the close came
    return {
        "id": row.id,
        "state": CampaignState.OPEN,
        "deadline": deadline,
        "promised_date": end_of_day(row.promised_date, row.time_zone, days=days),
        "extended_at": now,
        "consents_due_at": min(now + timedelta(hours=row.consent_hours), deadline),
    }


def _ask(session: Session, campaign_ids: Sequence[UUID], now: datetime) -> None:
    """Every buyer who is in is asked; a merchant that took pieces itself has agreed by extending."""
    rows = session.execute(
        sa.select(pledge.c.id, pledge.c.buyer_id, campaign.c.deadline, campaign.c.consents_due_at, *_told_of())
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .where(pledge.c.campaign_id.in_(campaign_ids), pledge.c.state.in_(JOINED), ~pledge.c.merchant_funded)
        .order_by(pledge.c.id)
    ).all()
    update_rows(session, Pledge, [{"id": row.id, "consent": Consent.ASKED} for row in rows])
    note_changes(session, [Change(row.id, ChangeKind.EXTENDED) for row in rows], now=now)
    messages = [
        Message(
            row.buyer_id,
            NoticeKind.CAMPAIGN_EXTENDED,
            row.id,
            f"extended:{row.id}",
            _facts(row) | {"deadline": row.deadline.isoformat(), "until": row.consents_due_at.isoformat()},
        )
        for row in rows
    ]
    tell(session, messages, now=now)


def _told_of() -> tuple[sa.ColumnElement[Any], ...]:
    return campaign.c.title, campaign.c.title_en, campaign.c.currency


def _facts(row: sa.Row[Any]) -> dict[str, Any]:
    return {"title": row.title, "title_en": row.title_en, "currency": row.currency}


def _let_go(session: Session, pledge_ids: Sequence[UUID], consent: Consent, now: datetime) -> None:
    update_rows(session, Pledge, [{"id": pledge_id, "consent": consent} for pledge_id in pledge_ids])
    refund_pledges(session, pledge_ids, reason="extension_declined", now=now)
    free_pieces(session, pledge_ids, now=now)
