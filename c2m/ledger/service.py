"""What can be done with money: charge it into escrow, take it out once, grant, pay out. All of it set-based."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m import jobs
from c2m.db import chunks, insert_missing, insert_rows, lock_rows, table_of, update_rows, uuid7
from c2m.errors import N_, Conflict
from c2m.ledger.models import (
    Account,
    AccountKind,
    Direction,
    Entry,
    Hold,
    HoldState,
    Posting,
    Side,
    Transfer,
    TransferState,
)
from c2m.ledger.provider import Answer
from c2m.ledger.queries import pending_transfers
from c2m.ledger.rules import AccountRef, Draft, Held, KnownAccount, Leg, check_balanced, move
from c2m.outbox import announce

CARRY_OUT = "ledger.carry_out"
OPEN_ACCOUNTS = "open_accounts"  # in a session's info: the accounts it knows to be there
_TAKEN = ("id", "captured_minor", "refunded_minor", "forfeited_minor", "state", "resolved_at")
TRANSFERS_PER_JOB = 200


class HoldNotHeld(Conflict):
    sentence = N_("This payment has already been settled.")


class HoldOverdrawn(Conflict):
    sentence = N_("More would be taken from a payment than it still holds.")


@dataclass(frozen=True)
class Charge:
    """Money to be brought from an organisation's outside into the escrow of `escrow_owner_id`."""

    reference: str
    purpose: str
    subject_id: UUID
    payer_id: UUID
    escrow_owner_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Release:
    """A part of a hold to be refunded to its payer."""

    hold: Held
    amount_minor: int
    reference: str
    purpose: str


@dataclass(frozen=True)
class Capture:
    """A part of a hold that is earned (or forfeited): `legs` say who receives it and sum to its amount."""

    hold: Held
    amount_minor: int
    reference: str
    purpose: str
    legs: tuple[Leg, ...]
    forfeit: bool = False


@dataclass(frozen=True)
class Carry:
    """A hold that goes on for another subject of the same payer, in another escrow."""

    hold: Held
    subject_id: UUID
    escrow_owner_id: UUID
    purpose: str


@dataclass(frozen=True)
class Payment:
    """Money owed to an organisation on one of its payable accounts, to be paid out."""

    reference: str
    purpose: str
    subject_id: UUID
    organisation_id: UUID
    account: AccountRef
    amount_minor: int


def escrow(owner_id: UUID, currency: str) -> AccountRef:
    return AccountRef(AccountKind.ESCROW, owner_id, currency)


def outside(organisation_id: UUID, currency: str) -> AccountRef:
    return AccountRef(AccountKind.OUTSIDE, organisation_id, currency)


def buyer_payable(organisation_id: UUID, currency: str) -> AccountRef:
    return AccountRef(AccountKind.BUYER_PAYABLE, organisation_id, currency)


def post(session: Session, drafts: Sequence[Draft], *, now: datetime) -> None:
    """Post entries, each once: the one function that writes postings.

    Raises:
        UnbalancedEntry: before anything is written.
        sqlalchemy.exc.IntegrityError: a reference was posted before.
    """
    for draft in drafts:
        check_balanced(draft)
    legs = [leg for draft in drafts for leg in draft.legs]
    open_accounts(session, (leg.account for leg in legs if isinstance(leg.account, AccountRef)))
    entries, postings = [], []
    for draft in drafts:
        entry_id = uuid7()
        entries.append({"id": entry_id, "reference": draft.reference, "kind": draft.kind, "posted_at": now})
        postings += [
            {
                "entry_id": entry_id,
                "position": position,
                "account_id": leg.account.id,
                "side": Side(leg.side),
                "amount_minor": leg.amount_minor,
                "currency": leg.account.currency,
            }
            for position, leg in enumerate(draft.legs)
        ]
    insert_rows(session, Entry, entries)
    insert_rows(session, Posting, postings)


def open_accounts(session: Session, accounts: Iterable[AccountRef]) -> None:
    """See that the accounts exist."""
    known: set[AccountRef] = session.info.setdefault(OPEN_ACCOUNTS, set())
    new = sorted(set(accounts) - known, key=lambda a: a.id)
    rows = [{"id": a.id, "kind": AccountKind(a.kind), "owner_id": a.owner_id, "currency": a.currency} for a in new]
    insert_missing(session, Account, rows)
    known.update(new)


def request_charges(session: Session, charges: Sequence[Charge], *, now: datetime) -> list[UUID]:
    """Ask for money to be brought into escrow; the pay job does it. Returns the transfers' ids."""
    open_accounts(session, (escrow(c.escrow_owner_id, c.currency) for c in charges))
    rows = [
        {
            "id": uuid7(),
            "direction": Direction.CHARGE,
            "reference": c.reference,
            "purpose": c.purpose,
            "subject_id": c.subject_id,
            "organisation_id": c.payer_id,
            "account_id": escrow(c.escrow_owner_id, c.currency).id,
            "currency": c.currency,
            "amount_minor": c.amount_minor,
            "created_at": now,
        }
        for c in charges
    ]
    return _insert_transfers(session, rows, now=now)


def refund(session: Session, releases: Sequence[Release], *, now: datetime) -> None:
    """Grant buyers a part of what is held for them, at once; the refund job pays it until it is paid.

    Raises:
        HoldNotHeld, HoldOverdrawn
    """
    _take(session, [(r.hold, "refunded_minor", r.amount_minor) for r in releases], now=now)
    drafts, payments = [], []
    for r in releases:
        payable = buyer_payable(r.hold.payer_id, r.hold.currency)
        drafts.append(Draft(r.reference, r.purpose, move(r.amount_minor, r.hold.escrow, payable)))
        payments.append(Payment(r.reference, r.purpose, r.hold.subject_id, r.hold.payer_id, payable, r.amount_minor))
    post(session, drafts, now=now)
    pay_out(session, payments, Direction.REFUND, now=now)


def capture(session: Session, captures: Sequence[Capture], *, now: datetime) -> None:
    """Pass held money on to those who earned it, or to whom it is forfeited.

    Raises:
        HoldNotHeld, HoldOverdrawn, UnbalancedEntry
    """
    takes = [(c.hold, "forfeited_minor" if c.forfeit else "captured_minor", c.amount_minor) for c in captures]
    _take(session, takes, now=now)
    drafts = [
        Draft(c.reference, c.purpose, (Leg(c.hold.escrow, Side.DEBIT, c.amount_minor), *c.legs)) for c in captures
    ]
    post(session, drafts, now=now)


def carry_over(session: Session, carries: Sequence[Carry], *, now: datetime) -> None:
    """Hold for one subject all that is still held for another: granted back and held anew, nothing leaves.

    Raises:
        HoldNotHeld
    """
    _take(session, [(c.hold, "refunded_minor", c.hold.remaining_minor) for c in carries], now=now)
    drafts, holds = [], []
    for c in carries:
        hold_id, amount, currency = uuid7(), c.hold.remaining_minor, c.hold.currency
        payable, target = buyer_payable(c.hold.payer_id, currency), escrow(c.escrow_owner_id, currency)
        drafts.append(Draft(f"carried:{c.hold.id}", c.purpose, move(amount, c.hold.escrow, payable)))
        drafts.append(Draft(f"carry:{hold_id}", c.purpose, move(amount, payable, target)))
        holds.append(
            {
                "id": hold_id,
                "subject_id": c.subject_id,
                "escrow_account_id": target.id,
                "payer_id": c.hold.payer_id,
                "currency": currency,
                "amount_minor": amount,
                "held_at": now,
            }
        )
    post(session, drafts, now=now)
    insert_rows(session, Hold, holds)


def pay_out(session: Session, payments: Sequence[Payment], direction: Direction, *, now: datetime) -> list[UUID]:
    """Have what is owed paid to the outside; the job retries until it is. Returns the transfers' ids."""
    rows = [
        {
            "id": uuid7(),
            "direction": direction,
            "reference": p.reference,
            "purpose": p.purpose,
            "subject_id": p.subject_id,
            "organisation_id": p.organisation_id,
            "account_id": p.account.id,
            "currency": p.account.currency,
            "amount_minor": p.amount_minor,
            "created_at": now,
        }
        for p in payments
    ]
    return _insert_transfers(session, rows, now=now)


def record_answers(session: Session, answers: Sequence[tuple[UUID, Answer]], provider: str, *, now: datetime) -> None:
    """Write down what the provider did: post what was carried out, tell who waits for a charge."""
    said = dict(answers)
    lock_rows(session, Transfer, list(said))
    pending = pending_transfers(session, list(said))
    drafts, holds = [], []
    told: dict[str, list[UUID]] = {}
    for transfer in pending:
        answer = said[transfer.id]
        if not answer.accepted and transfer.direction is not Direction.CHARGE:
            raise PayoutDeclined(f"{transfer.reference}: {answer.reason}")
        if answer.accepted:
            drafts.append(_carried_out(transfer))
            if transfer.direction is Direction.CHARGE:
                holds.append(_hold(transfer, now))
        event = "charged" if answer.accepted else "declined"
        if transfer.direction is Direction.CHARGE:
            told.setdefault(f"{transfer.purpose}.{event}", []).append(transfer.subject_id)
    post(session, drafts, now=now)
    insert_rows(session, Hold, holds)
    _finish(session, pending, said, provider, now)
    for topic, subjects in told.items():
        announce(session, topic, subjects, now=now)


class PayoutDeclined(Exception):
    """The provider refuses to pay money that is owed."""


def _take(session: Session, takes: Sequence[tuple[Held, str, int]], *, now: datetime) -> None:
    if not takes:
        return
    lock_rows(session, Hold, list({hold.id for hold, _, _ in takes}))
    fresh = _hold_rows(session, list({hold.id for hold, _, _ in takes}))
    for hold, part, amount_minor in takes:
        row = fresh[hold.id]
        if row["state"] != HoldState.HELD:
            raise HoldNotHeld(hold_id=hold.id, subject_id=hold.subject_id)
        row[part] += amount_minor
        left = row["amount_minor"] - row["captured_minor"] - row["refunded_minor"] - row["forfeited_minor"]
        if amount_minor <= 0 or left < 0:
            raise HoldOverdrawn(hold_id=hold.id, subject_id=hold.subject_id)
        if left == 0:
            row["state"], row["resolved_at"] = _resolution(row), now
    update_rows(session, Hold, [{name: row[name] for name in _TAKEN} for row in fresh.values()])


def _resolution(row: dict[str, Any]) -> HoldState:
    if row["captured_minor"]:
        return HoldState.CAPTURED
    return HoldState.FORFEITED if row["forfeited_minor"] else HoldState.REFUNDED


def _hold_rows(session: Session, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What these holds amount to and how much of it has left already."""
    c = table_of(Hold).c
    names = (*_TAKEN, "amount_minor")
    columns = [c[name] for name in names]
    rows: dict[UUID, dict[str, Any]] = {}
    for part in chunks(ids):
        found = session.execute(sa.select(*columns).where(c.id.in_(part)))
        rows |= {row[0]: dict(zip(names, row, strict=True)) for row in found}
    return rows


def _insert_transfers(session: Session, rows: list[dict[str, object]], *, now: datetime) -> list[UUID]:
    insert_rows(session, Transfer, rows)
    ids = [row["id"] for row in rows if isinstance(row["id"], UUID)]
    work = [(f"{CARRY_OUT}:{part[0]}", part, now) for part in chunks(ids, TRANSFERS_PER_JOB)]
    jobs.enqueue_all(session, CARRY_OUT, work, now=now)
    return ids


def _carried_out(transfer: sa.Row[Any]) -> Draft:
    inside = KnownAccount(transfer.account_id, transfer.currency)
    out = outside(transfer.organisation_id, transfer.currency)
    legs = (
        move(transfer.amount_minor, out, inside)
        if transfer.direction is Direction.CHARGE
        else move(transfer.amount_minor, inside, out)
    )
    return Draft(f"{transfer.direction}:{transfer.id}", f"{transfer.purpose}.{transfer.direction}", legs)


def _hold(transfer: sa.Row[Any], now: datetime) -> dict[str, object]:
    return {
        "id": transfer.id,
        "subject_id": transfer.subject_id,
        "escrow_account_id": transfer.account_id,
        "payer_id": transfer.organisation_id,
        "currency": transfer.currency,
        "amount_minor": transfer.amount_minor,
        "held_at": now,
    }


def _finish(
    session: Session, pending: Sequence[sa.Row[Any]], said: dict[UUID, Answer], provider: str, now: datetime
) -> None:
    rows = [
        {
            "id": transfer.id,
            "state": TransferState.DONE if answer.accepted else TransferState.FAILED,
            "provider": provider,
            "provider_reference": answer.provider_reference,
            "failure": answer.reason,
            "finished_at": now,
        }
        for transfer in pending
        for answer in (said[transfer.id],)
    ]
    update_rows(session, Transfer, rows)
