"""What campaigns are forecast to come to stands on their pages with its evidence; operators see how right it was."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import Session

from c2m.clock import ManualClock
from c2m.db import Database
from c2m.demand.foretelling import score_predictions, state_chances
from c2m.demand.models import Campaign, CampaignState
from tests.builders import a_campaign
from tests.conftest import Visitor

NewClient = Callable[..., Visitor]


def a_stated_campaign(session: Session, clock: ManualClock) -> Campaign:
    """A campaign a day after its opening, with its forecast written down."""
    now = clock.now()
    terms = {"minimum": 50, "opened_at": now - timedelta(days=1), "deadline": now + timedelta(days=6)}
    campaign, _ = a_campaign(session, tiers={50: 100_00, 200: 80_00}, created_at=terms["opened_at"], **terms)
    state_chances(session, [campaign.id], now)
    return campaign


@pytest.mark.parametrize(("locale", "words"), [("en", "likely to reach the minimum"), ("zh", "的可能达到起订量")])
def test_a_campaign_page_says_what_its_forecast_rests_on(
    client: NewClient, database: Database, clock: ManualClock, locale: str, words: str
) -> None:
    with database.transaction() as session:
        campaign_id = a_stated_campaign(session, clock).id
    browser = client()
    browser.set_cookie("locale", locale)
    assert words in browser.get(f"/campaigns/{campaign_id}").text


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_operators_see_what_was_said_and_came(
    client: NewClient, database: Database, clock: ManualClock, locale: str
) -> None:
    with database.transaction() as session:
        campaign = a_stated_campaign(session, clock)
        closed = clock.now() + timedelta(days=6)
        campaign.state, campaign.closed_at = CampaignState.FAILED, closed
        session.flush()
        score_predictions(session, [campaign.id], closed)
    office = client("operator")
    office.set_cookie("locale", locale)
    assert '<circle class="dot"' in office.get("/operator/predictions").text
    said = office.get("/operator/predictions.json").json
    assert said is not None
    assert [(row["kind"], row["third"], row["predictions"]) for row in said["scores"]] == [("group_buy", 0, 2)]
    assert {row["came"] for row in said["reliability"]} == {0.0}


def test_others_do_not_see_the_record(client: NewClient) -> None:
    assert client("buyer").get("/operator/predictions").status_code == 403
