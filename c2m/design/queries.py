"""Reads of concepts that more than one caller needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.design.models import ConceptVariant, Want, WantState

ALIVE = (WantState.STATED, WantState.UNPAID, WantState.DEPOSITED, WantState.REFUNDED)


@dataclass(frozen=True)
class Interest:
    """What buyers said about one variant: how many, how many pieces, how many with a deposit, at what mean price."""

    buyers: int
    pieces: int
    deposited_pieces: int
    mean_price_minor: int


NONE = Interest(0, 0, 0, 0)


def interest(session: Session, concept_ids: Sequence[UUID]) -> dict[UUID, Interest]:
    """Interest by variant, over all variants of these concepts; withdrawn wants don't count."""
    want, variant = table_of(Want), table_of(ConceptVariant)
    deposited = sa.case((want.c.state.in_([WantState.DEPOSITED, WantState.REFUNDED]), want.c.quantity), else_=0)
    found: dict[UUID, Interest] = {}
    for part in chunks(concept_ids):
        rows = session.execute(
            sa.select(
                variant.c.id,
                sa.func.count(sa.distinct(want.c.buyer_id)),
                sa.func.coalesce(sa.func.sum(want.c.quantity), 0),
                sa.func.coalesce(sa.func.sum(deposited), 0),
                sa.func.coalesce(sa.func.sum(want.c.price_minor * want.c.quantity), 0),
            )
            .join_from(variant, want, sa.and_(want.c.variant_id == variant.c.id, want.c.state.in_(ALIVE)), isouter=True)
            .where(variant.c.concept_id.in_(part))
            .group_by(variant.c.id)
        )
        for variant_id, buyers, pieces, with_deposit, value in rows:
            pieces = int(pieces)
            found[variant_id] = Interest(buyers, pieces, int(with_deposit), int(value) // pieces if pieces else 0)
    return found
