"""What stands beside a chance: what it rests on, how right such chances were, what moves it."""

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from c2m.db import Database, table_of
from c2m.demand.models import CampaignState, Prediction
from tests.builders import a_campaign
from tests.conftest import NOON, Person, Visitor

Client = Callable[..., Visitor]


def stated(database: Database, owner: Person, scored: int) -> str:
    """An open campaign with a chance of 72 %, and so many scored statements of another, three in four of which came."""
    with database.transaction() as session:
        running = {"created_at": NOON - timedelta(days=2), "opened_at": NOON - timedelta(days=2)}
        mine, _variants = a_campaign(
            session, organisation_id=owner.organisation_id, deadline=NOON + timedelta(days=5), **running
        )
        other, _variants = a_campaign(session, state=CampaignState.SUCCEEDED, closed_at=NOON, deadline=NOON, **running)
        said = {"version": 0, "elapsed": 0.3, "is_minimum": True, "p10": 5, "p50": 9, "p90": 20, "moved_by": "pace"}
        session.add(
            Prediction(campaign_id=mine.id, made_at=NOON, elapsed_days=2, target=1, probability=0.72, moved=0.1, **said)
        )
        for at in range(scored):
            came = at % 4 != 0
            session.add(
                Prediction(
                    campaign_id=other.id,
                    made_at=NOON - timedelta(days=1),
                    known_at=NOON,
                    elapsed_days=at,
                    target=10,
                    outcome=12 if came else 3,
                    score=0.1,
                    probability=0.75,
                    **said,
                )
            )
        return f"/campaigns/{mine.id}"


def test_a_chance_tells_its_grounds_and_draws_how_such_chances_came_true(
    database: Database, people: dict[str, Person], client: Client
) -> None:
    browser = client()
    browser.set_cookie("locale", "en")
    page = browser.get(stated(database, people["merchandiser"], scored=12)).text
    assert "Too few campaigns have ended to learn from" in page
    assert (
        "Of 12 earlier statements about as likely, 75% came true. Of 12 earlier ranges, 75% held the final quantity."
        in page
    )
    assert "In the end probably 5 to 20 pieces, 9 in the middle" in page
    assert "What raises it most is the pace of pledges so far." in page
    assert 'aria-labelledby="outlook-right-t outlook-right-d"' in page


def test_with_too_few_scored_statements_that_is_said_and_nothing_is_drawn(
    database: Database, people: dict[str, Person], client: Client
) -> None:
    browser = client()
    browser.set_cookie("locale", "en")
    page = browser.get(stated(database, people["merchandiser"], scored=4)).text
    assert "Too few such statements have been put to the test to say how often they come true." in page
    assert "outlook-right-t" not in page


def test_where_no_more_can_come_the_end_is_one_number(
    database: Database, people: dict[str, Person], client: Client
) -> None:
    address = stated(database, people["merchandiser"], scored=0)
    with database.transaction() as session:
        session.execute(sa.update(table_of(Prediction)).values(p10=20, p50=20, p90=20))
    browser = client()
    browser.set_cookie("locale", "en")
    page = browser.get(address).text
    assert "In the end probably 20 pieces." in page
    assert "in the middle" not in page
