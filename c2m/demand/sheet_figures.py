"""A demand sheet as it is read: the variant matrix, the size curve, the regions, and the pledges behind each figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import table_of
from c2m.demand import queries
from c2m.demand.models import Campaign, DemandSheet, Pledge, SheetLine, SheetPledge, SheetRelease, Variant
from c2m.identity.models import Organisation


@dataclass(frozen=True)
class Line:
    """Confirmed pieces of one variant; `released` are those no factory will make."""

    variant_id: UUID
    colour: str
    size: str
    quantity: int
    released: int


@dataclass(frozen=True)
class Matrix:
    """A sheet's lines as colours down and sizes across."""

    lines: tuple[Line, ...]

    @property
    def colours(self) -> list[str]:
        return list(dict.fromkeys(line.colour for line in self.lines))

    @property
    def sizes(self) -> list[str]:
        return list(dict.fromkeys(line.size for line in self.lines))

    @property
    def quantity(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def released(self) -> int:
        return sum(line.released for line in self.lines)

    def at(self, colour: str, size: str) -> Line | None:
        """The line of one colour and size, None where nobody wants it or it isn't made."""
        return next((line for line in self.lines if (line.colour, line.size) == (colour, size)), None)

    def of_colour(self, colour: str) -> int:
        """Pieces of one colour over all sizes."""
        return sum(line.quantity for line in self.lines if line.colour == colour)

    def of_size(self, size: str) -> int:
        """Pieces of one size over all colours: a point of the size curve."""
        return sum(line.quantity for line in self.lines if line.size == size)


def sheet_of(session: Session, sheet_id: UUID, *, organisation_id: UUID | None) -> DemandSheet:
    """A merchandiser's own demand sheet; for None, the operator, any.

    Raises:
        SheetNotFound
    """
    found = queries.sheet(session, sheet_id)
    if organisation_id is not None:
        campaign = queries.campaign(session, found.campaign_id)
        if campaign.organisation_id != organisation_id:
            raise queries.SheetNotFound(sheet_id=sheet_id)
    return found


def sheets(organisation_id: UUID | None) -> sa.Select[Any]:
    """A merchandiser's demand sheets, newest first; for None, the operator, all."""
    statement = sa.select(DemandSheet)
    if organisation_id is not None:
        campaign, sheet = table_of(Campaign).c, table_of(DemandSheet).c
        own = sa.select(campaign.id).where(campaign.organisation_id == organisation_id)
        statement = statement.where(sheet.campaign_id.in_(own))
    return statement.order_by(table_of(DemandSheet).c.issued_at.desc(), table_of(DemandSheet).c.id.desc())


def released(session: Session, sheet_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The pieces of each sheet that no factory will make; sheets without any are left out."""
    totals: dict[UUID, int] = {}
    for (sheet_id, _variant_id), pieces in queries.released_units(session, sheet_ids).items():
        totals[sheet_id] = totals.get(sheet_id, 0) + pieces
    return totals


def state_of(sheet: DemandSheet, released_pieces: int) -> str:
    """Where the matching of a sheet stands: matching, matched, partly_matched or unserved."""
    if sheet.served_at is None:
        return "matching"
    if not released_pieces:
        return "matched"
    return "unserved" if released_pieces >= sheet.quantity else "partly_matched"


def matrix(session: Session, sheet_id: UUID) -> Matrix:
    """A sheet's confirmed pieces by variant, in the merchandiser's order."""
    line, variant = table_of(SheetLine), table_of(Variant)
    rows = session.execute(
        sa.select(variant.c.id, variant.c.colour, variant.c.size, line.c.quantity)
        .join_from(line, variant, line.c.variant_id == variant.c.id)
        .where(line.c.sheet_id == sheet_id)
        .order_by(variant.c.position)
    ).all()
    gone = queries.released_units(session, [sheet_id])
    lines = [Line(row.id, row.colour, row.size, row.quantity, gone.get((sheet_id, row.id), 0)) for row in rows]
    return Matrix(tuple(lines))


def regions(session: Session, sheet_id: UUID) -> list[tuple[str, int]]:
    """Where the pieces go: (region, pieces), most first; the empty name is the region nobody gave."""
    made_of, pledge, organisation = _behind()
    place = _place(pledge, organisation)
    rows = session.execute(
        sa.select(place, sa.func.sum(made_of.c.quantity).label("pieces"))
        .join_from(made_of, pledge, made_of.c.pledge_id == pledge.c.id)
        .join(organisation, pledge.c.buyer_id == organisation.c.id)
        .where(made_of.c.sheet_id == sheet_id)
        .group_by(place)
        .order_by(sa.desc("pieces"), place)
    )
    return [(region, int(pieces)) for region, pieces in rows]


def pledge_lines(sheet_id: UUID, variant_id: UUID | None = None) -> sa.Select[Any]:
    """The pledge lines a sheet, or one figure of it, is made of, oldest first; buyers by their first letter only."""
    made_of, pledge, organisation = _behind()
    variant, gone = table_of(Variant), table_of(SheetRelease)
    statement = (
        sa.select(
            made_of.c.pledge_id,
            made_of.c.variant_id,
            variant.c.colour,
            variant.c.size,
            made_of.c.quantity,
            sa.func.coalesce(gone.c.quantity, 0).label("released"),
            sa.func.substr(organisation.c.name, 1, 1).label("initial"),
            _place(pledge, organisation).label("region"),
            pledge.c.placed_at,
        )
        .join_from(made_of, pledge, made_of.c.pledge_id == pledge.c.id)
        .join(organisation, pledge.c.buyer_id == organisation.c.id)
        .join(variant, made_of.c.variant_id == variant.c.id)
        .join(
            gone,
            sa.and_(*(gone.c[key] == made_of.c[key] for key in ("sheet_id", "variant_id", "pledge_id"))),
            isouter=True,
        )
        .where(made_of.c.sheet_id == sheet_id)
    )
    if variant_id is not None:
        statement = statement.where(made_of.c.variant_id == variant_id)
    return statement.order_by(pledge.c.placed_at, made_of.c.pledge_id, variant.c.position)


def _behind() -> tuple[sa.Table, sa.Table, sa.Table]:
    return table_of(SheetPledge), table_of(Pledge), table_of(Organisation)


def _place(pledge: sa.Table, organisation: sa.Table) -> sa.ColumnElement[str]:
    return sa.func.coalesce(sa.func.nullif(pledge.c.region, ""), organisation.c.region)
