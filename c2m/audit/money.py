"""I1 to I3, and each payment's one effect: what entries, postings, holds and transfers must say alike."""

import sqlalchemy as sa

from c2m.audit.check import Broken, Check, Part, hex_at_end, hex_of, text_of
from c2m.db import table_of
from c2m.demand.rounds import CARRIED_ON
from c2m.errors import N_
from c2m.ledger.models import (
    Account,
    AccountKind,
    Direction,
    Entry,
    Hold,
    HoldState,
    Posting,
    Side,
    Transfer,
    TransferState,
)
from c2m.ledger.queries import signed_amount
from c2m.production.deliveries import DELIVERY

FORFEIT = "demand.forfeit"
ACCOUNTS_A_PART = 500  # a campaign's escrow has as many postings as its pledges

account, entry, posting, hold, transfer = (table_of(model) for model in (Account, Entry, Posting, Hold, Transfer))

other = posting.alias()

remaining = hold.c.amount_minor - hold.c.captured_minor - hold.c.refunded_minor - hold.c.forfeited_minor
credited = sa.case((posting.c.side == Side.CREDIT, posting.c.amount_minor), else_=0)
debited = sa.case((posting.c.side == Side.DEBIT, posting.c.amount_minor), else_=0)


def _unsound(part: Part) -> Broken:
    """Legs are numbered without a gap, positive whole amounts, zero in sum, and so in each currency."""
    amount, legs = posting.c.amount_minor, sa.func.count()
    wrong = sa.or_(amount <= 0, sa.cast(amount, sa.BigInteger) != amount)
    several = sa.func.min(posting.c.currency) != sa.func.max(posting.c.currency)
    signed = sa.case((other.c.side == Side.CREDIT, other.c.amount_minor), else_=-other.c.amount_minor)
    one_unbalanced = (
        sa.select(other.c.currency)
        .where(other.c.entry_id == posting.c.entry_id)
        .group_by(other.c.currency)
        .having(sa.func.sum(signed) != 0)
        .correlate(posting)
        .exists()
    )
    return (
        sa.select(posting.c.entry_id)
        .where(part.of(posting.c.entry_id))
        .group_by(posting.c.entry_id)
        .having(
            sa.or_(
                legs < 2,
                sa.func.max(posting.c.position) != legs - 1,
                sa.func.max(sa.case((wrong, 1), else_=0)) > 0,
                sa.func.sum(signed_amount()) != 0,
                sa.and_(several, one_unbalanced),
            )
        )
    )


def _without_legs(part: Part) -> Broken:
    return sa.select(entry.c.id).where(part.of(entry.c.id), ~sa.exists().where(posting.c.entry_id == entry.c.id))


def _astray(part: Part) -> Broken:
    posted = sa.exists().where(entry.c.id == posting.c.entry_id)
    booked = sa.exists().where(account.c.id == posting.c.account_id, account.c.currency == posting.c.currency)
    return sa.select(posting.c.entry_id, posting.c.position).where(
        part.of(posting.c.entry_id), sa.or_(~posted, ~booked)
    )


def _posted_twice(_part: Part) -> Broken:
    return sa.select(entry.c.reference).group_by(entry.c.reference).having(sa.func.count() > 1)


def _escrow_differs(part: Part) -> Broken:
    """What was posted to an escrow against its holds: paid in, and what is left."""
    posted = (
        sa.select(account.c.id, sa.func.sum(signed_amount()).label("balance"), sa.func.sum(credited).label("paid_in"))
        .join_from(account, posting, posting.c.account_id == account.c.id)
        .where(account.c.kind == AccountKind.ESCROW, part.of(account.c.id))
        .group_by(account.c.id)
        .subquery()
    )
    held = (
        sa.select(
            hold.c.escrow_account_id,
            sa.func.sum(remaining).label("balance"),
            sa.func.sum(hold.c.amount_minor).label("paid_in"),
        )
        .where(part.of(hold.c.escrow_account_id))
        .group_by(hold.c.escrow_account_id)
        .subquery()
    )
    balance, paid_in = sa.func.coalesce(posted.c.balance, 0), sa.func.coalesce(posted.c.paid_in, 0)
    return (
        sa.select(account.c.owner_id)
        .join_from(account, posted, posted.c.id == account.c.id, isouter=True)
        .outerjoin(held, held.c.escrow_account_id == account.c.id)
        .where(part.of(account.c.id), account.c.kind == AccountKind.ESCROW)
        .where(
            sa.or_(
                balance < 0,
                balance != sa.func.coalesce(held.c.balance, 0),
                paid_in != sa.func.coalesce(held.c.paid_in, 0),
            )
        )
    )


def _moved(part: Part) -> sa.Subquery:
    """What the entries of each hold brought into escrow and took out of it; their references end in the hold's id."""
    hold_hex = hex_at_end(entry.c.reference)
    parts = {
        "captured": entry.c.kind == DELIVERY,
        "forfeited": entry.c.kind == FORFEIT,
        "refunded": entry.c.kind.not_in([DELIVERY, FORFEIT]),
    }
    sums = [sa.func.sum(sa.case((which, debited), else_=0)).label(name) for name, which in parts.items()]
    return (
        sa.select(hold_hex.label("hold_hex"), sa.func.sum(credited).label("paid_in"), *sums)
        .join_from(account, posting, posting.c.account_id == account.c.id)
        .join(entry, entry.c.id == posting.c.entry_id)
        .where(account.c.kind == AccountKind.ESCROW, part.of(account.c.id))
        .group_by(hold_hex)
        .subquery()
    )


def _hold_differs(part: Part) -> Broken:
    moved = _moved(part)
    return (
        sa.select(hold.c.id)
        .join_from(hold, moved, moved.c.hold_hex == hex_of(hold.c.id), isouter=True)
        .where(part.of(hold.c.escrow_account_id))
        .where(
            sa.or_(
                moved.c.hold_hex.is_(None),
                moved.c.paid_in != hold.c.amount_minor,
                moved.c.captured != hold.c.captured_minor,
                moved.c.refunded != hold.c.refunded_minor,
                moved.c.forfeited != hold.c.forfeited_minor,
            )
        )
    )


def _hold_misresolved(part: Part) -> Broken:
    outcome = sa.case(
        (remaining > 0, HoldState.HELD.value),
        (hold.c.captured_minor > 0, HoldState.CAPTURED.value),
        (hold.c.forfeited_minor > 0, HoldState.FORFEITED.value),
        else_=HoldState.REFUNDED.value,
    )
    negative = [hold.c[name] < 0 for name in ("captured_minor", "refunded_minor", "forfeited_minor")]
    return sa.select(hold.c.id).where(
        part.of(hold.c.id),
        sa.or_(
            remaining < 0,
            *negative,
            sa.cast(hold.c.state, sa.String) != outcome,
            (hold.c.state == HoldState.HELD) != hold.c.resolved_at.is_(None),
        ),
    )


def _hold_without_payment(part: Part) -> Broken:
    """A hold is made by the charge whose id it has, or goes on from another one, as an entry says."""
    made_it = sa.and_(
        transfer.c.id == hold.c.id,
        transfer.c.direction == Direction.CHARGE,
        transfer.c.state == TransferState.DONE,
        *(transfer.c[name] == hold.c[name] for name in ("subject_id", "currency", "amount_minor")),
        transfer.c.organisation_id == hold.c.payer_id,
        transfer.c.account_id == hold.c.escrow_account_id,
    )
    carried_on = sa.and_(entry.c.reference == "carry:" + text_of(hold.c.id), entry.c.kind == CARRIED_ON)
    return sa.select(hold.c.id).where(part.of(hold.c.id), ~sa.exists().where(made_it), ~sa.exists().where(carried_on))


def _payment_without_hold(part: Part) -> Broken:
    return sa.select(transfer.c.id).where(
        part.of(transfer.c.id),
        transfer.c.direction == Direction.CHARGE,
        transfer.c.state == TransferState.DONE,
        ~sa.exists().where(hold.c.id == transfer.c.id),
    )


def _transfer_misposted(part: Part) -> Broken:
    """A transfer is posted under its direction and id if and only if it was carried out."""
    posted = (
        sa.select(sa.func.sum(debited))
        .join_from(entry, posting, posting.c.entry_id == entry.c.id)
        .where(entry.c.reference == sa.cast(transfer.c.direction, sa.String) + ":" + text_of(transfer.c.id))
        .correlate(transfer)
        .scalar_subquery()
    )
    due = sa.case((transfer.c.state == TransferState.DONE, transfer.c.amount_minor), else_=0)
    return sa.select(transfer.c.id).where(part.of(transfer.c.id), sa.func.coalesce(posted, 0) != due)


def _requested_twice(_part: Part) -> Broken:
    return sa.select(transfer.c.reference).group_by(transfer.c.reference).having(sa.func.count() > 1)


ENTRIES, POSTINGS, TRANSFERS, HOLDS = entry.c.id, posting.c.entry_id, transfer.c.id, hold.c.id
CHECKS = (
    Check("I1", N_("An entry's legs are incomplete, not positive, or don't add up to zero."), _unsound, POSTINGS),
    Check("I1", N_("An entry has no legs."), _without_legs, ENTRIES),
    Check("I1", N_("A posting has no entry, no account, or another currency than its account."), _astray, POSTINGS),
    Check("I1", N_("An operation was posted twice."), _posted_twice),
    Check("I2", N_("An escrow's balance isn't what is held in it."), _escrow_differs, account.c.id, ACCOUNTS_A_PART),
    Check("I3", N_("A hold differs from what its entries moved."), _hold_differs, account.c.id, ACCOUNTS_A_PART),
    Check("I3", N_("A hold's state contradicts what has left it."), _hold_misresolved, HOLDS),
    Check("I3", N_("A hold is not of the payment that made it."), _hold_without_payment, HOLDS),
    Check("I5", N_("A payment was carried out and nothing is held for it."), _payment_without_hold, TRANSFERS),
    Check("I5", N_("A transfer isn't posted as often as it was carried out."), _transfer_misposted, TRANSFERS),
    Check("I5", N_("A transfer was asked for twice."), _requested_twice),
)
