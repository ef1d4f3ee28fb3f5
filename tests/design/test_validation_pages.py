"""Pages of validation: what is shown is counted, what buyers ask is answered, what the rule says has its figures."""

import re
from collections.abc import Callable
from typing import cast
from uuid import UUID

import pytest
from flask import Flask
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand.models import Campaign
from c2m.design import concepts, pictures
from c2m.design.exposures import EXPOSURES, ExposureLog
from c2m.design.looks import look_at_concepts
from c2m.design.models import Concept, ConceptVariant, Exposure, Place, Question, SavedConcept
from c2m.identity.models import Role
from tests.builders import a_line, an_organisation
from tests.conftest import Person, Visitor
from tests.design.builders import NOON, a_concept, a_want, an_image, everything
from tests.design.test_validation import DAY, a_crowd, paid

Client = Callable[..., Visitor]
Published = tuple[Concept, list[ConceptVariant]]


@pytest.fixture
def published(database: Database, people: dict[str, Person]) -> Published:
    """The merchandiser's published concept with three pictures and a target of forty."""
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        return a_concept(session, organisation_id=owner, shown=3, target_quantity=40)


@pytest.fixture
def validated(database: Database, published: Published, clock: ManualClock) -> Published:
    """The same concept a week later, wanted by eighty buyers with a deposit, looked at once."""
    with database.transaction() as session:
        paid(session, a_crowd(session, published[1], 80))
        look_at_concepts(session, [], NOON + 6 * DAY)
    clock.set(NOON + 7 * DAY)
    return published


def english(client: Client, name: str | None = None) -> Visitor:
    browser = client(name)
    browser.set_cookie("locale", "en")
    return browser


def counted(app: Flask, database: Database) -> dict[Place, int]:
    """How often anything was shown, by place."""
    cast(ExposureLog, app.extensions[EXPOSURES]).write()
    with database.reading() as session:
        rows = session.exec(select(Exposure)).all()
    return {place: sum(row.shown for row in rows if row.place is place) for place in Place if rows}


def test_visitors_and_buyers_are_counted_once_a_day_and_nobody_else(
    app: Flask, database: Database, published: Published, client: Client
) -> None:
    address = f"/concepts/{published[0].id}"
    for name in ("merchandiser", "factory", "operator"):
        client(name).get(address)
        client(name).get("/market")
    client().head(address)
    client().get(address, headers={"Sec-Purpose": "prefetch"})
    assert counted(app, database) == {}
    for name in (None, "buyer", "buyer2", "buyer"):
        client(name).get(address)
    client("buyer").get("/market?kind=concept")
    assert counted(app, database) == {Place.MARKET: 1, Place.PAGE: 3}


def test_the_first_picture_is_drawn_by_shares_and_stays_for_the_day(
    app: Flask, database: Database, published: Published, client: Client
) -> None:
    concept, variants = published
    with database.transaction() as session:
        for variant, share in zip(variants, (1, 1, 999_998), strict=True):
            found = session.get_one(ConceptVariant, variant.id)
            found.share_ppm = share
            session.add(found)
    pages = [client("buyer").get(f"/concepts/{concept.id}").get_data(as_text=True) for _ in range(2)]
    places = [page.index(f"/pictures/{variants[2].picture_id}") for page in pages]
    others = [page.index(f"/pictures/{variant.picture_id}") for page in pages for variant in variants[:2]]
    assert max(places) < min(others)
    market = client("buyer").get("/market").get_data(as_text=True)
    assert f"/pictures/{variants[2].picture_id}" in market
    assert counted(app, database) == {Place.MARKET: 1, Place.PAGE: 1}


def test_a_buyer_saves_and_forgets(database: Database, published: Published, client: Client) -> None:
    shop, address = english(client, "buyer"), f"/concepts/{published[0].id}"
    assert "Save for later" in shop.get(address).get_data(as_text=True)
    assert shop.post(f"{address}/save").status_code == 303
    assert "Saved · forget it" in shop.get(address).get_data(as_text=True)
    assert shop.post(f"{address}/forget").status_code == 303
    with database.reading() as session:
        assert session.exec(select(SavedConcept)).all() == []
    assert "Save for later" not in english(client).get(address).get_data(as_text=True)


def the_question(database: Database) -> UUID:
    with database.reading() as session:
        return session.exec(select(Question.id)).one()


def test_a_question_is_read_by_all_once_it_is_answered(
    database: Database, published: Published, client: Client
) -> None:
    concept, shop, other = published[0], english(client, "buyer"), english(client, "buyer2")
    address, key = f"/concepts/{concept.id}", {"idempotency_key": "my question"}
    empty = shop.post(f"{address}/ask", data={"words": " "} | key)
    assert empty.status_code == 422
    assert "Write what you would like to know." in empty.get_data(as_text=True)
    assert shop.post(f"{address}/ask", data={"words": "Is it <leakproof>?"} | key).status_code == 303
    assert "Is it &lt;leakproof&gt;?" in shop.get(address).get_data(as_text=True)
    assert "leakproof" not in other.get(address).get_data(as_text=True)
    studio = english(client, "merchandiser")
    base = f"/studio/concepts/{concept.id}"
    assert "leakproof" in studio.get(base).get_data(as_text=True)
    to = f"{base}/questions/{the_question(database)}"
    assert english(client, "merchandiser2").post(to, data={"answer": "No."}).status_code == 404
    assert studio.post(to, data={"answer": ""}).status_code == 422
    assert studio.post(to, data={"answer": "Yes, tested upside down."}).status_code == 303
    assert "tested upside down" in other.get(address).get_data(as_text=True)


def test_a_draft_is_neither_saved_nor_asked_about(
    database: Database, people: dict[str, Person], client: Client
) -> None:
    with database.transaction() as session:
        draft, _ = a_concept(session, organisation_id=people["merchandiser"].organisation_id, published=False)
    before = everything(database)
    for action in ("save", "forget", "ask"):
        sent = {"words": "?", "idempotency_key": "my question"} if action == "ask" else {}
        assert client("buyer").post(f"/concepts/{draft.id}/{action}", data=sent).status_code == 404, action
    assert client("merchandiser").get(f"/studio/concepts/{draft.id}/validation.json").status_code == 409
    assert everything(database) == before


def test_the_rule_is_told_in_both_languages(validated: Published, client: Client) -> None:
    address = f"/studio/concepts/{validated[0].id}"
    page = english(client, "merchandiser").get(address).get_data(as_text=True)
    for words in (
        "What the rule says",
        "Validated on 2026-11-28",
        "98.9%",
        "80 buyers",
        "assumed",
        "All figures as JSON",
    ):
        assert words in page, words
    chinese = client("merchandiser").get(address).get_data(as_text=True)
    for words in ("规则判定", "通过验证", "从浏览到订金", "意向如何变成订单", "各价位预计订单"):
        assert words in chinese, words


def test_after_the_end_of_a_validated_concept_both_sides_read_by_when_it_is_decided(
    validated: Published, client: Client, clock: ManualClock
) -> None:
    concept, _ = validated
    pages = f"/studio/concepts/{concept.id}", "/studio/concepts", f"/concepts/{concept.id}"
    studio, shop = english(client, "merchandiser"), english(client, "buyer")
    assert "you can promote it until 2026-12-13 16:00" in studio.get(pages[0]).get_data(as_text=True)
    assert "once the concept has been decided, on 2026-12-13 at the latest" in shop.get(pages[2]).get_data(as_text=True)
    clock.set(concept.ends_at)
    assert "Promote it by 2026-12-13 16:00, or it is stopped" in studio.get(pages[0]).get_data(as_text=True)
    assert "decide by 2026-12-13" in studio.get(pages[1]).get_data(as_text=True)
    assert all("To be decided" in studio.get(page).get_data(as_text=True) for page in pages)
    page = shop.get(pages[2]).get_data(as_text=True)
    assert "The merchandiser decides by 2026-12-13 16:00 whether it is made." in page
    assert "Deposits stay in escrow until then and come back in full" in page
    assert 'name="price"' not in page
    assert english(client, "merchandiser").get(f"{pages[0]}/promote").status_code == 200


def test_the_operator_reads_of_every_concept_what_the_rule_says_and_what_is_held(
    validated: Published, client: Client, database: Database, people: dict[str, Person], clock: ManualClock
) -> None:
    concept, _ = validated
    with database.transaction() as session:
        other = people["merchandiser2"].organisation_id
        draft = a_concept(session, organisation_id=other, title="尚未发布", title_en="Not shown yet", published=False)[
            0
        ]
        look_at_concepts(session, [], NOON + 7 * DAY)  # another day: the latest counts
    operator = english(client, "operator")
    page = operator.get("/operator/concepts").get_data(as_text=True)
    assert f'href="/concepts/{concept.id}"' in page
    assert "Not shown yet" in page
    assert f"/concepts/{draft.id}" not in page
    assert "Validated" in page
    assert "40 pieces are ordered, on 2026-11-29" in page
    assert "80 buyers" in page
    shown = operator.get("/operator/concepts?state=draft").get_data(as_text=True)
    assert "Not shown yet" in shown
    assert str(concept.id) not in shown
    clock.set(concept.ends_at)
    assert "decide by 2026-12-13" in operator.get("/operator/concepts?state=published").get_data(as_text=True)


def test_the_verdict_as_json_carries_its_grounds(validated: Published, client: Client) -> None:
    concept, variants = validated
    address = f"/studio/concepts/{concept.id}/validation.json"
    found = client("merchandiser").get(address).get_json()
    assert (found["decision"], found["validated_on"], found["target"]) == ("validated", "2026-11-28", 40)
    assert found["too_early"] is False
    assert found["chance"] > found["rule"]["validated_from"] == 0.989
    assert found["orders"]["low"] <= found["orders"]["expected"] <= found["orders"]["high"]
    assert found["said"] == {"buyers": 80, "pieces": 240}
    assert found["priors"]["deposited"]["concepts"] == 0
    assert found["priors"]["deposited"]["measured_at"] is None
    assert [step["count"] for step in found["signals"]][-2:] == [80, 80]
    assert [variant["id"] for variant in found["variants"]] == [str(variant.id) for variant in variants]
    assert [look["day"] for look in found["looks"]] == ["2026-11-28"]
    assert found["curve"][0]["price_minor"] == concept.price_minor
    assert client("merchandiser2").get(address).status_code == 404
    assert client("buyer").get(address).status_code == 403


def test_with_fewer_buyers_than_the_rule_asks_for_no_chance_and_no_orders_are_stated(
    database: Database, published: Published, people: dict[str, Person], client: Client, clock: ManualClock
) -> None:
    concept, [variant, *_] = published
    with database.transaction() as session:
        a_want(session, variant, people["buyer"].organisation_id, 40)
        look_at_concepts(session, [], NOON + 6 * DAY)
    clock.set(NOON + 7 * DAY)
    studio, base = english(client, "merchandiser"), f"/studio/concepts/{concept.id}"
    report, promotion = (studio.get(address).get_data(as_text=True) for address in (base, f"{base}/promote"))
    assert "1 of 10 buyers</b> <span>too early to say" in report
    assert "It is drawn once 10 buyers have spoken." in report
    for words in ("chance that at least", "Orders expected</dt>", "Likely range", 'class="chart"'):
        assert words not in report, words
    assert "too early to say, 1 of 10 buyers would take it at this price" in promotion
    assert "too early to say, 1 of 10 buyers</dd>" in promotion
    assert "a ladder is proposed once 10 buyers want it" in promotion
    assert 'class="chart"' not in promotion
    operator = english(client, "operator").get("/operator/concepts").get_data(as_text=True)
    assert "Too early to say: 1 of 10 buyers." in operator
    assert "are ordered, on" not in operator
    figures = studio.get(f"{base}/validation.json").get_json()
    assert figures["too_early"] is True
    assert 0 <= figures["chance"] <= 1
    clock.set(concept.ends_at)
    assert "1 of 10 buyers</b> <span>too few to say" in studio.get(base).get_data(as_text=True)


def test_where_enough_name_a_lower_price_its_demand_and_what_is_proposed_at_it_are_shown(
    database: Database, published: Published, client: Client, clock: ManualClock
) -> None:
    concept, [variant, *_] = published
    with database.transaction() as session:
        buyers = [an_organisation(session, Role.BUYER).id for _ in range(60)]
        for buyer in buyers:
            a_want(session, variant, buyer, price_minor=60_00)
        paid(session, buyers)
    clock.set(NOON + 7 * DAY)
    studio, base = english(client, "merchandiser"), f"/studio/concepts/{concept.id}"
    report, promotion = (studio.get(address).get_data(as_text=True) for address in (base, f"{base}/promote"))
    assert 'aria-labelledby="curve-t curve-d"' in report
    assert 'value="60.00"' in promotion
    assert 'aria-labelledby="curve-t curve-d"' in promotion
    assert "a campaign of these days from now" in promotion
    assert "too early to say, 0 of 10 buyers</dd>" not in promotion


def test_promoting_against_the_rule_is_possible_and_warned_of(
    database: Database, published: Published, client: Client, clock: ManualClock
) -> None:
    concept, variants = published
    with database.transaction() as session:
        a_crowd(session, variants, 24)
    clock.set(NOON + 7 * DAY)
    studio, base = english(client, "merchandiser"), f"/studio/concepts/{concept.id}"
    report, promotion = (studio.get(address).get_data(as_text=True) for address in (base, f"{base}/promote"))
    assert "You can promote it all the same, until 2026-12-06 16:00" in report
    assert "Once the rule has said so, you have until 2026-12-13 16:00." in report
    [said] = re.findall(r"The rule has not said validated: the chance [^<]*", promotion)
    assert "at least 40 pieces are ordered by 2026-12-06 is" in said
    assert "it asks for 98.9% once 40% of the time is over" in said
    assert "nobody who wanted it is bound" in promotion
    assert "only who joins the campaign pays: the deposit of a presale, the whole price of a group-buy" in promotion


def test_promoting_what_the_rule_validated_carries_no_warning(validated: Published, client: Client) -> None:
    page = english(client, "merchandiser").get(f"/studio/concepts/{validated[0].id}/promote").get_data(as_text=True)
    assert "has not said validated" not in page


def test_each_chance_says_of_what_it_is_and_why_the_others_differ(validated: Published, client: Client) -> None:
    studio, base = english(client, "merchandiser"), f"/studio/concepts/{validated[0].id}"
    report, promotion = (studio.get(address).get_data(as_text=True) for address in (base, f"{base}/promote"))
    assert "this target by the concept’s own end (2026-12-06) at its own price (¥69.00)" in report
    assert "states that of a campaign of other days" in report
    assert "a campaign of these days from now reaches this minimum at this price" in promotion
    assert "goes by how campaigns like it went" in report
    assert "goes by how campaigns like it went" in promotion


def test_the_promotion_form_begins_with_the_proposal(validated: Published, client: Client) -> None:
    page = english(client, "merchandiser").get(f"/studio/concepts/{validated[0].id}/promote").get_data(as_text=True)
    for words in ('value="69.00"', 'value="40"', 'value="2026-12-06T22:00"', "What the form proposes", "7 days"):
        assert words in page, words


def test_a_presale_is_proposed_the_deposit_of_its_concept_or_a_fifth_and_a_group_buy_takes_none(
    database: Database, validated: Published, people: dict[str, Person], client: Client
) -> None:
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        without, _ = a_concept(session, organisation_id=owner, deposit_minor=0, target_quantity=40)
    studio, pages = english(client, "merchandiser"), []
    for concept in (validated[0], without):
        pages.append(studio.get(f"/studio/concepts/{concept.id}/promote").get_data(as_text=True))
        assert "it is refundable: buyers who do not pay the balance get it back" in pages[-1]
    for page, amount in zip(pages, ("5.00", "13.00"), strict=True):
        for name in ("deposit", "deposit_counts"):
            assert re.search(rf'<input[^>]* name="{name}"[^>]* value="{amount}"', page), name
    sent = {
        "kind": "group_buy",
        "title": "条纹保温杯",
        "picture_id": str(validated[1][0].picture_id),
        "colours": "藏青 Navy",
    }
    sent |= {"minimum": "40", "deadline": "2026-12-06T22:00", "tiers.0.from_quantity": "1", "tiers.0.price": "69"}
    sent |= {"deposit": "5.00", "deposit_counts": "5.00"}
    assert studio.post(f"/studio/concepts/{validated[0].id}/promote", data=sent).status_code == 303
    with database.reading() as session:
        assert session.exec(select(Campaign.kind, Campaign.deposit_minor)).all() == [("group_buy", 0)]


def test_the_ladder_beside_the_proposal_tells_the_same_minimum_price_and_chance(
    database: Database, validated: Published, client: Client
) -> None:
    with database.transaction() as session:
        a_line(session, category="bottle", prices={1: 40_00, 100: 30_00})
    page = english(client, "merchandiser").get(f"/studio/concepts/{validated[0].id}/promote").get_data(as_text=True)
    told = page[page.index('id="proposal"') : page.index('id="minimum"')]
    assert "40 pieces" in told
    assert "¥69.00" in told
    assert told.count("&gt; 99 %") == 3
    assert "It is what the form proposes: no cheaper tier would earn more." in told
    assert "Pieces if it is reached, expected" in told
    assert "The pieces are those of the campaigns that reach the minimum, &gt; 99 % of them" in told


def test_the_colours_proposed_are_those_of_the_pictures_that_were_wanted_most_wanted_first(
    database: Database, people: dict[str, Person], client: Client
) -> None:
    said = [("藏青青海波", "Navy, waves", {"primary": "navy", "pattern": "waves"}), ("花、鸟", "Bird, flower", {})]
    said += [("橄榄绿青海波", "Olive, waves", {"primary": "olive"}), ("红色", "Red", {"primary": "red"})]
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        concept, _ = a_concept(session, organisation_id=owner, shown=0, published=False)
        for name, name_en, looks in said:
            picture = pictures.store_drawing(
                session, an_image(), provenance={"attributes": looks}, organisation_id=owner, now=NOON
            )
            concepts.add_variant(session, concept, picture, name=name, name_en=name_en, now=NOON)
        concepts.publish_concept(session, concept, now=NOON)
        navy, bird, olive, _red = concepts.variants(session, concept.id)
        for variant, quantity in ((navy, 2), (bird, 3), (olive, 9)):
            a_want(session, variant, people["buyer"].organisation_id, quantity, key=f"wanted {variant.name}")
    address = f"/studio/concepts/{concept.id}/promote"
    page = english(client, "merchandiser").get(address).get_data(as_text=True)
    [entered] = re.findall(r'<textarea id="colours"[^>]*>([^<]*)</textarea>', page)
    assert entered.strip().split("\n") == ["橄榄绿 Olive", "花 鸟 Bird flower", "藏青 Navy"]


def test_the_days_that_a_statement_rests_on_are_days_in_chinese_too(validated: Published, client: Client) -> None:
    browser = client("merchandiser")
    browser.set_cookie("locale", "zh")
    page = browser.get(f"/studio/concepts/{validated[0].id}").get_data(as_text=True)
    assert "已过 7 天，共 14 天。" in page
    assert "付订金的买家影响最大" in page
