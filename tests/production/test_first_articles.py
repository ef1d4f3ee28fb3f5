"""First articles: what was a concept is photographed by its factory and judged beside the picture buyers saw."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from c2m.app import build_worker
from c2m.clock import ManualClock
from c2m.db import Database, table_of
from c2m.demand.models import Campaign, DemandSheet, Pledge, PledgeState
from c2m.errors import Refusal
from c2m.ledger.provider import SandboxProvider
from c2m.matching.models import Factory
from c2m.notices.models import Notice, NoticeKind
from c2m.production.first_articles import articles_of
from c2m.production.floor import FirstArticleDue, ReportRequest, report_progress
from c2m.production.models import FirstArticle, FirstArticleState, WorkOrder, WorkOrderState
from tests.builders import a_campaign, a_confirmed_pledge, a_line, a_sheet, verify
from tests.conftest import Person, Visitor
from tests.design.builders import a_concept, a_file, everything
from tests.production.market import an_order

Client = Callable[..., Visitor]


@pytest.fixture
def order(database: Database, people: dict[str, Person], clock: ManualClock) -> UUID:
    """The factory's work order for what was the merchandiser's concept."""
    with database.transaction() as session:
        house = people["merchandiser"].organisation_id
        concept, [variant, _] = a_concept(session, organisation_id=house)
        closed = {"final_price_minor": 100_00, "final_quantity": 10, "closed_at": clock.now()}
        known = {"concept_id": concept.id, "picture_id": variant.picture_id}
        campaign, (made,) = a_campaign(session, organisation_id=house, **closed, **known)
        sheet = a_sheet(
            session, campaign, [a_confirmed_pledge(session, campaign, {made.id: 10})], issued_at=clock.now()
        )
        factory = Factory(id=people["factory"].organisation_id, belt="Dehua", region="Fujian")
        session.add(factory)
        session.flush()
        verify(session, factory)
        line = a_line(session, factory)
        return an_order(session, sheet, {made.id: 10}, factory_id=factory.id, capability_id=line.id).id


def english(client: Client, name: str) -> Visitor:
    browser = client(name)
    browser.set_cookie("locale", "en")
    return browser


def send(maker: Visitor, order: UUID, note: str = "") -> Any:
    form = {"photograph": (io.BytesIO(a_file()), "first.png"), "note": note}
    return maker.post(f"/factory/work-orders/{order}/first-article", data=form, content_type="multipart/form-data")


def judge(house: Visitor, article: FirstArticle, finding: str, words: str = "") -> None:
    answer = house.post(f"/studio/first-articles/{article.id}/judge", data={"finding": finding, "words": words})
    assert answer.status_code == 303


def report(database: Database, order: UUID, *, step: int, now: datetime) -> Refusal | None:
    """Two pieces through a step; why not, if refused."""
    with database.transaction() as session:
        [answer] = report_progress(session, [ReportRequest(order, step, 2, 0, f"step {step}")], now=now)
    return answer if isinstance(answer, Refusal) else None


def sent(database: Database, order: UUID) -> list[FirstArticle]:
    with database.reading() as session:
        return list(articles_of(session, order))


def test_a_deviation_is_shown_beside_the_concept_and_accepted(client: Client, database: Database, order: UUID) -> None:
    maker, house = english(client, "factory"), english(client, "merchandiser")
    assert send(maker, order, "The handle is 1 cm shorter").status_code == 303
    [article] = sent(database, order)
    page = house.get("/studio/first-articles").get_data(as_text=True)
    photograph = f"/first-articles/{article.id}/photograph"
    assert all(said in page for said in ("The handle is 1 cm shorter", photograph, "What buyers saw", "To be judged"))
    assert house.get(photograph).mimetype == maker.get(photograph).mimetype == "image/webp"
    verdict = {"finding": "accept", "words": "Fine, shorter is better"}
    assert house.post(f"/studio/first-articles/{article.id}/judge", data=verdict).status_code == 303
    [judged] = sent(database, order)
    assert (judged.state, judged.verdict) == (FirstArticleState.ACCEPTED, "Fine, shorter is better")
    assert "Fine, shorter is better" in maker.get(f"/factory/work-orders/{order}").get_data(as_text=True)


def test_what_is_refused_is_photographed_again(client: Client, database: Database, order: UUID) -> None:
    maker, house = english(client, "factory"), english(client, "merchandiser")
    send(maker, order)
    assert "has not been judged yet" in send(maker, order).get_data(as_text=True)
    [article] = sent(database, order)
    address = f"/studio/first-articles/{article.id}/judge"
    assert house.post(address, data={"finding": "refuse"}).status_code == 422
    assert house.post(address, data={"finding": "refuse", "words": "The red is too dark"}).status_code == 303
    assert house.post(address, data={"finding": "accept"}).status_code == 409
    assert "The red is too dark" in maker.get(f"/factory/work-orders/{order}").get_data(as_text=True)
    assert send(maker, order).status_code == 303
    assert [(a.attempt, a.state) for a in sent(database, order)] == [
        (1, FirstArticleState.REFUSED),
        (2, FirstArticleState.SENT),
    ]


def test_strangers_neither_see_nor_judge(client: Client, database: Database, order: UUID) -> None:
    send(english(client, "factory"), order)
    [article] = sent(database, order)
    before = everything(database)
    assert send(english(client, "factory2"), order).status_code == 404
    for name in ("factory2", "merchandiser2"):
        assert client(name).get(f"/first-articles/{article.id}/photograph").status_code == 404
    refused = client("merchandiser2").post(f"/studio/first-articles/{article.id}/judge", data={"finding": "accept"})
    assert refused.status_code == 404
    assert everything(database) == before


def test_bulk_waits_until_the_first_article_is_accepted(
    client: Client, database: Database, order: UUID, clock: ManualClock
) -> None:
    maker, house = english(client, "factory"), english(client, "merchandiser")
    assert report(database, order, step=0, now=clock.now()) is None
    for state in ("unsent", "sent", "refused"):
        if state == "sent":
            send(maker, order)
        if state == "refused":
            judge(house, sent(database, order)[-1], "refuse", "Too dark")
        before = everything(database)
        assert isinstance(report(database, order, step=1, now=clock.now()), FirstArticleDue), state
        assert everything(database) == before
        assert "nothing can be reported yet" in maker.get(f"/factory/work-orders/{order}").get_data(as_text=True)
    send(maker, order)
    judge(house, sent(database, order)[-1], "accept")
    assert "nothing can be reported yet" not in maker.get(f"/factory/work-orders/{order}").get_data(as_text=True)
    assert report(database, order, step=1, now=clock.now()) is None


def test_both_sides_and_then_the_buyers_are_told(
    client: Client, database: Database, order: UUID, clock: ManualClock, people: dict[str, Person]
) -> None:
    maker, house = english(client, "factory"), english(client, "merchandiser")
    send(maker, order)
    judge(house, sent(database, order)[-1], "refuse", "The red is too dark")
    send(maker, order)
    judge(house, sent(database, order)[-1], "accept")
    build_worker(database, SandboxProvider()).run_until_idle(clock.now())
    with database.reading() as session:
        notices = session.exec(select(Notice).where(col(Notice.key).like("first-%")).order_by(col(Notice.key))).all()
        told = sorted((str(notice.kind), str(notice.organisation_id)) for notice in notices)
        [buyer] = session.exec(select(Pledge.buyer_id)).all()
    factory, merchandiser = (str(people[name].organisation_id) for name in ("factory", "merchandiser"))
    assert told == sorted(
        [
            ("first_article_sent", merchandiser),
            ("first_article_refused", factory),
            ("first_article_sent", merchandiser),
            ("first_article_accepted", factory),
            ("first_piece_made", str(buyer)),
        ]
    )
    assert "The red is too dark" in maker.get("/messages").get_data(as_text=True)
    [to_judge, _] = [n for n in notices if n.kind is NoticeKind.FIRST_ARTICLE_SENT]
    assert "/studio/first-articles#article-" in house.post(f"/messages/{to_judge.id}").headers["Location"]


def test_a_buyer_sees_the_first_piece_beside_the_picture_once_it_is_accepted(
    client: Client, database: Database, order: UUID, people: dict[str, Person]
) -> None:
    with database.transaction() as session:
        [pledge] = session.exec(select(Pledge)).all()
        pledge.buyer_id = people["buyer"].organisation_id
        session.add(pledge)
        page = f"/orders/{pledge.id}"
    buyer, house = english(client, "buyer"), english(client, "merchandiser")
    send(english(client, "factory"), order, "The handle is 1 cm shorter")
    [article] = sent(database, order)
    photograph = f"/first-articles/{article.id}/photograph"
    assert buyer.get(photograph).status_code == 404
    assert photograph not in buyer.get(page).get_data(as_text=True)
    judge(house, article, "accept")
    assert buyer.get(photograph).mimetype == "image/webp"
    shown = buyer.get(page).get_data(as_text=True)
    assert photograph in shown
    assert "The handle is 1 cm shorter" in shown
    assert english(client, "buyer2").get(photograph).status_code == 404


def test_a_buyer_compares_and_leaves_and_everybody_concerned_sees_it(
    client: Client, database: Database, order: UUID, people: dict[str, Person]
) -> None:
    with database.transaction() as session:
        [pledge] = session.exec(select(Pledge)).all()
        pledge.buyer_id = people["buyer"].organisation_id
        session.add(pledge)
        page = f"/orders/{pledge.id}"
    buyer, house, maker = english(client, "buyer"), english(client, "merchandiser"), english(client, "factory")
    send(maker, order)
    [article] = sent(database, order)
    assert house.post(f"/studio/first-articles/{article.id}/judge", data={"finding": "differs"}).status_code == 422
    judge(house, article, "differs", "The red is darker than in the picture")
    shown = buyer.get(page).get_data(as_text=True)
    assert all(
        said in shown
        for said in (
            "The first piece came out differently. Do you stay?",
            "The red is darker than in the picture",
            f"/first-articles/{article.id}/photograph",
            "Leave and get ¥1,000.00 back",
        )
    )
    assert "nothing can be reported before" in maker.get(f"/factory/work-orders/{order}").get_data(as_text=True)
    assert "0 pieces left, 10 pieces stay" in english(client, "operator").get("/operator").get_data(as_text=True)
    before = everything(database)
    assert english(client, "buyer2").post(f"{page}/leave-free").status_code == 404
    assert everything(database) == before
    assert buyer.post(f"{page}/leave-free").status_code == 303
    left = buyer.get(page).get_data(as_text=True)
    assert "you left with 10 pieces: ¥1,000.00 came back to you" in left
    assert "Do you stay?" not in left
    before = everything(database)
    assert buyer.post(f"{page}/leave-free").status_code == 409
    assert everything(database) == before
    for viewer, address in ((house, "/studio/first-articles"), (maker, f"/factory/work-orders/{order}")):
        assert "Pieces still to be made" in viewer.get(address).get_data(as_text=True)


def test_an_order_that_ended_before_the_first_piece_shows_none(
    client: Client, database: Database, order: UUID, people: dict[str, Person], clock: ManualClock
) -> None:
    buyer, kept = english(client, "buyer"), "you could leave free of charge until"
    with database.transaction() as session:
        [pledge] = session.exec(select(Pledge)).all()
        pledge.buyer_id = people["buyer"].organisation_id
        session.add(pledge)
    send(english(client, "factory"), order)
    [article] = sent(database, order)
    judge(english(client, "merchandiser"), article, "differs", "The red is darker than in the picture")
    clock.advance(timedelta(days=4))  # the time to leave is over
    shown = {}
    for state in (PledgeState.CONFIRMED, PledgeState.CANCELLED, PledgeState.REFUNDED, PledgeState.FORFEITED):
        with database.transaction() as session:
            session.execute(sa.update(table_of(Pledge)).values(state=state))
        page = buyer.get(f"/orders/{pledge.id}").get_data(as_text=True)
        shown[state] = (kept in page, f"/first-articles/{article.id}/photograph" in page)
    assert shown.pop(PledgeState.CONFIRMED) == (True, True)
    assert set(shown.values()) == {(False, False)}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (WorkOrderState.IN_PRODUCTION, "the rest is being made."),
        (WorkOrderState.SHIPPED, "the rest has been made."),
        (WorkOrderState.SETTLED, "the rest has been made."),
    ],
)
def test_once_the_time_to_leave_is_over_the_house_reads_how_far_the_rest_is(
    client: Client, database: Database, order: UUID, state: WorkOrderState, said: str
) -> None:
    send(english(client, "factory"), order)
    house, [article] = english(client, "merchandiser"), sent(database, order)
    judge(house, article, "differs", "The red is darker than in the picture")
    with database.transaction() as session:
        session.execute(sa.update(table_of(FirstArticle)).values(window_ended_at=article.sent_at))
        session.execute(sa.update(table_of(WorkOrder)).values(state=state))
    page = house.get("/studio/first-articles").get_data(as_text=True)
    assert [words for words in ("the rest is being made.", "the rest has been made.") if words in page] == [said]


def test_what_never_was_a_concept_needs_no_comparison(
    client: Client, database: Database, order: UUID, clock: ManualClock
) -> None:
    with database.transaction() as session:
        sheet = session.get_one(DemandSheet, session.get_one(WorkOrder, order).sheet_id)
        campaign = session.get_one(Campaign, sheet.campaign_id)
        campaign.concept_id = None
        session.add(campaign)
    maker = english(client, "factory")
    assert report(database, order, step=0, now=clock.now()) is None
    assert report(database, order, step=1, now=clock.now()) is None
    assert "First article" not in maker.get(f"/factory/work-orders/{order}").get_data(as_text=True)
    assert send(maker, order).status_code == 422
    assert sent(database, order) == []
