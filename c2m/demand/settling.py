"""Carrying out how closes were decided: colours, ceilings and flexible pieces, pledge by pledge."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_rows, table_of, update_rows
from c2m.demand import queries
from c2m.demand.changes import Change, note_changes
from c2m.demand.counting import Line, LineEnd, Make, Share, Stake, Terms, Verdict, settle
from c2m.demand.models import BuyerTotal, Campaign, ChangeKind, Pledge, PledgeLine, PledgeState, Variant
from c2m.demand.refunds import refund_parts, refund_pledges
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

CAMPAIGNS_AT_ONCE = 50

campaign, pledge, line, variant = (table_of(model) for model in (Campaign, Pledge, PledgeLine, Variant))


def settle_campaigns(session: Session, ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Verdict]:
    """Decide these closes and prepare the pledges of those that succeed: each keeps what is made of it.

    Pieces that are given up and flexible ones nobody needed are refunded, pledges that end with none of theirs wholly.
    What is left is paid and waits for the final price.
    """
    verdicts: dict[UUID, Verdict] = {}
    for part in chunks(sorted(ids), CAMPAIGNS_AT_ONCE):
        stakes = stakes_of(session, part, pledge.c.state == PledgeState.PAID)
        found = {i: settle(terms, stakes.get(i, [])) for i, terms in terms_of(session, part).items()}
        _carry_out(session, [share for verdict in found.values() for share in verdict.shares], now)
        verdicts |= found
    return verdicts


def terms_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, Terms]:
    """What the closes of these campaigns are decided by."""
    ladders = queries.ladders(session, ids)
    makes: dict[UUID, dict[UUID, Make]] = defaultdict(dict)
    columns = (variant.c.campaign_id, variant.c.id, variant.c.colour, variant.c.size)
    for campaign_id, variant_id, colour, size in session.execute(
        sa.select(*columns).where(variant.c.campaign_id.in_(ids)).order_by(variant.c.position)
    ):
        makes[campaign_id][variant_id] = Make(colour, size)
    rows = session.execute(sa.select(campaign).where(campaign.c.id.in_(ids)))
    return {
        row.id: Terms(
            ladder=ladders[row.id],
            minimum=row.minimum,
            variants=makes[row.id],
            cap=row.cap,
            pack_pieces=row.pack_pieces,
            colour_minimum=row.colour_minimum,
            deposit_minor=row.deposit_minor,
            may_extend=row.extension_days > 0 and row.extended_at is None,
            may_begin_anew=row.next_round_days > 0,
        )
        for row in rows
    }


def stakes_of(
    session: Session, campaign_ids: Sequence[UUID], *which: sa.ColumnElement[bool]
) -> dict[UUID, list[Stake]]:
    """These campaigns' pledges as a close sees them, in the order they joined."""
    lines: dict[UUID, list[Line]] = defaultdict(list)
    of_these = (pledge.c.campaign_id.in_(campaign_ids), *which)
    for pledge_id, variant_id, pieces, flexible in session.execute(
        sa.select(line.c.pledge_id, line.c.variant_id, line.c.quantity, line.c.flexible_quantity)
        .join_from(line, pledge, pledge.c.id == line.c.pledge_id)
        .join(variant, variant.c.id == line.c.variant_id)
        .where(*of_these)
        .order_by(line.c.pledge_id, variant.c.position)
    ):
        lines[pledge_id].append(Line(variant_id, pieces, flexible))
    found: dict[UUID, list[Stake]] = defaultdict(list)
    for row in session.execute(sa.select(pledge).where(*of_these).order_by(pledge.c.placed_at, pledge.c.id)):
        found[row.campaign_id].append(_stake(row, lines[row.id]))
    return found


def _stake(row: sa.Row[Any], lines: Sequence[Line]) -> Stake:
    return Stake(
        pledge_id=row.id,
        lines=tuple(lines),
        price_minor=row.unit_price_minor,
        charged_minor=row.charged_minor,
        ceiling_minor=row.ceiling_minor,
        accepts_dearer=row.accepts_dearer,
        fallback_colour=row.fallback_colour,
        joins_next_round=row.joins_next_round,
    )


def _carry_out(session: Session, shares: Sequence[Share], now: datetime) -> None:
    changed = [share for share in shares if share.quantity and _is_changed(share)]
    note_changes(session, [change for share in shares for change in changes_of(share)], now=now)
    _keep(session, changed)
    for reason, part in (("colour_dropped", _dropped_minor), ("flexible_freed", _freed_minor)):
        amounts = {share.stake.pledge_id: minor for share in changed if (minor := part(share))}
        refund_parts(session, amounts, reason=reason, now=now)
    gone = [share for share in shares if not share.quantity]
    for reason, missed in (("ceiling_missed", True), ("colour_dropped", False)):
        ids = [share.stake.pledge_id for share in gone if share.misses_ceiling is missed]
        refund_pledges(session, ids, reason=reason, now=now)
    _tell(session, [share for share in shares if not share.misses_ceiling], now)


def changes_of(share: Share) -> Iterator[Change]:
    """What a close did to a pledge, in the order it is told."""
    pledge_id = share.stake.pledge_id
    if share.misses_ceiling:
        pieces = sum(line.pieces for line in share.stake.lines)
        yield Change(pledge_id, ChangeKind.CEILING_MISSED, pieces, share.back_minor)
        return
    for end, (ordered, _taken, freed) in zip(share.lines, share.amounts, strict=True):
        if end.made is None:
            yield Change(pledge_id, ChangeKind.COLOUR_DROPPED, end.pieces, ordered, end.chosen)
        elif end.made != end.chosen:
            yield Change(pledge_id, ChangeKind.COLOUR_CHANGED, end.pieces, 0, end.chosen, end.made)
        if end.taken:
            yield Change(pledge_id, ChangeKind.FLEXIBLE_TAKEN, end.taken, 0, end.chosen, end.made)
        if end.freed:
            yield Change(pledge_id, ChangeKind.FLEXIBLE_FREED, end.freed, freed, end.chosen)
    if share.accepts_dearer and share.quantity:
        yield Change(pledge_id, ChangeKind.DEARER_ACCEPTED, share.quantity)


def _is_changed(share: Share) -> bool:
    return any(end.made != end.chosen or end.taken or end.freed for end in share.lines)


def _dropped_minor(share: Share) -> int:
    pairs = zip(share.lines, share.amounts, strict=True)
    return sum(ordered for end, (ordered, _, _) in pairs if end.made is None)


def _freed_minor(share: Share) -> int:
    return sum(freed for _, _, freed in share.amounts)


def _keep(session: Session, shares: Sequence[Share]) -> None:
    """Write down the pieces these pledges keep."""
    ids = [share.stake.pledge_id for share in shares]
    quantities = [{"id": s.stake.pledge_id, "quantity": s.quantity, "flexible_quantity": 0} for s in shares]
    let_go = {s.stake.pledge_id: sum(ln.pieces + ln.flexible for ln in s.stake.lines) - s.quantity for s in shares}
    for part in chunks(ids):
        rows = session.execute(
            sa.select(pledge.c.id, pledge.c.campaign_id, pledge.c.buyer_id).where(pledge.c.id.in_(part))
        )
        totals = [{"campaign_id": r.campaign_id, "buyer_id": r.buyer_id, "quantity": -let_go[r.id]} for r in rows]
        update_rows(session, BuyerTotal, totals, by=("campaign_id", "buyer_id"), add=("quantity",))
        session.execute(sa.delete(line).where(line.c.pledge_id.in_(part)))
    update_rows(session, Pledge, quantities)
    lines = [
        {"pledge_id": share.stake.pledge_id, "variant_id": variant_id, "quantity": pieces}
        for share in shares
        for variant_id, pieces in _kept(share.lines).items()
    ]
    insert_rows(session, PledgeLine, lines)


def _kept(ends: Sequence[LineEnd]) -> Mapping[UUID, int]:
    kept: dict[UUID, int] = defaultdict(int)
    for end in ends:
        if end.made is not None:
            kept[end.made] += end.pieces + end.taken
    return kept


def _tell(session: Session, shares: Sequence[Share], now: datetime) -> None:
    """Buyers whose colour is not made hear of it."""
    elsewhere = {share.stake.pledge_id: share for share in shares if any(end.made != end.chosen for end in share.lines)}
    columns = (pledge.c.id, pledge.c.buyer_id, campaign.c.title, campaign.c.title_en, campaign.c.currency)
    for part in chunks(list(elsewhere)):
        rows = session.execute(
            sa.select(*columns)
            .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
            .where(pledge.c.id.in_(part))
        )
        messages = []
        for row in rows:
            share = elsewhere[row.id]
            facts = {"title": row.title, "title_en": row.title_en, "currency": row.currency}
            facts |= {
                "pieces": sum(end.pieces for end in share.lines if end.made not in (None, end.chosen)),
                "dropped": sum(end.pieces for end in share.lines if end.made is None),
                "amount_minor": _dropped_minor(share),
            }
            messages.append(Message(row.buyer_id, NoticeKind.COLOUR_CHANGED, row.id, f"colour_changed:{row.id}", facts))
        tell(session, messages, now=now)
