"""Drives days of orders through the whole platform, on a clock of its own, by the use cases of the web."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from time import perf_counter
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from c2m.app import build_worker
from c2m.audit.jobs import AUDIT
from c2m.clock import ManualClock
from c2m.db import Database, table_of
from c2m.demand.campaigns import CLOSE
from c2m.demand.foretelling import REFIT, STATE_CHANCES
from c2m.demand.models import Campaign, CampaignState, DemandSheet
from c2m.jobs import Leased, Worker
from c2m.ledger.models import Transfer, TransferState
from c2m.ledger.provider import SandboxProvider
from c2m.ledger.service import CARRY_OUT
from c2m.matching.planning import EXPIRE, MATCH
from c2m.production.jobs import CREATE
from c2m.production.models import WorkOrder, WorkOrderState
from c2m.production.punctuality import MEASURE
from c2m.production.settlement import SETTLE
from c2m.replay.factories import Maker
from c2m.replay.floor import Floor, Shipped, Underway
from c2m.replay.pooling import MarketDay
from c2m.replay.shop import Shop, Terms

LONGEST_REST = timedelta(days=366)

T = TypeVar("T")


class NeverSettled(Exception):
    """A year after the last order something is still open: a fault of the platform."""


class Stage(StrEnum):
    """What the time of a replay is spent on."""

    OPENING = "opening"
    PLACING = "placing"
    PAYING = "paying"
    CLOSING = "closing"
    MATCHING = "matching"
    PRODUCING = "producing"
    DELIVERING = "delivering"
    SETTLING = "settling"
    DISPATCHING = "dispatching"


STAGE_OF_JOB = {
    CARRY_OUT: Stage.PAYING,
    "demand.record_payments": Stage.PAYING,
    CLOSE: Stage.CLOSING,
    MATCH: Stage.MATCHING,
    EXPIRE: Stage.MATCHING,
    CREATE: Stage.PRODUCING,
    SETTLE: Stage.SETTLING,
}


class Stopwatch:
    """Seconds spent by stage."""

    def __init__(self) -> None:
        self.seconds: dict[Stage, float] = dict.fromkeys(Stage, 0.0)

    @contextmanager
    def lap(self, stage: Stage) -> Iterator[None]:
        began = perf_counter()
        yield
        self.seconds[stage] += perf_counter() - began


def _say_nothing(_session: Session, _ids: Sequence[UUID], _now: datetime) -> None:
    """What a campaign that opens is foretold in a replay."""


class _TimedWorker(Worker):
    """The platform's own worker, with a watch on it."""

    def __init__(self, worker: Worker, watch: Stopwatch) -> None:
        # A replay is audited once, at its end, and foretells, when asked to, beside the platform.
        schedules = [each for each in worker.schedules if each.kind not in (AUDIT, MEASURE, STATE_CHANCES, REFIT)]
        handlers = {**worker.handlers, STATE_CHANCES: _say_nothing}
        super().__init__(worker.database, handlers, worker.subscriptions, schedules)
        self._watch = watch

    def claim(self, now: datetime) -> list[Leased]:
        with self._watch.lap(Stage.DISPATCHING):
            return super().claim(now)

    def run(self, batch: Sequence[Leased], now: datetime) -> None:
        with self._watch.lap(STAGE_OF_JOB.get(batch[0].kind, Stage.DISPATCHING)):
            super().run(batch, now)


@dataclass
class _Agenda(Generic[T]):
    """Things that fall due, by their instants."""

    _due: defaultdict[datetime, list[T]] = field(default_factory=lambda: defaultdict(list))
    _instants: list[datetime] = field(default_factory=list)

    def add(self, at: datetime, thing: T) -> None:
        if at not in self._due:
            heapq.heappush(self._instants, at)
        self._due[at].append(thing)

    @property
    def next(self) -> datetime | None:
        return self._instants[0] if self._instants else None

    def take(self, now: datetime) -> list[T]:
        """Remove and return what is due."""
        found: list[T] = []
        while self._instants and self._instants[0] <= now:
            found += self._due.pop(heapq.heappop(self._instants))
        return found


class Market:
    """A market that lives through days of orders. Memory holds what is open: windows, orders underway, lots.

    Campaigns open at local midnight and close at local midnight; a day's pledges are placed, in order, when the last
    order line of the day came in. Factories answer as soon as they are asked, report and ship when the last booked
    week is over, and their lots arrive after the lead time; some later, as the seed has it.
    """

    def __init__(
        self,
        database: Database,
        terms: Terms,
        makers: Sequence[Maker],
        *,
        zone: ZoneInfo,
        seed: int,
        first_day: date,
        provider: SandboxProvider | None = None,
    ) -> None:
        self.zone = zone
        self.watch = Stopwatch()
        self.clock = ManualClock(self._midnight(first_day))
        self._database = database
        self._worker = _TimedWorker(build_worker(database, provider or SandboxProvider()), self.watch)
        now = self.clock.now()
        self._shop = Shop(database, terms, zone=zone, now=now)
        self._floor = Floor(database, makers, currency=terms.currency, seed=seed, now=now)
        self._making: _Agenda[Underway] = _Agenda()
        self._arriving: _Agenda[Shipped] = _Agenda()

    def live(self, today: MarketDay) -> None:
        """One day on which something happens, and the quiet days before it.

        Raises:
            LineRefused: the platform says no to what a line asks for.
        """
        self._live_until(self._midnight(today.day))
        with self.watch.lap(Stage.OPENING):
            closes_at = [window.closes_at(self.zone) for window in today.opening]
            self._shop.open(today, closes_at=closes_at, now=self.clock.now())
        if today.pledges:
            self._live_until(max(line.at for pledge in today.pledges for line in pledge.lines))
            with self.watch.lap(Stage.PLACING):
                self._shop.place(today.pledges, now=self.clock.now())
            self._worker.run_until_idle(self.clock.now())

    def settle(self) -> None:
        """Live on until every campaign is closed, every sheet served or given up, every work order settled and paid.

        Raises:
            NeverSettled
        """
        last = self.clock.now() + LONGEST_REST
        while not self._at_rest():
            if self.clock.now() > last:
                raise NeverSettled(f"the market is still open on {self.clock.now():%Y-%m-%d}")
            self._live_until(self._next_midnight())

    def _live_until(self, instant: datetime) -> None:
        """Stop at every local midnight and at everything that falls due on the way."""
        while self.clock.now() < instant:
            stops = (self._next_midnight(), self._making.next, self._arriving.next, instant)
            self.clock.set(min(stop for stop in stops if stop is not None))
            self._work()

    def _work(self) -> None:
        """Everything due now: jobs, factories' answers, finished orders, arriving lots."""
        now = self.clock.now()
        self._worker.run_until_idle(now)
        with self.watch.lap(Stage.PRODUCING):
            accepted = self._floor.answer(now=now)
        if accepted:
            self._worker.run_until_idle(now)
            for order in self._floor.begin(accepted):
                self._making.add(order.made_at, order)
        if orders := self._making.take(now):
            with self.watch.lap(Stage.PRODUCING):
                for lot in self._floor.make(orders, now=now):
                    self._arriving.add(lot.arrives_at, lot)
        if lots := self._arriving.take(now):
            with self.watch.lap(Stage.DELIVERING):
                self._floor.deliver(lots, now=now)
            self._worker.run_until_idle(now)

    def _at_rest(self) -> bool:
        campaign, sheet, order, transfer = (table_of(m) for m in (Campaign, DemandSheet, WorkOrder, Transfer))
        running = (CampaignState.OPEN, CampaignState.CLOSING)
        with self._database.reading() as session:
            return not session.execute(
                sa.select(
                    sa.or_(
                        sa.exists().where(campaign.c.state.in_(running)),
                        sa.exists().where(sheet.c.served_at.is_(None)),
                        sa.exists().where(order.c.state != WorkOrderState.SETTLED),
                        sa.exists().where(transfer.c.state == TransferState.PENDING),
                    )
                )
            ).scalar_one()

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone).astimezone(UTC)

    def _next_midnight(self) -> datetime:
        today = self.clock.now().astimezone(self.zone).date()
        return self._midnight(today + timedelta(days=1))
