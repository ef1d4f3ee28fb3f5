"""The share of the volume kept for new factories: its terms, who is new, how much is still to be kept."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import table_of
from c2m.matching.market import OpenSheet
from c2m.matching.models import HOLDING, Factory, MatchingTerms, NewcomerOffer, Offer, OfferState
from c2m.money import share

NEWCOMER_WINDOW = timedelta(days=30)


def terms_in_force(session: Session) -> MatchingTerms | None:
    """What the operator has set for matching; None: nothing yet."""
    return session.exec(select(MatchingTerms).order_by(col(MatchingTerms.id).desc()).limit(1)).first()


def newcomers(session: Session, terms: MatchingTerms | None) -> frozenset[UUID]:
    """The factories that are new: they have accepted fewer offers than the terms say."""
    if terms is None:
        return frozenset()
    factory, offer = table_of(Factory), table_of(Offer)
    accepted = sa.and_(offer.c.factory_id == factory.c.id, offer.c.state == OfferState.ACCEPTED)
    rows = session.execute(
        sa.select(factory.c.id)
        .join_from(factory, offer, accepted, isouter=True)
        .group_by(factory.c.id)
        .having(sa.func.count(offer.c.id) < terms.newcomer_orders)
    )
    return frozenset(rows.scalars())


def kept_for_newcomers(session: Session, terms: MatchingTerms, sheets: Iterable[OpenSheet], now: datetime) -> int:
    """Pieces still to be kept for new factories: their share of the volume lately and now, less what they got."""
    offer, noted = table_of(Offer).c, table_of(NewcomerOffer).c
    lately = (offer.offered_at >= now - NEWCOMER_WINDOW, offer.state.in_(HOLDING))
    pieces = sa.select(sa.func.coalesce(sa.func.sum(offer.quantity), 0))
    volume = session.execute(pieces.where(*lately)).scalar_one() + sum(sheet.quantity for sheet in sheets)
    got = session.execute(pieces.where(*lately, sa.exists().where(noted.offer_id == offer.id))).scalar_one()
    return share(int(volume), terms.newcomer_share_ppm) - int(got)
