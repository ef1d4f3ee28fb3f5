"""Orders of what were concepts, whose first pieces came out differently: some of their buyers leave free of charge."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from c2m.db import uuid7
from c2m.demand.models import DemandSheet, Pledge
from c2m.design.models import Picture
from c2m.identity.models import User
from c2m.matching.models import Offer, OfferState
from c2m.matching.offers import Answer, accept_offer
from c2m.production.exits import leave_free
from c2m.production.first_articles import judge_first_article, send_first_article
from c2m.production.models import WorkOrder
from tests.builders import a_factory, a_line
from tests.demand.market import Market
from tests.design.builders import NOON, a_concept

LADDER = ((1, 100_00), (20, 90_00))


@dataclass(frozen=True)
class Exits:
    """What came of a concept that was sold: its first article, its sheet, and who left."""

    article: UUID
    sheet: UUID
    left: UUID


def some_leave_free(market: Market) -> Exits:
    """One order loses one of its two buyers, another one its only buyer."""
    with market.database.transaction() as session:
        a_line(session, a_factory(session), category="cushion", weekly_capacity=60, prices={1: 40_00})
    stays, left = _sold(market, 12, 8)
    [alone] = _sold(market, 10)
    market.pass_time(timedelta(days=7))
    with market.database.transaction() as session:
        for offer in session.exec(select(Offer).where(Offer.state == OfferState.OFFERED)).all():
            accept_offer(session, Answer(offer.id, offer.factory_id), now=market.now)
    market.work()
    [article, _] = [_judged(market, pledge_id) for pledge_id in (stays, alone)]
    for pledge_id in (left, alone):
        with market.database.transaction() as session:
            leave_free(session, session.get_one(Pledge, pledge_id), now=market.now)
    market.work()
    with market.database.reading() as session:
        return Exits(article, session.exec(_sheet(stays)).one().id, left)


def _sold(market: Market, *pledged: int) -> list[UUID]:
    """A concept, on sale for a week: its pledges."""
    with market.database.transaction() as session:
        concept, [shown, _] = a_concept(
            session, organisation_id=market.merchandiser, category="cushion", ends_at=NOON + timedelta(days=60)
        )
    campaign = market.campaign(
        category="cushion", ladder=LADDER, minimum=10, concept_id=concept.id, picture_id=shown.picture_id
    )
    return [market.join_and_pay(campaign, quantity) for quantity in pledged]


def _judged(market: Market, pledge_id: UUID) -> UUID:
    """The first piece of a pledge's order is accepted though it differs: its first article."""
    with market.database.transaction() as session:
        sheet = session.exec(_sheet(pledge_id)).one()
        order = session.exec(select(WorkOrder).where(WorkOrder.sheet_id == sheet.id)).one()
        judge = User(
            organisation_id=market.merchandiser,
            email=f"{uuid7()}@c2m.example",
            name="Lin",
            password_hash="",
            registered_at=market.now,
        )
        session.add(judge)
        session.flush()
        picture = session.exec(select(Picture).order_by(col(Picture.id)).limit(1)).one()
        article = send_first_article(session, order, picture, note="Darker", now=market.now)
        judge_first_article(session, article, accepts=True, words="", judged_by=judge.id, now=market.now)
        return article.id


def _sheet(pledge_id: UUID) -> SelectOfScalar[DemandSheet]:
    return (
        select(DemandSheet)
        .join(Pledge, col(Pledge.campaign_id) == col(DemandSheet.campaign_id))
        .where(Pledge.id == pledge_id)
    )
