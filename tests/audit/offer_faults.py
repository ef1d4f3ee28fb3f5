"""Faults of offers and counter-offers."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session

from c2m.db import insert_rows, table_of, uuid7
from c2m.matching.models import CounterOffer, CounterState, Offer, OfferState
from c2m.outbox import announce
from tests.audit.faults import change, declined_offer, fault, rows
from tests.audit.market import Life


@fault("I9", "An offer's total isn't its price times its pieces with the setup.")
def an_offer_with_a_total_of_its_own(session: Session, life: Life) -> list[str]:
    offer = declined_offer(session)
    change(session, Offer, offer, total_minor=offer["total_minor"] + 1)
    return [str(offer["id"])]


@fault("I9", "An offer counts as countered and isn't, or the other way round.")
def an_open_counter_to_a_declined_offer(session: Session, life: Life) -> list[str]:
    offer = declined_offer(session)
    counter(session, life, offer)
    return [str(offer["id"])]


@fault("I9", "An agreed counter-offer isn't what its offer came to.")
def an_agreed_counter_of_more_pieces(session: Session, life: Life) -> list[str]:
    [offer, *_] = rows(session, Offer, table_of(Offer).c.state == OfferState.ACCEPTED)
    agreed = {"state": CounterState.AGREED, "decided_at": life.now, "quantity": offer["quantity"] + 1}
    return [str(counter(session, life, offer, **agreed))]


@fault("I11", "Something happened and was never announced.")
def a_refused_counter_nobody_heard_of(session: Session, life: Life) -> list[str]:
    refused = {"state": CounterState.REFUSED, "decided_at": life.now}
    counter_id = counter(session, life, declined_offer(session), announced=False, **refused)
    return [f"matching.counters_decided/{counter_id}"]


def counter(session: Session, life: Life, offer: dict[str, Any], *, announced: bool = True, **fields: Any) -> Any:
    """A counter-offer with the offer's own terms, weighed and announced."""
    row = {
        "id": uuid7(),
        "offer_id": offer["id"],
        "quantity": offer["quantity"],
        "unit_price_minor": offer["unit_price_minor"],
        "deliver_by": offer["deliver_by"],
        "made_at": life.now - timedelta(hours=1),
        "effect": {"extra_minor": 0},
    }
    insert_rows(session, CounterOffer, [row | fields])
    announce(session, "matching.offers_countered", [row["id"]], now=life.now)
    if announced and "state" in fields:
        announce(session, "matching.counters_decided", [row["id"]], now=life.now)
    return row["id"]
