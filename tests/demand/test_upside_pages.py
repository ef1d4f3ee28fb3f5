"""What more of a product may be asked for, on its merchandiser's page, and putting it up again from there."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from c2m.db import Database
from c2m.demand.models import CampaignState
from tests.builders import MORNING, a_campaign, a_confirmed_pledge
from tests.conftest import NOON, Person, Visitor
from tests.design.builders import a_concept, a_want

Client = Callable[..., Visitor]
WEEK = timedelta(days=7)


def a_product(database: Database, owner: UUID, pieces: tuple[int, ...]) -> UUID:
    """A product with a finished campaign of a week for each figure; the last one's id."""
    with database.transaction() as session:
        for at, count in enumerate(pieces):
            begins = MORNING - (len(pieces) - at + 1) * WEEK
            campaign, [variant] = a_campaign(
                session,
                organisation_id=owner,
                title="绵羊毛袜",
                title_en="Wool socks",
                tiers={1: 20_00, 100: 18_00},
                minimum=30,
                created_at=begins,
                opened_at=begins,
                deadline=begins + WEEK - timedelta(hours=12),
                state=CampaignState.SUCCEEDED,
                closed_at=begins + WEEK - timedelta(hours=12),
                final_quantity=count,
                final_price_minor=20_00,
            )
            a_confirmed_pledge(session, campaign, {variant.id: count}, placed_at=begins + timedelta(days=1))
        return campaign.id


def test_a_finished_product_shows_p50_and_p90_with_its_method_its_error_and_the_plain_ones(
    database: Database, people: dict[str, Person], client: Client
) -> None:
    campaign_id = a_product(database, people["merchandiser"].organisation_id, (40, 44, 38, 41, 40, 43, 37, 41, 39, 40))
    browser = client("merchandiser")
    browser.set_cookie("locale", "en")
    page = browser.get(f"/studio/campaigns/{campaign_id}").get_data(as_text=True)
    assert "Further demand" in page
    assert "10 weeks in which it could be had since" in page
    assert "it was off by" in page
    assert page.count("<td>") >= 4
    for method in ("as last week", "mean of four weeks", "Croston"):
        assert method in page


def test_a_young_campaign_of_a_concept_says_what_buyers_wanted_instead_of_a_number(
    database: Database, people: dict[str, Person], client: Client
) -> None:
    a_product(database, people["merchandiser"].organisation_id, (40, 44, 38, 41, 40))
    owner = people["merchandiser2"].organisation_id
    with database.transaction() as session:
        concept, [variant, *_] = a_concept(session, organisation_id=owner)
        a_want(session, variant, people["buyer"].organisation_id)
        campaign, _variants = a_campaign(
            session,
            organisation_id=owner,
            concept_id=concept.id,
            state=CampaignState.OPEN,
            opened_at=NOON,
            deadline=NOON + WEEK,
        )
    browser = client("merchandiser2")
    browser.set_cookie("locale", "en")
    page = browser.get(f"/studio/campaigns/{campaign.id}").get_data(as_text=True)
    assert "As a concept it was wanted by 1 buyer, 3 pieces in all." in page
    assert "Probably" not in page


def test_of_a_product_nobody_knows_anything_like_no_forecast_is_shown(
    database: Database, people: dict[str, Person], client: Client
) -> None:
    campaign_id = a_product(database, people["merchandiser"].organisation_id, (40,))
    browser = client("merchandiser")
    browser.set_cookie("locale", "en")
    assert "Further demand" not in browser.get(f"/studio/campaigns/{campaign_id}").get_data(as_text=True)


def test_a_product_is_put_up_again_with_all_it_said_but_the_deadline(
    database: Database, people: dict[str, Person], client: Client
) -> None:
    campaign_id = a_product(database, people["merchandiser"].organisation_id, (40,))
    browser = client("merchandiser")
    browser.set_cookie("locale", "en")
    assert f"/studio/campaigns/new?again={campaign_id}" in browser.get(f"/studio/campaigns/{campaign_id}").text
    form = browser.get(f"/studio/campaigns/new?again={campaign_id}").text
    for said in ('value="绵羊毛袜"', 'value="18.00"', 'name="minimum"', 'value="30"'):
        assert said in form
    deadline = re.search(r"<input[^>]*name=\"deadline\"[^>]*>", form)
    assert deadline is not None
    assert "2026" not in deadline[0]
    assert client("merchandiser2").get(f"/studio/campaigns/new?again={campaign_id}").status_code == 404
