"""Groups that merchandisers open on a factory's idle weeks: what the factory asks for them."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of
from c2m.demand.models import Campaign, CampaignState, DemandSheet
from c2m.identity.models import Organisation
from c2m.matching.models import Capability, Factory, LineKind
from c2m.matching.queries import free_pieces, price_steps
from c2m.matching.rules import Quote, Terms, first_week
from c2m.money import PPM


@dataclass(frozen=True)
class IdleGroup:
    """An idle week that a group was opened on, and what its factory asks for the group's pieces."""

    organisation: Organisation
    week: date
    discount_ppm: int
    free: int
    over: bool  # begun, or too little of it free for the line's smallest order
    currency: str
    quote: Quote | None  # None: the line prices by a sheet's target cost


def idle_group(
    session: Session, line_id: UUID, week: date, category: str, pieces: int, *, now: datetime
) -> IdleGroup | None:
    """What the factory of an idle line asks for so many pieces in this week, or for its smallest order if that is
    more; None where no such idle line makes the category."""
    line = session.get(Capability, line_id)
    if line is None or line.kind is not LineKind.IDLE or line.category != category:
        return None
    factory, organisation = session.get_one(Factory, line.factory_id), session.get_one(Organisation, line.factory_id)
    free = free_pieces(session, {line.id: line.weekly_capacity}, [week])[line.id][week]
    steps = price_steps(session, [line.id]).get(line.id, ())
    terms = Terms(line.weekly_capacity, line.minimum, line.setup_minor, line.lead_days, steps)
    priced = all(step.unit_price_minor is not None for step in steps)
    return IdleGroup(
        organisation=organisation,
        week=week,
        discount_ppm=PPM - line.price_ppm,
        free=free,
        over=week < first_week(now) or free < line.minimum,
        currency=factory.currency,
        quote=terms.quote(max(pieces, terms.smallest_order), 0) if steps and priced else None,
    )


def groups_open_on(session: Session, line_id: UUID) -> int:
    """How many groups were opened on a line's idle weeks and still run, or wait for their factories."""
    campaign, sheet = table_of(Campaign).c, table_of(DemandSheet).c
    waiting = sa.exists().where(sheet.campaign_id == campaign.id, sheet.served_at.is_(None))
    runs = campaign.state.in_([CampaignState.OPEN, CampaignState.CLOSING])
    statement = sa.select(sa.func.count()).where(campaign.idle_line_id == line_id, sa.or_(runs, waiting))
    return int(session.execute(statement).scalar_one())
