"""The ledger's tables: accounts, append-only entries, escrow holds, transfers with the outside."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from c2m.db import Table, amount_field, enum_field, id_field, time_field


class AccountKind(StrEnum):
    OUTSIDE = "outside"  # an organisation's money outside the platform
    ESCROW = "escrow"  # held for a campaign or concept
    BUYER_PAYABLE = "buyer_payable"  # granted to a buyer, not yet paid out
    FACTORY_PAYABLE = "factory_payable"
    MERCHANDISER_PAYABLE = "merchandiser_payable"
    PLATFORM_FEES = "platform_fees"
    COMPENSATION = "compensation"  # charged to who was late less what buyers were granted


class Side(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


class HoldState(StrEnum):
    HELD = "held"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    FORFEITED = "forfeited"


class Direction(StrEnum):
    CHARGE = "charge"  # outside → escrow
    REFUND = "refund"  # buyer payable → outside
    PAYOUT = "payout"  # factory or merchandiser payable → outside


class TransferState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"  # a charge the provider declined; refunds and payouts are retried until done


class Account(Table, table=True):
    """Where money stands; its id derives from kind, owner and currency, so there is one of each."""

    __table_args__ = (sa.UniqueConstraint("kind", "owner_id", "currency"),)

    id: UUID = Field(primary_key=True)
    kind: AccountKind = enum_field(AccountKind)
    owner_id: UUID
    currency: str = Field(max_length=3)


class Entry(Table, table=True):
    """One operation, posted once: its reference is unique."""

    id: UUID = id_field()
    reference: str = Field(unique=True)
    kind: str
    posted_at: datetime = time_field()


class Posting(Table, table=True):
    """One leg of an entry; the legs of an entry sum to zero per currency."""

    __table_args__ = (sa.CheckConstraint("amount_minor > 0", name="amount_positive"),)

    entry_id: UUID = Field(primary_key=True, foreign_key="entry.id")
    position: int = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    side: Side = enum_field(Side)
    amount_minor: int = amount_field()
    currency: str = Field(max_length=3)


class Hold(Table, table=True):
    """Money of one subject (a pledge, a want) in escrow; it leaves once, in one or more exact parts."""

    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.CheckConstraint("captured_minor >= 0 AND refunded_minor >= 0 AND forfeited_minor >= 0", name="parts"),
        sa.CheckConstraint("captured_minor + refunded_minor + forfeited_minor <= amount_minor", name="not_overdrawn"),
        sa.CheckConstraint(
            "state = 'held' OR captured_minor + refunded_minor + forfeited_minor = amount_minor", name="resolved_whole"
        ),
    )

    id: UUID = id_field()
    subject_id: UUID = Field(index=True)
    escrow_account_id: UUID = Field(foreign_key="account.id", index=True)
    payer_id: UUID
    currency: str = Field(max_length=3)
    amount_minor: int = amount_field()
    captured_minor: int = amount_field(0)
    refunded_minor: int = amount_field(0)
    forfeited_minor: int = amount_field(0)
    state: HoldState = enum_field(HoldState, HoldState.HELD)
    held_at: datetime = time_field()
    resolved_at: datetime | None = time_field(nullable=True)

    @property
    def remaining_minor(self) -> int:
        return self.amount_minor - self.captured_minor - self.refunded_minor - self.forfeited_minor


class Transfer(Table, table=True):
    """Money on its way in or out, carried out by a job that retries until the provider has answered."""

    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.Index("ix_transfer_subject_id", "subject_id"),
        sa.Index("ix_transfer_organisation_id", "organisation_id"),
    )

    id: UUID = id_field()
    direction: Direction = enum_field(Direction)
    reference: str = Field(unique=True)
    purpose: str
    subject_id: UUID
    organisation_id: UUID
    account_id: UUID = Field(foreign_key="account.id")
    currency: str = Field(max_length=3)
    amount_minor: int = amount_field()
    state: TransferState = enum_field(TransferState, TransferState.PENDING)
    provider: str | None = None
    provider_reference: str | None = None
    failure: str | None = None
    created_at: datetime = time_field()
    finished_at: datetime | None = time_field(nullable=True)
