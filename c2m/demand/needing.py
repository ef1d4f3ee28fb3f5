"""Buyers who need what a campaign was drafted for are told when it opens."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.demand.models import Campaign, GroupCampaign, Need, NeedState
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell


def tell_needing(session: Session, ids: Sequence[UUID], *, now: datetime) -> None:
    """Tell the buyers of groups that campaigns made for them have opened, each buyer once a campaign."""
    campaign, made, need = table_of(Campaign), table_of(GroupCampaign), table_of(Need)
    messages: list[Message] = []
    for part in chunks(ids):
        rows = session.execute(
            sa.select(campaign.c.id, campaign.c.title, campaign.c.title_en, campaign.c.deadline, need.c.buyer_id)
            .join_from(made, campaign, campaign.c.id == made.c.campaign_id)
            .join(need, need.c.group_id == made.c.group_id)
            .where(campaign.c.id.in_(part), need.c.state == NeedState.OPEN)
            .distinct()
        )
        for row in rows:
            facts = {"title": row.title, "title_en": row.title_en, "deadline": row.deadline.isoformat()}
            key = f"need:{row.id}:{row.buyer_id}"
            messages.append(Message(row.buyer_id, NoticeKind.NEED_ANSWERED, row.id, key, facts))
    tell(session, messages, now=now)
