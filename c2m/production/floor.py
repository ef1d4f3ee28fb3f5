"""The shop floor: pieces reported step by step."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from c2m.db import chunks, insert_rows, lock_rows, table_of, update_rows, uuid7
from c2m.errors import N_, Conflict, Invalid, NotFound, Refusal
from c2m.production.awaiting import BEFORE_BULK, awaiting_first_article
from c2m.production.models import Milestone, Report, WorkOrder, WorkOrderState
from c2m.production.queries import WorkOrderNotFound
from c2m.production.rules import StepCount, pieces_needed, pieces_waiting

LONGEST_KEY = 80
MOST_PIECES_A_REPORT = 1_000_000


class StepNotFound(NotFound):
    sentence = N_("This work order has no such step.")


class ReportQuantityRefused(Invalid):
    sentence = N_("Report between 1 and 1,000,000 pieces, and no more rejected ones than were made.")


class KeyRefused(Invalid):
    sentence = N_("This form has lost its key. Please open the page again.")


class KeyReused(Invalid):
    sentence = N_("This form was already sent with different content. Please start again.")


class FirstArticleDue(Conflict):
    sentence = N_("This was a concept: the rest is made once the merchandiser has accepted the first article.")


class StepBeforeBehind(Conflict):
    sentence = N_("Only %(waiting)s pieces have come out of the step before.")


class MoreThanNeeded(Conflict):
    sentence = N_("Only %(needed)s more good pieces are needed at this step.")


@dataclass(frozen=True)
class ReportRequest:
    """So many pieces went through a step, some of them rejected there; the key makes sending it twice harmless."""

    work_order_id: UUID
    position: int
    made: int
    rejected: int
    idempotency_key: str
    reported_by: UUID | None = None

    @property
    def body(self) -> tuple[int, int, int]:
        return self.position, self.made, self.rejected


def report_progress(session: Session, requests: Sequence[ReportRequest], *, now: datetime) -> list[UUID | Refusal]:
    """Count reported pieces through their steps; each answer is the report's id or why not.

    A step takes in no more than the step before has passed on, and passes on no more than is needed. What was a
    concept goes past its first step only once its first article is accepted.
    A repeated key gets its first answer.
    """
    floor = _Floor.open(session, requests)
    answers: list[UUID | Refusal] = []
    reports: list[dict[str, object]] = []
    for request in requests:
        answer = floor.report(request)
        answers.append(answer)
        if isinstance(answer, UUID) and answer in floor.new:
            reports.append(_report_row(answer, request, now))
    insert_rows(session, Report, reports)
    floor.write(session, now)
    return answers


def report_step(session: Session, request: ReportRequest, *, now: datetime) -> UUID:
    """Count one report.

    Raises:
        WorkOrderNotFound, StepNotFound, ReportQuantityRefused, KeyRefused, KeyReused, FirstArticleDue,
        StepBeforeBehind, MoreThanNeeded
    """
    [answer] = report_progress(session, [request], now=now)
    if isinstance(answer, Refusal):
        raise answer
    return answer


@dataclass
class _Floor:
    """What a batch of reports is judged against: the locked orders' quantities and counts by step."""

    ordered: dict[UUID, int]
    steps: dict[UUID, list[StepCount]]
    completed: dict[tuple[UUID, int], datetime]  # (order, position) → first completed
    known: dict[tuple[UUID, str], tuple[UUID, tuple[int, int, int]]]  # (order, key) → (report, body)
    awaiting: set[UUID]  # orders that may not go into bulk yet
    new: set[UUID] = field(default_factory=set)
    touched: set[tuple[UUID, int]] = field(default_factory=set)  # (order, position)

    @classmethod
    def open(cls, session: Session, requests: Sequence[ReportRequest]) -> "_Floor":
        ids = sorted({r.work_order_id for r in requests})
        lock_rows(session, WorkOrder, ids)
        return cls(
            _ordered(session, ids),
            *_steps(session, ids),
            _known(session, requests),
            awaiting_first_article(session, ids),
        )

    def report(self, request: ReportRequest) -> UUID | Refusal:
        """Decide one request and count it in."""
        if request.work_order_id not in self.ordered:
            return WorkOrderNotFound(work_order_id=request.work_order_id)
        key = (request.work_order_id, request.idempotency_key)
        if key in self.known:
            report_id, body = self.known[key]
            return report_id if body == request.body else KeyReused(idempotency_key=request.idempotency_key)
        if refusal := self._refusal(request):
            return refusal
        steps = self.steps[request.work_order_id]
        steps[request.position] = steps[request.position].plus(request.made, request.rejected)
        report_id = uuid7()
        self.known[key] = (report_id, request.body)
        self.new.add(report_id)
        owing_more = 0 if request.rejected else request.position  # what is rejected must pass every step before again
        self.touched |= {(request.work_order_id, i) for i in range(owing_more, request.position + 1)}
        return report_id

    def _refusal(self, request: ReportRequest) -> Refusal | None:
        steps = self.steps[request.work_order_id]
        if not 1 <= len(request.idempotency_key) <= LONGEST_KEY:
            return KeyRefused()
        if not 0 <= request.position < len(steps):
            return StepNotFound(work_order_id=request.work_order_id, position=request.position)
        if not _plausible(request.made, request.rejected):
            return ReportQuantityRefused(made=request.made, rejected=request.rejected)
        if request.position >= BEFORE_BULK and request.work_order_id in self.awaiting:
            return FirstArticleDue(work_order_id=request.work_order_id)
        waiting = pieces_waiting(steps, request.position)
        if waiting is not None and request.made > waiting:
            return StepBeforeBehind(waiting=waiting, work_order_id=request.work_order_id)
        needed = pieces_needed(steps, request.position, self.ordered[request.work_order_id])
        if request.made - request.rejected > needed:
            return MoreThanNeeded(needed=needed, work_order_id=request.work_order_id)
        return None

    def write(self, session: Session, now: datetime) -> None:
        """Store the new counts; the CHECK constraints judge them once more."""
        if not self.touched:
            return
        counts = [
            {
                "work_order_id": order_id,
                "position": position,
                "done": step.good,
                "rejected": step.rejected,
                "completed_at": self._completed_at(order_id, position, now),
            }
            for order_id, position in self.touched
            for step in (self.steps[order_id][position],)
        ]
        update_rows(session, Milestone, counts, by=("work_order_id", "position"))
        order_ids = list({order_id for order_id, _ in self.touched})
        last = {order_id: self.steps[order_id][-1] for order_id in order_ids}
        made = [{"id": i, "produced": step.good + step.rejected, "rejected": step.rejected} for i, step in last.items()]
        update_rows(session, WorkOrder, made)
        order = table_of(WorkOrder)
        for part in chunks(order_ids):
            session.execute(
                sa.update(order)
                .where(order.c.id.in_(part), order.c.state == WorkOrderState.PLANNED)
                .values(state=WorkOrderState.IN_PRODUCTION)
            )

    def _completed_at(self, order_id: UUID, position: int, now: datetime) -> datetime | None:
        """When a step first had nothing left to do; None while it has."""
        if pieces_needed(self.steps[order_id], position, self.ordered[order_id]):
            return None
        return self.completed.get((order_id, position), now)


def _plausible(made: int, rejected: int) -> bool:
    counts = all(isinstance(number, int) and not isinstance(number, bool) for number in (made, rejected))
    return counts and 0 < made <= MOST_PIECES_A_REPORT and 0 <= rejected <= made


def _ordered(session: Session, ids: Sequence[UUID]) -> dict[UUID, int]:
    c = table_of(WorkOrder).c
    found: dict[UUID, int] = {}
    for part in chunks(ids):
        rows = session.execute(sa.select(c.id, c.quantity).where(c.id.in_(part)))
        found |= {row.id: row.quantity for row in rows}
    return found


def _steps(
    session: Session, ids: Sequence[UUID]
) -> tuple[dict[UUID, list[StepCount]], dict[tuple[UUID, int], datetime]]:
    """The counts of each order's steps, and when those were completed that are."""
    c = table_of(Milestone).c
    steps: dict[UUID, list[StepCount]] = defaultdict(list)
    completed: dict[tuple[UUID, int], datetime] = {}
    for part in chunks(ids):
        rows = session.execute(
            sa.select(c.work_order_id, c.position, c.done, c.rejected, c.completed_at)
            .where(c.work_order_id.in_(part))
            .order_by(c.work_order_id, c.position)
        )
        for order_id, position, done, rejected, completed_at in rows:
            steps[order_id].append(StepCount(done, rejected))
            if completed_at is not None:
                completed[order_id, position] = completed_at
    return steps, completed


def _known(
    session: Session, requests: Sequence[ReportRequest]
) -> dict[tuple[UUID, str], tuple[UUID, tuple[int, int, int]]]:
    c = table_of(Report).c
    keys = list({(r.work_order_id, r.idempotency_key) for r in requests})
    known: dict[tuple[UUID, str], tuple[UUID, tuple[int, int, int]]] = {}
    for part in chunks(keys, 200):
        rows = session.execute(
            sa.select(c.id, c.work_order_id, c.idempotency_key, c.position, c.made, c.rejected).where(
                sa.tuple_(c.work_order_id, c.idempotency_key).in_(part)
            )
        )
        known |= {(r.work_order_id, r.idempotency_key): (r.id, (r.position, r.made, r.rejected)) for r in rows}
    return known


def _report_row(report_id: UUID, request: ReportRequest, now: datetime) -> dict[str, object]:
    return {
        "id": report_id,
        "work_order_id": request.work_order_id,
        "position": request.position,
        "made": request.made,
        "rejected": request.rejected,
        "idempotency_key": request.idempotency_key,
        "reported_by": request.reported_by,
        "reported_at": now,
    }
