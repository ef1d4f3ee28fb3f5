"""Reads that more than one caller needs."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import chunks, table_of
from c2m.demand.models import (
    BuyerTotal,
    Campaign,
    Consent,
    DemandSheet,
    Pledge,
    PledgeChange,
    PledgeLine,
    PledgeState,
    PriceTier,
    SheetLine,
    SheetRelease,
    Variant,
    Waiting,
    WaitingState,
)
from c2m.demand.rules import Ladder
from c2m.errors import N_, NotFound
from c2m.identity.models import Organisation

GONE = (PledgeState.CANCELLED, PledgeState.REFUNDED, PledgeState.FORFEITED)


class CampaignNotFound(NotFound):
    sentence = N_("There is no such campaign.")


class PledgeNotFound(NotFound):
    sentence = N_("There is no such order.")


class WaitingNotFound(NotFound):
    sentence = N_("There is no such place on a waiting list.")


class SheetNotFound(NotFound):
    sentence = N_("There is no such demand sheet.")


def campaign(session: Session, campaign_id: UUID) -> Campaign:
    """The campaign with this id.

    Raises:
        CampaignNotFound
    """
    found = session.get(Campaign, campaign_id)
    if found is None:
        raise CampaignNotFound(campaign_id=campaign_id)
    return found


def round_of(session: Session, campaign_id: UUID | None) -> Campaign | None:
    """The round a campaign came from, if any."""
    return None if campaign_id is None else session.get(Campaign, campaign_id)


def round_after(session: Session, campaign_id: UUID) -> Campaign | None:
    """The next round of a campaign that failed, if it began anew."""
    return session.exec(select(Campaign).where(Campaign.previous_round_id == campaign_id)).first()


def changes_of(session: Session, pledge_id: UUID) -> list[PledgeChange]:
    """What a close, an extension or a queue did to a pledge, in the order it happened."""
    statement = select(PledgeChange).where(PledgeChange.pledge_id == pledge_id).order_by(col(PledgeChange.id))
    return list(session.exec(statement).all())


def carried_to(session: Session, pledge_id: UUID) -> Pledge | None:
    """What a pledge became in the next round, if it came along."""
    return session.exec(select(Pledge).where(Pledge.carried_from_id == pledge_id)).first()


def carried_on(session: Session, pledge_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these pledges that went on to a next round."""
    c = table_of(Pledge).c
    found: set[UUID] = set()
    for part in chunks(pledge_ids):
        found |= set(session.execute(sa.select(c.carried_from_id).where(c.carried_from_id.in_(part))).scalars())
    return found


def consents(session: Session, campaign_id: UUID) -> dict[Consent, int]:
    """How many pledges gave which answer to a campaign's extension."""
    c = table_of(Pledge).c
    asked = (c.campaign_id == campaign_id, c.consent.is_not(None))
    rows = session.execute(sa.select(c.consent, sa.func.count()).where(*asked).group_by(c.consent))
    return {Consent(consent): count for consent, count in rows}


def pledge_of(session: Session, pledge_id: UUID, *, buyer_id: UUID) -> Pledge:
    """A buyer's own pledge; other people's are not found.

    Raises:
        PledgeNotFound
    """
    found = session.get(Pledge, pledge_id)
    if found is None or found.buyer_id != buyer_id:
        raise PledgeNotFound(pledge_id=pledge_id)
    return found


def waiting_of(session: Session, waiting_id: UUID, *, buyer_id: UUID) -> Waiting:
    """A buyer's own place on a waiting list; other people's are not found.

    Raises:
        WaitingNotFound
    """
    found = session.get(Waiting, waiting_id)
    if found is None or found.buyer_id != buyer_id:
        raise WaitingNotFound(waiting_id=waiting_id)
    return found


def waiting_in(session: Session, campaign_id: UUID, buyer_id: UUID) -> Waiting | None:
    """A buyer's place in the queue for a campaign's pieces, if it waits there."""
    return session.exec(
        select(Waiting).where(
            Waiting.campaign_id == campaign_id, Waiting.buyer_id == buyer_id, Waiting.state == WaitingState.WAITING
        )
    ).first()


def places_of(session: Session, buyer_id: UUID) -> list[tuple[Waiting, Campaign]]:
    """Where a buyer waits, the newest place first."""
    statement = (
        select(Waiting, Campaign)
        .join(Campaign, col(Campaign.id) == col(Waiting.campaign_id))
        .where(Waiting.buyer_id == buyer_id, Waiting.state == WaitingState.WAITING)
        .order_by(col(Waiting.id).desc())
    )
    return [(place, found) for place, found in session.exec(statement)]


@dataclass(frozen=True)
class Queue:
    """How many wait for a campaign's pieces, for how many in all; `before` of them came before one of them."""

    places: int
    pieces: int
    before: int


def queue_of(session: Session, campaign_id: UUID, *, before: UUID | None = None) -> Queue:
    """The queue for a campaign's pieces, and how much of it stands before one place."""
    c = table_of(Waiting).c
    ahead = sa.false() if before is None else c.id < before
    places, pieces, first = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(c.quantity - c.filled_quantity), 0),
            sa.func.coalesce(sa.func.sum(sa.case((ahead, 1), else_=0)), 0),
        ).where(c.campaign_id == campaign_id, c.state == WaitingState.WAITING)
    ).one()
    return Queue(int(places), int(pieces), int(first))


def sheet(session: Session, sheet_id: UUID) -> DemandSheet:
    """The demand sheet with this id.

    Raises:
        SheetNotFound
    """
    found = session.get(DemandSheet, sheet_id)
    if found is None:
        raise SheetNotFound(sheet_id=sheet_id)
    return found


def ladders(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, Ladder]:
    """The price ladder of each campaign."""
    tier = table_of(PriceTier)
    pairs: dict[UUID, list[tuple[int, int]]] = defaultdict(list)
    for part in chunks(campaign_ids):
        rows = session.execute(
            sa.select(tier.c.campaign_id, tier.c.from_quantity, tier.c.price_minor).where(tier.c.campaign_id.in_(part))
        )
        for campaign_id, from_quantity, price_minor in rows:
            pairs[campaign_id].append((from_quantity, price_minor))
    return {campaign_id: Ladder.of(found) for campaign_id, found in pairs.items()}


def ladder(session: Session, campaign_id: UUID) -> Ladder:
    """The price ladder of one campaign."""
    return ladders(session, [campaign_id])[campaign_id]


def variants(session: Session, campaign_id: UUID) -> list[Variant]:
    """A campaign's variants in the merchandiser's order."""
    statement = select(Variant).where(Variant.campaign_id == campaign_id).order_by(col(Variant.position))
    return list(session.exec(statement).all())


def pledge_lines(session: Session, pledge_ids: Sequence[UUID]) -> dict[UUID, list[PledgeLine]]:
    """The variants of each pledge."""
    found: dict[UUID, list[PledgeLine]] = defaultdict(list)
    for part in chunks(pledge_ids):
        for line in session.exec(select(PledgeLine).where(col(PledgeLine.pledge_id).in_(part))):
            found[line.pledge_id].append(line)
    return found


@dataclass(frozen=True)
class Joiner:
    """A recent joiner as strangers may see one: a masked name and a place."""

    initial: str
    region: str
    pieces: int
    at: datetime


def recent_joiners(session: Session, campaign_id: UUID, *, limit: int = 6) -> list[Joiner]:
    """The latest buyers with living pledges, names masked; the merchandiser itself is none."""
    pledge, organisation = table_of(Pledge).c, table_of(Organisation).c
    newest = (pledge.placed_at.desc(), pledge.id.desc())
    latest = (
        sa.select(pledge.id, pledge.buyer_id, pledge.region, pledge.quantity, pledge.placed_at)
        .where(pledge.campaign_id == campaign_id, pledge.state.not_in(GONE), ~pledge.merchant_funded)
        .order_by(*newest)
        .limit(limit)
        .subquery()  # chosen before names are looked up: a hot campaign has thousands
    )
    statement = (
        sa.select(organisation.name, latest.c.region, latest.c.quantity, latest.c.placed_at)
        .join_from(latest, table_of(Organisation), latest.c.buyer_id == organisation.id)
        .order_by(latest.c.placed_at.desc(), latest.c.id.desc())
    )
    return [Joiner(name[:1], region, pieces, at) for name, region, pieces, at in session.execute(statement)]


def queue_masked(session: Session, campaign_id: UUID, *, limit: int = 12) -> list[Joiner]:
    """The first in the queue for a campaign's pieces, names masked, with the pieces they still wait for."""
    statement = (
        select(
            Organisation.name,
            Waiting.region,
            col(Waiting.quantity) - col(Waiting.filled_quantity),
            Waiting.placed_at,
        )
        .join(Organisation, col(Waiting.buyer_id) == col(Organisation.id))
        .where(Waiting.campaign_id == campaign_id, Waiting.state == WaitingState.WAITING)
        .order_by(col(Waiting.id))
        .limit(limit)
    )
    return [Joiner(name[:1], region, pieces, at) for name, region, pieces, at in session.exec(statement)]


def joined(session: Session, campaign_id: UUID) -> tuple[int, int, int]:
    """How many buyers are in, with how many pieces in all, and how many of those the merchandiser itself took."""
    pledge = table_of(Pledge).c
    own = sa.case((pledge.merchant_funded, pledge.quantity), else_=0)
    buyer = sa.case((~pledge.merchant_funded, pledge.buyer_id))
    statement = sa.select(sa.func.count(sa.distinct(buyer)), sa.func.sum(pledge.quantity), sa.func.sum(own)).where(
        pledge.campaign_id == campaign_id, pledge.state.not_in(GONE)
    )
    buyers, pieces, merchants = session.execute(statement).one()
    return int(buyers), int(pieces or 0), int(merchants or 0)


def pledge_curve(session: Session, campaign: Campaign) -> list[tuple[datetime, int]]:
    """Pieces in living pledges as they came: (instant, total so far), thinned to at most 60 points."""
    pledge = table_of(Pledge).c
    living = (pledge.campaign_id == campaign.id, pledge.state.not_in(GONE))
    pledges = session.execute(sa.select(sa.func.count()).where(*living)).scalar_one()
    arrival = (pledge.placed_at, pledge.id)
    joined = (
        sa.select(
            pledge.placed_at,
            sa.func.sum(pledge.quantity).over(order_by=arrival, rows=(None, 0)).label("total"),
            sa.func.row_number().over(order_by=arrival).label("place"),
        )
        .where(*living)
        .subquery()
    )
    shown = sa.or_((joined.c.place - 1) % max(1, pledges // 60) == 0, joined.c.place == pledges)
    points = sa.select(joined.c.placed_at, joined.c.total).where(shown).order_by(joined.c.place)
    return [(row.placed_at, int(row.total)) for row in session.execute(points)]


def held_by(session: Session, campaign_id: UUID, buyer_id: UUID) -> int:
    """Pieces a buyer holds of a campaign that limits them, extra ones among them."""
    total = session.get(BuyerTotal, (campaign_id, buyer_id))
    return total.quantity if total else 0


def pledges_of(session: Session, campaign_id: UUID, buyer_id: UUID) -> list[Pledge]:
    """A buyer's pledges in a campaign, newest first."""
    statement = select(Pledge).where(Pledge.campaign_id == campaign_id, Pledge.buyer_id == buyer_id)
    return list(session.exec(statement.order_by(col(Pledge.placed_at).desc())).all())


def open_sheets(session: Session) -> list[DemandSheet]:
    """Demand sheets with pieces still to be matched, oldest first."""
    statement = select(DemandSheet).where(col(DemandSheet.served_at).is_(None)).order_by(col(DemandSheet.id))
    return list(session.exec(statement).all())


def sheet_lines(session: Session, sheet_ids: Sequence[UUID]) -> dict[UUID, list[SheetLine]]:
    """The confirmed pieces of each sheet by variant."""
    found: dict[UUID, list[SheetLine]] = defaultdict(list)
    for part in chunks(sheet_ids):
        for line in session.exec(select(SheetLine).where(col(SheetLine.sheet_id).in_(part))):
            found[line.sheet_id].append(line)
    return found


def released_units(session: Session, sheet_ids: Sequence[UUID]) -> dict[tuple[UUID, UUID], int]:
    """Pieces no factory will make: (sheet, variant) → pieces released."""
    table = table_of(SheetRelease)
    found: dict[tuple[UUID, UUID], int] = {}
    for part in chunks(sheet_ids):
        rows = session.execute(
            sa.select(table.c.sheet_id, table.c.variant_id, sa.func.sum(table.c.quantity))
            .where(table.c.sheet_id.in_(part), table.c.left_free.is_(False))
            .group_by(table.c.sheet_id, table.c.variant_id)
        )
        found |= {(sheet_id, variant_id): int(quantity) for sheet_id, variant_id, quantity in rows}
    return found
