"""A factory asks about the sheet of its offer, the merchandiser answers; page, paper and JSON say it, both are told."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand import jobs as demand_jobs
from c2m.demand.models import DemandSheet, SheetQuestion
from c2m.demand.questions import TELL_ASKED, tell_asked
from c2m.jobs import Worker
from c2m.matching import jobs as matching_jobs
from c2m.matching.asking import TELL_ANSWERED, tell_answered
from c2m.matching.models import Factory, Offer, OfferState
from c2m.notices.models import Notice, NoticeKind
from tests.builders import a_campaign, a_confirmed_pledge, a_line, a_sheet, verify
from tests.conftest import Person, Visitor
from tests.matching.market import match
from tests.web.test_access import everything

Client = Callable[..., Visitor]
QUESTION = "Which weight is the rib?"


@pytest.fixture
def offers(database: Database, people: dict[str, Person], clock: ManualClock) -> list[Offer]:
    """Offers of one sheet of the merchandiser's to `factory` and to `factory2`, neither of which can make all of it."""
    with database.transaction() as session:
        for name in ("factory", "factory2"):
            factory = Factory(id=people[name].organisation_id, belt="Yiwu", region="Zhejiang")
            session.add(factory)
            session.flush()
            verify(session, factory)
            a_line(session, factory, weekly_capacity=20)
        campaign, (variant,) = a_campaign(session, organisation_id=people["merchandiser"].organisation_id)
        pledge = a_confirmed_pledge(session, campaign, {variant.id: 100})
        a_sheet(session, campaign, [pledge], issued_at=clock.now(), required_date=clock.now() + timedelta(days=40))
    return match(database, clock.now())


def offer_of(offers: list[Offer], person: Person) -> Offer:
    [found] = [offer for offer in offers if offer.factory_id == person.organisation_id]
    return found


def deliver(database: Database, clock: ManualClock) -> None:
    """Work off what was announced about questions, with the stages' own subscriptions."""
    asked, answered = "demand.sheet_questions_asked", "demand.sheet_questions_answered"
    heard = {asked: demand_jobs.SUBSCRIPTIONS[asked], answered: matching_jobs.SUBSCRIPTIONS[answered]}
    Worker(database, {TELL_ASKED: tell_asked, TELL_ANSWERED: tell_answered}, heard, []).run_until_idle(clock.now())


def told(database: Database, kind: NoticeKind) -> list[Notice]:
    with database.reading() as session:
        return list(session.exec(select(Notice).where(Notice.kind == kind)).all())


def test_a_question_is_answered_for_every_factory_that_holds_an_offer(
    database: Database, offers: list[Offer], people: dict[str, Person], client: Client, clock: ManualClock
) -> None:
    mine, theirs = (offer_of(offers, people[name]) for name in ("factory", "factory2"))
    asker, other, house = (client(name) for name in ("factory", "factory2", "merchandiser"))
    for browser in (asker, other, house):
        browser.set_cookie("locale", "en")
    for _twice in range(2):
        asked = {"words": QUESTION, "idempotency_key": "the same key"}
        answer = asker.post(f"/factory/inbox/{mine.id}/sheet/questions", data=asked)
        assert (answer.status_code, answer.location) == (303, f"/factory/inbox/{mine.id}/sheet#questions")
    deliver(database, clock)
    [to_house] = told(database, NoticeKind.SHEET_ASKED)
    assert (to_house.organisation_id, to_house.subject_id) == (people["merchandiser"].organisation_id, mine.sheet_id)
    assert QUESTION not in other.get(f"/factory/inbox/{theirs.id}/sheet").get_data(as_text=True)
    assert QUESTION in house.get(f"/sheets/{mine.sheet_id}").get_data(as_text=True)
    with database.reading() as session:
        question = session.exec(select(SheetQuestion)).one()
    there, stranger = f"/sheets/{mine.sheet_id}/questions/{question.id}", client("merchandiser2")
    before = everything(database)
    assert house.post(there, data={"answer": " "}).status_code == 422
    assert stranger.post(there, data={"answer": "Hm."}).status_code == 404
    assert everything(database) == before
    assert house.post(there, data={"answer": "240 grams."}).status_code == 303
    assert house.post(there, data={"answer": "250 grams."}).status_code == 409
    deliver(database, clock)
    answered = {(notice.organisation_id, notice.subject_id) for notice in told(database, NoticeKind.SHEET_ANSWERED)}
    assert answered == {(offer.factory_id, offer.id) for offer in (mine, theirs)}
    page = other.get(f"/factory/inbox/{theirs.id}/sheet").get_data(as_text=True)
    assert QUESTION in page
    assert "240 grams." in page
    document = other.get(f"/factory/inbox/{theirs.id}/sheet.json").get_json()
    assert [(q["question"], q["answer"]) for q in document["questions"]] == [(QUESTION, "240 grams.")]
    assert str(mine.factory_id) not in str(document)
    pdf = PdfReader(BytesIO(other.get(f"/factory/inbox/{theirs.id}/sheet.pdf").data))
    words = "".join("".join(page.extract_text() for page in pdf.pages).split())
    assert "240grams." in words
    assert "Buyerspay" not in words
    assert "¥100.00" not in words


def test_who_let_its_offer_go_asks_no_more_and_too_long_a_question_is_shown_again(
    database: Database, offers: list[Offer], people: dict[str, Person], client: Client
) -> None:
    mine, browser, stranger = offer_of(offers, people["factory"]), client("factory"), client("factory2")
    there = f"/factory/inbox/{mine.id}/sheet/questions"
    before = everything(database)
    answer = browser.post(there, data={"words": "x" * 501, "idempotency_key": "the same key"})
    assert answer.status_code == 422
    assert "x" * 501 in answer.get_data(as_text=True)
    assert stranger.post(there, data={"words": "?", "idempotency_key": "another key"}).status_code == 404
    assert everything(database) == before
    with database.transaction() as session:
        session.add(session.get_one(Offer, mine.id).sqlmodel_update({"state": OfferState.DECLINED}))
    assert browser.post(there, data={"words": "?", "idempotency_key": "the same key"}).status_code == 409
    assert "sheet/questions" not in browser.get(f"/factory/inbox/{mine.id}/sheet").get_data(as_text=True)
    with database.reading() as session:
        assert session.exec(select(SheetQuestion)).all() == []
        assert session.get_one(DemandSheet, mine.sheet_id).version == 1
