"""Factories: they answer offers, work through their orders, ship; and the carriers who bring the parcels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col, select

from c2m.db import table_of
from c2m.demo.calendar import Diary, local_hour
from c2m.demo.demand import within
from c2m.demo.market import Market
from c2m.demo.town import Maker, Town
from c2m.errors import Refusal
from c2m.matching.counters import Counter, make_counter
from c2m.matching.models import Offer, OfferState
from c2m.matching.offers import Answer, accept_offers, decline_offers
from c2m.production.awaiting import BEFORE_BULK
from c2m.production.deliveries import deliver_parcels
from c2m.production.floor import ReportRequest, report_progress
from c2m.production.models import Parcel, WorkOrder, WorkOrderState
from c2m.production.queries import Progress, progress_of
from c2m.production.rules import StepCount, pieces_needed, pieces_waiting
from c2m.production.shipping import ShipRequest, ship_lots

DECLINED_EACH, FORGOTTEN_EACH = 6, 7  # each sixth offer is turned down, each seventh left to run out
COUNTERED_EACH, PARTED_EACH = 4, 5  # of those that are taken on, each fourth is countered, each fifth taken in part
LARGE_ENOUGH = 20  # pieces from which an offer is taken in part
COUNTERS = (  # share of the pieces, of the price, days more, and why
    (1.0, 1.04, 0, "面料涨价 The fabric has become dearer"),
    (1.0, 1.0, 5, "前一单未完工 The order before is not finished"),
    (0.7, 1.0, 0, "本周只能做七成 Only seven tenths fit into the week"),
    (1.0, 1.12, 0, "工价偏低 The price is too low for us"),
)
IN_TROUBLE = {"quick": 0.02, "steady": 0.06, "slow": 0.2}  # share of orders that slip beside those that are meant to
PACE = {"quick": (0.5, 0.72), "steady": (0.6, 0.88), "slow": (0.75, 0.98)}  # of the time up to the due date
REASONS = (
    "本月排期已满 Fully booked this month",
    "面料交期来不及 The material would come too late",
    "目标价低于我们的成本 The target price is below our cost",
)
CARRIERS = ("顺丰速运 SF Express", "中通快递 ZTO", "德邦物流 Deppon", "京东物流 JD Logistics", "极兔速递 J&T")
SHIFTS = (12, 18)
WAY_TO_BUYERS = timedelta(days=4)
TWO_LOTS = 260  # pieces from which an order leaves in two lots


@dataclass(frozen=True)
class Plan:
    """How an order is going to be worked off: begin and end of each step, and how much inspection rejects."""

    steps: tuple[tuple[datetime, datetime], ...]
    rejects: float

    def due_share(self, position: int, now: datetime) -> float:
        """How much of a step is to be done by now."""
        begins, ends = self.steps[position]
        return min(max((now - begins) / (ends - begins), 0.0), 1.0)


@dataclass
class Makers:
    """All factories together."""

    market: Market
    town: Town
    _rng: Random = field(init=False)
    _counts: np.random.Generator = field(init=False)
    _answers: Diary[tuple[bool, Answer]] = field(default_factory=Diary)
    _counters: Diary[Counter] = field(default_factory=Diary)
    _countered: set[UUID] = field(default_factory=set)
    _taken: int = 0  # offers somebody made up their mind to take
    _offers_seen: set[UUID] = field(default_factory=set)
    _fastidious: int = 0  # offers to factories that don't take just anything
    _plans: dict[UUID, Plan] = field(default_factory=dict)
    _underway: Diary[UUID] = field(default_factory=Diary)
    _slips: dict[str, float] = field(init=False)  # product → days by which its next order falls behind
    _keys: int = 0

    def __post_init__(self) -> None:
        self._slips = {product.title: product.slips for product in self.market.size.products}
        self._rng = self.market.chance("makers")
        self._counts = self.market.counts("makers")

    def act(self, session: Session, *, now: datetime) -> None:
        """Read the inbox and answer, report twice a day, ship in the evening; parcels arrive by day."""
        hour = local_hour(now)
        if 8 <= hour < 20:
            self._read_inboxes(session, now)
            self._answer(session, now)
        if hour in SHIFTS:
            self._work(session, now)
        if 9 <= hour < 21 and (arrived := self._underway.due(now)):
            deliver_parcels(session, arrived, now=now)

    def _read_inboxes(self, session: Session, now: datetime) -> None:
        offers = session.exec(select(Offer).where(Offer.state == OfferState.OFFERED).order_by(col(Offer.id))).all()
        for offer in offers:
            if offer.id not in self._offers_seen:
                self._offers_seen.add(offer.id)
                self._make_up_mind(offer, now)

    def _make_up_mind(self, offer: Offer, now: datetime) -> None:
        maker = self.town.makers[offer.factory_id]
        thinks = within(self._rng, timedelta(hours=1), timedelta(hours=20))
        if maker.profile.to_try and offer.expires_at > self.market.calendar.ends_at:
            return  # left to whoever signs in
        hungry = maker.profile.to_try or maker.profile.workshop
        self._fastidious += not hungry
        if not hungry and self._fastidious % DECLINED_EACH == 0:
            reason = self._rng.choice(REASONS)
            self._answers.note(now + thinks, (False, Answer(offer.id, maker.id, maker.user_id, reason)))
        elif hungry or self._fastidious % FORGOTTEN_EACH:
            self._taken += 1
            if self._taken % COUNTERED_EACH == 0 and offer.id not in self._countered:
                self._countered.add(offer.id)
                self._counters.note(now + min(thinks, timedelta(hours=8)), self._counter(offer, maker))
                return
            part = self._taken % PARTED_EACH == 0 and offer.quantity >= LARGE_ENOUGH
            pieces = offer.quantity * 4 // 5 if part else None
            self._answers.note(now + thinks, (True, Answer(offer.id, maker.id, maker.user_id, quantity=pieces)))

    def _counter(self, offer: Offer, maker: Maker) -> Counter:
        """Other terms, one after the other."""
        share, dearer, days, why = COUNTERS[len(self._countered) % len(COUNTERS)]
        return Counter(
            offer.id,
            maker.id,
            max(round(offer.quantity * share), 1),
            round(offer.unit_price_minor * dearer),
            offer.deliver_by + timedelta(days=days),
            note=why,
            made_by=maker.user_id,
        )

    def _answer(self, session: Session, now: datetime) -> None:
        for counter in self._counters.due(now):
            try:
                with session.begin_nested():
                    make_counter(session, counter, now=now)
            except Refusal:  # no room, or somebody answered it in the meantime
                continue
            finally:
                self._offers_seen.discard(counter.offer_id)  # it is looked at again, should it come back
        answers = self._answers.due(now)
        accept_offers(session, [answer for accepts, answer in answers if accepts], now=now)
        decline_offers(session, [answer for accepts, answer in answers if not accepts], now=now)

    def _work(self, session: Session, now: datetime) -> None:
        """A shift on every order that is not finished."""
        orders = _unfinished(session)
        for progress in progress_of(session, orders):
            if progress.order.id not in self._plans:
                self._plans[progress.order.id] = self._plan(progress)
        _all(
            report_progress(session, [r for p in progress_of(session, orders) for r in self._reports(p, now)], now=now)
        )
        if local_hour(now) == SHIFTS[-1]:
            self._ship(session, [p for p in progress_of(session, orders) if _worth_shipping(p)], now)

    def _plan(self, progress: Progress) -> Plan:
        """Each order goes its factory's pace; some run into trouble half-way and slip by days."""
        rng, order, steps = self._rng, progress.order, len(progress.steps)
        maker = self.town.makers[order.factory_id]
        time = max(order.due_at - WAY_TO_BUYERS - order.planned_at, timedelta(days=2)) * rng.uniform(
            *PACE[maker.manner]
        )
        trouble = timedelta(days=self._slips.pop(progress.title, 0))
        if rng.random() < IN_TROUBLE[maker.manner]:
            trouble += timedelta(days=rng.uniform(7, 18))
        hit = rng.randrange(1, steps)
        ends = [
            order.planned_at + time * (i + 1) / steps + (trouble if i >= hit else timedelta()) for i in range(steps)
        ]
        begins = [order.planned_at + timedelta(hours=6), *ends[:-1]]
        overlapping = tuple((begin - (end - begin) * 0.25, end) for begin, end in zip(begins, ends, strict=True))
        return Plan(overlapping, rejects=rng.choice((0, 0, 0, 0.005, 0.01, 0.02, 0.04)))

    def _reports(self, progress: Progress, now: datetime) -> list[ReportRequest]:
        """What this shift has made at each step, one after the other."""
        order, plan = progress.order, self._plans[progress.order.id]
        maker = self.town.makers[order.factory_id]
        counts = [StepCount(step.done, step.rejected) for step in progress.steps]
        found = []
        for step in progress.steps:
            at = step.position
            if progress.awaits_first_article and at >= BEFORE_BULK:
                break
            share = plan.due_share(at, now)
            needed = pieces_needed(counts, at, order.quantity)
            behind = needed if share >= 1 else round(share * order.quantity) - counts[at].good
            waiting = pieces_waiting(counts, at)
            made = min(behind, needed, needed if waiting is None else waiting)
            if made <= 0:
                continue
            rejected = int(self._counts.binomial(made, plan.rejects)) if step.step == "inspection" else 0
            counts[at] = counts[at].plus(made, rejected)
            found.append(ReportRequest(order.id, at, made, rejected, self._key(), reported_by=maker.user_id))
        return found

    def _ship(self, session: Session, ready: list[Progress], now: datetime) -> None:
        requests = [
            ShipRequest(
                progress.order.id,
                progress.ready,
                carrier=self._rng.choice(CARRIERS),
                tracking_number=f"YT{self._rng.randrange(10**12, 10**13)}",
                idempotency_key=self._key(),
            )
            for progress in ready
        ]
        lots = _all(ship_lots(session, requests, now=now))
        for parcel_id in _parcels(session, lots):
            self._underway.note(now + within(self._rng, timedelta(days=1.4), timedelta(days=4)), parcel_id)

    def _key(self) -> str:
        self._keys += 1
        return f"demo-{self._keys}"


def _worth_shipping(progress: Progress) -> bool:
    """Everything that is left, or the first half of a large order."""
    order = progress.order
    half = order.quantity >= TWO_LOTS and not order.shipped and progress.ready >= order.quantity // 2
    return progress.ready == order.quantity - order.shipped > 0 or half


def _unfinished(session: Session) -> list[WorkOrder]:
    working = (WorkOrderState.PLANNED, WorkOrderState.IN_PRODUCTION)
    statement = select(WorkOrder).where(col(WorkOrder.state).in_(working)).order_by(col(WorkOrder.id))
    return list(session.exec(statement.execution_options(populate_existing=True)).all())


def _parcels(session: Session, lot_ids: Sequence[UUID]) -> list[UUID]:
    c = table_of(Parcel).c
    return list(session.execute(sa.select(c.id).where(c.lot_id.in_(lot_ids)).order_by(c.id)).scalars())


def _all(answers: Sequence[UUID | Refusal]) -> list[UUID]:
    """What a set came to where nothing in it may be refused."""
    for answer in answers:
        if isinstance(answer, Refusal):
            raise answer
    return [answer for answer in answers if isinstance(answer, UUID)]
