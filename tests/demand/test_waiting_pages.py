"""The pages of waiting lists, balances and samples: what is sent is judged, what is shown is the reader's own."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from c2m.app import build_worker
from c2m.clock import ManualClock
from c2m.db import Database, table_of, uuid7
from c2m.demand.campaigns import CampaignDraft, create_campaign, open_campaign
from c2m.demand.fulfilment import record_deliveries
from c2m.demand.joining import place_pledge
from c2m.demand.models import (
    Campaign,
    CampaignKind,
    DemandSheet,
    Evaluation,
    Pledge,
    PledgeState,
    Variant,
    Waiting,
    WaitingState,
)
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.pledges import cancel_pledge
from c2m.demand.policies import standard_policy
from c2m.demand.rules import Tier
from c2m.ledger.models import Transfer
from c2m.ledger.provider import SandboxProvider
from tests.conftest import Person, Visitor

Client = Callable[..., Visitor]


class Shop:
    """The merchandiser's campaigns and what buyers do there without a browser."""

    def __init__(self, database: Database, people: dict[str, Person], clock: ManualClock) -> None:
        self.database, self.people, self.clock = database, people, clock
        self.worker = build_worker(database, SandboxProvider())

    def campaign(self, kind: CampaignKind = CampaignKind.GROUP_BUY, **terms: Any) -> UUID:
        if kind is CampaignKind.PRESALE:
            terms = {"deposit_minor": 5_00, "deposit_counts_minor": 10_00} | terms
        said = {"minimum": 1, "cap": 10, "deadline": self.clock.now() + timedelta(days=7), "title": "灰色卫衣"} | terms
        draft = CampaignDraft(
            organisation_id=self.people["merchandiser"].organisation_id,
            kind=kind,
            category="hoodie",
            currency="CNY",
            variants=(("灰 Grey", "M"),),
            tiers=(Tier(1, 40_00), Tier(100, 30_00)),
            title_en="Grey hoodie",
            **said,
        )
        with self.database.transaction() as session:
            policy = standard_policy(session, now=self.clock.now())
            found = create_campaign(session, draft, policy=policy, now=self.clock.now())
            open_campaign(session, found, now=self.clock.now())
        return found

    def variant(self, campaign: UUID) -> UUID:
        with self.database.reading() as session:
            return session.exec(select(Variant.id).where(Variant.campaign_id == campaign)).one()

    def join(self, campaign: UUID, name: str, pieces: int) -> UUID:
        lines = ((self.variant(campaign), pieces),)
        request = PledgeRequest(campaign, self.people[name].organisation_id, lines, str(uuid7()))
        with self.database.transaction() as session:
            pledge = place_pledge(session, request, now=self.clock.now())
        self.work()
        return pledge

    def leave(self, pledge: UUID) -> None:
        with self.database.transaction() as session:
            cancel_pledge(session, session.get_one(Pledge, pledge), now=self.clock.now())
        self.work()

    def deliver(self, pledge: UUID, pieces: int) -> None:
        """A sample is handed over, without the factory between."""
        sheet = table_of(DemandSheet)
        with self.database.transaction() as session:
            session.execute(sa.update(sheet).values(served_at=self.clock.now()))
            record_deliveries(session, {pledge: pieces}, now=self.clock.now())
        self.work()

    def work(self, later: timedelta = timedelta()) -> None:
        self.clock.advance(later)
        self.worker.run_until_idle(self.clock.now())

    def rows(self, model: Any) -> list[Any]:
        with self.database.reading() as session:
            return list(session.exec(select(model)).all())


@pytest.fixture
def shop(database: Database, people: dict[str, Person], clock: ManualClock) -> Shop:
    return Shop(database, people, clock)


@pytest.fixture
def buyer(client: Client) -> Visitor:
    return english(client("buyer"))


def english(visitor: Visitor) -> Visitor:
    visitor.set_cookie("locale", "en")
    return visitor


def form(shop: Shop, campaign: UUID, pieces: object, **fields: Any) -> dict[str, Any]:
    return {f"pieces.{shop.variant(campaign)}": str(pieces), "idempotency_key": str(uuid7())} | fields


def test_a_sold_out_campaign_offers_its_waiting_list_and_shows_ones_place(shop: Shop, buyer: Visitor) -> None:
    campaign = shop.campaign()
    held = shop.join(campaign, "buyer2", 10)
    page = buyer.get(f"/campaigns/{campaign}").get_data(as_text=True)
    assert "Every piece is taken at the moment." in page
    assert "Continue to checkout" not in page
    answer = buyer.post(f"/campaigns/{campaign}/wait", data=form(shop, campaign, 4))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/campaigns/{campaign}")
    page = buyer.get(f"/campaigns/{campaign}").get_data(as_text=True)
    assert "Waiting for 4 pieces" in page
    assert "nobody before you" in page
    assert "Grey hoodie" in buyer.get("/orders").get_data(as_text=True)
    assert "waiting for 4 pieces" in buyer.get("/orders").get_data(as_text=True)
    shop.leave(held)
    assert [p.state for p in shop.rows(Pledge) if p.quantity == 4] == [PledgeState.PAID]
    assert "You have moved up" in buyer.get("/messages").get_data(as_text=True)
    assert "waiting for" not in buyer.get("/orders").get_data(as_text=True)


def test_the_merchandiser_sees_who_waits_masked(shop: Shop, buyer: Visitor, client: Client) -> None:
    campaign = shop.campaign()
    shop.join(campaign, "buyer2", 10)
    buyer.post(f"/campaigns/{campaign}/wait", data=form(shop, campaign, 4))
    page = english(client("merchandiser")).get(f"/studio/campaigns/{campaign}").get_data(as_text=True)
    assert "One buyer waits for 4 pieces." in page
    assert "T**" in page
    assert "The buyer house" not in page


def test_the_ceiling_of_the_form_goes_along_into_the_queue(shop: Shop, buyer: Visitor) -> None:
    campaign = shop.campaign()
    held = shop.join(campaign, "buyer2", 10)
    page = buyer.get(f"/campaigns/{campaign}").get_data(as_text=True)
    assert f"flexible.{shop.variant(campaign)}" not in page
    assert "Sold out" in page
    sent = form(shop, campaign, 4, ceiling="35.00")
    assert buyer.post(f"/campaigns/{campaign}/wait", data=sent).status_code == 303
    assert "Your ceiling: ¥35.00" in buyer.get(f"/campaigns/{campaign}").get_data(as_text=True)
    shop.leave(held)
    [moved] = [p for p in shop.rows(Pledge) if p.quantity == 4]
    assert (moved.charged_minor, moved.ceiling_minor) == (140_00, 35_00)


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"ceiling": "1.00"}, "A ceiling lies at the lowest price"),
        ({"fallback_colour": "pink"}, "no such colour"),
        ({"team": "nosuchteam"}, "no such team"),
    ],
)
@pytest.mark.parametrize("way", ["wait", "checkout"])
def test_what_a_campaign_does_not_have_is_said_on_its_page(
    shop: Shop, buyer: Visitor, terms: dict[str, str], sentence: str, way: str
) -> None:
    campaign = shop.campaign()
    if way == "wait":
        shop.join(campaign, "buyer2", 10)
    answer = buyer.post(f"/campaigns/{campaign}/{way}", data=form(shop, campaign, 4, **terms))
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert shop.rows(Waiting) == []


def test_a_place_can_be_left(shop: Shop, buyer: Visitor, client: Client) -> None:
    campaign = shop.campaign()
    shop.join(campaign, "buyer2", 10)
    buyer.post(f"/campaigns/{campaign}/wait", data=form(shop, campaign, 4, takes_part="1"))
    [place] = shop.rows(Waiting)
    assert place.takes_part
    assert client("buyer2").post(f"/waiting/{place.id}/leave").status_code == 404
    assert buyer.post(f"/waiting/{place.id}/leave").status_code == 303
    assert [p.state for p in shop.rows(Waiting)] == [WaitingState.LEFT]
    assert buyer.post(f"/waiting/{place.id}/leave").status_code == 409


def test_what_has_just_become_free_is_taken_at_once(shop: Shop, buyer: Visitor) -> None:
    campaign = shop.campaign()
    shop.join(campaign, "buyer2", 6)
    answer = buyer.post(f"/campaigns/{campaign}/wait", data=form(shop, campaign, 4))
    assert answer.headers["Location"] == "/orders"
    assert [p.state for p in shop.rows(Waiting)] == [WaitingState.FILLED]


def test_more_than_is_left_is_refused_at_the_checkout_with_the_list_beside_it(shop: Shop, buyer: Visitor) -> None:
    campaign = shop.campaign()
    shop.join(campaign, "buyer2", 7)
    answer = buyer.post(f"/campaigns/{campaign}/checkout", data=form(shop, campaign, 4))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Only 3 pieces are left." in page
    assert "Need more than the 3 pieces that are left?" in page


@pytest.mark.parametrize(
    ("pieces", "fields", "sentence"),
    [
        ("0", {}, "Choose at least one piece"),
        ("-1", {}, "at least 0"),
        ("11", {}, "The whole campaign has 10 pieces"),
        ("NaN", {}, "whole number"),
        ("1e2", {}, "whole number"),
        ("9" * 30, {}, "One thing needs mending"),
        ("1", {"takes_part": "maybe"}, "tick or leave"),
        ("1", {"price": "1"}, "asked for"),
        ("1", {"idempotency_key": "x"}, "at least 8"),
    ],
)
def test_bad_input_gets_a_sentence_and_changes_nothing(
    shop: Shop, buyer: Visitor, pieces: str, fields: dict[str, str], sentence: str
) -> None:
    campaign = shop.campaign()
    shop.join(campaign, "buyer2", 10)
    answer = buyer.post(f"/campaigns/{campaign}/wait", data=form(shop, campaign, pieces, **fields))
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert shop.rows(Waiting) == []


def test_strangers_campaigns_and_other_roles_do_not_wait(shop: Shop, buyer: Visitor, client: Client) -> None:
    campaign = shop.campaign()
    shop.join(campaign, "buyer2", 10)
    sent = form(shop, campaign, 1)
    assert buyer.post(f"/campaigns/{uuid7()}/wait", data=sent).status_code == 404
    assert client("merchandiser").post(f"/campaigns/{campaign}/wait", data=sent).status_code == 403
    assert client().post(f"/campaigns/{campaign}/wait", data=sent).status_code == 401
    assert shop.rows(Waiting) == []


@pytest.mark.parametrize("amount", ["10.00", "119.99", "120.01", "0"])
def test_a_partial_balance_is_refused_with_a_sentence_of_its_own(shop: Shop, buyer: Visitor, amount: str) -> None:
    pledge = a_balance_due(shop)
    answer = buyer.post(f"/orders/{pledge}/balance", data={"amount": amount})
    assert answer.status_code == 422
    assert "A balance is paid whole" in answer.get_data(as_text=True)
    assert balances(shop) == []
    assert 'name="amount" value="120.00"' in buyer.get(f"/orders/{pledge}").get_data(as_text=True)
    assert buyer.post(f"/orders/{pledge}/balance", data={"amount": "120.00"}).status_code == 303
    assert [transfer.amount_minor for transfer in balances(shop)] == [120_00]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"amount_minor": 11999}', "PartialBalance"),
        ('{"amount_minor": true}', "Invalid"),
        ('{"amount_minor": 120.5}', "Invalid"),
        ('{"amount_minor": NaN}', "Invalid"),
        ('{"amount_minor": "12000"}', "Invalid"),
        ('{"amount_minor": 12000, "tip": 1}', "Invalid"),
        ("{", "Invalid"),
        ("[]", "Invalid"),
    ],
)
def test_a_program_that_offers_another_amount_is_told_so(shop: Shop, buyer: Visitor, body: str, code: str) -> None:
    pledge = a_balance_due(shop)
    answer = buyer.post(f"/orders/{pledge}/balance", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["type"] == f"urn:c2m:problem:{code}"
    assert balances(shop) == []
    whole = buyer.post(f"/orders/{pledge}/balance", json={"amount_minor": 120_00})
    assert whole.status_code == 303
    assert len(balances(shop)) == 1


@pytest.mark.parametrize(
    "sent", [{"data": {"amount": ""}}, {"data": {"amount": "  "}}, {"json": {"amount_minor": None}}]
)
def test_a_balance_without_an_amount_is_refused_where_one_is_asked_for(
    shop: Shop, buyer: Visitor, sent: dict[str, Any]
) -> None:
    pledge = a_balance_due(shop)
    assert buyer.post(f"/orders/{pledge}/balance", **sent).status_code == 422
    assert balances(shop) == []


def a_balance_due(shop: Shop) -> UUID:
    """¥120.00 still to be paid by the buyer."""
    pledge = shop.join(shop.campaign(CampaignKind.PRESALE), "buyer", 4)
    shop.work(timedelta(days=7))
    return pledge


def balances(shop: Shop) -> list[Transfer]:
    return [transfer for transfer in shop.rows(Transfer) if transfer.purpose == "demand.balance"]


def test_a_sample_is_evaluated_and_read_on_both_pages(shop: Shop, buyer: Visitor, client: Client) -> None:
    sample, pledge = a_delivered_sample(shop)
    bulk = shop.campaign(sample_campaign_id=sample, cap=500)
    page = buyer.get(f"/orders/{pledge}").get_data(as_text=True)
    assert "How is the sample?" in page
    said = {"quality": "5", "fit": "3", "would_order": "1", "words": "<b>Firm</b> cloth"}
    assert buyer.post(f"/orders/{pledge}/evaluation", data=said).status_code == 303
    for campaign in (sample, bulk):
        page = english(client()).get(f"/campaigns/{campaign}").get_data(as_text=True)
        assert "&lt;b&gt;Firm&lt;/b&gt; cloth" in page
        assert "quality 5, fit 3 · would order" in page
    assert buyer.post(f"/orders/{pledge}/evaluation", data=said).status_code == 409
    assert len(shop.rows(Evaluation)) == 1


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"quality": "6", "fit": "3"},
        {"quality": "0", "fit": "3"},
        {"quality": "3", "fit": "x"},
        {"quality": "3", "fit": "3", "words": "长" * 1001},
        {"quality": "3", "fit": "3", "stars": "5"},
    ],
)
def test_an_evaluation_that_is_none_is_refused(shop: Shop, buyer: Visitor, said: dict[str, str]) -> None:
    _, pledge = a_delivered_sample(shop)
    answer = buyer.post(f"/orders/{pledge}/evaluation", data=said)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "nothing was changed" in page
    assert said.get("words", "") in page
    assert "Please" in page or "stars" in said
    assert shop.rows(Evaluation) == []


def test_nobody_evaluates_somebody_elses_sample_or_an_ordinary_order(
    shop: Shop, buyer: Visitor, client: Client
) -> None:
    _, pledge = a_delivered_sample(shop)
    said = {"quality": "5", "fit": "3"}
    assert client("buyer2").post(f"/orders/{pledge}/evaluation", data=said).status_code == 404
    ordinary = shop.join(shop.campaign(), "buyer", 1)
    assert buyer.post(f"/orders/{ordinary}/evaluation", data=said).status_code == 409
    assert shop.rows(Evaluation) == []


def test_a_samples_price_is_shown_and_taken_off_at_the_checkout(shop: Shop, buyer: Visitor, client: Client) -> None:
    sample, _ = a_delivered_sample(shop)
    bulk = shop.campaign(sample_campaign_id=sample, cap=500)
    sent = form(shop, bulk, 50)
    page = buyer.post(f"/campaigns/{bulk}/checkout", data=sent, follow_redirects=True).get_data(as_text=True)
    assert "takes ¥40.00 off what you pay now" in page
    assert "Join with 50 pieces, pay ¥1,960.00" in page
    other = english(client("buyer2")).post(f"/campaigns/{bulk}/checkout", data=sent, follow_redirects=True)
    assert "Join with 50 pieces, pay ¥2,000.00" in other.get_data(as_text=True)


def a_delivered_sample(shop: Shop) -> tuple[UUID, UUID]:
    """A sample order of ¥40.00 and the buyer's pledge in it, delivered."""
    sample = shop.campaign(CampaignKind.SAMPLE)
    pledge = shop.join(sample, "buyer", 1)
    shop.work(timedelta(days=7))
    shop.deliver(pledge, 1)
    return sample, pledge


def test_the_draft_names_the_sample_order_it_was_tried_with(
    shop: Shop, client: Client, people: dict[str, Person]
) -> None:
    sample = shop.campaign(CampaignKind.SAMPLE)
    said = {
        "kind": "group_buy",
        "title": "灰色卫衣",
        "category": "hoodie",
        "colours": "灰",
        "tiers.0.from_quantity": "1",
        "tiers.0.price": "40.00",
        "minimum": "5",
        "deadline": "2026-12-06T20:00",
        "sample_campaign_id": str(sample),
    }
    house = english(client("merchandiser"))
    assert str(sample) in house.get("/studio/campaigns/new").get_data(as_text=True)
    stranger = english(client("merchandiser2"))
    refused = stranger.post("/studio/campaigns/new", data=said)
    assert refused.status_code == 422
    assert "one of your own sample orders" in refused.get_data(as_text=True)
    assert house.post("/studio/campaigns/new", data=said).status_code == 303
    with shop.database.reading() as session:
        drafts = session.exec(select(Campaign).where(col(Campaign.sample_campaign_id) == sample)).all()
    assert [draft.organisation_id for draft in drafts] == [people["merchandiser"].organisation_id]
