"""I5, I7 and I8: each key and pledge had one effect, ended once, and stands in one sheet line."""

import sqlalchemy as sa

from c2m.audit.campaigns import LAPSED, RELEASED
from c2m.audit.check import Broken, Check, Part, underway
from c2m.audit.money import remaining
from c2m.db import table_of
from c2m.demand.balances import END_BALANCE
from c2m.demand.models import (
    FINAL,
    Campaign,
    CampaignKind,
    CampaignState,
    ChangeKind,
    DemandSheet,
    Pledge,
    PledgeChange,
    PledgeLine,
    PledgeState,
    SheetLine,
    SheetPledge,
    SheetRelease,
)
from c2m.demand.waiting import END_RELEASE
from c2m.design.models import Want, WantState
from c2m.errors import N_
from c2m.ledger.models import Direction, Hold, Transfer, TransferState

JOINING, BALANCE, WANTING = "demand.pledge", "demand.balance", "design.want"
CAMPAIGN_ENDED = (CampaignState.SUCCEEDED, CampaignState.FAILED, CampaignState.CANCELLED)
IN_SHEET = (PledgeState.CONFIRMED, PledgeState.FULFILLED)

pledge, line, campaign, hold, transfer, want = (
    table_of(model) for model in (Pledge, PledgeLine, Campaign, Hold, Transfer, Want)
)
change = table_of(PledgeChange)
sheet, sheet_line, made_of, released = (
    table_of(model) for model in (DemandSheet, SheetLine, SheetPledge, SheetRelease)
)


def _key_used_twice(part: Part) -> Broken:
    return (
        sa.select(pledge.c.buyer_id, pledge.c.idempotency_key)
        .where(part.of(pledge.c.buyer_id))
        .group_by(pledge.c.buyer_id, pledge.c.idempotency_key)
        .having(sa.func.count() > 1)
    )


def _want_key_used_twice(part: Part) -> Broken:
    return (
        sa.select(want.c.buyer_id, want.c.idempotency_key)
        .where(part.of(want.c.buyer_id))
        .group_by(want.c.buyer_id, want.c.idempotency_key)
        .having(sa.func.count() > 1)
    )


def _charges(part: Part) -> sa.Subquery:
    """Charges asked for each subject, by what for: how many, how much; a declined balance may be asked for again."""
    asked = {
        "joining": transfer.c.purpose.in_([JOINING, WANTING]),
        "balance": sa.and_(transfer.c.purpose == BALANCE, transfer.c.state != TransferState.FAILED),
    }
    times = [sa.func.sum(sa.case((which, 1), else_=0)).label(f"{name}_times") for name, which in asked.items()]
    minor = [
        sa.func.sum(sa.case((which, transfer.c.amount_minor), else_=0)).label(f"{name}_minor")
        for name, which in asked.items()
    ]
    return (
        sa.select(transfer.c.subject_id, *times, *minor)
        .where(part.of(transfer.c.subject_id), transfer.c.direction == Direction.CHARGE)
        .group_by(transfer.c.subject_id)
        .subquery()
    )


def _not_charged_once(part: Part) -> Broken:
    charged = _charges(part)
    times, minor, again, rest = (
        sa.func.coalesce(charged.c[name], 0)
        for name in ("joining_times", "joining_minor", "balance_times", "balance_minor")
    )
    carried = pledge.c.carried_from_id.is_not(None)  # with its money, which was charged in the round before
    joined = sa.or_(
        sa.and_(~carried, times == 1, minor == pledge.c.charged_minor),
        sa.and_(carried, times == 0),
    )
    balanced = sa.or_(again == 0, sa.and_(again == 1, rest == sa.func.coalesce(pledge.c.balance_minor, 0)))
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, charged, charged.c.subject_id == pledge.c.id, isouter=True)
        .where(part.of(pledge.c.id), sa.or_(~joined, ~balanced))
    )


def _deposit_not_charged_once(part: Part) -> Broken:
    charged = _charges(part)
    times, minor = (sa.func.coalesce(charged.c[name], 0) for name in ("joining_times", "joining_minor"))
    due = sa.case((want.c.deposit_minor > 0, 1), else_=0)
    return (
        sa.select(want.c.id)
        .join_from(want, charged, charged.c.subject_id == want.c.id, isouter=True)
        .where(part.of(want.c.id), sa.or_(times != due, minor != want.c.deposit_minor))
    )


def _held_for(part: Part) -> sa.Subquery:
    """What was paid for each subject and where it went."""
    columns = ("amount_minor", "captured_minor", "refunded_minor", "forfeited_minor")
    return (
        sa.select(
            hold.c.subject_id,
            *(sa.func.sum(hold.c[name]).label(name) for name in columns),
            sa.func.sum(remaining).label("held"),
        )
        .where(part.of(hold.c.subject_id))
        .group_by(hold.c.subject_id)
        .subquery()
    )


def _out_of_step(part: Part) -> Broken:
    """A pledge's state contradicts its end, or its campaign's state."""
    before = (PledgeState.UNPAID, PledgeState.PAID)
    after = (PledgeState.BALANCE_DUE, *IN_SHEET, PledgeState.FORFEITED)
    offered = sa.and_(RELEASED, pledge.c.state == PledgeState.UNPAID)
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .where(part.of(pledge.c.id))
        .where(
            sa.or_(
                pledge.c.state.in_(FINAL) != pledge.c.ended_at.is_not(None),
                sa.and_(campaign.c.state.in_(CAMPAIGN_ENDED), pledge.c.state.in_(before), ~offered),
                sa.and_(campaign.c.state != CampaignState.SUCCEEDED, pledge.c.state.in_(after)),
                sa.and_(campaign.c.kind != CampaignKind.PRESALE, pledge.c.state == PledgeState.BALANCE_DUE),
            )
        )
    )


def _payment_unnoticed(part: Part) -> Broken:
    """A payment has arrived, its pledge doesn't know, and nothing is left that would tell it."""
    joined = sa.and_(
        pledge.c.state == PledgeState.UNPAID,
        ~underway(pledge.c.id, "demand.record_payments", "demand.pledge.charged"),
    )
    balanced = sa.and_(
        pledge.c.state == PledgeState.BALANCE_DUE,
        ~underway(pledge.c.id, "demand.record_balances", "demand.balance.charged"),
    )
    asked = sa.case((pledge.c.state == PledgeState.UNPAID, JOINING), else_=BALANCE)
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, transfer, transfer.c.subject_id == pledge.c.id)
        .where(part.of(pledge.c.id), pledge.c.state.in_([PledgeState.UNPAID, PledgeState.BALANCE_DUE]))
        .where(transfer.c.purpose == asked, transfer.c.state == TransferState.DONE)
        .where(sa.or_(joined, balanced))
    )


def _contradicts_money(part: Part) -> Broken:
    """What was paid for a pledge, and where it went, must be what its state says.

    One that ended holds nothing, but for a late payment that is about to be granted back.
    """
    money, settled = _held_for(part), _given_back_at_the_close(part)
    given = sa.func.coalesce(settled.c.minor, 0)
    paid, captured, refunded, forfeited, held = (
        sa.func.coalesce(money.c[name], 0)
        for name in ("amount_minor", "captured_minor", "refunded_minor", "forfeited_minor", "held")
    )
    charged, balance = pledge.c.charged_minor, sa.func.coalesce(pledge.c.balance_minor, 0)
    delivered = pledge.c.delivered_quantity
    outstanding = pledge.c.quantity - delivered - pledge.c.released_quantity
    late = sa.or_(
        underway(pledge.c.id, "demand.record_payments", "demand.pledge.charged"),
        underway(pledge.c.id, "demand.record_balances", "demand.balance.charged"),
    )
    untouched = sa.and_(captured == 0, forfeited == 0, refunded == 0)
    given_back = sa.and_(captured == 0, forfeited == 0, delivered == 0, sa.or_(held == 0, late))
    agrees = {
        PledgeState.UNPAID: untouched,
        PledgeState.PAID: sa.and_(untouched, paid == charged),
        PledgeState.BALANCE_DUE: sa.and_(captured == 0, forfeited == 0, refunded == given, paid >= charged),
        PledgeState.CONFIRMED: sa.and_(paid == charged + balance, forfeited == 0, outstanding > 0, held > 0),
        PledgeState.FULFILLED: sa.and_(
            paid == charged + balance, forfeited == 0, outstanding == 0, delivered > 0, held == 0
        ),
        PledgeState.REFUNDED: given_back,
        PledgeState.CANCELLED: given_back,
        PledgeState.FORFEITED: sa.and_(
            captured == 0, forfeited == charged - given, delivered == 0, sa.or_(held == 0, late)
        ),
    }
    right = sa.or_(*(sa.and_(pledge.c.state == state, says) for state, says in agrees.items()))
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, money, money.c.subject_id == pledge.c.id, isouter=True)
        .outerjoin(settled, settled.c.pledge_id == pledge.c.id)
        .where(part.of(pledge.c.id), ~right)
    )


def _given_back_at_the_close(part: Part) -> sa.Subquery:
    """What a close gave back of each pledge for pieces that were not made or not needed."""
    kinds = [ChangeKind.COLOUR_DROPPED, ChangeKind.FLEXIBLE_FREED]
    return (
        sa.select(change.c.pledge_id, sa.func.sum(change.c.amount_minor).label("minor"))
        .where(part.of(change.c.pledge_id), change.c.kind.in_(kinds))
        .group_by(change.c.pledge_id)
        .subquery()
    )


def _want_contradicts_money(part: Part) -> Broken:
    money = _held_for(part)
    held, paid = sa.func.coalesce(money.c.held, 0), sa.func.coalesce(money.c.amount_minor, 0)
    on_its_way = underway(want.c.id, "design.record_deposits", "design.want.charged")
    agrees = {
        WantState.STATED: paid == 0,
        WantState.UNPAID: sa.or_(paid == 0, on_its_way),
        WantState.DEPOSITED: held == want.c.deposit_minor,
        WantState.REFUNDED: sa.and_(held == 0, paid == want.c.deposit_minor),
        WantState.WITHDRAWN: held == 0,
    }
    right = sa.or_(*(sa.and_(want.c.state == state, says) for state, says in agrees.items()))
    return (
        sa.select(want.c.id)
        .join_from(want, money, money.c.subject_id == want.c.id, isouter=True)
        .where(part.of(want.c.id), ~right)
    )


def _not_in_one_line(part: Part) -> Broken:
    """Confirmed pieces stand in one sheet line, unless a presale's balance window is still to end."""
    confirmed = sa.or_(
        pledge.c.state.in_(IN_SHEET),
        sa.and_(
            pledge.c.state == PledgeState.REFUNDED,
            pledge.c.final_price_minor.is_not(None),
            campaign.c.state == CampaignState.SUCCEEDED,
            ~LAPSED,
        ),
    )
    waiting = sa.and_(
        campaign.c.kind == CampaignKind.PRESALE,
        ~sa.exists().where(sheet.c.campaign_id == campaign.c.id),
        sa.or_(
            campaign.c.balance_due_at > part.now,
            underway(campaign.c.id, END_BALANCE),
            underway(campaign.c.id, END_RELEASE),
        ),
    )
    stands = sa.and_(made_of.c.pledge_id == line.c.pledge_id, made_of.c.variant_id == line.c.variant_id)
    pieces = sa.func.coalesce(sa.func.sum(made_of.c.quantity), 0)
    return (
        sa.select(line.c.pledge_id, line.c.variant_id)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .join(line, line.c.pledge_id == pledge.c.id)
        .outerjoin(made_of, stands)
        .where(part.of(pledge.c.id), part.of(line.c.pledge_id), confirmed, ~waiting)
        .group_by(line.c.pledge_id, line.c.variant_id, line.c.quantity)
        .having(sa.or_(sa.func.count(made_of.c.sheet_id) != 1, pieces != line.c.quantity))
    )


def _not_confirmed(part: Part) -> Broken:
    """A sheet is made of confirmed pledges of its own campaign, with the variants they chose."""
    chosen = sa.exists().where(line.c.pledge_id == made_of.c.pledge_id, line.c.variant_id == made_of.c.variant_id)
    confirmed = sa.exists().where(
        pledge.c.id == made_of.c.pledge_id,
        pledge.c.campaign_id == sheet.c.campaign_id,
        pledge.c.state.in_([*IN_SHEET, PledgeState.REFUNDED]),
        pledge.c.final_price_minor.is_not(None),
    )
    return (
        sa.select(made_of.c.sheet_id, made_of.c.variant_id, made_of.c.pledge_id)
        .join_from(made_of, sheet, sheet.c.id == made_of.c.sheet_id)
        .where(part.of(made_of.c.sheet_id), sa.or_(~chosen, ~confirmed))
    )


def _line_differs(part: Part) -> Broken:
    pieces = sa.func.coalesce(sa.func.sum(made_of.c.quantity), 0)
    stands = sa.and_(made_of.c.sheet_id == sheet_line.c.sheet_id, made_of.c.variant_id == sheet_line.c.variant_id)
    return (
        sa.select(sheet_line.c.sheet_id, sheet_line.c.variant_id)
        .join_from(sheet_line, made_of, stands, isouter=True)
        .where(part.of(sheet_line.c.sheet_id))
        .group_by(sheet_line.c.sheet_id, sheet_line.c.variant_id, sheet_line.c.quantity)
        .having(pieces != sheet_line.c.quantity)
    )


def _sheet_differs(part: Part) -> Broken:
    pieces = sa.func.coalesce(sa.func.sum(sheet_line.c.quantity), 0)
    return (
        sa.select(sheet.c.id)
        .join_from(sheet, sheet_line, sheet_line.c.sheet_id == sheet.c.id, isouter=True)
        .where(part.of(sheet.c.id))
        .group_by(sheet.c.id, sheet.c.quantity)
        .having(pieces != sheet.c.quantity)
    )


def _released_differs(part: Part) -> Broken:
    freed = (
        sa.select(made_of.c.pledge_id, sa.func.sum(released.c.quantity).label("pieces"))
        .join_from(
            made_of,
            released,
            sa.and_(*(released.c[name] == made_of.c[name] for name in ("sheet_id", "variant_id", "pledge_id"))),
        )
        .where(part.of(made_of.c.pledge_id))
        .group_by(made_of.c.pledge_id)
        .subquery()
    )
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, freed, freed.c.pledge_id == pledge.c.id, isouter=True)
        .where(part.of(pledge.c.id), pledge.c.released_quantity != sa.func.coalesce(freed.c.pieces, 0))
    )


EACH, WANTS, SHEETS = pledge.c.id, want.c.id, sheet.c.id
CHECKS = (
    Check("I5", N_("A buyer's key stands for two pledges."), _key_used_twice, pledge.c.buyer_id),
    Check("I5", N_("A buyer's key stands for two wants."), _want_key_used_twice, want.c.buyer_id),
    Check("I5", N_("Joining or a balance wasn't charged exactly once."), _not_charged_once, EACH),
    Check("I5", N_("A want's deposit wasn't charged exactly once."), _deposit_not_charged_once, WANTS),
    Check("I7", N_("A pledge's state contradicts its end or its campaign."), _out_of_step, EACH),
    Check("I7", N_("A pledge's state contradicts its money and pieces."), _contradicts_money, EACH),
    Check("I7", N_("A want's state contradicts its deposit."), _want_contradicts_money, WANTS),
    Check("I8", N_("Confirmed pieces don't stand in exactly one sheet line."), _not_in_one_line, EACH),
    Check("I8", N_("A sheet contains pieces nobody confirmed."), _not_confirmed, SHEETS),
    Check("I8", N_("A sheet line isn't the sum of its pledges."), _line_differs, SHEETS),
    Check("I8", N_("A sheet isn't the sum of its lines."), _sheet_differs, SHEETS),
    Check("I8", N_("Pieces a pledge let go of were not released in its sheet."), _released_differs, EACH),
    Check("I11", N_("A payment arrived and its pledge was never told."), _payment_unnoticed, EACH),
)
