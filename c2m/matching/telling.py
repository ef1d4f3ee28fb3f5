"""Who is told of offers: a factory of a new one, a merchandiser that a factory has taken pieces on."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.demand.models import Campaign, DemandSheet, Need, NeedGroup, NeedState
from c2m.matching.models import Capability, Factory, FactoryLevel, Offer
from c2m.matching.newcomers import note_newcomers
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

TELL_OFFERED = "matching.tell_offered"
TELL_TAKEN = "matching.tell_taken"
TELL_MAKERS = "matching.tell_makers"


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


def tell_makers(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Ask verified factories with a line in a group's category whether they would make what its buyers want."""
    group, need, line, factory = (table_of(model) for model in (NeedGroup, Need, Capability, Factory))
    messages: list[Message] = []
    for part in chunks(ids):
        pieces = sa.func.sum(need.c.quantity).label("pieces")
        wanted = (
            sa.select(need.c.group_id, pieces)
            .where(need.c.group_id.in_(part), need.c.state == NeedState.OPEN)
            .group_by(need.c.group_id)
            .subquery()
        )
        rows = session.execute(
            sa.select(group.c.id, group.c.title, group.c.title_en, wanted.c.pieces, line.c.factory_id)
            .join_from(group, wanted, wanted.c.group_id == group.c.id)
            .join(line, line.c.category == group.c.category)
            .join(factory, factory.c.id == line.c.factory_id)
            .where(factory.c.level != FactoryLevel.LISTED)
            .distinct()
        )
        for row in rows:
            facts = {"title": row.title, "title_en": row.title_en, "pieces": int(row.pieces)}
            key = f"makers:{row.id}:{row.factory_id}"
            messages.append(Message(row.factory_id, NoticeKind.MAKERS_ASKED, row.id, key, facts))
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
