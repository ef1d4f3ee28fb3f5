"""I13: leaders' commissions recomputed from what their members paid, and found in postings, payouts and settlements."""

import sqlalchemy as sa

from c2m.audit.check import Broken, Check, Part, hex_at_end, hex_of
from c2m.db import table_of
from c2m.demand.models import Campaign, Commission, Pledge, PledgeState, Team
from c2m.demand.teams import COMMISSION, COMMISSION_REFERENCE
from c2m.errors import N_
from c2m.ledger.models import Account, AccountKind, Entry, Hold, Posting, Transfer
from c2m.ledger.queries import signed_amount
from c2m.money import PPM
from c2m.production.models import Settlement

COMMISSIONS_A_PART = 2_000

pledge, team, campaign, commission, settled = (
    table_of(model) for model in (Pledge, Team, Campaign, Commission, Settlement)
)
account, entry, posting, hold, transfer = (table_of(model) for model in (Account, Entry, Posting, Hold, Transfer))


def _not_as_agreed(part: Part) -> Broken:
    """A member's fulfilled pledge earns the team's share of what was captured for it, rounded half up."""
    captured = (
        sa.select(sa.cast(sa.func.coalesce(sa.func.sum(hold.c.captured_minor), 0), sa.BigInteger))
        .where(hold.c.subject_id == pledge.c.id)
        .correlate(pledge)
        .scalar_subquery()
    )
    earns = sa.and_(pledge.c.state == PledgeState.FULFILLED, pledge.c.buyer_id != team.c.leader_id)
    due = sa.case((earns, (captured * team.c.commission_ppm + PPM // 2) // PPM), else_=0)
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, team, team.c.id == pledge.c.team_id)
        .outerjoin(commission, commission.c.pledge_id == pledge.c.id)
        .where(part.of(pledge.c.id), sa.func.coalesce(commission.c.amount_minor, 0) != due)
    )


def _of_nobodys_team(part: Part) -> Broken:
    """A commission names its pledge's team, merchandiser and currency."""
    rightful = sa.exists().where(
        pledge.c.id == commission.c.pledge_id,
        pledge.c.team_id == commission.c.team_id,
        campaign.c.id == pledge.c.campaign_id,
        campaign.c.organisation_id == commission.c.merchandiser_id,
        campaign.c.currency == commission.c.currency,
    )
    return sa.select(commission.c.pledge_id).where(part.of(commission.c.pledge_id), ~rightful)


def _misposted(part: Part) -> Broken:
    """A commission is one entry, from the merchandiser's account to the leader's, and one payout of the same amount."""

    def posted(kind: AccountKind, owner: sa.ColumnElement[object]) -> sa.ColumnElement[int]:
        found = (
            sa.select(sa.func.coalesce(sa.func.sum(signed_amount()), 0))
            .join_from(entry, posting, posting.c.entry_id == entry.c.id)
            .join(account, account.c.id == posting.c.account_id)
            .where(entry.c.reference == reference, entry.c.kind == COMMISSION)
            .where(account.c.kind == kind, account.c.owner_id == owner, account.c.currency == commission.c.currency)
        )
        return found.correlate(commission, team).scalar_subquery()

    reference = sa.literal(COMMISSION_REFERENCE) + hex_of(commission.c.pledge_id)
    paid = (
        sa.select(sa.func.coalesce(sa.func.sum(transfer.c.amount_minor), 0))
        .where(transfer.c.reference == reference, transfer.c.purpose == COMMISSION)
        .where(transfer.c.organisation_id == team.c.leader_id)
    )
    return (
        sa.select(commission.c.pledge_id)
        .join_from(commission, team, team.c.id == commission.c.team_id)
        .where(part.of(commission.c.pledge_id))
        .where(
            sa.or_(
                posted(AccountKind.BUYER_PAYABLE, team.c.leader_id) != commission.c.amount_minor,
                posted(AccountKind.MERCHANDISER_PAYABLE, commission.c.merchandiser_id) != -commission.c.amount_minor,
                paid.correlate(commission, team).scalar_subquery() != commission.c.amount_minor,
            )
        )
    )


def _posted_for_nothing(part: Part) -> Broken:
    earned = sa.exists().where(hex_of(commission.c.pledge_id) == hex_at_end(entry.c.reference))
    return sa.select(entry.c.id).where(part.of(entry.c.id), entry.c.kind == COMMISSION, ~earned)


def _borne_wrong(part: Part) -> Broken:
    """What a settlement took off the margin is the commissions that name its order, of the same merchandiser."""
    named = (
        sa.select(sa.func.coalesce(sa.func.sum(commission.c.amount_minor), 0))
        .where(commission.c.taken_by_id == settled.c.work_order_id)
        .where(commission.c.merchandiser_id == settled.c.merchandiser_id, commission.c.currency == settled.c.currency)
        .correlate(settled)
        .scalar_subquery()
    )
    return sa.select(settled.c.work_order_id).where(
        part.of(settled.c.work_order_id), settled.c.commission_minor != named
    )


def _borne_by_nobody(part: Part) -> Broken:
    account_of_it = sa.exists().where(settled.c.work_order_id == commission.c.taken_by_id)
    return sa.select(commission.c.pledge_id).where(
        part.of(commission.c.pledge_id), commission.c.taken_by_id.is_not(None), ~account_of_it
    )


EARNED = commission.c.pledge_id
CHECKS = (
    Check("I13", N_("A leader's commission isn't its share of what the member paid."), _not_as_agreed, pledge.c.id),
    Check("I13", N_("A commission isn't its team's, or not its merchandiser's to pay."), _of_nobodys_team, EARNED),
    Check("I13", N_("A commission isn't what was posted and paid for it."), _misposted, EARNED, COMMISSIONS_A_PART),
    Check("I13", N_("A commission was posted that nobody earned."), _posted_for_nothing, entry.c.id),
    Check(
        "I13",
        N_("A settlement took off other commissions than those that name it."),
        _borne_wrong,
        settled.c.work_order_id,
    ),
    Check("I13", N_("A commission names a settlement that doesn't exist."), _borne_by_nobody, EARNED),
)
