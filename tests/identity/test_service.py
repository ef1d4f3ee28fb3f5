"""Registering, verifying, signing in and out, shutting out; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.db import Database, uuid7
from c2m.errors import Invalid, Refusal, TooManyRequests
from c2m.identity import jobs, queries, service
from c2m.identity.models import Organisation, OrganisationState, Role, SignIn, SignInFailure, User
from c2m.identity.passwords import Passwords
from c2m.identity.rules import ATTEMPTS_COUNT_FOR, SIGN_IN_LASTS, token_hash
from c2m.identity.service import (
    AlreadyDecided,
    Decision,
    EmailTaken,
    Registered,
    Registration,
    SignInRefused,
)
from c2m.jobs import Worker
from tests.conftest import CHEAP, PASSWORD, PASSWORD_HASH, Person


def a_registration(email: str = "lin@keqiao.test", kind: Role = Role.FACTORY) -> Registration:
    return Registration(kind, "Keqiao Weaving", email, "Lin", PASSWORD_HASH, region="Keqiao")


def register(database: Database, clock: ManualClock, *registrations: Registration) -> list[Registered | Refusal]:
    with database.transaction() as session:
        return service.register_organisations(session, registrations, now=clock.now())


def state_of(database: Database, organisation_id: UUID) -> OrganisationState:
    with database.reading() as session:
        return queries.organisation_of(session, organisation_id).state


def test_a_factory_waits_and_others_begin_at_once(database: Database, clock: ManualClock) -> None:
    kinds = list(Role)
    answers = register(database, clock, *(a_registration(f"{kind}@x.test", kind) for kind in kinds))
    states = {}
    for kind, answer in zip(kinds, answers, strict=True):
        assert isinstance(answer, Registered)
        states[kind] = state_of(database, answer.organisation_id)
        with database.reading() as session:
            assert queries.roles_of(session, answer.user_id) == {kind}
    assert states.pop(Role.FACTORY) is OrganisationState.PENDING
    assert set(states.values()) == {OrganisationState.ACTIVE}


def test_an_address_in_use_is_refused_and_the_others_stand(database: Database, clock: ManualClock) -> None:
    register(database, clock, a_registration("old@x.test"))
    answers = register(
        database, clock, a_registration(" OLD@x.test "), a_registration("new@x.test"), a_registration("New@x.test")
    )
    assert [type(answer) for answer in answers] == [EmailTaken, Registered, EmailTaken]
    with database.reading() as session:
        assert set(session.exec(select(User.email))) == {"old@x.test", "new@x.test"}
        assert len(session.exec(select(Organisation)).all()) == 2


def test_many_register_in_one_set(database: Database, clock: ManualClock) -> None:
    answers = register(database, clock, *(a_registration(f"shop{n}@x.test", Role.BUYER) for n in range(700)))
    assert all(isinstance(answer, Registered) for answer in answers)


@pytest.mark.parametrize(("verified", "state"), [(True, OrganisationState.ACTIVE), (False, OrganisationState.REFUSED)])
def test_an_operator_decides_once(
    database: Database, clock: ManualClock, verified: bool, state: OrganisationState
) -> None:
    (new,) = register(database, clock, a_registration())
    assert isinstance(new, Registered)
    operator_id = uuid7()
    with database.transaction() as session:
        decision = Decision(new.organisation_id, verified, "looked at the licence")
        organisation = service.decide_organisation(session, decision, operator_id, now=clock.now())
    assert (organisation.decided_at, organisation.decided_by) == (clock.now(), operator_id)
    assert state_of(database, new.organisation_id) is state
    with pytest.raises(AlreadyDecided), database.transaction() as session:
        service.decide_organisation(session, Decision(new.organisation_id, not verified, "!"), uuid7(), now=clock.now())
    assert state_of(database, new.organisation_id) is state


def test_turning_down_needs_a_reason(database: Database, clock: ManualClock) -> None:
    (new,) = register(database, clock, a_registration())
    assert isinstance(new, Registered)
    with pytest.raises(Invalid), database.transaction() as session:
        service.decide_organisation(session, Decision(new.organisation_id, False, "  "), uuid7(), now=clock.now())
    assert state_of(database, new.organisation_id) is OrganisationState.PENDING


def test_an_unknown_organisation_cannot_be_decided(database: Database, clock: ManualClock) -> None:
    with pytest.raises(queries.OrganisationNotFound), database.transaction() as session:
        service.decide_organisation(session, Decision(uuid7(), True), uuid7(), now=clock.now())


def test_signing_in_gives_a_token_that_finds_the_user(
    database: Database, clock: ManualClock, people: dict[str, Person]
) -> None:
    token = service.sign_in(database, CHEAP, " Buyer@C2M.test", PASSWORD, "192.0.2.1", now=clock.now())
    with database.reading() as session:
        found = queries.who_signed_in(session, token_hash(token), now=clock.now())
        assert found is not None
        assert (found.user_id, found.organisation_id) == (people["buyer"].user_id, people["buyer"].organisation_id)
        assert found.roles == {Role.BUYER}
        assert queries.who_signed_in(session, token_hash(token), now=clock.now() + SIGN_IN_LASTS) is None


def test_a_password_hashed_at_another_cost_is_hashed_anew(
    database: Database, clock: ManualClock, people: dict[str, Person]
) -> None:
    dearer = Passwords(passes=2, memory_kib=16)
    service.sign_in(database, dearer, people["buyer"].email, PASSWORD, "192.0.2.1", now=clock.now())
    with database.reading() as session:
        kept = session.get_one(User, people["buyer"].user_id).password_hash
    assert not dearer.outdated(kept)
    assert dearer.verify(kept, PASSWORD)


def test_attempts_made_at_once_are_counted_one_by_one(
    database: Database, clock: ManualClock, people: dict[str, Person]
) -> None:
    def attempt(number: int) -> type[Exception]:
        with pytest.raises((SignInRefused, TooManyRequests)) as refused:
            service.sign_in(
                database, CHEAP, people["buyer"].email, f"guess {number}", f"192.0.2.{number}", now=clock.now()
            )
        return refused.type

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(24)))
    assert answers.count(SignInRefused) == 5
    assert answers.count(TooManyRequests) == 19


def test_a_disabled_user_is_signed_out_everywhere(
    database: Database, clock: ManualClock, people: dict[str, Person]
) -> None:
    for _ in range(2):
        service.sign_in(database, CHEAP, people["buyer"].email, PASSWORD, "192.0.2.1", now=clock.now())
    for later in (0, 5):
        with database.transaction() as session:
            user = service.disable_user(session, people["buyer"].user_id, now=clock.now() + timedelta(minutes=later))
        assert user.disabled_at == clock.now()
    with database.reading() as session:
        assert session.exec(select(SignIn)).all() == []
    with pytest.raises(queries.UserNotFound), database.transaction() as session:
        service.disable_user(session, uuid7(), now=clock.now())


def test_the_hourly_job_forgets_what_no_longer_counts(
    database: Database, clock: ManualClock, people: dict[str, Person]
) -> None:
    service.sign_in(database, CHEAP, people["buyer"].email, PASSWORD, "192.0.2.1", now=clock.now())
    with pytest.raises(SignInRefused):
        service.sign_in(database, CHEAP, people["buyer"].email, "wrong", "192.0.2.1", now=clock.now())
    worker = Worker(database, jobs.handlers(), jobs.SUBSCRIPTIONS, jobs.SCHEDULES)
    left = []
    for wait in (timedelta(), ATTEMPTS_COUNT_FOR + timedelta(hours=1), SIGN_IN_LASTS):
        clock.advance(wait)
        worker.run_until_idle(clock.now())
        with database.reading() as session:
            left.append((len(session.exec(select(SignIn)).all()), len(session.exec(select(SignInFailure)).all())))
    assert left == [(1, 1), (1, 0), (0, 0)]
