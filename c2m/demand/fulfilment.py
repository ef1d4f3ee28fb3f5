"""What later stages report back: pieces delivered, pieces nobody will make."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_rows, lock_rows, table_of, update_rows
from c2m.demand.changes import Change, note_changes
from c2m.demand.models import ChangeKind, DemandSheet, Pledge, PledgeState, SheetPledge, SheetRelease
from c2m.demand.refunds import refund_parts
from c2m.demand.rules import share_of_units
from c2m.demand.samples import samples_arrived
from c2m.demand.teams import earn_commissions
from c2m.ledger.models import HoldState
from c2m.ledger.queries import holds_of

SheetVariant = tuple[UUID, UUID]
Taken = dict[tuple[UUID, UUID, UUID], int]
"""(sheet, variant, pledge) → pieces"""
LEFT_FREE = "left_free"
LINE = ("sheet_id", "variant_id", "pledge_id")


def record_deliveries(session: Session, quantities: Mapping[UUID, int], *, now: datetime) -> None:
    """Count delivered pieces by pledge; a pledge with none left outstanding ends fulfilled."""
    _count_units(session, quantities, delivered=True)
    _end_resolved(session, list(quantities), now)


def release_units(session: Session, quantities: Mapping[SheetVariant, int], *, now: datetime) -> None:
    """Let go of pieces no factory will make: the latest pledges are refunded, the sheet's next version is without them.

    Raises:
        ValueError: more pieces than the sheet line still has.
    """
    sheet_ids = sorted({sheet_id for sheet_id, _ in quantities})
    lock_rows(session, DemandSheet, sheet_ids)
    candidates = _latest_first(session, quantities)
    taken: Taken = {}
    for key, wanted in quantities.items():
        left = wanted
        for pledge_id, free in candidates[key]:
            if part := min(left, free):
                taken[*key, pledge_id] = part
                left -= part
        if left:
            raise ValueError(f"sheet {key[0]}: {left} of {wanted} pieces can't be released")
    _release(session, taken, reason="unserved", now=now)


def leave_free(session: Session, sheet_id: UUID, pledge_id: UUID, pieces: Mapping[UUID, int], *, now: datetime) -> int:
    """A buyer leaves with these pieces (by variant) and is given back all that was paid for them; return how much.

    The sheet's next version is without them. The caller holds the sheet's lock and knows that they are not made yet.
    """
    taken = {(sheet_id, variant_id, pledge_id): quantity for variant_id, quantity in pieces.items()}
    amount_minor = _release(session, taken, reason=LEFT_FREE, now=now).get(pledge_id, 0)
    change = Change(pledge_id, ChangeKind.LEFT_FREE, sum(pieces.values()), amount_minor)
    note_changes(session, [change], now=now)
    return amount_minor


def held_for(session: Session, pledge_id: UUID, units: int) -> int:
    """What a buyer would be given back for so many of a pledge's pieces that are not delivered yet, in minor units."""
    pieces = {pledge_id: units}
    return _money_of(session, pieces, _outstanding(session, [pledge_id])).get(pledge_id, 0)


def _release(session: Session, taken: Taken, *, reason: str, now: datetime) -> dict[UUID, int]:
    """Take pieces out of their sheets' next versions and refund them: pledge → minor units granted back."""
    version = _next_versions(session, sorted({sheet_id for sheet_id, _, _ in taken}))
    rows: list[dict[str, object]] = []
    pieces: dict[UUID, int] = defaultdict(int)
    for (sheet_id, variant_id, pledge_id), quantity in taken.items():
        row = {"sheet_id": sheet_id, "variant_id": variant_id, "pledge_id": pledge_id, "version": version[sheet_id]}
        rows.append(row | {"quantity": quantity, "left_free": reason == LEFT_FREE, "released_at": now})
        pieces[pledge_id] += quantity
    outstanding = _outstanding(session, list(pieces))
    amounts = _money_of(session, pieces, outstanding)
    refund_parts(session, amounts, reason=reason, now=now, occasions=outstanding)
    insert_rows(session, SheetRelease, rows)
    update_rows(session, DemandSheet, [{"id": i, "version": number} for i, number in version.items()])
    _count_units(session, pieces, delivered=False)
    _end_resolved(session, list(pieces), now)
    return amounts


def _next_versions(session: Session, sheet_ids: Sequence[UUID]) -> dict[UUID, int]:
    c = table_of(DemandSheet).c
    found: dict[UUID, int] = {}
    for part in chunks(sheet_ids):
        rows = session.execute(sa.select(c.id, c.version).where(c.id.in_(part)))
        found |= {row.id: row.version + 1 for row in rows}
    return found


def _latest_first(
    session: Session, quantities: Mapping[SheetVariant, int]
) -> dict[SheetVariant, list[tuple[UUID, int]]]:
    """For each sheet line, its pledges from the latest to the oldest with the pieces not yet released."""
    made_of, pledge, released = table_of(SheetPledge), table_of(Pledge), table_of(SheetRelease)
    found: dict[SheetVariant, list[tuple[UUID, int]]] = defaultdict(list)
    sheet_ids = sorted({sheet_id for sheet_id, _ in quantities})
    for part in chunks(sheet_ids):
        before = (
            sa.select(*(released.c[name] for name in LINE), sa.func.sum(released.c.quantity).label("pieces"))
            .where(released.c.sheet_id.in_(part))
            .group_by(*(released.c[name] for name in LINE))
            .subquery()
        )
        rows = session.execute(
            sa.select(
                made_of.c.sheet_id,
                made_of.c.variant_id,
                made_of.c.pledge_id,
                (made_of.c.quantity - sa.func.coalesce(before.c.pieces, 0)).label("free"),
            )
            .join_from(made_of, pledge, pledge.c.id == made_of.c.pledge_id)
            .outerjoin(before, sa.and_(*(before.c[name] == made_of.c[name] for name in LINE)))
            .where(made_of.c.sheet_id.in_(part))
            .order_by(pledge.c.placed_at.desc(), pledge.c.id.desc())
        )
        for row in rows:
            found[row.sheet_id, row.variant_id].append((row.pledge_id, int(row.free)))
    return found


def _money_of(session: Session, pieces: Mapping[UUID, int], outstanding: Mapping[UUID, int]) -> dict[UUID, int]:
    """What is still held for these pieces of each pledge."""
    held: dict[UUID, int] = defaultdict(int)
    for hold in holds_of(session, list(pieces)):
        if hold.state == HoldState.HELD:
            held[hold.subject_id] += hold.remaining_minor
    amounts = {i: share_of_units(held[i], outstanding[i], units) for i, units in pieces.items()}
    return {i: amount for i, amount in amounts.items() if amount}


def _outstanding(session: Session, pledge_ids: list[UUID]) -> dict[UUID, int]:
    c = table_of(Pledge).c
    units = (c.quantity - c.delivered_quantity - c.released_quantity).label("outstanding")
    found: dict[UUID, int] = {}
    for part in chunks(pledge_ids):
        rows = session.execute(sa.select(c.id, units).where(c.id.in_(part)))
        found |= {row.id: row.outstanding for row in rows}
    return found


def _count_units(session: Session, quantities: Mapping[UUID, int], *, delivered: bool) -> None:
    column = "delivered_quantity" if delivered else "released_quantity"
    rows = [{"id": pledge_id, column: units} for pledge_id, units in quantities.items()]
    update_rows(session, Pledge, rows, add=(column,))


def _end_resolved(session: Session, pledge_ids: list[UUID], now: datetime) -> None:
    """Pledges with no outstanding piece end: fulfilled if anything was delivered, else refunded."""
    c = table_of(Pledge).c
    ended: list[sa.Row[Any]] = []
    for part in chunks(pledge_ids):
        whole = (
            c.id.in_(part),
            c.state == PledgeState.CONFIRMED,
            c.delivered_quantity + c.released_quantity == c.quantity,
        )
        way = sa.case((c.delivered_quantity > 0, PledgeState.FULFILLED.value), else_=PledgeState.REFUNDED.value)
        ending = sa.update(table_of(Pledge)).where(*whole).values(state=sa.type_coerce(way, c.state.type), ended_at=now)
        ended += session.connection().execute(ending.returning(c.id, c.state, c.team_id)).all()
    earn_commissions(session, [row.id for row in ended if row.team_id is not None], now=now)
    samples_arrived(session, [row.id for row in ended if row.state is PledgeState.FULFILLED], now=now)
