"""A first certain order for new factories: a share of the volume kept for them, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, insert_missing, insert_rows, table_of, uuid7
from c2m.errors import N_, Invalid
from c2m.matching import newcomer_share
from c2m.matching.models import HOLDING, MatchingTerms, MatchRun, NewcomerOffer, Offer
from c2m.matching.newcomer_share import NEWCOMER_WINDOW, terms_in_force
from c2m.money import PPM

LARGEST_SHARE = 500_000


class InvalidMatchingTerms(Invalid):
    sentence = N_("These terms can't be set.")


def set_terms(session: Session, share_ppm: int, orders: int, set_by: UUID | None, *, now: datetime) -> None:
    """Set the share of the volume kept for new factories, and until how many accepted offers a factory is new.

    Raises:
        InvalidMatchingTerms
    """
    errors = {}
    if not 0 <= share_ppm <= LARGEST_SHARE:
        errors["share"] = N_("The share lies between 0 and 50 %.")
    if not 1 <= orders <= 100:
        errors["orders"] = N_("A factory is new until it has accepted 1 to 100 offers.")
    if errors:
        raise InvalidMatchingTerms(errors=errors)
    row = {
        "id": uuid7(),
        "newcomer_share_ppm": share_ppm,
        "newcomer_orders": orders,
        "set_at": now,
        "set_by": set_by,
    }
    insert_rows(session, MatchingTerms, [row])


def note_newcomers(session: Session, offer_ids: Sequence[UUID]) -> None:
    """Note which of these offers went to new factories."""
    new = newcomer_share.newcomers(session, terms_in_force(session))
    for part in chunks(offer_ids) if new else []:
        offers = session.exec(select(Offer.id).where(col(Offer.id).in_(part), col(Offer.factory_id).in_(new))).all()
        insert_missing(session, NewcomerOffer, [{"offer_id": offer_id} for offer_id in offers])


@dataclass(frozen=True)
class Given:
    """What new factories were offered within 30 days, beside the volume in all; of it what the share kept for them
    brought, and what that cost: each beside a plan without the share."""

    pieces: int
    volume: int
    factories: int
    by_share: int
    cost_minor: int

    @property
    def share_ppm(self) -> int:
        return self.pieces * PPM // self.volume if self.volume else 0

    @property
    def by_share_ppm(self) -> int:
        return self.by_share * PPM // self.volume if self.volume else 0


def given(session: Session, *, now: datetime) -> Given:
    """What new factories were given of the last 30 days' volume, and what of it came of the share."""
    offer, noted, run = table_of(Offer).c, table_of(NewcomerOffer).c, table_of(MatchRun).c
    lately = (offer.offered_at >= now - NEWCOMER_WINDOW, offer.state.in_(HOLDING))
    volume = session.execute(sa.select(sa.func.coalesce(sa.func.sum(offer.quantity), 0)).where(*lately)).scalar_one()
    row = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(offer.quantity), 0).label("pieces"),
            sa.func.count(sa.distinct(offer.factory_id)).label("factories"),
        )
        .join_from(table_of(Offer), table_of(NewcomerOffer), noted.offer_id == offer.id)
        .where(*lately)
    ).one()
    by_share, cost = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(run.share_pieces), 0), sa.func.coalesce(sa.func.sum(run.share_cost_minor), 0)
        ).where(run.started_at >= now - NEWCOMER_WINDOW)
    ).one()
    return Given(int(row.pieces), int(volume), int(row.factories), int(by_share), int(cost))
