"""Money: every entry balances and is posted once, what is held leaves once, what is owed is paid until it is."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from c2m.db import Database, uuid7
from c2m.jobs import FIRST_BACKOFF, Job, JobState, Worker
from c2m.ledger.jobs import handlers
from c2m.ledger.models import AccountKind, Direction, Entry, Hold, HoldState, Posting, Transfer, TransferState
from c2m.ledger.provider import SandboxProvider
from c2m.ledger.queries import balance, balances_by_kind, holds_of
from c2m.ledger.rules import AccountRef, Draft, Held, Leg, UnbalancedEntry, move
from c2m.ledger.service import (
    Capture,
    Carry,
    Charge,
    HoldNotHeld,
    HoldOverdrawn,
    Release,
    buyer_payable,
    capture,
    carry_over,
    escrow,
    outside,
    post,
    refund,
    request_charges,
)
from c2m.outbox import Announcement
from tests.conftest import NOON

PAYER, OWNER, SUBJECT = (UUID(int=n) for n in (1, 2, 3))
HELD_MINOR = 100_00
EARNED = AccountRef(AccountKind.PLATFORM_FEES, UUID(int=9), "CNY")


@pytest.fixture
def provider() -> SandboxProvider:
    return SandboxProvider()


@pytest.fixture
def work(database: Database, provider: SandboxProvider) -> Callable[[], int]:
    worker = Worker(database, handlers(provider), {})
    return lambda: worker.run_until_idle(NOON)


@pytest.fixture
def held(database: Database, work: Callable[[], int]) -> Held:
    """A hundred yuan of the payer in escrow."""
    with database.transaction() as session:
        request_charges(session, [a_charge()], now=NOON)
    work()
    return the_hold(database)


def a_charge(reference: str = "pledge:3") -> Charge:
    return Charge(reference, "test", SUBJECT, PAYER, OWNER, HELD_MINOR, "CNY")


def the_hold(database: Database, subject: UUID = SUBJECT) -> Held:
    with database.reading() as session:
        [found] = holds_of(session, [subject])
    return found


def balances(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {str(kind): amount for (kind, _), amount in balances_by_kind(session).items() if amount}


def rows(database: Database, model: type) -> int:
    with database.reading() as session:
        return int(session.execute(sa.select(sa.func.count()).select_from(model)).scalar_one())


def test_money_that_was_brought_stands_in_escrow_and_whoever_waits_is_told(database: Database, held: Held) -> None:
    assert balances(database) == {"outside": -HELD_MINOR, "escrow": HELD_MINOR}
    assert (held.amount_minor, held.remaining_minor, held.payer_id, held.state) == (100_00, 100_00, PAYER, "held")
    with database.reading() as session:
        assert [(told.topic, told.ids) for told in session.exec(select(Announcement))] == [
            ("test.charged", [str(SUBJECT)])
        ]


def test_a_charge_that_is_declined_moves_nothing_and_is_told(
    database: Database, work: Callable[[], int], provider: SandboxProvider
) -> None:
    provider.declined_references = {"pledge:3"}
    with database.transaction() as session:
        request_charges(session, [a_charge()], now=NOON)
    work()
    assert (balances(database), rows(database, Hold), rows(database, Entry)) == ({}, 0, 0)
    with database.reading() as session:
        transfer = session.exec(select(Transfer)).one()
        assert (transfer.state, transfer.failure) == (TransferState.FAILED, "declined by the sandbox")
        assert session.exec(select(Announcement.topic)).all() == ["test.declined"]


def test_a_provider_that_is_away_is_asked_again_and_money_moves_once(
    database: Database, provider: SandboxProvider
) -> None:
    provider.failures_left = 1
    worker = Worker(database, handlers(provider), {})
    with database.transaction() as session:
        request_charges(session, [a_charge()], now=NOON)
    worker.run_until_idle(NOON)
    assert balances(database) == {}
    worker.run_until_idle(NOON + FIRST_BACKOFF)
    assert balances(database) == {"outside": -HELD_MINOR, "escrow": HELD_MINOR}
    with database.reading() as session:
        assert session.exec(select(Job.state)).all() == [JobState.DONE]


def test_a_charge_is_asked_for_once(database: Database, held: Held) -> None:
    with database.writing() as session, pytest.raises(sa.exc.IntegrityError):
        request_charges(session, [a_charge()], now=NOON)
    assert rows(database, Transfer) == 1


@pytest.mark.parametrize(
    "legs",
    [
        (),
        (Leg(EARNED, "debit", 5), Leg(EARNED, "credit", 4)),
        (Leg(EARNED, "debit", 0), Leg(EARNED, "credit", 0)),
        (Leg(EARNED, "debit", -1), Leg(EARNED, "credit", -1)),
        (Leg(EARNED, "debit", 5), Leg(AccountRef(AccountKind.PLATFORM_FEES, OWNER, "USD"), "credit", 5)),
        (Leg(EARNED, "debit", 1.5), Leg(EARNED, "credit", 1.5)),  # type: ignore[arg-type]
    ],
)
def test_an_entry_that_does_not_balance_is_refused_with_all_others(database: Database, legs: tuple[Leg, ...]) -> None:
    good = Draft("good", "test", move(5, outside(PAYER, "CNY"), EARNED))
    with database.writing() as session, pytest.raises(UnbalancedEntry):
        post(session, [good, Draft("bad", "test", legs)], now=NOON)
    assert (rows(database, Entry), rows(database, Posting)) == (0, 0)


def test_an_entry_is_posted_once(database: Database) -> None:
    draft = Draft("once", "test", move(5, outside(PAYER, "CNY"), EARNED))
    with database.transaction() as session:
        post(session, [draft], now=NOON)
    with database.writing() as session, pytest.raises(sa.exc.IntegrityError):
        post(session, [draft], now=NOON)
    with database.reading() as session:
        assert balance(session, EARNED) == 5


def test_a_part_goes_back_and_the_rest_is_earned(database: Database, held: Held, work: Callable[[], int]) -> None:
    with database.transaction() as session:
        refund(session, [Release(held, 30_00, "back", "test")], now=NOON)
        earned = (Leg(EARNED, "credit", 70_00),)
        capture(session, [Capture(held, 70_00, "earned", "test", earned)], now=NOON)
    assert balances(database) == {"outside": -HELD_MINOR, "buyer_payable": 30_00, "platform_fees": 70_00}
    work()
    assert balances(database) == {"outside": -70_00, "platform_fees": 70_00}
    after = the_hold(database)
    assert (after.refunded_minor, after.captured_minor, after.remaining_minor) == (30_00, 70_00, 0)
    assert after.state == HoldState.CAPTURED
    with database.reading() as session:
        paid = session.exec(select(Transfer).where(Transfer.direction == Direction.REFUND)).one()
        assert (paid.state, paid.amount_minor, paid.organisation_id) == (TransferState.DONE, 30_00, PAYER)


def take_back(session: Session, held: Held, amount_minor: int) -> None:
    refund(session, [Release(held, amount_minor, f"back:{uuid7()}", "test")], now=NOON)


@pytest.mark.parametrize("amount_minor", [0, -1, HELD_MINOR + 1])
def test_no_more_leaves_a_hold_than_it_holds(database: Database, held: Held, amount_minor: int) -> None:
    with database.writing() as session, pytest.raises(HoldOverdrawn):
        take_back(session, held, amount_minor)
    assert the_hold(database) == held


def test_two_takes_of_one_set_count_together(database: Database, held: Held) -> None:
    parts = [Release(held, 60_00, "first", "test"), Release(held, 60_00, "second", "test")]
    with database.writing() as session, pytest.raises(HoldOverdrawn):
        refund(session, parts, now=NOON)
    assert the_hold(database) == held


def test_what_has_left_whole_does_not_leave_again_even_by_an_old_reading(database: Database, held: Held) -> None:
    with database.transaction() as session:
        take_back(session, held, HELD_MINOR)
    with database.writing() as session, pytest.raises(HoldNotHeld):
        take_back(session, held, 1)
    assert balances(database) == {"outside": -HELD_MINOR, "buyer_payable": HELD_MINOR}


def test_what_is_forfeited_is_marked_as_such(database: Database, held: Held) -> None:
    with database.transaction() as session:
        legs = (Leg(EARNED, "credit", HELD_MINOR),)
        capture(session, [Capture(held, HELD_MINOR, "lost", "test", legs, forfeit=True)], now=NOON)
    after = the_hold(database)
    assert (after.forfeited_minor, after.captured_minor, after.state) == (HELD_MINOR, 0, HoldState.FORFEITED)


def test_a_hold_is_carried_over_whole_without_leaving_the_platform(database: Database, held: Held) -> None:
    next_subject, next_owner = UUID(int=31), UUID(int=21)
    with database.transaction() as session:
        take_back(session, held, 40_00)
        [fresh] = holds_of(session, [SUBJECT])
        carry_over(session, [Carry(fresh, next_subject, next_owner, "test")], now=NOON)
    assert the_hold(database, next_subject).remaining_minor == 60_00
    assert the_hold(database).remaining_minor == 0
    with database.reading() as session:
        assert balance(session, escrow(OWNER, "CNY")) == 0
        assert balance(session, escrow(next_owner, "CNY")) == 60_00
        assert balance(session, buyer_payable(PAYER, "CNY")) == 40_00
