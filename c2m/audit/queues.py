"""I4, I5 and I10: waiting lists are what their pledges say and nobody waits in vain; samples are credited once."""

import sqlalchemy as sa

from c2m.audit.check import Broken, Check, Part, underway
from c2m.db import table_of
from c2m.demand.models import (
    BuyerTotal,
    Campaign,
    CampaignKind,
    CampaignState,
    ChangeKind,
    DemandSheet,
    Pledge,
    PledgeChange,
    PledgeState,
    SampleCredit,
    Waiting,
    WaitingLine,
    WaitingPledge,
    WaitingState,
)
from c2m.demand.outcomes import FOLLOW_OUTCOMES
from c2m.demand.queries import GONE
from c2m.errors import N_

CAMPAIGNS_A_PART = 1_000
OVER = (CampaignState.FAILED, CampaignState.CANCELLED)

waiting, waiting_line, made, pledge, campaign, total, credit, sheet, change = (
    table_of(model)
    for model in (
        Waiting,
        WaitingLine,
        WaitingPledge,
        Pledge,
        Campaign,
        BuyerTotal,
        SampleCredit,
        DemandSheet,
        PledgeChange,
    )
)


def _filled_otherwise(part: Part) -> Broken:
    """A place is filled with the pieces that its pledges were placed for, in its own campaign, by its own buyer."""
    pieces = (
        sa.select(sa.func.sum(change.c.pieces))
        .where(change.c.pledge_id == pledge.c.id, change.c.kind == ChangeKind.MOVED_UP)
        .correlate(pledge)
        .scalar_subquery()
    )
    own = sa.and_(pledge.c.campaign_id == waiting.c.campaign_id, pledge.c.buyer_id == waiting.c.buyer_id)
    placed = sa.case((own, sa.func.coalesce(pieces, 0)), else_=0)
    return (
        sa.select(waiting.c.id)
        .join_from(waiting, made, made.c.waiting_id == waiting.c.id, isouter=True)
        .outerjoin(pledge, pledge.c.id == made.c.pledge_id)
        .where(part.of(waiting.c.id))
        .group_by(waiting.c.id, waiting.c.filled_quantity)
        .having(sa.func.coalesce(sa.func.sum(placed), 0) != waiting.c.filled_quantity)
    )


def _moved_up_otherwise(part: Part) -> Broken:
    """While its campaign runs, a pledge made of a place has the pieces that moved up."""
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, change, sa.and_(change.c.pledge_id == pledge.c.id, change.c.kind == ChangeKind.MOVED_UP))
        .join(campaign, campaign.c.id == pledge.c.campaign_id)
        .where(part.of(pledge.c.id), campaign.c.state.in_([CampaignState.OPEN, CampaignState.CLOSING]))
        .where(pledge.c.quantity != change.c.pieces)
    )


def _place_out_of_step(part: Part) -> Broken:
    """A place is filled if and only if nothing of it is left, and has ended unless it waits."""
    filled = waiting.c.filled_quantity == waiting.c.quantity
    pieces = (
        sa.select(sa.func.sum(waiting_line.c.quantity))
        .where(waiting_line.c.waiting_id == waiting.c.id)
        .correlate(waiting)
        .scalar_subquery()
    )
    return sa.select(waiting.c.id).where(
        part.of(waiting.c.id),
        sa.or_(
            (waiting.c.state == WaitingState.FILLED) != filled,
            (waiting.c.state == WaitingState.WAITING) != waiting.c.ended_at.is_(None),
            sa.func.coalesce(pieces, 0) != waiting.c.quantity,
        ),
    )


def _passed_over(part: Part) -> Broken:
    """Pieces of an open campaign are free, and somebody who waits could have them."""
    left = waiting.c.quantity - waiting.c.filled_quantity
    free = campaign.c.cap - campaign.c.pledged_quantity
    room = sa.func.coalesce(campaign.c.per_buyer_limit - sa.func.coalesce(total.c.quantity, 0), left)
    fits = sa.or_(sa.and_(left <= free, left <= room), sa.and_(waiting.c.takes_part.is_(True), free > 0, room > 0))
    same = sa.and_(total.c.campaign_id == waiting.c.campaign_id, total.c.buyer_id == waiting.c.buyer_id)
    return (
        sa.select(waiting.c.id)
        .join_from(waiting, campaign, campaign.c.id == waiting.c.campaign_id)
        .outerjoin(total, same)
        .where(part.of(waiting.c.id), waiting.c.state == WaitingState.WAITING, fits)
        .where(campaign.c.state == CampaignState.OPEN, campaign.c.deadline > part.now)
    )


def _waits_in_vain(part: Part) -> Broken:
    """The campaign is over, a presale's forfeited pieces are given away, and nothing will end the queue."""
    ordered = sa.exists().where(sheet.c.campaign_id == campaign.c.id)
    sold = sa.and_(
        campaign.c.state == CampaignState.SUCCEEDED, sa.or_(campaign.c.kind != CampaignKind.PRESALE, ordered)
    )
    return (
        sa.select(waiting.c.id)
        .join_from(waiting, campaign, campaign.c.id == waiting.c.campaign_id)
        .where(part.of(waiting.c.id), waiting.c.state == WaitingState.WAITING)
        .where(sa.or_(campaign.c.state.in_(OVER), sold))
        .where(~underway(campaign.c.id, FOLLOW_OUTCOMES, "demand.campaigns_closed"))
    )


def _credited_otherwise(part: Part) -> Broken:
    """What was taken off a living or fulfilled pledge is what samples were credited to it."""
    given = (
        sa.select(credit.c.pledge_id, sa.func.sum(credit.c.amount_minor).label("minor"))
        .where(part.of(credit.c.pledge_id))
        .group_by(credit.c.pledge_id)
        .subquery()
    )
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, given, given.c.pledge_id == pledge.c.id, isouter=True)
        .where(part.of(pledge.c.id), pledge.c.state.not_in(GONE))
        .where(pledge.c.credit_minor != sa.func.coalesce(given.c.minor, 0))
    )


def _credited_wrongly(part: Part) -> Broken:
    """A credit is of a sample its buyer received, of the product the pledge is for, and no more than it cost."""
    sample = pledge.alias("sample")
    cost = sample.c.delivered_quantity * sample.c.final_price_minor
    right = sa.and_(
        sample.c.state == PledgeState.FULFILLED,
        sample.c.buyer_id == pledge.c.buyer_id,
        sample.c.campaign_id == campaign.c.sample_campaign_id,
        credit.c.amount_minor <= cost,
    )
    return (
        sa.select(credit.c.sample_pledge_id)
        .join_from(credit, pledge, pledge.c.id == credit.c.pledge_id)
        .join(sample, sample.c.id == credit.c.sample_pledge_id)
        .join(campaign, campaign.c.id == pledge.c.campaign_id)
        .where(part.of(credit.c.sample_pledge_id), sa.not_(sa.func.coalesce(right, sa.false())))
    )


PLACES, PLEDGES = waiting.c.id, pledge.c.id
CHECKS = (
    Check("I4", N_("A place in a queue isn't filled with the pieces of its pledges."), _filled_otherwise, PLACES),
    Check("I4", N_("A pledge isn't the pieces that moved up for it."), _moved_up_otherwise, PLEDGES),
    Check("I4", N_("A place in a queue contradicts its pieces or its end."), _place_out_of_step, PLACES),
    Check("I4", N_("Pieces are free and somebody who could have them still waits."), _passed_over, PLACES),
    Check("I5", N_("What samples took off a pledge isn't what they were credited with."), _credited_otherwise, PLEDGES),
    Check(
        "I5",
        N_("A sample was credited to a pledge it can't be credited to."),
        _credited_wrongly,
        credit.c.sample_pledge_id,
    ),
    Check("I10", N_("A campaign is over, somebody still waits, and nothing will end that."), _waits_in_vain, PLACES),
)
