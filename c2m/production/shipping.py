"""Shipping: finished pieces leave as a lot, each of them pegged to one pledge."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_rows, table_of, update_rows, uuid7
from c2m.demand.models import Pledge, SheetPledge, SheetRelease
from c2m.errors import N_, Conflict, Invalid, Refusal
from c2m.outbox import announce
from c2m.production.floor import LONGEST_KEY, KeyRefused, KeyReused
from c2m.production.models import Lot, Parcel, ParcelLine, WorkOrder, WorkOrderLine, WorkOrderState
from c2m.production.queries import WorkOrderNotFound
from c2m.production.rules import lot_by_variant, peg_oldest_first, ready_to_ship
from c2m.production.work_orders import lock_orders

LONGEST_NAME = 60

SheetVariant = tuple[UUID, UUID]


class ShipQuantityRefused(Invalid):
    sentence = N_("Ship at least one piece.")


class CarrierRefused(Invalid):
    sentence = N_("Name the carrier and the tracking number, each in up to 60 characters.")


class NothingReady(Conflict):
    sentence = N_("There are no finished pieces to ship.")


class MoreThanReady(Conflict):
    sentence = N_("Only %(ready)s finished pieces are ready to ship.")


class NotPledged(Conflict):
    sentence = N_("Fewer pieces are pledged than this lot holds.")


@dataclass(frozen=True)
class ShipRequest:
    """Ship a lot: so many pieces, or all that are ready; the key makes sending it twice harmless."""

    work_order_id: UUID
    quantity: int | None
    carrier: str
    tracking_number: str
    idempotency_key: str


def ship_lots(session: Session, requests: Sequence[ShipRequest], *, now: datetime) -> list[UUID | Refusal]:
    """Send finished pieces to the pledges that have waited longest; each answer is the lot's id or why not.

    A lot keeps the order's proportions of variants; every piece goes into a parcel for one pledge.
    A repeated key gets its first answer.
    """
    dock = _Dock.open(session, requests)
    answers = [dock.ship(request, now) for request in requests]
    dock.write(session, now)
    announce(session, "production.lots_shipped", [row["id"] for row in dock.lots], now=now)
    return answers


def ship_lot(session: Session, request: ShipRequest, *, now: datetime) -> UUID:
    """Send one lot.

    Raises:
        WorkOrderNotFound, KeyRefused, KeyReused, ShipQuantityRefused, CarrierRefused, NothingReady, MoreThanReady,
        NotPledged
    """
    [answer] = ship_lots(session, [request], now=now)
    if isinstance(answer, Refusal):
        raise answer
    return answer


@dataclass
class _Dock:
    """What a batch of lots is made from: the locked orders, their unshipped variants, the pledges waiting."""

    orders: dict[UUID, dict[str, Any]]
    unshipped: dict[UUID, dict[UUID, int]]  # order → variant → pieces
    waiting: dict[SheetVariant, dict[UUID, int]]  # sheet line → pledge → pieces, oldest first
    known: dict[tuple[UUID, str], dict[str, Any]]  # (order, key) → lot
    lots_of: dict[UUID, int]
    lots: list[dict[str, Any]] = field(default_factory=list)
    parcels: list[dict[str, Any]] = field(default_factory=list)
    parcel_lines: list[dict[str, Any]] = field(default_factory=list)
    left: dict[tuple[UUID, UUID], int] = field(default_factory=lambda: defaultdict(int))  # (order, variant) → pieces

    @classmethod
    def open(cls, session: Session, requests: Sequence[ShipRequest]) -> "_Dock":
        """Lock the sheets, then the orders, each in id order, and read everything the decisions need."""
        ids = sorted({r.work_order_id for r in requests})
        sheet_ids = lock_orders(session, ids)
        return cls(
            orders=_orders(session, ids),
            unshipped=_unshipped(session, ids),
            waiting=_waiting(session, sheet_ids),
            known=_known(session, requests),
            lots_of=_lot_counts(session, ids),
        )

    def ship(self, request: ShipRequest, now: datetime) -> UUID | Refusal:
        """Decide one request, make its parcels and count it in."""
        order = self.orders.get(request.work_order_id)
        if order is None:
            return WorkOrderNotFound(work_order_id=request.work_order_id)
        key = (request.work_order_id, request.idempotency_key)
        if key in self.known:
            return _replayed(request, self.known[key])
        ready = ready_to_ship(
            ordered=order["quantity"], produced=order["produced"], rejected=order["rejected"], shipped=order["shipped"]
        )
        if refusal := _refusal(request, ready):
            return refusal
        quantity = ready if request.quantity is None else request.quantity
        by_variant = lot_by_variant(self.unshipped[order["id"]], quantity)
        try:
            pegs = self._peg(order["sheet_id"], by_variant)
        except ValueError:
            return NotPledged(work_order_id=order["id"])
        lot = self._lot_row(request, quantity, now)
        self.known[key] = lot
        self.lots.append(lot)
        self._pack(lot, order["sheet_id"], pegs)
        order["shipped"] += quantity
        for variant_id, pieces in by_variant.items():
            self.unshipped[order["id"]][variant_id] -= pieces
            self.left[order["id"], variant_id] += pieces
        lot_id: UUID = lot["id"]
        return lot_id

    def _peg(self, sheet_id: UUID, by_variant: Mapping[UUID, int]) -> dict[UUID, dict[UUID, int]]:
        """For each variant, the pledges its pieces go to."""
        return {
            variant_id: peg_oldest_first(self.waiting.get((sheet_id, variant_id), {}), pieces)
            for variant_id, pieces in by_variant.items()
        }

    def _lot_row(self, request: ShipRequest, quantity: int, now: datetime) -> dict[str, Any]:
        self.lots_of[request.work_order_id] = self.lots_of.get(request.work_order_id, 0) + 1
        return {
            "id": uuid7(),
            "work_order_id": request.work_order_id,
            "position": self.lots_of[request.work_order_id],
            "quantity": quantity,
            "carrier": request.carrier.strip(),
            "tracking_number": request.tracking_number.strip(),
            "idempotency_key": request.idempotency_key,
            "shipped_at": now,
        }

    def _pack(self, lot: dict[str, Any], sheet_id: UUID, pegs: Mapping[UUID, Mapping[UUID, int]]) -> None:
        contents: dict[UUID, dict[UUID, int]] = defaultdict(dict)
        for variant_id, pledges in pegs.items():
            line = self.waiting[sheet_id, variant_id]
            for pledge_id, pieces in pledges.items():
                contents[pledge_id][variant_id] = pieces
                line[pledge_id] -= pieces
                if not line[pledge_id]:
                    del line[pledge_id]
        for pledge_id, pieces_by_variant in contents.items():
            parcel = {
                "id": uuid7(),
                "lot_id": lot["id"],
                "work_order_id": lot["work_order_id"],
                "pledge_id": pledge_id,
                "quantity": sum(pieces_by_variant.values()),
            }
            self.parcels.append(parcel)
            self.parcel_lines += [
                {"parcel_id": parcel["id"], "variant_id": variant_id, "quantity": pieces}
                for variant_id, pieces in pieces_by_variant.items()
            ]

    def write(self, session: Session, now: datetime) -> None:
        """Store lots and parcels and count the orders on; the CHECK constraints judge them once more."""
        if not self.lots:
            return
        insert_rows(session, Lot, self.lots)
        insert_rows(session, Parcel, self.parcels)
        insert_rows(session, ParcelLine, self.parcel_lines)
        left = [{"work_order_id": o, "variant_id": v, "shipped": pieces} for (o, v), pieces in self.left.items()]
        update_rows(session, WorkOrderLine, left, by=("work_order_id", "variant_id"), add=("shipped",))
        touched = {row["work_order_id"] for row in self.lots}
        update_rows(session, WorkOrder, [{"id": i, "shipped": self.orders[i]["shipped"]} for i in touched])
        order = table_of(WorkOrder)
        whole = [i for i in touched if self.orders[i]["shipped"] == self.orders[i]["quantity"]]
        for part in chunks(whole):
            session.execute(
                sa.update(order).where(order.c.id.in_(part)).values(state=WorkOrderState.SHIPPED, shipped_at=now)
            )


def _replayed(request: ShipRequest, lot: Mapping[str, Any]) -> UUID | Refusal:
    same = (lot["carrier"], lot["tracking_number"]) == (request.carrier.strip(), request.tracking_number.strip())
    if not same or request.quantity not in (None, lot["quantity"]):
        return KeyReused(idempotency_key=request.idempotency_key)
    lot_id: UUID = lot["id"]
    return lot_id


def _refusal(request: ShipRequest, ready: int) -> Refusal | None:
    if not 1 <= len(request.idempotency_key) <= LONGEST_KEY:
        return KeyRefused()
    if not all(1 <= len(text.strip()) <= LONGEST_NAME for text in (request.carrier, request.tracking_number)):
        return CarrierRefused()
    if request.quantity is not None and (isinstance(request.quantity, bool) or request.quantity < 1):
        return ShipQuantityRefused(quantity=request.quantity)
    if ready == 0:
        return NothingReady(work_order_id=request.work_order_id)
    if request.quantity is not None and request.quantity > ready:
        return MoreThanReady(ready=ready, work_order_id=request.work_order_id)
    return None


def _orders(session: Session, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    c = table_of(WorkOrder).c
    columns = (c.id, c.sheet_id, c.quantity, c.produced, c.rejected, c.shipped)
    found: dict[UUID, dict[str, Any]] = {}
    for part in chunks(ids):
        found |= {row.id: dict(row._mapping) for row in session.execute(sa.select(*columns).where(c.id.in_(part)))}
    return found


def _unshipped(session: Session, ids: Sequence[UUID]) -> dict[UUID, dict[UUID, int]]:
    c = table_of(WorkOrderLine).c
    left = (c.quantity - c.shipped).label("pieces")
    found: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    for part in chunks(ids):
        statement = sa.select(c.work_order_id, c.variant_id, left).where(c.work_order_id.in_(part), left > 0)
        for row in session.execute(statement.order_by(c.work_order_id, c.variant_id)):
            found[row.work_order_id][row.variant_id] = row.pieces
    return found


def _waiting(session: Session, sheet_ids: Sequence[UUID]) -> dict[SheetVariant, dict[UUID, int]]:
    """For each sheet line, the pledges whose pieces are neither in a parcel nor released, oldest first."""
    made_of, pledge = table_of(SheetPledge), table_of(Pledge)
    found: dict[SheetVariant, dict[UUID, int]] = defaultdict(dict)
    for part in chunks(sheet_ids):
        gone = pieces_gone(session, part)
        rows = session.execute(
            sa.select(made_of)
            .join(pledge, pledge.c.id == made_of.c.pledge_id)
            .where(made_of.c.sheet_id.in_(part))
            .order_by(pledge.c.placed_at, pledge.c.id)
        )
        for row in rows:
            if left := row.quantity - gone.get((row.sheet_id, row.variant_id, row.pledge_id), 0):
                found[row.sheet_id, row.variant_id][row.pledge_id] = left
    return found


def pieces_gone(session: Session, sheet_ids: Sequence[UUID]) -> dict[tuple[UUID, UUID, UUID], int]:
    """Pieces in parcels or released: (sheet, variant, pledge) → pieces."""
    order, parcel, line, release = (table_of(model) for model in (WorkOrder, Parcel, ParcelLine, SheetRelease))
    pegged = (
        sa.select(order.c.sheet_id, line.c.variant_id, parcel.c.pledge_id, line.c.quantity)
        .join_from(order, parcel, parcel.c.work_order_id == order.c.id)
        .join(line, line.c.parcel_id == parcel.c.id)
        .where(order.c.sheet_id.in_(sheet_ids))
    )
    released = sa.select(release.c.sheet_id, release.c.variant_id, release.c.pledge_id, release.c.quantity).where(
        release.c.sheet_id.in_(sheet_ids)
    )
    gone: dict[tuple[UUID, UUID, UUID], int] = defaultdict(int)
    for sheet_id, variant_id, pledge_id, quantity in session.execute(sa.union_all(pegged, released)):
        gone[sheet_id, variant_id, pledge_id] += quantity
    return gone


def _known(session: Session, requests: Sequence[ShipRequest]) -> dict[tuple[UUID, str], dict[str, Any]]:
    table = table_of(Lot)
    c = table.c
    keys = list({(r.work_order_id, r.idempotency_key) for r in requests})
    known: dict[tuple[UUID, str], dict[str, Any]] = {}
    for part in chunks(keys, 200):
        rows = session.execute(sa.select(table).where(sa.tuple_(c.work_order_id, c.idempotency_key).in_(part)))
        known |= {(row.work_order_id, row.idempotency_key): dict(row._mapping) for row in rows}
    return known


def _lot_counts(session: Session, ids: Sequence[UUID]) -> dict[UUID, int]:
    c = table_of(Lot).c
    counts: dict[UUID, int] = {}
    for part in chunks(ids):
        rows = session.execute(
            sa.select(c.work_order_id, sa.func.count()).where(c.work_order_id.in_(part)).group_by(c.work_order_id)
        )
        counts |= {row[0]: row[1] for row in rows}
    return counts
