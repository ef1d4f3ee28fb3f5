"""Faults of waiting lists and sample credits, planted like the others."""

from typing import Any

from sqlmodel import Session

from c2m.db import table_of, uuid7
from c2m.demand.models import (
    Campaign,
    PledgeChange,
    SampleCredit,
    Waiting,
    WaitingLine,
    WaitingPledge,
    WaitingState,
)
from tests.audit.faults import add, campaign, change, fault, remove, rows
from tests.audit.market import Life


def place(session: Session, state: WaitingState) -> dict[str, Any]:
    [found] = rows(session, Waiting, table_of(Waiting).c.state == state)
    return found


@fault("I4", "A place in a queue isn't filled with the pieces of its pledges.")
def a_filled_place_without_its_pledge(session: Session, life: Life) -> list[str]:
    filled = place(session, WaitingState.FILLED)
    remove(session, WaitingPledge, table_of(WaitingPledge).c.waiting_id == filled["id"])
    return [str(filled["id"])]


@fault("I4", "A place in a queue isn't filled with the pieces of its pledges.")
def a_place_filled_by_somebody_elses_pledge(session: Session, life: Life) -> list[str]:
    filled = place(session, WaitingState.FILLED)
    change(session, Waiting, filled, buyer_id=place(session, WaitingState.WAITING)["buyer_id"])
    return [str(filled["id"])]


@fault("I4", "A pledge isn't the pieces that moved up for it.")
def a_piece_more_moved_up_than_was_taken(session: Session, life: Life) -> list[str]:
    [moved] = rows(session, PledgeChange, table_of(PledgeChange).c.kind == "moved_up")
    change(session, PledgeChange, moved, pieces=moved["pieces"] + 1)
    return [str(moved["pledge_id"])]


@fault("I4", "A place in a queue contradicts its pieces or its end.")
def a_waiting_place_called_filled(session: Session, life: Life) -> list[str]:
    waiting = place(session, WaitingState.WAITING)
    change(session, Waiting, waiting, state=WaitingState.FILLED, ended_at=life.now)
    return [str(waiting["id"])]


@fault("I4", "Pieces are free and somebody who could have them still waits.")
def a_part_that_would_be_welcome(session: Session, life: Life) -> list[str]:
    waiting = place(session, WaitingState.WAITING)
    change(session, Waiting, waiting, takes_part=True)
    return [str(waiting["id"])]


@fault("I5", "What samples took off a pledge isn't what they were credited with.")
def a_credit_of_a_cent_less(session: Session, life: Life) -> list[str]:
    [used] = rows(session, SampleCredit)
    change(session, SampleCredit, used, amount_minor=used["amount_minor"] - 1)
    return [str(used["pledge_id"])]


@fault("I5", "What samples took off a pledge isn't what they were credited with.")
def a_credit_that_is_gone(session: Session, life: Life) -> list[str]:
    [used] = rows(session, SampleCredit)
    remove(session, SampleCredit)
    return [str(used["pledge_id"])]


@fault("I5", "A sample was credited to a pledge it can't be credited to.")
def a_credit_for_another_product(session: Session, life: Life) -> list[str]:
    [used] = rows(session, SampleCredit)
    change(session, Campaign, campaign(session, life.running), sample_campaign_id=None)
    return [str(used["sample_pledge_id"])]


@fault("I10", "A campaign is over, somebody still waits, and nothing will end that.")
def a_queue_of_a_campaign_that_failed(session: Session, life: Life) -> list[str]:
    waiting = place(session, WaitingState.WAITING)
    [line] = rows(session, WaitingLine, table_of(WaitingLine).c.waiting_id == waiting["id"])
    left = {"id": uuid7(), "campaign_id": life.failed, "idempotency_key": "left behind"}
    add(session, Waiting, **waiting | left)
    add(session, WaitingLine, **line | {"waiting_id": left["id"]})
    return [str(left["id"])]
