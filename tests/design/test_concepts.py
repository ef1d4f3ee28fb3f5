"""Concepts: drafted, published, decided; what buyers said of them counted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from c2m.app import build_worker
from c2m.db import Database
from c2m.demand import campaigns, promotion
from c2m.demand.campaigns import CampaignDraft
from c2m.demand.models import Campaign, CampaignKind, CampaignState
from c2m.demand.rules import Tier
from c2m.design import concepts, pictures, queries
from c2m.design.concepts import (
    ConceptNotDraft,
    ConceptNotFound,
    ConceptNotPublished,
    ConceptWithoutPicture,
    TooManyVariants,
)
from c2m.design.models import Concept, ConceptState, Want, WantState
from c2m.errors import Invalid
from c2m.identity.models import Role
from c2m.ledger.provider import SandboxProvider
from tests.builders import a_policy, an_organisation
from tests.design.builders import NOON, a_concept, a_concept_draft, a_want, an_image, count


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("title", {"title": "  "}),
        ("category", {"category": "submarine"}),
        ("price", {"price_minor": 0, "deposit_minor": 0}),
        ("price", {"price_minor": -1, "deposit_minor": -1}),
        ("deposit", {"deposit_minor": 69_01}),
        ("deposit", {"deposit_minor": -1}),
        ("target_quantity", {"target_quantity": 0}),
        ("target_quantity", {"target_quantity": 1_000_001}),
        ("ends_at", {"ends_at": NOON + timedelta(minutes=59)}),
        ("ends_at", {"ends_at": NOON + timedelta(days=60, seconds=1)}),
    ],
)
def test_a_draft_that_makes_no_sense_is_refused(database: Database, field: str, wrong: dict[str, Any]) -> None:
    with database.transaction() as session:
        owner = an_organisation(session, Role.MERCHANDISER).id
        with pytest.raises(Invalid) as refused:
            concepts.create_concept(session, a_concept_draft(owner, **wrong), now=NOON)
        assert field in refused.value.errors
        assert count(session, Concept) == 0


def test_a_published_concept_can_not_be_changed(database: Database) -> None:
    with database.transaction() as session:
        concept, [first, _] = a_concept(session)
        draft = a_concept_draft(concept.organisation_id, title="别的")
        more = pictures.store_drawing(session, an_image(), provenance={}, organisation_id=None, now=NOON)
        for change in (
            lambda: concepts.change_concept(session, concept, draft, now=NOON),
            lambda: concepts.add_variant(session, concept, more, name="新", now=NOON),
            lambda: concepts.remove_variant(session, concept, first.id),
            lambda: concepts.publish_concept(session, concept, now=NOON),
        ):
            with pytest.raises(ConceptNotDraft):
                change()
        assert concept.title == "条纹保温杯"
        assert len(concepts.variants(session, concept.id)) == 2


def test_what_was_changed_is_what_is_published(database: Database) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session, published=False)
        concepts.change_concept(
            session, concept, a_concept_draft(concept.organisation_id, title="新名字", price_minor=88_00), now=NOON
        )
        concepts.publish_concept(session, concept, now=NOON)
    with database.reading() as session:
        found = concepts.concept(session, concept.id)
        assert (found.title, found.price_minor, found.state) == ("新名字", 88_00, ConceptState.PUBLISHED)


def test_publishing_shows_the_pictures_to_everybody(database: Database) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session, published=False)
        ids = [variant.picture_id for variant in variants]
        assert {p.published_at for p in pictures.pictures(session, ids).values()} == {None}
        concepts.publish_concept(session, concept, now=NOON)
        session.expire_all()
        assert {p.published_at for p in pictures.pictures(session, ids).values()} == {NOON}


def test_a_concept_without_a_picture_is_not_published(database: Database) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session, shown=0, published=False)
        with pytest.raises(ConceptWithoutPicture):
            concepts.publish_concept(session, concept, now=NOON)
        assert concept.state is ConceptState.DRAFT


def test_a_draft_whose_end_has_passed_is_not_published(database: Database) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session, published=False)
        with pytest.raises(Invalid):
            concepts.publish_concept(session, concept, now=concept.ends_at)
        assert concept.published_at is None


def test_a_ninth_picture_is_refused(database: Database) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session, shown=8, published=False)
        picture = pictures.picture(session, variants[0].picture_id)
        with pytest.raises(TooManyVariants):
            concepts.add_variant(session, concept, picture, name="九", now=NOON)
        assert len(concepts.variants(session, concept.id)) == 8


def test_another_concept_s_picture_is_not_removed(database: Database) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session, published=False)
        _, [foreign, _] = a_concept(session, published=False)
        with pytest.raises(ConceptNotFound):
            concepts.remove_variant(session, concept, foreign.id)


def test_a_concept_is_somebody_s_own(database: Database) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session)
        stranger = an_organisation(session, Role.MERCHANDISER).id
        assert concepts.concept_of(session, concept.id, organisation_id=concept.organisation_id) is concept
        with pytest.raises(ConceptNotFound):
            concepts.concept_of(session, concept.id, organisation_id=stranger)


def test_at_its_end_a_concept_stops_and_deposits_go_back(database: Database, provider: SandboxProvider) -> None:
    worker = build_worker(database, provider)
    with database.transaction() as session:
        concept, [first, _] = a_concept(session)
        want_id = a_want(session, first, an_organisation(session, Role.BUYER).id).id
    worker.run_until_idle(NOON)
    worker.run_until_idle(concept.ends_at)
    with database.reading() as session:
        found = concepts.concept(session, concept.id)
        assert (found.state, found.decided_at) == (ConceptState.STOPPED, concept.ends_at)
        assert session.get_one(Want, want_id).state is WantState.REFUNDED


def test_interest_is_counted_by_picture(database: Database, provider: SandboxProvider) -> None:
    with database.transaction() as session:
        concept, [first, second] = a_concept(session)
        one, two = (an_organisation(session, Role.BUYER).id for _ in range(2))
        a_want(session, first, one, 4, 60_00, "key-one-1")
        a_want(session, first, one, 2, 90_00, "key-one-2")
    build_worker(database, provider).run_until_idle(NOON)
    with database.transaction() as session:
        a_want(session, first, two, 4, 60_00, "key-two-1")
        said = queries.interest(session, [concept.id])
        tally = queries.tallies(session, [concept.id])[concept.id]
    assert said[first.id] == queries.Interest(2, 10, 1, 6, 66_00)
    assert said[second.id] == queries.NONE
    assert tally == queries.Tally(2, 10, 6 * 5_00)


def test_promoting_opens_a_campaign_with_the_winning_picture(database: Database) -> None:
    with database.transaction() as session:
        concept, variants = a_concept(session)
        campaign_id = promotion.promote_concept(
            session, concept, a_promotion(session, concept), policy=a_policy(session), now=NOON
        )
        campaign = session.get_one(Campaign, campaign_id)
    assert concept.state is ConceptState.PROMOTED
    assert (campaign.state, campaign.concept_id) == (CampaignState.OPEN, concept.id)
    assert campaign.picture_id == variants[0].picture_id


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"minimum": 0}, "minimum"), ({"tiers": ()}, "tiers"), ({"variants": ()}, "variants")],
)
def test_a_promotion_that_makes_no_sense_changes_nothing(database: Database, wrong: dict[str, Any], field: str) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session)
        draft = a_promotion(session, concept, **wrong)
        with pytest.raises(Invalid) as refused:
            promotion.promote_concept(session, concept, draft, policy=a_policy(session), now=NOON)
        assert field in refused.value.errors
        assert concept.state is ConceptState.PUBLISHED
        assert count(session, Campaign) == 0


@pytest.mark.parametrize("decide", [concepts.stop_concept, concepts.mark_promoted])
def test_a_concept_is_decided_once(database: Database, decide: Callable[..., None]) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session)
        concepts.stop_concept(session, concept, now=NOON)
        with pytest.raises(ConceptNotPublished):
            decide(session, concept, now=NOON)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"per_buyer_limit": 2_000_000_000}, "per_buyer_limit"),
        ({"tiers": (Tier(1, 69_00), Tier(2_000_000_000, 59_00))}, "tiers"),
        ({"variants": (("色" * 41, ""),)}, "variants"),
        ({"deposit_counts_minor": 5_00}, "deposit"),
    ],
)
def test_a_campaign_that_columns_can_not_hold_is_refused(database: Database, wrong: dict[str, Any], field: str) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session)
        draft = a_promotion(session, concept, **wrong)
        assert set(campaigns.draft_errors(draft, now=NOON)) == {field}


def a_promotion(session: Session, concept: Concept, **fields: Any) -> CampaignDraft:
    said: dict[str, Any] = {
        "kind": CampaignKind.GROUP_BUY,
        "title": concept.title,
        "category": concept.category,
        "currency": concept.currency,
        "variants": (("海盐", ""),),
        "tiers": (Tier(1, 69_00),),
        "minimum": 300,
        "deadline": NOON + timedelta(days=14),
        "picture_id": concepts.variants(session, concept.id)[0].picture_id,
    }
    return CampaignDraft(organisation_id=concept.organisation_id, concept_id=concept.id, **said | fields)
