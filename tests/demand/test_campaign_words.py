"""What campaigns may not say: the same words as briefs and concepts, in each text that buyers read."""

import pytest

from c2m.demand.campaigns import CampaignDraft, change_draft, create_campaign
from c2m.demand.models import Campaign, CampaignKind
from c2m.demand.policies import standard_policy
from c2m.demand.promotion import promote_concept
from c2m.demand.rules import Tier
from c2m.design.models import ConceptState
from c2m.design.wording import BrandWord, IndecentWord, WordRefused
from tests.demand.market import WEEK, Market
from tests.design.builders import a_concept, count


def a_draft(market: Market, **said: object) -> CampaignDraft:
    terms: dict[str, object] = {
        "organisation_id": market.merchandiser,
        "kind": CampaignKind.GROUP_BUY,
        "title": "Picnic tote",
        "category": "tote",
        "currency": "CNY",
        "variants": (("blue", ""),),
        "tiers": (Tier(1, 60_00),),
        "minimum": 5,
        "deadline": market.now + WEEK,
    }
    return CampaignDraft(**terms | said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "field", "refusal"),
    [
        ({"title": "Nike 野餐托特"}, "title", BrandWord),
        ({"title_en": "A naked tote"}, "title_en", IndecentWord),
        ({"description": "as good as Gucci"}, "description", BrandWord),
        ({"variants": (("Nike red", ""),)}, "colours", BrandWord),
    ],
)
def test_a_campaign_is_refused_for_a_word_and_told_where_it_stands(
    market: Market, said: dict[str, object], field: str, refusal: type[WordRefused]
) -> None:
    with market.database.transaction() as session:
        policy = standard_policy(session, now=market.now)
        kept = session.get_one(Campaign, create_campaign(session, a_draft(market), policy=policy, now=market.now))
        for store in (
            lambda draft: create_campaign(session, draft, policy=policy, now=market.now),
            lambda draft: change_draft(session, kept, draft, policy=policy, now=market.now),
        ):
            with pytest.raises(refusal) as refused:
                store(a_draft(market, **said))
            assert refused.value.details["field"] == field
        assert (count(session, Campaign), kept.title) == (1, "Picnic tote")


def test_a_concept_is_not_promoted_under_a_brand(market: Market) -> None:
    with market.database.transaction() as session:
        policy = standard_policy(session, now=market.now)
        concept, _ = a_concept(session, organisation_id=market.merchandiser)
        with pytest.raises(BrandWord):
            promote_concept(
                session, concept, a_draft(market, title="Nike", concept_id=concept.id), policy=policy, now=market.now
            )
        assert (concept.state, count(session, Campaign)) == (ConceptState.PUBLISHED, 0)
