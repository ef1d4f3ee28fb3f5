"""Signing in, signing out, registering: what is counted, what ends, what is refused."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.identity.models import Organisation, OrganisationState, SignIn, SignInFailure, User
from c2m.identity.rules import SIGN_IN_LASTS, token_hash
from c2m.identity.service import disable_user
from c2m.web.viewer import COOKIE
from tests.conftest import PASSWORD, Person, Visitor

REGISTRATION = {
    "kind": "factory",
    "organisation": "Keqiao Weaving",
    "region": "Keqiao",
    "person": "Lin",
    "email": "lin@keqiao.test",
    "password": "ten letters",
}


def attempt(visitor: Visitor, email: str, password: str = "wrong password") -> int:
    return visitor.post("/sign-in", data={"email": email, "password": password}).status_code


def test_the_database_keeps_only_the_tokens_hash(client: Callable[..., Visitor], database: Database) -> None:
    cookie = client("buyer").get_cookie(COOKIE)
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    with database.reading() as session:
        kept = session.exec(select(SignIn)).one()
    assert kept.token_hash == token_hash(cookie.value)
    assert cookie.value not in repr(kept)


def test_signing_out_ends_the_sign_in_even_with_the_old_cookie(
    client: Callable[..., Visitor], database: Database
) -> None:
    buyer = client("buyer")
    cookie = buyer.get_cookie(COOKIE)
    assert cookie is not None
    assert buyer.post("/sign-out").status_code == 303
    assert buyer.get_cookie(COOKIE) is None
    thief = client()
    thief.set_cookie(COOKIE, cookie.value)
    assert thief.get("/account").status_code == 303
    with database.reading() as session:
        assert session.exec(select(SignIn)).all() == []


def test_signing_in_again_ends_the_former_sign_in(
    client: Callable[..., Visitor], people: dict[str, Person], database: Database
) -> None:
    visitor = client("buyer").sign_in(people["factory"])
    assert people["factory"].email in visitor.get("/account").get_data(as_text=True)
    with database.reading() as session:
        assert [row.user_id for row in session.exec(select(SignIn))] == [people["factory"].user_id]


def test_a_sign_in_runs_out(client: Callable[..., Visitor], clock: ManualClock) -> None:
    buyer = client("buyer")
    clock.advance(SIGN_IN_LASTS - timedelta(seconds=1))
    assert buyer.get("/account").status_code == 200
    clock.advance(timedelta(seconds=1))
    assert buyer.get("/account").status_code == 303


def test_a_made_up_token_signs_nobody_in(client: Callable[..., Visitor]) -> None:
    visitor = client()
    for token in ("", "x" * 43, "'; DROP TABLE sign_in; --", "é"):
        visitor.set_cookie(COOKIE, token)
        assert visitor.get("/account").status_code == 303


def test_after_five_failures_even_the_right_password_waits(
    client: Callable[..., Visitor], people: dict[str, Person], clock: ManualClock
) -> None:
    visitor, email = client(), people["buyer"].email
    assert [attempt(visitor, email) for _ in range(6)] == [422, 422, 422, 422, 422, 429]
    assert attempt(visitor, email.upper(), PASSWORD) == 429
    page = visitor.post("/sign-in", data={"email": email, "password": PASSWORD}, headers={"Accept-Language": "en"})
    assert "try again in 15 minutes" in page.get_data(as_text=True)
    assert page.headers["Retry-After"] == "900"
    clock.advance(timedelta(minutes=15))
    assert attempt(visitor, email, PASSWORD) == 303


def test_an_address_has_twenty_failures_whatever_e_mail_is_tried(
    client: Callable[..., Visitor], people: dict[str, Person]
) -> None:
    visitor = client()
    assert {attempt(visitor, f"nobody{n}@c2m.test") for n in range(20)} == {422}
    assert attempt(visitor, people["buyer"].email, PASSWORD) == 429


def test_signing_in_counts_no_failure(client: Callable[..., Visitor], database: Database) -> None:
    for _ in range(6):
        client("buyer")
    with database.reading() as session:
        assert session.exec(select(SignInFailure)).all() == []


@pytest.mark.parametrize("email", ["buyer@c2m.test", "nobody@c2m.test", "not an address", "{{7*7}}", "<b>x</b>"])
def test_a_wrong_password_and_an_unknown_address_are_refused_alike(client: Callable[..., Visitor], email: str) -> None:
    answer = client().post(
        "/sign-in", data={"email": email, "password": "wrong password"}, headers={"Accept-Language": "en"}
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "E-mail address and password don&#39;t belong together." in page
    assert "wrong password" not in page
    assert "<b>x</b>" not in page
    shown = re.sub(r'value="[^"]{30,}"', "", page.partition("<main")[2].partition("</form>")[0])  # no token
    assert "49" not in shown


def test_a_disabled_user_is_out_at_once_and_stays_out(
    client: Callable[..., Visitor], people: dict[str, Person], database: Database, clock: ManualClock
) -> None:
    buyer = client("buyer")
    with database.transaction() as session:
        disable_user(session, people["buyer"].user_id, now=clock.now())
    assert buyer.get("/account").status_code == 303
    assert attempt(client(), people["buyer"].email, PASSWORD) == 422


def test_a_form_without_its_token_is_refused_and_says_why(client: Callable[..., Visitor]) -> None:
    visitor = client()
    answer = visitor.post(
        "/sign-in",
        data={"email": "buyer@c2m.test", "password": PASSWORD},
        with_token=False,
        headers={"Accept-Language": "en"},
    )
    assert answer.status_code == 400
    assert "The form lay open too long" in answer.get_data(as_text=True)
    assert visitor.get_cookie(COOKIE) is None


@pytest.mark.parametrize(
    ("target", "lands"),
    [
        ("/orders?page=2", "/orders?page=2"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\n/evil.example", "/"),
        ("evil", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_on_within_the_site_only(
    client: Callable[..., Visitor], people: dict[str, Person], target: str, lands: str
) -> None:
    form = {"email": people["buyer"].email, "password": PASSWORD, "next": target}
    assert client().post("/sign-in", data=form).headers["Location"] == lands


def test_a_visitor_is_led_to_sign_in_and_back(client: Callable[..., Visitor]) -> None:
    answer = client().get("/account?tab=a%26b")
    assert answer.headers["Location"] == "/sign-in?next=%2Faccount%3Ftab%3Da%2526b"
    page = client().get(answer.headers["Location"]).get_data(as_text=True)
    assert 'name="next" value="/account?tab=a%26b"' in page


def test_a_factory_registers_and_waits_for_verification(client: Callable[..., Visitor], database: Database) -> None:
    assert client().post("/register", data=REGISTRATION).headers["Location"] == "/sign-in"
    with database.reading() as session:
        user = session.exec(select(User).where(User.email == "lin@keqiao.test")).one()
        organisation = session.get_one(Organisation, user.organisation_id)
    assert organisation.state is OrganisationState.PENDING
    assert "ten letters" not in user.password_hash
    assert user.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "operator"},
        {"kind": ""},
        {"organisation": ""},
        {"organisation": "x" * 121},
        {"organisation": "a\x00b"},
        {"person": "   "},
        {"email": "lin"},
        {"email": "lin@keqiao.test\nbcc:x@y.z"},
        {"email": "buyer@c2m.test"},
        {"password": "too short"},
        {"password": "x" * 201},
        {"role": "operator"},
        {"state": "active"},
    ],
)
def test_a_registration_that_cannot_stand_changes_nothing(
    client: Callable[..., Visitor], database: Database, wrong: dict[str, str]
) -> None:
    visitor = client()
    with database.reading() as session:
        before = len(session.exec(select(Organisation)).all())
    answer = visitor.post("/register", data=REGISTRATION | wrong)
    assert answer.status_code == 422
    assert "<svg" in answer.get_data(as_text=True)
    with database.reading() as session:
        assert len(session.exec(select(Organisation)).all()) == before
