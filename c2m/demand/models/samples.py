"""What became of samples: credited to later pledges, and judged by who held them."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, time_field


class SampleCredit(Table, table=True):
    """A sample's price credited to one later pledge; given back to the sample when that pledge ends unfulfilled."""

    __table_args__ = (sa.CheckConstraint("amount_minor > 0", name="amount_positive"),)

    sample_pledge_id: UUID = Field(primary_key=True, foreign_key="pledge.id")
    pledge_id: UUID = Field(foreign_key="pledge.id", index=True)
    amount_minor: int = amount_field()


class Evaluation(Table, table=True):
    """What somebody who held the sample in their hands says of it; kept with the product."""

    __table_args__ = (
        sa.CheckConstraint("quality BETWEEN 1 AND 5 AND fit BETWEEN 1 AND 5", name="marks"),
        sa.CheckConstraint("length(words) <= 1000", name="words_length"),
    )

    pledge_id: UUID = Field(primary_key=True, foreign_key="pledge.id")
    campaign_id: UUID = Field(foreign_key="campaign.id", index=True)  # the sample's
    buyer_id: UUID = Field(foreign_key="organisation.id")
    quality: int
    fit: int
    would_order: bool
    words: str = Field(default="", max_length=1000)
    given_at: datetime = time_field()
