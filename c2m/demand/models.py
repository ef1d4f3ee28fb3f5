"""Capturing demand: campaigns with their ladders and variants, pledges, and the demand sheets made of them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, enum_field, enum_type, id_field, json_field, time_field

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
    released_quantity: int = 0  # no factory found, refunded
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


class WaitingState(StrEnum):
    WAITING = "waiting"
    FILLED = "filled"
    LEFT = "left"
    LAPSED = "lapsed"  # the campaign ended before its turn came


class Waiting(Table, table=True):
    """A place in the queue for pieces of a campaign that is sold out, in the order of ids."""

    __table_args__ = (
        sa.UniqueConstraint("buyer_id", "idempotency_key"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("filled_quantity >= 0 AND filled_quantity <= quantity", name="filled_once"),
        sa.Index("ix_waiting_campaign_id", "campaign_id", "state"),
    )

    id: UUID = id_field()
    campaign_id: UUID = Field(foreign_key="campaign.id")
    buyer_id: UUID = Field(foreign_key="organisation.id")
    quantity: int
    filled_quantity: int = 0
    takes_part: bool = False  # fewer pieces are welcome too
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


class BuyerTotal(Table, table=True):
    """What one buyer holds in a campaign with a per-buyer limit."""

    __table_args__ = (sa.CheckConstraint("quantity >= 0 AND quantity <= quantity_limit", name="within_limit"),)

    campaign_id: UUID = Field(primary_key=True, foreign_key="campaign.id")
    buyer_id: UUID = Field(primary_key=True, foreign_key="organisation.id")
    quantity: int
    quantity_limit: int


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
    """Pieces that a version of a sheet leaves out: no factory will make them, their buyers are refunded."""

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("version > 1", name="after_the_first"),
    )

    sheet_id: UUID = Field(primary_key=True, foreign_key="demand_sheet.id")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id")
    pledge_id: UUID = Field(primary_key=True, foreign_key="pledge.id")
    version: int = Field(primary_key=True)
    quantity: int
    released_at: datetime = time_field()
