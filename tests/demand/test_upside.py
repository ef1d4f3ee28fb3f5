"""What more of a product may be asked for: from all its rounds, from weeks on offer, and from nothing of the future."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from c2m.db import Database
from c2m.demand.models import CampaignState, PledgeState
from c2m.demand.upside import Basis, Upside, upside_of
from c2m.identity.models import Role
from tests.builders import MORNING, a_campaign, a_confirmed_pledge, an_organisation
from tests.design.builders import a_concept

DAY, WEEK = timedelta(days=1), timedelta(days=7)


def sold(
    session: Session, owner: UUID, weeks: list[int], *, begins: datetime = MORNING, ended: bool = True, **fields: object
) -> UUID:
    """A campaign of so many pieces in each week of its time, that ended by itself unless it is open still."""
    closes = begins + len(weeks) * WEEK - DAY
    closed = {"state": CampaignState.SUCCEEDED, "closed_at": closes, "final_quantity": sum(weeks)} if ended else {}
    campaign, [variant] = a_campaign(
        session, organisation_id=owner, created_at=begins, opened_at=begins, deadline=closes, **(closed | fields)
    )
    for at, pieces in enumerate(weeks):
        if pieces:
            a_confirmed_pledge(session, campaign, {variant.id: pieces}, placed_at=begins + at * WEEK + DAY)
    return campaign.id


def a_house(session: Session) -> UUID:
    return an_organisation(session, Role.MERCHANDISER).id


def like_it(session: Session, pieces: tuple[int, ...] = (40, 60, 80, 100, 120)) -> None:
    """Finished campaigns of other houses in the category, a week each."""
    for each in pieces:
        sold(session, a_house(session), [each])


def test_all_rounds_of_a_product_are_its_history_and_weeks_without_an_offer_are_none(database: Database) -> None:
    with database.transaction() as session:
        owner = a_house(session)
        sold(session, owner, [30, 34, 29, 31], title="Tee")
        again = sold(session, owner, [33, 30, 32, 28, 31], title=" tee ", begins=MORNING + 20 * WEEK)
        sold(session, owner, [900], title="Mug", begins=MORNING)
        found = upside_of(session, again, now=MORNING + 30 * WEEK)
    assert found is not None
    assert [week.pieces for week in found.past] == [30, 34, 29, 31, 33, 30, 32, 28, 31]
    assert (found.campaigns, found.basis, found.method, found.alike) == (2, Basis.OWN, "combined", 0)
    assert found.since == MORNING.date()
    assert 118 <= found.p50 <= 128 < found.p90
    assert found.error is not None
    assert found.error < 0.1
    assert [tried.name for tried in found.beside] == ["naive", "moving average 4", "Croston"]


def test_a_product_of_one_week_is_said_to_rest_on_its_category(database: Database) -> None:
    with database.transaction() as session:
        like_it(session)
        young = sold(session, a_house(session), [70])
        found = upside_of(session, young, now=MORNING + 2 * WEEK)
    assert found is not None
    assert (found.basis, found.alike, found.of_category, found.error) == (Basis.BOTH, 5, True, None)
    assert 200 < found.p50 < found.p90


def test_a_week_that_has_just_begun_is_not_held_against_a_product_and_of_a_concept_nothing_is_said_before_its_end(
    database: Database,
) -> None:
    opens = MORNING + 2 * WEEK
    young: dict[str, Any] = {"begins": opens, "ended": False, "title": "Young"}
    with database.transaction() as session:
        like_it(session)
        owner = a_house(session)
        tee = sold(session, owner, [0, 0], **young)
        begun = upside_of(session, tee, now=opens + timedelta(seconds=5))
        week_old = upside_of(session, tee, now=opens + WEEK)
        concept, _ = a_concept(session, organisation_id=owner)
        promoted = sold(session, a_house(session), [0, 0], concept_id=concept.id, **young)
        said = [upside_of(session, promoted, now=opens + age) is not None for age in (DAY, 5 * DAY, WEEK)]
    assert begun is not None
    assert (begun.basis, begun.past, begun.drift) == (Basis.ALIKE, (), 0.0)
    assert week_old is not None
    assert (week_old.basis, [week.pieces for week in week_old.past]) == (Basis.BOTH, [0])
    assert said == [False, False, True]


def test_where_the_category_is_new_all_campaigns_stand_in_and_with_fewer_than_five_nothing_does(
    database: Database,
) -> None:
    with database.transaction() as session:
        lone = sold(session, a_house(session), [70], category="lamp")
        assert upside_of(session, lone, now=MORNING + 2 * WEEK) is None
        like_it(session)
        found = upside_of(session, lone, now=MORNING + 2 * WEEK)
    assert found is not None
    assert (found.basis, found.alike, found.of_category) == (Basis.BOTH, 5, False)


def test_pieces_carried_over_bought_by_the_merchant_or_cancelled_are_no_demand(database: Database) -> None:
    with database.transaction() as session:
        like_it(session)
        campaign, [variant] = a_campaign(session, title="Tee")
        first = a_confirmed_pledge(session, campaign, {variant.id: 5})
        for fields in (
            {"carried_from_id": first.id},
            {"merchant_funded": True},
            {"state": PledgeState.CANCELLED, "ended_at": MORNING + DAY},
        ):
            pledge = a_confirmed_pledge(session, campaign, {variant.id: 100})
            for name, value in fields.items():
                setattr(pledge, name, value)
            session.add(pledge)
        session.flush()
        found = upside_of(session, campaign.id, now=MORNING + WEEK)
    assert found is not None
    assert [week.pieces for week in found.past] == [5]


def test_a_poisoned_future_changes_nothing(database: Database) -> None:
    now = MORNING + 9 * WEEK + DAY
    with database.transaction() as session:
        owner = a_house(session)
        like_it(session)
        running = sold(session, owner, [30, 34, 29, 31, 30, 32, 28, 31, 30, 30], ended=False)
        young = sold(session, owner, [20], title="Young")
        before = [_said(session, each, now) for each in (running, young)]
        for later in (DAY, WEEK, 30 * WEEK):
            sold(session, owner, [9_999], begins=now + later)
            sold(session, a_house(session), [9_999], begins=now + later)
        sold(session, a_house(session), [9_999] * 12)  # runs already, will have closed after now
        assert [_said(session, each, now) for each in (running, young)] == before


def _said(session: Session, campaign_id: UUID, now: datetime) -> Upside | None:
    found = upside_of(session, campaign_id, now=now)
    assert found is not None
    return found
