"""The pages of further choices: what joining costs with them, what was agreed to, what became of it."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from c2m.app import build_worker
from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand import queries
from c2m.demand.closing import close_campaigns
from c2m.demand.models import Campaign, CampaignKind, Consent, Pledge, PledgeState
from c2m.ledger.provider import SandboxProvider
from tests.builders import a_campaign
from tests.conftest import NOON, Person, Visitor
from tests.demand.test_studio_pages import a_form

Client = Callable[..., Visitor]
TIERS = {1: 40_00, 50: 34_00, 200: 29_00}
COLOURS = (("黑 Black", "M"), ("白 White", "M"))

TOO_MANY = [
    ({"cap": 60}, 51, "Only 50 pieces are left"),
    ({"per_buyer_limit": 25}, 16, "One buyer may take 25 pieces; you already have 10"),
]


@pytest.fixture
def buyer(client: Client) -> Visitor:
    """A buyer who reads English."""
    browser = client("buyer")
    browser.set_cookie("locale", "en")
    return browser


def opened(database: Database, people: dict[str, Person], **fields: Any) -> tuple[UUID, list[UUID]]:
    """A campaign open for a week that offers everything, and its variants."""
    terms = {"pack_pieces": 12, "colour_minimum": 20, "extension_days": 5, "next_round_days": 10, "minimum": 50}
    with database.transaction() as session:
        campaign, variants = a_campaign(
            session,
            organisation_id=people["merchandiser"].organisation_id,
            tiers=TIERS,
            variants=COLOURS,
            category="tshirt",
            created_at=NOON - timedelta(days=1),
            opened_at=NOON - timedelta(days=1),
            deadline=NOON + timedelta(days=7),
            promised_date=NOON + timedelta(days=35),
            **terms | fields,
        )
        return campaign.id, [variant.id for variant in variants]


def choice(variants: list[UUID], pieces: int, **more: str) -> dict[str, str]:
    return {f"pieces.{variants[0]}": str(pieces), "idempotency_key": "a-key-of-its-own"} | more


def text_of(answer: Any) -> str:
    """What a page says, without its tags."""
    words = re.sub(r"</?(span|b|time)[^>]*>", "", answer.get_data(as_text=True))
    return " ".join(unescape(words).split())


def test_a_campaign_says_its_terms_in_plain_words(
    buyer: Visitor, database: Database, people: dict[str, Person]
) -> None:
    campaign, _ = opened(database, people)
    text = text_of(buyer.get(f"/campaigns/{campaign}"))
    for words in ("packed by 12 pieces", "made from 20 pieces on", "extended once by 5 days", "anew for 10 days"):
        assert words in text


def test_a_plain_campaign_offers_no_colour_and_no_next_round(
    buyer: Visitor, database: Database, people: dict[str, Person]
) -> None:
    plain = {"pack_pieces": 1, "colour_minimum": 0, "extension_days": 0, "next_round_days": 0}
    campaign, _ = opened(database, people, **plain)
    text = text_of(buyer.get(f"/campaigns/{campaign}"))
    assert 'name="ceiling"' in text
    for name in ("fallback_colour", "joins_next_round", "packed by", "extended once"):
        assert name not in text


def test_the_figures_tell_what_extra_pieces_may_cost_and_what_comes_back(
    buyer: Visitor, database: Database, people: dict[str, Person]
) -> None:
    campaign, variants = opened(database, people)
    data = choice(variants, 40) | {f"flexible.{variants[0]}": "10"}
    text = text_of(buyer.post(f"/campaigns/{campaign}/quote", data=data))
    assert "¥2,000.00" in text  # 50 × ¥40 now, and at most
    assert "¥1,600.00–¥2,000.00" in text  # if it ends on ¥40
    assert "¥1,360.00–¥1,700.00" in text  # if it ends on ¥34
    assert "10 extra pieces are paid for now" in text


def test_a_ceiling_is_what_is_paid_and_above_it_everything_comes_back(
    buyer: Visitor, database: Database, people: dict[str, Person]
) -> None:
    campaign, variants = opened(database, people)
    data = choice(variants, 30, ceiling="34.00")
    text = text_of(buyer.post(f"/campaigns/{campaign}/quote", data=data))
    assert "You pay the ceiling" in text
    assert "¥1,020.00" in text
    assert "without you" in text
    dearer = text_of(buyer.post(f"/campaigns/{campaign}/quote", data=data | {"accepts_dearer": "1"}))
    assert "You pay the present price" in dearer
    assert "¥1,200.00" in dearer
    assert "without you" not in dearer


def test_a_presales_figures_count_deposits_of_extra_pieces(
    buyer: Visitor, database: Database, people: dict[str, Person]
) -> None:
    fields = {"kind": CampaignKind.PRESALE, "deposit_minor": 5_00, "deposit_counts_minor": 10_00}
    campaign, variants = opened(database, people, **fields)
    data = choice(variants, 40) | {f"flexible.{variants[0]}": "10"}
    text = text_of(buyer.post(f"/campaigns/{campaign}/quote", data=data))
    assert "¥250.00" in text  # 50 deposits now
    assert "¥1,750.00" in text  # at most: 50 × (¥40 − ¥10 + ¥5)
    assert "¥1,200.00–¥1,500.00" in text  # the balance at ¥40


def test_what_is_agreed_to_is_shown_before_paying_and_kept(
    buyer: Visitor, database: Database, people: dict[str, Person]
) -> None:
    campaign, variants = opened(database, people)
    agreed = {"ceiling": "30.00", "accepts_dearer": "1", "fallback_colour": COLOURS[1][0], "joins_next_round": "1"}
    data = choice(variants, 40, **agreed) | {f"flexible.{variants[0]}": "10"}
    text = text_of(buyer.post(f"/campaigns/{campaign}/checkout", data=data, follow_redirects=True))
    for words in (
        "stay at the price reached, never above today’s",
        "you get yours in White instead",
        "may run 5 days longer, once",
        "go on to the next round",
        "complete no tier or pack come back",
    ):
        assert words in text
    assert buyer.post(f"/campaigns/{campaign}/join", data=data).status_code == 303
    pledge = the_pledge(database)
    assert (pledge.quantity, pledge.flexible_quantity, pledge.charged_minor) == (40, 10, 50 * 40_00)
    assert (pledge.ceiling_minor, pledge.accepts_dearer) == (30_00, True)
    assert (pledge.fallback_colour, pledge.joins_next_round) == (COLOURS[1][0], True)
    order = text_of(buyer.get(f"/orders/{pledge.id}"))
    for words in ("Your ceiling", "you stay at the price reached", "in White instead", "on to the next round"):
        assert words in order


BAD: list[tuple[dict[str, str], str]] = [
    ({"ceiling": "28.99"}, "lowest price of the ladder"),
    ({"ceiling": "-1"}, "an amount such as"),
    ({"ceiling": "NaN"}, "an amount such as"),
    ({"ceiling": "1" + "0" * 30}, "too large"),
    ({"accepts_dearer": "maybe"}, "tick or leave"),
    ({"joins_next_round": "yes"}, "tick or leave"),
    ({"fallback_colour": "x" * 41}, "at most 40"),
    ({"merchant_funded": "1"}, "wasn't asked for"),
    ({"credit_minor": "100"}, "wasn't asked for"),
    ({"flexible.OTHER": "3"}, "ordered pieces of the same variant"),
    ({"flexible.FIRST": "-3"}, "at least 0"),
    ({"flexible.FIRST": "1.5"}, "whole number"),
    ({"flexible.nothing": "3"}, "one of the options"),
]


def test_the_checkout_has_an_address_of_its_own_that_keeps_the_choice(
    buyer: Visitor, database: Database, people: dict[str, Person]
) -> None:
    campaign, variants = opened(database, people)
    answer = buyer.post(f"/campaigns/{campaign}/checkout", data=choice(variants, 40, ceiling="30.00"))
    assert answer.status_code == 303
    assert "csrf_token" not in answer.location
    page = buyer.get(answer.location).get_data(as_text=True)
    back = unescape(re.findall(r'href="(/campaigns/[^"]*\?[^"]*)"', page)[-1])
    campaign_page = buyer.get(back).get_data(as_text=True)
    assert 'value="40"' in campaign_page
    assert 'value="30.00"' in campaign_page
    assert buyer.get(f"/campaigns/{campaign}/checkout").status_code == 422
    assert "Choose at least one piece" in text_of(buyer.get(f"/campaigns/{campaign}/checkout"))


@pytest.mark.parametrize(("fields", "pieces", "words"), TOO_MANY)
def test_more_than_there_is_room_for_is_refused_before_the_checkout(
    buyer: Visitor, database: Database, people: dict[str, Person], fields: dict[str, int], pieces: int, words: str
) -> None:
    campaign, variants = opened(database, people, **fields)
    assert buyer.post(f"/campaigns/{campaign}/join", data=choice(variants, 10)).status_code == 303
    data = choice(variants, pieces)
    for step, status in (("quote", 200), ("checkout", 422)):
        answer = buyer.post(f"/campaigns/{campaign}/{step}", data=data)
        assert answer.status_code == status
        assert words in text_of(answer)


@pytest.mark.parametrize(("spoilt", "words"), BAD)
def test_choices_that_make_no_sense_are_refused_with_a_sentence(
    buyer: Visitor, database: Database, people: dict[str, Person], spoilt: dict[str, str], words: str
) -> None:
    campaign, variants = opened(database, people)
    names = {"flexible.OTHER": f"flexible.{variants[1]}", "flexible.FIRST": f"flexible.{variants[0]}"}
    data = choice(variants, 5) | {names.get(name, name): value for name, value in spoilt.items()}
    for step in ("checkout", "join"):
        answer = buyer.post(f"/campaigns/{campaign}/{step}", data=data)
        assert answer.status_code == 422
        assert words in text_of(answer)
    with database.reading() as session:
        assert session.exec(select(Pledge)).all() == []


def test_an_extension_is_agreed_to_or_refused_on_the_order(
    buyer: Visitor,
    client: Client,
    database: Database,
    people: dict[str, Person],
    clock: ManualClock,
    provider: SandboxProvider,
) -> None:
    campaign, variants = opened(database, people)
    other = client("buyer2")
    for browser in (buyer, other):
        assert browser.post(f"/campaigns/{campaign}/join", data=choice(variants, 10)).status_code == 303
    worker = build_worker(database, provider)
    worker.run_until_idle(clock.now())
    clock.advance(timedelta(days=7))
    with database.transaction() as session:
        close_campaigns(session, [campaign], clock.now())
    with database.reading() as session:
        mine, theirs = sorted(session.exec(select(Pledge)).all(), key=lambda pledge: pledge.id)
    text = text_of(buyer.get(f"/orders/{mine.id}"))
    assert "Extended. Do you stay in?" in text
    assert "you were asked to agree again" in text
    assert other.post(f"/orders/{mine.id}/consent", data={"answer": "refuse"}).status_code == 404
    assert buyer.post(f"/orders/{mine.id}/consent", data={"answer": "perhaps"}).status_code == 422
    assert buyer.post(f"/orders/{mine.id}/consent", data={"answer": "agree"}).status_code == 303
    assert buyer.post(f"/orders/{mine.id}/consent", data={"answer": "refuse"}).status_code == 409
    assert other.post(f"/orders/{theirs.id}/consent", data={"answer": "refuse"}).status_code == 303
    with database.reading() as session:
        kept, left = session.get_one(Pledge, mine.id), session.get_one(Pledge, theirs.id)
        assert (kept.consent, kept.state) == (Consent.GIVEN, PledgeState.PAID)
        assert (left.consent, left.state) == (Consent.REFUSED, PledgeState.REFUNDED)
    assert "and you agreed" in text_of(buyer.get(f"/orders/{mine.id}"))
    studio = client("merchandiser")
    studio.set_cookie("locale", "en")
    assert "Answers to the extension" in text_of(studio.get(f"/studio/campaigns/{campaign}"))


def test_a_merchandiser_extends_by_hand(client: Client, database: Database, people: dict[str, Person]) -> None:
    campaign, _ = opened(database, people)
    studio, rival = client("merchandiser"), client("merchandiser2")
    studio.set_cookie("locale", "en")
    address = f"/studio/campaigns/{campaign}/extend"
    for days, words in (("0", "1 to 14 days"), ("15", "1 to 14 days"), ("-1", "1 to 14 days"), ("x", "whole number")):
        answer = studio.post(address, data={"days": days})
        assert answer.status_code == 422
        assert words in text_of(answer)
    assert rival.post(address, data={"days": "3"}).status_code == 404
    assert client("buyer").post(address, data={"days": "3"}).status_code == 403
    assert studio.post(address, data={"days": "3"}).status_code == 303
    assert studio.post(address, data={"days": "3"}).status_code == 409
    with database.reading() as session:
        assert session.get_one(Campaign, campaign).deadline == NOON + timedelta(days=10)


BAD_TERMS: list[tuple[dict[str, str], str]] = [
    ({"pack_pieces": "0"}, "between 1 and 10,000"),
    ({"pack_pieces": "1.5"}, "whole number"),
    ({"colour_minimum": "61"}, "not need more pieces than the whole"),
    ({"colour_minimum": "5", "colours": "灰 Grey"}, "several colours"),
    ({"extension_days": "15"}, "longer than the platform allows"),
    ({"extension_days": "-1"}, "longer than the platform allows"),
    ({"next_round_days": "91"}, "90 days at most"),
]


@pytest.mark.parametrize(("spoilt", "words"), BAD_TERMS)
def test_terms_beyond_the_policy_are_refused_beside_their_field(
    client: Client, database: Database, spoilt: dict[str, str], words: str
) -> None:
    studio = client("merchandiser")
    studio.set_cookie("locale", "en")
    answer = studio.post("/studio/campaigns/new", data=a_form(**spoilt))
    assert answer.status_code == 422
    assert words in text_of(answer)
    with database.reading() as session:
        assert session.exec(select(Campaign)).all() == []


def test_a_draft_keeps_its_further_terms_and_shows_them_again(client: Client, database: Database) -> None:
    studio = client("merchandiser")
    terms = {"pack_pieces": "12", "colour_minimum": "20", "extension_days": "5", "next_round_days": "10"}
    assert studio.post("/studio/campaigns/new", data=a_form(**terms)).status_code == 303
    with database.reading() as session:
        draft = session.exec(select(Campaign)).one()
        assert queries.variants(session, draft.id)
    kept = {name: str(getattr(draft, name)) for name in terms}
    assert kept == terms
    page = studio.get(f"/studio/campaigns/{draft.id}/edit").get_data(as_text=True)
    for name, value in terms.items():
        assert f'name="{name}" type="number" value="{value}"' in page


def the_pledge(database: Database) -> Pledge:
    with database.reading() as session:
        return session.exec(select(Pledge)).one()
