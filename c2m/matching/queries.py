"""What stands in the tables of matching, read for planning and for the pages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.demand.models import Campaign, DemandSheet, Policy, SheetLine, SheetRelease, Variant
from c2m.errors import N_, NotFound
from c2m.identity.models import Organisation, OrganisationState
from c2m.matching.calendars import usual_capacity
from c2m.matching.market import HORIZON_WEEKS, Line, Market, OpenSheet
from c2m.matching.models import (
    HOLDING,
    OPEN,
    RETURNED,
    Booking,
    Capability,
    CapacityWeek,
    Factory,
    FactoryLevel,
    MatchRun,
    Offer,
    OfferLine,
    OfferState,
    PriceBreak,
)
from c2m.matching.newcomer_share import kept_for_newcomers, newcomers, terms_in_force
from c2m.matching.rules import PriceStep, Terms, first_week, matched_until, weeks_from
from c2m.money import share

Pieces = dict[UUID, dict[UUID, int]]  # sheet → variant → pieces


class OfferNotFound(NotFound):
    sentence = N_("There is no such offer.")


class FactoryNotFound(NotFound):
    sentence = N_("There is no such factory.")


class CapabilityNotFound(NotFound):
    sentence = N_("There is no such capability.")


def remaining_pieces(session: Session, sheet_ids: Sequence[UUID] | None = None) -> Pieces:
    """Pieces that nobody makes and nobody was asked to make, of these sheets or of all that are not served."""
    line, sheet = table_of(SheetLine), table_of(DemandSheet)
    left = (line.c.quantity - _released() - _allocated(HOLDING)).label("left")
    statement = sa.select(line.c.sheet_id, line.c.variant_id, left).order_by(line.c.sheet_id, line.c.variant_id)
    found: Pieces = defaultdict(dict)
    if sheet_ids is None:
        open_only = statement.join_from(line, sheet, sheet.c.id == line.c.sheet_id).where(sheet.c.served_at.is_(None))
        rows = list(session.execute(open_only))
    else:
        parts = chunks(sheet_ids)
        rows = [row for part in parts for row in session.execute(statement.where(line.c.sheet_id.in_(part)))]
    for row in rows:
        if row.left > 0:
            found[row.sheet_id][row.variant_id] = int(row.left)
    return dict(found)


def settled_sheets(session: Session, sheet_ids: Sequence[UUID]) -> list[UUID]:
    """Which of these sheets have every piece in an accepted offer or released."""
    line = table_of(SheetLine)
    left = line.c.quantity - _released() - _allocated((OfferState.ACCEPTED,))
    found: list[UUID] = []
    for part in chunks(sheet_ids):
        statement = sa.select(line.c.sheet_id).where(line.c.sheet_id.in_(part)).group_by(line.c.sheet_id)
        found += session.execute(statement.having(sa.func.sum(left) == 0)).scalars()
    return found


def _released() -> sa.ColumnElement[int]:
    line, released = table_of(SheetLine), table_of(SheetRelease)
    pieces = sa.select(sa.func.coalesce(sa.func.sum(released.c.quantity), 0)).where(
        released.c.sheet_id == line.c.sheet_id,
        released.c.variant_id == line.c.variant_id,
        released.c.left_free.is_(False),  # pieces that buyers left are in an accepted offer
    )
    return pieces.correlate(line).scalar_subquery()


def _allocated(states: Sequence[OfferState]) -> sa.ColumnElement[int]:
    line, offer, offered = table_of(SheetLine), table_of(Offer), table_of(OfferLine)
    pieces = (
        sa.select(sa.func.coalesce(sa.func.sum(offered.c.quantity), 0))
        .join_from(offer, offered, offered.c.offer_id == offer.c.id)
        .where(
            offer.c.sheet_id == line.c.sheet_id,
            offer.c.state.in_(states),
            offered.c.variant_id == line.c.variant_id,
        )
    )
    return pieces.correlate(line).scalar_subquery()


def open_market(session: Session, *, now: datetime) -> Market:
    """Every sheet with pieces left, and the free weeks of every verified factory's lines that could make them."""
    start = first_week(now)
    pieces = remaining_pieces(session)
    sheets = open_sheets(session, pieces, now=now)
    market = Market(
        start=start,
        sheets=sheets,
        lines=lines_for(session, {sheet.category for sheet in sheets.values()}, weeks_from(start, HORIZON_WEEKS)),
        banned=banned(session, list(sheets)),
        in_part=left_in_part(session, list(sheets)),
    )
    terms = terms_in_force(session)
    if not terms or not terms.newcomer_share_ppm or not sheets:
        return market
    return market.with_share_for(newcomers(session, terms), kept_for_newcomers(session, terms, sheets.values(), now))


def open_sheets(session: Session, pieces: Pieces, *, now: datetime) -> dict[UUID, OpenSheet]:
    """The sheets these pieces belong to that a factory is still looked for, oldest first."""
    sheet, campaign, policy = table_of(DemandSheet), table_of(Campaign), table_of(Policy)
    found: dict[UUID, OpenSheet] = {}
    for part in chunks(sorted(pieces)):
        rows = session.execute(
            sa.select(
                sheet,
                policy.c.compensation_ppm_per_day,
                policy.c.time_zone,
                policy.c.matching_days,
                campaign.c.idle_line_id,
            )
            .join_from(sheet, campaign, campaign.c.id == sheet.c.campaign_id)
            .join(policy, policy.c.id == campaign.c.policy_id)
            .where(sheet.c.id.in_(part))
            .order_by(sheet.c.id)
        )
        for row in rows:
            until = matched_until(row.issued_at, row.matching_days)
            if now >= until:
                continue
            found[row.id] = OpenSheet(
                id=row.id,
                currency=row.currency,
                category=row.category,
                processes=tuple(row.processes),
                unit_price_minor=row.unit_price_minor,
                target_cost_minor=row.target_cost_minor,
                compensation_ppm_per_day=row.compensation_ppm_per_day,
                required_date=row.required_date,
                time_zone=row.time_zone,
                matched_until=until,
                pieces=pieces[row.id],
                idle_line_id=row.idle_line_id,
            )
    return found


def unmatched_for_good(session: Session, *, now: datetime) -> list[UUID]:
    """Sheets for which a factory has been looked for as long as their policy says, and that are not served."""
    sheet, campaign, policy = table_of(DemandSheet), table_of(Campaign), table_of(Policy)
    rows = session.execute(
        sa.select(sheet.c.id, sheet.c.issued_at, policy.c.matching_days)
        .join_from(sheet, campaign, campaign.c.id == sheet.c.campaign_id)
        .join(policy, policy.c.id == campaign.c.policy_id)
        .where(sheet.c.served_at.is_(None))
        .order_by(sheet.c.id)
    )
    return [row.id for row in rows if now >= matched_until(row.issued_at, row.matching_days)]


def lines_for(session: Session, categories: set[str], weeks: Sequence[date]) -> dict[UUID, Line]:
    """The lines of verified factories in these categories, with what is free in these weeks."""
    capability, factory, organisation = table_of(Capability), table_of(Factory), table_of(Organisation)
    rows = session.execute(
        sa.select(capability, factory.c.currency, factory.c.on_time_ppm, factory.c.orders_in_time, factory.c.orders_due)
        .join_from(capability, factory, factory.c.id == capability.c.factory_id)
        .join(organisation, organisation.c.id == factory.c.id)
        .where(
            organisation.c.state == OrganisationState.ACTIVE,
            factory.c.level != FactoryLevel.LISTED,
            capability.c.category.in_(sorted(categories)),
        )
        .order_by(capability.c.id)
    ).all()
    steps = price_steps(session, [row.id for row in rows])
    free = free_pieces(session, {row.id: row.weekly_capacity for row in rows}, weeks)
    return {
        row.id: Line(
            id=row.id,
            factory_id=row.factory_id,
            currency=row.currency,
            category=row.category,
            process=row.process,
            on_time_ppm=row.on_time_ppm,
            terms=Terms(row.weekly_capacity, row.minimum, row.setup_minor, row.lead_days, steps[row.id]),
            free=tuple(free[row.id][week] for week in weeks),
            orders=(row.orders_in_time, row.orders_due),
        )
        for row in rows
        if row.id in steps
    }


def price_steps(session: Session, capability_ids: Sequence[UUID]) -> dict[UUID, tuple[PriceStep, ...]]:
    """The price breaks of each capability, from the fewest pieces up."""
    c = table_of(PriceBreak).c
    found: dict[UUID, list[PriceStep]] = defaultdict(list)
    for part in chunks(capability_ids):
        rows = session.execute(
            sa.select(c.capability_id, c.from_quantity, c.unit_price_minor, c.target_ppm)
            .where(c.capability_id.in_(part))
            .order_by(c.capability_id, c.from_quantity)
        )
        for row in rows:
            found[row.capability_id].append(PriceStep(row.from_quantity, row.unit_price_minor, row.target_ppm))
    return {capability_id: tuple(steps) for capability_id, steps in found.items()}


def free_pieces(session: Session, usual: Mapping[UUID, int], weeks: Sequence[date]) -> dict[UUID, dict[date, int]]:
    """Capacity less bookings of these lines in these weeks; `usual` is each line's capacity in an ordinary week."""
    c = table_of(CapacityWeek).c
    days = days_a_week(session, list(usual))
    free = {
        capability_id: {week: usual_capacity(pieces, week, days[capability_id]) for week in weeks}
        for capability_id, pieces in usual.items()
    }
    for part in chunks(sorted(usual)):
        rows = session.execute(
            sa.select(c.capability_id, c.week, (c.capacity - c.booked).label("pieces")).where(
                c.capability_id.in_(part), c.week.in_(weeks)
            )
        )
        for row in rows:
            free[row.capability_id][row.week] = row.pieces
    return free


def days_a_week(session: Session, capability_ids: Sequence[UUID]) -> dict[UUID, int]:
    """On how many days of an ordinary week each line works."""
    c = table_of(Capability).c
    found: dict[UUID, int] = {}
    for part in chunks(capability_ids):
        rows = session.execute(sa.select(c.id, c.days_a_week).where(c.id.in_(part)))
        found |= {row.id: row.days_a_week for row in rows}
    return found


def banned(session: Session, sheet_ids: Sequence[UUID]) -> frozenset[tuple[UUID, UUID]]:
    """(sheet, factory) where the factory has declined the sheet, left part of it, or let an offer of it run out."""
    c = table_of(Offer).c
    found: set[tuple[UUID, UUID]] = set()
    for part in chunks(sheet_ids):
        rows = session.execute(
            sa.select(c.sheet_id, c.factory_id)
            .where(c.sheet_id.in_(part), sa.or_(c.state.in_(RETURNED), c.untaken > 0))
            .distinct()
        )
        found |= {(row.sheet_id, row.factory_id) for row in rows}
    return frozenset(found)


def left_in_part(session: Session, sheet_ids: Sequence[UUID]) -> frozenset[tuple[UUID, UUID]]:
    """(sheet, factory) where the factory took a part of what it was offered of the sheet."""
    c = table_of(Offer).c
    found: set[tuple[UUID, UUID]] = set()
    for part in chunks(sheet_ids):
        in_part = c.sheet_id.in_(part), c.state == OfferState.ACCEPTED, c.untaken > 0
        rows = session.execute(sa.select(c.sheet_id, c.factory_id).where(*in_part).distinct())
        found |= {(row.sheet_id, row.factory_id) for row in rows}
    return frozenset(found)


@dataclass(frozen=True)
class InboxItem:
    """An offer as it stands in a factory's inbox."""

    offer: Offer
    sheet: DemandSheet
    campaign: Campaign

    @property
    def fit_score(self) -> int:
        return int(self.offer.explanation["fit"]["score"])


def inbox(
    session: Session, factory_id: UUID, *, state: OfferState = OfferState.OFFERED, limit: int = 100
) -> list[InboxItem]:
    """A factory's offers in a state: open ones best first, answered ones latest first."""
    statement = (
        select(Offer, DemandSheet, Campaign)
        .join(DemandSheet, col(DemandSheet.id) == col(Offer.sheet_id))
        .join(Campaign, col(Campaign.id) == col(DemandSheet.campaign_id))
        .where(Offer.factory_id == factory_id, Offer.state == state)
        .order_by(col(Offer.expires_at) if state in OPEN else col(Offer.answered_at).desc())
        .limit(limit)
    )
    items = [InboxItem(*row) for row in session.exec(statement).all()]
    if state is OfferState.OFFERED:
        items.sort(key=lambda item: (-item.fit_score, item.offer.expires_at))
    return items


def offers_by_state(session: Session, factory_id: UUID) -> dict[OfferState, int]:
    """How many offers a factory has in each state."""
    c = table_of(Offer).c
    statement = sa.select(c.state, sa.func.count()).where(c.factory_id == factory_id).group_by(c.state)
    return {OfferState(state): int(count) for state, count in session.execute(statement)}


@dataclass(frozen=True)
class OfferDetail:
    """One offer with its sheet and policy, its pieces by variant and the weeks it takes."""

    offer: Offer
    sheet: DemandSheet
    campaign: Campaign
    policy: Policy
    pieces: list[tuple[Variant, int]]
    weeks: list[Booking]

    @property
    def fee_minor(self) -> int:
        """The platform's share of what the factory earns, in minor units."""
        return share(self.offer.total_minor, self.policy.fee_ppm)

    @property
    def net_minor(self) -> int:
        """What the factory is paid if everything is in time."""
        return self.offer.total_minor - self.fee_minor


def offer_detail(session: Session, offer_id: UUID, *, factory_id: UUID) -> OfferDetail:
    """A factory's own offer; other factories' are not found.

    Raises:
        OfferNotFound
    """
    found = session.exec(
        select(Offer, DemandSheet, Campaign, Policy)
        .join(DemandSheet, col(DemandSheet.id) == col(Offer.sheet_id))
        .join(Campaign, col(Campaign.id) == col(DemandSheet.campaign_id))
        .join(Policy, col(Policy.id) == col(Campaign.policy_id))
        .where(Offer.id == offer_id, Offer.factory_id == factory_id)
    ).first()
    if found is None:
        raise OfferNotFound(offer_id=offer_id)
    pieces = session.exec(
        select(Variant, OfferLine.quantity)
        .join(OfferLine, col(OfferLine.variant_id) == col(Variant.id))
        .where(OfferLine.offer_id == offer_id)
        .order_by(col(Variant.position))
    ).all()
    taken = select(Booking).where(Booking.offer_id == offer_id).order_by(col(Booking.week))
    if found[0].state not in RETURNED:  # what was given back was all of it; else only what is still taken counts
        taken = taken.where(col(Booking.released_at).is_(None))
    weeks = session.exec(taken).all()
    return OfferDetail(*found, pieces=[(variant, quantity) for variant, quantity in pieces], weeks=list(weeks))


def capabilities(session: Session, factory_id: UUID) -> list[Capability]:
    """A factory's lines."""
    statement = select(Capability).where(Capability.factory_id == factory_id)
    return list(session.exec(statement.order_by(col(Capability.category), col(Capability.process))).all())


def factory(session: Session, factory_id: UUID) -> Factory:
    """A factory's profile.

    Raises:
        FactoryNotFound
    """
    found = session.get(Factory, factory_id)
    if found is None:
        raise FactoryNotFound(factory_id=factory_id)
    return found


def capability_of(session: Session, capability_id: UUID, *, factory_id: UUID) -> Capability:
    """A factory's own line; other factories' are not found.

    Raises:
        CapabilityNotFound
    """
    found = session.get(Capability, capability_id)
    if found is None or found.factory_id != factory_id:
        raise CapabilityNotFound(capability_id=capability_id)
    return found


def match_runs(session: Session, *, limit: int = 50, before: UUID | None = None) -> list[MatchRun]:
    """The latest match runs, newest first, paged by run id."""
    statement = select(MatchRun).order_by(col(MatchRun.id).desc()).limit(limit)
    if before is not None:
        statement = statement.where(col(MatchRun.id) < before)
    return list(session.exec(statement).all())
