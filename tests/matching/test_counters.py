"""Offers taken in part and counter-offers: what is agreed, what it would do to the plan, and many deciding at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m import jobs
from c2m.audit import run
from c2m.db import Database, table_of
from c2m.demand.models import DemandSheet
from c2m.errors import Refusal
from c2m.identity.models import Role
from c2m.matching import counters, queries
from c2m.matching.bargaining import CounterTerms, Effect, Outcome, agreed_by_rule, counter_errors, moved_weeks
from c2m.matching.capacity import booked_since, week_of_line
from c2m.matching.counters import (
    Counter,
    CounterDecided,
    CountersUsedUp,
    Decision,
    InvalidCounter,
    NoRoomForCounter,
    decide_counter,
    make_counter,
    record_effects,
    weigh_counters,
)
from c2m.matching.models import Booking, Capability, CounterOffer, CounterState, Offer, OfferLine, OfferState
from c2m.matching.offers import Answer, InvalidPart, OfferNotOpen, accept_offer, decline_offer, expire_offers
from c2m.notices.models import Notice, NoticeKind
from c2m.outbox import Announcement
from tests.builders import MORNING, a_line, an_open_sheet, an_organisation
from tests.matching.market import match, sound
from tests.matching.test_offers import at_once

HOUR = timedelta(hours=1)
NOON = MORNING + timedelta(hours=4)
THREADS = 16


@pytest.fixture
def offer(database: Database) -> Offer:
    """An open offer of 70 pieces at ¥60 on a line that makes 100 a week; another line asks ¥70; the target is ¥80."""
    with database.transaction() as session:
        an_organisation(session, Role.OPERATOR)
        sheet = an_open_sheet(session, 70, variants=[("black", "M"), ("red", "L"), ("red", "XL")])
        sheet.required_date = MORNING + timedelta(days=28)
        session.add(sheet)
        a_line(session, weekly_capacity=100)
        a_line(session, weekly_capacity=100, prices={1: 70_00})
    [found] = match(database, MORNING)
    assert found.unit_price_minor == 60_00
    return found


def a_counter(offer: Offer, **terms: object) -> Counter:
    """The offer's own terms but for those named."""
    same = Counter(offer.id, offer.factory_id, offer.quantity, offer.unit_price_minor, offer.deliver_by)
    return replace(same, **terms)  # type: ignore[arg-type]


def countered(database: Database, offer: Offer, **terms: object) -> UUID:
    with database.transaction() as session:
        return make_counter(session, a_counter(offer, **terms), now=NOON)


def weigh(database: Database, counter_id: UUID) -> Effect:
    """Work out and record what a counter-offer would do, as the job does."""
    with database.reading() as session:
        effects = weigh_counters(session, [counter_id], NOON)
    with database.transaction() as session:
        record_effects(session, effects, NOON)
    [(_, effect)] = effects
    return effect


def decide(database: Database, counter_id: UUID, *, agrees: bool) -> None:
    with database.transaction() as session:
        decide_counter(session, Decision(counter_id, agrees, None, "because"), now=NOON)


def part_of(offer: Offer, name: str) -> dict[str, int]:
    """What an offer's explanation says of one part of its fit."""
    [found] = [part for part in offer.explanation["fit"]["parts"] if part["part"] == name]
    return dict(found)


def the_counter(database: Database) -> CounterOffer:
    with database.reading() as session:
        return session.exec(select(CounterOffer)).one()


def the_offer(database: Database, offer: Offer) -> Offer:
    with database.reading() as session:
        return session.get_one(Offer, offer.id)


def announced(database: Database, topic: str) -> int:
    with database.reading() as session:
        return len(session.exec(select(Announcement).where(Announcement.topic == topic)).all())


def booked(database: Database, offer: Offer) -> dict[str, int]:
    """What the offer still takes, by week."""
    with database.reading() as session:
        rows = session.exec(select(Booking).where(Booking.offer_id == offer.id, col(Booking.released_at).is_(None)))
        return {row.week.isoformat(): row.quantity for row in rows}


def test_an_offer_taken_in_part_leaves_the_rest_to_others(database: Database, offer: Offer) -> None:
    with database.transaction() as session:
        accept_offer(session, Answer(offer.id, offer.factory_id, quantity=40), now=NOON)
    taken = the_offer(database, offer)
    assert (taken.state, taken.quantity, taken.untaken) == (OfferState.ACCEPTED, 40, 30)
    assert taken.total_minor == 40 * 60_00
    with database.reading() as session:
        lines = session.exec(select(OfferLine.quantity).where(OfferLine.offer_id == offer.id)).all()
    assert sorted(lines) == [13, 13, 14]  # the proportions of 24, 23 and 23
    assert booked(database, offer) == taken.explanation["weeks"] == {"2026-11-09": 40}
    assert (part_of(taken, "capacity")["need"], taken.explanation["offered"]["quantity"]) == (40, 70)
    with database.reading() as session:
        shown = queries.offer_detail(session, offer.id, factory_id=offer.factory_id)
        assert [(week.week.isoformat(), week.quantity) for week in shown.weeks] == [("2026-11-09", 40)]
    assert announced(database, "matching.offers_cut") == 1
    [rest] = match(database, NOON)
    assert (rest.quantity, rest.factory_id != offer.factory_id) == (30, True)
    assert sound(database)


@pytest.mark.parametrize("quantity", [0, -1, 71])
def test_a_part_that_is_none_is_refused(database: Database, offer: Offer, quantity: int) -> None:
    with pytest.raises(InvalidPart), database.transaction() as session:
        accept_offer(session, Answer(offer.id, offer.factory_id, quantity=quantity), now=NOON)
    assert the_offer(database, offer).state is OfferState.OFFERED


def test_a_counter_holds_the_capacity_until_it_is_decided(database: Database, offer: Offer) -> None:
    countered(database, offer, unit_price_minor=65_00, note="The yarn went up")
    waiting = the_offer(database, offer)
    assert (waiting.state, waiting.unit_price_minor) == (OfferState.COUNTERED, 60_00)
    assert booked(database, offer) == {"2026-11-09": 70}
    assert announced(database, "matching.offers_countered") == 1
    with pytest.raises(OfferNotOpen):
        countered(database, offer, unit_price_minor=66_00)


def test_agreeing_makes_it_an_accepted_offer_on_the_counters_terms(database: Database, offer: Offer) -> None:
    later = offer.deliver_by + timedelta(days=7)
    counter_id = countered(database, offer, quantity=50, unit_price_minor=65_00, deliver_by=later)
    decide(database, counter_id, agrees=True)
    agreed = the_offer(database, offer)
    with database.reading() as session:
        shown = queries.offer_detail(session, offer.id, factory_id=offer.factory_id).weeks
        assert {week.week.isoformat(): week.quantity for week in shown} == booked(database, offer)
        [line_week] = [week_of_line(session, session.get_one(Capability, offer.capability_id), w.week) for w in shown]
        assert [booked_since(b, o) for b, o, _ in line_week.bookings] == [NOON]  # not when it was offered
    assert (agreed.state, agreed.quantity, agreed.untaken) == (OfferState.ACCEPTED, 50, 20)
    assert (agreed.unit_price_minor, agreed.total_minor, agreed.deliver_by) == (65_00, 50 * 65_00, later)
    assert sum(booked(database, offer).values()) == 50
    assert min(booked(database, offer)) > "2026-11-09"  # as late as the new day permits
    why = agreed.explanation
    assert why["weeks"] == booked(database, offer)
    assert (why["each_minor"], part_of(agreed, "cost")["need"], part_of(agreed, "capacity")["need"]) == (6500, 6500, 50)
    assert part_of(agreed, "date")["need"] > part_of(offer, "date")["need"]
    offered = {"quantity": 70, "unit_price_minor": 60_00, "total_minor": 70 * 60_00}
    assert why["offered"] | offered | {"weeks": {"2026-11-09": 70}} == why["offered"]
    assert datetime.fromisoformat(why["offered"]["deliver_by"]) == offer.deliver_by
    assert the_counter(database).state is CounterState.AGREED
    assert announced(database, "matching.offers_accepted") == announced(database, "matching.offers_cut") == 1
    assert sound(database)


def test_refusing_leaves_the_offer_as_it_was(database: Database, offer: Offer) -> None:
    decide(database, countered(database, offer, unit_price_minor=65_00), agrees=False)
    assert the_offer(database, offer).state is OfferState.OFFERED
    with database.transaction() as session:
        accept_offer(session, Answer(offer.id, offer.factory_id), now=NOON)
    assert the_offer(database, offer).total_minor == offer.total_minor
    with database.reading() as session:
        kinds = session.exec(select(Notice.kind)).all()
    assert kinds == [NoticeKind.COUNTER_REFUSED]


def test_an_offer_is_countered_twice_at_most(database: Database, offer: Offer) -> None:
    for price in (66_00, 65_00):
        with database.transaction() as session:
            counter_id = make_counter(session, a_counter(offer, unit_price_minor=price), now=NOON)
        decide(database, counter_id, agrees=False)
    with pytest.raises(CountersUsedUp):
        countered(database, offer, unit_price_minor=64_00)


@pytest.mark.parametrize("answer", [accept_offer, decline_offer])
def test_a_factory_that_answers_withdraws_its_counter(
    database: Database, offer: Offer, answer: Callable[..., None]
) -> None:
    counter_id = countered(database, offer, unit_price_minor=65_00)
    with database.transaction() as session:
        answer(session, Answer(offer.id, offer.factory_id), now=NOON)
    assert the_counter(database).state is CounterState.WITHDRAWN
    with pytest.raises(CounterDecided):
        decide(database, counter_id, agrees=True)
    assert the_offer(database, offer).unit_price_minor == 60_00


def test_a_counter_nobody_decides_lapses_with_its_offer(database: Database, offer: Offer) -> None:
    with database.transaction() as session:
        make_counter(session, a_counter(offer, quantity=10), now=offer.expires_at - HOUR)
    later = the_offer(database, offer).expires_at
    assert later == offer.expires_at + 23 * HOUR
    with database.reading() as session:
        due = session.exec(select(jobs.Job.due_at).where(jobs.Job.kind == "matching.expire_offers")).all()
    assert sorted(due) == [offer.expires_at, later]
    for now, state in ((offer.expires_at, OfferState.COUNTERED), (later, OfferState.EXPIRED)):
        with database.transaction() as session:
            expire_offers(session, [offer.id], now)
        assert the_offer(database, offer).state is state
    assert the_counter(database).state is CounterState.LAPSED
    assert booked(database, offer) == {}


@pytest.mark.parametrize(
    "terms",
    [
        {"quantity": 0},
        {"quantity": 71},
        {"unit_price_minor": 0},
        {"unit_price_minor": 600_01},
        {"deliver_by": NOON},
        {"deliver_by": MORNING + timedelta(days=120)},
        {},
    ],
)
def test_terms_that_are_no_counter_are_refused(database: Database, offer: Offer, terms: dict[str, object]) -> None:
    with pytest.raises(InvalidCounter):
        countered(database, offer, **terms)
    assert the_offer(database, offer).state is OfferState.OFFERED


def test_a_day_for_which_there_is_no_room_is_refused(database: Database, offer: Offer) -> None:
    with pytest.raises(NoRoomForCounter):
        countered(database, offer, deliver_by=NOON + timedelta(days=3))


def test_the_plan_with_a_counter_is_set_beside_the_plan_without(database: Database, offer: Offer) -> None:
    effect = weigh(database, countered(database, offer, unit_price_minor=90_00))
    assert (effect.agreed.served, effect.elsewhere.served) == (70, 70)
    # a factory on time 95 % of the time risks a twentieth of a week's ¥7 a piece, on whatever terms
    risk = 70 * 35
    assert (effect.agreed.cost_minor, effect.agreed.risk_minor) == (70 * 90_00 + risk, risk)
    assert (effect.stands.cost_minor, effect.stands.risk_minor) == (70 * 60_00 + risk, risk)
    assert (effect.elsewhere.cost_minor, effect.elsewhere.risk_minor) == (70 * 70_00 + risk, risk)
    own = (str(offer.factory_id), 70)
    assert effect.agreed.makers == effect.stands.makers == (own,)
    [(other, pieces)] = effect.elsewhere.makers
    assert (other != own[0], pieces) == (True, 70)
    assert effect.extra_minor == effect.agreed.cost_minor - effect.elsewhere.cost_minor
    waiting = the_counter(database)
    assert (waiting.state, waiting.effect["extra_minor"]) == (CounterState.OPEN, effect.extra_minor)
    with database.reading() as session:
        assert session.exec(select(Notice.kind)).all() == [NoticeKind.COUNTER_WAITS]


def test_the_rest_of_a_smaller_counter_is_matched_on_both_sides(database: Database, offer: Offer) -> None:
    effect = weigh(database, countered(database, offer, quantity=40, unit_price_minor=90_00))
    assert (effect.agreed.served, effect.agreed.left) == (70, 0)
    assert 40 * 90_00 + 30 * 70_00 <= effect.agreed.cost_minor < 40 * 90_00 + 30 * 71_00


def test_late_pieces_are_counted_and_cost_what_their_buyers_are_paid(database: Database, offer: Offer) -> None:
    with database.reading() as session:
        required = session.get_one(DemandSheet, offer.sheet_id).required_date
    effect = weigh(database, countered(database, offer, deliver_by=required + timedelta(days=3)))
    assert (effect.agreed.late, effect.elsewhere.late) == (70, 0)
    assert effect.agreed.lateness_minor == 70 * 7_00  # a week at 1 % a day of ¥100
    assert the_counter(database).state is CounterState.OPEN


def test_a_counter_within_the_target_that_costs_no_more_is_agreed_to_by_rule(database: Database, offer: Offer) -> None:
    effect = weigh(database, countered(database, offer, unit_price_minor=65_00))
    assert effect.extra_minor < 0
    assert (the_counter(database).state, the_counter(database).decided_by) == (CounterState.AGREED, None)
    assert the_offer(database, offer).state is OfferState.ACCEPTED


def test_with_nobody_else_refusing_leaves_the_pieces(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 70)
        a_line(session, weekly_capacity=100)
    [offer] = match(database, MORNING)
    effect = weigh(database, countered(database, offer, unit_price_minor=79_00))
    assert (effect.elsewhere.served, effect.elsewhere.left, effect.elsewhere.cost_minor) == (0, 70, 70 * 80_00)
    assert the_counter(database).state is CounterState.AGREED


def test_an_open_counter_that_nothing_will_weigh_is_found_by_the_audit(database: Database, offer: Offer) -> None:
    counter_id = countered(database, offer, unit_price_minor=65_00)
    found = "A counter-offer waits and nothing will weigh it."
    with database.writing() as session:
        assert found not in {finding.sentence for finding in run(session, now=NOON)}
        session.execute(sa.delete(table_of(Announcement)))
        assert {finding.sentence: finding.ids for finding in run(session, now=NOON)}[found] == (str(counter_id),)
        session.rollback()


@pytest.mark.parametrize("rivals", ["decide", "everything"])
def test_of_many_deciding_at_once_one_wins(database: Database, offer: Offer, rivals: str) -> None:
    counter_id = countered(database, offer, quantity=50, unit_price_minor=65_00)
    deeds: list[Callable[[Session], object]] = [
        lambda s: decide_counter(s, Decision(counter_id, True, None), now=NOON),
        lambda s: decide_counter(s, Decision(counter_id, False, None), now=NOON),
        lambda s: accept_offer(s, Answer(offer.id, offer.factory_id, quantity=30), now=NOON),
        lambda s: decline_offer(s, Answer(offer.id, offer.factory_id), now=NOON),
    ]
    chosen = deeds[:2] if rivals == "decide" else deeds
    won: list[int] = []

    def act(number: int) -> None:
        try:
            with database.transaction() as session:
                chosen[number % len(chosen)](session)
        except Refusal:
            return
        won.append(number % len(chosen))

    assert at_once(THREADS, act) == []
    assert sound(database)
    assert the_counter(database).state is not CounterState.OPEN
    final = the_offer(database, offer)
    if rivals == "decide":
        assert len(won) == 1
        assert final.state is (OfferState.ACCEPTED if won == [0] else OfferState.OFFERED)
    else:  # a refusal leaves the offer open for one more answer
        assert len(won) == (2 if 1 in won else 1)
        assert final.state in (OfferState.ACCEPTED, OfferState.DECLINED)


def test_without_the_guard_several_decisions_win(
    database: Database, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter_id = countered(database, offer, unit_price_minor=65_00)
    monkeypatch.setattr(counters, "_record", lambda *_: True)
    monkeypatch.setattr(counters, "close", lambda _s, ids, _open_if, _closing: {ids[0]: offer.sheet_id})
    won: list[int] = []

    def act(number: int) -> None:
        with database.transaction() as session:
            decide_counter(session, Decision(counter_id, False, None), now=NOON)
        won.append(number)

    assert at_once(THREADS, act) == []
    assert len(won) == THREADS


TERMS = CounterTerms(10, 60_00, 100_00, MORNING + timedelta(days=20))


def test_a_counter_is_agreed_to_by_rule_only_within_target_and_day() -> None:
    dear = Outcome(10, 0, 0, 10, 0, 0)
    cheaper = Effect(replace(dear, cost_minor=9), dear, dear)
    day = TERMS.deliver_by
    assert agreed_by_rule(TERMS, cheaper, target_cost_minor=70_00, required=day)
    assert not agreed_by_rule(TERMS, cheaper, target_cost_minor=69_99, required=day)
    assert not agreed_by_rule(TERMS, cheaper, target_cost_minor=70_00, required=day - HOUR)
    dearer = Effect(dear, dear, cheaper.agreed)
    assert not agreed_by_rule(TERMS, dearer, target_cost_minor=70_00, required=day)
    fewer = replace(cheaper, agreed=replace(cheaper.agreed, served=9))
    assert not agreed_by_rule(TERMS, fewer, target_cost_minor=70_00, required=day)


def test_the_same_terms_are_no_counter() -> None:
    assert counter_errors(TERMS, TERMS, now=MORNING).keys() == {"quantity"}
    assert counter_errors(TERMS, replace(TERMS, quantity=9), now=MORNING) == {}


def test_pieces_move_late_when_time_is_asked_for_and_early_when_it_is_given() -> None:
    first, second, third = (MORNING.date() + timedelta(weeks=i) for i in range(3))
    free = {first: 0, second: 20, third: 5}
    assert moved_weeks({first: 30}, free, 30, last=third) == {first: 5, second: 20, third: 5}
    assert moved_weeks({third: 10}, {first: 4, second: 6}, 10, last=second) == {first: 4, second: 6}
    assert moved_weeks({third: 10}, {first: 4}, 10, last=second) is None
