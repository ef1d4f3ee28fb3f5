"""Messages: words for every kind in both languages, a bell that counts, and a way to what each is about."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.db import Database, uuid7
from c2m.design import concepts
from c2m.notices.models import Notice, NoticeKind
from c2m.notices.service import Message, tell
from c2m.pages.message_words import CALLED_OFF, OFF, WORDS, told
from tests.builders import a_campaign, a_confirmed_pledge
from tests.conftest import PEOPLE, Person, Visitor
from tests.design.builders import NOON, a_concept

Client = Callable[..., Visitor]

FACTS = {
    "title": "灰色卫衣",
    "title_en": "Grey hoodie",
    "pieces": 5,
    "left": 2,
    "minimum": 60,
    "amount_minor": 150_00,
    "price_minor": 34_00,
    "currency": "CNY",
    "until": NOON.isoformat(),
    "deadline": NOON.isoformat(),
    "team": "West Lake",
    "claim": "营业执照 Business licence",
    "reason": "地址不符 The address differs",
}
CHINESE = re.compile("[\u4e00-\u9fff]")


def a_notice(database: Database, organisation_id: UUID, clock: ManualClock, **fields: object) -> Notice:
    """A message told now; its kind a reminder of a balance unless named."""
    said = {"kind": NoticeKind.BALANCE_REMINDER, "subject_id": uuid7(), "key": str(uuid7()), "facts": FACTS} | fields
    with database.transaction() as session:
        tell(session, [Message(organisation_id, **said)], now=clock.now())  # type: ignore[arg-type]
        return session.exec(select(Notice).where(Notice.key == said["key"])).one()


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_has_words_in_both_languages(app: Flask, kind: NoticeKind, language: str) -> None:
    notice = Notice(organisation_id=uuid7(), kind=kind, subject_id=uuid7(), facts=FACTS, key="x", told_at=NOON)
    with app.test_request_context(), force_locale(language):
        message = told(notice)
    said = f"{message.heading} {message.sentence}"
    assert bool(CHINESE.search(said)) is (language == "zh")
    assert message.subject == ("灰色卫衣" if language == "zh" else "Grey hoodie")
    assert "%(" not in said


def test_no_kind_is_without_words() -> None:
    assert set(WORDS) == set(NoticeKind)


def test_a_campaign_that_was_called_off_did_not_fall_short(app: Flask) -> None:
    facts = {"title": "Tee", "title_en": "", "how": CALLED_OFF}
    kind = NoticeKind.CAMPAIGN_FAILED
    notice = Notice(organisation_id=uuid7(), kind=kind, subject_id=uuid7(), facts=facts, key="x", told_at=NOON)
    with app.test_request_context(), force_locale("en"):
        assert told(notice).heading == str(OFF.heading) == "Called off"


@pytest.mark.parametrize("name", PEOPLE)
def test_every_role_reads_its_messages_and_the_bell_counts_them(
    client: Client, people: dict[str, Person], database: Database, clock: ManualClock, name: str
) -> None:
    visitor = client(name)
    visitor.set_cookie("locale", "en")
    assert "No messages yet" in visitor.get("/messages").get_data(as_text=True)
    first = a_notice(database, people[name].organisation_id, clock)
    a_notice(database, people[name].organisation_id, clock, kind=NoticeKind.WAITING_LAPSED)
    page = visitor.get("/messages").get_data(as_text=True)
    assert "Balance still open · Grey hoodie" in page
    assert "¥150.00 is due by 2026-11-22" in page
    assert 'aria-label="Messages, 2 unread"' in page
    assert visitor.post(f"/messages/{first.id}").status_code == 303
    assert 'aria-label="Messages, one unread"' in visitor.get("/account").get_data(as_text=True)
    assert "Balance still open" not in visitor.get("/messages?show=unread").get_data(as_text=True)
    assert visitor.post("/messages/read").headers["Location"] == "/messages"
    assert 'aria-label="Your messages"' in visitor.get("/messages").get_data(as_text=True)
    assert "Everything is read" in visitor.get("/messages?show=unread").get_data(as_text=True)


def test_a_message_leads_to_the_order_the_campaign_or_the_studio(
    client: Client, people: dict[str, Person], database: Database, clock: ManualClock
) -> None:
    buyer, house = people["buyer"].organisation_id, people["merchandiser"].organisation_id
    with database.transaction() as session:
        campaign, (variant,) = a_campaign(session, organisation_id=house)
        pledge = a_confirmed_pledge(session, campaign, {variant.id: 1})
        pledge.buyer_id = buyer
        session.add(pledge)
    for name, subject, address in (
        ("buyer", pledge.id, f"/orders/{pledge.id}"),
        ("buyer", campaign.id, f"/campaigns/{campaign.id}"),
        ("buyer2", pledge.id, f"/campaigns/{campaign.id}"),
        ("merchandiser", campaign.id, f"/studio/campaigns/{campaign.id}"),
        ("operator", uuid7(), "/messages"),
    ):
        notice = a_notice(database, people[name].organisation_id, clock, subject_id=subject)
        visitor = client(name)
        assert visitor.post(f"/messages/{notice.id}").headers["Location"] == address
        assert visitor.get(address).status_code == 200


def test_what_became_of_a_concept_leads_to_its_campaign_or_its_page(
    client: Client, people: dict[str, Person], database: Database, clock: ManualClock
) -> None:
    with database.transaction() as session:
        promoted, (stopped, _) = a_campaign(session)[0], a_concept(session)
        open_one, _ = a_concept(session, organisation_id=people["merchandiser"].organisation_id)
        concepts.stop_concept(session, stopped, now=NOON)
        promoted.concept_id = stopped.id
        session.add(promoted)
    for name, kind, subject, address in (
        ("buyer", NoticeKind.CONCEPT_PROMOTED, stopped.id, f"/concepts/{stopped.id}/campaign"),
        ("buyer", NoticeKind.CONCEPT_STOPPED, stopped.id, f"/concepts/{stopped.id}"),
        ("buyer", NoticeKind.CONCEPT_ANSWERED, open_one.id, f"/concepts/{open_one.id}#questions"),
        ("merchandiser", NoticeKind.CONCEPT_TO_DECIDE, open_one.id, f"/studio/concepts/{open_one.id}"),
    ):
        notice = a_notice(database, people[name].organisation_id, clock, kind=kind, subject_id=subject)
        visitor = client(name)
        assert visitor.post(f"/messages/{notice.id}").headers["Location"] == address
        assert visitor.get(address, follow_redirects=True).status_code == 200


@pytest.mark.parametrize(("amount_minor", "comes_back"), [(0, False), (15_00, True)])
def test_what_comes_back_is_named_where_something_does(app: Flask, amount_minor: int, comes_back: bool) -> None:
    facts = FACTS | {"amount_minor": amount_minor}
    for kind in (NoticeKind.CONCEPT_PROMOTED, NoticeKind.CONCEPT_STOPPED):
        notice = Notice(organisation_id=uuid7(), kind=kind, subject_id=uuid7(), facts=facts, key="x", told_at=NOON)
        with app.test_request_context(), force_locale("en"):
            assert ("Your deposit of ¥15.00 is on its way back" in told(notice).sentence) is comes_back


def test_nobody_reads_or_puts_away_what_others_were_told(
    client: Client, people: dict[str, Person], database: Database, clock: ManualClock
) -> None:
    notice = a_notice(database, people["buyer"].organisation_id, clock)
    stranger = client("buyer2")
    assert stranger.post(f"/messages/{notice.id}").status_code == 404
    stranger.post("/messages/read")
    assert "灰色卫衣" not in stranger.get("/messages").get_data(as_text=True)
    with database.reading() as session:
        assert session.get_one(Notice, notice.id).read_at is None


def test_a_visitor_is_asked_to_sign_in(client: Client) -> None:
    assert client().get("/messages").headers["Location"].startswith("/sign-in?next=")
    assert client().post("/messages/read").status_code == 401


@pytest.mark.parametrize("address", ["/messages?show=all", "/messages?page=0", "/messages?page=9"])
def test_odd_addresses_get_a_clear_answer(client: Client, address: str) -> None:
    assert client("buyer").get(address).status_code in (404, 422)


def test_markup_in_a_title_stays_text(
    client: Client, people: dict[str, Person], database: Database, clock: ManualClock
) -> None:
    facts = FACTS | {"title": "<script>alert(1)</script> %(x)s {{7*7}}", "title_en": ""}
    a_notice(database, people["buyer"].organisation_id, clock, facts=facts)
    page = client("buyer").get("/messages").get_data(as_text=True)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; %(x)s {{7*7}}" in page


def test_what_is_told_twice_is_kept_once(database: Database, people: dict[str, Person], clock: ManualClock) -> None:
    for _ in range(2):
        a_notice(database, people["buyer"].organisation_id, clock, key="once")
    with database.reading() as session:
        assert len(session.exec(select(Notice)).all()) == 1
