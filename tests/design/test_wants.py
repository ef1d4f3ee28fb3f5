"""Wants: stated once, their deposits held to the cent and always given back."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from c2m.app import build_worker
from c2m.db import Database, uuid7
from c2m.design import concepts, wants
from c2m.design.models import Concept, Want, WantState
from c2m.design.wants import (
    ConceptClosed,
    DepositInFlight,
    MoreThanTheTarget,
    WantKeyReused,
    WantNotFound,
    WantNotWithdrawable,
    WantRequest,
)
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.jobs import Worker
from c2m.ledger.models import AccountKind, Transfer
from c2m.ledger.provider import SandboxProvider
from c2m.ledger.queries import balance
from c2m.ledger.rules import AccountRef
from tests.builders import an_organisation
from tests.design.builders import NOON, a_concept, a_want, count

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def worker(database: Database, provider: SandboxProvider) -> Worker:
    return build_worker(database, provider)


def money(session: Session, kind: AccountKind, owner_id: UUID) -> int:
    return balance(session, AccountRef(kind, owner_id, "CNY"))


def state_and_pay(database: Database, worker: Worker, now: datetime = NOON) -> tuple[Concept, Want]:
    with database.transaction() as session:
        concept, [first, _] = a_concept(session)
        want = a_want(session, first, an_organisation(session, Role.BUYER).id)
    worker.run_until_idle(now)
    return concept, want


def state_of(database: Database, want: Want) -> WantState:
    with database.reading() as session:
        return session.get_one(Want, want.id).state


def test_a_deposit_lies_in_escrow_to_the_cent(database: Database, worker: Worker) -> None:
    concept, want = state_and_pay(database, worker)
    assert state_of(database, want) is WantState.DEPOSITED
    with database.reading() as session:
        assert money(session, AccountKind.ESCROW, concept.id) == 15_00
        assert money(session, AccountKind.OUTSIDE, want.buyer_id) == -15_00


def test_withdrawing_gives_the_whole_deposit_back(database: Database, worker: Worker) -> None:
    concept, want = state_and_pay(database, worker)
    with database.transaction() as session:
        mine = wants.want_of(session, want.id, buyer_id=want.buyer_id)
        wants.withdraw_want(session, mine, now=LATER)
        assert money(session, AccountKind.ESCROW, concept.id) == 0
        assert money(session, AccountKind.BUYER_PAYABLE, want.buyer_id) == 15_00
    worker.run_until_idle(LATER)
    with database.reading() as session:
        assert money(session, AccountKind.BUYER_PAYABLE, want.buyer_id) == 0
        assert money(session, AccountKind.OUTSIDE, want.buyer_id) == 0
    assert state_of(database, want) is WantState.WITHDRAWN


def test_withdrawing_twice_is_refused_and_pays_once(database: Database, worker: Worker) -> None:
    _, want = state_and_pay(database, worker)
    with database.transaction() as session:
        mine = wants.want_of(session, want.id, buyer_id=want.buyer_id)
        wants.withdraw_want(session, mine, now=LATER)
        with pytest.raises(WantNotWithdrawable):
            wants.withdraw_want(session, mine, now=LATER)
        assert money(session, AccountKind.BUYER_PAYABLE, want.buyer_id) == 15_00


def test_a_deposit_in_flight_is_waited_for(database: Database) -> None:
    with database.transaction() as session:
        _, [first, _] = a_concept(session)
        want = a_want(session, first, an_organisation(session, Role.BUYER).id)
        with pytest.raises(DepositInFlight):
            wants.withdraw_want(session, want, now=NOON)
        assert want.state is WantState.UNPAID


def test_sending_a_want_twice_states_it_once(database: Database, worker: Worker) -> None:
    with database.transaction() as session:
        concept, [first, _] = a_concept(session)
        buyer = an_organisation(session, Role.BUYER).id
        ids = {a_want(session, first, buyer).id for _ in range(3)}
        assert len(ids) == count(session, Want) == count(session, Transfer) == 1
    worker.run_until_idle(NOON)
    with database.reading() as session:
        assert money(session, AccountKind.ESCROW, concept.id) == 15_00


def test_the_same_key_for_something_else_is_refused(database: Database) -> None:
    with database.transaction() as session:
        _, [first, _] = a_concept(session)
        buyer = an_organisation(session, Role.BUYER).id
        a_want(session, first, buyer)
        with pytest.raises(WantKeyReused):
            a_want(session, first, buyer, quantity=4)
        assert count(session, Want) == 1


def test_the_same_key_of_another_buyer_is_another_want(database: Database) -> None:
    with database.transaction() as session:
        _, [first, _] = a_concept(session)
        for _ in range(2):
            a_want(session, first, an_organisation(session, Role.BUYER).id)
        assert count(session, Want) == 2


def test_without_a_deposit_no_money_moves(database: Database) -> None:
    with database.transaction() as session:
        _, [first, _] = a_concept(session, deposit_minor=0)
        want = a_want(session, first, an_organisation(session, Role.BUYER).id)
        assert want.state is WantState.STATED
        assert count(session, Transfer) == 0
        wants.withdraw_want(session, want, now=NOON)
        assert want.state is WantState.WITHDRAWN


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": 100_001}, "quantity"),
        ({"price_minor": 0}, "price"),
        ({"price_minor": 100_000_001}, "price"),
        ({"price_minor": 3 * 69_00 + 1}, "price"),
        ({"variant_id": uuid7()}, "variant_id"),
    ],
)
def test_a_want_that_makes_no_sense_is_refused(database: Database, wrong: dict[str, Any], field: str) -> None:
    with database.transaction() as session:
        concept, [first, _] = a_concept(session)
        said: dict[str, Any] = {"variant_id": first.id, "quantity": 1, "price_minor": 1}
        buyer = an_organisation(session, Role.BUYER).id
        request = WantRequest(concept_id=concept.id, buyer_id=buyer, idempotency_key="key", **said | wrong)
        with pytest.raises(Invalid) as refused:
            wants.state_want(session, request, now=NOON)
        assert list(refused.value.errors) == [field]
        assert count(session, Want) == 0


def test_one_buyer_s_wants_together_stay_within_the_target_and_what_is_taken_back_is_free_again(
    database: Database,
) -> None:
    with database.transaction() as session:
        concept, [first, second] = a_concept(session, target_quantity=40, deposit_minor=0)
        buyer, other = (an_organisation(session, Role.BUYER).id for _ in range(2))
        with pytest.raises(MoreThanTheTarget):
            a_want(session, first, buyer, 41)
        early = a_want(session, first, buyer, 25, key="the first")
        with pytest.raises(MoreThanTheTarget) as refused:
            a_want(session, second, buyer, 16, key="the second")
        assert refused.value.details == {"field": "quantity", "target": 40, "left": 15}
        assert count(session, Want) == 1
        a_want(session, second, buyer, 15, price_minor=3 * 69_00, key="the second")
        a_want(session, second, other, 40)
        assert wants.left_to_want(session, concept, buyer) == wants.left_to_want(session, concept, other) == 0
        wants.withdraw_want(session, early, now=NOON)
        assert wants.left_to_want(session, concept, buyer) == 25


def test_a_closed_concept_takes_no_wants(database: Database) -> None:
    with database.transaction() as session:
        draft, [drafted, _] = a_concept(session, published=False)
        ended, [late, _] = a_concept(session)
        buyer = an_organisation(session, Role.BUYER).id
        for variant, now in ((drafted, NOON), (late, ended.ends_at)):
            with pytest.raises(ConceptClosed):
                a_want(session, variant, buyer, now=now)
        assert draft.id != ended.id
        assert count(session, Want) == 0


def test_a_deposit_that_arrives_after_the_decision_goes_back(database: Database, worker: Worker) -> None:
    with database.transaction() as session:
        concept, [first, _] = a_concept(session)
        want = a_want(session, first, an_organisation(session, Role.BUYER).id)
        concepts.stop_concept(session, concept, now=NOON)
        assert want.state is WantState.UNPAID
    worker.run_until_idle(LATER)
    assert state_of(database, want) is WantState.REFUNDED
    with database.reading() as session:
        assert money(session, AccountKind.ESCROW, concept.id) == 0
        assert money(session, AccountKind.OUTSIDE, want.buyer_id) == 0


def test_a_declined_deposit_withdraws_the_want(database: Database, worker: Worker, provider: SandboxProvider) -> None:
    with database.transaction() as session:
        concept, [first, _] = a_concept(session)
        buyer = an_organisation(session, Role.BUYER).id
        provider.declined_organisations.add(str(buyer))
        want = a_want(session, first, buyer)
    worker.run_until_idle(NOON)
    assert state_of(database, want) is WantState.WITHDRAWN
    with database.reading() as session:
        assert money(session, AccountKind.ESCROW, concept.id) == 0


def test_somebody_else_s_want_is_not_found(database: Database) -> None:
    with database.transaction() as session:
        _, [first, _] = a_concept(session)
        want = a_want(session, first, an_organisation(session, Role.BUYER).id)
        with pytest.raises(WantNotFound):
            wants.want_of(session, want.id, buyer_id=an_organisation(session, Role.BUYER).id)
