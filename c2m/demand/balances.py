"""The balances of a presale: reminded of before their window ends; unpaid, the deposit is forfeited by the stated rule.

What was a concept and has no sample yet takes refundable deposits only: there the deposit comes back instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m import jobs
from c2m.db import chunks, lock_rows, table_of
from c2m.demand.models import Campaign, CampaignState, Pledge, PledgeState
from c2m.demand.pledges import free_pieces
from c2m.demand.refunds import refund_pledges
from c2m.demand.releases import release_or_issue
from c2m.ledger.models import AccountKind, HoldState, Side, Transfer, TransferState
from c2m.ledger.queries import holds_of
from c2m.ledger.rules import AccountRef, Held, Leg
from c2m.ledger.service import Capture, capture
from c2m.notices.models import NoticeKind
from c2m.notices.service import Message, tell

END_BALANCE = "demand.end_balance_windows"
REMIND = "demand.remind_balances"
BALANCE_IN_FLIGHT = timedelta(minutes=5)

pledge, campaign, transfer = (table_of(model) for model in (Pledge, Campaign, Transfer))


def ask_for_balances(session: Session, campaign_ids: Sequence[UUID], *, now: datetime) -> None:
    """The balance windows of these presales have opened: tell their buyers what is due."""
    _tell_of_balances(session, campaign_ids, NoticeKind.BALANCE_DUE, now)


def remind_balances(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Remind buyers of presales whose balance is neither paid nor being paid, once a window."""
    _tell_of_balances(session, ids, NoticeKind.BALANCE_REMINDER, now)


def end_balance_windows(session: Session, ids: Sequence[UUID], now: datetime) -> None:
    """Presales whose balance window has ended: unpaid pledges end, those who wait are offered the pieces.

    Where nobody waits for them, the paid pieces are ordered at once. A balance on its way is waited for.
    """
    lock_rows(session, Campaign, ids)
    due: dict[UUID, Campaign] = {}
    for part in chunks(ids):
        statement = select(Campaign).where(
            col(Campaign.id).in_(part),
            col(Campaign.balance_due_at) <= now,
            Campaign.state == CampaignState.SUCCEEDED,
            col(Campaign.releasing_until).is_(None),
        )
        due |= {found.id: found for found in session.exec(statement.execution_options(populate_existing=True))}
    in_flight = _with_balance_in_flight(session, list(due))
    later = now + BALANCE_IN_FLIGHT
    work = [(f"end_balance:{i}:{later.isoformat()}", [i], later) for i in sorted(in_flight)]
    jobs.enqueue_all(session, END_BALANCE, work, now=now)
    ended = {i: found for i, found in due.items() if i not in in_flight}
    _end_unpaid(session, ended, now)
    release_or_issue(session, list(ended), now=now)


def _tell_of_balances(session: Session, campaign_ids: Sequence[UUID], kind: NoticeKind, now: datetime) -> None:
    for part in chunks(campaign_ids):
        rows = session.execute(
            sa.select(
                pledge.c.id,
                pledge.c.buyer_id,
                pledge.c.balance_minor,
                campaign.c.title,
                campaign.c.title_en,
                campaign.c.currency,
                campaign.c.balance_due_at,
            )
            .join_from(pledge, campaign, campaign.c.id == pledge.c.campaign_id)
            .where(pledge.c.campaign_id.in_(part), pledge.c.state == PledgeState.BALANCE_DUE, ~_balance_in_flight())
            .where(campaign.c.balance_due_at > now)
        )
        messages = [
            Message(
                row.buyer_id,
                kind,
                row.id,
                f"{kind}:{row.id}",
                {
                    "title": row.title,
                    "title_en": row.title_en,
                    "amount_minor": row.balance_minor,
                    "currency": row.currency,
                    "until": row.balance_due_at.isoformat(),
                },
            )
            for row in rows
        ]
        tell(session, messages, now=now)


def _balance_in_flight() -> sa.ColumnElement[bool]:
    """Whether a pledge's balance was asked for and not declined."""
    return sa.exists().where(
        transfer.c.subject_id == pledge.c.id,
        transfer.c.purpose == "demand.balance",
        transfer.c.state != TransferState.FAILED,
    )


def _with_balance_in_flight(session: Session, campaign_ids: Sequence[UUID]) -> set[UUID]:
    found: set[UUID] = set()
    for part in chunks(campaign_ids):
        due = sa.and_(pledge.c.campaign_id.in_(part), pledge.c.state == PledgeState.BALANCE_DUE)
        paying = sa.select(pledge.c.campaign_id).where(due, _balance_in_flight()).distinct()
        found |= set(session.execute(paying).scalars())
    return found


def _end_unpaid(session: Session, ended: Mapping[UUID, Campaign], now: datetime) -> None:
    """Pledges whose balance stayed unpaid: the deposit is forfeited or comes back, the pieces are free."""
    unpaid: dict[UUID, Campaign] = {}
    for part in chunks(list(ended)):
        due = sa.and_(pledge.c.campaign_id.in_(part), pledge.c.state == PledgeState.BALANCE_DUE)
        rows = session.execute(sa.select(pledge.c.id, pledge.c.campaign_id).where(due))
        unpaid |= {row.id: ended[row.campaign_id] for row in rows}
    _forfeit(session, {i: found for i, found in unpaid.items() if not found.deposit_returns}, now)
    _give_back(session, {i: found for i, found in unpaid.items() if found.deposit_returns}, now)
    free_pieces(session, list(unpaid), now=now)


def _forfeit(session: Session, unpaid: Mapping[UUID, Campaign], now: datetime) -> None:
    """These deposits go to the merchandiser by the stated rule."""
    captures = []
    for hold in _held(session, unpaid):
        merchandiser = unpaid[hold.subject_id].organisation_id
        receiver = AccountRef(AccountKind.MERCHANDISER_PAYABLE, merchandiser, hold.currency)
        legs = (Leg(receiver, Side.CREDIT, hold.remaining_minor),)
        captures.append(Capture(hold, hold.remaining_minor, f"forfeit:{hold.id}", "demand.forfeit", legs, forfeit=True))
    capture(session, captures, now=now)
    for part in chunks(list(unpaid)):
        session.execute(
            sa.update(pledge).where(pledge.c.id.in_(part)).values(state=PledgeState.FORFEITED, ended_at=now)
        )
    _tell_of_deposits(session, unpaid, [each.hold for each in captures], NoticeKind.DEPOSIT_FORFEITED, now)


def _give_back(session: Session, unpaid: Mapping[UUID, Campaign], now: datetime) -> None:
    """These deposits go back to who paid them."""
    held = _held(session, unpaid)
    refund_pledges(session, list(unpaid), reason="balance_unpaid", now=now)
    _tell_of_deposits(session, unpaid, held, NoticeKind.DEPOSIT_RETURNED, now)


def _held(session: Session, pledge_ids: Iterable[UUID]) -> list[Held]:
    return [hold for hold in holds_of(session, list(pledge_ids)) if hold.state == HoldState.HELD]


def _tell_of_deposits(
    session: Session, unpaid: Mapping[UUID, Campaign], holds: Sequence[Held], kind: NoticeKind, now: datetime
) -> None:
    messages = []
    for hold in holds:
        found = unpaid[hold.subject_id]
        facts: dict[str, object] = {"title": found.title, "title_en": found.title_en, "currency": found.currency}
        facts["amount_minor"] = hold.remaining_minor
        messages.append(Message(hold.payer_id, kind, hold.subject_id, f"{kind}:{hold.subject_id}", facts))
    tell(session, messages, now=now)
