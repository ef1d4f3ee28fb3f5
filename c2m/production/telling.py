"""First articles told of: to merchandisers to be judged, to factories and buyers as judged, and who left."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.demand.models import LIVING, Campaign, DemandSheet, Pledge
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell
from c2m.production.models import FirstArticle, FirstArticleState, WorkOrder

TELL_SENT = "production.tell_first_articles_sent"
TELL_JUDGED = "production.tell_first_articles_judged"
TELL_ENDED = "production.tell_exit_windows_ended"


def tell_sent(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """The houses of these first articles have one to judge."""
    tell(
        session,
        [
            Message(
                row.organisation_id, NoticeKind.FIRST_ARTICLE_SENT, row.id, f"first-article-sent:{row.id}", _facts(row)
            )
            for row in _articles(session, ids)
        ],
        now=now,
    )


def tell_judged(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """The factory learns what was found; buyers, once it is accepted, that the piece is there or how it differs."""
    messages: list[Message] = []
    for row in _articles(session, ids):
        facts = _facts(row) | {"reason": row.verdict}
        if row.leave_until is not None:
            facts |= {"reason": row.note or row.verdict, "until": row.leave_until.isoformat()}
        kind, to_buyers = _kinds(row)
        messages.append(Message(row.factory_id, kind, row.id, f"first-article-judged:{row.id}", facts))
        if to_buyers is not None:
            messages += [
                Message(buyer, to_buyers, pledge, f"first-piece:{row.id}:{pledge}", facts)
                for pledge, buyer in _pledges(session, row.campaign_id)
            ]
    tell(session, messages, now=now)


def tell_ended(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Factory and house learn how many pieces buyers left, and that the others are made now."""
    messages: list[Message] = []
    for row in _articles(session, ids):
        facts = _facts(row) | {"left": row.left_quantity}
        messages += [
            Message(told, NoticeKind.FREE_EXIT_OVER, row.id, f"exit-over:{row.id}:{told}", facts)
            for told in (row.factory_id, row.organisation_id)
        ]
    tell(session, messages, now=now)


def _kinds(row: sa.Row) -> tuple[NoticeKind, NoticeKind | None]:  # type: ignore[type-arg]
    """What the factory is told, and what buyers are."""
    if row.state is not FirstArticleState.ACCEPTED:
        return NoticeKind.FIRST_ARTICLE_REFUSED, None
    if row.leave_until is not None:
        return NoticeKind.FIRST_ARTICLE_DIFFERS, NoticeKind.FIRST_PIECE_DIFFERS
    return NoticeKind.FIRST_ARTICLE_ACCEPTED, NoticeKind.FIRST_PIECE_MADE


def _articles(session: Session, ids: Sequence[UUID]) -> list[sa.Row]:  # type: ignore[type-arg]
    article, order = table_of(FirstArticle), table_of(WorkOrder)
    sheet, campaign = table_of(DemandSheet), table_of(Campaign)
    return [
        row
        for part in chunks(ids)
        for row in session.execute(
            sa.select(article.c.id, article.c.state, article.c.note, article.c.verdict, article.c.leave_until)
            .add_columns(order.c.factory_id, order.c.quantity, order.c.left_quantity)
            .add_columns(campaign.c.id.label("campaign_id"), campaign.c.organisation_id)
            .add_columns(campaign.c.title, campaign.c.title_en)
            .join_from(article, order, order.c.id == article.c.work_order_id)
            .join(sheet, sheet.c.id == order.c.sheet_id)
            .join(campaign, campaign.c.id == sheet.c.campaign_id)
            .where(article.c.id.in_(part))
            .order_by(article.c.id)
        )
    ]


def _facts(row: sa.Row) -> dict[str, object]:  # type: ignore[type-arg]
    return {"title": row.title, "title_en": row.title_en, "pieces": row.quantity}


def _pledges(session: Session, campaign_id: UUID) -> list[tuple[UUID, UUID]]:
    pledge = table_of(Pledge)
    rows = session.execute(
        sa.select(pledge.c.id, pledge.c.buyer_id)
        .where(pledge.c.campaign_id == campaign_id, pledge.c.state.in_(LIVING), pledge.c.merchant_funded.is_(False))
        .order_by(pledge.c.id)
    )
    return [(row.id, row.buyer_id) for row in rows]
