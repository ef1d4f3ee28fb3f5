"""Settlement: some days after delivery the factory is paid what it earned, less compensation and fee."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_rows, lock_rows, number_of, table_of
from c2m.demand.models import Campaign, DemandSheet, Policy
from c2m.demand.teams import Owed, Untaken, take_commissions, untaken_commissions
from c2m.identity.models import Organisation
from c2m.ledger.models import AccountKind, Direction
from c2m.ledger.rules import PLATFORM, AccountRef, Draft, move
from c2m.ledger.service import Payment, pay_out, post
from c2m.production.models import MARGIN_CARRIED, NET_CARRIED, Compensation, Settlement, WorkOrder, WorkOrderState
from c2m.production.rules import payable, settle

SETTLE = "production.settle_work_orders"
FEE = "production.fee"
PAYOUT = "production.settlement"
SETTLEMENT_REFERENCE = "settlement:"


def settle_work_orders(session: Session, order_ids: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """Settle delivered orders, each once: take the fee, pay factory and merchandiser; return those settled.

    What an order leaves owing (compensation above earnings, a price below cost) is taken off the same
    organisation's next settlement; so are the commissions its teams' leaders have earned since the last one.
    """
    lock_rows(session, WorkOrder, order_ids)
    orders = _delivered(session, order_ids)
    if not orders:
        return []
    books = _Books.open(session, orders)
    for order in orders:
        books.settle(order, now)
    insert_rows(session, Settlement, books.settlements)
    take_commissions(session, books.taken)
    post(session, books.fees, now=now)
    pay_out(session, books.payments, Direction.PAYOUT, now=now)
    settled = [order.id for order in orders]
    table = table_of(WorkOrder)
    for part in chunks(settled):
        session.execute(sa.update(table).where(table.c.id.in_(part)).values(state=WorkOrderState.SETTLED))
    return settled


@dataclass
class _Books:
    """What earlier settlements left owing, and what these settlements post and pay."""

    compensated: dict[UUID, int]
    factory_carried: dict[Owed, int]
    merchandiser_carried: dict[Owed, int]
    commissions: dict[Owed, list[Untaken]]
    taken: dict[UUID, UUID] = field(default_factory=dict)  # member's pledge → the order its commission is taken from
    settlements: list[dict[str, Any]] = field(default_factory=list)
    fees: list[Draft] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)

    @classmethod
    def open(cls, session: Session, orders: Sequence[sa.Row[Any]]) -> "_Books":
        """Lock the organisations to be paid and read what they still owe."""
        factories = sorted({order.factory_id for order in orders})
        merchandisers = sorted({order.merchandiser_id for order in orders})
        lock_rows(session, Organisation, sorted({*factories, *merchandisers}))
        c = table_of(Settlement).c
        return cls(
            compensated=_compensated(session, [order.id for order in orders]),
            factory_carried=_carried(session, c.factory_id, factories, c.net_minor - c.paid_minor, NET_CARRIED),
            merchandiser_carried=_carried(
                session,
                c.merchandiser_id,
                merchandisers,
                c.margin_minor - c.commission_minor - c.margin_paid_minor,
                MARGIN_CARRIED,
            ),
            commissions=untaken_commissions(session, merchandisers),
        )

    def settle(self, order: sa.Row[Any], now: datetime) -> None:
        """Settle one order."""
        account = settle(order.earned_minor, self.compensated.get(order.id, 0), order.fee_ppm)
        factory = AccountRef(AccountKind.FACTORY_PAYABLE, order.factory_id, order.currency)
        merchandiser = AccountRef(AccountKind.MERCHANDISER_PAYABLE, order.merchandiser_id, order.currency)
        if account.fee_minor:
            fees = AccountRef(AccountKind.PLATFORM_FEES, PLATFORM, order.currency)
            self.fees.append(Draft(settlement_reference(order.id), FEE, move(account.fee_minor, factory, fees)))
        paid = self._pay(order.id, factory, account.net_minor, self.factory_carried)
        commission = self._take_commissions(order)
        margin_paid = self._pay(order.id, merchandiser, order.margin_minor - commission, self.merchandiser_carried)
        self.settlements.append(
            {
                "work_order_id": order.id,
                "factory_id": order.factory_id,
                "number": number_of("S", order.id),
                "earned_minor": account.earned_minor,
                "compensation_minor": account.compensation_minor,
                "fee_minor": account.fee_minor,
                "net_minor": account.net_minor,
                "paid_minor": paid,
                "merchandiser_id": order.merchandiser_id,
                "margin_minor": order.margin_minor,
                "commission_minor": commission,
                "margin_paid_minor": margin_paid,
                "currency": order.currency,
                "settled_at": now,
            }
        )

    def _take_commissions(self, order: sa.Row[Any]) -> int:
        """The commissions that stand to be taken off this merchandiser's next margin, all taken off this one."""
        found = self.commissions.pop((order.merchandiser_id, order.currency), [])
        self.taken |= {commission.pledge_id: order.id for commission in found}
        return sum(commission.amount_minor for commission in found)

    def _pay(self, order_id: UUID, account: AccountRef, due_minor: int, carried: dict[Owed, int]) -> int:
        """Pay what is due less what is carried; what can't be taken off now is carried on."""
        owed = (account.owner_id, account.currency)
        amount_minor = payable(due_minor, carried[owed])
        carried[owed] += due_minor - amount_minor
        if amount_minor:
            reference = f"{settlement_reference(order_id)}:{account.kind}"
            self.payments.append(
                Payment(reference, PAYOUT, order_id, account.owner_id, account, amount_minor=amount_minor)
            )
        return amount_minor


def settlement_reference(order_id: UUID) -> str:
    """Names the entry by which an order's settlement takes its fee."""
    return f"{SETTLEMENT_REFERENCE}{order_id.hex}"


def _delivered(session: Session, order_ids: Sequence[UUID]) -> list[sa.Row[Any]]:
    order, sheet, campaign, policy = (table_of(model) for model in (WorkOrder, DemandSheet, Campaign, Policy))
    columns = (order.c.id, order.c.factory_id, order.c.currency, order.c.earned_minor, order.c.margin_minor)
    found: list[sa.Row[Any]] = []
    for part in chunks(sorted(set(order_ids))):
        found += session.execute(
            sa.select(*columns, campaign.c.organisation_id.label("merchandiser_id"), policy.c.fee_ppm)
            .join_from(order, sheet, sheet.c.id == order.c.sheet_id)
            .join(campaign, campaign.c.id == sheet.c.campaign_id)
            .join(policy, policy.c.id == campaign.c.policy_id)
            .where(order.c.id.in_(part), order.c.state == WorkOrderState.DELIVERED)
            .order_by(order.c.id)
        )
    return found


def _compensated(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    c = table_of(Compensation).c
    found: dict[UUID, int] = {}
    for part in chunks(order_ids):
        rows = session.execute(
            sa.select(c.work_order_id, sa.func.sum(c.amount_minor))
            .where(c.work_order_id.in_(part))
            .group_by(c.work_order_id)
        )
        found |= {order_id: int(amount) for order_id, amount in rows}
    return found


def _carried(
    session: Session,
    owner: sa.Column[Any],
    owner_ids: Sequence[UUID],
    difference: sa.ColumnElement[int],
    unequal: sa.TextClause,
) -> dict[Owed, int]:
    """What earlier settlements left owing, as a negative amount: (organisation, currency) → due less paid."""
    currency = table_of(Settlement).c.currency
    found: dict[Owed, int] = defaultdict(int)
    for part in chunks(owner_ids):
        rows = session.execute(
            sa.select(owner, currency, sa.func.sum(difference))
            .where(owner.in_(part), unequal)
            .group_by(owner, currency)
        )
        found |= {(owner_id, code): int(amount) for owner_id, code, amount in rows}
    return found
