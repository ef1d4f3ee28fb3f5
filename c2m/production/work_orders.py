"""Work orders: what an accepted offer becomes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_rows, lock_rows, number_of, table_of, uuid7
from c2m.demand.models import Campaign, DemandSheet, Policy
from c2m.design.routes import route_of
from c2m.matching.models import Capability, Offer, OfferLine, OfferState
from c2m.outbox import announce
from c2m.production.models import Milestone, WorkOrder, WorkOrderLine
from c2m.production.rules import plan_backward


def create_work_orders(session: Session, offer_ids: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """Plan one work order for each accepted offer that has none yet; return those made."""
    lock_rows(session, Offer, offer_ids)
    offers = [offer for part in chunks(offer_ids) for offer in _accepted_without_order(session, part)]
    orders = [_order_row(offer, now) for offer in offers]
    milestones = [row for order, offer in zip(orders, offers, strict=True) for row in _milestone_rows(order, offer)]
    insert_rows(session, WorkOrder, orders)
    insert_rows(session, Milestone, milestones)
    created = [order["id"] for order in orders]
    for part in chunks(created):
        _copy_lines(session, part)
    announce(session, "production.work_orders_planned", created, now=now)
    return created


def lock_orders(session: Session, order_ids: Sequence[UUID]) -> list[UUID]:
    """Lock the sheets of these orders, then the orders, each in id order; return the sheets.

    Holding the sheets keeps all pledges of a sheet from being pegged, delivered or released by anyone else.
    """
    order = table_of(WorkOrder)
    sheet_ids: set[UUID] = set()
    for part in chunks(order_ids):
        sheet_ids.update(session.execute(sa.select(order.c.sheet_id).where(order.c.id.in_(part))).scalars())
    lock_rows(session, DemandSheet, list(sheet_ids))
    lock_rows(session, WorkOrder, order_ids)
    return sorted(sheet_ids)


def _accepted_without_order(session: Session, offer_ids: Sequence[UUID]) -> Sequence[sa.Row[Any]]:
    offer, capability, order = table_of(Offer), table_of(Capability), table_of(WorkOrder)
    sheet, campaign, policy = table_of(DemandSheet), table_of(Campaign), table_of(Policy)
    return session.execute(
        sa.select(offer, capability.c.process, capability.c.lead_days, policy.c.time_zone)
        .join_from(offer, capability, capability.c.id == offer.c.capability_id)
        .join(sheet, sheet.c.id == offer.c.sheet_id)
        .join(campaign, campaign.c.id == sheet.c.campaign_id)
        .join(policy, policy.c.id == campaign.c.policy_id)
        .where(
            offer.c.id.in_(offer_ids),
            offer.c.state == OfferState.ACCEPTED,
            ~sa.exists().where(order.c.offer_id == offer.c.id),
        )
        .order_by(offer.c.id)
    ).all()


def _order_row(offer: sa.Row[Any], now: datetime) -> dict[str, Any]:
    order_id = uuid7()
    return {
        "id": order_id,
        "number": number_of("WO", order_id),
        "offer_id": offer.id,
        "sheet_id": offer.sheet_id,
        "factory_id": offer.factory_id,
        "quantity": offer.quantity,
        "total_minor": offer.total_minor,
        "currency": offer.currency,
        "due_at": offer.deliver_by,
        "planned_at": now,
    }


def _milestone_rows(order: dict[str, Any], offer: sa.Row[Any]) -> list[dict[str, Any]]:
    """The route's steps; the last is done in time for the way to the buyer."""
    route, zone = route_of(offer.process), ZoneInfo(offer.time_zone)
    finish = offer.deliver_by.astimezone(zone).date() - timedelta(days=offer.lead_days)
    days = plan_backward(route, start=order["planned_at"].astimezone(zone).date(), finish=finish)
    return [
        {"work_order_id": order["id"], "position": position, "step": step, "planned_on": day}
        for position, ((step, _), day) in enumerate(zip(route, days, strict=True))
    ]


def _copy_lines(session: Session, order_ids: Sequence[UUID]) -> None:
    order, offered, line = table_of(WorkOrder), table_of(OfferLine), table_of(WorkOrderLine)
    session.execute(
        sa.insert(line).from_select(
            ["work_order_id", "variant_id", "quantity"],
            sa.select(order.c.id, offered.c.variant_id, offered.c.quantity)
            .join_from(order, offered, offered.c.offer_id == order.c.offer_id)
            .where(order.c.id.in_(order_ids)),
        )
    )
