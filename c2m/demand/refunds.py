"""Giving pledges back: their state ends, what is held for them is granted at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, table_of
from c2m.demand.models import Pledge, PledgeState
from c2m.ledger.models import HoldState
from c2m.ledger.queries import holds_of
from c2m.ledger.rules import Held
from c2m.ledger.service import Release, refund


def refund_pledges(
    session: Session,
    pledge_ids: Sequence[UUID],
    *,
    reason: str,
    now: datetime,
    state: PledgeState = PledgeState.REFUNDED,
) -> None:
    """End pledges and grant their buyers everything still held for them.

    A payment still in flight is granted back when it arrives (see pledges.record_payments).
    """
    pledge = table_of(Pledge)
    for part in chunks(pledge_ids):
        session.execute(sa.update(pledge).where(pledge.c.id.in_(part)).values(state=state, ended_at=now))
    refund_everything(session, pledge_ids, reason=reason, now=now)


def refund_everything(session: Session, pledge_ids: Sequence[UUID], *, reason: str, now: datetime) -> None:
    """Grant back whatever is still held for these pledges."""
    held = [hold for hold in holds_of(session, pledge_ids) if hold.state == HoldState.HELD]
    releases = [Release(hold, hold.remaining_minor, f"{reason}:{hold.id}", f"demand.{reason}") for hold in held]
    refund(session, releases, now=now)


def refund_parts(
    session: Session,
    amounts: Mapping[UUID, int],
    *,
    reason: str,
    now: datetime,
    occasions: Mapping[UUID, int] | None = None,
) -> None:
    """Grant back a part of what is held for each pledge: pledge → amount in minor units, newest payment first.

    Where it can happen to a pledge more than once, `occasions` tells the times apart. Every entry's reference ends in
    the id of the hold it takes from.
    """
    holds: dict[UUID, list[Held]] = defaultdict(list)
    for hold in holds_of(session, list(amounts)):
        if hold.state == HoldState.HELD:
            holds[hold.subject_id].append(hold)
    releases = []
    for pledge_id, amount_minor in amounts.items():
        left = amount_minor
        for hold in reversed(holds[pledge_id]):
            part = min(left, hold.remaining_minor)
            if part > 0:
                occasion = f"{occasions[pledge_id]}:" if occasions else ""
                releases.append(Release(hold, part, f"{reason}:{occasion}{hold.id}", f"demand.{reason}"))
                left -= part
        if left:
            raise ValueError(f"pledge {pledge_id}: {left} of {amount_minor} minor units are not held")
    refund(session, releases, now=now)
