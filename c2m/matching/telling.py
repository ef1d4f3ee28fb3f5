"""Who is told of offers: a factory of a new one, a merchandiser that a factory has taken pieces on."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.demand.models import Campaign, DemandSheet
from c2m.matching.models import Offer
from c2m.matching.newcomers import note_newcomers
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

TELL_OFFERED = "matching.tell_offered"
TELL_TAKEN = "matching.tell_taken"


def tell_offered(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Tell factories of the offers that were made to them, and note those that went to new ones."""
    note_newcomers(session, ids)
    tell(session, messages_about(session, ids, NoticeKind.OFFER_MADE), now=now)


def tell_taken(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Tell merchandisers which pieces of their campaigns a factory makes."""
    offer, sheet, campaign = (table_of(model) for model in (Offer, DemandSheet, Campaign))
    messages: list[Message] = []
    for part in chunks(ids):
        rows = session.execute(
            sa.select(offer.c.id, offer.c.quantity, offer.c.deliver_by, campaign.c.organisation_id)
            .add_columns(campaign.c.id.label("campaign_id"), sheet.c.title, sheet.c.title_en)
            .join_from(offer, sheet, sheet.c.id == offer.c.sheet_id)
            .join(campaign, campaign.c.id == sheet.c.campaign_id)
            .where(offer.c.id.in_(part))
            .order_by(offer.c.id)
        )
        for row in rows:
            facts = {"title": row.title, "title_en": row.title_en, "pieces": row.quantity}
            facts["until"] = row.deliver_by.isoformat()
            kind = NoticeKind.OFFER_TAKEN
            messages.append(Message(row.organisation_id, kind, row.campaign_id, f"{kind}:{row.id}", facts))
    tell(session, messages, now=now)


def messages_about(session: Session, offer_ids: Sequence[UUID], kind: NoticeKind) -> list[Message]:
    """A message of this kind to the factory of each of these offers."""
    offer, sheet = table_of(Offer).c, table_of(DemandSheet).c
    found: list[Message] = []
    for part in chunks(offer_ids):
        rows = session.execute(
            sa.select(offer.id, offer.factory_id, offer.quantity, offer.expires_at, sheet.title, sheet.title_en)
            .join_from(table_of(Offer), table_of(DemandSheet), sheet.id == offer.sheet_id)
            .where(offer.id.in_(part))
            .order_by(offer.id)
        )
        found += (
            Message(
                row.factory_id,
                kind,
                row.id,
                f"{kind}:{row.id}",
                {
                    "title": row.title,
                    "title_en": row.title_en,
                    "pieces": row.quantity,
                    "until": row.expires_at.isoformat(),
                },
            )
            for row in rows
        )
    return found
