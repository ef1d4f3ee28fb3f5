"""Design's pages: what anybody sees, what a buyer says, what a merchandiser works on, and what is refused to whom."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, select
from werkzeug.test import TestResponse

from c2m.app import build_worker
from c2m.db import Database, uuid7
from c2m.design import concepts, pictures
from c2m.design.categories import CATEGORIES
from c2m.design.models import Concept, ConceptState, ConceptVariant, Picture, PictureKind, Want, WantState
from c2m.ledger.provider import SandboxProvider
from tests.builders import a_line
from tests.conftest import Person, Visitor
from tests.design.builders import NOON, a_concept, a_file, a_want, an_image, everything

Client = Callable[..., Visitor]
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture
def published(database: Database, people: dict[str, Person]) -> tuple[Concept, list[ConceptVariant]]:
    """The merchandiser's published concept with two pictures."""
    with database.transaction() as session:
        return a_concept(session, organisation_id=people["merchandiser"].organisation_id)


@pytest.fixture
def draft(database: Database, people: dict[str, Person]) -> Concept:
    """The merchandiser's draft with one picture."""
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        return a_concept(session, organisation_id=owner, shown=1, published=False)[0]


@pytest.fixture
def english(client: Client) -> Client:
    """`client`, reading English."""

    def make(name: str | None = None) -> Visitor:
        browser = client(name)
        browser.set_cookie("locale", "en")
        return browser

    return make


def a_want_form(variant: ConceptVariant, **fields: Any) -> dict[str, Any]:
    said = {"variant_id": str(variant.id), "quantity": "3", "price": "69.00", "idempotency_key": "a key of its own"}
    return said | fields


def a_concept_form(**fields: Any) -> dict[str, Any]:
    said = {"title": "云朵台灯", "category": "lamp", "price": "129.00", "target_quantity": "150"}
    return said | {"ends_at": "2026-12-06T20:00"} | fields


def test_a_published_picture_is_everybody_s_and_never_changes(published: Any, english: Client) -> None:
    _, [variant, _] = published
    answer = english().get(f"/pictures/{variant.picture_id}")
    assert (answer.status_code, answer.mimetype, answer.data[8:12]) == (200, "image/webp", b"WEBP")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.cache_control.immutable
    assert answer.cache_control.public
    assert answer.get_etag()[0] is not None
    again = english().get(f"/pictures/{variant.picture_id}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_draft_s_picture_is_its_house_s_and_the_operator_s(
    database: Database, draft: Concept, client: Client
) -> None:
    with database.reading() as session:
        [variant] = concepts.variants(session, draft.id)
    address = f"/pictures/{variant.picture_id}"
    assert client("merchandiser").get(address).cache_control.private
    assert client("operator").get(address).status_code == 200
    for stranger in (None, "buyer", "merchandiser2", "factory"):
        assert client(stranger).get(address).status_code == 404
    assert client().get(f"/pictures/{uuid7()}").status_code == 404


def test_a_visitor_sees_a_concept_as_what_it_is(published: Any, english: Client) -> None:
    concept, variants = published
    page = english().get(f"/concepts/{concept.id}").get_data(as_text=True)
    assert "Striped flask" in page
    assert page.count("Sketch, not a finished product") == len(variants) + 1
    assert "Sign in to say so" in page


def test_a_photograph_is_not_called_ai(database: Database, published: Any, english: Client) -> None:
    concept, [first, _] = published
    with database.transaction() as session:
        picture = session.get_one(Picture, first.picture_id)
        picture.kind = PictureKind.PHOTO
        session.add(picture)
    page = english().get(f"/concepts/{concept.id}").get_data(as_text=True)
    assert "Uploaded picture, not a finished product" in page
    assert "AI concept" not in page


def test_a_draft_is_seen_by_its_own_merchandiser_only(draft: Concept, english: Client) -> None:
    assert "not published yet" in english("merchandiser").get(f"/concepts/{draft.id}").get_data(as_text=True)
    for stranger in (None, "buyer", "merchandiser2"):
        assert english(stranger).get(f"/concepts/{draft.id}").status_code == 404


def test_the_deposit_is_worked_out_before_it_is_paid(published: Any, english: Client) -> None:
    concept, [variant, _] = published
    shop = english("buyer")
    part = shop.post(f"/concepts/{concept.id}/deposit", data=a_want_form(variant)).get_data(as_text=True)
    assert "15<span" in part
    assert "<html" not in part
    nothing = shop.post(f"/concepts/{concept.id}/deposit", data=a_want_form(variant, quantity="-3"))
    assert nothing.status_code == 200
    assert "15<span" not in nothing.get_data(as_text=True)


def test_a_buyer_wants_pays_and_withdraws(
    database: Database, provider: SandboxProvider, published: Any, english: Client
) -> None:
    concept, [variant, _] = published
    shop, worker = english("buyer"), build_worker(database, provider)
    answer = shop.post(f"/concepts/{concept.id}/want", data=a_want_form(variant))
    assert (answer.status_code, answer.location) == (303, f"/concepts/{concept.id}")
    assert shop.post(f"/concepts/{concept.id}/want", data=a_want_form(variant)).status_code == 303
    want = the_want(database)
    assert (want.quantity, want.price_minor, want.deposit_minor) == (3, 69_00, 15_00)
    page = shop.get(f"/concepts/{concept.id}").get_data(as_text=True)
    assert "Payment under way" in page
    assert f"/wants/{want.id}/withdraw" not in page
    worker.run_until_idle(NOON)
    assert f"/wants/{want.id}/withdraw" in shop.get(f"/concepts/{concept.id}").get_data(as_text=True)
    assert shop.post(f"/wants/{want.id}/withdraw").status_code == 303
    assert the_want(database).state is WantState.WITHDRAWN


BAD_WANTS = [
    ({"quantity": "0"}, "at least 1"),
    ({"quantity": "-2"}, "at least 1"),
    ({"quantity": "1.5"}, "whole number"),
    ({"quantity": "NaN"}, "whole number"),
    ({"quantity": "100001"}, "at most 100000"),
    ({"quantity": "301"}, "One buyer can want at most 300 pieces of this, its target: you can add 300 more."),
    ({"quantity": ""}, "Please fill this in"),
    ({"price": "0"}, "must be above zero"),
    ({"price": "207.01"}, "at most three times the price"),
    ({"price": "-1"}, "an amount such as"),
    ({"price": "Infinity"}, "an amount such as"),
    ({"price": "69.001"}, "2 decimals"),
    ({"variant_id": "x"}, "one of the options"),
    ({"variant_id": str(uuid7())}, "one of the pictures"),
    ({"idempotency_key": ""}, "load the page again"),
    ({"deposit": "0"}, "wasn&#39;t asked for"),
]


def test_a_bad_want_is_answered_with_a_sentence(database: Database, published: Any, english: Client) -> None:
    concept, [variant, _] = published
    shop, before = english("buyer"), everything(database)
    for wrong, sentence in BAD_WANTS:
        answer = shop.post(f"/concepts/{concept.id}/want", data=a_want_form(variant, **wrong))
        refuses(answer, sentence, wrong)
    assert everything(database) == before


def test_nobody_wants_what_has_ended(database: Database, clock: Any, published: Any, english: Client) -> None:
    concept, [variant, _] = published
    clock.set(concept.ends_at)
    shop = english("buyer")
    assert shop.post(f"/concepts/{concept.id}/want", data=a_want_form(variant)).status_code == 409
    with database.reading() as session:
        assert session.exec(select(Want)).first() is None


def test_another_buyer_s_want_is_not_withdrawn(
    database: Database, published: Any, people: dict[str, Person], english: Client
) -> None:
    _, [variant, _] = published
    with database.transaction() as session:
        want_id = a_want(session, variant, people["buyer"].organisation_id).id
    before = everything(database)
    assert english("buyer2").post(f"/wants/{want_id}/withdraw").status_code == 404
    assert everything(database) == before


def test_the_studio_begins_empty_and_shows_only_one_s_own(published: Any, english: Client) -> None:
    assert "Draft the first concept" in english("merchandiser2").get("/studio/concepts").get_data(as_text=True)
    mine = english("merchandiser")
    assert "Striped flask" in mine.get("/studio/concepts?state=published").get_data(as_text=True)
    assert "No concept in this state" in mine.get("/studio/concepts?state=stopped").get_data(as_text=True)
    assert mine.get("/studio/concepts?state=nonsense").status_code == 422


def test_a_new_concept_is_kept_as_a_draft(database: Database, people: dict[str, Person], english: Client) -> None:
    answer = english("merchandiser").post("/studio/concepts/new", data=a_concept_form(brief="{{ 7 * 7 }} <b>"))
    assert answer.status_code == 303
    with database.reading() as session:
        [made] = session.exec(select(Concept)).all()
    assert (made.state, made.price_minor, made.deposit_minor) == (ConceptState.DRAFT, 129_00, 0)
    assert made.organisation_id == people["merchandiser"].organisation_id
    page = english("merchandiser").get(f"/studio/concepts/{made.id}").get_data(as_text=True)
    assert "{{ 7 * 7 }} &lt;b&gt;" in page


BAD_CONCEPTS = [
    ({"title": ""}, "Please fill this in"),
    ({"title": "长" * 121}, "at most 120"),
    ({"category": "submarine"}, "one of the options"),
    ({"price": "0"}, "must be above zero"),
    ({"price": "dear"}, "an amount such as"),
    ({"deposit": "129.01"}, "between nothing and the price"),
    ({"target_quantity": "0"}, "between 1 and 1,000,000"),
    ({"target_quantity": "many"}, "whole number"),
    ({"ends_at": "2026-11-22T16:10"}, "an hour and 60 days"),
    ({"ends_at": "2027-03-01T16:10"}, "an hour and 60 days"),
    ({"ends_at": "tomorrow"}, "a day and time"),
    ({"brief": "字" * 2001}, "at most 2000"),
    ({"organisation_id": str(uuid7())}, "wasn&#39;t asked for"),
]


def test_a_bad_concept_is_answered_with_a_sentence(database: Database, english: Client) -> None:
    studio, before = english("merchandiser"), everything(database)
    for wrong, sentence in BAD_CONCEPTS:
        refuses(studio.post("/studio/concepts/new", data=a_concept_form(**wrong)), sentence, wrong)
    assert everything(database) == before


def test_a_bad_change_leaves_the_draft_as_it_was(database: Database, draft: Concept, english: Client) -> None:
    studio, before = english("merchandiser"), everything(database)
    for wrong, sentence in BAD_CONCEPTS:
        refuses(studio.post(f"/studio/concepts/{draft.id}", data=a_concept_form(**wrong)), sentence, wrong)
    assert everything(database) == before


def test_a_photograph_joins_the_draft(database: Database, draft: Concept, english: Client) -> None:
    studio = english("merchandiser")
    sent = {"picture": (io.BytesIO(a_file(an_image((200, 100)), "JPEG")), "../../杯.jpg"), "name": "实拍"}
    assert studio.post(f"/studio/concepts/{draft.id}/photographs", data=sent).status_code == 303
    with database.reading() as session:
        _, added = concepts.variants(session, draft.id)
        picture = session.get_one(Picture, added.picture_id)
    assert (added.name, picture.kind, picture.width) == ("实拍", PictureKind.PHOTO, 200)


BAD_PHOTOGRAPHS = [
    (HTML, "实拍", "Only PNG, JPEG and WebP"),
    (b"", "实拍", "The file is empty"),
    (a_file(an_image((40, 40))), "实拍", "too small"),
    (a_file(an_image((300, 300)), "JPEG")[:700], "实拍", "damaged"),
    (a_file(), "", "Please fill this in"),
    (a_file(), "名" * 61, "at most 60"),
    (None, "实拍", "Please fill this in"),
]


def test_a_bad_photograph_is_answered_with_a_sentence(database: Database, draft: Concept, english: Client) -> None:
    studio, before = english("merchandiser"), everything(database)
    for content, name, sentence in BAD_PHOTOGRAPHS:
        sent: dict[str, Any] = {"name": name}
        if content is not None:
            sent["picture"] = (io.BytesIO(content), "cup.png")
        address = f"/studio/concepts/{draft.id}/photographs"
        refuses(studio.post(address, data=sent, content_type="multipart/form-data"), sentence, name)
    assert everything(database) == before


def test_a_file_beyond_the_limit_is_refused(database: Database, draft: Concept, english: Client) -> None:
    studio, before = english("merchandiser"), everything(database)
    sent = {"picture": (io.BytesIO(bytes(9 * 1024 * 1024)), "huge.png"), "name": "大"}
    answer = studio.post(f"/studio/concepts/{draft.id}/photographs", data=sent)
    assert answer.status_code == 413
    assert "The file is too large" in answer.get_data(as_text=True)
    assert everything(database) == before


def test_sketches_are_drawn_and_labelled(database: Database, draft: Concept, english: Client) -> None:
    wanted = {"words": "海盐", "primary": "navy", "pattern": "stripes", "count": "2"}
    studio = english("merchandiser")
    assert studio.post(f"/studio/concepts/{draft.id}/sketches", data=wanted).status_code == 303
    with database.reading() as session:
        _, first, second = concepts.variants(session, draft.id)
        picture = session.get_one(Picture, first.picture_id)
    assert (first.name, first.name_en) == ("藏青横条纹", "Navy, stripes")
    assert (second.name, second.name_en) == ("藏青横条纹 2", "Navy, stripes 2")
    assert (picture.kind, picture.provenance["brief"], picture.provenance["by"]) == (
        PictureKind.SKETCH,
        "海盐",
        "Merchandiser",
    )


def test_the_words_of_a_brief_steer_the_sketch(database: Database, draft: Concept, english: Client) -> None:
    studio, wanted = english("merchandiser"), {"words": "绿色圆点，带夜光", "count": "1"}
    assert studio.post(f"/studio/concepts/{draft.id}/sketches", data=wanted).status_code == 303
    assert "could make nothing of: 带夜光" in studio.get(f"/studio/concepts/{draft.id}").get_data(as_text=True)
    with database.reading() as session:
        picture = session.get_one(Picture, concepts.variants(session, draft.id)[-1].picture_id)
    assert (picture.provenance["spec"]["primary"], picture.provenance["spec"]["pattern"]) == ("green", "dots")


BAD_SKETCHES = [
    ({"count": "0"}, "at least 1"),
    ({"count": "5"}, "at most 4"),
    ({"count": "two"}, "whole number"),
    ({"primary": "octarine"}, "one of the options"),
    ({"pattern": "../etc"}, "one of the options"),
    ({"words": "字" * 501}, "at most 500"),
    ({"seed": "1"}, "wasn&#39;t asked for"),
]


def test_a_bad_sketch_is_answered_with_a_sentence(database: Database, draft: Concept, english: Client) -> None:
    studio, before = english("merchandiser"), everything(database)
    for wrong, sentence in BAD_SKETCHES:
        answer = studio.post(f"/studio/concepts/{draft.id}/sketches", data={"count": "1"} | wrong)
        refuses(answer, sentence, wrong)
    assert everything(database) == before


def test_more_pictures_than_eight_are_refused_before_they_are_made(
    database: Database, people: dict[str, Person], english: Client
) -> None:
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        full, _ = a_concept(session, organisation_id=owner, shown=7, published=False)
    studio, before = english("merchandiser"), everything(database)
    answer = studio.post(f"/studio/concepts/{full.id}/sketches", data={"count": "2"})
    assert answer.status_code == 422
    assert "at most 8 pictures" in answer.get_data(as_text=True)
    assert everything(database) == before


def test_what_can_not_be_drawn_says_so(database: Database, people: dict[str, Person], english: Client) -> None:
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        other, _ = a_concept(session, organisation_id=owner, category="general", published=False)
    answer = english("merchandiser").post(f"/studio/concepts/{other.id}/sketches", data={"count": "1"})
    assert answer.status_code == 422
    assert "can&#39;t be drawn" in answer.get_data(as_text=True)


def test_a_picture_is_removed(database: Database, draft: Concept, english: Client) -> None:
    with database.reading() as session:
        [variant] = concepts.variants(session, draft.id)
    address = f"/studio/concepts/{draft.id}/variants/{variant.id}/remove"
    assert english("merchandiser").post(address).status_code == 303
    with database.reading() as session:
        assert concepts.variants(session, draft.id) == []
    assert english("merchandiser").post(address).status_code == 404


def test_publishing_needs_a_picture_and_an_end_ahead(
    database: Database, clock: Any, draft: Concept, people: dict[str, Person], english: Client
) -> None:
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        bare, _ = a_concept(session, organisation_id=owner, shown=0, published=False)
    studio = english("merchandiser")
    answer = studio.post(f"/studio/concepts/{bare.id}/publish")
    assert answer.status_code == 422
    assert "Add at least one picture" in answer.get_data(as_text=True)
    clock.set(draft.ends_at + timedelta(minutes=1))
    late = english("merchandiser").post(f"/studio/concepts/{draft.id}/publish")
    assert late.status_code == 422
    assert "The end must lie ahead" in late.get_data(as_text=True)
    assert state_of(database, draft.id) is ConceptState.DRAFT


def test_a_concept_is_published_watched_and_stopped(
    database: Database, provider: SandboxProvider, draft: Concept, people: dict[str, Person], english: Client
) -> None:
    studio = english("merchandiser")
    assert studio.post(f"/studio/concepts/{draft.id}/publish").status_code == 303
    assert state_of(database, draft.id) is ConceptState.PUBLISHED
    with database.transaction() as session:
        [variant] = concepts.variants(session, draft.id)
        a_want(session, variant, people["buyer"].organisation_id, quantity=30, price_minor=61_00)
    build_worker(database, provider).run_until_idle(NOON)
    page = studio.get(f"/studio/concepts/{draft.id}").get_data(as_text=True)
    for figure in ("10%", "0 of 10 buyers", "¥150.00", "¥61.00", "How this picture was made"):
        assert figure in page
    assert studio.post(f"/studio/concepts/{draft.id}/stop").status_code == 303
    assert state_of(database, draft.id) is ConceptState.STOPPED
    assert the_want(database).state is WantState.REFUNDED
    assert studio.post(f"/studio/concepts/{draft.id}/stop").status_code == 409


def test_another_house_s_concept_is_not_found(database: Database, draft: Concept, english: Client) -> None:
    with database.reading() as session:
        [variant] = concepts.variants(session, draft.id)
    stranger, before = english("merchandiser2"), everything(database)
    base = f"/studio/concepts/{draft.id}"
    assert stranger.get(base).status_code == 404
    assert stranger.get(f"{base}/promote").status_code == 404
    sent: dict[str, dict[str, Any]] = {
        "": a_concept_form(),
        "/photographs": {"picture": (io.BytesIO(a_file()), "a.png"), "name": "x"},
        "/sketches": {"count": "1"},
        f"/variants/{variant.id}/remove": {},
        "/publish": {},
        "/stop": {},
        "/promote": {},
    }
    for path, form in sent.items():
        assert stranger.post(base + path, data=form).status_code == 404, path
    assert everything(database) == before


def refuses(answer: TestResponse, sentence: str, what: object) -> None:
    """The page comes back with status 422 and says what is wrong."""
    assert answer.status_code == 422, what
    assert sentence in answer.get_data(as_text=True), what


def the_want(database: Database) -> Want:
    with database.reading() as session:
        [want] = session.exec(select(Want)).all()
        return want


def state_of(database: Database, concept_id: UUID) -> ConceptState:
    with database.reading() as session:
        return found(session, concept_id).state


def found(session: Session, concept_id: UUID) -> Concept:
    return concepts.concept(session, concept_id)


def test_a_new_concept_keeps_its_pictures_while_another_field_is_wrong(
    database: Database, people: dict[str, Person], english: Client
) -> None:
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        mine = pictures.store_drawing(session, an_image(), provenance={}, organisation_id=owner, now=NOON)
    sent = {"title": "Flask", "category": "bottle", "price": "-5", "target_quantity": "300", "picture": str(mine.id)}
    answer = english("merchandiser").post("/studio/concepts/new", data=sent)
    assert answer.status_code == 422
    assert f'name="picture" value="{mine.id}"' in answer.get_data(as_text=True)
    sent["picture"] = "no-picture"
    assert english("merchandiser").post("/studio/concepts/new", data=sent).status_code == 422


def test_the_form_says_from_how_many_pieces_on_factories_make_it(
    database: Database, draft: Concept, english: Client
) -> None:
    with database.transaction() as session:
        a_line(session, category=draft.category, process=CATEGORIES[draft.category].process, minimum=40)
    page = english("merchandiser").get(f"/studio/concepts/{draft.id}").get_data(as_text=True)
    assert "One factory here makes it, from 40 pieces on" in page
