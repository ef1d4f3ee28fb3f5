"""Demand sheets: confirmed demand, computed in SQL, frozen, each unit in exactly one line."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import money
from c2m.db import chunks, insert_rows, number_of, table_of, uuid7
from c2m.demand.models import (
    Campaign,
    DemandSheet,
    Pledge,
    PledgeLine,
    PledgeState,
    Policy,
    SheetLine,
    SheetPledge,
)
from c2m.design.categories import category_of
from c2m.outbox import announce


def issue_sheets(session: Session, campaign_ids: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """Freeze the confirmed pledges of each campaign into its demand sheet; nothing for none confirmed."""
    issued: list[UUID] = []
    for part in chunks(campaign_ids):
        rows = _sheet_rows(session, part, now)
        insert_rows(session, DemandSheet, rows)
        ids = [row["id"] for row in rows if isinstance(row["id"], UUID)]
        _fill(session, ids)
        issued += ids
    announce(session, "demand.sheets_issued", issued, now=now)
    return issued


def _sheet_rows(session: Session, campaign_ids: Sequence[UUID], now: datetime) -> list[dict[str, object]]:
    campaign, policy, pledge, sheet = (table_of(model) for model in (Campaign, Policy, Pledge, DemandSheet))
    confirmed = (
        sa.select(pledge.c.campaign_id, sa.func.sum(pledge.c.quantity).label("pieces"))
        .where(pledge.c.campaign_id.in_(campaign_ids), pledge.c.state == PledgeState.CONFIRMED)
        .group_by(pledge.c.campaign_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(campaign, policy.c.target_cost_ppm, confirmed.c.pieces)
        .join_from(campaign, confirmed, confirmed.c.campaign_id == campaign.c.id)
        .join(policy, policy.c.id == campaign.c.policy_id)
        .where(~sa.exists().where(sheet.c.campaign_id == campaign.c.id))
    )
    found = []
    for row in rows:
        sheet_id = uuid7()
        found.append(
            {
                "id": sheet_id,
                "number": number_of("DS", sheet_id),
                "campaign_id": row.id,
                "title": row.title,
                "title_en": row.title_en,
                "category": row.category,
                "processes": [category_of(row.category).process],
                "currency": row.currency,
                "quantity": int(row.pieces),
                "unit_price_minor": row.final_price_minor,
                "target_cost_minor": max(money.share(row.final_price_minor, row.target_cost_ppm), 1),
                "required_date": row.promised_date,
                "issued_at": now,
            }
        )
    return found


def _fill(session: Session, sheet_ids: Sequence[UUID]) -> None:
    """Put every confirmed pledge line under its sheet, and sum the lines by variant."""
    sheet, pledge, line = table_of(DemandSheet), table_of(Pledge), table_of(PledgeLine)
    made_of, sheet_line = table_of(SheetPledge), table_of(SheetLine)
    session.execute(
        sa.insert(made_of).from_select(
            ["sheet_id", "variant_id", "pledge_id", "quantity"],
            sa.select(sheet.c.id, line.c.variant_id, line.c.pledge_id, line.c.quantity)
            .join_from(sheet, pledge, pledge.c.campaign_id == sheet.c.campaign_id)
            .join(line, line.c.pledge_id == pledge.c.id)
            .where(sheet.c.id.in_(sheet_ids), pledge.c.state == PledgeState.CONFIRMED),
        )
    )
    session.execute(
        sa.insert(sheet_line).from_select(
            ["sheet_id", "variant_id", "quantity"],
            sa.select(made_of.c.sheet_id, made_of.c.variant_id, sa.func.sum(made_of.c.quantity))
            .where(made_of.c.sheet_id.in_(sheet_ids))
            .group_by(made_of.c.sheet_id, made_of.c.variant_id),
        )
    )
