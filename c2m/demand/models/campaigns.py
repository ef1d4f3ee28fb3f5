"""What is offered: the terms, the campaign with its price ladder and its variants."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, enum_field, id_field, time_field

HOME_TIME_ZONE = "Asia/Shanghai"


class Policy(Table, table=True):
    """The terms a campaign freezes when it opens. Rows are never changed; new terms are a new row."""

    __table_args__ = (
        sa.CheckConstraint("fee_ppm BETWEEN 0 AND 1000000", name="fee_share"),
        sa.CheckConstraint("compensation_ppm_per_day >= 0", name="compensation_share"),
        sa.CheckConstraint("compensation_cap_ppm BETWEEN 0 AND 1000000", name="compensation_cap"),
        sa.CheckConstraint(
            "consent_hours > 0 AND longest_extension_days >= 0 AND reminder_hours > 0 AND waiting_minutes > 0",
            name="windows",
        ),
        sa.CheckConstraint("matching_days > 0", name="matching_window"),
    )

    id: UUID = id_field()
    name: str = Field(max_length=60, unique=True)
    fee_ppm: int  # of what a factory earns
    target_cost_ppm: int  # of the buyer's price: what a factory may cost at most
    compensation_ppm_per_day: int  # of the price, a unit and a day late
    compensation_cap_ppm: int  # of the price, at most
    settlement_days: int
    balance_days: int  # window for the balance of a presale
    payment_minutes: int  # a payment in flight at the deadline may take this long
    production_days: int  # promised from close to delivery
    time_zone: str = Field(default=HOME_TIME_ZONE, max_length=60)  # where a promised day ends
    matching_days: int = 3  # a factory is looked for so long, then unmatched pieces are refunded
    consent_hours: int = 48  # a buyer has to agree again when a campaign is extended
    longest_extension_days: int = 14
    reminder_hours: int = 24  # before a balance window ends
    waiting_minutes: int = 120  # a waiting buyer's payment may take, once pieces are free after the close
    created_at: datetime = time_field()


class CampaignKind(StrEnum):
    GROUP_BUY = "group_buy"
    PRESALE = "presale"
    SAMPLE = "sample"


class CampaignState(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    CLOSING = "closing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Campaign(Table, table=True):
    """A group-buy, presale or sample order collecting pledges until its deadline."""

    __table_args__ = (
        sa.CheckConstraint("minimum > 0", name="minimum_positive"),
        sa.CheckConstraint("cap IS NULL OR cap >= minimum", name="cap_reaches_minimum"),
        sa.CheckConstraint("per_buyer_limit IS NULL OR per_buyer_limit > 0", name="limit_positive"),
        sa.CheckConstraint("pledged_quantity >= 0 AND (cap IS NULL OR pledged_quantity <= cap)", name="within_cap"),
        sa.CheckConstraint("deadline > created_at", name="deadline_ahead"),
        sa.CheckConstraint(
            "kind = 'presale' OR (deposit_minor = 0 AND deposit_counts_minor = 0)", name="deposit_only_presale"
        ),
        sa.CheckConstraint(
            "kind <> 'presale' OR (deposit_minor > 0 AND deposit_counts_minor >= deposit_minor)", name="deposit_counts"
        ),
        sa.CheckConstraint("flexible_quantity >= 0 AND conditional_quantity >= 0", name="parts_of_demand"),
        sa.CheckConstraint("extension_days >= 0 AND next_round_days >= 0", name="second_chances"),
        sa.CheckConstraint("pack_pieces > 0 AND colour_minimum >= 0", name="packs"),
        sa.CheckConstraint("commission_ppm BETWEEN 0 AND 200000", name="commission_share"),
        sa.Index("ix_campaign_state_deadline", "state", "deadline"),
    )

    id: UUID = id_field()
    number: str = Field(unique=True, max_length=24)
    organisation_id: UUID = Field(foreign_key="organisation.id", index=True)
    concept_id: UUID | None = Field(default=None, foreign_key="concept.id", unique=True)
    kind: CampaignKind = enum_field(CampaignKind)
    title: str = Field(max_length=120)
    title_en: str = Field(default="", max_length=120)
    description: str = Field(default="", max_length=2000)
    category: str = Field(max_length=40, index=True)
    picture_id: UUID | None = Field(default=None, foreign_key="picture.id")
    currency: str = Field(max_length=3)
    minimum: int
    cap: int | None = None
    per_buyer_limit: int | None = None
    deposit_minor: int = amount_field(0)  # a piece, presale only
    deposit_counts_minor: int = amount_field(0)  # what it counts towards the price, a piece
    policy_id: UUID = Field(foreign_key="policy.id")
    deadline: datetime = time_field()
    promised_date: datetime = time_field()  # delivered by then, or compensated
    state: CampaignState = enum_field(CampaignState, CampaignState.DRAFT)
    pack_pieces: int = 1  # the factory packs so many; flexible pieces fill the last pack
    colour_minimum: int = 0  # pieces a colour needs in order to be made
    commission_ppm: int = 0  # of what a team's members pay, to its leader, on delivery
    extension_days: int = 0  # added once if the deadline finds the campaign below its minimum
    next_round_days: int = 0  # a failed campaign begins anew for so long, if anyone agreed to come along
    previous_round_id: UUID | None = Field(default=None, foreign_key="campaign.id", unique=True)
    sample_campaign_id: UUID | None = Field(default=None, foreign_key="campaign.id", index=True)
    idle_line_id: UUID | None = Field(default=None, index=True)  # the factory's line whose idle week it was made for,
    idle_week: date | None = None  # and that week's Monday; the lines are matching's
    pledged_quantity: int = 0  # pledges that are alive, paid or with their payment in flight
    flexible_quantity: int = 0  # of living pledges: taken only to complete a tier or pack
    conditional_quantity: int = 0  # in pledged_quantity: pieces whose ceiling price was not reached when joining
    final_quantity: int | None = None
    final_price_minor: int | None = amount_field(nullable=True)
    created_at: datetime = time_field()
    opened_at: datetime | None = time_field(nullable=True)
    closed_at: datetime | None = time_field(nullable=True)
    balance_due_at: datetime | None = time_field(nullable=True)
    extended_at: datetime | None = time_field(nullable=True)
    consents_due_at: datetime | None = time_field(nullable=True)
    releasing_until: datetime | None = time_field(nullable=True)  # waiting buyers pay for pieces freed after the close

    @property
    def deposit_returns(self) -> bool:
        """Whether a deposit comes back though its balance stays unpaid: what is sold is a picture, without a sample."""
        return self.concept_id is not None and self.sample_campaign_id is None

    @property
    def certain_quantity(self) -> int:
        """Pieces that count for the price shown: all that are pledged but those whose ceiling is not reached."""
        return self.pledged_quantity - self.conditional_quantity


class PriceTier(Table, table=True):
    """From this many pieces in all, each piece costs this."""

    __table_args__ = (
        sa.CheckConstraint("from_quantity > 0", name="from_positive"),
        sa.CheckConstraint("price_minor > 0", name="price_positive"),
    )

    campaign_id: UUID = Field(primary_key=True, foreign_key="campaign.id")
    from_quantity: int = Field(primary_key=True)
    price_minor: int = amount_field()


class Variant(Table, table=True):
    """A colour and size of the product."""

    __table_args__ = (sa.UniqueConstraint("campaign_id", "colour", "size"),)

    id: UUID = id_field()
    campaign_id: UUID = Field(foreign_key="campaign.id", index=True)
    position: int
    colour: str = Field(max_length=40)
    size: str = Field(default="", max_length=20)
