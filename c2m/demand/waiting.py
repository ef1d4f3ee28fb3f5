"""The waiting list: who comes when pieces of a sold-out campaign are free, in order, under the campaign's lock.

After every unit of work that frees pieces, no place in the queue could be served with what is left; so whoever joins
then takes nothing that the queue could use.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_rows, lock_rows, table_of, update_rows, uuid7
from c2m.demand import queries
from c2m.demand.campaigns import CampaignNotOpen
from c2m.demand.joining import offers_of, place_pledges, teams_named
from c2m.demand.models import (
    BuyerTotal,
    Campaign,
    CampaignState,
    ChangeKind,
    Pledge,
    PledgeChange,
    Variant,
    Waiting,
    WaitingLine,
    WaitingPledge,
    WaitingState,
)
from c2m.demand.pledge_requests import KeyReused, LimitReached, OwnCampaign, PledgeRequest, unfit
from c2m.demand.rules import Turn, pieces_in_order, turns
from c2m.errors import N_, Conflict, Invalid, Refusal
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

END_RELEASE = "demand.end_releases"
PLACES_AT_ONCE = 200
AGREED = ("region", "ceiling_minor", "accepts_dearer", "fallback_colour", "joins_next_round", "team_id")

waiting, campaign, total, pledge = (table_of(model) for model in (Waiting, Campaign, BuyerTotal, Pledge))

Place = Callable[[Sequence[PledgeRequest]], list[UUID | Refusal]]


class NothingToWaitFor(Conflict):
    sentence = N_("This campaign has no cap: everybody can join it.")


class MoreThanThereAre(Invalid):
    sentence = N_("The whole campaign has %(cap)s pieces.")


class AlreadyWaiting(Conflict):
    sentence = N_("You are on the waiting list already. Leave it first to wait for something else.")


class NotWaiting(Conflict):
    sentence = N_("This place on the waiting list has ended.")


class NoExtraPieces(Invalid):
    sentence = N_("Extra pieces don't wait: where every piece is taken there is no room for them. Nothing was changed.")


class AboveCeiling(Conflict):
    sentence = N_("The price is above the buyer's ceiling.")


def wait_for_pieces(session: Session, request: PledgeRequest, *, takes_part: bool = False, now: datetime) -> UUID:
    """Queue for pieces of a campaign with a cap, agreeing to be charged; what can be served at once is.

    The place keeps what the buyer agreed to, and it is joined with when the turn comes; `takes_part` says that fewer
    pieces are welcome too. Returns the id of the place.

    Raises:
        CampaignNotFound, CampaignNotOpen, NothingToWaitFor, OwnCampaign, MoreThanThereAre, LimitReached,
        AlreadyWaiting, NothingChosen, QuantityRefused, UnknownVariant, UnknownColour, UnknownTeam, CeilingRefused,
        NoExtraPieces, KeyReused
    """
    fingerprint = hashlib.sha256(f"{request.fingerprint}|{takes_part}".encode()).hexdigest()
    lock_rows(session, Campaign, [request.campaign_id])
    known = session.execute(
        sa.select(waiting.c.id, waiting.c.request_hash).where(
            waiting.c.buyer_id == request.buyer_id, waiting.c.idempotency_key == request.idempotency_key
        )
    ).one_or_none()
    if known is not None:
        if known.request_hash != fingerprint:
            raise KeyReused(idempotency_key=request.idempotency_key)
        found: UUID = known.id
        return found
    _refuse_unfit(session, request, now)
    waiting_id = uuid7()
    row = {name: getattr(request, name) for name in ("campaign_id", "buyer_id", "quantity", "idempotency_key", *AGREED)}
    row |= {"takes_part": takes_part, "request_hash": fingerprint}
    insert_rows(session, Waiting, [row | {"id": waiting_id, "placed_at": now}])
    lines = [{"waiting_id": waiting_id, "variant_id": v, "quantity": pieces} for v, pieces in request.lines]
    insert_rows(session, WaitingLine, lines)
    fill_queues(session, [request.campaign_id], now=now)
    return waiting_id


def leave_queue(session: Session, waiting_id: UUID, *, buyer_id: UUID, now: datetime) -> None:
    """Give up one's own place in the queue; what was filled before stays.

    Raises:
        WaitingNotFound, NotWaiting
    """
    place = queries.waiting_of(session, waiting_id, buyer_id=buyer_id)
    lock_rows(session, Campaign, [place.campaign_id])
    left = session.connection().execute(
        sa.update(waiting)
        .where(waiting.c.id == waiting_id, waiting.c.state == WaitingState.WAITING)
        .values(state=WaitingState.LEFT, ended_at=now)
    )
    session.expire(place)
    if not left.rowcount:
        raise NotWaiting(waiting_id=waiting_id)


def fill_queues(session: Session, campaign_ids: Sequence[UUID], *, now: datetime) -> None:
    """Give the free pieces of open campaigns to those who wait, in order; the caller holds the campaigns' locks."""
    for part in chunks(campaign_ids):
        rows = session.execute(
            sa.select(campaign, (campaign.c.cap - campaign.c.pledged_quantity).label("free"))
            .where(campaign.c.id.in_(part), campaign.c.state == CampaignState.OPEN, campaign.c.deadline > now)
            .where(campaign.c.cap > campaign.c.pledged_quantity, queued())
            .order_by(campaign.c.id)
        ).all()
        for row in rows:
            serve(session, row, row.free, lambda requests: place_pledges(session, requests, now=now), now=now)


def queued() -> sa.ColumnElement[bool]:
    """Whether anybody waits for a campaign's pieces."""
    return sa.exists().where(waiting.c.campaign_id == campaign.c.id, waiting.c.state == WaitingState.WAITING)


def serve(
    session: Session,
    found: sa.Row[Any],
    free: int,
    place: Place,
    *,
    now: datetime,
    made: frozenset[UUID] | None = None,
) -> int:
    """Place pledges of those who wait for one campaign's free pieces, in order; return how many pieces were taken.

    `found` is the campaign's row; `made`, where given, are the variants that can still be had.
    """
    passed: list[UUID] = []
    taken = 0
    while free > taken and (queue := _candidates(session, found, free - taken, passed)):
        lines = _lines(session, [entry.id for entry in queue])
        requests = {}
        for entry, pieces in zip(queue, turns(free - taken, [_turn(entry) for entry in queue]), strict=True):
            wanted = pieces_in_order(lines[entry.id], entry.filled_quantity, pieces)
            if made is None or all(variant_id in made for variant_id, _ in wanted):
                requests[entry.id] = wanted
        passed += [entry.id for entry in queue if entry.id not in requests]
        chosen = [(entry, requests[entry.id]) for entry in queue if requests.get(entry.id)]
        answers = place([_request(entry, wanted) for entry, wanted in chosen])
        placed = [(entry, answer) for (entry, _), answer in zip(chosen, answers, strict=True)]
        passed += [entry.id for entry, answer in placed if isinstance(answer, Refusal)]
        taken += _record(session, found, {entry.id: a for entry, a in placed if isinstance(a, UUID)}, chosen, now)
    return taken


def lapse_queues(session: Session, campaign_ids: Sequence[UUID], *, now: datetime) -> None:
    """The campaigns are over: whoever still waits for their pieces waits no longer, and is told so."""
    for part in chunks(campaign_ids):
        over = sa.and_(waiting.c.campaign_id.in_(part), waiting.c.state == WaitingState.WAITING)
        rows = session.execute(
            sa.select(waiting, campaign.c.title, campaign.c.title_en)
            .join_from(waiting, campaign, campaign.c.id == waiting.c.campaign_id)
            .where(over)
        ).all()
        if not rows:
            continue
        session.execute(sa.update(waiting).where(over).values(state=WaitingState.LAPSED, ended_at=now))
        messages = [
            Message(
                row.buyer_id,
                NoticeKind.WAITING_LAPSED,
                row.campaign_id,
                f"waiting_lapsed:{row.id}",
                {"title": row.title, "title_en": row.title_en, "pieces": row.quantity - row.filled_quantity},
            )
            for row in rows
        ]
        tell(session, messages, now=now)


def _refuse_unfit(session: Session, request: PledgeRequest, now: datetime) -> None:
    found = queries.campaign(session, request.campaign_id)
    session.refresh(found)
    if found.state is not CampaignState.OPEN or now >= found.deadline:
        raise CampaignNotOpen(campaign_id=found.id)
    if found.cap is None:
        raise NothingToWaitFor(campaign_id=found.id)
    if found.organisation_id == request.buyer_id:
        raise OwnCampaign(campaign_id=found.id)
    if refusal := unfit(request, offers_of(session, [found.id])[found.id], teams_named(session, [request])):
        raise refusal
    if request.flexible:
        raise NoExtraPieces()
    if request.quantity > found.cap:
        raise MoreThanThereAre(cap=found.cap)
    held = session.get(BuyerTotal, (found.id, request.buyer_id), populate_existing=True)
    if found.per_buyer_limit is not None and (held.quantity if held else 0) + request.quantity > found.per_buyer_limit:
        raise LimitReached(limit=found.per_buyer_limit, held=held.quantity if held else 0)
    if queries.waiting_in(session, found.id, request.buyer_id):
        raise AlreadyWaiting(campaign_id=found.id)


def _candidates(session: Session, found: sa.Row[Any], free: int, passed: Sequence[UUID]) -> Sequence[sa.Row[Any]]:
    """The first places in the queue that could each be served by itself, with what the per-buyer limit leaves them."""
    wanted = waiting.c.quantity - waiting.c.filled_quantity
    limit = found.per_buyer_limit
    room = sa.literal(limit, sa.Integer) - sa.func.coalesce(total.c.quantity, 0)
    whole: list[sa.ColumnElement[bool]] = [wanted <= free]
    part: list[sa.ColumnElement[bool]] = [waiting.c.takes_part.is_(True)]
    if limit is not None:
        whole.append(wanted <= room)
        part.append(room > 0)
    same = sa.and_(total.c.campaign_id == waiting.c.campaign_id, total.c.buyer_id == waiting.c.buyer_id)
    return session.execute(
        sa.select(waiting, (sa.null() if limit is None else room).label("room"))
        .join_from(waiting, total, same, isouter=True)
        .where(waiting.c.campaign_id == found.id, waiting.c.state == WaitingState.WAITING)
        .where(sa.or_(sa.and_(*whole), sa.and_(*part)), waiting.c.id.not_in(passed))
        .order_by(waiting.c.id)
        .limit(PLACES_AT_ONCE)
    ).all()


def _turn(entry: sa.Row[Any]) -> Turn:
    return Turn(entry.quantity - entry.filled_quantity, entry.room, entry.takes_part)


def _lines(session: Session, waiting_ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, int]]]:
    """What each place waits for, in the merchandiser's order of variants."""
    line, variant = table_of(WaitingLine).c, table_of(Variant).c
    found: dict[UUID, list[tuple[UUID, int]]] = {waiting_id: [] for waiting_id in waiting_ids}
    rows = session.execute(
        sa.select(line.waiting_id, line.variant_id, line.quantity)
        .join_from(table_of(WaitingLine), table_of(Variant), variant.id == line.variant_id)
        .where(line.waiting_id.in_(waiting_ids))
        .order_by(variant.position)
    )
    for waiting_id, variant_id, quantity in rows:
        found[waiting_id].append((variant_id, quantity))
    return found


def _request(entry: sa.Row[Any], lines: tuple[tuple[UUID, int], ...]) -> PledgeRequest:
    key = f"waiting:{entry.id}:{entry.filled_quantity}"
    agreed = {name: entry._mapping[name] for name in AGREED}
    return PledgeRequest(entry.campaign_id, entry.buyer_id, lines, key, **agreed)


def _record(
    session: Session,
    found: sa.Row[Any],
    pledges: dict[UUID, UUID],
    chosen: Sequence[tuple[sa.Row[Any], tuple[tuple[UUID, int], ...]]],
    now: datetime,
) -> int:
    """Note what each place in the queue became, and tell its buyer; return the pieces."""
    charged = _charged(session, list(pledges.values()))
    places: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    messages = []
    for entry, lines in chosen:
        if entry.id not in pledges:
            continue
        pledge_id, pieces = pledges[entry.id], sum(quantity for _, quantity in lines)
        whole = entry.filled_quantity + pieces == entry.quantity
        state = WaitingState.FILLED if whole else WaitingState.WAITING
        filled = {"id": entry.id, "filled_quantity": entry.filled_quantity + pieces}
        places.append(filled | {"state": state, "ended_at": now if whole else None})
        moved = {"pledge_id": pledge_id, "kind": ChangeKind.MOVED_UP, "pieces": pieces}
        changes.append(moved | {"id": uuid7(), "changed_at": now})
        facts = {"title": found.title, "title_en": found.title_en, "pieces": pieces, "currency": found.currency}
        facts["amount_minor"] = charged[pledge_id]
        messages.append(
            Message(entry.buyer_id, NoticeKind.WAITING_FILLED, pledge_id, f"waiting_filled:{pledge_id}", facts)
        )
    insert_rows(session, WaitingPledge, [{"pledge_id": p, "waiting_id": w} for w, p in pledges.items()])
    update_rows(session, Waiting, places)
    insert_rows(session, PledgeChange, changes)
    tell(session, messages, now=now)
    return sum(change["pieces"] for change in changes)


def _charged(session: Session, pledge_ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = session.execute(sa.select(pledge.c.id, pledge.c.charged_minor).where(pledge.c.id.in_(pledge_ids)))
    return {row.id: row.charged_minor for row in rows}
