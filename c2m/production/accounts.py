"""What the postings say about work orders: earnings, compensation and settlement recomputed, and compared."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import PARAMETERS_PER_STATEMENT, chunks, table_of
from c2m.ledger.models import Account, AccountKind, Direction, Entry, Hold, Posting, Transfer
from c2m.ledger.queries import signed_amount
from c2m.production.compensation import COMPENSATION, COMPENSATION_REFERENCE
from c2m.production.deliveries import DELIVERY, DELIVERY_REFERENCE
from c2m.production.exits import ALL_LEFT, ALL_LEFT_REFERENCE
from c2m.production.models import Compensation, Parcel, Settlement, WorkOrder
from c2m.production.settlement import FEE, SETTLEMENT_REFERENCE

EARNED = (DELIVERY, ALL_LEFT)


@dataclass(frozen=True)
class PostedAccount:
    """A work order's money as the ledger has it."""

    captured_minor: int  # buyers' money for its delivered parcels
    earned_minor: int
    margin_minor: int
    compensation_minor: int
    fee_minor: int
    paid_minor: int
    margin_paid_minor: int

    @property
    def net_minor(self) -> int:
        return self.earned_minor - self.compensation_minor - self.fee_minor


@dataclass(frozen=True)
class Mismatch:
    """A figure of a work order that its postings contradict."""

    work_order_id: UUID
    figure: str
    shown_minor: int
    posted_minor: int


def posted_accounts(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, PostedAccount]:
    """Recompute these orders' money from postings and payouts; nothing is read from the orders' own figures."""
    found: dict[UUID, PostedAccount] = {}
    for part in chunks(order_ids):
        posted, paid = _posted(session, part), _paid(session, part)
        found |= {
            order_id: PostedAccount(
                captured_minor=-posted[order_id, DELIVERY, AccountKind.ESCROW],
                earned_minor=sum(posted[order_id, kind, AccountKind.FACTORY_PAYABLE] for kind in EARNED),
                margin_minor=sum(posted[order_id, kind, AccountKind.MERCHANDISER_PAYABLE] for kind in EARNED),
                compensation_minor=-posted[order_id, COMPENSATION, AccountKind.FACTORY_PAYABLE],
                fee_minor=posted[order_id, FEE, AccountKind.PLATFORM_FEES],
                paid_minor=paid[order_id, AccountKind.FACTORY_PAYABLE],
                margin_paid_minor=paid[order_id, AccountKind.MERCHANDISER_PAYABLE],
            )
            for order_id in part
        }
    return found


def mismatches(session: Session) -> Iterator[Mismatch]:
    """Compare what every work order, compensation and settlement shows with what was posted."""
    order = table_of(WorkOrder)
    last: UUID | None = None
    while True:
        statement = sa.select(order.c.id).order_by(order.c.id).limit(PARAMETERS_PER_STATEMENT)
        ids = session.execute(statement if last is None else statement.where(order.c.id > last)).scalars().all()
        if not ids:
            return
        last = ids[-1]
        posted = posted_accounts(session, ids)
        for order_id, figure, shown_minor in _shown(session, ids):
            posted_minor = getattr(posted[order_id], figure)
            if shown_minor != posted_minor:
                yield Mismatch(order_id, figure, shown_minor, posted_minor)


def _posted(session: Session, order_ids: Sequence[UUID]) -> dict[tuple[UUID, str, str], int]:
    """(order, kind of entry, kind of account) → credits less debits of the entries that belong to the order."""
    entry, posting, account = table_of(Entry), table_of(Posting), table_of(Account)
    names = _references(order_ids)
    rows = session.execute(
        sa.select(names.c.order_id, entry.c.kind, account.c.kind, sa.func.sum(signed_amount()))
        .join_from(names, entry, entry.c.reference == names.c.reference)
        .join(posting, posting.c.entry_id == entry.c.id)
        .join(account, account.c.id == posting.c.account_id)
        .group_by(names.c.order_id, entry.c.kind, account.c.kind)
    )
    found: dict[tuple[UUID, str, str], int] = defaultdict(int)
    found |= {(row[0], row[1], row[2]): int(row[3]) for row in rows}
    return found


def _references(order_ids: Sequence[UUID]) -> sa.Subquery:
    """The references of all entries that deliveries, compensation and settlement of these orders may have posted."""
    order, parcel, hold = table_of(WorkOrder), table_of(Parcel), table_of(Hold)
    delivery = sa.literal(DELIVERY_REFERENCE) + _hex(parcel.c.id) + ":" + _hex(hold.c.id)
    mine = parcel.c.work_order_id.in_(order_ids)
    return sa.union_all(
        sa.select(parcel.c.work_order_id.label("order_id"), delivery.label("reference"))
        .join_from(parcel, hold, hold.c.subject_id == parcel.c.pledge_id)
        .where(mine),
        sa.select(parcel.c.work_order_id, sa.literal(COMPENSATION_REFERENCE) + _hex(parcel.c.id)).where(mine),
        *(
            sa.select(order.c.id, sa.literal(of) + _hex(order.c.id)).where(order.c.id.in_(order_ids))
            for of in (SETTLEMENT_REFERENCE, ALL_LEFT_REFERENCE)
        ),
    ).subquery()


def _paid(session: Session, order_ids: Sequence[UUID]) -> dict[tuple[UUID, str], int]:
    """(order, kind of account) → payouts instructed for its settlement."""
    transfer, account = table_of(Transfer), table_of(Account)
    rows = session.execute(
        sa.select(transfer.c.subject_id, account.c.kind, sa.func.sum(transfer.c.amount_minor))
        .join_from(transfer, account, account.c.id == transfer.c.account_id)
        .where(transfer.c.subject_id.in_(order_ids), transfer.c.direction == Direction.PAYOUT)
        .group_by(transfer.c.subject_id, account.c.kind)
    )
    found: dict[tuple[UUID, str], int] = defaultdict(int)
    found |= {(row[0], row[1]): int(row[2]) for row in rows}
    return found


def _shown(session: Session, order_ids: Sequence[UUID]) -> Iterator[tuple[UUID, str, int]]:
    """Every figure shown for these orders: (order, figure, amount)."""
    order, granted, settled = table_of(WorkOrder), table_of(Compensation), table_of(Settlement)
    for row in session.execute(
        sa.select(order.c.id, order.c.earned_minor, order.c.margin_minor).where(order.c.id.in_(order_ids))
    ):
        yield row.id, "earned_minor", row.earned_minor
        yield row.id, "margin_minor", row.margin_minor
        yield row.id, "captured_minor", row.earned_minor + row.margin_minor
    compensated = session.execute(
        sa.select(order.c.id, sa.func.coalesce(sa.func.sum(granted.c.amount_minor), 0))
        .join_from(order, granted, granted.c.work_order_id == order.c.id, isouter=True)
        .where(order.c.id.in_(order_ids))
        .group_by(order.c.id)
    )
    for order_id, amount_minor in compensated:
        yield order_id, "compensation_minor", int(amount_minor)
    settlements = session.execute(sa.select(settled).where(settled.c.work_order_id.in_(order_ids))).all()
    for row in settlements:
        for figure in ("earned_minor", "margin_minor", "compensation_minor", "net_minor", *_ONLY_SETTLED):
            yield row.work_order_id, figure, row._mapping[figure]
    for order_id in set(order_ids) - {row.work_order_id for row in settlements}:
        for figure in _ONLY_SETTLED:
            yield order_id, figure, 0


_ONLY_SETTLED = ("fee_minor", "paid_minor", "margin_paid_minor")


def _hex(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """An id as `UUID.hex` writes it, on both databases."""
    return sa.func.replace(sa.cast(column, sa.String), "-", "")
