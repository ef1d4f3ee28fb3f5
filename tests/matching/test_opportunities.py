"""A factory sees the groups that may become its orders, how near they are, and why orders went to others."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from sqlmodel import Session

from c2m.clock import ManualClock
from c2m.db import Database, uuid7
from c2m.identity.models import Role
from c2m.matching.market import Line, Market, OpenSheet, WhyNot
from c2m.matching.models import Capability
from c2m.matching.offers import accept_offers
from c2m.matching.opportunities import coming, went_elsewhere
from c2m.matching.rules import PriceStep, Terms
from c2m.matching.weeks import set_week_capacity
from tests.builders import MORNING, a_campaign, a_factory, a_line, an_open_sheet
from tests.conftest import Person, Visitor
from tests.matching.market import answers, match


def a_lot_of_lines(session: Session) -> dict[str, Capability]:
    """The cheapest line that takes anything, and others that each lack something."""
    return {
        "chosen": a_line(session, weekly_capacity=500, prices={1: 40_00}),
        "dear": a_line(session, weekly_capacity=500, prices={1: 45_50}),
        "large": a_line(session, weekly_capacity=500, minimum=150),
        "full": a_line(session, weekly_capacity=2, prices={1: 40_00}),
        "other": a_line(session, category="mug", process="ceramics"),
    }


def test_orders_that_went_to_others_say_what_was_missing(database: Database) -> None:
    with database.transaction() as session:
        lines = a_lot_of_lines(session)
        an_open_sheet(session, 100, required_date=MORNING + timedelta(days=21))
    [offer] = match(database, MORNING)
    assert offer.capability_id == lines["chosen"].id
    with database.transaction() as session:
        assert not went_elsewhere(session, lines["dear"].factory_id, now=MORNING)
        accept_offers(session, answers([offer]), now=MORNING)
    with database.reading() as session:
        found = {
            name: [(w.quantity, w.why, w.missing) for w in went_elsewhere(session, x.factory_id, now=MORNING)]
            for name, x in lines.items()
        }
    assert found == {
        "chosen": [],
        "dear": [(100, WhyNot.PRICE, 5_50)],
        "large": [(100, WhyNot.SMALLEST_ORDER, 50)],
        "full": [(100, WhyNot.WEEKS, found["full"][0][2])],
        "other": [],
    }
    assert 90 < found["full"][0][2] < 100


def test_groups_that_fill_show_what_is_missing_the_nearest_first(database: Database) -> None:
    with database.transaction() as session:
        line = a_line(session, weekly_capacity=100, minimum=50, prices={50: 60_00, 200: 50_00})
        near, _ = a_campaign(session, minimum=20, pledged_quantity=45)
        far, _ = a_campaign(session, minimum=20, pledged_quantity=5)
        a_campaign(session, category="mug", pledged_quantity=45)
        a_campaign(session, minimum=20, currency="EUR")
        found = coming(session, line.factory_id, now=MORNING)
    assert [(c.campaign.id, c.pieces, c.to_smallest, c.to_next_price) for c in found] == [
        (near.id, 45, 5, 150),
        (far.id, 5, 45, 150),
    ]
    assert found[0].free == 200  # the two weeks after the deadline's that arrive by the promised day
    with database.transaction() as session:
        set_week_capacity(session, line.factory_id, {(line.id, date(2026, 11, 16)): 0}, now=MORNING)
        assert coming(session, line.factory_id, now=MORNING)[0].free == 100


def test_the_outlook_is_read_by_its_factory(
    client: Callable[..., Visitor], database: Database, people: dict[str, Person], clock: ManualClock
) -> None:
    assert "目前没有适合你们产线的团" in client("factory").get("/factory/outlook").get_data(as_text=True)
    with database.transaction() as session:
        own = a_factory(session, id=people["factory"].organisation_id)
        a_line(session, own, weekly_capacity=100, minimum=60)
        now = clock.now()
        a_campaign(
            session,
            pledged_quantity=45,
            created_at=now,
            opened_at=now,
            deadline=now + timedelta(days=7),
            promised_date=now + timedelta(days=35),
        )
    page = client("factory").get("/factory/outlook").get_data(as_text=True)
    assert "T 恤" in page
    assert "还差 15 件" in page
    assert client(Role.BUYER).get("/factory/outlook").status_code == 403


def test_what_kept_a_factory_from_an_order_is_told_apart() -> None:
    """Not dearer, but riskier; level; busy with another sheet; left in part; kept for new ones."""
    chosen, risky, level = (a_market_line(on_time_ppm) for on_time_ppm in (950_000, 500_000, 950_000))
    market = Market(date(2026, 11, 9), {SHEET.id: SHEET}, {x.id: x for x in (chosen, risky, level)}, frozenset())
    taken = chosen.terms.quote(10, SHEET.target_cost_minor)
    assert taken is not None
    risk = 10 * 35  # a twentieth of a week's compensation of 7.00

    def found(market: Market, busy: frozenset[UUID] = frozenset()) -> dict[UUID, tuple[WhyNot, int]]:
        passed = market.passed_over(SHEET, taken, risk, chosen.factory_id, busy)
        return {one.factory_id: (one.why, one.missing) for one in passed}

    pair = frozenset({(SHEET.id, level.factory_id)})
    assert found(market) == {risky.factory_id: (WhyNot.RISK, 315), level.factory_id: (WhyNot.LEVEL, 0)}
    assert found(market, frozenset({level.factory_id}))[level.factory_id] == (WhyNot.ALL_TOGETHER, 0)
    assert found(replace(market, banned=pair))[level.factory_id] == (WhyNot.DECLINED, 0)
    assert found(replace(market, banned=pair, in_part=pair))[level.factory_id] == (WhyNot.IN_PART, 0)
    assert found(replace(market, banned=pair, kept_for_new=pair))[level.factory_id] == (WhyNot.KEPT_FOR_NEW, 0)


def a_market_line(on_time_ppm: int) -> Line:
    terms = Terms(100, 1, 0, 3, (PriceStep(1, 60_00),))
    return Line(uuid7(), uuid7(), "CNY", "tshirt", "sewing", on_time_ppm, terms, (100,) * 12)


SHEET = OpenSheet(
    id=uuid7(),
    currency="CNY",
    category="tshirt",
    processes=("sewing",),
    unit_price_minor=100_00,
    target_cost_minor=80_00,
    compensation_ppm_per_day=10_000,
    required_date=MORNING + timedelta(days=60),
    time_zone="Asia/Shanghai",
    matched_until=MORNING + timedelta(days=7),
    pieces={uuid7(): 10},
)
