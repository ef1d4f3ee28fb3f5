"""A group of wants on its page: which factories may say they would make it, and what too few buyers say nothing of."""

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from c2m.clock import ManualClock
from c2m.db import Database, uuid7
from c2m.demand.needs import NeedRequest, file_need
from c2m.identity.models import Role
from c2m.matching.models import Factory
from tests.builders import a_line, an_organisation, verify
from tests.conftest import Person, Visitor
from tests.design.builders import everything

Client = Callable[..., Visitor]


def file_wants(session: Session, clock: ManualClock, words: str, *, buyers: int, each: int = 1) -> UUID:
    """So many buyers want the same, each so many times; the group they come to."""
    for _buyer in range(buyers):
        buyer = an_organisation(session, Role.BUYER).id
        for _time in range(each):
            asked = NeedRequest(buyer, words, 100, "CNY", str(uuid7()), budget_minor=20_00, region="浙江 Zhejiang")
            need = file_need(session, asked, now=clock.now())
    assert need.group_id is not None
    return need.group_id


def english(client: Client, name: str) -> Visitor:
    browser = client(name)
    browser.set_cookie("locale", "en")
    return browser


def text_of(answer: Any) -> str:
    return html.unescape(answer.get_data(as_text=True))


@pytest.fixture
def interest(clock: ManualClock) -> dict[str, str]:
    return {"price": "12.00", "minimum": "50", "ready_by": (clock.now() + timedelta(days=30)).date().isoformat()}


def a_tote_line(session: Session, maker: Person) -> None:
    factory = Factory(id=maker.organisation_id, belt="Pinghu", region="Zhejiang")
    session.add(factory)
    session.flush()
    verify(session, factory)
    a_line(session, factory, category="tote", process="bag_making")


def test_a_factory_without_a_line_for_a_group_s_goods_is_sent_to_its_profile(
    client: Client, people: dict[str, Person], database: Database, clock: ManualClock, interest: dict[str, str]
) -> None:
    with database.transaction() as session:
        a_tote_line(session, people["factory"])
        umbrellas = file_wants(session, clock, "umbrellas with logo", buyers=1)
    factory, address = english(client, "factory"), f"/wants/groups/{umbrellas}"
    assert f'action="{address}/interest#interest"' not in text_of(factory.get(address))
    before = everything(database)
    answer = factory.post(f"{address}/interest", data=interest)
    assert answer.status_code == 422
    assert "You have no line for such goods yet. Add one under Profile" in text_of(answer)
    assert 'href="/factory/profile"' in text_of(answer).split('id="interest"')[1].split("</section>")[0]
    assert everything(database) == before


def test_a_factory_with_such_a_line_says_it_would_make_them_and_of_no_category_any_may(
    client: Client, people: dict[str, Person], database: Database, clock: ManualClock, interest: dict[str, str]
) -> None:
    with database.transaction() as session:
        a_tote_line(session, people["factory"])
        groups = [file_wants(session, clock, words, buyers=1) for words in ("canvas tote bags", "zzyzx of a new kind")]
    for group in groups:
        assert client("factory").post(f"/wants/groups/{group}/interest", data=interest).status_code == 303
    assert "¥12.00" in text_of(english(client, "merchandiser").get(f"/wants/groups/{groups[0]}"))


@pytest.mark.parametrize(("buyers", "each", "shown"), [(1, 4, False), (2, 2, False), (3, 1, True)])
def test_how_wants_spread_and_grow_is_shown_from_three_buyers_on(
    client: Client, database: Database, clock: ManualClock, buyers: int, each: int, shown: bool
) -> None:
    with database.transaction() as session:
        group = file_wants(session, clock, "canvas tote bags", buyers=buyers, each=each)
    merchandiser = english(client, "merchandiser")
    page = text_of(merchandiser.get(f"/wants/groups/{group}"))
    for said in ("Pieces a buyer wants", "Budget a piece", "Growth", "Chance that it grows", "Regions"):
        assert (f">{said}<" in page) == shown, said
    assert ("are shown once 3 buyers want it" in page) != shown
    assert (">rising<" in text_of(merchandiser.get("/wants/groups")).replace("</svg>", ">")) == shown
