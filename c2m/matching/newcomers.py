"""A first certain order for new factories: a share of the volume kept for them, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, insert_missing, insert_rows, table_of, uuid7
from c2m.errors import N_, Invalid
from c2m.matching import newcomer_share, queries
from c2m.matching.models import HOLDING, MatchingTerms, NewcomerOffer, Offer
from c2m.matching.newcomer_share import NEWCOMER_WINDOW, terms_in_force

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
    """Note which of these offers went to new factories, and what the cheapest established one would have cost less."""
    new = newcomer_share.newcomers(session, terms_in_force(session))
    if not new:
        return
    rows: list[dict[str, object]] = []
    for part in chunks(offer_ids):
        offers = session.exec(select(Offer).where(col(Offer.id).in_(part), col(Offer.factory_id).in_(new))).all()
        rows += ({"offer_id": offer.id, "extra_minor": _extra(session, offer, new)} for offer in offers)
    insert_missing(session, NewcomerOffer, rows)


@dataclass(frozen=True)
class Given:
    """What went to new factories within 30 days, beside the volume in all; `extra_minor` is its cost on top."""

    pieces: int
    volume: int
    factories: int
    extra_minor: int

    @property
    def share_ppm(self) -> int:
        return self.pieces * 1_000_000 // self.volume if self.volume else 0


def given(session: Session, *, now: datetime) -> Given:
    """What new factories were given of the last 30 days' volume."""
    offer, noted = table_of(Offer).c, table_of(NewcomerOffer).c
    lately = (offer.offered_at >= now - NEWCOMER_WINDOW, offer.state.in_(HOLDING))
    volume = session.execute(sa.select(sa.func.coalesce(sa.func.sum(offer.quantity), 0)).where(*lately)).scalar_one()
    row = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(offer.quantity), 0).label("pieces"),
            sa.func.count(sa.distinct(offer.factory_id)).label("factories"),
            sa.func.coalesce(sa.func.sum(noted.extra_minor), 0).label("extra"),
        )
        .join_from(table_of(Offer), table_of(NewcomerOffer), noted.offer_id == offer.id)
        .where(*lately)
    ).one()
    return Given(int(row.pieces), int(volume), int(row.factories), int(row.extra))


def _extra(session: Session, offer: Offer, new: frozenset[UUID]) -> int | None:
    """What an offer costs on top of the cheapest quote of an established factory for as many pieces."""
    sheet = queries.open_sheets(session, {offer.sheet_id: {}}, now=offer.offered_at).get(offer.sheet_id)
    if sheet is None:
        return None
    quotes = [
        quote.total_minor
        for line in queries.lines_for(session, {sheet.category}, []).values()
        if line.factory_id not in new
        and line.makes(sheet)
        and (quote := line.terms.quote(offer.quantity, sheet.target_cost_minor))
    ]
    return offer.total_minor - min(quotes) if quotes else None
