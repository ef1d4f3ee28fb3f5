"""From open sheets to offers: what fits is offered, what doesn't is explained, tried again, or handed back."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from c2m.clock import ManualClock, end_of_day
from c2m.db import Database
from c2m.demand.models import HOME_TIME_ZONE, DemandSheet, Pledge, PledgeState, SheetRelease
from c2m.identity.models import Organisation, OrganisationState
from c2m.jobs import Job, Worker
from c2m.ledger.models import Hold, HoldState
from c2m.matching import jobs as matching_jobs
from c2m.matching import queries
from c2m.matching.factories import change_terms
from c2m.matching.models import MatchRun, Offer, OfferLine, OfferState, PriceBreak
from c2m.matching.offers import accept_offers, decline_offers
from c2m.matching.planning import MATCH, Planned, make_offers, plan_matches
from c2m.matching.queries import Pieces, match_runs, remaining_pieces
from c2m.matching.rules import PriceStep, Terms
from c2m.outbox import Announcement, announce
from tests.builders import MORNING, a_capability, a_factory, a_line, an_open_sheet
from tests.matching.market import answers, match, offers, sound

FOUR_COLOURS = [("black", "M"), ("black", "L"), ("red", "M"), ("red", "L")]
HOUR = timedelta(hours=1)
LOOKED_FOR = timedelta(days=3)  # by the builder's policy


def unserved(database: Database) -> list[tuple[str, int]]:
    """The reasons of the latest run, with the pieces they keep unserved."""
    with database.reading() as session:
        return [(entry["reason"], entry["quantity"]) for entry in match_runs(session, limit=1)[0].unserved]


def announced(database: Database, topic: str) -> list[str]:
    with database.reading() as session:
        return [i for a in session.exec(select(Announcement).where(Announcement.topic == topic)) for i in a.ids]


def test_a_sheet_is_offered_to_the_cheaper_factory_and_served_when_it_accepts(database: Database) -> None:
    with database.transaction() as session:
        sheet = an_open_sheet(session, 300, variants=FOUR_COLOURS)
        a_line(session, prices={1: 70_00})
        cheap = a_line(session, prices={1: 62_00, 200: 60_00}, setup_minor=100_00)
    [offer] = match(database, MORNING)
    assert (offer.sheet_id, offer.factory_id, offer.quantity) == (sheet.id, cheap.factory_id, 300)
    assert (offer.unit_price_minor, offer.setup_minor, offer.total_minor) == (60_00, 100_00, 300 * 60_00 + 100_00)
    assert (offer.expires_at, offer.deliver_by) == (MORNING + timedelta(hours=48), sheet.required_date)
    with database.transaction() as session:
        assert accept_offers(session, answers([offer]), now=MORNING + HOUR) == [offer.id]
    with database.reading() as session:
        assert session.exec(select(DemandSheet.served_at)).one() == MORNING + HOUR
    assert announced(database, "matching.offers_made") == announced(database, "matching.offers_accepted")
    assert match(database, MORNING + 2 * HOUR) == []
    assert sound(database)


def test_the_explanation_adds_up_and_names_the_next_best_factory(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 100)
        a_line(session, setup_minor=50_00)
        dearer = a_line(session, prices={1: 61_00})
    [offer] = match(database, MORNING)
    told = offer.explanation
    assert told["cost"]["setup_minor"] + told["cost"]["unit_minor"] == offer.total_minor
    assert told["cost"]["total_minor"] == sum(v for k, v in told["cost"].items() if k != "total_minor")
    assert told["next_best"]["factory_id"] == str(dearer.factory_id)
    assert (told["next_best"]["extra_minor"], told["reason"]) == (50_00, "cheapest")
    assert (told["target_cost_minor"], told["each_minor"]) == (80_00, 60_50)
    assert told["weeks"] == {"2026-11-09": 100}
    parts = {part["part"]: (part["have"], part["need"], part["spare"]) for part in told["fit"]["parts"]}
    assert (parts["process"], parts["capacity"], parts["cost"]) == ((1, 1, 0), (1000, 100, 900), (8000, 6050, 1950))
    assert (parts["date"], parts["quality"]) == ((35, 16, 19), (950_000, 950_000, 0))


def test_a_large_sheet_is_split_and_every_piece_stands_in_one_offer(database: Database) -> None:
    with database.transaction() as session:
        sheet = an_open_sheet(session, 1_003, variants=FOUR_COLOURS)
        for capacity in (90, 110, 70):
            a_line(session, weekly_capacity=capacity)
        lines = remaining_pieces(session, [sheet.id])[sheet.id]
    found = match(database, MORNING)
    assert sum(offer.quantity for offer in found) == 1_003
    with database.reading() as session:
        per_variant = session.execute(
            sa.select(OfferLine.variant_id, sa.func.sum(OfferLine.quantity)).group_by(OfferLine.variant_id)
        )
        assert {variant: int(pieces) for variant, pieces in per_variant} == lines
        assert remaining_pieces(session) == {}
    assert sound(database)


def test_a_price_as_a_share_of_the_target_cost_follows_the_sheet(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10, target_cost_minor=19_99)
        line = a_capability(session, a_factory(session))
        session.add(PriceBreak(capability_id=line.id, from_quantity=1, target_ppm=900_000))
    [offer] = match(database, MORNING)
    assert offer.unit_price_minor == 17_99


@pytest.mark.parametrize("state", [OrganisationState.PENDING, OrganisationState.REFUSED])
def test_a_factory_that_is_not_verified_is_not_asked(database: Database, state: OrganisationState) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10)
        organisation = session.get_one(Organisation, a_line(session).factory_id)
        organisation.state = state
    assert match(database, MORNING) == []
    assert unserved(database) == [("NO_CAPABILITY", 10)]


def test_a_factory_that_loses_its_verification_while_the_plan_is_made_gets_no_offer(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10)
        factory_id = a_line(session).factory_id
    with database.reading() as session:
        planned = plan_matches(session, [], MORNING)
    with database.transaction() as session:
        session.get_one(Organisation, factory_id).state = OrganisationState.REFUSED
        session.flush()
        make_offers(session, planned, MORNING)
    assert offers(database) == []


def test_a_factory_is_only_asked_in_its_own_currency(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10, currency="GBP")
        an_open_sheet(session, 20)
        pounds = a_line(session, a_factory(session, currency="GBP"))
        a_line(session)
    assert {(o.currency, o.quantity, o.factory_id == pounds.factory_id) for o in match(database, MORNING)} == {
        ("GBP", 10, True),
        ("CNY", 20, False),
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"category": "mug", "process": "ceramics"}, "NO_CAPABILITY"),
        ({"process": "knitting"}, "NO_CAPABILITY"),
        ({"minimum": 11}, "MOQ"),
        ({"prices": {11: 50_00}}, "MOQ"),
        ({"prices": {1: 80_01}}, "PRICE"),
        ({"setup_minor": 201_00}, "PRICE"),
        ({"weekly_capacity": 0}, "CAPACITY"),
        ({"lead_days": 60}, "LEAD_TIME"),
    ],
)
def test_what_keeps_a_sheet_unserved_is_said(database: Database, line: dict[str, object], reason: str) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10)
        a_line(session, **line)
    assert match(database, MORNING) == []
    assert unserved(database) == [(reason, 10)]


def test_an_unserved_sheet_is_tried_again_until_a_factory_comes_along(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10)
    assert match(database, MORNING) == []
    with database.transaction() as session:
        a_line(session)
    later = MORNING + LOOKED_FOR - timedelta(seconds=1)
    assert [offer.quantity for offer in match(database, later)] == [10]


def test_a_sheet_nobody_makes_is_given_up_after_three_days_and_its_buyers_are_refunded(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10)
    match(database, MORNING + LOOKED_FOR - timedelta(seconds=1))
    with database.reading() as session:
        assert session.exec(select(Pledge.state)).one() is PledgeState.CONFIRMED
    match(database, MORNING + LOOKED_FOR)
    with database.reading() as session:
        assert session.exec(select(Pledge.state)).one() is PledgeState.REFUNDED
        hold = session.exec(select(Hold)).one()
        assert (hold.state, hold.refunded_minor) == (HoldState.REFUNDED, 10 * 100_00)
        assert session.exec(select(DemandSheet.served_at)).one() == MORNING + LOOKED_FOR
        assert session.exec(select(SheetRelease.quantity)).all() == [10]
    assert match(database, MORNING + LOOKED_FOR) == []


def test_left_alone_an_unmatched_sheet_is_given_up_on_the_minute_its_search_is_over(
    database: Database, clock: ManualClock
) -> None:
    begun = clock.now() + timedelta(minutes=17)  # no regular run falls on this minute
    clock.set(begun)
    with database.transaction() as session:
        sheet = an_open_sheet(session, 10, issued_at=begun, required_date=begun + timedelta(days=40))
        announce(session, "demand.sheets_issued", [sheet.id], now=begun)
    worker = Worker(database, matching_jobs.handlers(), matching_jobs.SUBSCRIPTIONS)
    worker.run_until_idle(clock.now())
    clock.set(begun + LOOKED_FOR - timedelta(seconds=1))
    worker.run_until_idle(clock.now())
    with database.reading() as session:
        assert session.exec(select(Pledge.state)).one() is PledgeState.CONFIRMED
    clock.set(begun + LOOKED_FOR)
    worker.run_until_idle(clock.now())
    with database.reading() as session:
        assert session.exec(select(Pledge.state)).one() is PledgeState.REFUNDED


def test_when_the_search_is_over_an_open_offer_may_still_be_answered_but_no_new_one_is_made(
    database: Database,
) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10)
        a_line(session)
    late = MORNING + LOOKED_FOR - HOUR
    [first] = match(database, late)
    with database.transaction() as session:
        a_line(session, prices={1: 65_00})
    assert match(database, MORNING + LOOKED_FOR) == [first]
    with database.reading() as session:
        assert session.exec(select(DemandSheet.served_at)).one() is None
    returned = MORNING + LOOKED_FOR + HOUR
    with database.transaction() as session:
        decline_offers(session, answers([first]), now=returned)
    assert match(database, returned) == []
    with database.reading() as session:
        assert session.exec(select(Pledge.state)).one() is PledgeState.REFUNDED
        assert session.exec(select(DemandSheet.served_at)).one() == returned
    assert sound(database)


def test_a_sheet_that_cannot_be_in_time_any_more_is_given_up_at_once(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10, required_date=MORNING + timedelta(days=3))
        a_line(session, lead_days=10)
    assert match(database, MORNING) == []
    with database.reading() as session:
        assert match_runs(session)[0].unserved[0]["earliest"] == "2026-11-26"
        assert session.exec(select(Pledge.state)).one() is PledgeState.REFUNDED


def test_a_sheet_whose_date_has_just_passed_is_still_made_within_the_tolerated_delay(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10, required_date=MORNING + timedelta(days=3))
        a_line(session, lead_days=1)
    [offer] = match(database, MORNING)
    arrives = datetime(2026, 11, 17, tzinfo=UTC)
    assert offer.deliver_by == end_of_day(arrives, HOME_TIME_ZONE)
    assert offer.explanation["cost"]["lateness_minor"] == 2 * 7 * 10 * 1_00


def test_only_what_nobody_makes_is_given_up(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 100, required_date=MORNING + timedelta(days=14))
        a_line(session, weekly_capacity=20, lead_days=0)
    found = match(database, MORNING)
    made = sum(offer.quantity for offer in found)
    assert 0 < made < 100
    with database.transaction() as session:
        accept_offers(session, answers(found), now=MORNING)
    match(database, MORNING + LOOKED_FOR)
    with database.reading() as session:
        taken = sum(session.exec(select(Offer.quantity).where(Offer.state == OfferState.ACCEPTED)).all())
        waiting = sum(session.exec(select(Offer.quantity).where(Offer.state == OfferState.OFFERED)).all())
        released = sum(session.exec(select(SheetRelease.quantity)).all())
        assert (taken, taken + waiting + released) == (made, 100)
        assert session.exec(select(Pledge.released_quantity, Pledge.state)).one() == (released, PledgeState.CONFIRMED)
    assert sound(database)


def test_a_declined_sheet_goes_to_another_factory_and_never_back(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10)
        cheap, dear = a_line(session), a_line(session, prices={1: 65_00})
    [first] = match(database, MORNING)
    with database.transaction() as session:
        decline_offers(session, answers([first]), now=MORNING + HOUR)
    [second] = match(database, MORNING + HOUR)
    assert (first.factory_id, second.factory_id, second.quantity) == (cheap.factory_id, dear.factory_id, 10)
    with database.transaction() as session:
        decline_offers(session, answers([second]), now=MORNING + HOUR)
    assert match(database, MORNING + HOUR) == []
    assert unserved(database) == [("NO_OFFER", 10)]


def planned_twice(database: Database) -> tuple[list[Sequence[Planned]], Pieces]:
    """Two plans for the same sheet, made before either is written down, and the pieces they saw."""
    with database.transaction() as session:
        an_open_sheet(session, 10, variants=FOUR_COLOURS)
        a_line(session)
    with database.reading() as session:
        seen = remaining_pieces(session)
        return [plan_matches(session, [], MORNING) for _ in range(2)], seen


def write_down(database: Database, plans: list[Sequence[Planned]]) -> None:
    for plan in plans:
        with database.transaction() as session:
            make_offers(session, plan, MORNING)


def test_two_plans_for_one_sheet_offer_each_piece_once(database: Database) -> None:
    plans, _ = planned_twice(database)
    write_down(database, plans)
    assert [offer.quantity for offer in offers(database)] == [10]
    assert sound(database)


def test_without_the_second_look_two_plans_offer_pieces_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans, seen = planned_twice(database)
    monkeypatch.setattr(queries, "remaining_pieces", lambda _session, ids: {i: dict(seen[i]) for i in ids})
    write_down(database, plans)
    assert [offer.quantity for offer in offers(database)] == [10, 10]
    assert not sound(database)


def test_terms_that_changed_meanwhile_do_not_change_the_plan_s_price(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10)
        line = a_line(session)
    with database.reading() as session:
        planned = plan_matches(session, [], MORNING)
    with database.transaction() as session:
        dearer = Terms(1_000, 1, 0, 3, (PriceStep(1, 99_00),))
        change_terms(session, line.id, dearer, factory_id=line.factory_id, now=MORNING)
        make_offers(session, planned, MORNING)
    assert [offer.unit_price_minor for offer in offers(database)] == [60_00]


def test_an_announcement_delivered_twice_makes_nothing_twice(database: Database) -> None:
    with database.transaction() as session:
        sheet = an_open_sheet(session, 10)
        a_line(session)
        announce(session, "demand.sheets_issued", [sheet.id], now=MORNING)
        announce(session, "demand.sheets_issued", [sheet.id], now=MORNING)
    worker = Worker(database, matching_jobs.handlers(), matching_jobs.SUBSCRIPTIONS, matching_jobs.SCHEDULES)
    worker.run_until_idle(MORNING)
    with database.transaction() as session:
        session.execute(sa.update(Job).where(sa.column("kind") == MATCH).values(state="ready"))
    worker.run_until_idle(MORNING)
    assert [offer.quantity for offer in offers(database)] == [10]
    assert len(announced(database, "matching.offers_made")) == 1


def test_left_alone_an_offer_runs_out_and_the_sheet_goes_on_by_itself(database: Database, clock: ManualClock) -> None:
    with database.transaction() as session:
        sheet = an_open_sheet(session, 10, issued_at=clock.now(), required_date=clock.now() + timedelta(days=40))
        lines = [a_line(session), a_line(session, prices={1: 65_00})]
        announce(session, "demand.sheets_issued", [sheet.id], now=clock.now())
    worker = Worker(database, matching_jobs.handlers(), matching_jobs.SUBSCRIPTIONS, matching_jobs.SCHEDULES)
    for _ in range(20):
        worker.run_until_idle(clock.now())
        clock.advance(timedelta(hours=6))
    assert [(o.factory_id, o.state) for o in offers(database)] == [
        (line.factory_id, OfferState.EXPIRED) for line in lines
    ]
    with database.reading() as session:
        assert session.exec(select(Pledge.state)).one() is PledgeState.REFUNDED
        assert session.exec(select(MatchRun.offers_made).order_by(sa.column("id"))).all()[:2] == [1, 1]
    assert sound(database)


def test_capacity_the_first_offers_filled_is_made_up_for_by_other_lines(database: Database) -> None:
    with database.transaction() as session:
        for _ in range(3):
            an_open_sheet(session, 400, required_date=MORNING + timedelta(days=21))
        for price in range(12):
            a_line(session, weekly_capacity=50, lead_days=0, prices={1: 60_00 + price})
    match(database, MORNING)
    for attempt in range(1, 4):
        match(database, MORNING + attempt * HOUR)
    assert sum(offer.quantity for offer in offers(database)) == 1_200
    assert sound(database)


def test_what_a_run_costs_in_statements_does_not_grow_with_its_sheets(database: Database) -> None:
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    counts = []
    for sheets in (2, 30):
        with database.transaction() as session:
            for quantity in range(1, sheets + 1):
                an_open_sheet(session, quantity)
            if sheets == 2:
                for _ in range(5):
                    a_line(session)
        statements.clear()
        match(database, MORNING)
        counts.append(len(statements))
    assert len(offers(database)) == 32
    assert counts[0] == counts[1]


def test_weeks_are_taken_from_the_earliest_on(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 25)
        a_line(session, weekly_capacity=10)
    [offer] = match(database, MORNING)
    weeks = {date.fromisoformat(week): pieces for week, pieces in offer.explanation["weeks"].items()}
    assert weeks == {date(2026, 11, 9): 10, date(2026, 11, 16): 10, date(2026, 11, 23): 5}
