"""I4 and I6: what campaigns count and how they closed, recomputed from their pledges and ladders."""

import sqlalchemy as sa

from c2m.audit.check import Broken, Check, Part, underway
from c2m.db import table_of
from c2m.demand.balances import END_BALANCE
from c2m.demand.campaigns import CLOSE
from c2m.demand.models import (
    BuyerTotal,
    Campaign,
    CampaignKind,
    CampaignState,
    ChangeKind,
    Consent,
    DemandSheet,
    Pledge,
    PledgeChange,
    PledgeLine,
    PledgeState,
    PriceTier,
)
from c2m.demand.waiting import END_RELEASE
from c2m.errors import N_
from c2m.ledger.models import Transfer

CAMPAIGNS_A_PART = 1_000
DIFFERENCE = "demand.tier_difference"
RUNNING = (CampaignState.OPEN, CampaignState.CLOSING)
COUNTED = (CampaignState.SUCCEEDED, CampaignState.FAILED)
SETTLED = (PledgeState.BALANCE_DUE, PledgeState.CONFIRMED, PledgeState.FULFILLED, PledgeState.REFUNDED)
FREED = (PledgeState.CANCELLED, PledgeState.FORFEITED)

campaign, pledge, line, total, tier, sheet, transfer = (
    table_of(model) for model in (Campaign, Pledge, PledgeLine, BuyerTotal, PriceTier, DemandSheet, Transfer)
)
change = table_of(PledgeChange)
DECLINED = sa.and_(
    pledge.c.consent.is_not(None),
    pledge.c.consent.in_([Consent.REFUSED, Consent.LAPSED]),
)
"""Whether a pledge ended because its buyer did not agree to an extension: its pieces were free again."""
LEFT_OUT = sa.and_(pledge.c.state == PledgeState.REFUNDED, pledge.c.final_price_minor.is_(None))
"""Of a campaign that succeeded: a pledge that took no part in it."""
LAPSED = sa.and_(
    pledge.c.state == PledgeState.REFUNDED,
    campaign.c.kind == CampaignKind.PRESALE,
    campaign.c.state == CampaignState.SUCCEEDED,
    pledge.c.final_price_minor.is_not(None),
    pledge.c.released_quantity == 0,
)
"""Whether a pledge ended with its balance unpaid and its deposit given back: its pieces were free again."""
WAITS_FOR_CEILING = sa.and_(pledge.c.ceiling_minor.is_not(None), sa.not_(pledge.c.accepts_dearer))
RELEASED = sa.and_(campaign.c.releasing_until.is_not(None), pledge.c.placed_at >= campaign.c.closed_at)
"""Whether a pledge was made of forfeited pieces after the close: at the final price, paid whole."""


def _pieces(part: Part, *counted: sa.ColumnElement[bool]) -> sa.Subquery:
    """Pieces of each campaign's pledges that count."""
    pieces = sa.case((sa.or_(*counted), pledge.c.quantity), else_=0)
    alive = _in(RUNNING, (PledgeState.UNPAID, PledgeState.PAID))
    flexible = sa.case((alive, pledge.c.flexible_quantity), else_=0)
    conditional = sa.case((sa.and_(alive, WAITS_FOR_CEILING), pledge.c.quantity), else_=0)
    by_the_pledge = sa.or_(pledge.c.flexible_quantity > 0, pledge.c.ceiling_minor.is_not(None))
    return (
        sa.select(
            campaign.c.id,
            sa.func.sum(pieces).label("pieces"),
            sa.func.sum(flexible).label("flexible"),
            sa.func.sum(conditional).label("conditional"),
            sa.func.max(sa.case((by_the_pledge, 1), else_=0)).label("by_the_pledge"),
        )
        .join_from(campaign, pledge, pledge.c.campaign_id == campaign.c.id)
        .where(part.of(campaign.c.id), part.of(pledge.c.campaign_id))
        .group_by(campaign.c.id)
        .subquery()
    )


def _in(states: tuple[CampaignState, ...], pledges: tuple[PledgeState, ...]) -> sa.ColumnElement[bool]:
    return sa.and_(campaign.c.state.in_(states), pledge.c.state.in_(pledges))


def _miscounted(part: Part) -> Broken:
    """What counts: paid or on its way while running, what was settled after success, what was refunded on failure.

    A payment on its way after success is one for released pieces.
    """
    alive = _pieces(
        part,
        _in(RUNNING, (PledgeState.UNPAID, PledgeState.PAID)),
        sa.and_(_in((CampaignState.SUCCEEDED,), (PledgeState.UNPAID, *SETTLED)), ~LEFT_OUT, ~LAPSED),
        sa.and_(_in((CampaignState.FAILED,), (PledgeState.REFUNDED,)), ~DECLINED),
    )
    counted = {
        "pledged_quantity": alive.c.pieces,
        "flexible_quantity": alive.c.flexible,
        "conditional_quantity": alive.c.conditional,
    }
    return (
        sa.select(campaign.c.id)
        .join_from(campaign, alive, alive.c.id == campaign.c.id, isouter=True)
        .where(part.of(campaign.c.id))
        .where(sa.or_(*(sa.func.coalesce(pieces, 0) != campaign.c[name] for name, pieces in counted.items())))
    )


def _above_cap(part: Part) -> Broken:
    sold = _pieces(
        part,
        _in(RUNNING, (PledgeState.UNPAID, PledgeState.PAID)),
        sa.and_(_in((CampaignState.SUCCEEDED,), (PledgeState.UNPAID, *SETTLED)), ~LEFT_OUT, ~LAPSED),
        sa.and_(_in((CampaignState.FAILED,), (PledgeState.REFUNDED,)), ~DECLINED),
    )
    return (
        sa.select(campaign.c.id)
        .join_from(campaign, sold, sold.c.id == campaign.c.id)
        .where(part.of(campaign.c.id), sold.c.pieces > campaign.c.cap)
    )


def _buyers(part: Part) -> sa.Subquery:
    """What each buyer holds in campaigns with a limit, flexible pieces too; what was cancelled, forfeited or declined
    is free again.

    A merchandiser that completes its own campaign is no buyer.
    """
    pieces = sa.func.sum(pledge.c.quantity + pledge.c.flexible_quantity)
    return (
        sa.select(pledge.c.campaign_id, pledge.c.buyer_id, pieces.label("pieces"))
        .join_from(campaign, pledge, pledge.c.campaign_id == campaign.c.id)
        .where(part.of(campaign.c.id), part.of(pledge.c.campaign_id))
        .where(campaign.c.per_buyer_limit.is_not(None), pledge.c.state.not_in(FREED), ~DECLINED, ~LAPSED)
        .where(~pledge.c.merchant_funded)
        .group_by(pledge.c.campaign_id, pledge.c.buyer_id)
        .subquery()
    )


def _above_limit(part: Part) -> Broken:
    held = _buyers(part)
    return (
        sa.select(held.c.campaign_id, held.c.buyer_id)
        .join_from(held, campaign, campaign.c.id == held.c.campaign_id)
        .where(held.c.pieces > campaign.c.per_buyer_limit)
    )


def _buyer_miscounted(part: Part) -> Broken:
    held = _buyers(part)
    same = sa.and_(held.c.campaign_id == total.c.campaign_id, held.c.buyer_id == total.c.buyer_id)
    stored = (
        sa.select(total.c.campaign_id, total.c.buyer_id)
        .join_from(total, held, same, isouter=True)
        .where(part.of(total.c.campaign_id), total.c.quantity != sa.func.coalesce(held.c.pieces, 0))
    )
    missing = (
        sa.select(held.c.campaign_id, held.c.buyer_id)
        .join_from(held, total, same, isouter=True)
        .where(total.c.buyer_id.is_(None))
    )
    either = sa.union_all(stored, missing).subquery()
    return sa.select(either.c.campaign_id, either.c.buyer_id)


def _lines_differ(part: Part) -> Broken:
    columns = ("quantity", "flexible_quantity")
    differs = [sa.func.coalesce(sa.func.sum(line.c[name]), 0) != pledge.c[name] for name in columns]
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, line, line.c.pledge_id == pledge.c.id, isouter=True)
        .where(part.of(pledge.c.id))
        .group_by(pledge.c.id, *(pledge.c[name] for name in columns))
        .having(sa.or_(*differs))
    )


def _several_sheets(part: Part) -> Broken:
    return (
        sa.select(sheet.c.campaign_id)
        .where(part.of(sheet.c.campaign_id))
        .group_by(sheet.c.campaign_id)
        .having(sa.func.count() > 1)
    )


def _sheet_out_of_place(part: Part) -> Broken:
    """Only success issues a sheet; a success without one has no confirmed pledge, or a balance window still to end."""
    issued = sa.exists().where(sheet.c.campaign_id == campaign.c.id)
    confirmed = sa.exists().where(
        pledge.c.campaign_id == campaign.c.id, pledge.c.state.in_([PledgeState.CONFIRMED, PledgeState.FULFILLED])
    )
    waiting = sa.and_(
        campaign.c.kind == CampaignKind.PRESALE,
        sa.or_(
            campaign.c.balance_due_at > part.now,
            underway(campaign.c.id, END_BALANCE),
            underway(campaign.c.id, END_RELEASE),
        ),
    )
    succeeded = campaign.c.state == CampaignState.SUCCEEDED
    return sa.select(campaign.c.id).where(
        part.of(campaign.c.id),
        sa.or_(sa.and_(~succeeded, issued), sa.and_(succeeded, ~issued, confirmed, ~waiting)),
    )


def _outcome_wrong(part: Part) -> Broken:
    """The final count is what the pledges came to; it decides on success, and the ladder on the price.

    Where a failure was decided by flexible pieces, ceilings or colours it is counted again elsewhere.
    """
    final = _pieces(
        part,
        sa.and_(_in((CampaignState.SUCCEEDED,), (*SETTLED, PledgeState.FORFEITED)), ~RELEASED, ~LEFT_OUT),
        sa.and_(_in((CampaignState.FAILED,), (PledgeState.REFUNDED,)), ~DECLINED),
    )
    counted_again = sa.and_(
        campaign.c.state == CampaignState.FAILED, sa.or_(final.c.by_the_pledge > 0, campaign.c.colour_minimum > 0)
    )
    count = sa.case((counted_again, campaign.c.final_quantity), else_=sa.func.coalesce(final.c.pieces, 0))
    return (
        sa.select(campaign.c.id)
        .join_from(campaign, final, final.c.id == campaign.c.id, isouter=True)
        .where(part.of(campaign.c.id), campaign.c.state.in_(COUNTED))
        .where(
            sa.or_(
                campaign.c.closed_at.is_(None),
                campaign.c.final_quantity.is_(None),
                campaign.c.final_price_minor.is_(None),
                campaign.c.final_quantity != count,
                (campaign.c.state == CampaignState.SUCCEEDED) != (count >= campaign.c.minimum),
                campaign.c.final_price_minor != _price_at(campaign.c.final_quantity),
            )
        )
    )


def _price_at(quantity: sa.ColumnElement[int | None]) -> sa.ColumnElement[int]:
    """The price of the tier a total stands on; below the first threshold the first tier's."""
    own = sa.select(tier.c.price_minor).where(tier.c.campaign_id == campaign.c.id).correlate(campaign).limit(1)
    reached = own.where(tier.c.from_quantity <= quantity).order_by(tier.c.from_quantity.desc())
    first = own.order_by(tier.c.from_quantity)
    return sa.func.coalesce(reached.scalar_subquery(), first.scalar_subquery())


def _off_the_final_tier(part: Part) -> Broken:
    """Everyone ends on the final tier and nobody above the price they joined at; a presale asks for the rest of it."""
    joined, ended = pledge.c.unit_price_minor, campaign.c.final_price_minor
    final = sa.case((joined < ended, joined), else_=ended)
    open_price = pledge.c.final_price_minor - campaign.c.deposit_counts_minor
    rest = sa.case((sa.and_(open_price > 0, sa.not_(RELEASED)), open_price * pledge.c.quantity), else_=0)
    presale = campaign.c.kind == CampaignKind.PRESALE
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .where(part.of(pledge.c.id), campaign.c.state == CampaignState.SUCCEEDED)
        .where(pledge.c.state.in_([*SETTLED, PledgeState.FORFEITED]), ~sa.and_(LEFT_OUT, sa.or_(DECLINED, _put_out())))
        .where(
            sa.or_(
                pledge.c.final_price_minor.is_(None),
                pledge.c.final_price_minor != final,
                sa.and_(presale, sa.or_(pledge.c.balance_minor.is_(None), pledge.c.balance_minor != rest)),
            )
        )
    )


def _against_the_rule(part: Part) -> Broken:
    """An unpaid balance costs the deposit, but where a concept without a sample was sold: there it comes back."""
    only_a_picture = sa.and_(campaign.c.concept_id.is_not(None), campaign.c.sample_campaign_id.is_(None))
    wrong = sa.or_(
        sa.and_(only_a_picture, pledge.c.state == PledgeState.FORFEITED),
        sa.and_(sa.not_(only_a_picture), LAPSED),
    )
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .where(part.of(pledge.c.id), wrong)
    )


def _put_out() -> sa.ColumnElement[bool]:
    """Whether the close is on record as having refunded a pledge wholly: none of its colours made, a ceiling missed."""
    kinds = [ChangeKind.CEILING_MISSED, ChangeKind.COLOUR_DROPPED]
    return sa.exists().where(change.c.pledge_id == pledge.c.id, change.c.kind.in_(kinds))


def _difference_wrong(part: Part) -> Broken:
    """What a pledge paid above the final price is granted back once; in a presale it only lowers the balance."""
    given = (
        sa.select(transfer.c.subject_id, sa.func.sum(transfer.c.amount_minor).label("minor"))
        .where(part.of(transfer.c.subject_id), transfer.c.purpose == DIFFERENCE)
        .group_by(transfer.c.subject_id)
        .subquery()
    )
    ended_here = sa.and_(
        campaign.c.state == CampaignState.SUCCEEDED,
        campaign.c.kind != CampaignKind.PRESALE,
        pledge.c.state.in_(SETTLED),
        ~LEFT_OUT,
    )
    difference = (pledge.c.unit_price_minor - campaign.c.final_price_minor) * pledge.c.quantity
    due = sa.case((sa.and_(ended_here, difference > 0), difference), else_=0)
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .outerjoin(given, given.c.subject_id == pledge.c.id)
        .where(part.of(pledge.c.id), sa.func.coalesce(given.c.minor, 0) != due)
    )


def _never_closed(part: Part) -> Broken:
    return sa.select(campaign.c.id).where(
        campaign.c.state.in_(RUNNING), campaign.c.deadline < part.now, ~underway(campaign.c.id, CLOSE)
    )


def _window_never_ended(part: Part) -> Broken:
    due = sa.exists().where(pledge.c.campaign_id == campaign.c.id, pledge.c.state == PledgeState.BALANCE_DUE)
    return sa.select(campaign.c.id).where(
        campaign.c.balance_due_at < part.now, due, ~underway(campaign.c.id, END_BALANCE)
    )


def _release_never_ended(part: Part) -> Broken:
    """Freed pieces were offered to those who wait, time is up, and nothing will issue the sheet."""
    issued = sa.exists().where(sheet.c.campaign_id == campaign.c.id)
    alive = sa.exists().where(
        pledge.c.campaign_id == campaign.c.id, pledge.c.state.in_([PledgeState.UNPAID, PledgeState.CONFIRMED])
    )
    return sa.select(campaign.c.id).where(
        campaign.c.releasing_until < part.now, alive, ~issued, ~underway(campaign.c.id, END_RELEASE)
    )


EACH, PLEDGES = campaign.c.id, pledge.c.id
CHECKS = (
    Check("I4", N_("A campaign's count isn't what its pledges come to."), _miscounted, EACH, CAMPAIGNS_A_PART),
    Check("I4", N_("More was pledged than the campaign's cap."), _above_cap, EACH, CAMPAIGNS_A_PART),
    Check("I4", N_("A buyer holds more than the limit."), _above_limit, EACH, CAMPAIGNS_A_PART),
    Check("I4", N_("What a buyer is said to hold isn't what it holds."), _buyer_miscounted, EACH, CAMPAIGNS_A_PART),
    Check("I4", N_("A pledge isn't the sum of its variants."), _lines_differ, PLEDGES),
    Check("I6", N_("A campaign has more than one demand sheet."), _several_sheets, sheet.c.campaign_id),
    Check("I6", N_("A demand sheet is missing, or stands where none belongs."), _sheet_out_of_place, EACH),
    Check("I6", N_("A campaign's outcome isn't what count and ladder say."), _outcome_wrong, EACH, CAMPAIGNS_A_PART),
    Check("I6", N_("A pledge didn't end on the final tier."), _off_the_final_tier, PLEDGES),
    Check("I6", N_("A difference wasn't given back exactly once."), _difference_wrong, PLEDGES),
    Check("I6", N_("A deposit wasn't forfeited or given back as the terms say."), _against_the_rule, PLEDGES),
    Check("I10", N_("A campaign is past its deadline and nothing will close it."), _never_closed),
    Check("I10", N_("A balance window is over and nothing will end it."), _window_never_ended),
    Check("I10", N_("A release of freed pieces is over and nothing will end it."), _release_never_ended),
)
