"""What factories say about themselves, and what is refused."""

from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import Database, uuid7
from c2m.design.categories import UnknownCategory
from c2m.errors import Refusal
from c2m.identity.models import Role
from c2m.matching.capacity import capacity_map
from c2m.matching.factories import (
    CapabilityExists,
    InvalidTerms,
    NewCapability,
    Profile,
    add_capabilities,
    add_capability,
    change_terms,
    create_profiles,
    describe,
)
from c2m.matching.models import Capability, CapacityWeek, Factory, PriceBreak
from c2m.matching.offers import decline_offers
from c2m.matching.queries import CapabilityNotFound, FactoryNotFound, factory, price_steps
from c2m.matching.rules import PriceStep, Terms
from c2m.matching.weeks import CapacityBooked, InvalidWeek, set_week_capacity
from tests.builders import MORNING, a_capability, a_factory, a_line, an_open_sheet, an_organisation
from tests.matching.market import answers, match

STEPS = (PriceStep(1, 60_00), PriceStep(100, target_ppm=700_000))
TERMS = Terms(weekly_capacity=400, minimum=10, setup_minor=50_00, lead_days=4, steps=STEPS)
WEEK = date(2026, 11, 9)


def rows(session: Session, *tables: type) -> list[list[tuple[object, ...]]]:
    return [sorted(map(tuple, session.execute(sa.select(t.__table__))), key=str) for t in tables]


def test_dozens_of_factories_take_no_more_statements_than_two(database: Database) -> None:
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))

    def come(n: int) -> tuple[int, list[UUID], list[UUID]]:
        with database.transaction() as session:
            ids = [an_organisation(session, Role.FACTORY).id for _ in range(n)]
        statements.clear()
        with database.transaction() as session:
            create_profiles(session, [Profile(i, "虎门", "广东", "CNY") for i in ids])
            kinds = [("tshirt", "sewing"), ("mug", "ceramics")]
            lines = add_capabilities(session, [NewCapability(i, *kind, TERMS) for i in ids for kind in kinds])
        return len(statements), ids, lines

    (few, _, _), (many, ids, lines) = come(2), come(60)
    assert many == few
    with database.reading() as session:
        found = {c.id: c for c in session.exec(select(Capability))}
        assert [(found[i].factory_id, found[i].category) for i in lines[:2]] == [(ids[0], "tshirt"), (ids[0], "mug")]
        assert price_steps(session, lines) == dict.fromkeys(lines, STEPS)
        assert len(session.exec(select(Factory)).all()) == 62


def test_a_profile_that_exists_is_kept(database: Database) -> None:
    with database.transaction() as session:
        known = a_factory(session, belt="Humen").id
        create_profiles(session, [Profile(known, "Yiwu", "Zhejiang", "CNY")])
    with database.reading() as session:
        assert factory(session, known).belt == "Humen"


def test_a_factory_describes_itself_anew(database: Database) -> None:
    with database.transaction() as session:
        known = a_factory(session).id
        describe(session, known, belt="Yiwu", region="Zhejiang", about="Small orders welcome")
    with database.reading() as session:
        assert (factory(session, known).belt, factory(session, known).about) == ("Yiwu", "Small orders welcome")
        with pytest.raises(FactoryNotFound):
            factory(session, uuid7())


def test_a_second_line_of_the_same_kind_is_refused(database: Database) -> None:
    with database.transaction() as session:
        line = a_line(session, category="tshirt")
        before = rows(session, Capability, PriceBreak)
    with pytest.raises(CapabilityExists), database.transaction() as session:
        add_capability(session, NewCapability(line.factory_id, "tshirt", "sewing", TERMS))
    with database.reading() as session:
        assert rows(session, Capability, PriceBreak) == before


@pytest.mark.parametrize(
    ("category", "process", "terms", "refusal"),
    [
        ("tshirt", "sewing", Terms(1, 0, 0, 0, STEPS), InvalidTerms),
        ("tshirt", "alchemy", TERMS, InvalidTerms),
        ("gold", "sewing", TERMS, UnknownCategory),
    ],
)
def test_a_line_that_cannot_be_is_refused(
    database: Database, category: str, process: str, terms: Terms, refusal: type[Refusal]
) -> None:
    with database.transaction() as session:
        owner = a_factory(session)
    with pytest.raises(refusal), database.transaction() as session:
        add_capability(session, NewCapability(owner.id, category, process, terms))
    with database.reading() as session:
        assert rows(session, Capability, PriceBreak) == [[], []]


def test_new_terms_replace_the_old_ones(database: Database) -> None:
    with database.transaction() as session:
        line = a_line(session, prices={1: 70_00, 50: 60_00})
        change_terms(session, line.id, TERMS, factory_id=line.factory_id, now=MORNING)
    with database.reading() as session:
        found = session.exec(select(Capability)).one()
        assert (found.weekly_capacity, found.minimum, found.setup_minor, found.lead_days) == (400, 10, 50_00, 4)
        assert price_steps(session, [line.id]) == {line.id: STEPS}


def test_another_factory_s_line_is_not_found(database: Database) -> None:
    with database.transaction() as session:
        line, stranger = a_line(session), a_factory(session)
        before = rows(session, Capability, PriceBreak, CapacityWeek)
    with pytest.raises(CapabilityNotFound), database.transaction() as session:
        change_terms(session, line.id, TERMS, factory_id=stranger.id, now=MORNING)
    with pytest.raises(CapabilityNotFound), database.transaction() as session:
        set_week_capacity(session, stranger.id, {(line.id, WEEK): 5}, now=MORNING)
    with database.reading() as session:
        assert rows(session, Capability, PriceBreak, CapacityWeek) == before


def test_invalid_new_terms_are_refused(database: Database) -> None:
    with database.transaction() as session:
        line = a_line(session)
        before = rows(session, Capability, PriceBreak)
    with pytest.raises(InvalidTerms) as refused, database.transaction() as session:
        change_terms(session, line.id, Terms(1, 1, 0, 0, ()), factory_id=line.factory_id, now=MORNING)
    assert list(refused.value.errors) == ["steps"]
    with database.reading() as session:
        assert rows(session, Capability, PriceBreak) == before


def test_a_week_is_edited_by_any_day_in_it(database: Database) -> None:
    with database.transaction() as session:
        line = a_capability(session, a_factory(session), weekly_capacity=100)
        set_week_capacity(session, line.factory_id, {(line.id, WEEK + timedelta(days=6)): 0}, now=MORNING)
        set_week_capacity(session, line.factory_id, {(line.id, WEEK): 30}, now=MORNING)
    with database.reading() as session:
        [row] = capacity_map(session, line.factory_id, [WEEK, WEEK + timedelta(weeks=1)])
        assert [(c.capacity, c.booked, c.held) for c in row.cells] == [(30, 0, 0), (100, 0, 0)]


@pytest.mark.parametrize(("day", "pieces"), [(WEEK, -1), (date(2026, 11, 1), 10)])
def test_negative_capacity_and_weeks_gone_by_are_refused(database: Database, day: date, pieces: int) -> None:
    with database.transaction() as session:
        line = a_line(session)
    with pytest.raises(InvalidWeek), database.transaction() as session:
        set_week_capacity(session, line.factory_id, {(line.id, day): pieces}, now=MORNING)
    with database.reading() as session:
        assert rows(session, CapacityWeek) == [[]]


def test_capacity_below_what_is_held_is_refused_until_the_offer_is_declined(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 70)
        line = a_line(session, weekly_capacity=100)
    [offer] = match(database, MORNING)
    less = {(line.id, WEEK): 69, (line.id, WEEK + timedelta(weeks=3)): 5}
    with pytest.raises(CapacityBooked) as refused, database.transaction() as session:
        set_week_capacity(session, line.factory_id, less, now=MORNING)
    assert refused.value.details == {"capability_id": line.id, "week": WEEK, "booked": 70}
    with database.transaction() as session:
        assert [(w.capacity, w.booked) for w in session.exec(select(CapacityWeek))] == [(100, 70)]
        decline_offers(session, answers([offer]), now=MORNING)
        set_week_capacity(session, line.factory_id, less, now=MORNING)
    with database.reading() as session:
        weeks = session.exec(select(CapacityWeek).order_by(col(CapacityWeek.week))).all()
        assert [(w.capacity, w.booked) for w in weeks] == [(69, 0), (5, 0)]
