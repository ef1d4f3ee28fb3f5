"""How right predictions were, and what can be said of one with its evidence."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Prediction, SuccessModel
from c2m.design.models import Concept, DailyLook
from c2m.money import PPM

BINS = 10
THIRDS = 3
FEWEST_ALIKE = 10  # scored predictions of about this probability, before their record is shown

prediction, campaign = table_of(Prediction).c, table_of(Campaign).c


@dataclass(frozen=True)
class Tenth:
    """Scored predictions of about one probability: how many, what they said on average, how often it came."""

    count: int
    said: float
    came: float


@dataclass(frozen=True)
class Scored:
    """How right the predictions of one kind were that were made in one third of their campaigns' time (0, 1 or 2).

    `base_log_loss` is that of always stating `base_rate`, the share that came, which nobody knew beforehand;
    `coverage` is the share of final quantities between p10 and p90.
    """

    kind: CampaignKind
    third: int
    predictions: int
    base_rate: float
    brier: float
    log_loss: float
    base_log_loss: float
    coverage: float


@dataclass(frozen=True)
class Outlook:
    """The latest prediction of a campaign, what it rests on, and how often predictions like it came true."""

    made_at: datetime
    target: int
    probability: float
    p10: int
    p50: int
    p90: int
    moved_by: str
    moved: float
    tiers: Sequence[tuple[int, float]]  # (pieces, probability) above the minimum
    trained_on: int
    first: date | None
    last: date | None
    alike: Tenth | None
    record: Sequence[Tenth] = ()  # all scored predictions, by tenths of what they said
    ranges: int = 0  # earlier ones whose campaigns have closed
    ranges_held: float = 0.0  # share of these that held the final quantity


def outlook_of(session: Session, campaign_id: UUID) -> Outlook | None:
    """What was stated of a campaign last."""
    return outlooks(session, [campaign_id]).get(campaign_id)


def outlooks(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, Outlook]:
    """What was stated last of each campaign of which something was."""
    latest: dict[UUID, list[Prediction]] = defaultdict(list)
    for part in chunks(list(campaign_ids)):
        newest = (
            sa.select(prediction.campaign_id, sa.func.max(prediction.made_at).label("made_at"))
            .where(prediction.campaign_id.in_(part))
            .group_by(prediction.campaign_id)
            .subquery()
        )
        for row in session.exec(
            select(Prediction)
            .join(
                newest,
                sa.and_(
                    col(Prediction.campaign_id) == newest.c.campaign_id, col(Prediction.made_at) == newest.c.made_at
                ),
            )
            .order_by(col(Prediction.target))
        ):
            latest[row.campaign_id].append(row)
    if not latest:
        return {}
    tenths = reliability(session)
    scored = tuple(tenths.values())
    ranges, held = _ranges(session)
    versions = {row.version for rows in latest.values() for row in rows}
    models = {m.version: m for m in session.exec(select(SuccessModel).where(col(SuccessModel.version).in_(versions)))}
    found = {}
    for campaign_id, rows in latest.items():
        row, model = rows[0], models.get(rows[0].version)
        alike = tenths.get(_tenth(row.probability))
        found[campaign_id] = Outlook(
            made_at=row.made_at,
            target=row.target,
            probability=row.probability,
            p10=row.p10,
            p50=row.p50,
            p90=row.p90,
            moved_by=row.moved_by,
            moved=row.moved,
            tiers=[(tier.target, tier.probability) for tier in rows[1:]],
            trained_on=model.trained_on if model else 0,
            first=model.first_closed if model else None,
            last=model.last_closed if model else None,
            alike=alike if alike and alike.count >= FEWEST_ALIKE else None,
            record=scored if sum(tenth.count for tenth in scored) >= FEWEST_ALIKE else (),
            ranges=ranges,
            ranges_held=held,
        )
    return found


def reliability(session: Session) -> dict[int, Tenth]:
    """All scored predictions by tenths of probability; empty tenths are left out."""
    tenth = sa.cast(sa.func.floor(prediction.probability * BINS), sa.Integer)
    came = sa.case((prediction.outcome >= prediction.target, 1.0), else_=0.0)
    rows = session.execute(
        sa.select(tenth, sa.func.count(), sa.func.avg(prediction.probability), sa.func.avg(came))
        .where(prediction.known_at.is_not(None))
        .group_by(tenth)
        .order_by(tenth)
    )
    return {int(at): Tenth(count, float(said), float(share)) for at, count, said, share in rows}


def _ranges(session: Session) -> tuple[int, float]:
    """How many ranges from p10 to p90 were stated of campaigns that have closed, and the share that held."""
    held = sa.case((prediction.outcome.between(prediction.p10, prediction.p90), 1.0), else_=0.0)
    row = session.execute(
        sa.select(sa.func.count(), sa.func.avg(held)).where(prediction.known_at.is_not(None), prediction.is_minimum)
    ).one()
    return row[0], float(row[1] or 0.0)


def concepts_record(session: Session) -> list[Tenth]:
    """What the rule said last of concepts whose campaigns have closed, by tenths, and how often their target came."""
    look, concept = table_of(DailyLook).c, table_of(Concept).c
    last = (
        sa.select(look.concept_id, sa.func.max(look.day).label("day"))
        .join_from(table_of(DailyLook), table_of(Campaign), campaign.concept_id == look.concept_id)
        .where(campaign.state.in_((CampaignState.SUCCEEDED, CampaignState.FAILED)))
        .group_by(look.concept_id)
        .subquery()
    )
    chance = look.chance_ppm / float(PPM)
    tenth = sa.case((look.chance_ppm >= PPM, BINS - 1), else_=sa.cast(sa.func.floor(chance * BINS), sa.Integer))
    came = sa.case((campaign.final_quantity >= concept.target_quantity, 1.0), else_=0.0)
    rows = session.execute(
        sa.select(tenth.label("tenth"), sa.func.count(), sa.func.avg(chance), sa.func.avg(came))
        .join_from(table_of(DailyLook), last, sa.and_(last.c.concept_id == look.concept_id, last.c.day == look.day))
        .join(table_of(Concept), concept.id == look.concept_id)
        .join(table_of(Campaign), campaign.concept_id == look.concept_id)
        .group_by(sa.literal_column("tenth"))
        .order_by(sa.literal_column("tenth"))
    )
    return [Tenth(count, float(said), float(share)) for _at, count, said, share in rows]


def scores(session: Session) -> list[Scored]:
    """How right predictions were, by kind of campaign and third of its time."""
    rows = session.execute(
        sa.select(
            campaign.kind,
            prediction.elapsed,
            prediction.probability,
            prediction.target,
            prediction.outcome,
            prediction.p10,
            prediction.p90,
        )
        .join_from(table_of(Prediction), table_of(Campaign), campaign.id == prediction.campaign_id)
        .where(prediction.known_at.is_not(None))
    )
    sums: dict[tuple[CampaignKind, int], list[float]] = defaultdict(lambda: [0.0] * 5)
    for kind, elapsed, chance, target, outcome, p10, p90 in rows:
        came = outcome >= target
        here = sums[CampaignKind(kind), min(int(elapsed * THIRDS), THIRDS - 1)]
        here[0] += 1
        here[1] += came
        here[2] += (chance - came) ** 2
        here[3] -= math.log(chance if came else 1 - chance)
        here[4] += p10 <= outcome <= p90
    return [_scored(*key, sums[key]) for key in sorted(sums)]


def _scored(kind: CampaignKind, third: int, sums: Sequence[float]) -> Scored:
    count = sums[0]
    rate = sums[1] / count
    base = -sum(p * math.log(p) for p in (rate, 1 - rate) if p)
    return Scored(kind, third, int(count), rate, sums[2] / count, sums[3] / count, base, sums[4] / count)


def _tenth(chance: float) -> int:
    return min(int(chance * BINS), BINS - 1)
