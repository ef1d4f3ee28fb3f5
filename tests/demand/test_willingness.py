"""Ladders from all that buyers have shown: orders of earlier campaigns, signals to a concept, and nothing else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from c2m.db import Database
from c2m.demand.forecasting.ladders import QuoteCurve
from c2m.demand.models import Campaign, CampaignState, GroupCampaign, Need, NeedGroup, NeedState
from c2m.demand.willingness import Subject, continued, observed, proposed_ladder
from c2m.design import looks
from c2m.design.models import WantState
from c2m.identity.models import Role
from tests.builders import MORNING, a_campaign, a_confirmed_pledge, a_line, an_organisation
from tests.conftest import NOON, Person, Visitor
from tests.design.builders import a_concept, a_want

Client = Callable[..., Visitor]
QUOTES = [QuoteCurve(500_00, ((1, 40_00), (100, 30_00)))]
LATER = MORNING + timedelta(days=60)


def sold_at(session: Session, prices: dict[int, int], *, ended: bool = True, **fields: object) -> Campaign:
    """A campaign that buyers joined at these prices {price_minor: buyers}, two pieces each."""
    closed = {"state": CampaignState.SUCCEEDED, "closed_at": MORNING + timedelta(days=7)} if ended else {}
    campaign, [variant] = a_campaign(session, **(closed | fields))
    for price, buyers in prices.items():
        for _ in range(buyers):
            pledge = a_confirmed_pledge(session, campaign, {variant.id: 2}, price_minor=price)
            pledge.unit_price_minor = price
            session.add(pledge)
    session.flush()
    return campaign


def test_the_orders_of_the_same_product_are_looked_at_before_those_of_its_category(database: Database) -> None:
    with database.transaction() as session:
        own = sold_at(session, {90_00: 4, 70_00: 2}, title="Tee")
        sold_at(session, {500_00: 9}, title="Silk tee")
        subject = Subject(own.organisation_id, "tshirt", "CNY", " tee ")
        mine = observed(session, subject, now=LATER)
        other = observed(session, Subject(own.organisation_id, "tshirt", "CNY", "New tee"), now=LATER)
        nothing = observed(session, Subject(own.organisation_id, "lamp", "CNY", "Lamp"), now=LATER)
    assert (mine.pledges, mine.campaigns, mine.own) == (6, 1, True)
    assert sorted(buyer.price_minor for buyer in mine.willing) == [70_00] * 2 + [90_00] * 4
    assert (other.pledges, other.campaigns, other.own) == (15, 2, False)
    assert not nothing.enough
    assert proposed_ladder(QUOTES, nothing, target_cost_ppm=800_000, seed=1) is None


def test_a_proposal_covers_the_factories_price_and_names_its_buyers(database: Database) -> None:
    with database.transaction() as session:
        own = sold_at(session, {90_00: 40, 55_00: 60}, title="Tee")
        shown = observed(session, Subject(own.organisation_id, "tshirt", "CNY", "Tee"), now=LATER)
    found = proposed_ladder(QUOTES, shown, target_cost_ppm=800_000, seed=1)
    assert found is not None
    assert found.buyers == 100
    assert found == proposed_ladder(QUOTES, shown, target_cost_ppm=800_000, seed=1)
    assert all(step.price_minor * 0.8 >= step.cost_each_minor for step in found.steps)
    assert proposed_ladder([], shown, target_cost_ppm=800_000, seed=1) is None


def test_campaigns_still_open_and_orders_yet_to_come_say_nothing(database: Database) -> None:
    with database.transaction() as session:
        own = sold_at(session, {90_00: 4}, title="Tee")
        subject = Subject(own.organisation_id, "tshirt", "CNY", "Tee")
        before = observed(session, subject, now=LATER)
        sold_at(session, {1_00: 50}, title="Tee", organisation_id=own.organisation_id, ended=False)
        sold_at(
            session,
            {1_00: 50},
            title="Tee",
            organisation_id=own.organisation_id,
            closed_at=LATER + timedelta(days=1),
            state=CampaignState.SUCCEEDED,
        )
        assert observed(session, subject, now=LATER) == before


def test_where_nothing_was_sold_the_wants_of_the_category_speak_and_only_those_open_and_in_its_money(
    database: Database,
) -> None:
    with database.transaction() as session:
        house = an_organisation(session, Role.MERCHANDISER).id
        stated = [("lamp", 30_00, {}), ("lamp", 40_00, {}), ("lamp", 50_00, {}), ("lamp", None, {}), ("mug", 9_00, {})]
        stated += [("lamp", 9_00, {"currency": "EUR"}), ("lamp", 9_00, {"stated_at": LATER + timedelta(days=1)})]
        stated += [("lamp", 9_00, {"state": NeedState.WITHDRAWN, "withdrawn_at": MORNING})]
        group = NeedGroup(title="Lamp", category="lamp", formed_at=MORNING)
        session.add(group)
        for at, (category, budget, fields) in enumerate(stated):
            own = {"group_id": group.id} if at == 0 else {}
            buyer = an_organisation(session, Role.BUYER).id
            common = {"currency": "CNY", "stated_at": MORNING, "idempotency_key": str(at)} | fields | own
            session.add(
                Need(buyer_id=buyer, words="lamp", category=category, quantity=20, budget_minor=budget, **common)
            )
        draft, _ = a_campaign(session, state=CampaignState.DRAFT, organisation_id=house, category="lamp")
        session.add(GroupCampaign(campaign_id=draft.id, group_id=group.id, drafted_at=MORNING))
        session.flush()
        anew = observed(session, Subject(house, "lamp", "CNY", "Lamp"), now=LATER)
        drafted = observed(session, Subject(house, "lamp", "CNY", "Lamp", campaign_id=draft.id), now=LATER)
    assert (anew.wants, anew.wants_alike, anew.come, anew.enough) == (0, 3, 3.0, True)
    assert [(each.price_minor, each.pieces) for each in anew.willing] == [(30_00, 20), (40_00, 20), (50_00, 20)]
    assert (drafted.wants, drafted.wants_alike, drafted.come) == (1, 2, 3.0)


def test_a_concepts_ladder_continues_its_proposal_at_the_chance_of_its_validation(database: Database) -> None:
    with database.transaction() as session:
        house = an_organisation(session, Role.MERCHANDISER)
        concept, [variant, *_others] = a_concept(session, organisation_id=house.id, target_quantity=60)
        for number in range(60):
            price = 69_00 if number < 40 else 59_00
            want = a_want(session, variant, an_organisation(session, Role.BUYER).id, price_minor=price)
            want.state = WantState.DEPOSITED
            session.add(want)
        session.flush()
        now = NOON + timedelta(days=7)
        shown = observed(session, Subject(house.id, concept.category, "CNY", concept_id=concept.id), now=now)
        foreseen = looks.foreseen_of(session, concept, now=now)
    said = foreseen.proposed
    found = continued(QUOTES, shown, foreseen, target_cost_ppm=800_000)
    assert (shown.deposits, shown.stated, shown.pledges, shown.wants_alike) == (60, 0, 0, 0)
    assert (said.price_minor, said.minimum) == (69_00, 60)
    assert found is not None
    assert [step.price_minor for step in found.steps] == [69_00, 59_00]
    assert (found.minimum, found.chance, found.steps[0].chance) == (said.minimum, said.chance, said.chance)
    assert float((foreseen.pieces[:, 0] >= 60).mean()) == pytest.approx(said.chance, abs=0.03)
    assert continued([QuoteCurve(0, ((1, 56_00),))], shown, foreseen, target_cost_ppm=800_000) is None


def test_a_concept_hardly_anybody_wants_is_told_no_success(database: Database) -> None:
    with database.transaction() as session:
        house = an_organisation(session, Role.MERCHANDISER)
        concept, [variant, *_others] = a_concept(session, organisation_id=house.id, target_quantity=300)
        subject, now = Subject(house.id, concept.category, "CNY", concept_id=concept.id), NOON + timedelta(days=7)
        for _ in range(3):
            few, foreseen = observed(session, subject, now=now), looks.foreseen_of(session, concept, now=now)
            assert continued(QUOTES, few, foreseen, target_cost_ppm=800_000) is None
            a_want(session, variant, an_organisation(session, Role.BUYER).id)
        shown, foreseen = observed(session, subject, now=now), looks.foreseen_of(session, concept, now=now)
    found = continued(QUOTES, shown, foreseen, target_cost_ppm=800_000)
    assert found is not None
    assert found.minimum == 300
    assert found.chance == foreseen.proposed.chance < 0.01


def test_a_ladder_is_taken_over_with_one_press_and_nothing_is_stored(
    database: Database, people: dict[str, Person], client: Client
) -> None:
    owner = people["merchandiser"].organisation_id
    with database.transaction() as session:
        a_line(session, prices={1: 40_00, 100: 30_00})
        began = NOON - timedelta(days=20)
        sold_at(
            session,
            {90_00: 30, 60_00: 30},
            title="白 T 恤",
            organisation_id=owner,
            closed_at=NOON - timedelta(days=9),
            opened_at=began,
            state=CampaignState.SUCCEEDED,
        )
        before = session.exec(select(Campaign.id)).all()
    browser = client("merchandiser")
    browser.set_cookie("locale", "en")
    sent = {"kind": "group_buy", "title": "白 T 恤", "category": "tshirt", "minimum": "7", "tiers.0.price": "1.23"}
    proposed = browser.post("/studio/ladder", data=sent).text
    assert "60 orders at their prices in 1 campaign of this product" in proposed
    assert 'value="1.23"' in proposed
    taken = browser.post("/studio/ladder?take=1", data=sent).text
    assert 'value="1.23"' not in taken
    assert 'value="白 T 恤"' in taken
    assert 'name="tiers.0.from_quantity" value="1"' in taken
    with database.reading() as session:
        assert session.exec(select(Campaign.id)).all() == before
