"""Housekeeping: expired sign-ins and old failures are forgotten."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from c2m.identity import service
from c2m.jobs import Handler, Schedule

FORGET_STALE = "identity.forget_stale"
SUBSCRIPTIONS: Mapping[str, Sequence[str]] = {}
SCHEDULES: Sequence[Schedule] = (Schedule(FORGET_STALE, timedelta(hours=1)),)


def handlers() -> dict[str, Handler]:
    """The identity room's job."""

    def forget_stale(session: Session, ids: Sequence[UUID], now: datetime) -> None:
        service.forget_stale(session, now=now)

    return {FORGET_STALE: forget_stale}
