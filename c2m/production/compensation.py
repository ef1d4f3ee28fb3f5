"""Compensation: paid to buyers for late parcels without being asked for, charged to the factory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from c2m.db import insert_rows
from c2m.ledger.models import AccountKind, Direction
from c2m.ledger.rules import PLATFORM, AccountRef, Draft, move
from c2m.ledger.service import Payment, buyer_payable, pay_out, post
from c2m.production.models import Compensation
from c2m.production.rules import compensation

COMPENSATION = "production.compensation"
COMPENSATION_REFERENCE = "compensation:"


@dataclass(frozen=True)
class Late:
    """A parcel that came so many days late, with the terms its buyer was promised."""

    parcel_id: UUID
    pledge_id: UUID
    work_order_id: UUID
    buyer_id: UUID
    factory_id: UUID
    currency: str
    units: int
    price_minor: int
    days: int
    ppm_per_day: int
    cap_ppm: int

    @property
    def amount_minor(self) -> int:
        return compensation(self.price_minor, self.units, self.days, ppm_per_day=self.ppm_per_day, cap_ppm=self.cap_ppm)

    @property
    def reference(self) -> str:
        return f"{COMPENSATION_REFERENCE}{self.parcel_id.hex}"


def compensate(session: Session, parcels: Sequence[Late], *, now: datetime) -> None:
    """Grant each late parcel's buyer what the policy promises, at the factory's cost, and have it paid."""
    owed = [parcel for parcel in parcels if parcel.amount_minor]
    insert_rows(session, Compensation, [_row(parcel, now) for parcel in owed])
    post(session, [_entry(parcel) for parcel in owed], now=now)
    pay_out(session, [_payment(parcel) for parcel in owed], Direction.REFUND, now=now)


def _row(parcel: Late, now: datetime) -> dict[str, object]:
    return {
        "parcel_id": parcel.parcel_id,
        "pledge_id": parcel.pledge_id,
        "work_order_id": parcel.work_order_id,
        "days_late": parcel.days,
        "amount_minor": parcel.amount_minor,
        "currency": parcel.currency,
        "granted_at": now,
    }


def _entry(parcel: Late) -> Draft:
    """The factory pays into compensation, compensation pays the buyer."""
    fund = AccountRef(AccountKind.COMPENSATION, PLATFORM, parcel.currency)
    factory = AccountRef(AccountKind.FACTORY_PAYABLE, parcel.factory_id, parcel.currency)
    buyer = buyer_payable(parcel.buyer_id, parcel.currency)
    legs = (*move(parcel.amount_minor, factory, fund), *move(parcel.amount_minor, fund, buyer))
    return Draft(parcel.reference, COMPENSATION, legs)


def _payment(parcel: Late) -> Payment:
    return Payment(
        reference=parcel.reference,
        purpose=COMPENSATION,
        subject_id=parcel.pledge_id,
        organisation_id=parcel.buyer_id,
        account=buyer_payable(parcel.buyer_id, parcel.currency),
        amount_minor=parcel.amount_minor,
    )
