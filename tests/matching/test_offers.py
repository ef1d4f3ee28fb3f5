"""Answering offers: each exactly once, by its own factory, in time; and many at once."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from c2m.db import Database, uuid7
from c2m.demand.models import DemandSheet
from c2m.errors import Refusal
from c2m.identity.models import Role, User
from c2m.matching import offers as offer_service
from c2m.matching import queries
from c2m.matching.capacity import capacity_map
from c2m.matching.models import Booking, CapacityWeek, Offer, OfferState
from c2m.matching.offers import (
    Answer,
    OfferNotOpen,
    accept_offer,
    accept_offers,
    decline_offer,
    decline_offers,
    expire_offers,
)
from c2m.matching.planning import make_offers, plan_matches
from c2m.matching.queries import OfferNotFound, inbox, offer_detail, offers_by_state
from c2m.outbox import Announcement
from tests.builders import MORNING, a_factory, a_line, an_open_sheet, an_organisation
from tests.matching.market import answers, match, misbooked_weeks, offers, sound

NOON = MORNING + timedelta(hours=4)
TOO_LATE = MORNING + timedelta(hours=48)
WEEKS = [date(2026, 11, 9), date(2026, 11, 16)]
THREADS = 16


@pytest.fixture
def offer(database: Database) -> Offer:
    """One open offer of 70 pieces on a line that makes 100 a week."""
    with database.transaction() as session:
        an_open_sheet(session, 70, variants=[("black", "M"), ("red", "L")])
        a_line(session, weekly_capacity=100)
    [found] = match(database, MORNING)
    return found


def load(database: Database, factory_id: UUID) -> list[tuple[int, int, int]]:
    """Capacity, booked and held of the factory's line in the first two weeks."""
    with database.reading() as session:
        [row] = capacity_map(session, factory_id, WEEKS)
        return [(cell.capacity, cell.booked, cell.held) for cell in row.cells]


def everything(database: Database) -> list[list[tuple[object, ...]]]:
    tables = (Offer, Booking, CapacityWeek, DemandSheet, Announcement)
    with database.reading() as session:
        return [sorted(map(tuple, session.execute(sa.select(t.__table__))), key=str) for t in tables]


def test_an_offer_holds_capacity_and_an_accepted_one_books_it(database: Database, offer: Offer) -> None:
    assert load(database, offer.factory_id) == [(100, 0, 70), (100, 0, 0)]
    with database.transaction() as session:
        house = an_organisation(session, Role.FACTORY)
        someone = User(organisation_id=house.id, email="a@b.c", name="A", password_hash="", registered_at=MORNING)
        accept_offer(session, Answer(offer.id, offer.factory_id, answered_by=someone.id), now=NOON)
    assert load(database, offer.factory_id) == [(100, 70, 0), (100, 0, 0)]
    [answered] = offers(database)
    assert (answered.state, answered.answered_at, answered.answered_by) == (OfferState.ACCEPTED, NOON, someone.id)


def test_a_declined_offer_frees_its_capacity_and_keeps_the_reason(database: Database, offer: Offer) -> None:
    with database.transaction() as session:
        decline_offer(session, Answer(offer.id, offer.factory_id, reason="no red dye"), now=NOON)
    assert load(database, offer.factory_id) == [(100, 0, 0), (100, 0, 0)]
    assert [(o.state, o.reason) for o in offers(database)] == [(OfferState.DECLINED, "no red dye")]
    with database.reading() as session:
        assert session.exec(select(Booking.released_at)).all() == [NOON]
        returned = session.exec(select(Announcement).where(Announcement.topic == "matching.offers_returned")).one()
        assert returned.ids == [str(offer.id)]


@pytest.mark.parametrize("again", [accept_offer, decline_offer])
@pytest.mark.parametrize("first", [accept_offer, decline_offer])
def test_a_second_answer_is_refused(
    database: Database, offer: Offer, first: Callable[..., None], again: Callable[..., None]
) -> None:
    with database.transaction() as session:
        first(session, *answers([offer]), now=NOON)
    before = everything(database)
    with pytest.raises(OfferNotOpen), database.transaction() as session:
        again(session, *answers([offer]), now=NOON)
    assert everything(database) == before


@pytest.mark.parametrize("answer", [accept_offer, decline_offer])
def test_an_answer_that_comes_too_late_is_refused(
    database: Database, offer: Offer, answer: Callable[..., None]
) -> None:
    before = everything(database)
    with pytest.raises(OfferNotOpen), database.transaction() as session:
        answer(session, *answers([offer]), now=TOO_LATE)
    assert everything(database) == before


@pytest.mark.parametrize("answer", [accept_offer, decline_offer])
def test_another_factory_s_offer_and_an_unknown_one_are_not_found(
    database: Database, offer: Offer, answer: Callable[..., None]
) -> None:
    with database.transaction() as session:
        stranger = a_factory(session).id
    before = everything(database)
    for foreign in (Answer(offer.id, stranger), Answer(uuid7(), offer.factory_id)):
        with pytest.raises(OfferNotFound), database.transaction() as session:
            answer(session, foreign, now=NOON)
    with pytest.raises(OfferNotFound), database.reading() as session:
        offer_detail(session, offer.id, factory_id=stranger)
    assert everything(database) == before


def test_in_a_set_each_answer_has_its_own_result(database: Database, offer: Offer) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 10)
        stranger = a_factory(session).id
    [_, other] = match(database, MORNING)
    asked = [
        Answer(offer.id, stranger),
        Answer(offer.id, offer.factory_id),
        Answer(offer.id, offer.factory_id),
        Answer(uuid7(), stranger),
        Answer(other.id, other.factory_id),
    ]
    with database.transaction() as session:
        results = accept_offers(session, asked, now=NOON)
    assert [r if isinstance(r, UUID) else type(r) for r in results] == [
        OfferNotFound,
        offer.id,
        OfferNotOpen,
        OfferNotFound,
        other.id,
    ]


def test_an_offer_runs_out_when_its_time_is_over_and_not_before(database: Database, offer: Offer) -> None:
    with database.transaction() as session:
        expire_offers(session, [offer.id], TOO_LATE - timedelta(seconds=1))
    assert [o.state for o in offers(database)] == [OfferState.OFFERED]
    for _ in range(2):
        with database.transaction() as session:
            expire_offers(session, [offer.id], TOO_LATE)
    assert [o.state for o in offers(database)] == [OfferState.EXPIRED]
    assert load(database, offer.factory_id) == [(100, 0, 0), (100, 0, 0)]
    assert sound(database)


def test_an_accepted_offer_never_runs_out(database: Database, offer: Offer) -> None:
    with database.transaction() as session:
        accept_offers(session, answers([offer]), now=NOON)
    before = everything(database)
    with database.transaction() as session:
        expire_offers(session, [offer.id], TOO_LATE)
    assert everything(database) == before


def test_a_sheet_of_two_factories_is_served_with_the_last_answer(database: Database) -> None:
    with database.transaction() as session:
        an_open_sheet(session, 90)
        for _ in range(2):
            a_line(session, weekly_capacity=20)
    found = match(database, MORNING)
    assert len({o.factory_id for o in found}) == 2
    for offer in found:
        with database.transaction() as session:
            assert session.exec(select(DemandSheet.served_at)).one() is None
            accept_offer(session, *answers([offer]), now=NOON)
    with database.reading() as session:
        assert session.exec(select(DemandSheet.served_at)).one() == NOON


def test_the_inbox_shows_the_best_fit_first_and_one_offer_with_all_it_needs(database: Database) -> None:
    with database.transaction() as session:
        line = a_line(session, weekly_capacity=100)
        an_open_sheet(session, 30, target_cost_minor=61_00, required_date=MORNING + timedelta(days=20))
        an_open_sheet(session, 9, variants=[("black", "M"), ("red", "L")], target_cost_minor=90_00)
    match(database, MORNING)
    with database.reading() as session:
        items = inbox(session, line.factory_id)
        assert [item.offer.quantity for item in items] == [9, 30]
        assert items[0].fit_score > items[1].fit_score
        detail = offer_detail(session, items[0].offer.id, factory_id=line.factory_id)
        assert [(v.colour, v.size, pieces) for v, pieces in detail.pieces] == [("black", "M", 5), ("red", "L", 4)]
        assert [(b.week, b.quantity) for b in detail.weeks] == [(WEEKS[0], 9)]
        assert detail.sheet.id == items[0].sheet.id
        assert offers_by_state(session, line.factory_id) == {OfferState.OFFERED: 2}
        assert inbox(session, line.factory_id, state=OfferState.ACCEPTED) == []


def at_once(threads: int, work: Callable[[int], None]) -> list[BaseException]:
    """Let threads begin together; what they raised."""
    barrier, raised = threading.Barrier(threads), list[BaseException]()

    def run(number: int) -> None:
        barrier.wait()
        try:
            work(number)
        except BaseException as error:
            raised.append(error)

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return raised


def answer_at_once(database: Database, offer: Offer) -> list[OfferState]:
    """Sixteen people of the factory answer at once, half of them each way; the answers that were taken."""
    taken: list[OfferState] = []

    def answer(number: int) -> None:
        accepts = number % 2 == 0
        with database.transaction() as session:
            use_case = accept_offers if accepts else decline_offers
            [result] = use_case(session, answers([offer]), now=NOON)
        if not isinstance(result, Refusal):
            taken.append(OfferState.ACCEPTED if accepts else OfferState.DECLINED)

    assert at_once(THREADS, answer) == []
    return taken


def test_of_many_answers_at_once_one_wins(database: Database, offer: Offer) -> None:
    taken = answer_at_once(database, offer)
    assert taken == [o.state for o in offers(database)]
    assert sound(database)


def test_without_the_guard_several_answers_win(
    database: Database, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offer_service, "_still_open", lambda _now: ())
    assert len(answer_at_once(database, offer)) > 1


def test_matching_accepting_and_declining_at_once_never_overbooks(database: Database) -> None:
    with database.transaction() as session:
        for quantity in (40, 55, 70, 85, 100, 130):
            an_open_sheet(session, quantity, variants=[("black", "M"), ("red", "L")])
        for capacity in (15, 20, 25, 30, 35):
            a_line(session, weekly_capacity=capacity)
    match(database, MORNING)

    def live(number: int) -> None:
        draw = random.Random(number)
        for _ in range(3):
            open_offers = offers(database, OfferState.OFFERED)
            deed = draw.choice(["match", "accept", "decline"]) if open_offers else "match"
            if deed == "match":
                match(database, NOON)
                continue
            some = draw.sample(open_offers, k=draw.randint(1, min(4, len(open_offers))))
            with database.transaction() as session:
                (accept_offers if deed == "accept" else decline_offers)(session, answers(some), now=NOON)

    assert at_once(THREADS, live) == []
    assert sound(database)
    answered = [offer for offer in offers(database) if offer.state is not OfferState.OFFERED]
    assert answered


def match_at_once(database: Database) -> list[BaseException]:
    """Sixteen match runs that all planned before any of them wrote anything down."""
    with database.transaction() as session:
        an_open_sheet(session, 60, required_date=MORNING + timedelta(days=17))
        a_line(session, weekly_capacity=100, lead_days=0)
    with database.reading() as session:
        planned = plan_matches(session, [], MORNING)

    def record(_number: int) -> None:
        with database.transaction() as session:
            make_offers(session, planned, MORNING)

    return at_once(THREADS, record)


def test_many_match_runs_at_once_offer_each_piece_once(database: Database) -> None:
    assert match_at_once(database) == []
    assert [offer.quantity for offer in offers(database)] == [60]
    assert sound(database)


def stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch the second look off: every run believes what it saw before the others wrote."""
    seen = {name: _remembering(getattr(queries, name)) for name in ("remaining_pieces", "free_pieces")}
    for name, remembered in seen.items():
        monkeypatch.setattr(queries, name, remembered)


def _remembering(read: Callable[..., object]) -> Callable[..., object]:
    known: dict[str, object] = {}
    lock = threading.Lock()

    def remembered(session: Session, *args: object) -> object:
        with lock:
            if str(args) not in known:
                known[str(args)] = read(session, *args)
            return deepcopy(known[str(args)])

    return remembered


def test_without_the_second_look_the_constraint_still_refuses_to_overbook(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale(monkeypatch)
    raised = match_at_once(database)
    assert len(raised) == THREADS - 1
    assert {type(error) for error in raised} == {sa.exc.IntegrityError}
    with database.reading() as session:
        assert misbooked_weeks(session) == []


def test_without_second_look_and_constraint_weeks_are_overbooked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale(monkeypatch)
    with without_capacity_check(database):
        assert match_at_once(database) == []
        assert len(offers(database)) == THREADS
        with database.reading() as session:
            assert len(misbooked_weeks(session)) == 1


@contextmanager
def without_capacity_check(database: Database) -> Iterator[None]:
    """The table without its CHECK that a week is not overbooked."""
    name = "ck_capacity_week_not_overbooked"
    if database.dialect == "sqlite":
        sa.event.listen(database.engine, "connect", lambda c, _: c.execute("PRAGMA ignore_check_constraints=ON"))
        database.engine.dispose()
        yield
        return
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE capacity_week DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("TRUNCATE capacity_week")
            connection.exec_driver_sql(
                f"ALTER TABLE capacity_week ADD CONSTRAINT {name} CHECK (booked >= 0 AND booked <= capacity)"
            )
