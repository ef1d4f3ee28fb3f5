"""Other people's ids: whoever holds the right role and a true id of somebody else's still finds nothing there."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask
from sqlmodel import Session, select

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand.models import Need, NeedGroup, Waiting
from c2m.demand.questions import FactoryQuestion, ask_question
from c2m.design.generations import commission, renditions
from c2m.design.pictures import store_drawing
from c2m.design.signals import Asked, ask
from c2m.identity.models import Role
from c2m.matching.models import CapacityWeek, Factory, Reservation
from c2m.matching.rules import monday
from c2m.production.models import FirstArticle, FirstArticleState, Parcel
from tests.builders import a_campaign, a_confirmed_pledge, a_line, a_sheet, verify
from tests.conftest import PEOPLE, Person, Visitor
from tests.design.builders import a_commission, a_concept, a_want, an_image
from tests.matching.market import match
from tests.production.market import an_order, make, ship
from tests.web.test_access import Door, doors, everything, knock

pytestmark = pytest.mark.both_databases

OPEN_TO_THE_WHOLE_ROLE = {
    "demand.join",
    "demand.wait",
    "demand.checkout",
    "demand.to_checkout",
    "design.want",
    "design.save",
    "design.forget",
    "design.ask",
    "production.deliver",
    "pages.want_group",
    "pages.want_group_picture",
    "pages.draft_of_group",
    "pages.ask_makers",
    "pages.state_interest",
}


def belongings(session: Session, people: dict[str, Person], clock: ManualClock) -> dict[str, Any]:
    """One of everything, owned by the buyer, the merchandiser and the factory: argument of a route → id."""
    house, shop, maker = (people[name].organisation_id for name in ("merchandiser", "buyer", "factory"))
    concept, variants = a_concept(session, organisation_id=house)
    want = a_want(session, variants[0], shop)
    designer = people["merchandiser"].user_id
    asked_for = commission(session, a_commission(house, designer), now=clock.now())
    drawn = renditions(session, [asked_for.id])[asked_for.id][0]
    drawn.picture_id = store_drawing(session, an_image(), provenance={}, organisation_id=house, now=clock.now()).id
    session.add(drawn)
    asked = ask(session, Asked(concept.id, shop, "?", "a question"), now=clock.now())
    closed = {"final_price_minor": 100_00, "final_quantity": 10, "closed_at": clock.now()}
    campaign, (variant,) = a_campaign(session, organisation_id=house, **closed)
    pledge = a_confirmed_pledge(session, campaign, {variant.id: 10})
    pledge.buyer_id = shop
    session.add(pledge)
    sheet = a_sheet(session, campaign, [pledge], issued_at=clock.now())
    about = ask_question(session, FactoryQuestion(sheet.id, maker, "?", "a question"), now=clock.now())
    factory = Factory(id=maker, belt="Humen", region="Guangdong")
    session.add(factory)
    session.flush()
    verify(session, factory)
    line = a_line(session, factory)
    order = an_order(session, sheet, {variant.id: 6}, factory_id=maker, capability_id=line.id)
    make(session, order, 6)
    lot_id = ship(session, order)
    shown = {"work_order_id": order.id, "picture_id": drawn.picture_id, "sent_at": clock.now()}
    first = FirstArticle(**shown, state=FirstArticleState.ACCEPTED, judged_at=clock.now())
    waiting = Waiting(
        campaign_id=campaign.id, buyer_id=shop, quantity=1, idempotency_key="w", request_hash="", placed_at=clock.now()
    )
    kept = Reservation(capability_id=line.id, week=monday(clock.now().date()), quantity=1, made_at=clock.now())
    week = CapacityWeek(capability_id=line.id, week=kept.week, capacity=10, booked=1)
    session.add_all([waiting, kept, week, first])
    session.flush()
    parcel = session.exec(select(Parcel).where(Parcel.lot_id == lot_id)).one()
    group = NeedGroup(title="Totes", category="tote", formed_at=clock.now())
    session.add(group)
    session.flush()
    said = {"words": "totes", "category": "tote", "quantity": 5, "currency": "CNY", "idempotency_key": "a need"}
    need = Need(buyer_id=shop, group_id=group.id, stated_at=clock.now(), **said)
    session.add(need)
    session.flush()
    return {
        "article_id": first.id,
        "campaign_id": campaign.id,
        "capability_id": line.id,
        "concept_id": concept.id,
        "generation_id": asked_for.id,
        "group_id": group.id,
        "need_id": need.id,
        "lot_id": lot_id,
        "order_id": order.id,
        "parcel_id": parcel.id,
        "picture_id": drawn.picture_id,
        "pledge_id": pledge.id,
        "question_id": asked.id,
        "reservation_id": kept.id,
        "sheet_id": sheet.id,
        "sheet_question_id": about.id,
        "variant_id": variants[0].id,
        "waiting_id": waiting.id,
        "want_id": want.id,
        "week": kept.week.isoformat(),
    }


def private_doors(app: Flask, role: Role, ids: dict[str, Any]) -> list[Door]:
    """The ways to one row that a role has and strangers of that role must not."""
    return [
        door
        for door in doors(app, ids)
        if door.leads_to_a_row
        and role in door.access.roles
        and door.method in ("GET", "POST")
        and door.endpoint not in OPEN_TO_THE_WHOLE_ROLE
    ]


@pytest.mark.parametrize("owner", ["buyer", "factory", "merchandiser"])
def test_a_stranger_of_the_same_role_finds_nothing_and_changes_nothing(
    app: Flask,
    client: Callable[..., Visitor],
    people: dict[str, Person],
    database: Database,
    clock: ManualClock,
    owner: str,
) -> None:
    with database.transaction() as session:
        ids = belongings(session, people, clock)
    (offer,) = match(database, clock.now())
    ids["offer_id"] = offer.id
    entrances = private_doors(app, PEOPLE[owner], ids)
    assert len(entrances) >= 3
    stranger, rightful = client(f"{owner}2"), client(owner)
    before = everything(database)
    found = [door for door in entrances if knock(stranger, door).status_code != HTTPStatus.NOT_FOUND]
    assert found == []
    assert everything(database) == before
    lost = [door for door in entrances if knock(rightful, door).status_code in (403, 404)]
    assert lost == []
