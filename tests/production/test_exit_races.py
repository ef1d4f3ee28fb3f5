"""Free exits at the same moment: as each other, and as the end of the window."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlmodel import Session, select

from c2m.db import Database
from c2m.demand.models import Pledge, PledgeState
from c2m.production.accounts import mismatches
from c2m.production.exits import ExitOver, OrderGone, end_exit_windows, leave_free
from c2m.production.floor import ReportRequest, report_step
from c2m.production.queries import work_order
from tests.production.test_free_exits import MORNING, UNTIL, a_concept_sold, given_back, judged

LAST_SECOND = UNTIL - timedelta(seconds=1)


def at_once(database: Database, *works: Callable[[Session], object]) -> list[object]:
    """Run these at the same time, each in a transaction of its own; what each returned or raised."""
    ready = Barrier(len(works))

    def run(work: Callable[[Session], object]) -> object:
        ready.wait(timeout=10)
        with database.transaction() as session:
            return work(session)

    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(run, work) for work in works]
        return [future.exception() or future.result() for future in futures]


def a_differing_order(database: Database) -> tuple[UUID, UUID, UUID]:
    """Order, first article and pledge of four pieces whose buyer may leave; the material is there."""
    with database.transaction() as session:
        [order], [pledge] = a_concept_sold(session, [4], setup_minor=50_00, total_minor=290_00)
        article = judged(session, order, note="Darker")
        report_step(session, ReportRequest(order.id, 0, 4, 0, "material"), now=MORNING)
        return order.id, article.id, pledge.id


def leaving(pledge_id: UUID) -> Callable[[Session], int]:
    return lambda session: leave_free(session, session.get_one(Pledge, pledge_id), now=LAST_SECOND)


def test_one_who_leaves_four_times_at_once_leaves_once(database: Database) -> None:
    order_id, _, pledge_id = a_differing_order(database)
    outcomes = at_once(database, *[leaving(pledge_id)] * 4)
    assert [outcome for outcome in outcomes if not isinstance(outcome, OrderGone)] == [4]
    with database.reading() as session:
        assert given_back(session, session.get_one(Pledge, pledge_id)) == 400_00
        assert (work_order(session, order_id).quantity, work_order(session, order_id).left_quantity) == (0, 4)
        assert list(mismatches(session)) == []


@pytest.mark.parametrize("turn", range(4))
def test_at_the_end_of_the_window_a_piece_is_left_or_made_and_never_both(database: Database, turn: int) -> None:
    order_id, article_id, pledge_id = a_differing_order(database)

    def end_and_make(session: Session) -> object:
        end_exit_windows(session, [article_id], UNTIL)
        return report_step(session, ReportRequest(order_id, 1, 4, 0, f"bulk {turn}"), now=UNTIL)

    left, made = at_once(database, leaving(pledge_id), end_and_make)
    with database.reading() as session:
        state = session.exec(select(Pledge.state).where(Pledge.id == pledge_id)).one()
        seen = work_order(session, order_id)
        if isinstance(left, ExitOver):
            assert (state, seen.quantity, seen.left_quantity) == (PledgeState.CONFIRMED, 4, 0)
            assert isinstance(made, UUID)
        else:
            assert (left, state, seen.quantity, seen.left_quantity) == (4, PledgeState.REFUNDED, 0, 4)
            assert not isinstance(made, UUID)
        assert list(mismatches(session)) == []
