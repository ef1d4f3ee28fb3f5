"""Offers on their way: what waits for an answer and until when, who is named as the backup, what was countered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import table_of
from c2m.demand.models import DemandSheet
from c2m.identity.models import Organisation
from c2m.identity.queries import organisations
from c2m.matching.counters import CounterNotFound
from c2m.matching.models import OPEN, CounterOffer, Offer, OfferState

AS_BACKUP = 20  # offers shown to a factory that would be asked next


@dataclass(frozen=True)
class Dispatched:
    """An offer with its sheet, its factory and the latest counter-offer to it; the backup is named for its return."""

    offer: Offer
    sheet: DemandSheet
    factory: Organisation
    backup: Organisation | None
    counter: CounterOffer | None

    @property
    def backup_extra_minor(self) -> int:
        """What the backup would cost on top."""
        found = self.offer.explanation.get("next_best") or {}
        return int(found.get("extra_minor", 0))


def dispatched(states: Sequence[OfferState]) -> sa.Select[*tuple[Any, ...]]:
    """Offers in these states with their sheets, those that run out first before the others; answered ones latest."""
    statement = sa.select(Offer, DemandSheet).join(DemandSheet, col(DemandSheet.id) == col(Offer.sheet_id))
    order = col(Offer.expires_at) if set(states) <= set(OPEN) else col(Offer.answered_at).desc()
    return statement.where(col(Offer.state).in_(states)).order_by(order, col(Offer.id))


def with_parties(session: Session, rows: Sequence[tuple[Offer, DemandSheet]]) -> list[Dispatched]:
    """Offers with the names and counter-offers that belong to them."""
    backups = {offer.id: backup_of(offer) for offer, _ in rows}
    named = [backup for backup in backups.values() if backup]
    parties = organisations(session, [*(offer.factory_id for offer, _ in rows), *named])
    counters = {
        counter.offer_id: counter
        for counter in session.exec(
            select(CounterOffer).where(col(CounterOffer.offer_id).in_(list(backups))).order_by(col(CounterOffer.id))
        )
    }
    return [
        Dispatched(
            offer,
            sheet,
            parties[offer.factory_id],
            parties.get(backup) if (backup := backups[offer.id]) else None,
            counters.get(offer.id),
        )
        for offer, sheet in rows
    ]


def backup_of(offer: Offer) -> UUID | None:
    """The factory named in advance to be asked if this one doesn't take the pieces."""
    found = offer.explanation.get("next_best")
    return UUID(found["factory_id"]) if found else None


def counts_by_state(session: Session) -> dict[OfferState, int]:
    """How many offers there are in each state."""
    c = table_of(Offer).c
    rows = session.execute(sa.select(c.state, sa.func.count()).group_by(c.state))
    return {OfferState(state): int(count) for state, count in rows}


def backing(session: Session, factory_id: UUID) -> list[tuple[Offer, DemandSheet]]:
    """Open offers to others for which this factory is named as the backup, those that run out first before the
    others."""
    named = table_of(Offer).c.explanation["next_best"]["factory_id"].as_string()
    statement = dispatched(OPEN).where(named == str(factory_id)).limit(AS_BACKUP)
    return [(row[0], row[1]) for row in session.execute(statement)]


@dataclass(frozen=True)
class CounterDetail:
    """A counter-offer with the offer it answers, its sheet and its factory."""

    counter: CounterOffer
    offer: Offer
    sheet: DemandSheet
    factory: Organisation


def counter_detail(session: Session, counter_id: UUID) -> CounterDetail:
    """One counter-offer.

    Raises:
        CounterNotFound
    """
    found = session.exec(
        select(CounterOffer, Offer, DemandSheet, Organisation)
        .join(Offer, col(Offer.id) == col(CounterOffer.offer_id))
        .join(DemandSheet, col(DemandSheet.id) == col(Offer.sheet_id))
        .join(Organisation, col(Organisation.id) == col(Offer.factory_id))
        .where(CounterOffer.id == counter_id)
    ).first()
    if found is None:
        raise CounterNotFound(counter_id=counter_id)
    return CounterDetail(*found)
