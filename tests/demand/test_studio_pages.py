"""The merchandiser's pages of campaigns and sheets: drafted, opened, promoted from a concept, read by who may."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select
from werkzeug.test import TestResponse

from c2m.app import build_worker
from c2m.clock import ManualClock
from c2m.db import Database, uuid7
from c2m.demand import joining, queries
from c2m.demand.models import Campaign, CampaignKind, CampaignState, DemandSheet, Pledge, PledgeState, Variant
from c2m.demand.pledge_requests import PledgeRequest
from c2m.design.models import Concept, ConceptState, ConceptVariant, Picture, PictureKind, Want, WantState
from c2m.ledger.provider import SandboxProvider
from tests.builders import a_campaign, a_confirmed_pledge, a_sheet
from tests.conftest import Person, Visitor
from tests.design.builders import NOON, a_concept, a_file, a_want, everything

Client = Callable[..., Visitor]


@pytest.fixture
def english(client: Client) -> Client:
    """`client`, reading English."""

    def make(name: str | None = None) -> Visitor:
        browser = client(name)
        browser.set_cookie("locale", "en")
        return browser

    return make


@pytest.fixture
def sheet(database: Database, people: dict[str, Person]) -> DemandSheet:
    """The merchandiser's sheet of 10 black M, 5 black L and 5 white M from two pledges."""
    with database.transaction() as session:
        campaign, [black_m, black_l, white_m] = a_campaign(
            session,
            organisation_id=people["merchandiser"].organisation_id,
            variants=[("黑 Black", "M"), ("黑 Black", "L"), ("白 White", "M")],
            category="tshirt",
        )
        one = a_confirmed_pledge(session, campaign, {black_m.id: 6, black_l.id: 5})
        two = a_confirmed_pledge(session, campaign, {black_m.id: 4, white_m.id: 5})
        one.region, two.region = "杭州", "广州"
        session.add_all([one, two])
        return a_sheet(session, campaign, [one, two])


def a_form(**fields: Any) -> dict[str, Any]:
    """A group-buy of hoodies as its form sends it."""
    said = {
        "kind": "group_buy",
        "title": "灰色卫衣",
        "title_en": "Grey hoodie",
        "category": "hoodie",
        "colours": "灰 Grey\n黑 Black",
        "sizes": "S, M, L",
        "tiers.0.from_quantity": "20",
        "tiers.0.price": "88.00",
        "tiers.1.from_quantity": "100",
        "tiers.1.price": "79.00",
        "tiers.2.from_quantity": "",
        "tiers.2.price": "",
        "minimum": "60",
        "deadline": "2026-12-06T20:00",
    }
    return said | fields


BAD_CAMPAIGNS: list[tuple[dict[str, Any], str]] = [
    ({"title": " "}, "Please fill this in"),
    ({"title": "长" * 121}, "at most 120"),
    ({"kind": "lottery"}, "one of the options"),
    ({"category": "submarine"}, "one of the options"),
    ({"colours": ""}, "Please fill this in"),
    ({"colours": " , ;\n"}, "between 1 and 60 variants"),
    ({"colours": "灰\n灰"}, "may be named once"),
    ({"colours": "色" * 41}, "40 characters"),
    ({"colours": "\n".join(f"色{n}" for n in range(21))}, "between 1 and 60 variants"),
    ({"tiers.0.price": ""}, "Please fill this in"),
    ({"tiers.0.price": "0"}, "must be positive"),
    ({"tiers.0.price": "-88"}, "an amount such as"),
    ({"tiers.0.price": "88.005"}, "2 decimals"),
    ({"tiers.0.from_quantity": "0"}, "at least 1"),
    ({"tiers.0.from_quantity": "1e3"}, "whole number"),
    ({"tiers.1.from_quantity": "20"}, "start at more pieces"),
    ({"tiers.1.price": "88.00"}, "must be cheaper"),
    ({"tiers.x.price": "1.00", "tiers.x.from_quantity": "9"}, "can&#39;t be accepted"),
    ({"tiers.7.price": "1.00", "tiers.7.from_quantity": "900"}, "less than 5"),
    ({"minimum": "0"}, "between 1 and 1,000,000"),
    ({"minimum": "NaN"}, "whole number"),
    ({"cap": "59"}, "not be below the minimum"),
    ({"per_buyer_limit": "0"}, "between 1 and 1,000,000"),
    ({"deadline": "2026-11-22T16:01"}, "5 minutes and 90 days"),
    ({"deadline": "2027-11-22T16:01"}, "5 minutes and 90 days"),
    ({"deadline": "soon"}, "a day and time"),
    ({"deposit": "5.00", "deposit_counts": "5.00"}, "Only a presale asks for a deposit"),
    ({"kind": "presale"}, "A presale needs a deposit"),
    ({"kind": "presale", "deposit": "10", "deposit_counts": "5"}, "count at least what it costs"),
    ({"kind": "presale", "deposit": "10", "deposit_counts": "80"}, "not count more than the lowest price"),
    ({"sketch": "1", "category": "general"}, "can&#39;t be drawn"),
    ({"sketch": "yes"}, "tick or leave"),
    ({"primary": "octarine"}, "one of the options"),
    ({"organisation_id": str(uuid7())}, "wasn&#39;t asked for"),
]
BAD_PICTURES: list[tuple[bytes, str]] = [
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Only PNG, JPEG and WebP"),
    (a_file()[:60], "damaged"),
]


def test_a_campaign_is_drafted_with_a_sketch_and_opened(
    database: Database, people: dict[str, Person], english: Client
) -> None:
    studio = english("merchandiser")
    answer = studio.post("/studio/campaigns/new", data=a_form(sketch="1", primary="grey"))
    made = the_campaign(database)
    assert (answer.status_code, answer.location) == (303, f"/studio/campaigns/{made.id}")
    assert (made.state, made.organisation_id) == (CampaignState.DRAFT, people["merchandiser"].organisation_id)
    with database.reading() as session:
        assert [(t.from_quantity, t.price_minor) for t in queries.ladder(session, made.id).tiers] == [
            (20, 88_00),
            (100, 79_00),
        ]
        variants = queries.variants(session, made.id)
        picture = session.get_one(Picture, made.picture_id)
    assert [(v.colour, v.size) for v in variants] == [(c, s) for c in ("灰 Grey", "黑 Black") for s in "SML"]
    assert (picture.kind, picture.published_at) == (PictureKind.SKETCH, None)
    assert studio.post(f"/studio/campaigns/{made.id}/open").status_code == 303
    assert the_campaign(database).state is CampaignState.OPEN
    assert english().get(f"/pictures/{picture.id}").status_code == 200
    assert studio.post(f"/studio/campaigns/{made.id}/open").status_code == 409
    assert studio.get(f"/studio/campaigns/{made.id}/edit").status_code == 409


def test_a_bad_campaign_is_answered_with_a_sentence(database: Database, english: Client) -> None:
    studio, before = english("merchandiser"), everything(database)
    for wrong, sentence in BAD_CAMPAIGNS:
        refuses(studio.post("/studio/campaigns/new", data=a_form(**wrong)), sentence, wrong)
    for content, sentence in BAD_PICTURES:
        sent = a_form(picture=(io.BytesIO(content), "a.png"))
        refuses(studio.post("/studio/campaigns/new", data=sent), sentence, content)
    assert everything(database) == before


def test_a_bad_change_leaves_the_draft_as_it_was(database: Database, english: Client) -> None:
    studio = english("merchandiser")
    studio.post("/studio/campaigns/new", data=a_form())
    address, before = f"/studio/campaigns/{the_campaign(database).id}/edit", everything(database)
    for wrong, sentence in BAD_CAMPAIGNS:
        refuses(studio.post(address, data=a_form(**wrong)), sentence, wrong)
    assert everything(database) == before


def test_a_draft_is_changed_and_keeps_its_picture(database: Database, english: Client) -> None:
    studio = english("merchandiser")
    picture = (io.BytesIO(a_file()), "hoodie.png")
    studio.post("/studio/campaigns/new", data=a_form(picture=picture))
    made = the_campaign(database)
    page = studio.get(f"/studio/campaigns/{made.id}/edit").get_data(as_text=True)
    assert 'value="88.00"' in page
    assert 'value="2026-12-06T20:00"' in page
    changed = a_form(title="新卫衣", kind="presale", deposit="10", deposit_counts="20", sizes="")
    assert studio.post(f"/studio/campaigns/{made.id}/edit", data=changed).status_code == 303
    found = the_campaign(database)
    assert (found.title, found.kind, found.deposit_minor) == ("新卫衣", CampaignKind.PRESALE, 10_00)
    assert found.picture_id == made.picture_id is not None
    with database.reading() as session:
        assert [(v.colour, v.size) for v in queries.variants(session, made.id)] == [("灰 Grey", ""), ("黑 Black", "")]


def test_a_draft_past_its_deadline_says_why_it_does_not_open(
    database: Database, clock: ManualClock, english: Client
) -> None:
    english("merchandiser").post("/studio/campaigns/new", data=a_form())
    clock.advance(timedelta(days=20))
    made = the_campaign(database)
    answer = english("merchandiser").post(f"/studio/campaigns/{made.id}/open")
    assert answer.status_code == 409
    assert "The deadline has passed" in answer.get_data(as_text=True)
    assert the_campaign(database).state is CampaignState.DRAFT


def test_calling_a_campaign_off_refunds_everybody(
    database: Database, provider: SandboxProvider, people: dict[str, Person], english: Client
) -> None:
    campaign_id = an_open_campaign(database, people)
    build_worker(database, provider).run_until_idle(NOON)
    studio = english("merchandiser")
    assert studio.post(f"/studio/campaigns/{campaign_id}/cancel").status_code == 303
    with database.reading() as session:
        [pledge] = session.exec(select(Pledge)).all()
    assert pledge.state is PledgeState.REFUNDED
    assert studio.post(f"/studio/campaigns/{campaign_id}/cancel").status_code == 409


def test_a_campaign_s_own_page_gives_its_figures_and_masks_its_buyers(
    database: Database, provider: SandboxProvider, people: dict[str, Person], english: Client
) -> None:
    campaign_id = an_open_campaign(database, people, pieces=7)
    build_worker(database, provider).run_until_idle(NOON)
    page = english("merchandiser").get(f"/studio/campaigns/{campaign_id}").get_data(as_text=True)
    assert "¥700.00" in page
    assert "T**" in page
    assert "The buyer house" not in page


def test_another_house_s_campaign_is_not_found(database: Database, people: dict[str, Person], english: Client) -> None:
    campaign_id = an_open_campaign(database, people)
    stranger, before = english("merchandiser2"), everything(database)
    for path in ("", "/edit"):
        assert stranger.get(f"/studio/campaigns/{campaign_id}{path}").status_code == 404
    for path in ("/edit", "/open", "/cancel"):
        assert stranger.post(f"/studio/campaigns/{campaign_id}{path}", data=a_form()).status_code == 404
    assert everything(database) == before


def test_the_board_begins_empty_and_filters_in_the_address(
    database: Database, people: dict[str, Person], english: Client
) -> None:
    assert "Draft the first campaign" in english("merchandiser2").get("/studio/campaigns").get_data(as_text=True)
    an_open_campaign(database, people, title="甲壶", title_en="Kettle A")
    an_open_campaign(database, people, title="乙杯", title_en="Cup B", kind=CampaignKind.SAMPLE)
    studio = english("merchandiser")

    def shown(query: str) -> list[str]:
        page = studio.get(f"/studio/campaigns?{query}").get_data(as_text=True)
        return sorted((name for name in ("Kettle A", "Cup B") if name in page), key=page.index)

    assert shown("") == ["Cup B", "Kettle A"]
    assert shown("sort=created") == ["Kettle A", "Cup B"]
    assert shown("kind=sample") == ["Cup B"]
    assert shown("view=ended") == []
    assert shown("view=open") == ["Cup B", "Kettle A"]
    assert shown("q=kettle") == ["Kettle A"]
    assert shown("q=%25") == []
    assert studio.get("/studio/campaigns?view=lost").status_code == 422
    assert studio.get("/studio/campaigns?sort=password").status_code == 422
    assert studio.get("/studio/campaigns?page=9").status_code == 404


def test_a_table_taken_away_holds_no_formulas(database: Database, people: dict[str, Person], english: Client) -> None:
    an_open_campaign(database, people, title='=HYPERLINK("http://evil")')
    an_open_campaign(database, people, owner="merchandiser2")
    answer = english("merchandiser").get("/studio/campaigns.csv")
    assert (answer.mimetype, answer.headers["Content-Disposition"]) == (
        "text/csv",
        "attachment; filename=campaigns.csv",
    )
    [head, row] = csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    assert head[:2] == ["Number", "Product"]
    assert row[1] == '\'=HYPERLINK("http://evil")'
    assert row[4:11] == ["5", "1", "yes", "0", "0", "0", "100.00"]


def test_from_concept_to_open_campaign(
    database: Database, provider: SandboxProvider, people: dict[str, Person], english: Client
) -> None:
    studio, shop, worker = english("merchandiser"), english("buyer"), build_worker(database, provider)
    drafted = {"title": "云灯", "category": "lamp", "price": "129", "target_quantity": "5", "deposit": "10"}
    made = studio.post("/studio/concepts/new", data=drafted | {"ends_at": "2026-12-06T20:00"})
    base = made.location.partition("#")[0]
    assert studio.post(f"{base}/sketches", data={"primary": "white", "count": "1"}).status_code == 303
    assert studio.post(f"{base}/publish").status_code == 303
    concept, variant_id = the_concept(database)
    wanted = {"variant_id": str(variant_id), "quantity": "5", "price": "120", "idempotency_key": "my own key"}
    assert shop.post(f"/concepts/{concept.id}/want", data=wanted).status_code == 303
    worker.run_until_idle(NOON)
    page = studio.get(f"{base}/promote").get_data(as_text=True)
    assert 'value="129.00"' in page
    assert "5 / 5" in page
    assert studio.post(f"{base}/promote", data=a_promotion(database)).status_code == 303
    worker.run_until_idle(NOON)
    campaign = the_campaign(database)
    assert (campaign.state, campaign.concept_id, campaign.category) == (CampaignState.OPEN, concept.id, "lamp")
    with database.reading() as session:
        assert session.exec(select(Want.state)).all() == [WantState.REFUNDED]
    assert shop.get(f"/concepts/{concept.id}/campaign").location == f"/campaigns/{campaign.id}"
    assert studio.get(f"{base}/promote").status_code == 409
    assert studio.post(f"{base}/promote", data=a_promotion(database)).status_code == 409


def test_a_bad_promotion_changes_nothing(database: Database, people: dict[str, Person], english: Client) -> None:
    with database.transaction() as session:
        concept, [first, _] = a_concept(session, organisation_id=people["merchandiser"].organisation_id)
        a_want(session, first, people["buyer"].organisation_id)
    studio, before = english("merchandiser"), everything(database)
    for wrong, sentence in [
        ({"kind": "sample"}, "a presale or a group-buy"),
        ({"picture_id": str(uuid7())}, "one of the pictures"),
        ({"picture_id": "x"}, "one of the options"),
        ({"minimum": "0"}, "between 1 and 1,000,000"),
        ({"colours": ""}, "Please fill this in"),
        ({"tiers.0.price": ""}, "Please fill this in"),
        ({"deadline": "2026-11-22T16:00"}, "5 minutes and 90 days"),
        ({"category": "mug"}, "wasn&#39;t asked for"),
    ]:
        answer = studio.post(f"/studio/concepts/{concept.id}/promote", data=a_promotion(database) | wrong)
        refuses(answer, sentence, wrong)
    assert everything(database) == before


def test_a_draft_concept_is_not_promoted(database: Database, people: dict[str, Person], english: Client) -> None:
    with database.transaction() as session:
        owner = people["merchandiser"].organisation_id
        concept, _ = a_concept(session, organisation_id=owner, shown=0, published=False)
    assert english("merchandiser").get(f"/studio/concepts/{concept.id}/promote").status_code == 409


def test_a_sheet_is_read_on_the_page(sheet: DemandSheet, english: Client) -> None:
    studio = english("merchandiser")
    assert sheet.number in studio.get("/studio/sheets").get_data(as_text=True)
    page = studio.get(f"/sheets/{sheet.id}").get_data(as_text=True)
    for figure in ("Being matched", "55.0%", "杭州", "75.0%", "Black", "White"):
        assert figure in page
    assert "A buyer house" not in page
    assert "No demand sheet yet" in english("merchandiser2").get("/studio/sheets").get_data(as_text=True)


def test_a_figure_leads_to_the_pledges_it_is_made_of(sheet: DemandSheet, english: Client) -> None:
    studio = english("merchandiser")
    figures = {
        "colour=白 White&size=M": ("White · M", 1),
        "colour=黑 Black": ("Black", 3),
        "region=杭州": ("杭州", 2),
        "region=-": ("not given", 0),
    }
    for which, (words, lines) in figures.items():
        page = studio.get(f"/sheets/{sheet.id}?{which}").get_data(as_text=True)
        assert f'aria-label="Remove filter: {words}"' in page, which
        assert page.count("A**") == lines, which
    assert studio.get(f"/sheets/{sheet.id}?colour={'x' * 41}").status_code == 422
    assert studio.get(f"/sheets/{sheet.id}?version=2").status_code == 404
    assert studio.get(f"/sheets/{sheet.id}?version=0").status_code == 422


def test_a_sheet_is_taken_away_as_a_table(sheet: DemandSheet, english: Client) -> None:
    answer = english("merchandiser").get(f"/sheets/{sheet.id}.csv")
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[0][3:8] == ["Colour", "Size", "Region", "Pieces", "Share of the size, %"]
    by_variant: dict[tuple[str, str], int] = {}
    for row in rows[1:]:
        by_variant[row[3], row[4]] = by_variant.get((row[3], row[4]), 0) + int(row[6])
    assert by_variant == {("黑 Black", "M"): 10, ("黑 Black", "L"): 5, ("白 White", "M"): 5}
    assert {(row[4], row[7]) for row in rows[1:]} == {("M", "75.0"), ("L", "25.0")}


def test_the_pledge_lines_of_a_figure_are_taken_away_as_a_table(sheet: DemandSheet, english: Client) -> None:
    studio = english("merchandiser")
    for figure in ("", "?size=M", "?size=L&colour=黑 Black"):
        answer = studio.get(f"/sheets/{sheet.id}/pledges.csv{figure}")
        rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
        document = studio.get(f"/sheets/{sheet.id}/pledges.json{figure}").get_json()
        assert [(row[0], int(row[4])) for row in rows[1:]] == [
            (line["pledge_id"], line["quantity"]) for line in document["lines"]
        ]
        assert len(rows) > 1


def test_no_cell_of_a_table_is_a_formula(database: Database, sheet: DemandSheet, english: Client) -> None:
    with database.transaction() as session:
        session.add(session.get_one(DemandSheet, sheet.id).sqlmodel_update({"title": "=1+1"}))
        for variant in session.exec(select(Variant)).all():
            session.add(variant.sqlmodel_update({"colour": "@SUM(A1)" + variant.colour}))
    answer = english("merchandiser").get(f"/sheets/{sheet.id}.csv")
    for row in csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row), row


def test_a_sheet_is_read_by_programs(sheet: DemandSheet, english: Client) -> None:
    studio = english("merchandiser")
    document = studio.get(f"/sheets/{sheet.id}.json").get_json()
    schema = english().get("/schemas/demand-sheet.json").get_json()
    assert set(document) == set(schema["required"]) == set(schema["properties"])
    assert document["schema_version"] == schema["properties"]["schema_version"]["const"] == "1.1"
    assert (document["number"], document["quantity"], document["state"]) == (sheet.number, 20, "matching")
    assert [line["quantity"] for line in document["lines"]] == [10, 5, 5]
    assert document["sizes"] == [
        {"size": "M", "quantity": 15, "share": 0.75},
        {"size": "L", "quantity": 5, "share": 0.25},
    ]
    assert document["regions"] == [
        {"region": "杭州", "quantity": 11, "sizes": {"M": 6, "L": 5}},
        {"region": "广州", "quantity": 9, "sizes": {"M": 9, "L": 0}},
    ]
    assert [v["version"] for v in document["versions"]] == [1]


def test_the_pledges_behind_a_figure_are_read_by_programs(sheet: DemandSheet, english: Client) -> None:
    document = english("merchandiser").get(f"/sheets/{sheet.id}/pledges.json?size=M").get_json()
    assert (document["total"], document["page"], document["pages"], document["next"]) == (3, 1, 1, None)
    assert sorted(line["quantity"] for line in document["lines"]) == [4, 5, 6]
    assert {line["region"] for line in document["lines"]} == {"杭州", "广州"}


def test_a_sheet_is_its_merchandiser_s_and_the_operator_s(sheet: DemandSheet, english: Client) -> None:
    expected = {"merchandiser": 200, "operator": 200, "merchandiser2": 404, "buyer": 403, "factory": 403}
    for name, status in expected.items():
        for ending in ("", ".csv", ".json", "/pledges.json", "/pledges.csv"):
            assert english(name).get(f"/sheets/{sheet.id}{ending}").status_code == status, (name, ending)
    refused = english().get(f"/sheets/{sheet.id}.json")
    assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
    assert english("merchandiser").get(f"/sheets/{uuid7()}").status_code == 404


def refuses(answer: TestResponse, sentence: str, what: object) -> None:
    """The page comes back with status 422 and says what is wrong."""
    assert answer.status_code == 422, what
    assert sentence in answer.get_data(as_text=True), what


def an_open_campaign(
    database: Database,
    people: dict[str, Person],
    *,
    pieces: int = 5,
    owner: str = "merchandiser",
    **fields: Any,
) -> UUID:
    """A campaign at ¥100 of the merchandiser's that `buyer` has joined, the payment on its way."""
    with database.transaction() as session:
        campaign, [variant] = a_campaign(
            session,
            organisation_id=people[owner].organisation_id,
            category="tshirt",
            created_at=NOON - timedelta(days=1),
            opened_at=NOON - timedelta(days=1),
            deadline=NOON + timedelta(days=7),
            **fields,
        )
        buyer = people["buyer"].organisation_id
        request = PledgeRequest(campaign.id, buyer, ((variant.id, pieces),), f"join {campaign.id}")
        joining.place_pledge(session, request, now=NOON)
        return campaign.id


def a_promotion(database: Database) -> dict[str, Any]:
    """The promotion form of the only concept, as it is sent."""
    with database.reading() as session:
        picture_id = session.exec(select(Picture.id).order_by(col(Picture.id))).first()
    terms = {name: value for name, value in a_form(minimum="5").items() if name != "category"}
    return terms | {"picture_id": str(picture_id)}


def the_campaign(database: Database) -> Campaign:
    with database.reading() as session:
        return session.exec(select(Campaign)).one()


def the_concept(database: Database) -> tuple[Concept, UUID]:
    with database.reading() as session:
        concept = session.exec(select(Concept)).one()
        assert concept.state is ConceptState.PUBLISHED
        return concept, session.exec(select(ConceptVariant.id)).one()
