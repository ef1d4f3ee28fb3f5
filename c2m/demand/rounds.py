"""The next round: a campaign that failed begins anew with those who agreed to come along, and with their money."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.clock import calendar_days, end_of_day
from c2m.db import chunks, insert_rows, number_of, table_of, update_rows, uuid7
from c2m.demand.campaigns import CLOSE
from c2m.demand.changes import Change, note_changes
from c2m.demand.models import (
    BuyerTotal,
    Campaign,
    CampaignState,
    ChangeKind,
    Pledge,
    PledgeLine,
    PledgeState,
    Policy,
    PriceTier,
    SampleCredit,
    Variant,
)
from c2m.ledger.models import HoldState
from c2m.ledger.queries import holds_of
from c2m.ledger.service import Carry, carry_over
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell
from c2m.outbox import announce

CARRIED_ON = "demand.carried_on"

campaign, pledge, line, variant, tier, credit = (
    table_of(model) for model in (Campaign, Pledge, PledgeLine, Variant, PriceTier, SampleCredit)
)

OF_THIS_ROUND = {  # what a next round does not take over from the last one
    "concept_id": None,
    "state": CampaignState.OPEN,
    "pledged_quantity": 0,
    "flexible_quantity": 0,
    "conditional_quantity": 0,
    "final_quantity": None,
    "final_price_minor": None,
    "closed_at": None,
    "balance_due_at": None,
    "extended_at": None,
    "consents_due_at": None,
    "releasing_until": None,
}


def open_next_rounds(session: Session, failed_ids: Sequence[UUID], *, now: datetime) -> None:
    """Open the next round of failed campaigns: same product, ladder and terms, with the pledges that come along.

    The caller holds the campaigns' locks. Pledges that did not agree are left as they are, to be refunded.
    """
    for part in chunks(failed_ids):
        old = {row.id: row for row in session.execute(sa.select(campaign).where(campaign.c.id.in_(part)))}
        zones = _time_zones(session, {row.policy_id for row in old.values()})
        rounds = {i: _round(row, zones[row.policy_id], now) for i, row in old.items()}
        insert_rows(session, Campaign, list(rounds.values()))
        _copy_tiers(session, rounds)
        variants = _copy_variants(session, rounds)
        _carry(session, rounds, variants, now)
        work = [
            (f"close:{new['id']}:{new['deadline'].isoformat()}", [new["id"]], new["deadline"])
            for new in rounds.values()
        ]
        jobs.enqueue_all(session, CLOSE, work, now=now)
        announce(session, "demand.campaigns_opened", [new["id"] for new in rounds.values()], now=now)


def _time_zones(session: Session, policy_ids: Collection[UUID]) -> dict[UUID, str]:
    c = table_of(Policy).c
    return {row.id: row.time_zone for row in session.execute(sa.select(c.id, c.time_zone).where(c.id.in_(policy_ids)))}


def _round(row: sa.Row[Any], time_zone: str, now: datetime) -> dict[str, Any]:
    new_id, deadline = uuid7(), now + timedelta(days=row.next_round_days)
    making = calendar_days(row.deadline, row.promised_date, time_zone)
    return (
        dict(row._mapping)
        | OF_THIS_ROUND
        | {
            "id": new_id,
            "number": number_of("C", new_id),
            "previous_round_id": row.id,
            "deadline": deadline,
            "promised_date": end_of_day(deadline, time_zone, days=making),
            "created_at": now,
            "opened_at": now,
        }
    )


def _copy_tiers(session: Session, rounds: Mapping[UUID, Mapping[str, Any]]) -> None:
    rows = session.execute(sa.select(tier).where(tier.c.campaign_id.in_(rounds)))
    insert_rows(session, PriceTier, [dict(r._mapping) | {"campaign_id": rounds[r.campaign_id]["id"]} for r in rows])


def _copy_variants(session: Session, rounds: Mapping[UUID, Mapping[str, Any]]) -> dict[UUID, UUID]:
    """The new variant of each old one."""
    rows = session.execute(sa.select(variant).where(variant.c.campaign_id.in_(rounds)).order_by(variant.c.position))
    new = {row.id: dict(row._mapping) | {"id": uuid7(), "campaign_id": rounds[row.campaign_id]["id"]} for row in rows}
    insert_rows(session, Variant, list(new.values()))
    return {old_id: row["id"] for old_id, row in new.items()}


def _carry(
    session: Session, rounds: Mapping[UUID, Mapping[str, Any]], variants: Mapping[UUID, UUID], now: datetime
) -> None:
    """New pledges for those who agreed, oldest first, at the price they joined at, their money in the new escrow."""
    rows = session.execute(
        sa.select(pledge)
        .where(pledge.c.campaign_id.in_(rounds), pledge.c.state == PledgeState.PAID, pledge.c.joins_next_round)
        .order_by(pledge.c.campaign_id, pledge.c.placed_at, pledge.c.id)
    ).all()
    new = {row.id: _carried(row, rounds[row.campaign_id]["id"], now) for row in rows}
    insert_rows(session, Pledge, list(new.values()))
    _copy_lines(session, new, variants)
    _carry_money(session, new, now)
    update_rows(session, Pledge, [{"id": i, "state": PledgeState.REFUNDED, "ended_at": now} for i in new])
    moved = [Change(row.id, ChangeKind.CARRIED_ON, row.quantity, row.charged_minor) for row in rows]
    note_changes(session, moved, now=now)
    _count(session, rounds, list(new.values()))
    _tell(session, {row["id"]: row for row in rounds.values()}, list(new.values()), now)


def _carried(row: sa.Row[Any], round_id: UUID, now: datetime) -> dict[str, Any]:
    """Whoever comes along has agreed to one more round, not to any number of them."""
    return dict(row._mapping) | {
        "id": uuid7(),
        "campaign_id": round_id,
        "joins_next_round": False,
        "team_id": None,
        "consent": None,
        "carried_from_id": row.id,
        "idempotency_key": f"carried:{row.id}",
        "placed_at": now,
        "paid_at": now,
    }


def _copy_lines(session: Session, new: Mapping[UUID, Mapping[str, Any]], variants: Mapping[UUID, UUID]) -> None:
    for part in chunks(list(new)):
        rows = session.execute(sa.select(line).where(line.c.pledge_id.in_(part)))
        copies = [
            dict(row._mapping) | {"pledge_id": new[row.pledge_id]["id"], "variant_id": variants[row.variant_id]}
            for row in rows
        ]
        insert_rows(session, PledgeLine, copies)


def _carry_money(session: Session, new: Mapping[UUID, Mapping[str, Any]], now: datetime) -> None:
    """What is held for the old pledges is held for the new ones; a sample's credit goes along."""
    carries = [
        Carry(hold, new[hold.subject_id]["id"], new[hold.subject_id]["campaign_id"], CARRIED_ON)
        for hold in holds_of(session, list(new))
        if hold.state == HoldState.HELD
    ]
    carry_over(session, carries, now=now)
    for part in chunks([old_id for old_id, row in new.items() if row["credit_minor"]]):
        found = session.execute(sa.select(credit).where(credit.c.pledge_id.in_(part))).all()
        moved = [{"sample_pledge_id": r.sample_pledge_id, "pledge_id": new[r.pledge_id]["id"]} for r in found]
        update_rows(session, SampleCredit, moved, by=("sample_pledge_id",))


def _count(session: Session, rounds: Mapping[UUID, Mapping[str, Any]], carried: Sequence[Mapping[str, Any]]) -> None:
    """The new rounds begin with the pieces that came along, and so do their buyers' totals."""
    limits = {row["id"]: row["per_buyer_limit"] for row in rounds.values()}
    sums = {i: dict.fromkeys(("pledged_quantity", "flexible_quantity", "conditional_quantity"), 0) for i in limits}
    held: dict[tuple[UUID, UUID], int] = {}
    for row in carried:
        total, conditional = sums[row["campaign_id"]], row["ceiling_minor"] is not None and not row["accepts_dearer"]
        total["pledged_quantity"] += row["quantity"]
        total["flexible_quantity"] += row["flexible_quantity"]
        total["conditional_quantity"] += row["quantity"] if conditional else 0
        if limits[row["campaign_id"]] is not None:
            key = (row["campaign_id"], row["buyer_id"])
            held[key] = held.get(key, 0) + row["quantity"] + row["flexible_quantity"]
    update_rows(session, Campaign, [{"id": i} | total for i, total in sums.items()])
    totals = [
        {"campaign_id": i, "buyer_id": buyer_id, "quantity": pieces, "quantity_limit": limits[i]}
        for (i, buyer_id), pieces in held.items()
    ]
    insert_rows(session, BuyerTotal, totals)


def _tell(
    session: Session, rounds: Mapping[UUID, Mapping[str, Any]], carried: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    messages = []
    for row in carried:
        new = rounds[row["campaign_id"]]
        facts = {name: new[name] for name in ("title", "title_en", "currency")}
        facts |= {"pieces": row["quantity"], "deadline": new["deadline"].isoformat()}
        messages.append(Message(row["buyer_id"], NoticeKind.NEXT_ROUND, row["id"], f"next_round:{row['id']}", facts))
    tell(session, messages, now=now)
