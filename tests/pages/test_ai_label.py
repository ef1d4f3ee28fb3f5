"""Wherever a picture made by an image model is shown, it says that it is an AI concept."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, template_rendered
from sqlmodel import Session

from c2m.clock import ManualClock
from c2m.db import Database, table_of
from c2m.demand.models import Campaign, CampaignState
from c2m.design.models import Picture, PictureKind
from c2m.design.pictures import publish_pictures, store_drawing
from tests.builders import a_campaign
from tests.conftest import Person, Visitor
from tests.design.builders import a_concept, an_image
from tests.matching.market import match
from tests.web.test_access import doors
from tests.web.test_ownership import belongings

TEMPLATES = Path(__file__).parents[2] / "templates"
LABEL = "AI concept"
NEAR = 700  # characters of a page around a picture in which the words must stand
A_PICTURE = re.compile(r'<img[^>]*src="/pictures/[0-9a-f-]{36}"')
OWN_PHOTOGRAPHS = {  # uploaded by factories as evidence, by buyers to say what they need
    "matching/claims.html",
    "matching/one_claim.html",
    "matching/vetting.html",
    "pages/want.html",
    "pages/wants.html",
}


def all_made_by_a_model(session: Session, people: dict[str, Person], clock: ManualClock) -> dict[str, Any]:
    """One of everything, all its pictures AI concepts."""
    ids = belongings(session, people, clock)
    house = people["merchandiser"].organisation_id
    picture = store_drawing(
        session, an_image(), provenance={"model": "m"}, organisation_id=house, now=clock.now(), kind=PictureKind.CONCEPT
    )
    publish_pictures(session, [picture.id], now=clock.now())
    ahead = {"deadline": clock.now() + timedelta(days=7), "promised_date": clock.now() + timedelta(days=35)}
    on_sale, [variant] = a_campaign(session, organisation_id=house, **ahead)
    draft, _ = a_campaign(session, organisation_id=house, state=CampaignState.DRAFT, **ahead)
    unpublished, _ = a_concept(session, organisation_id=house, shown=1, published=False)
    session.flush()
    session.execute(sa.update(table_of(Picture)).values(kind=PictureKind.CONCEPT))
    session.execute(sa.update(table_of(Campaign)).values(picture_id=picture.id))
    others = {"open": on_sale.id, "draft": draft.id, "bought": variant.id, "unpublished": unpublished.id}
    return ids | others | {"picture_id": ids["picture_id"], "shown": picture.id}


def test_every_page_with_a_picture_made_by_a_model_says_so(
    app: Flask, client: Callable[..., Visitor], people: dict[str, Person], database: Database, clock: ManualClock
) -> None:
    with database.transaction() as session:
        ids = all_made_by_a_model(session, people, clock)
    [ids["offer_id"]] = [offer.id for offer in match(database, clock.now())]
    by_hand = [
        f"/studio/pictures/compare?picture={ids['picture_id']}&picture={ids['shown']}",
        f"/studio/concepts/new?picture={ids['picture_id']}",
        f"/studio/pictures?source={ids['picture_id']}",
        f"/market/alike?picture={ids['shown']}",
        "/wants/new?words=T-shirt",
        f"/campaigns/{ids['open']}",
        f"/campaigns/{ids['open']}/checkout?pieces.{ids['bought']}=5&idempotency_key=once-only",
        f"/studio/campaigns/{ids['draft']}",
        f"/studio/campaigns/{ids['draft']}/edit",
        f"/studio/concepts/{ids['unpublished']}",
    ]
    addresses = [door.address for door in doors(app, ids) if door.method == "GET"] + by_hand
    shown_on: set[str] = set()
    unlabelled: list[str] = []
    for name in (None, "buyer", "merchandiser", "factory", "operator"):
        reader = client(name)
        reader.set_cookie("locale", "en")
        for address in addresses:
            rendered: list[str] = []
            with template_rendered.connected_to(lambda _app, template, **_: rendered.append(template.name), app):  # noqa: B023
                page = reader.get(address).data.decode("utf-8", "replace")
            for found in A_PICTURE.finditer(page):
                shown_on.update(rendered[-1:])
                around = page[max(0, found.start() - NEAR) : found.end() + NEAR]
                if LABEL not in around:
                    unlabelled.append(f"{name} {address}")
    assert unlabelled == []
    with_pictures = {
        path.relative_to(TEMPLATES).as_posix()
        for path in TEMPLATES.glob("*/[!_]*.html")
        if "url_for('design.picture'" in path.read_text("utf-8")
    }
    assert with_pictures - shown_on - OWN_PHOTOGRAPHS == set()
