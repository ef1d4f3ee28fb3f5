"""First articles: the first piece of what was a concept, judged beside its picture before the rest is made."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m import jobs
from c2m.clock import evening_after
from c2m.db import lock_rows
from c2m.demand.models import Campaign, DemandSheet, Pledge, Policy
from c2m.design.models import Picture
from c2m.errors import N_, Conflict, Invalid, NotFound
from c2m.outbox import announce
from c2m.production.models import FirstArticle, FirstArticleState, WorkOrder

SENT = "production.first_articles_sent"
JUDGED = "production.first_articles_judged"
END_WINDOWS = "production.end_exit_windows"


class FirstArticleNotFound(NotFound):
    sentence = N_("There is no such first article.")


class NoConcept(Conflict):
    sentence = N_("This product was never a concept; nothing has to be compared.")


class FirstArticleWaiting(Conflict):
    sentence = N_("The last photograph has not been judged yet.")


class FirstArticleAccepted(Conflict):
    sentence = N_("The first article is accepted already.")


class FirstArticleJudged(Conflict):
    sentence = N_("This first article has been judged already.")


def send_first_article(
    session: Session, order: WorkOrder, picture: Picture, *, note: str = "", now: datetime
) -> FirstArticle:
    """Show the merchandiser how the first piece came out.

    Raises:
        NoConcept, FirstArticleWaiting, FirstArticleAccepted
    """
    lock_rows(session, WorkOrder, [order.id])
    if campaign_of(session, order).concept_id is None:
        raise NoConcept(work_order_id=order.id)
    sent = articles_of(session, order.id)
    if sent and sent[-1].state is FirstArticleState.SENT:
        raise FirstArticleWaiting(work_order_id=order.id)
    if sent and sent[-1].state is FirstArticleState.ACCEPTED:
        raise FirstArticleAccepted(work_order_id=order.id)
    article = FirstArticle(
        work_order_id=order.id, attempt=len(sent) + 1, picture_id=picture.id, note=note.strip(), sent_at=now
    )
    session.add(article)
    session.flush()
    announce(session, SENT, [article.id], now=now)
    return article


def judge_first_article(
    session: Session,
    article: FirstArticle,
    *,
    accepts: bool,
    words: str,
    judged_by: UUID,
    now: datetime,
    differs: bool = False,
) -> None:
    """Accept a first piece, and so let bulk begin, or have another one made, saying what has to be different.

    One that is accepted though it differs from the picture, as its factory or its house says, lets buyers leave free
    of charge first: for as long as the campaign's terms give to agree anew, and on to that evening.

    Raises:
        FirstArticleJudged, Invalid
    """
    lock_rows(session, FirstArticle, [article.id])
    session.refresh(article)
    if article.state is not FirstArticleState.SENT:
        raise FirstArticleJudged(article_id=article.id)
    if not accepts and not words.strip():
        raise Invalid(errors={"words": N_("Say what has to be different.")})
    if differs and not (words.strip() or article.note):
        raise Invalid(errors={"words": N_("Say what differs: buyers read it.")})
    article.state = FirstArticleState.ACCEPTED if accepts else FirstArticleState.REFUSED
    article.verdict, article.judged_by, article.judged_at = words.strip(), judged_by, now
    if accepts and (differs or article.note):
        campaign = campaign_of(session, session.get_one(WorkOrder, article.work_order_id))
        terms = session.get_one(Policy, campaign.policy_id)
        article.leave_until = evening_after(now + timedelta(hours=terms.consent_hours), terms.time_zone)
        jobs.enqueue(
            session, END_WINDOWS, [article.id], key=f"end_exit:{article.id}", due_at=article.leave_until, now=now
        )
    session.add(article)
    announce(session, JUDGED, [article.id], now=now)


def articles_of(session: Session, order_id: UUID) -> Sequence[FirstArticle]:
    """The first articles of a work order, oldest first."""
    statement = select(FirstArticle).where(FirstArticle.work_order_id == order_id)
    return session.exec(statement.order_by(col(FirstArticle.attempt))).all()


def campaign_of(session: Session, order: WorkOrder) -> Campaign:
    """The campaign a work order makes the pieces of."""
    joined = select(Campaign).join(DemandSheet, col(DemandSheet.campaign_id) == col(Campaign.id))
    return session.exec(joined.where(DemandSheet.id == order.sheet_id)).one()


def of_merchandiser(organisation_id: UUID) -> "sa.Select[*tuple[Any, ...]]":
    """A merchandiser's first articles with their orders, campaigns and hours to leave in, those to be judged first."""
    waiting = sa.case((col(FirstArticle.state) == FirstArticleState.SENT, 0), else_=1)
    return (
        sa.select(FirstArticle, WorkOrder, Campaign, col(Policy.consent_hours))
        .join(WorkOrder, col(WorkOrder.id) == col(FirstArticle.work_order_id))
        .join(DemandSheet, col(DemandSheet.id) == col(WorkOrder.sheet_id))
        .join(Campaign, col(Campaign.id) == col(DemandSheet.campaign_id))
        .join(Policy, col(Policy.id) == col(Campaign.policy_id))
        .where(col(Campaign.organisation_id) == organisation_id)
        .order_by(waiting, col(FirstArticle.sent_at).desc(), col(FirstArticle.id))
    )


def accepted_of(session: Session, campaign_id: UUID) -> Sequence[FirstArticle]:
    """How the first pieces of a campaign came out that its house accepted, one a work order, oldest first."""
    return session.exec(
        select(FirstArticle)
        .join(WorkOrder, col(WorkOrder.id) == col(FirstArticle.work_order_id))
        .join(DemandSheet, col(DemandSheet.id) == col(WorkOrder.sheet_id))
        .where(DemandSheet.campaign_id == campaign_id, FirstArticle.state == FirstArticleState.ACCEPTED)
        .order_by(col(FirstArticle.judged_at), col(FirstArticle.id))
    ).all()


def article(
    session: Session,
    article_id: UUID,
    *,
    factory_id: UUID | None = None,
    organisation_id: UUID | None = None,
    buyer_id: UUID | None = None,
) -> FirstArticle:
    """A first article its factory made, its merchandiser judges, or, once accepted, its campaign's buyers wait for.

    Other people's are not found.

    Raises:
        FirstArticleNotFound
    """
    found = session.get(FirstArticle, article_id)
    if found is not None:
        order = session.get_one(WorkOrder, found.work_order_id)
        campaign = campaign_of(session, order)
        if order.factory_id == factory_id or campaign.organisation_id == organisation_id:
            return found
        if found.state is FirstArticleState.ACCEPTED and _has_ordered(session, campaign.id, buyer_id):
            return found
    raise FirstArticleNotFound(article_id=article_id)


def _has_ordered(session: Session, campaign_id: UUID, buyer_id: UUID | None) -> bool:
    own = sa.exists().where(col(Pledge.campaign_id) == campaign_id, col(Pledge.buyer_id) == buyer_id)
    return bool(session.execute(sa.select(own)).scalar_one())
