"""Pieces of forfeited deposits: offered to the waiting list at the final price before a presale's sheet is issued."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.db import chunks, insert_missing, insert_rows, lock_rows, table_of, update_rows, uuid7
from c2m.demand.models import (
    LIVING,
    BuyerTotal,
    Campaign,
    CampaignState,
    DemandSheet,
    Pledge,
    PledgeLine,
    PledgeState,
    Policy,
    Variant,
)
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.pledges import cancel_unpaid
from c2m.demand.sheets import issue_sheets
from c2m.demand.waiting import END_RELEASE, AboveCeiling, lapse_queues, queued, serve
from c2m.errors import Refusal
from c2m.ledger.service import Charge, request_charges

pledge, campaign, line, variant = (table_of(model) for model in (Pledge, Campaign, PledgeLine, Variant))


def release_or_issue(session: Session, campaign_ids: Sequence[UUID], *, now: datetime) -> None:
    """Balance windows are over: those who wait are asked to pay for what was forfeited, or the sheets are issued.

    The caller holds the campaigns' locks.
    """
    until: dict[UUID, datetime] = {}
    for found in _with_queue(session, campaign_ids):
        if _offer(session, found, now):
            until[found.id] = now + timedelta(minutes=found.waiting_minutes)
    update_rows(session, Campaign, [{"id": i, "releasing_until": at} for i, at in until.items()])
    jobs.enqueue_all(session, END_RELEASE, [(f"end_release:{i}", [i], at) for i, at in until.items()], now=now)
    _issue(session, [i for i in campaign_ids if i not in until], now)


def end_releases(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Go on with releases: the next in the queue are asked to pay; when none is left or time is up, sheets are issued.

    A payment that is still on its way when time is up comes too late and is granted back.
    """
    lock_rows(session, Campaign, ids)
    running = _releasing(session, ids)
    over = {i for i, until in running.items() if until <= now}
    unpaid = _unpaid(session, list(running))
    cancel_unpaid(session, [p for p, campaign_id in unpaid.items() if campaign_id in over], now=now)
    paying = set(unpaid.values()) - over
    for found in _with_queue(session, [i for i in running if i not in over | paying]):
        if _offer(session, found, now):
            paying.add(found.id)
    _issue(session, [i for i in running if i not in paying], now)


def _issue(session: Session, campaign_ids: Sequence[UUID], now: datetime) -> None:
    lapse_queues(session, campaign_ids, now=now)
    issue_sheets(session, campaign_ids, now=now)


def _with_queue(session: Session, campaign_ids: Sequence[UUID]) -> list[sa.Row[Any]]:
    """Those of these campaigns whose pieces somebody waits for, with the time a payment may take."""
    policy = table_of(Policy)
    found: list[sa.Row[Any]] = []
    for part in chunks(campaign_ids):
        found += session.execute(
            sa.select(campaign, policy.c.waiting_minutes)
            .join_from(campaign, policy, policy.c.id == campaign.c.policy_id)
            .where(campaign.c.id.in_(part), queued(), ~_has_sheet())
            .order_by(campaign.c.id)
        ).all()
    return found


def _has_sheet() -> sa.ColumnElement[bool]:
    sheet = table_of(DemandSheet)
    return sa.exists().where(sheet.c.campaign_id == campaign.c.id)


def _releasing(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    found: dict[UUID, datetime] = {}
    for part in chunks(ids):
        rows = session.execute(
            sa.select(campaign.c.id, campaign.c.releasing_until).where(
                campaign.c.id.in_(part),
                campaign.c.state == CampaignState.SUCCEEDED,
                campaign.c.releasing_until.is_not(None),
                ~_has_sheet(),
            )
        )
        found |= {row.id: row.releasing_until for row in rows}
    return found


def _unpaid(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Pledges whose payment is on its way, with their campaigns."""
    found: dict[UUID, UUID] = {}
    for part in chunks(campaign_ids):
        unpaid = sa.and_(pledge.c.campaign_id.in_(part), pledge.c.state == PledgeState.UNPAID)
        rows = session.execute(sa.select(pledge.c.id, pledge.c.campaign_id).where(unpaid))
        found |= {row.id: row.campaign_id for row in rows}
    return found


def _offer(session: Session, found: sa.Row[Any], now: datetime) -> int:
    """Place pledges of those who wait for one campaign's forfeited pieces; return how many pieces they take."""

    def place(requests: Sequence[PledgeRequest]) -> list[UUID | Refusal]:
        return _place(session, found, requests, now)

    return serve(session, found, _left(session, found), place, now=now, made=_made(session, found))


def _left(session: Session, found: sa.Row[Any]) -> int:
    """Pieces of unpaid balances that nobody has taken since the close."""
    given_back = sa.and_(
        pledge.c.state == PledgeState.REFUNDED,
        pledge.c.final_price_minor.is_not(None),
        pledge.c.placed_at < found.closed_at,
    )
    ended = sa.or_(pledge.c.state == PledgeState.FORFEITED, given_back)
    forfeited = sa.case((ended, pledge.c.quantity), else_=0)
    since = sa.and_(pledge.c.state.in_(LIVING), pledge.c.placed_at >= found.closed_at)
    taken = sa.case((since, pledge.c.quantity), else_=0)
    left = sa.func.coalesce(sa.func.sum(forfeited - taken), 0)
    return int(session.execute(sa.select(left).where(pledge.c.campaign_id == found.id)).scalar_one())


def _made(session: Session, found: sa.Row[Any]) -> frozenset[UUID]:
    """The variants that can be had after the close: a colour ordered too seldom is not made."""
    own = sa.select(variant.c.id).where(variant.c.campaign_id == found.id)
    if found.colour_minimum:
        confirmed = (
            sa.select(variant.c.colour)
            .join_from(variant, line, line.c.variant_id == variant.c.id)
            .join(pledge, pledge.c.id == line.c.pledge_id)
            .where(pledge.c.campaign_id == found.id, pledge.c.state == PledgeState.CONFIRMED)
        )
        own = own.where(variant.c.colour.in_(confirmed))
    return frozenset(session.execute(own).scalars())


def _place(
    session: Session, found: sa.Row[Any], requests: Sequence[PledgeRequest], now: datetime
) -> list[UUID | Refusal]:
    """Pledges at the final price, to be paid whole; they are confirmed once their payment arrives.

    Whoever named a ceiling below it, and takes nothing dearer, is charged nothing.
    """
    price = found.final_price_minor
    answers: list[UUID | Refusal] = [
        AboveCeiling() if _takes_no_part(request, price) else uuid7() for request in requests
    ]
    placed = [(i, request) for i, request in zip(answers, requests, strict=True) if isinstance(i, UUID)]
    pledges = [
        {
            "id": pledge_id,
            "campaign_id": found.id,
            "buyer_id": request.buyer_id,
            "quantity": request.quantity,
            "unit_price_minor": price,
            "charged_minor": price * request.quantity,
            "final_price_minor": price,
            "balance_minor": 0,
            "team_id": request.team_id,
            "region": request.region,
            "idempotency_key": request.idempotency_key,
            "request_hash": request.fingerprint,
            "placed_at": now,
        }
        for pledge_id, request in placed
    ]
    insert_rows(session, Pledge, pledges)
    lines = [{"pledge_id": i, "variant_id": v, "quantity": pieces} for i, r in placed for v, pieces in r.lines]
    insert_rows(session, PledgeLine, lines)
    _count(session, found, [request for _, request in placed])
    charges = [
        Charge(f"pledge:{i}", "demand.pledge", i, r.buyer_id, found.id, price * r.quantity, found.currency)
        for i, r in placed
    ]
    request_charges(session, charges, now=now)
    return answers


def _takes_no_part(request: PledgeRequest, price_minor: int) -> bool:
    return request.ceiling_minor is not None and not request.accepts_dearer and price_minor > request.ceiling_minor


def _count(session: Session, found: sa.Row[Any], requests: Sequence[PledgeRequest]) -> None:
    pieces = sum(request.quantity for request in requests)
    update_rows(session, Campaign, [{"id": found.id, "pledged_quantity": pieces}], add=("pledged_quantity",))
    if found.per_buyer_limit is None:
        return
    held = [
        {"campaign_id": found.id, "buyer_id": r.buyer_id, "quantity": 0, "quantity_limit": found.per_buyer_limit}
        for r in requests
    ]
    insert_missing(session, BuyerTotal, held)
    more = [{"campaign_id": found.id, "buyer_id": r.buyer_id, "quantity": r.quantity} for r in requests]
    update_rows(session, BuyerTotal, more, by=("campaign_id", "buyer_id"), add=("quantity",))
