"""Pieces reported step by step."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import Session, col, select

from c2m.db import Database, uuid7
from c2m.errors import Refusal
from c2m.production.floor import (
    KeyRefused,
    KeyReused,
    MoreThanNeeded,
    ReportQuantityRefused,
    ReportRequest,
    StepBeforeBehind,
    StepNotFound,
    report_progress,
    report_step,
)
from c2m.production.models import Milestone, Report, WorkOrder, WorkOrderState
from c2m.production.queries import WorkOrderNotFound, work_order
from tests.builders import MORNING
from tests.production.market import a_sold_campaign, an_order, count, everything, make


def an_order_of_ten(session: Session) -> WorkOrder:
    _, variant, _, sheet = a_sold_campaign(session, [10])
    return an_order(session, sheet, {variant: 10})


def a_report(order: WorkOrder, position: int, made: int, rejected: int = 0, key: str | None = None) -> ReportRequest:
    return ReportRequest(order.id, position, made, rejected, key or str(uuid7()))


def counts(session: Session) -> list[tuple[int, int, bool]]:
    """Good and rejected pieces of each step, and whether it is complete."""
    steps = session.exec(
        select(Milestone).order_by(col(Milestone.position)).execution_options(populate_existing=True)
    ).all()
    return [(step.done, step.rejected, step.completed_at is not None) for step in steps]


def test_reported_pieces_move_through_the_steps(database: Database) -> None:
    with database.transaction() as session:
        order = an_order_of_ten(session)
        report_step(session, a_report(order, 0, 10), now=MORNING)
        report_step(session, a_report(order, 1, 4), now=MORNING)
        report_step(session, a_report(order, 1, 3), now=MORNING)
        assert counts(session) == [(10, 0, True), (7, 0, False), (0, 0, False), (0, 0, False), (0, 0, False)]
        seen = work_order(session, order.id)
        assert (seen.state, seen.produced, seen.rejected) == (WorkOrderState.IN_PRODUCTION, 0, 0)


def test_the_last_step_counts_what_was_produced_and_rejected(database: Database) -> None:
    with database.transaction() as session:
        order = an_order_of_ten(session)
        make(session, order, 6, rejected=2)
        seen = work_order(session, order.id)
        assert (seen.produced, seen.rejected) == (6, 2)


def test_what_a_later_step_rejects_reopens_the_earlier_ones(database: Database) -> None:
    with database.transaction() as session:
        order = an_order_of_ten(session)
        make(session, order, 10, rejected=1)
        assert counts(session) == [(10, 0, False)] * 4 + [(9, 1, False)]
        make(session, order, 1, now=MORNING + timedelta(days=1))
        assert counts(session) == [(11, 0, True)] * 4 + [(10, 1, True)]
        assert work_order(session, order.id).produced == 11


@pytest.mark.parametrize(
    ("position", "made", "rejected", "refusal"),
    [
        (2, 5, 0, StepBeforeBehind),
        (1, 5, 0, StepBeforeBehind),
        (0, 7, 0, MoreThanNeeded),
        (0, 0, 0, ReportQuantityRefused),
        (0, -1, 0, ReportQuantityRefused),
        (0, 2, 3, ReportQuantityRefused),
        (0, 2, -1, ReportQuantityRefused),
        (0, 1_000_001, 1_000_001, ReportQuantityRefused),
        (0, True, 0, ReportQuantityRefused),
        (0, 1.5, 0, ReportQuantityRefused),
        (5, 1, 0, StepNotFound),
        (-1, 1, 0, StepNotFound),
    ],
)
def test_a_report_that_can_not_be_true_is_refused_and_changes_nothing(
    database: Database, position: int, made: int, rejected: int, refusal: type[Refusal]
) -> None:
    with database.transaction() as session:
        order = an_order_of_ten(session)
        report_step(session, a_report(order, 0, 4), now=MORNING)
        before = everything(session)
        with pytest.raises(refusal):
            report_step(session, a_report(order, position, made, rejected), now=MORNING)
        assert everything(session) == before


@pytest.mark.parametrize("key", ["", "k" * 81])
def test_a_report_needs_a_key(database: Database, key: str) -> None:
    with database.transaction() as session:
        order = an_order_of_ten(session)
        with pytest.raises(KeyRefused):
            report_step(session, ReportRequest(order.id, 0, 1, 0, key), now=MORNING)


def test_pieces_rejected_on_the_way_are_not_waited_for(database: Database) -> None:
    with database.transaction() as session:
        order = an_order_of_ten(session)
        report_step(session, a_report(order, 0, 10), now=MORNING)
        report_step(session, a_report(order, 1, 6, rejected=2), now=MORNING)
        with pytest.raises(StepBeforeBehind) as refused:
            report_step(session, a_report(order, 1, 5), now=MORNING)
        assert refused.value.details["waiting"] == 4


def test_the_same_report_sent_twice_counts_once(database: Database) -> None:
    with database.transaction() as session:
        order = an_order_of_ten(session)
        request = a_report(order, 0, 4, rejected=1, key="phone-1")
        first = report_step(session, request, now=MORNING)
        assert report_progress(session, [request, request], now=MORNING) == [first, first]
        assert counts(session)[0] == (3, 1, False)
        assert count(session, Report) == [1]


def test_a_key_used_for_something_else_is_refused(database: Database) -> None:
    with database.transaction() as session:
        order = an_order_of_ten(session)
        report_step(session, a_report(order, 0, 4, key="phone-1"), now=MORNING)
        before = everything(session)
        with pytest.raises(KeyReused):
            report_step(session, a_report(order, 0, 5, key="phone-1"), now=MORNING)
        assert everything(session) == before


def test_one_refused_report_does_not_hold_up_the_others(database: Database) -> None:
    with database.transaction() as session:
        order, other = an_order_of_ten(session), an_order_of_ten(session)
        requests = [
            a_report(order, 0, 10),
            a_report(order, 2, 1),
            a_report(order, 1, 10),
            ReportRequest(uuid4(), 0, 1, 0, "key"),
            a_report(other, 0, 3),
        ]
        answers = report_progress(session, requests, now=MORNING)
        assert [type(answer).__name__ for answer in answers if isinstance(answer, Refusal)] == [
            "StepBeforeBehind",
            "WorkOrderNotFound",
        ]
        assert isinstance(answers[3], WorkOrderNotFound)
        assert count(session, Report) == [3]
