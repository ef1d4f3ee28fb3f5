"""States daily what open campaigns will come to, learns from those that ended, and scores what was stated."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, insert_missing, insert_rows, table_of
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Pledge, PledgeState, Prediction, SuccessModel
from c2m.demand.queries import ladders

STATE_CHANCES = "demand.state_chances"
SCORE = "demand.score_predictions"
REFIT = "demand.learn_success"

KINDS = (CampaignKind.GROUP_BUY, CampaignKind.PRESALE)
CLOSED = (CampaignState.SUCCEEDED, CampaignState.FAILED)  # one that was called off says nothing of its buyers
LATEST = 3_000  # ended campaigns that are learned from
EARLIER = 8  # campaigns of a merchandiser and category that count as a campaign's past
DAY = timedelta(days=1)

campaign, pledge, prediction = table_of(Campaign).c, table_of(Pledge).c, table_of(Prediction).c


def state_chances(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Write down today's chances of these campaigns, or of all that are open; what was stated today stays."""
    import numpy as np  # with what it loads, slow to come up for a process that only needs the names

    from c2m.demand.forecasting.campaigns import NOTHING_LEARNED, Seen, Success, moved_by, past_of, past_rows, state

    statement = select(Campaign).where(
        col(Campaign.state) == CampaignState.OPEN, col(Campaign.kind).in_(KINDS), col(Campaign.deadline) > now
    )
    if ids:
        statement = statement.where(col(Campaign.id).in_(ids))
    open_now = session.exec(statement.order_by(col(Campaign.id))).all()
    if not open_now:
        return
    kept = newest_model(session)
    model = Success.from_json(kept.parameters) if kept else NOTHING_LEARNED
    pledges = _pledges_alive(session, [each.id for each in open_now])
    ended = _ended(session, before=now)
    prices = ladders(session, [each.id for each in open_now])
    pasts, rows = [], []
    for each in open_now:
        opened = each.opened_at or each.created_at
        earlier = [
            row for row in ended[each.organisation_id, each.category] if row.closed_at <= opened and row.id != each.id
        ][-EARLIER:]
        days = (opened - earlier[-1].closed_at) / DAY if earlier else 0.0
        pasts.append(past_of([row.pieces for row in earlier], [row.pledges for row in earlier], days))
        share = (now - opened) / (each.deadline - opened)
        price = prices[each.id].price_at(0)
        rows.append((each.certain_quantity, pledges.get(each.id, 0), share, price, opened.weekday()))
    pieces, alive, share, price, weekday = np.array(rows, float).T
    presale = np.array([float(each.kind is CampaignKind.PRESALE) for each in open_now])
    seen = Seen(pieces, alive, share, price, weekday, presale, past_rows(pasts))
    asked = [_targets(each, [tier.from_quantity for tier in prices[each.id].tiers]) for each in open_now]
    most = max(map(len, asked))
    targets = np.array([[*each, *each[-1:] * (most - len(each))] for each in asked], float)
    found = state(model, seen, targets, certain=False)
    moves = moved_by(model, seen, targets)
    stated: list[dict[str, Any]] = []
    for at, each in enumerate(open_now):
        quantiles = [int(min(part[at], each.cap or part[at])) for part in (found.p10, found.p50, found.p90)]
        mover = max(moves, key=lambda name, at=at: abs(moves[name][at]))  # type: ignore[misc]
        stated += [
            {
                "campaign_id": each.id,
                "made_at": now,
                "version": kept.version if kept else 0,
                "elapsed_days": (now - (each.opened_at or each.created_at)) // DAY,
                "elapsed": float(share[at]),
                "target": target,
                "is_minimum": target == each.minimum,
                "probability": float(chance),
                "p10": quantiles[0],
                "p50": quantiles[1],
                "p90": quantiles[2],
                "moved_by": mover,
                "moved": round(float(moves[mover][at]), 4),
            }
            for target, chance in zip(asked[at], found.chance[at], strict=False)
        ]
    insert_missing(session, Prediction, stated)


def score_predictions(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Hold what was stated of closed campaigns against the pieces that were pledged at their close."""
    for part in chunks(ids):
        final = (
            sa.select(sa.func.coalesce(sa.func.sum(pledge.quantity), 0))
            .where(pledge.campaign_id == prediction.campaign_id, _stood_at_close())
            .where(campaign.id == pledge.campaign_id)
            .correlate(table_of(Prediction))
            .scalar_subquery()
        )
        closed = sa.select(campaign.id).where(campaign.id.in_(part), campaign.state.in_(CLOSED))
        session.execute(
            sa.update(table_of(Prediction))
            .where(prediction.campaign_id.in_(closed), prediction.known_at.is_(None), prediction.made_at < now)
            .values(known_at=now, outcome=final)
        )
        reached = sa.case((prediction.outcome >= prediction.target, 1.0), else_=0.0)
        session.execute(
            sa.update(table_of(Prediction))
            .where(prediction.campaign_id.in_(part), prediction.outcome.is_not(None), prediction.score.is_(None))
            .values(score=(prediction.probability - reached) * (prediction.probability - reached))
        )


def learn_success(session: Session, _ids: Sequence[UUID], now: datetime) -> Sequence[Any]:
    """What the latest ended campaigns teach; nothing where too few ended, or none since it was last asked."""
    import numpy as np

    from c2m.demand.forecasting.campaigns import STAGES, Ended, learn, past_of, past_rows

    ended = [row for rows in _ended(session, before=now).values() for row in rows]
    kept = newest_model(session)
    if not ended or (kept and kept.last_closed and max(row.closed_at for row in ended).date() <= kept.last_closed):
        return []
    curves = _curves(session, ended, STAGES)
    pasts, seen = [], defaultdict(list)
    for row in sorted(ended, key=lambda row: row.opened_at):
        seen[row.organisation_id, row.category].append(row)
    for row in ended:
        rows = [each for each in seen[row.organisation_id, row.category] if each.closed_at <= row.opened_at]
        earlier = sorted(rows, key=lambda each: each.closed_at)[-EARLIER:]
        days = (row.opened_at - earlier[-1].closed_at) / DAY if earlier else 0.0
        pasts.append(past_of([each.pieces for each in earlier], [each.pledges for each in earlier], days))
    model = learn(
        Ended(
            pieces=np.array([curves[row.id][0] for row in ended], float),
            pledges=np.array([curves[row.id][1] for row in ended], float),
            price_minor=np.array([row.price_minor for row in ended], float),
            weekday=np.array([row.opened_at.weekday() for row in ended], float),
            presale=np.array([float(row.kind == CampaignKind.PRESALE) for row in ended]),
            past=past_rows(pasts),
            least=np.array([max(row.minimum, 1) for row in ended], float),
            final=np.array([row.pieces for row in ended], float),
            first=min(row.closed_at for row in ended).date(),
            last=max(row.closed_at for row in ended).date(),
        ),
        targets=sorted({row.minimum for row in ended})[:EARLIER],
    )
    return [model]


def record_learned(session: Session, learned: Sequence[Any], now: datetime) -> None:
    """Keep what was learned as the next version."""
    kept = newest_model(session)
    rows = [
        {
            "version": (kept.version if kept else 0) + 1,
            "made_at": now,
            "trained_on": model.trained_on,
            "first_closed": model.first,
            "last_closed": model.last,
            "parameters": model.as_json(),
        }
        for model in learned
    ]
    insert_rows(session, SuccessModel, rows)


def newest_model(session: Session) -> SuccessModel | None:
    """What was learned last."""
    return session.exec(select(SuccessModel).order_by(col(SuccessModel.version).desc()).limit(1)).first()


def _targets(each: Campaign, starts: Sequence[int]) -> list[int]:
    """The minimum and every tier above it."""
    return sorted({each.minimum, *(start for start in starts if start > each.minimum)})


def _pledges_alive(session: Session, ids: Sequence[UUID]) -> dict[UUID, int]:
    found: dict[UUID, int] = {}
    for part in chunks(ids):
        rows = session.execute(
            sa.select(pledge.campaign_id, sa.func.count())
            .where(pledge.campaign_id.in_(part), pledge.state != PledgeState.CANCELLED)
            .group_by(pledge.campaign_id)
        )
        found |= {row[0]: row[1] for row in rows}
    return found


def _stood_at_close() -> sa.ColumnElement[bool]:
    """Pledges that were alive when their campaign closed, whether or not it reached its minimum."""
    ended_later = sa.or_(pledge.ended_at.is_(None), pledge.ended_at >= campaign.closed_at)
    return sa.and_(pledge.placed_at < campaign.closed_at, ended_later, pledge.state != PledgeState.CANCELLED)


def _ended(session: Session, *, before: datetime) -> dict[tuple[UUID, str], list[Any]]:
    """The latest campaigns that had closed by then, oldest first, by merchandiser and category."""
    latest = (
        sa.select(campaign.id)
        .where(campaign.state.in_(CLOSED), campaign.kind.in_(KINDS), campaign.closed_at <= before)
        .where(campaign.opened_at.is_not(None))
        .order_by(campaign.closed_at.desc(), campaign.id)
        .limit(LATEST)
    )
    pieces = sa.func.coalesce(sa.func.sum(pledge.quantity), 0).label("pieces")
    rows = session.execute(
        sa.select(
            campaign.id,
            campaign.organisation_id,
            campaign.category,
            campaign.kind,
            campaign.minimum,
            campaign.opened_at,
            campaign.closed_at,
            pieces,
            sa.func.count(pledge.id).label("pledges"),
            _first_price().label("price_minor"),
        )
        .join_from(
            table_of(Campaign),
            table_of(Pledge),
            sa.and_(pledge.campaign_id == campaign.id, _stood_at_close()),
            isouter=True,
        )
        .where(campaign.id.in_(latest))
        .group_by(campaign.id)
        .order_by(campaign.closed_at, campaign.id)
    ).all()
    found: dict[tuple[UUID, str], list[Any]] = defaultdict(list)
    for row in rows:
        found[row.organisation_id, row.category].append(row)
    return found


def _first_price() -> sa.ScalarSelect[Any]:
    from c2m.demand.models import PriceTier

    tier = table_of(PriceTier).c
    return sa.select(sa.func.max(tier.price_minor)).where(tier.campaign_id == campaign.id).scalar_subquery()


def _curves(session: Session, ended: Sequence[Any], stages: int) -> dict[UUID, tuple[list[int], list[int]]]:
    """Pieces and pledges gathered before each stage of a campaign's time began."""
    of = {row.id: row for row in ended}
    found = {row.id: ([0] * stages, [0] * stages) for row in ended}
    for part in chunks(list(of)):
        rows = session.execute(
            sa.select(pledge.campaign_id, pledge.placed_at, pledge.quantity)
            .join_from(table_of(Pledge), table_of(Campaign), campaign.id == pledge.campaign_id)
            .where(pledge.campaign_id.in_(part), _stood_at_close())
        )
        for campaign_id, placed_at, quantity in rows:
            row = of[campaign_id]
            at = (placed_at - row.opened_at) / max(row.closed_at - row.opened_at, timedelta(minutes=1)) * stages
            pieces, pledges = found[campaign_id]
            for stage in range(max(int(at) + 1, 1), stages):
                pieces[stage] += quantity
                pledges[stage] += 1
    return found
