"""Work orders' money recomputed from postings: right where nothing is wrong, and each planted fault is found."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import Database, table_of
from c2m.ledger.models import AccountKind, Direction, Transfer
from c2m.ledger.rules import AccountRef, Draft, move
from c2m.ledger.service import post
from c2m.production.accounts import Mismatch, PostedAccount, mismatches, posted_accounts
from c2m.production.models import Compensation, Settlement, WorkOrder
from c2m.production.settlement import settle_work_orders
from tests.production.market import PROMISED, a_sold_campaign, an_order, deliver, make, ship

DUE = PROMISED + timedelta(days=20)


def two_orders(session: Session) -> tuple[WorkOrder, WorkOrder]:
    """A presale order delivered late in two lots and settled, and one that is half delivered."""
    _, variant, _, sheet = a_sold_campaign(session, [4, 6], payments=[[40_00, 260_00], [60_00, 540_00]])
    settled, underway = an_order(session, sheet, {variant: 6}), an_order(session, sheet, {variant: 4})
    make(session, settled, 6)
    make(session, underway, 4)
    for pieces in (2, 4):
        deliver(session, ship(session, settled, pieces), now=PROMISED + timedelta(days=2))
    deliver(session, ship(session, underway, 2))
    settle_work_orders(session, [settled.id], now=DUE)
    return settled, underway


def test_what_was_posted_agrees_with_what_is_shown(database: Database) -> None:
    with database.transaction() as session:
        settled, underway = two_orders(session)
        assert list(mismatches(session)) == []
        accounts = posted_accounts(session, [settled.id, underway.id])
        assert accounts[settled.id] == PostedAccount(
            captured_minor=500_00,
            earned_minor=360_00,
            margin_minor=140_00,
            compensation_minor=12_00,
            fee_minor=10_44,
            paid_minor=337_56,
            margin_paid_minor=140_00,
        )
        assert accounts[settled.id].net_minor == 337_56
        assert accounts[underway.id] == PostedAccount(200_00, 120_00, 80_00, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("table", "column", "figures"),
    [
        (WorkOrder, "earned_minor", {"earned_minor", "captured_minor"}),
        (WorkOrder, "margin_minor", {"margin_minor", "captured_minor"}),
        (Compensation, "amount_minor", {"compensation_minor"}),
        (Settlement, "margin_minor", {"margin_minor"}),
        (Settlement, "paid_minor", {"paid_minor"}),
        (Settlement, "margin_paid_minor", {"margin_paid_minor"}),
    ],
)
def test_a_figure_that_was_changed_is_found(
    database: Database, table: type[WorkOrder], column: str, figures: set[str]
) -> None:
    with database.transaction() as session:
        settled, _ = two_orders(session)
        rows = table_of(table)
        owner = rows.c.get("work_order_id", rows.c.id if "id" in rows.c else None)
        session.execute(sa.update(rows).where(owner == settled.id).values({column: rows.c[column] + 1}))
        found = list(mismatches(session))
        assert {(m.work_order_id, m.figure) for m in found} == {(settled.id, figure) for figure in figures}
        assert all(m.shown_minor > m.posted_minor for m in found)


def test_a_fee_that_was_changed_is_found(database: Database) -> None:
    with database.transaction() as session:
        settled, _ = two_orders(session)
        rows = table_of(Settlement)
        session.execute(sa.update(rows).values(fee_minor=rows.c.fee_minor + 1, net_minor=rows.c.net_minor - 1))
        assert list(mismatches(session)) == [
            Mismatch(settled.id, "net_minor", 337_55, 337_56),
            Mismatch(settled.id, "fee_minor", 10_45, 10_44),
        ]


def test_a_fee_posted_without_a_settlement_is_found(database: Database) -> None:
    with database.transaction() as session:
        _, underway = two_orders(session)
        legs = move(
            1_00,
            AccountRef(AccountKind.FACTORY_PAYABLE, underway.factory_id, "CNY"),
            AccountRef(AccountKind.PLATFORM_FEES, underway.factory_id, "CNY"),
        )
        post(session, [Draft(f"settlement:{underway.id.hex}", "production.fee", legs)], now=DUE)
        assert list(mismatches(session)) == [Mismatch(underway.id, "fee_minor", 0, 1_00)]


def test_a_payout_of_another_amount_is_found(database: Database) -> None:
    with database.transaction() as session:
        settled, _ = two_orders(session)
        rows = table_of(Transfer)
        payout = rows.c.direction == Direction.PAYOUT
        session.execute(
            sa.update(rows).where(payout, rows.c.amount_minor == 337_56).values(amount_minor=rows.c.amount_minor + 5)
        )
        assert list(mismatches(session)) == [Mismatch(settled.id, "paid_minor", 337_56, 337_61)]
