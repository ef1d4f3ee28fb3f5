"""Demand sheets: confirmed demand, frozen, and the pledges each line is made of."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, id_field, json_field, time_field


class DemandSheet(Table, table=True):
    """Confirmed demand, frozen: what a factory is asked to make, by when, at what cost at most."""

    __table_args__ = (
        sa.UniqueConstraint("campaign_id", "version"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    id: UUID = id_field()
    number: str = Field(unique=True, max_length=24)
    campaign_id: UUID = Field(foreign_key="campaign.id")
    version: int = 1  # one more each time pieces are released
    title: str = Field(max_length=120)
    title_en: str = Field(default="", max_length=120)
    category: str = Field(max_length=40)
    processes: list[str] = json_field(list)
    currency: str = Field(max_length=3)
    quantity: int
    unit_price_minor: int = amount_field()  # what buyers pay
    target_cost_minor: int = amount_field()  # what a factory may cost, a piece
    quality_grade: str = Field(default="AQL 2.5", max_length=20)
    required_date: datetime = time_field()
    issued_at: datetime = time_field()
    served_at: datetime | None = time_field(nullable=True, index=True)  # nothing left to match


class SheetLine(Table, table=True):
    """Confirmed pieces of one variant."""

    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    sheet_id: UUID = Field(primary_key=True, foreign_key="demand_sheet.id")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id")
    quantity: int


class SheetPledge(Table, table=True):
    """Which pledge's pieces a sheet line is made of: each confirmed unit stands in exactly one."""

    __table_args__ = (
        sa.UniqueConstraint("pledge_id", "variant_id"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    sheet_id: UUID = Field(primary_key=True, foreign_key="demand_sheet.id")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id")
    pledge_id: UUID = Field(primary_key=True, foreign_key="pledge.id")
    quantity: int


class SheetRelease(Table, table=True):
    """Pieces that a version of a sheet leaves out, their buyers refunded: no factory makes them, or a buyer left."""

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("version > 1", name="after_the_first"),
    )

    sheet_id: UUID = Field(primary_key=True, foreign_key="demand_sheet.id")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id")
    pledge_id: UUID = Field(primary_key=True, foreign_key="pledge.id")
    version: int = Field(primary_key=True)
    quantity: int
    left_free: bool = False  # by a buyer, because the first piece differed; a factory had taken them
    released_at: datetime = time_field()


class SheetQuestion(Table, table=True):
    """What a factory asks about a sheet, and the answer, which stands on the sheet for every factory that sees it."""

    __table_args__ = (
        sa.UniqueConstraint("factory_id", "idempotency_key"),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
        sa.CheckConstraint("version > 0", name="version_positive"),
    )

    id: UUID = id_field()
    sheet_id: UUID = Field(foreign_key="demand_sheet.id", index=True)
    version: int  # of the sheet, when it was asked
    factory_id: UUID = Field(foreign_key="organisation.id")  # named to the sheet's merchandiser alone
    words: str = Field(max_length=500)
    asked_at: datetime = time_field()
    answer: str | None = Field(default=None, max_length=1000)
    answered_at: datetime | None = time_field(nullable=True)
    idempotency_key: str = Field(max_length=80)
