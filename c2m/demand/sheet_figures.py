"""A demand sheet as it is read: matrix, size curve, regions, versions, and the pledges behind each figure.

Whatever is summed is summed by the database: once over the pledge lines by variant and place, then turned into
colours × sizes and regions × sizes with `sum(…) FILTER`. No pledge is ever an object here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of
from c2m.demand import queries
from c2m.demand.models import (
    Campaign,
    DemandSheet,
    Pledge,
    PledgeLine,
    PledgeState,
    SheetPledge,
    SheetRelease,
    Variant,
)
from c2m.identity.models import Organisation

CONFIRMED = (PledgeState.CONFIRMED, PledgeState.FULFILLED)
LINE = ("sheet_id", "variant_id", "pledge_id")

campaign, sheet, pledge, line, variant, organisation = (
    table_of(model) for model in (Campaign, DemandSheet, Pledge, PledgeLine, Variant, Organisation)
)
made_of, released_line = table_of(SheetPledge), table_of(SheetRelease)


class NoSuchVersion(queries.SheetNotFound):
    """A sheet has the versions 1 to its present one."""


@dataclass(frozen=True)
class Row:
    """Pieces of one colour, of one region, or of all, in each size; None in a size that isn't made."""

    name: str
    pieces: int
    by_size: Mapping[str, int | None]


@dataclass(frozen=True)
class Figures:
    """A sheet's figures: sizes in the merchandiser's order, colours likewise, regions by their pieces."""

    sizes: tuple[str, ...] = ()
    colours: tuple[Row, ...] = ()
    regions: tuple[Row, ...] = ()
    total: Row = field(default_factory=lambda: Row("", 0, {}))

    @property
    def has_sizes(self) -> bool:
        """Whether there is a size curve to speak of."""
        return len(self.sizes) > 1 or any(self.sizes)


@dataclass(frozen=True)
class Figure:
    """Which figure of a sheet: every part that is None stands for all of them."""

    colour: str | None = None
    size: str | None = None
    region: str | None = None

    def __bool__(self) -> bool:
        return self != Figure()


@dataclass(frozen=True)
class Change:
    """Pieces of one variant that a version left out."""

    colour: str
    size: str
    pieces: int


@dataclass(frozen=True)
class Version:
    """A version of a sheet: when it was issued, how many pieces it asks for, what it leaves out of the one before."""

    number: int
    issued_at: datetime
    pieces: int
    changes: tuple[Change, ...] = ()


def sheet_of(session: Session, sheet_id: UUID, *, organisation_id: UUID | None) -> DemandSheet:
    """A merchandiser's own demand sheet; for None, the operator, any.

    Raises:
        SheetNotFound
    """
    found = queries.sheet(session, sheet_id)
    if organisation_id is not None:
        owner = queries.campaign(session, found.campaign_id)
        if owner.organisation_id != organisation_id:
            raise queries.SheetNotFound(sheet_id=sheet_id)
    return found


def sheets(organisation_id: UUID | None) -> sa.Select[Any]:
    """A merchandiser's demand sheets, newest first; for None, the operator, all."""
    statement = sa.select(DemandSheet)
    if organisation_id is not None:
        own = sa.select(campaign.c.id).where(campaign.c.organisation_id == organisation_id)
        statement = statement.where(sheet.c.campaign_id.in_(own))
    return statement.order_by(sheet.c.issued_at.desc(), sheet.c.id.desc())


def released(session: Session, sheet_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The pieces of each sheet that no factory will make; sheets without any are left out."""
    totals: dict[UUID, int] = {}
    for (sheet_id, _variant_id), pieces in queries.released_units(session, sheet_ids).items():
        totals[sheet_id] = totals.get(sheet_id, 0) + pieces
    return totals


def state_of(found: DemandSheet, released_pieces: int) -> str:
    """Where the matching of a sheet stands: matching, matched, partly_matched or unserved."""
    if found.served_at is None:
        return "matching"
    if not released_pieces:
        return "matched"
    return "unserved" if released_pieces >= found.quantity else "partly_matched"


def versions(session: Session, found: DemandSheet) -> list[Version]:
    """Every version of a sheet, the first one first, each with what it leaves out."""
    rows = session.execute(
        sa.select(
            released_line.c.version,
            variant.c.colour,
            variant.c.size,
            sa.func.sum(released_line.c.quantity).label("pieces"),
            sa.func.max(released_line.c.released_at).label("at"),
        )
        .join_from(released_line, variant, variant.c.id == released_line.c.variant_id)
        .where(released_line.c.sheet_id == found.id)
        .group_by(released_line.c.version, variant.c.id)
        .order_by(released_line.c.version, variant.c.position)
    ).all()
    told = [Version(1, found.issued_at, found.quantity)]
    for number in dict.fromkeys(row.version for row in rows):
        mine = [row for row in rows if row.version == number]
        changes = tuple(Change(row.colour, row.size, int(row.pieces)) for row in mine)
        left = told[-1].pieces - sum(change.pieces for change in changes)
        told.append(Version(number, mine[0].at, left, changes))
    return told


def version_of(found: DemandSheet, number: int | None) -> int:
    """The version asked for, the present one for None.

    Raises:
        NoSuchVersion
    """
    if number is None:
        return found.version
    if not 1 <= number <= found.version:
        raise NoSuchVersion(sheet_id=found.id, version=number)
    return number


def figures(session: Session, found: DemandSheet, version: int) -> Figures:
    """One version of a sheet in figures."""
    counted = _in_sheet(found.id, version).cte("counted")
    return _pivoted(session, counted, [found.campaign_id]).get(found.campaign_id, Figures())


def full_sheets(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, Figures]:
    """What the sheets of these campaigns come to, straight from their confirmed pledges: campaign → figures."""
    return _pivoted(session, _pledged(campaign_ids, CONFIRMED).cte("counted"), campaign_ids)


def demand_so_far(session: Session, campaign_id: UUID) -> Figures:
    """The sheet a campaign would have if all that is pledged and not gone were confirmed."""
    living = tuple(state for state in PledgeState if state not in queries.GONE)
    return _pivoted(session, _pledged([campaign_id], living).cte("counted"), [campaign_id]).get(campaign_id, Figures())


def pledge_lines(sheet_id: UUID, figure: Figure, version: int) -> sa.Select[Any]:
    """The pledge lines one figure of a sheet's version is made of, oldest first; buyers by their first letter only."""
    gone = (
        sa.select(*(released_line.c[name] for name in LINE), sa.func.sum(released_line.c.quantity).label("pieces"))
        .where(released_line.c.sheet_id == sheet_id, released_line.c.version <= version)
        .group_by(*(released_line.c[name] for name in LINE))
        .subquery()
    )
    left = made_of.c.quantity - sa.func.coalesce(gone.c.pieces, 0)
    statement = (
        sa.select(
            made_of.c.pledge_id,
            variant.c.colour,
            variant.c.size,
            left.label("quantity"),
            sa.func.coalesce(gone.c.pieces, 0).label("released"),
            sa.func.substr(organisation.c.name, 1, 1).label("initial"),
            _place().label("region"),
            pledge.c.merchant_funded,
            pledge.c.placed_at,
        )
        .join_from(made_of, pledge, made_of.c.pledge_id == pledge.c.id)
        .join(organisation, pledge.c.buyer_id == organisation.c.id)
        .join(variant, made_of.c.variant_id == variant.c.id)
        .join(gone, sa.and_(*(gone.c[name] == made_of.c[name] for name in LINE)), isouter=True)
        .where(made_of.c.sheet_id == sheet_id, left > 0)
    )
    chosen = {variant.c.colour: figure.colour, variant.c.size: figure.size, _place(): figure.region}
    statement = statement.where(*(column == value for column, value in chosen.items() if value is not None))
    return statement.order_by(pledge.c.placed_at, made_of.c.pledge_id, variant.c.position)


def pieces_by_place(session: Session, sheet_id: UUID, version: int) -> dict[tuple[str, str], dict[str, int]]:
    """Pieces of each colour and size by region, the regions with most pieces first."""
    lines = pledge_lines(sheet_id, Figure(), version).order_by(None).subquery()
    pieces = sa.func.sum(lines.c.quantity)
    named = (lines.c.colour, lines.c.size, lines.c.region)
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    rows = session.execute(sa.select(*named, pieces).group_by(*named).order_by(pieces.desc(), lines.c.region))
    for colour, size, region, count in rows:
        found[colour, size][region] = int(count)
    return found


def _place() -> sa.ColumnElement[str]:
    return sa.case((pledge.c.region != "", pledge.c.region), else_=organisation.c.region)


def _counted(pieces: sa.Table, quantity: sa.ColumnElement[int]) -> sa.Select[Any]:
    """Pieces by variant and place; where the pledge names no place, its buyer is kept, whose own it will be.

    Only groups are joined with buyers later: a join for each pledge would cost more than the sums.
    """
    unnamed = sa.case((pledge.c.region == "", pledge.c.buyer_id)).label("unnamed")
    return (
        sa.select(pieces.c.variant_id, pledge.c.region, unnamed, sa.func.sum(quantity).label("pieces"))
        .join_from(pieces, pledge, pledge.c.id == pieces.c.pledge_id)
        .group_by(pieces.c.variant_id, pledge.c.region, sa.literal_column("unnamed"))
    )


def _pledged(campaign_ids: Sequence[UUID], states: Sequence[PledgeState]) -> sa.Select[Any]:
    """What these campaigns' pledges come to."""
    return _counted(line, line.c.quantity).where(pledge.c.campaign_id.in_(campaign_ids), pledge.c.state.in_(states))


def _in_sheet(sheet_id: UUID, version: int) -> sa.CompoundSelect[Any]:
    """What a sheet's version comes to: what was confirmed, and with a minus what was left out."""
    confirmed = _counted(made_of, made_of.c.quantity).where(made_of.c.sheet_id == sheet_id)
    left_out = _counted(released_line, -released_line.c.quantity).where(
        released_line.c.sheet_id == sheet_id, released_line.c.version <= version
    )
    return sa.union_all(confirmed, left_out)


def _pivoted(session: Session, counted: sa.CTE, campaign_ids: Sequence[UUID]) -> dict[UUID, Figures]:
    """Turn pieces by variant and place into each campaign's figures."""
    made = session.execute(
        sa.select(variant.c.campaign_id, variant.c.colour, variant.c.size)
        .where(variant.c.campaign_id.in_(campaign_ids))
        .order_by(variant.c.position)
    ).all()
    sizes = list(dict.fromkeys(row.size for row in made))
    whole = sa.cast(sa.func.sum(counted.c.pieces), sa.BigInteger)
    by_size = [sa.cast(sa.func.sum(counted.c.pieces).filter(variant.c.size == size), sa.BigInteger) for size in sizes]
    owner = variant.c.campaign_id

    def pivot(kind: str, name: sa.ColumnElement[str], rank: sa.ColumnElement[int]) -> sa.Select[Any]:
        columns = (sa.literal(kind).label("kind"), owner.label("owner"), name.label("called"), rank.label("rank"))
        source = sa.join(counted, variant, variant.c.id == counted.c.variant_id)
        if kind == "region":
            source = source.join(organisation, organisation.c.id == counted.c.unnamed, isouter=True)
        grouped = [owner] if kind == "total" else [owner, sa.literal_column("called")]
        return sa.select(*columns, whole.label("pieces"), *by_size).select_from(source).group_by(*grouped)

    table = sa.union_all(
        pivot("colour", variant.c.colour, sa.func.min(variant.c.position)),
        pivot("region", sa.func.coalesce(organisation.c.region, counted.c.region), -whole),
        pivot("total", sa.literal(""), sa.literal(0)),
    ).subquery()
    rows = session.execute(sa.select(table).order_by(table.c.owner, table.c.kind, table.c.rank, table.c.called)).all()
    found: dict[UUID, Figures] = {}
    for campaign_id in dict.fromkeys(row.owner for row in rows):
        mine = [row for row in rows if row.owner == campaign_id]
        cells = {(row.colour, row.size) for row in made if row.campaign_id == campaign_id}
        own_sizes = tuple(dict.fromkeys(row.size for row in made if row.campaign_id == campaign_id))
        found[campaign_id] = _figures(mine, sizes, own_sizes, cells)
    return found


def _figures(
    rows: Sequence[sa.Row[Any]], columns: Sequence[str], sizes: tuple[str, ...], cells: set[tuple[str, str]]
) -> Figures:
    def row_of(row: sa.Row[Any]) -> Row:
        sums: dict[str, Any] = dict(zip(columns, row[5:], strict=True))
        made = {size for size in sizes if row.kind != "colour" or (row.called, size) in cells}
        return Row(row.called, row.pieces, {size: int(sums[size] or 0) if size in made else None for size in sizes})

    of_kind = {kind: [row_of(row) for row in rows if row.kind == kind] for kind in ("colour", "region", "total")}
    left = {kind: tuple(row for row in found if row.pieces) for kind, found in of_kind.items()}
    return Figures(sizes, left["colour"], left["region"], *of_kind["total"])
