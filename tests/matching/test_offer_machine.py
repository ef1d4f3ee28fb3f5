"""Whatever factories and operators do with offers: no piece is given away twice, no week booked beyond its capacity."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlmodel import Session, select

from c2m.audit.allocations import CHECKS
from c2m.audit.check import findings_of
from c2m.db import Database
from c2m.demand.models import DemandSheet
from c2m.errors import Refusal
from c2m.matching.counters import Counter, Decision, decide_counter, make_counter, record_effects, weigh_counters
from c2m.matching.hours import Keep, give_up_reservation, offer_idle_weeks, reserve, set_overtime
from c2m.matching.models import (
    HOLDING,
    OPEN,
    Capability,
    CounterOffer,
    CounterState,
    LineKind,
    Offer,
    OfferState,
    Reservation,
)
from c2m.matching.offers import Answer, accept_offer, decline_offer, expire_offers
from c2m.matching.rules import first_week, weeks_from
from c2m.matching.weeks import set_week_capacity
from tests.builders import MORNING, a_line, an_open_sheet
from tests.conftest import lives
from tests.matching.market import match, sound

LIFE = (  # what a life of the machine leaves, children before parents
    "job",
    "announcement",
    "notice",
    "counter_offer",
    "reservation",
    "booking",
    "offer_line",
    "newcomer_offer",
    "offer",
    "match_run",
    "capacity_week",
    "price_break",
    "capability",
    "sheet_release",
    "sheet_pledge",
    "sheet_line",
    "demand_sheet",
)
NEVER_WEIGHED = "A counter-offer waits and nothing will weigh it."
PICK = st.integers(0, 10**6)


class Offers(RuleBasedStateMachine):
    """A small market in which three factories answer, counter, edit their weeks; the clock runs on."""

    database: Database

    @initialize(quantities=st.lists(st.integers(20, 140), min_size=2, max_size=4))
    def a_market(self, quantities: list[int]) -> None:
        with self.database.transaction() as session:
            for table in LIFE:
                session.execute(sa.text(f"DELETE FROM {table}"))
        self.now: datetime = MORNING
        with self.database.transaction() as session:
            for quantity in quantities:
                an_open_sheet(session, quantity, variants=[("black", "M"), ("red", "L"), ("red", "XL")])
            self.lines = [
                a_line(session, weekly_capacity=capacity, prices={1: price, 40: price - 2_00}, minimum=5)
                for capacity, price in ((30, 60_00), (60, 66_00), (45, 72_00))
            ]
        match(self.database, self.now)

    @rule()
    def match_again(self) -> None:
        match(self.database, self.now)

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        with self.database.transaction() as session:
            expire_offers(session, [offer.id for offer in self.offers(session)], self.now)

    @rule(pick=PICK, part=st.integers(1, 160) | st.none())
    def a_factory_accepts(self, pick: int, part: int | None) -> None:
        self.attempt(pick, lambda s, o: accept_offer(s, Answer(o.id, o.factory_id, quantity=part), now=self.now))

    @rule(pick=PICK)
    def a_factory_declines(self, pick: int) -> None:
        self.attempt(pick, lambda s, o: decline_offer(s, Answer(o.id, o.factory_id, reason="no"), now=self.now))

    @rule(pick=PICK, quantity=st.integers(1, 150), price=st.integers(50_00, 95_00), days=st.integers(-14, 28))
    def a_factory_counters(self, pick: int, quantity: int, price: int, days: int) -> None:
        def counter(session: Session, offer: Offer) -> None:
            day = offer.deliver_by + timedelta(days=days)
            pieces = min(quantity, offer.quantity)
            make_counter(session, Counter(offer.id, offer.factory_id, pieces, price, day), now=self.now)

        self.attempt(pick, counter)

    @rule(agrees=st.booleans() | st.none())
    def the_platform_decides(self, agrees: bool | None) -> None:
        """By an operator's word, or by weighing the oldest counter-offer."""
        with self.database.reading() as session:
            waiting = session.exec(select(CounterOffer.id).where(CounterOffer.state == CounterState.OPEN)).first()
        if waiting is None:
            return
        if agrees is None:
            with self.database.reading() as session:
                effects = weigh_counters(session, [waiting], self.now)
            self.try_to(lambda s: record_effects(s, effects, self.now))
        else:
            self.try_to(lambda s: decide_counter(s, Decision(waiting, agrees, None), now=self.now))

    @rule(line=st.integers(0, 2), week=st.integers(0, 3), pieces=st.integers(0, 80))
    def a_week_is_edited(self, line: int, week: int, pieces: int) -> None:
        at = self.lines[line]
        self.try_to(lambda s: set_week_capacity(s, at.factory_id, {(at.id, self.weeks[week]): pieces}, now=self.now))

    @rule(line=st.integers(0, 2), week=st.integers(0, 3), pieces=st.integers(1, 40), overtime=st.booleans())
    def a_factory_keeps_pieces(self, line: int, week: int, pieces: int, overtime: bool) -> None:
        at = self.lines[line]
        if overtime:
            self.try_to(
                lambda s: set_overtime(s, at.id, min(pieces, 30), 40_000, factory_id=at.factory_id, now=self.now)
            )
        else:
            keep = Keep(at.id, self.weeks[week], pieces)
            self.try_to(lambda s: reserve(s, keep, factory_id=at.factory_id, now=self.now))

    @rule(line=st.integers(0, 2), week=st.integers(0, 3), pieces=st.integers(0, 40))
    def an_idle_week_is_opened(self, line: int, week: int, pieces: int) -> None:
        at, wanted = self.lines[line], {self.weeks[week]: pieces}
        self.try_to(lambda s: offer_idle_weeks(s, at.id, wanted, 50_000, factory_id=at.factory_id, now=self.now))

    @rule()
    def kept_pieces_are_given_back(self) -> None:
        with self.database.transaction() as session:
            for kept in session.exec(select(Reservation)).all():
                line = session.get_one(Capability, kept.capability_id)
                give_up_reservation(session, kept.id, factory_id=line.factory_id, now=self.now)

    @invariant()
    def nothing_is_given_twice(self) -> None:
        assert sound(self.database)

    @invariant()
    def what_is_allocated_is_within_the_sheets(self) -> None:
        with self.database.reading() as session:
            for sheet in session.exec(select(DemandSheet)).all():
                held = [o for o in session.exec(select(Offer).where(Offer.sheet_id == sheet.id)) if o.state in HOLDING]
                assert sum(offer.quantity for offer in held) <= sheet.quantity

    @invariant()
    def the_audit_finds_nothing_in_offers_and_weeks(self) -> None:
        with self.database.reading() as session:
            found = [f.sentence for f in findings_of(session, CHECKS, now=self.now) if f.sentence != NEVER_WEIGHED]
            assert found == []
            overtime = session.exec(select(Capability).where(Capability.kind == LineKind.OVERTIME)).all()
            assert all(line.regular_id for line in overtime)

    @property
    def weeks(self) -> list[Any]:
        return weeks_from(first_week(self.now), 4)

    def offers(self, session: Session) -> list[Offer]:
        return [offer for offer in session.exec(select(Offer)).all() if offer.state in OPEN]

    def attempt(self, pick: int, deed: Callable[[Session, Offer], object]) -> None:
        """Do something to an open offer; a refusal changes nothing."""
        with self.database.reading() as session:
            found = self.offers(session)
        if found:
            self.try_to(lambda session: deed(session, found[pick % len(found)]))

    def try_to(self, deed: Callable[[Session], object]) -> None:
        before = self.states()
        try:
            with self.database.transaction() as session:
                deed(session)
        except Refusal:
            assert self.states() == before

    def states(self) -> dict[UUID, tuple[OfferState, int]]:
        with self.database.reading() as session:
            return {offer.id: (offer.state, offer.quantity) for offer in session.exec(select(Offer))}


def test_offers_live_within_sheets_and_weeks(database: Database) -> None:
    machine = type("OffersHere", (Offers,), {"database": database})
    run_state_machine_as_test(machine, settings=lives(database, 6, steps=20))
