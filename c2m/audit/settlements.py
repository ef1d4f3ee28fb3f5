"""I13: compensation and settlement recomputed from postings and policy, to the cent."""

from typing import Any

import sqlalchemy as sa

from c2m.audit.check import Broken, Check, Part, hex_of
from c2m.db import table_of
from c2m.demand.models import Campaign, Commission, DemandSheet, Pledge, Policy
from c2m.errors import N_
from c2m.ledger.models import (
    Account,
    AccountKind,
    Direction,
    Entry,
    Hold,
    Posting,
    Transfer,
    TransferState,
)
from c2m.ledger.queries import signed_amount
from c2m.money import PPM
from c2m.production.accounts import EARNED
from c2m.production.compensation import COMPENSATION, COMPENSATION_REFERENCE
from c2m.production.deliveries import DELIVERY, DELIVERY_REFERENCE
from c2m.production.exits import ALL_LEFT_REFERENCE
from c2m.production.models import Compensation, Parcel, Settlement, WorkOrder, WorkOrderState
from c2m.production.rules import compensation, days_late
from c2m.production.settlement import FEE, SETTLEMENT_REFERENCE

ORDERS_A_PART = 2_000

order, parcel, granted, settled, sheet, campaign, policy, pledge = (
    table_of(model) for model in (WorkOrder, Parcel, Compensation, Settlement, DemandSheet, Campaign, Policy, Pledge)
)
commission = table_of(Commission)
account, entry, posting, hold, transfer = (table_of(model) for model in (Account, Entry, Posting, Hold, Transfer))
escrow = account.alias()


def _figures_differ(part: Part) -> Broken:
    """What a work order shows against the entries and payouts that bear its name, its parcels' or its settlement's."""
    posted, paid, compensated = _posted(part), _paid(part), _granted(part)
    shown = {
        posted.c.captured: order.c.earned_minor + order.c.margin_minor,
        posted.c.earned: order.c.earned_minor,
        posted.c.margin: order.c.margin_minor,
        posted.c.compensation: sa.func.coalesce(compensated.c.minor, 0),
        posted.c.fee: sa.func.coalesce(settled.c.fee_minor, 0),
        paid.c.to_factory: sa.func.coalesce(settled.c.paid_minor, 0),
        paid.c.to_merchandiser: sa.func.coalesce(settled.c.margin_paid_minor, 0),
    }
    return (
        sa.select(order.c.id)
        .join_from(order, posted, posted.c.order_id == order.c.id, isouter=True)
        .outerjoin(paid, paid.c.subject_id == order.c.id)
        .outerjoin(compensated, compensated.c.work_order_id == order.c.id)
        .outerjoin(settled, settled.c.work_order_id == order.c.id)
        .where(part.of(order.c.id))
        .where(sa.or_(*(sa.func.coalesce(real, 0) != figure for real, figure in shown.items())))
    )


def _posted(part: Part) -> sa.Subquery:
    """The entries of each order's deliveries, compensation and settlement, by what they were for and whose account."""
    names = _references(part)

    def total(of: AccountKind, *kinds: str, taken: bool = False) -> sa.ColumnElement[int]:
        signed = -signed_amount() if taken else signed_amount()
        return sa.func.sum(sa.case((sa.and_(entry.c.kind.in_(kinds), account.c.kind == of), signed), else_=0))

    return (
        sa.select(
            names.c.order_id,
            total(AccountKind.ESCROW, DELIVERY, taken=True).label("captured"),
            total(AccountKind.FACTORY_PAYABLE, *EARNED).label("earned"),
            total(AccountKind.MERCHANDISER_PAYABLE, *EARNED).label("margin"),
            total(AccountKind.FACTORY_PAYABLE, COMPENSATION, taken=True).label("compensation"),
            total(AccountKind.PLATFORM_FEES, FEE).label("fee"),
        )
        .join_from(names, entry, entry.c.reference == names.c.reference)
        .join(posting, posting.c.entry_id == entry.c.id)
        .join(account, account.c.id == posting.c.account_id)
        .group_by(names.c.order_id)
        .subquery()
    )


def _references(part: Part) -> sa.Subquery:
    """What the entries of each order's parcels and settlement are called."""
    delivery = sa.literal(DELIVERY_REFERENCE) + hex_of(parcel.c.id) + ":" + hex_of(hold.c.id)
    mine = part.of(parcel.c.work_order_id)
    return sa.union_all(
        sa.select(parcel.c.work_order_id.label("order_id"), delivery.label("reference"))
        .join_from(parcel, hold, hold.c.subject_id == parcel.c.pledge_id)
        .where(mine),
        sa.select(parcel.c.work_order_id, sa.literal(COMPENSATION_REFERENCE) + hex_of(parcel.c.id)).where(mine),
        *(
            sa.select(order.c.id, sa.literal(of) + hex_of(order.c.id)).where(part.of(order.c.id))
            for of in (SETTLEMENT_REFERENCE, ALL_LEFT_REFERENCE)
        ),
    ).subquery()


def _paid(part: Part) -> sa.Subquery:
    """What was asked to be paid out for each order, to whom."""
    to = {"to_factory": AccountKind.FACTORY_PAYABLE, "to_merchandiser": AccountKind.MERCHANDISER_PAYABLE}
    sums = [sa.func.sum(sa.case((account.c.kind == kind, transfer.c.amount_minor), else_=0)) for kind in to.values()]
    return (
        sa.select(transfer.c.subject_id, *(total.label(name) for name, total in zip(to, sums, strict=True)))
        .join_from(transfer, account, account.c.id == transfer.c.account_id)
        .where(part.of(transfer.c.subject_id), transfer.c.direction == Direction.PAYOUT)
        .group_by(transfer.c.subject_id)
        .subquery()
    )


def _granted(part: Part) -> sa.Subquery:
    return (
        sa.select(granted.c.work_order_id, sa.func.sum(granted.c.amount_minor).label("minor"))
        .where(part.of(granted.c.work_order_id))
        .group_by(granted.c.work_order_id)
        .subquery()
    )


def _compensated_right(late: sa.Row[Any]) -> bool:
    """Whether a late parcel's buyer was granted what the frozen policy promises."""
    owed = compensation(
        late.price_minor,
        late.quantity,
        days_late(late.promised_date, late.delivered_at, late.time_zone),
        ppm_per_day=late.compensation_ppm_per_day,
        cap_ppm=late.compensation_cap_ppm,
    )
    return bool(owed == late.granted_minor)


def _promised() -> sa.Join:
    """Parcels with the promise behind them."""
    return (
        sa.join(parcel, order, order.c.id == parcel.c.work_order_id)
        .join(sheet, sheet.c.id == order.c.sheet_id)
        .join(campaign, campaign.c.id == sheet.c.campaign_id)
    )


def _late_parcels(part: Part) -> Broken:
    price = sa.func.coalesce(pledge.c.final_price_minor, pledge.c.unit_price_minor)
    return (
        sa.select(
            parcel.c.id,
            parcel.c.quantity,
            parcel.c.delivered_at,
            campaign.c.promised_date,
            policy.c.time_zone,
            policy.c.compensation_ppm_per_day,
            policy.c.compensation_cap_ppm,
            price.label("price_minor"),
            sa.func.coalesce(granted.c.amount_minor, 0).label("granted_minor"),
        )
        .select_from(
            _promised()
            .join(policy, policy.c.id == campaign.c.policy_id)
            .join(pledge, pledge.c.id == parcel.c.pledge_id)
            .outerjoin(granted, granted.c.parcel_id == parcel.c.id)
        )
        .where(part.of(parcel.c.id), parcel.c.delivered_at > campaign.c.promised_date)
    )


def _in_time_yet_compensated(part: Part) -> Broken:
    late = (
        sa.select(parcel.c.id)
        .select_from(_promised())
        .where(parcel.c.id == granted.c.parcel_id, parcel.c.delivered_at > campaign.c.promised_date)
    )
    return sa.select(granted.c.parcel_id).where(part.of(granted.c.parcel_id), ~late.exists())


def _earned_differs(part: Part) -> Broken:
    """A factory earns its order's total in proportion to the pieces delivered, rounded down; whole if all were left."""
    in_proportion = order.c.total_minor * order.c.delivered // sa.func.nullif(order.c.quantity, 0)
    due = sa.case((order.c.quantity == 0, order.c.total_minor), else_=in_proportion)
    return sa.select(order.c.id).where(part.of(order.c.id), order.c.earned_minor != due)


def _settlement_differs(part: Part) -> Broken:
    """The fee is the policy's share of what was earned less compensation, rounded half up; the rest is the net."""
    compensated = (
        sa.select(sa.func.coalesce(sa.func.sum(granted.c.amount_minor), 0))
        .where(granted.c.work_order_id == order.c.id)
        .correlate(order)
        .scalar_subquery()
    )
    kept = settled.c.earned_minor - settled.c.compensation_minor
    fee = sa.case((kept > 0, (kept * policy.c.fee_ppm + PPM // 2) // PPM), else_=0)
    return (
        sa.select(settled.c.work_order_id)
        .select_from(
            sa.join(settled, order, order.c.id == settled.c.work_order_id)
            .join(sheet, sheet.c.id == order.c.sheet_id)
            .join(campaign, campaign.c.id == sheet.c.campaign_id)
            .join(policy, policy.c.id == campaign.c.policy_id)
        )
        .where(part.of(settled.c.work_order_id))
        .where(
            sa.or_(
                settled.c.earned_minor != order.c.total_minor,
                settled.c.compensation_minor != compensated,
                settled.c.fee_minor != fee,
                settled.c.net_minor != kept - settled.c.fee_minor,
                settled.c.margin_minor != order.c.margin_minor,
                settled.c.factory_id != order.c.factory_id,
                settled.c.merchandiser_id != campaign.c.organisation_id,
            )
        )
    )


def _settled_without_account(part: Part) -> Broken:
    has_account = sa.exists().where(settled.c.work_order_id == order.c.id)
    return sa.select(order.c.id).where(part.of(order.c.id), (order.c.state == WorkOrderState.SETTLED) != has_account)


def _kept_back(_part: Part) -> Broken:
    """What settlements leave unpaid is only what an organisation owes, never what it is owed."""
    left = sa.union_all(
        sa.select(settled.c.factory_id.label("id"), settled.c.currency, settled.c.net_minor - settled.c.paid_minor),
        sa.select(
            settled.c.merchandiser_id,
            settled.c.currency,
            settled.c.margin_minor - settled.c.commission_minor - settled.c.margin_paid_minor,
        ),
    ).subquery("unpaid")
    organisation, currency, minor = left.c
    return sa.select(organisation).group_by(organisation, currency).having(sa.func.sum(minor) > 0)


def _grants_differ(part: Part) -> Broken:
    """What stands on a buyer's account is on its way to the buyer, and nothing else is."""
    underway = _sum(transfer.c.amount_minor, *_transfers(TransferState.PENDING, Direction.REFUND, Direction.PAYOUT))
    return _account_differs(part, AccountKind.BUYER_PAYABLE, underway)


def _factory_account_differs(part: Part) -> Broken:
    mine = (order.c.factory_id == account.c.owner_id, order.c.currency == account.c.currency)
    earned = _sum(order.c.earned_minor, *mine)
    compensated = _sum(granted.c.amount_minor, granted.c.work_order_id == order.c.id, *mine)
    fees = _sum(settled.c.fee_minor, settled.c.work_order_id == order.c.id, *mine)
    return _account_differs(part, AccountKind.FACTORY_PAYABLE, earned - compensated - fees - _paid_out())


def _merchandiser_account_differs(part: Part) -> Broken:
    mine = (campaign.c.organisation_id == account.c.owner_id, campaign.c.currency == account.c.currency)
    margins = _sum(order.c.margin_minor, order.c.sheet_id == sheet.c.id, sheet.c.campaign_id == campaign.c.id, *mine)
    forfeits = _sum(
        hold.c.forfeited_minor,
        hold.c.escrow_account_id == escrow.c.id,
        escrow.c.kind == AccountKind.ESCROW,
        escrow.c.owner_id == campaign.c.id,
        *mine,
    )
    commissions = _sum(
        commission.c.amount_minor,
        commission.c.merchandiser_id == account.c.owner_id,
        commission.c.currency == account.c.currency,
    )
    return _account_differs(part, AccountKind.MERCHANDISER_PAYABLE, margins + forfeits - commissions - _paid_out())


def _fees_differ(part: Part) -> Broken:
    fees = _sum(settled.c.fee_minor, settled.c.currency == account.c.currency)
    return _account_differs(part, AccountKind.PLATFORM_FEES, fees)


def _account_differs(part: Part, kind: AccountKind, due_minor: sa.ColumnElement[int]) -> Broken:
    posted = _sum(signed_amount(), posting.c.account_id == account.c.id)
    return sa.select(account.c.owner_id).where(part.of(account.c.id), account.c.kind == kind, posted != due_minor)


def _paid_out() -> sa.ColumnElement[int]:
    return _sum(transfer.c.amount_minor, *_transfers(TransferState.DONE, Direction.PAYOUT))


def _transfers(state: TransferState, *directions: Direction) -> tuple[sa.ColumnElement[bool], ...]:
    mine = (transfer.c.organisation_id == account.c.owner_id, transfer.c.account_id == account.c.id)
    return (*mine, transfer.c.direction.in_(directions), transfer.c.state == state)


def _sum(amount_minor: sa.ColumnElement[int], *which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """The sum of amounts that belong to an account."""
    return sa.select(sa.func.coalesce(sa.func.sum(amount_minor), 0)).where(*which).correlate(account).scalar_subquery()


ORDERS, PARCELS, ACCOUNTS = order.c.id, parcel.c.id, account.c.id
CHECKS = (
    Check("I13", N_("A work order's figures aren't those of its postings."), _figures_differ, ORDERS, ORDERS_A_PART),
    Check(
        "I13",
        N_("A late parcel wasn't compensated as the policy promises."),
        _late_parcels,
        PARCELS,
        acquits=_compensated_right,
    ),
    Check("I13", N_("A parcel that wasn't late was compensated."), _in_time_yet_compensated, granted.c.parcel_id),
    Check("I13", N_("A factory's earnings aren't in proportion to what was delivered."), _earned_differs, ORDERS),
    Check("I13", N_("A settlement isn't what earnings, compensation and policy come to."), _settlement_differs, ORDERS),
    Check(
        "I13",
        N_("A work order is called settled and has no settlement, or the other way round."),
        _settled_without_account,
        ORDERS,
    ),
    Check("I13", N_("A settlement kept back money that is owed."), _kept_back),
    Check("I13", N_("What a buyer was granted isn't what is being paid out."), _grants_differ, ACCOUNTS),
    Check(
        "I13",
        N_("A factory's account isn't what its orders earned less what was taken and paid."),
        _factory_account_differs,
        ACCOUNTS,
    ),
    Check(
        "I13",
        N_("A merchandiser's account isn't its margins and forfeits less commissions and what was paid."),
        _merchandiser_account_differs,
        ACCOUNTS,
    ),
    Check("I13", N_("The platform's fees aren't those of its settlements."), _fees_differ, ACCOUNTS),
)
