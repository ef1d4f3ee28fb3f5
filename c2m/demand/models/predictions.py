"""What was forecast of campaigns, when and on what it rested, and what came of it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, id_field, json_field, time_field

UNKNOWN_YET = sa.text("known_at IS NULL")


class SuccessModel(Table, table=True):
    """What was learned from ended campaigns at one moment, as plain numbers; the newest speaks. Never changed."""

    id: UUID = id_field()
    version: int = Field(unique=True)
    made_at: datetime = time_field()
    trained_on: int  # ended campaigns
    first_closed: date | None = None
    last_closed: date | None = None
    parameters: dict[str, Any] = json_field()


class Prediction(Table, table=True):
    """One statement: how probable it is that a campaign reaches so many pieces, and what it will end on."""

    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "target", "elapsed_days"),
        sa.CheckConstraint("probability > 0 AND probability < 1", name="never_certain"),
        sa.CheckConstraint("p10 <= p50 AND p50 <= p90", name="quantiles_rise"),
        sa.CheckConstraint("(known_at IS NULL) = (outcome IS NULL)", name="known_with_outcome"),
        sa.CheckConstraint("known_at IS NULL OR made_at < known_at", name="made_before_known"),
        sa.Index("ix_prediction_unknown", "campaign_id", sqlite_where=UNKNOWN_YET, postgresql_where=UNKNOWN_YET),
    )

    id: UUID = id_field()
    campaign_id: UUID = Field(foreign_key="campaign.id", index=True)
    made_at: datetime = time_field()
    version: int  # of the SuccessModel; 0 is the stated prior
    elapsed_days: int
    elapsed: float  # share of the campaign's time, 0 to 1
    target: int
    is_minimum: bool  # the target is what the campaign needs to succeed
    probability: float
    p10: int
    p50: int
    p90: int
    moved_by: str = Field(default="", max_length=20)  # what moves it most
    moved: float = 0.0  # by so much
    known_at: datetime | None = time_field(nullable=True)
    outcome: int | None = None  # pieces pledged at the close
    score: float | None = None  # Brier: squared distance of the probability from 1 or 0
