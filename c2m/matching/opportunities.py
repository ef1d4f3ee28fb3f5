"""What may come to a factory, and what went to others: how near it is, or was, to each order."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from c2m.demand.models import Campaign, CampaignState, DemandSheet, Policy
from c2m.design.categories import category_of
from c2m.matching import queries
from c2m.matching.inquiries import Growth, Running, growth
from c2m.matching.market import Line, WhyNot
from c2m.matching.models import Capability, LineKind, Offer, OfferState
from c2m.matching.promising import WEEKS
from c2m.matching.rules import first_week, free_between, weeks_from
from c2m.matching.unlocking import next_step

SHOWN = 12
LOOKED_THROUGH = 200  # of the latest offers of its kinds of product
LOOKED_BACK = timedelta(days=60)


@dataclass(frozen=True)
class Coming:
    """A running campaign that one of the factory's lines could make.

    `to_smallest` pieces are missing to the line's smallest order (0: reached), `to_next_price` to its next price.
    """

    campaign: Campaign
    line: Line
    pieces: int
    likely: int
    free: int
    to_smallest: int
    to_next_price: int | None


@dataclass(frozen=True)
class WentElsewhere:
    """Pieces that another factory accepted, and what kept this one from them."""

    sheet: DemandSheet
    quantity: int
    at: datetime
    why: WhyNot
    missing: int


def coming(session: Session, factory_id: UUID, *, now: datetime) -> list[Coming]:
    """The running campaigns of a factory's kinds of product, those nearest to an order of its own first."""
    own = [line for line in queries.capabilities(session, factory_id) if line.kind is LineKind.REGULAR]
    weeks = weeks_from(first_week(now), WEEKS)
    lines = [
        line
        for line in queries.lines_for(session, {line.category for line in own}, weeks).values()
        if line.id in {line.id for line in own} and line.process == category_of(line.category).process
    ]
    rows = session.exec(
        select(Campaign, Policy)
        .join(Policy, col(Policy.id) == col(Campaign.policy_id))
        .where(Campaign.state == CampaignState.OPEN, col(Campaign.category).in_([line.category for line in lines]))
    ).all()
    grown = growth(session)
    found = [
        _coming(campaign, policy, line, grown, now)
        for campaign, policy in rows
        for line in lines
        if (line.category, line.currency) == (campaign.category, campaign.currency)
    ]
    found.sort(key=lambda c: (c.free < c.likely, c.to_smallest / c.likely, c.campaign.deadline))
    return found[:SHOWN]


def _coming(campaign: Campaign, policy: Policy, line: Line, grown: Growth, now: datetime) -> Coming:
    pieces, smallest = campaign.certain_quantity, line.terms.smallest_order
    claim = Running(campaign, policy, 0).claim(grown, now=now)
    return Coming(
        campaign=campaign,
        line=line,
        pieces=pieces,
        likely=claim.likely,
        free=free_between(line.free, first_week(now), claim.certain_at, campaign.promised_date, line.terms.lead_days),
        to_smallest=max(smallest - pieces, 0),
        to_next_price=next_step(line, max(pieces, smallest)),
    )


def went_elsewhere(session: Session, factory_id: UUID, *, now: datetime) -> list[WentElsewhere]:
    """The latest orders of a factory's kinds of product that others accepted, with what kept it from them."""
    categories = {line.category for line in queries.capabilities(session, factory_id)}
    rows = session.exec(
        select(Offer, DemandSheet)
        .join(DemandSheet, col(DemandSheet.id) == col(Offer.sheet_id))
        .join(Capability, col(Capability.id) == col(Offer.capability_id))
        .where(
            Offer.state == OfferState.ACCEPTED,
            Offer.factory_id != factory_id,
            col(Offer.answered_at) >= now - LOOKED_BACK,
            col(Capability.category).in_(sorted(categories)),
        )
        .order_by(col(Offer.answered_at).desc())
        .limit(LOOKED_THROUGH)
    ).all()
    found = [own for offer, sheet in rows if (own := _elsewhere(offer, sheet, str(factory_id)))]
    return found[:SHOWN]


def _elsewhere(offer: Offer, sheet: DemandSheet, factory_id: str) -> WentElsewhere | None:
    """What kept a factory from an order; None where it was not among those that came nearest."""
    own = next((k for k in offer.explanation.get("passed_over", []) if k["factory_id"] == factory_id), None)
    if own is None or offer.answered_at is None:
        return None
    return WentElsewhere(sheet, offer.quantity, offer.answered_at, WhyNot(own["why"]), int(own["missing"]))
