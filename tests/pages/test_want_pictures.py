"""A buyer's idea as pictures before it is filed: asked for in words or from a photograph, picked, limited by day."""

import html
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from c2m.clock import ManualClock
from c2m.config import Settings
from c2m.db import Database
from c2m.demand.models import Campaign, Need
from c2m.design.making import Maker
from c2m.design.models import Generation, Picture, PictureKind
from c2m.jobs import Worker
from c2m.pages.want_pictures import MOST_RUNS_A_DAY
from tests.conftest import Person, Visitor
from tests.design.builders import TinyModel, a_file, everything

Client = Callable[..., Visitor]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With an image model that starts from pictures; a tiny one stands in for it."""
    return settings.model_copy(update={"design_model": "somebody/paints"})


@pytest.fixture
def buyer(client: Client) -> Visitor:
    browser = client("buyer")
    browser.set_cookie("locale", "en")
    return browser


def ask(buyer: Visitor, words: str = "红白条纹帆布托特包", key: str = "idea number 1", **more: Any) -> Any:
    sent = {"words": words, "idempotency_key": key} | more
    return buyer.post("/wants/pictures", data=sent, content_type="multipart/form-data")


def make(database: Database, clock: ManualClock) -> None:
    Worker(database, Maker(database, TinyModel).handlers(), {}).run_until_idle(clock.now())


def runs(database: Database) -> list[Generation]:
    with database.reading() as session:
        return list(session.exec(select(Generation).order_by(Generation.id)))


def test_an_idea_is_pictured_and_the_closest_picture_goes_with_the_want(
    buyer: Visitor, database: Database, clock: ManualClock
) -> None:
    form_address = ask(buyer).headers["Location"]
    assert "hx-get" in buyer.get(form_address).get_data(as_text=True)
    make(database, clock)
    with database.reading() as session:
        made = session.exec(select(Picture).order_by(Picture.id)).all()
    assert [picture.kind for picture in made] == [PictureKind.CONCEPT] * 3
    page = buyer.get(form_address).get_data(as_text=True)
    assert all(f'value="{picture.id}" form="file"' in page for picture in made)
    assert "hx-get" not in page.split('id="pictured"')[1].split(">")[0]
    want = {"words": "红白条纹帆布托特包", "quantity": "50", "idempotency_key": "want number 1"}
    filed = buyer.post("/wants/new", data=want | {"chosen": str(made[1].id)})
    assert filed.status_code == 303
    with database.reading() as session:
        assert session.exec(select(Need)).one().picture_id == made[1].id
    assert "AI concept" in buyer.get(filed.headers["Location"]).get_data(as_text=True)


SEERS = ("merchandiser", "factory", "operator")


def file_want(buyer: Visitor, number: int = 1, **more: Any) -> Any:
    said = {"words": "红白条纹帆布托特包", "quantity": "50", "budget": "30", "idempotency_key": f"want number {number}"}
    answer = buyer.post("/wants/new", data=said | more, content_type="multipart/form-data")
    assert answer.status_code == 303
    return answer


def the_want(database: Database, number: int = 1) -> Need:
    with database.reading() as session:
        return session.exec(select(Need).where(Need.idempotency_key == f"want number {number}")).one()


def test_a_ticked_picture_is_shown_with_its_label_to_those_who_read_the_group_and_the_draft_takes_it_over(
    buyer: Visitor, client: Client, people: dict[str, Person], database: Database, clock: ManualClock
) -> None:
    ask(buyer)
    make(database, clock)
    with database.reading() as session:
        ticked = session.exec(select(Picture.id)).first()
    file_want(buyer, chosen=str(ticked))
    group = f"/wants/groups/{the_want(database).group_id}"
    file_of_it = f"{group}/pictures/{ticked}"
    for name in SEERS:
        reader = client(name)
        reader.set_cookie("locale", "en")
        page = reader.get(group).get_data(as_text=True)
        assert f'<a class="pic" href="{file_of_it}"><img src="{file_of_it}"' in page
        assert "AI concept" in page
        assert reader.get(file_of_it).mimetype == "image/webp"
    assert client("merchandiser").post(f"{group}/draft").status_code == 303
    with database.reading() as session:
        draft = session.exec(select(Campaign)).one()
        copy, original = session.get_one(Picture, draft.picture_id), session.get_one(Picture, ticked)
        assert copy.organisation_id == people["merchandiser"].organisation_id
        assert (copy.kind, copy.content) == (PictureKind.CONCEPT, original.content)
        assert original.published_at is None
        assert "by" not in copy.provenance
        assert draft.description == ("买家想要：托特包、帆布、条纹 Buyers asked for: tote, canvas, striped")


def test_an_uploaded_picture_is_shown_as_such_for_as_long_as_it_is_wanted_and_goes_into_no_draft(
    buyer: Visitor, client: Client, database: Database
) -> None:
    said = html.unescape(buyer.get("/wants/new?words=tote").get_data(as_text=True))
    assert "factories and the operator see it beside your words, without your name; no campaign takes it over." in said
    assert "Only you see it." not in said
    filed = file_want(buyer, picture=(io.BytesIO(a_file()), "mine.png"))
    want = the_want(database)
    group = f"/wants/groups/{want.group_id}"
    merchandiser = client("merchandiser")
    merchandiser.set_cookie("locale", "en")
    page = merchandiser.get(group).get_data(as_text=True)
    assert f'src="{group}/pictures/{want.picture_id}"' in page
    assert "Uploaded by the buyer" in page
    assert merchandiser.post(f"{group}/draft").status_code == 303
    with database.reading() as session:
        assert session.exec(select(Campaign)).one().picture_id is None
    buyer.post(filed.headers["Location"] + "/withdraw")
    assert merchandiser.get(f"{group}/pictures/{want.picture_id}").status_code == 404


def test_a_picture_made_of_the_buyer_s_photograph_is_shown_but_goes_into_no_draft(
    buyer: Visitor, client: Client, database: Database, clock: ManualClock
) -> None:
    ask(buyer, photograph=(io.BytesIO(a_file()), "mine.png"))
    make(database, clock)
    with database.reading() as session:
        ticked = session.exec(select(Picture.id).where(Picture.kind == PictureKind.CONCEPT)).first()
    file_want(buyer, chosen=str(ticked))
    group = f"/wants/groups/{the_want(database).group_id}"
    merchandiser = client("merchandiser")
    assert f"{group}/pictures/{ticked}" in merchandiser.get(group).get_data(as_text=True)
    assert merchandiser.post(f"{group}/draft").status_code == 303
    with database.reading() as session:
        assert session.exec(select(Campaign)).one().picture_id is None


def test_a_want_s_picture_is_nobody_else_s(buyer: Visitor, client: Client, database: Database) -> None:
    file_want(buyer, picture=(io.BytesIO(a_file()), "mine.png"))
    want = the_want(database)
    of_group = f"/wants/groups/{want.group_id}/pictures/{want.picture_id}"
    for name in (None, "buyer2", "factory", "merchandiser"):
        assert client(name).get(f"/pictures/{want.picture_id}").status_code == 404
    assert client("buyer2").get(of_group).status_code == 403
    assert client().get(of_group).status_code != 200
    file_want(client("buyer2"), 2, words="ceramic mug")
    elsewhere = f"/wants/groups/{the_want(database, 2).group_id}/pictures/{want.picture_id}"
    assert client("merchandiser").get(elsewhere).status_code == 404


def test_what_was_uploaded_when_only_its_buyer_should_see_it_stays_unseen(
    buyer: Visitor, client: Client, database: Database
) -> None:
    file_want(buyer, picture=(io.BytesIO(a_file()), "mine.png"))
    want = the_want(database)
    with database.transaction() as session:
        session.get_one(Picture, want.picture_id).provenance = {"source": "upload"}
    group = f"/wants/groups/{want.group_id}"
    merchandiser = client("merchandiser")
    assert "/pictures/" not in merchandiser.get(group).get_data(as_text=True)
    assert merchandiser.get(f"{group}/pictures/{want.picture_id}").status_code == 404


def test_the_label_lies_on_each_pictured_idea_by_the_page_s_own_style_sheets(
    buyer: Visitor, database: Database, clock: ManualClock
) -> None:
    address = ask(buyer).headers["Location"]
    make(database, clock)
    page = buyer.get(address).get_data(as_text=True)
    assert page.split("want-shots")[1].split("</ul>")[0].count('class="tag concept') == 3
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
    styles = "".join(buyer.get(sheet).get_data(as_text=True) for sheet in sheets)
    assert ".shot .pic > .tag { position: absolute;" in styles


def test_a_photograph_is_where_the_pictures_start(buyer: Visitor, database: Database) -> None:
    answer = ask(buyer, "mug", photograph=(io.BytesIO(a_file()), "mine.png"))
    assert answer.status_code == 303
    [run] = runs(database)
    assert (run.category, run.strength_pct) == ("mug", 60)
    assert run.source_id is not None


def test_the_same_form_sent_twice_asks_once(buyer: Visitor, database: Database) -> None:
    assert ask(buyer).headers["Location"] == ask(buyer).headers["Location"]
    assert len(runs(database)) == 1


def test_a_day_has_so_many_runs(buyer: Visitor, database: Database, clock: ManualClock) -> None:
    for number in range(MOST_RUNS_A_DAY):
        assert ask(buyer, key=f"idea number {number}").status_code == 303
        make(database, clock)
    before = everything(database)
    refused = ask(buyer, key="one too many")
    assert refused.status_code == 422
    assert "tomorrow there are more" in refused.get_data(as_text=True)
    assert everything(database) == before
    clock.advance(timedelta(days=1, minutes=1))
    assert ask(buyer, key="the next day").status_code == 303


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"words": "something nice"}, "Name the product"),
        ({"words": "nike mug"}, "nike"),
        ({"words": "mug", "photograph": (b"<svg/>", "mine.png")}, "Only PNG, JPEG"),
    ],
)
def test_an_idea_that_cannot_be_pictured_is_shown_again_with_why(
    buyer: Visitor, database: Database, fields: dict[str, Any], said: str
) -> None:
    before = everything(database)
    if "photograph" in fields:
        content, name = fields["photograph"]
        fields = fields | {"photograph": (io.BytesIO(content), name)}
    answer = ask(buyer, **fields)
    assert answer.status_code == 422
    assert said in html.unescape(answer.get_data(as_text=True))
    assert everything(database) == before


def test_a_want_is_refused_at_its_field_for_the_words_that_its_pictures_are_refused_for(
    buyer: Visitor, database: Database
) -> None:
    before = everything(database)
    said = {"words": "Nike 马克杯 call 13800138000", "quantity": "50", "idempotency_key": "want number 1"}
    sent = said | {"picture": (io.BytesIO(a_file()), "mine.png")}
    answer = buyer.post("/wants/new", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 422
    page = html.unescape(answer.get_data(as_text=True))
    [beside] = re.findall(r'id="words-error"[^>]*>(.*?)</span></span>', page, re.S)
    assert "“nike” is somebody's brand or figure" in beside
    assert everything(database) == before


@pytest.mark.parametrize("asked", ["", "红白条纹帆布托特包"])
def test_an_idea_without_words_is_asked_for_them_and_its_form_stays(
    buyer: Visitor, database: Database, asked: str
) -> None:
    before = everything(database)
    answer = ask(buyer, "  ", asked=asked)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    [beside] = re.findall(r'id="idea-words-error"[^>]*>(.*?)</span></span>', page, re.S)
    assert "Say what the pictures should show" in beside
    assert 'action="/wants/pictures"' in page
    assert f'name="asked" value="{asked}"' in page
    assert ('action="/wants/new" aria-labelledby="file-h"' in page) == bool(asked)
    assert everything(database) == before


@pytest.mark.parametrize("wrong", [{"words": "nike tote"}, {"quantity": "none"}])
def test_a_want_that_needs_mending_keeps_its_pictures_and_the_one_that_was_ticked(
    buyer: Visitor, database: Database, clock: ManualClock, wrong: dict[str, str]
) -> None:
    run = ask(buyer).headers["Location"].split("run=")[1].split("#")[0]
    make(database, clock)
    with database.reading() as session:
        ticked = session.exec(select(Picture.id)).all()[1]
    want = {"words": "红白条纹帆布托特包", "quantity": "50", "idempotency_key": "want number 1", "chosen": str(ticked)}
    answer = buyer.post("/wants/new", data=want | {"run": run} | wrong)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert re.findall(r'name="chosen" value="([^"]+)" form="file" hx-preserve="true" checked>', page) == [str(ticked)]
    assert f'name="run" value="{run}"' in page


def test_a_want_without_words_keeps_its_form_and_says_so(buyer: Visitor, database: Database) -> None:
    before = everything(database)
    answer = buyer.post("/wants/new", data={"words": " ", "quantity": "50", "idempotency_key": "want number 1"})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert 'id="words-error"' in page
    assert 'value="50"' in page
    assert everything(database) == before


def test_other_people_s_runs_and_pictures_are_nobody_s(
    buyer: Visitor, client: Client, database: Database, clock: ManualClock
) -> None:
    form_address = ask(buyer).headers["Location"]
    make(database, clock)
    with database.reading() as session:
        picture = session.exec(select(Picture.id)).first()
    stranger = client("buyer2")
    assert stranger.get(form_address).status_code == 404
    before = everything(database)
    want = {"words": "托特包", "quantity": "5", "idempotency_key": "want number 1", "chosen": str(picture)}
    assert stranger.post("/wants/new", data=want).status_code == 404
    assert everything(database) == before
