"""Which work orders may not go into bulk yet: what was a concept waits for its first article, and for who leaves."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.demand.models import Campaign, DemandSheet
from c2m.production.models import FirstArticle, FirstArticleState, WorkOrder

BEFORE_BULK = 1  # steps that go on meanwhile: the material or the tooling, without which there is no first piece


def awaiting_first_article(session: Session, order_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these orders whose campaign was a concept and that have no accepted first article to be made after.

    Where it was accepted though it differs, the order waits until its buyers' time to leave has ended.
    """
    order, article = table_of(WorkOrder), table_of(FirstArticle)
    sheet, campaign = table_of(DemandSheet), table_of(Campaign)
    decided = sa.or_(article.c.leave_until.is_(None), article.c.window_ended_at.is_not(None))
    accepted = sa.exists().where(
        article.c.work_order_id == order.c.id, article.c.state == FirstArticleState.ACCEPTED, decided
    )
    found: set[UUID] = set()
    for part in chunks(order_ids):
        rows = session.execute(
            sa.select(order.c.id)
            .join_from(order, sheet, sheet.c.id == order.c.sheet_id)
            .join(campaign, campaign.c.id == sheet.c.campaign_id)
            .where(order.c.id.in_(part), campaign.c.concept_id.is_not(None), ~accepted)
        )
        found.update(rows.scalars())
    return found
