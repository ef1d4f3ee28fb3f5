"""The terms campaigns run on: rows, never constants; a changed term is a new row."""

from datetime import datetime

from sqlmodel import Session, col, select

from c2m.demand.models import HOME_TIME_ZONE, Policy


def standard_policy(session: Session, *, now: datetime, time_zone: str = HOME_TIME_ZONE) -> Policy:
    """The newest policy; the first installation starts with the standard terms, its days ending in `time_zone`."""
    newest = newest_policy(session)
    if newest is not None:
        return newest
    policy = Policy(
        name="standard-1",
        fee_ppm=30_000,
        target_cost_ppm=800_000,
        compensation_ppm_per_day=10_000,
        compensation_cap_ppm=300_000,
        settlement_days=15,
        balance_days=3,
        payment_minutes=30,
        production_days=28,
        time_zone=time_zone,
        created_at=now,
    )
    session.add(policy)
    session.flush()
    return policy


def newest_policy(session: Session) -> Policy | None:
    """The terms a campaign would run on now; None before the first campaign was ever drafted."""
    return session.exec(select(Policy).order_by(col(Policy.created_at).desc(), col(Policy.id).desc())).first()
