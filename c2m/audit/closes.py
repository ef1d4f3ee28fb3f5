"""I5 to I7 and I10: what extensions, next rounds, ceilings, colours and flexible pieces did, worked out anew."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.audit.campaigns import DECLINED, LEFT_OUT, RELEASED
from c2m.audit.check import Broken, Check, Part, underway
from c2m.db import chunks, table_of
from c2m.demand.counting import Line, Make, Outcome, Share, Stake, settle
from c2m.demand.extension import JOINED, LAPSE
from c2m.demand.models import (
    Campaign,
    CampaignState,
    ChangeKind,
    Consent,
    Pledge,
    PledgeChange,
    PledgeState,
)
from c2m.demand.settling import changes_of, stakes_of, terms_of
from c2m.errors import N_
from c2m.ledger.models import Direction, Hold, Transfer

CAMPAIGNS_AT_ONCE = 50
CAMPAIGNS_A_PART = 1_000
AT_THE_CLOSE = (
    ChangeKind.FLEXIBLE_TAKEN,
    ChangeKind.FLEXIBLE_FREED,
    ChangeKind.COLOUR_CHANGED,
    ChangeKind.COLOUR_DROPPED,
    ChangeKind.CEILING_MISSED,
    ChangeKind.DEARER_ACCEPTED,
)
LET_GO = (ChangeKind.COLOUR_DROPPED, ChangeKind.FLEXIBLE_FREED)
MISSED, DROPPED, FREED = "demand.ceiling_missed", "demand.colour_dropped", "demand.flexible_freed"
REASONS = {ChangeKind.CEILING_MISSED: MISSED, ChangeKind.COLOUR_DROPPED: DROPPED, ChangeKind.FLEXIBLE_FREED: FREED}

campaign, pledge, change, hold, transfer = (
    table_of(model) for model in (Campaign, Pledge, PledgeChange, Hold, Transfer)
)
before, next_round = pledge.alias(), campaign.alias()

Told = tuple[str, int, int, UUID | None, UUID | None]


def _priced_otherwise(part: Part) -> Broken:
    """All pieces at joining, the flexible ones too, at the price joined at or the deposit, less a sample's credit."""
    gone = (
        sa.select(change.c.pledge_id, sa.func.sum(change.c.pieces).label("pieces"))
        .where(part.of(change.c.pledge_id), change.c.kind.in_(LET_GO))
        .group_by(change.c.pledge_id)
        .subquery()
    )
    settled = pledge.c.final_price_minor.is_not(None)
    pieces = (
        pledge.c.quantity + pledge.c.flexible_quantity + sa.case((settled, sa.func.coalesce(gone.c.pieces, 0)), else_=0)
    )
    in_full = sa.or_(campaign.c.deposit_minor == 0, RELEASED)
    each = sa.case((in_full, pledge.c.unit_price_minor), else_=campaign.c.deposit_minor)
    too_dear = sa.and_(pledge.c.ceiling_minor < pledge.c.unit_price_minor, sa.not_(pledge.c.accepts_dearer))
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .outerjoin(gone, gone.c.pledge_id == pledge.c.id)
        .where(part.of(pledge.c.id))
        .where(sa.or_(pledge.c.charged_minor != pieces * each - pledge.c.credit_minor, too_dear))
    )


def _given_otherwise(part: Part) -> Broken:
    """What a close gave back is what its buyer was told, on the same account; a pledge left out got everything."""
    told = _sums(part, change.c.pledge_id, change.c.amount_minor, change.c.kind, REASONS)
    refunded = transfer.c.direction == Direction.REFUND
    names = {name: name for name in REASONS.values()}
    paid = _sums(part, transfer.c.subject_id, transfer.c.amount_minor, transfer.c.purpose, names, refunded)
    settled = pledge.c.final_price_minor.is_not(None)
    same = [sa.func.coalesce(told.c[name], 0) == sa.func.coalesce(paid.c[name], 0) for name in names]
    whole = sum((sa.func.coalesce(paid.c[name], 0) for name in (MISSED, DROPPED)), sa.literal(0))
    everything = sa.case((sa.or_(told.c[MISSED] > 0, told.c[DROPPED] > 0), pledge.c.charged_minor), else_=0)
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, told, told.c.id == pledge.c.id, isouter=True)
        .outerjoin(paid, paid.c.id == pledge.c.id)
        .where(part.of(pledge.c.id))
        .where(sa.or_(sa.and_(settled, ~sa.and_(*same)), sa.and_(~settled, whole != everything)))
    )


def _sums(
    part: Part,
    key: sa.ColumnElement[Any],
    amount: sa.ColumnElement[Any],
    sort: sa.ColumnElement[Any],
    names: dict[Any, str],
    *which: sa.ColumnElement[bool],
) -> sa.Subquery:
    """The sum of amounts by key, a column for each sort."""
    columns = [sa.func.sum(sa.case((sort == value, amount), else_=0)).label(name) for value, name in names.items()]
    return (
        sa.select(key.label("id"), *columns).where(part.of(key), sort.in_(list(names)), *which).group_by(key).subquery()
    )


def _consent_contradicts_end(part: Part) -> Broken:
    """Only who did not agree to an extension was refunded for it, and nobody stays who did not answer in time."""
    refunded = sa.exists().where(
        transfer.c.subject_id == pledge.c.id, transfer.c.purpose == "demand.extension_declined"
    )
    paid_in = sa.exists().where(hold.c.subject_id == pledge.c.id)
    wrong = sa.or_(
        sa.and_(DECLINED, pledge.c.state != PledgeState.REFUNDED),
        sa.and_(~DECLINED, refunded),
        sa.and_(DECLINED, pledge.c.paid_at.is_not(None), paid_in, ~refunded),
        sa.and_(pledge.c.consent.is_not(None), campaign.c.extended_at.is_(None)),
        sa.and_(
            pledge.c.consent == Consent.ASKED,
            pledge.c.state.not_in([*JOINED, PledgeState.CANCELLED, PledgeState.REFUNDED]),
        ),
    )
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .where(part.of(pledge.c.id), wrong)
    )


def _never_lapsed(part: Part) -> Broken:
    """The time to agree to an extension is over, and nothing will end the wait."""
    asked = sa.exists().where(
        pledge.c.campaign_id == campaign.c.id, pledge.c.consent == Consent.ASKED, pledge.c.state.in_(JOINED)
    )
    return sa.select(campaign.c.id).where(campaign.c.consents_due_at < part.now, asked, ~underway(campaign.c.id, LAPSE))


def _carried_otherwise(part: Part) -> Broken:
    """Whoever came along to a next round came once, as the same buyer, from that round, with the same money."""
    told = sa.exists().where(
        change.c.pledge_id == before.c.id,
        change.c.kind == ChangeKind.CARRIED_ON,
        change.c.amount_minor == pledge.c.charged_minor,
    )
    held = (
        sa.select(sa.func.sum(hold.c.amount_minor))
        .where(hold.c.subject_id == pledge.c.id, sa.not_(_is_charge(hold.c.id)))
        .scalar_subquery()
    )
    same = [
        before.c[name] == pledge.c[name] for name in ("buyer_id", "charged_minor", "unit_price_minor", "credit_minor")
    ]
    right = sa.and_(
        *same,
        before.c.state == PledgeState.REFUNDED,
        before.c.joins_next_round,
        before.c.campaign_id == campaign.c.previous_round_id,
        told,
        sa.func.coalesce(held, 0) == pledge.c.charged_minor,
    )
    return (
        sa.select(pledge.c.id)
        .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
        .outerjoin(before, before.c.id == pledge.c.carried_from_id)
        .where(part.of(pledge.c.id), pledge.c.carried_from_id.is_not(None), ~sa.func.coalesce(right, sa.false()))
    )


def _is_charge(key: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return sa.exists().where(transfer.c.id == key)


def _decided_by_the_pledge(part: Part) -> Broken:
    """Campaigns whose close took more than a sum, or gave a second chance: to be counted again."""
    special = sa.or_(pledge.c.flexible_quantity > 0, pledge.c.ceiling_minor.is_not(None))
    changed = sa.and_(change.c.pledge_id == pledge.c.id, change.c.kind.in_(AT_THE_CLOSE))
    by_pledge = sa.exists().where(
        pledge.c.campaign_id == campaign.c.id, sa.or_(special, sa.exists().where(changed).correlate(pledge))
    )
    second_chance = sa.and_(
        campaign.c.state == CampaignState.FAILED,
        sa.or_(campaign.c.extension_days > 0, campaign.c.next_round_days > 0, _began_anew()),
    )
    return sa.select(campaign.c.id).where(
        part.of(campaign.c.id),
        campaign.c.state.in_([CampaignState.SUCCEEDED, CampaignState.FAILED]),
        sa.or_(campaign.c.colour_minimum > 0, by_pledge, second_chance),
    )


def _began_anew() -> sa.ColumnElement[bool]:
    return sa.exists().where(next_round.c.previous_round_id == campaign.c.id)


def _count_again(session: Session, ids: Sequence[UUID]) -> Iterator[UUID]:
    """Those of these campaigns that closed otherwise than their terms and pledges say."""
    for part in chunks(ids, CAMPAIGNS_AT_ONCE):
        ended = session.execute(
            sa.select(campaign, _began_anew().label("began_anew")).where(campaign.c.id.in_(part))
        ).all()
        terms, stakes = terms_of(session, part), _stakes_at_the_close(session, part)
        told = _told(session, part)
        for row in ended:
            found = [_in_order(stake, terms[row.id].variants) for stake in stakes.get(row.id, [])]
            verdict = settle(terms[row.id], found)
            said = [fact for share in verdict.shares for fact in _facts(share)]
            as_recorded = (
                verdict.outcome is _outcome(row)
                and (verdict.quantity, verdict.price_minor) == (row.final_quantity, row.final_price_minor)
                and Counter(said) == Counter(told.get(row.id, []))
            )
            if not as_recorded:
                yield row.id


def _outcome(row: sa.Row[Any]) -> Outcome:
    if row.state == CampaignState.SUCCEEDED:
        return Outcome.SUCCEEDED
    return Outcome.NEXT_ROUND if row.began_anew else Outcome.FAILED


def _facts(share: Share) -> Iterator[tuple[UUID, Told]]:
    for told in changes_of(share):
        yield told.pledge_id, (told.kind, told.pieces, told.amount_minor, told.from_variant_id, told.to_variant_id)


def _told(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, Told]]]:
    """What each campaign's close is on record as having done."""
    found: dict[UUID, list[tuple[UUID, Told]]] = defaultdict(list)
    for row in session.execute(
        sa.select(pledge.c.campaign_id, change)
        .join_from(change, pledge, pledge.c.id == change.c.pledge_id)
        .where(pledge.c.campaign_id.in_(campaign_ids), change.c.kind.in_(AT_THE_CLOSE))
    ):
        fact = (row.kind, row.pieces, row.amount_minor, row.from_variant_id, row.to_variant_id)
        found[row.campaign_id].append((row.pledge_id, fact))
    return found


def _stakes_at_the_close(session: Session, campaign_ids: Sequence[UUID]) -> dict[UUID, list[Stake]]:
    """The paid pledges as the close found them: what it did to their lines is undone."""
    closed_at = sa.select(campaign.c.closed_at).where(campaign.c.id == pledge.c.campaign_id).scalar_subquery()
    counted = sa.and_(
        pledge.c.state.not_in([PledgeState.CANCELLED, PledgeState.UNPAID]),
        ~DECLINED,
        pledge.c.placed_at < closed_at,
    )
    left_out = set(
        session.execute(sa.select(pledge.c.id).where(pledge.c.campaign_id.in_(campaign_ids), LEFT_OUT)).scalars()
    )
    done: dict[UUID, list[Told]] = defaultdict(list)
    for facts in _told(session, campaign_ids).values():
        for pledge_id, fact in facts:
            done[pledge_id].append(fact)
    found = stakes_of(session, campaign_ids, counted)
    return {
        i: [s if s.pledge_id in left_out else replace(s, lines=_undone(s.lines, done[s.pledge_id])) for s in stakes]
        for i, stakes in found.items()
    }


def _undone(lines: Sequence[Line], told: Sequence[Told]) -> tuple[Line, ...]:
    """The lines of a pledge before its close."""
    pieces: dict[UUID, int] = defaultdict(int, {line.variant_id: line.pieces for line in lines})
    flexible: dict[UUID, int] = defaultdict(int, {line.variant_id: line.flexible for line in lines})
    for kind, count, _amount, chosen, made in told:
        if kind in (ChangeKind.FLEXIBLE_TAKEN, ChangeKind.FLEXIBLE_FREED) and chosen:
            flexible[chosen] += count
        if kind in (ChangeKind.COLOUR_CHANGED, ChangeKind.COLOUR_DROPPED) and chosen:
            pieces[chosen] += count
        if kind in (ChangeKind.FLEXIBLE_TAKEN, ChangeKind.COLOUR_CHANGED) and made:
            pieces[made] -= count
    return tuple(Line(variant_id, count, flexible[variant_id]) for variant_id, count in pieces.items() if count)


def _in_order(stake: Stake, variants: Mapping[UUID, Make]) -> Stake:
    """A pledge with its lines in the merchandiser's order of variants."""
    places = {variant_id: place for place, variant_id in enumerate(variants)}
    return replace(stake, lines=tuple(sorted(stake.lines, key=lambda line: places[line.variant_id])))


EACH, CAMPAIGNS = pledge.c.id, campaign.c.id
CHECKS = (
    Check("I5", N_("A pledge wasn't charged for its pieces at the price it joined at."), _priced_otherwise, EACH),
    Check("I5", N_("A pledge came along to a next round in part, twice, or unasked."), _carried_otherwise, EACH),
    Check("I6", N_("What a close gave back isn't what its buyer was told."), _given_otherwise, EACH),
    Check(
        "I6",
        N_("A close isn't what its terms and pledges come to."),
        _decided_by_the_pledge,
        CAMPAIGNS,
        CAMPAIGNS_A_PART,
        convicts=_count_again,
    ),
    Check("I7", N_("A pledge's consent to an extension contradicts its end."), _consent_contradicts_end, EACH),
    Check("I10", N_("An extension's answers are overdue and nothing will end the wait."), _never_lapsed),
)
