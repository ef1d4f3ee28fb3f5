"""Waiting as buyers of a test's market do it, and how the queue stands."""

from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from c2m.demand.models import Pledge, Waiting, WaitingPledge
from c2m.demand.pledges import cancel_pledge
from c2m.demand.waiting import leave_queue, wait_for_pieces
from c2m.notices.models import Notice, NoticeKind
from tests.demand.market import Market


def wait(
    market: Market, campaign: UUID, quantity: int, *, buyer: UUID | None = None, takes_part: bool = False, **terms: Any
) -> UUID:
    """A place in the queue for so many pieces of the first variant, on these further terms."""
    request = market.request(campaign, quantity, buyer=buyer, **terms)
    with market.database.transaction() as session:
        return wait_for_pieces(session, request, takes_part=takes_part, now=market.now)


def leave(market: Market, waiting_id: UUID) -> None:
    with market.database.transaction() as session:
        leave_queue(session, waiting_id, buyer_id=place(market, waiting_id).buyer_id, now=market.now)


def cancel(market: Market, pledge_id: UUID) -> None:
    with market.database.transaction() as session:
        cancel_pledge(session, session.get_one(Pledge, pledge_id), now=market.now)


def place(market: Market, waiting_id: UUID) -> Waiting:
    with market.database.reading() as session:
        return session.get_one(Waiting, waiting_id)


def became(market: Market, waiting_id: UUID) -> list[Pledge]:
    """The pledges a place in the queue became, oldest first."""
    with market.database.reading() as session:
        return _pledges(session, waiting_id)


def _pledges(session: Session, waiting_id: UUID) -> list[Pledge]:
    made = select(Pledge).join(WaitingPledge).where(WaitingPledge.waiting_id == waiting_id)
    return list(session.exec(made.order_by(col(Pledge.id))).all())


def told(market: Market, organisation_id: UUID) -> list[NoticeKind]:
    """What an organisation was told, in order."""
    with market.database.reading() as session:
        notices = select(Notice.kind).where(Notice.organisation_id == organisation_id).order_by(col(Notice.id))
        return list(session.exec(notices).all())
