"""What buyers need and nobody offers yet, in their own words, and the groups such needs form."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, enum_field, id_field, json_field, time_field


class NeedState(StrEnum):
    OPEN = "open"
    WITHDRAWN = "withdrawn"


class NeedGroup(Table, table=True):
    """Needs for the same thing. Its title and typical words are made of words that several buyers said."""

    id: UUID = id_field()
    title: str = Field(max_length=120)
    title_en: str = Field(default="", max_length=120)
    category: str = Field(max_length=40, index=True)
    words: list[Any] = json_field(list)
    formed_at: datetime = time_field()
    makers_asked_at: datetime | None = time_field(nullable=True)  # factories were asked who wants to make it


class Need(Table, table=True):
    """What a buyer needs: words, pieces, budget a piece, by when and where; seen by others without the buyer's name."""

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("budget_minor IS NULL OR budget_minor > 0", name="budget_positive"),
        sa.CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn"),
        sa.UniqueConstraint("buyer_id", "idempotency_key"),
        sa.Index("ix_need_group_id_state", "group_id", "state"),
    )

    id: UUID = id_field()
    buyer_id: UUID = Field(foreign_key="organisation.id", index=True)
    words: str = Field(max_length=500)
    category: str = Field(max_length=40)
    quantity: int
    budget_minor: int | None = amount_field(nullable=True)  # a piece
    currency: str = Field(max_length=3)
    wanted_by: date | None = None
    region: str = Field(default="", max_length=60)
    picture_id: UUID | None = Field(default=None, foreign_key="picture.id")  # shown without the buyer's name
    group_id: UUID | None = Field(default=None, foreign_key="need_group.id")
    state: NeedState = enum_field(NeedState, NeedState.OPEN)
    idempotency_key: str = Field(max_length=80)
    stated_at: datetime = time_field(index=True)
    withdrawn_at: datetime | None = time_field(nullable=True)


class GroupCampaign(Table, table=True):
    """A campaign that was drafted for a group; its buyers are told when it opens."""

    campaign_id: UUID = Field(primary_key=True, foreign_key="campaign.id")
    group_id: UUID = Field(foreign_key="need_group.id", index=True)
    drafted_at: datetime = time_field()


class MakersInterest(Table, table=True):
    """A factory would make what a group needs: at about this price, by about this date."""

    __table_args__ = (
        sa.CheckConstraint("price_minor > 0", name="price_positive"),
        sa.CheckConstraint("minimum > 0", name="minimum_positive"),
    )

    group_id: UUID = Field(primary_key=True, foreign_key="need_group.id")
    factory_id: UUID = Field(primary_key=True, foreign_key="organisation.id")
    price_minor: int = amount_field()
    currency: str = Field(max_length=3)
    minimum: int
    ready_by: date
    note: str = Field(default="", max_length=300)
    stated_at: datetime = time_field()


class SearchCount(Table, table=True):
    """How often a word was searched for in the marketplace on a day."""

    day: date = Field(primary_key=True)
    word: str = Field(primary_key=True, max_length=40)
    searches: int = 0


class TrendBrief(Table, table=True):
    """A word that rose, put before merchandisers with its evidence as it stood then. Rows are never changed."""

    __table_args__ = (sa.UniqueConstraint("word", "until"),)

    id: UUID = id_field()
    word: str = Field(max_length=60)
    category: str = Field(max_length=40)
    until: date  # the window's end, which names the brief
    growth: float  # the posterior median of this window's rate over earlier ones'
    growth_low: float
    growth_high: float
    probability: float  # that it grew
    evidence: dict[str, Any] = json_field(dict)  # source → [this window, earlier windows' mean]
    stated_at: datetime = time_field()
