"""Factories with what they can do and when, and the offers that put demand sheets before them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, enum_field, id_field, json_field, time_field


class FactoryLevel(StrEnum):
    """What a factory's verified claims come to; only from VERIFIED on is it matched."""

    LISTED = "listed"
    VERIFIED = "verified"
    VETTED = "vetted"  # 严选


class Factory(Table, table=True):
    """A factory's profile; its level follows from its verified claims."""

    __table_args__ = (
        sa.CheckConstraint("on_time_ppm BETWEEN 0 AND 1000000", name="on_time_share"),
        sa.CheckConstraint("orders_in_time BETWEEN 0 AND orders_due", name="in_time_within_due"),
    )

    id: UUID = Field(primary_key=True, foreign_key="organisation.id")
    belt: str = Field(max_length=60, index=True)
    region: str = Field(max_length=60)
    about: str = Field(default="", max_length=500)
    currency: str = Field(default="CNY", max_length=3)  # of its prices
    orders_due: int = 0  # of the last year: delivered, or overdue
    orders_in_time: int = 0  # of these, delivered by their day
    on_time_ppm: int = 950_000  # what is planned with: the record, weighed against what is usual
    level: FactoryLevel = enum_field(FactoryLevel, FactoryLevel.LISTED)


class ClaimKind(StrEnum):
    LICENCE = "licence"
    MACHINES = "machines"
    CERTIFICATE = "certificate"
    SAMPLE_WORK = "sample_work"


class ClaimState(StrEnum):
    OPEN = "open"
    VERIFIED = "verified"
    REFUSED = "refused"
    EXPIRED = "expired"


class Claim(Table, table=True):
    """Something a factory says of itself, with what an operator found when checking it."""

    __table_args__ = (
        sa.CheckConstraint("(state = 'open') = (checked_at IS NULL)", name="checked"),
        sa.CheckConstraint("state NOT IN ('verified', 'expired') OR expires_at IS NOT NULL", name="runs_out"),
        sa.Index("ix_claim_factory_id", "factory_id", "state"),
        sa.Index("ix_claim_state", "state", "expires_at"),
    )

    id: UUID = id_field()
    factory_id: UUID = Field(foreign_key="factory.id")
    kind: ClaimKind = enum_field(ClaimKind)
    title: str = Field(max_length=120)
    reference: str = Field(default="", max_length=120)  # the number or address by which it can be checked
    picture_id: UUID | None = Field(default=None, foreign_key="picture.id")  # what it looks like: paper, hall or work
    made_at: datetime = time_field()
    state: ClaimState = enum_field(ClaimState, ClaimState.OPEN)
    evidence: str = Field(default="", max_length=500)  # what the operator saw
    checked_at: datetime | None = time_field(nullable=True)
    checked_by: UUID | None = None
    expires_at: datetime | None = time_field(nullable=True)
    recheck: str | None = Field(default=None, max_length=24)  # why it is to be checked again before it runs out


class FindingKind(StrEnum):
    VERIFIED = "verified"
    REFUSED = "refused"
    REVOKED = "revoked"
    CUT_SHORT = "cut_short"  # it holds for less long, because its renewal was refused
    EXPIRED = "expired"


class ClaimFinding(Table, table=True):
    """What was found on a claim, or became of it, at a moment; rows are never changed."""

    id: UUID = id_field()
    claim_id: UUID = Field(foreign_key="claim.id", index=True)
    finding: FindingKind = enum_field(FindingKind)
    seen: str = Field(default="", max_length=500)  # the evidence, or the reason
    found_at: datetime = time_field()
    found_by: UUID | None = None  # None: by rule
    expires_at: datetime | None = time_field(nullable=True)  # until when it held from then on


class MatchingTerms(Table, table=True):
    """What the operator sets for matching; rows are never changed, the latest holds."""

    __table_args__ = (
        sa.CheckConstraint("newcomer_share_ppm BETWEEN 0 AND 500000", name="newcomer_share"),
        sa.CheckConstraint("newcomer_orders > 0", name="newcomer_orders"),
    )

    id: UUID = id_field()
    newcomer_share_ppm: int  # of the pieces of 30 days, for factories that are new here
    newcomer_orders: int  # a factory is new until it has accepted so many offers
    set_at: datetime = time_field()
    set_by: UUID | None = None


class NewcomerOffer(Table, table=True):
    """An offer to a factory that was new when it was made."""

    offer_id: UUID = Field(primary_key=True, foreign_key="offer.id")


class LineKind(StrEnum):
    REGULAR = "regular"
    OVERTIME = "overtime"  # hours beyond the ordinary ones, at a premium, up to a limit a week
    IDLE = "idle"  # weeks the factory offers at a discount, taken out of the ordinary ones


class CapacityUnit(StrEnum):
    """In what a line counts its weeks; a piece takes the line's load of it."""

    PIECE = "piece"
    MINUTE = "minute"
    JOB = "job"  # one filling of a kiln, a vat, a mould


class Capability(Table, table=True):
    """One production line: a category it makes by one process, on its terms.

    Overtime and idle weeks are lines of their own beside a regular one, with its terms at their price: what they take
    is booked, limited and followed like everything else.
    """

    __table_args__ = (
        sa.UniqueConstraint("factory_id", "category", "process", "kind"),
        sa.CheckConstraint("(kind = 'regular') = (regular_id IS NULL)", name="beside_a_regular_line"),
        sa.CheckConstraint("price_ppm > 0", name="price_share_positive"),
        sa.CheckConstraint("load_num > 0 AND load_den > 0", name="load_positive"),
        sa.CheckConstraint("days_a_week BETWEEN 1 AND 7", name="days_a_week"),
        sa.CheckConstraint("shifts_a_day BETWEEN 1 AND 3", name="shifts_a_day"),
        sa.CheckConstraint("weekly_capacity >= 0", name="capacity_not_negative"),
        sa.CheckConstraint("minimum > 0", name="minimum_positive"),
        sa.CheckConstraint("setup_minor >= 0", name="setup_not_negative"),
        sa.CheckConstraint("lead_days >= 0", name="lead_not_negative"),
    )

    id: UUID = id_field()
    factory_id: UUID = Field(foreign_key="factory.id", index=True)
    category: str = Field(max_length=40, index=True)
    process: str = Field(max_length=40)
    weekly_capacity: int  # pieces
    weekly_units: int | None = None  # what was entered for it, in the line's unit; None: it was entered in pieces
    minimum: int  # pieces an order
    setup_minor: int = amount_field(0)  # an order
    lead_days: int  # from the end of the production week to the buyer
    kind: LineKind = enum_field(LineKind, LineKind.REGULAR)
    regular_id: UUID | None = Field(default=None, foreign_key="capability.id", index=True)
    price_ppm: int = 1_000_000  # of the regular line's prices
    unit: CapacityUnit = enum_field(CapacityUnit, CapacityUnit.PIECE)
    load_num: int = 1  # a piece takes load_num / load_den units
    load_den: int = 1
    days_a_week: int = 6  # from Monday on, but for public holidays
    shifts_a_day: int = 1


class PriceBreak(Table, table=True):
    """From this many pieces, each costs this: an amount, or a share of the sheet's target cost."""

    __table_args__ = (
        sa.CheckConstraint("from_quantity > 0", name="from_positive"),
        sa.CheckConstraint("(unit_price_minor IS NULL) <> (target_ppm IS NULL)", name="one_price"),
        sa.CheckConstraint("unit_price_minor IS NULL OR unit_price_minor > 0", name="price_positive"),
        sa.CheckConstraint("target_ppm IS NULL OR target_ppm > 0", name="share_positive"),
    )

    capability_id: UUID = Field(primary_key=True, foreign_key="capability.id")
    from_quantity: int = Field(primary_key=True)
    unit_price_minor: int | None = amount_field(nullable=True)
    target_ppm: int | None = None


class CapacityWeek(Table, table=True):
    """A week of a line that was edited or booked; other weeks have the line's usual capacity, less their holidays.

    `booked` is what offers and reservations take together. A week that was not set by hand follows the line's hours.
    """

    __table_args__ = (
        sa.CheckConstraint("booked >= 0 AND booked <= capacity", name="not_overbooked"),
        sa.CheckConstraint("capacity >= 0", name="capacity_not_negative"),
    )

    capability_id: UUID = Field(primary_key=True, foreign_key="capability.id")
    week: date = Field(primary_key=True)  # its Monday
    capacity: int
    booked: int = 0
    set_units: int | None = None  # what its factory set by hand, in the line's unit then


class MatchRun(Table, table=True):
    """One solve: what it was about, how good the plan is and how that is known."""

    id: UUID = id_field()
    started_at: datetime = time_field()
    sheets: int
    factories: int
    offers_made: int
    status: str = Field(max_length=20)
    time_limited: bool = False
    objective_minor: int = amount_field(0)
    bound_minor: int = amount_field(0)
    gap_ppm: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0  # of all who worked on it
    share_pieces: int | None = None  # that new factories got by the share kept for them; None: none was kept
    share_cost_minor: int | None = amount_field(nullable=True)  # beside a plan without the share
    unserved: list[dict[str, Any]] = json_field(list)


class OfferState(StrEnum):
    OFFERED = "offered"
    COUNTERED = "countered"  # its factory has named other terms, and waits for the platform's word
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


OPEN = (OfferState.OFFERED, OfferState.COUNTERED)
HOLDING = (*OPEN, OfferState.ACCEPTED)
RETURNED = (OfferState.DECLINED, OfferState.EXPIRED)


class Offer(Table, table=True):
    """A share of a demand sheet put before one factory, with capacity held until it is answered."""

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("untaken >= 0", name="untaken_not_negative"),
        sa.CheckConstraint("total_minor > 0", name="total_positive"),
        sa.Index("ix_offer_factory_id", "factory_id", "state"),
        sa.Index("ix_offer_sheet_id", "sheet_id", "state"),
    )

    id: UUID = id_field()
    run_id: UUID = Field(foreign_key="match_run.id", index=True)
    sheet_id: UUID = Field(foreign_key="demand_sheet.id")
    factory_id: UUID = Field(foreign_key="factory.id")
    capability_id: UUID = Field(foreign_key="capability.id")
    quantity: int
    untaken: int = 0  # pieces it was first about and its factory left to others
    unit_price_minor: int = amount_field()
    setup_minor: int = amount_field(0)
    total_minor: int = amount_field()
    currency: str = Field(max_length=3)
    deliver_by: datetime = time_field()
    state: OfferState = enum_field(OfferState, OfferState.OFFERED)
    explanation: dict[str, Any] = json_field()
    offered_at: datetime = time_field()
    expires_at: datetime = time_field(index=True)
    answered_at: datetime | None = time_field(nullable=True)
    answered_by: UUID | None = None
    reason: str | None = Field(default=None, max_length=300)


class OfferLine(Table, table=True):
    """Pieces of one variant in an offer."""

    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    offer_id: UUID = Field(primary_key=True, foreign_key="offer.id")
    variant_id: UUID = Field(primary_key=True, foreign_key="variant.id")
    quantity: int


class CounterState(StrEnum):
    OPEN = "open"
    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"  # the factory accepted or declined the offer as it was
    LAPSED = "lapsed"  # nobody decided before the offer ran out


class CounterOffer(Table, table=True):
    """The terms on which a factory would take an offer on: fewer pieces, another price, another day."""

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("unit_price_minor > 0", name="price_positive"),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
        sa.Index(
            "uq_counter_offer_open",
            "offer_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.Index("ix_counter_offer_state", "state", "made_at"),
    )

    id: UUID = id_field()
    offer_id: UUID = Field(foreign_key="offer.id", index=True)
    quantity: int
    unit_price_minor: int = amount_field()
    deliver_by: datetime = time_field()
    note: str = Field(default="", max_length=300)
    made_at: datetime = time_field()
    made_by: UUID | None = None
    effect: dict[str, Any] = json_field()  # the market with these terms and without; empty until it is worked out
    state: CounterState = enum_field(CounterState, CounterState.OPEN)
    decided_at: datetime | None = time_field(nullable=True)
    decided_by: UUID | None = None  # None: by rule, by the factory itself or by the clock
    reason: str | None = Field(default=None, max_length=300)


class Booking(Table, table=True):
    """Pieces of a line's week taken by an offer; released when it is declined or runs out."""

    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    offer_id: UUID = Field(primary_key=True, foreign_key="offer.id")
    week: date = Field(primary_key=True)
    capability_id: UUID = Field(foreign_key="capability.id", index=True)
    quantity: int
    released_at: datetime | None = time_field(nullable=True)


class Reservation(Table, table=True):
    """Pieces of a line's week that its factory keeps for orders of its own."""

    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    id: UUID = id_field()
    capability_id: UUID = Field(foreign_key="capability.id", index=True)
    week: date
    quantity: int
    note: str = Field(default="", max_length=120)
    made_at: datetime = time_field()
    made_by: UUID | None = None
    released_at: datetime | None = time_field(nullable=True)


class StatedWindow(Table, table=True):
    """When a campaign's pieces were said to arrive, at a moment while it was open; None: not within the horizon."""

    __table_args__ = (sa.UniqueConstraint("campaign_id", "stated_at"),)

    id: UUID = id_field()
    campaign_id: UUID = Field(foreign_key="campaign.id")
    stated_at: datetime = time_field()
    fewest: int  # pieces for the earliest instant
    most: int  # and for the latest
    earliest: datetime | None = time_field(nullable=True)
    latest: datetime | None = time_field(nullable=True)
