"""Sign-in by numbers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2m.identity.rules import ATTEMPTS_COUNT_FOR, is_email, minutes_to_wait, new_token, token_hash

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [
        ([], 0),
        ([ago(minutes=1)] * 4, 0),
        ([ago(minutes=1)] * 5, 14),
        ([ago(seconds=1)] * 5, 15),
        ([ago(minutes=14, seconds=59)] * 5, 1),
        ([ago(minutes=15)] * 5, 0),
        ([ago(minutes=14)] + [ago(minutes=1)] * 4, 1),
        ([ago(minutes=14)] + [ago(minutes=2)] * 5, 13),
    ],
)
def test_one_waits_until_the_fifth_last_failure_is_fifteen_minutes_old(failures: list[datetime], minutes: int) -> None:
    assert minutes_to_wait(failures, 5, NOW) == minutes


@given(st.lists(st.integers(0, 1200), max_size=30), st.integers(1, 20))
def test_after_the_wait_one_more_attempt_is_allowed(ages: list[int], allowed: int) -> None:
    failures = [ago(seconds=age) for age in ages]
    minutes = minutes_to_wait(failures, allowed, NOW)
    assert 0 <= minutes <= ATTEMPTS_COUNT_FOR / timedelta(minutes=1)
    assert minutes_to_wait(failures, allowed, NOW + timedelta(minutes=minutes)) == 0


@pytest.mark.parametrize("text", ["a@b.cd", "li.na+shop@mail.example.cn", "o'brien@x.ie", "x_1@sub.domain.org"])
def test_an_e_mail_address_is_known_by_its_form(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text", ["", "a", "a@b", "@b.cd", "a@.", "a b@c.de", "a@b.cd\n", "a@b.cd,e@f.gh", "<a@b.cd>", "a@@b.cd", "a" * 255]
)
def test_what_is_no_e_mail_address_is_refused(text: str) -> None:
    assert not is_email(text)


def test_tokens_are_long_new_and_kept_as_a_hash() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(len(token) for token in tokens) >= 43
    assert token_hash("x") == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
