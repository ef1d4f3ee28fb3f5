"""Who waits for pieces of a campaign that is sold out."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, enum_field, id_field, time_field


class WaitingState(StrEnum):
    WAITING = "waiting"
    FILLED = "filled"
    LEFT = "left"
    LAPSED = "lapsed"  # the campaign ended before its turn came


class Waiting(Table, table=True):
    """A place in the queue for pieces of a campaign that is sold out, in the order of ids.

    It keeps what its buyer agreed to, for the pledges it becomes.
    """

    __table_args__ = (
        sa.UniqueConstraint("buyer_id", "idempotency_key"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("ceiling_minor IS NULL OR ceiling_minor > 0", name="ceiling_positive"),
        sa.CheckConstraint("filled_quantity >= 0 AND filled_quantity <= quantity", name="filled_once"),
        sa.Index("ix_waiting_campaign_id", "campaign_id", "state"),
    )

    id: UUID = id_field()
    campaign_id: UUID = Field(foreign_key="campaign.id")
    buyer_id: UUID = Field(foreign_key="organisation.id")
    quantity: int
    filled_quantity: int = 0
    takes_part: bool = False  # fewer pieces are welcome too
    ceiling_minor: int | None = amount_field(nullable=True)
    accepts_dearer: bool = False
    fallback_colour: str = Field(default="", max_length=40)
    joins_next_round: bool = False
    team_id: UUID | None = Field(default=None, foreign_key="team.id")
    state: WaitingState = enum_field(WaitingState, WaitingState.WAITING)
    idempotency_key: str = Field(max_length=80)
    request_hash: str = Field(max_length=64)
    region: str = Field(default="", max_length=60)
    placed_at: datetime = time_field()
    ended_at: datetime | None = time_field(nullable=True)


class WaitingLine(Table, table=True):
    """So many pieces of one variant that somebody waits for."""

    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    waiting_id: UUID = Field(primary_key=True, foreign_key="waiting.id")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id")
    quantity: int


class WaitingPledge(Table, table=True):
    """Which pledge a place in the queue became."""

    pledge_id: UUID = Field(primary_key=True, foreign_key="pledge.id")
    waiting_id: UUID = Field(foreign_key="waiting.id", index=True)
