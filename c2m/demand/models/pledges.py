"""What buyers promise: pledges, their teams, what became of them, and what a buyer holds in all."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, enum_field, enum_type, id_field, time_field


class PledgeState(StrEnum):
    UNPAID = "unpaid"  # payment in flight
    PAID = "paid"  # in escrow, campaign running
    BALANCE_DUE = "balance_due"  # presale succeeded, balance not yet paid
    CONFIRMED = "confirmed"  # stands in a demand sheet
    FULFILLED = "fulfilled"
    REFUNDED = "refunded"
    FORFEITED = "forfeited"
    CANCELLED = "cancelled"


LIVING = (PledgeState.UNPAID, PledgeState.PAID, PledgeState.BALANCE_DUE, PledgeState.CONFIRMED)
FINAL = (PledgeState.FULFILLED, PledgeState.REFUNDED, PledgeState.FORFEITED, PledgeState.CANCELLED)


class Consent(StrEnum):
    """A buyer's answer to the extension of a campaign."""

    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"
    LAPSED = "lapsed"  # not answered in time


class Team(Table, table=True):
    """Buyers who came by one leader's link; the commission is what the campaign said when the team was made."""

    __table_args__ = (sa.UniqueConstraint("campaign_id", "leader_id"),)

    id: UUID = id_field()
    campaign_id: UUID = Field(foreign_key="campaign.id")
    leader_id: UUID = Field(foreign_key="organisation.id", index=True)
    name: str = Field(max_length=40)
    code: str = Field(unique=True, max_length=16)
    commission_ppm: int
    created_at: datetime = time_field()


UNTAKEN = sa.text("taken_by_id IS NULL")


class Commission(Table, table=True):
    """What a leader earned by one member's pledge that was delivered: the merchandiser's to pay, once."""

    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.Index("ix_commission_untaken", "merchandiser_id", sqlite_where=UNTAKEN, postgresql_where=UNTAKEN),
    )

    pledge_id: UUID = Field(primary_key=True, foreign_key="pledge.id")
    team_id: UUID = Field(foreign_key="team.id", index=True)
    merchandiser_id: UUID = Field(foreign_key="organisation.id")
    amount_minor: int = amount_field()
    currency: str = Field(max_length=3)
    earned_at: datetime = time_field()
    taken_by_id: UUID | None = None  # the work order whose settlement took it off the merchandiser's margin


class Pledge(Table, table=True):
    """One buyer's promise to take these pieces, with money behind it."""

    __table_args__ = (
        sa.UniqueConstraint("buyer_id", "idempotency_key"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("flexible_quantity >= 0", name="flexible_not_negative"),
        sa.CheckConstraint("ceiling_minor IS NULL OR ceiling_minor > 0", name="ceiling_positive"),
        sa.CheckConstraint("credit_minor >= 0", name="credit_not_negative"),
        sa.CheckConstraint("delivered_quantity + released_quantity <= quantity", name="units_once"),
        sa.Index("ix_pledge_campaign_id", "campaign_id", "state"),
        sa.Index("ix_pledge_buyer_id", "buyer_id", "placed_at"),
    )

    id: UUID = id_field()
    campaign_id: UUID = Field(foreign_key="campaign.id")
    buyer_id: UUID = Field(foreign_key="organisation.id")
    quantity: int
    flexible_quantity: int = 0  # paid for as well, taken at the close only to complete a tier or pack
    unit_price_minor: int = amount_field()  # at the tier when joining, or the ceiling where that is lower
    ceiling_minor: int | None = amount_field(nullable=True)  # not reached when joining: takes part only from there on
    accepts_dearer: bool = False  # stays, at the price reached, though the ceiling was not
    fallback_colour: str = Field(default="", max_length=40)  # taken instead if the chosen colour is not made
    joins_next_round: bool = False  # moves on if the campaign fails, instead of being refunded
    charged_minor: int = amount_field()  # asked for at joining: full price, or deposit, less the credit
    credit_minor: int = amount_field(0)  # a sample's price, taken off
    team_id: UUID | None = Field(default=None, foreign_key="team.id", index=True)
    merchant_funded: bool = False  # the merchandiser's own, disclosed as such
    consent: Consent | None = Field(default=None, sa_type=enum_type(Consent), nullable=True)
    carried_from_id: UUID | None = Field(default=None, foreign_key="pledge.id", unique=True)
    final_price_minor: int | None = amount_field(nullable=True)
    balance_minor: int | None = amount_field(nullable=True)  # presale: still to pay after success
    state: PledgeState = enum_field(PledgeState, PledgeState.UNPAID)
    delivered_quantity: int = 0
    released_quantity: int = 0  # no factory found, or left free of charge; refunded
    region: str = Field(default="", max_length=60)
    idempotency_key: str = Field(max_length=80)
    request_hash: str = Field(max_length=64)
    placed_at: datetime = time_field()
    paid_at: datetime | None = time_field(nullable=True)
    ended_at: datetime | None = time_field(nullable=True)


class PledgeLine(Table, table=True):
    """So many pieces of one variant in a pledge."""

    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    pledge_id: UUID = Field(primary_key=True, foreign_key="pledge.id")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id")
    quantity: int
    flexible_quantity: int = 0


class ChangeKind(StrEnum):
    FLEXIBLE_TAKEN = "flexible_taken"
    FLEXIBLE_FREED = "flexible_freed"
    COLOUR_CHANGED = "colour_changed"
    COLOUR_DROPPED = "colour_dropped"
    CEILING_MISSED = "ceiling_missed"
    DEARER_ACCEPTED = "dearer_accepted"
    EXTENDED = "extended"
    CARRIED_ON = "carried_on"
    MOVED_UP = "moved_up"
    LEFT_FREE = "left_free"  # the first piece differed from the concept


class PledgeChange(Table, table=True):
    """What the close, an extension or the waiting list did to a pledge, told to its buyer in a sentence."""

    id: UUID = id_field()
    pledge_id: UUID = Field(foreign_key="pledge.id", index=True)
    kind: ChangeKind = enum_field(ChangeKind)
    from_variant_id: UUID | None = Field(default=None, foreign_key="variant.id")
    to_variant_id: UUID | None = Field(default=None, foreign_key="variant.id")
    pieces: int = 0
    amount_minor: int = amount_field(0)  # given back on this account
    changed_at: datetime = time_field()


class BuyerTotal(Table, table=True):
    """What one buyer holds in a campaign with a per-buyer limit."""

    __table_args__ = (sa.CheckConstraint("quantity >= 0 AND quantity <= quantity_limit", name="within_limit"),)

    campaign_id: UUID = Field(primary_key=True, foreign_key="campaign.id")
    buyer_id: UUID = Field(primary_key=True, foreign_key="organisation.id")
    quantity: int
    quantity_limit: int
