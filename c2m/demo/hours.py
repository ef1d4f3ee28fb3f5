"""Factories' hours and papers: shifts, overtime, idle weeks, claims; and the operator who checks and decides."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from sqlmodel import Session, col, select

from c2m.demo.calendar import Diary, local_hour
from c2m.demo.market import Market
from c2m.demo.town import Maker, Town
from c2m.matching.calendars import Load, Shifts
from c2m.matching.capacity import capacity_map
from c2m.matching.claims import NewClaim, make_claims
from c2m.matching.counters import Decision, NoRoomForCounter, decide_counter
from c2m.matching.hours import Keep, offer_idle_weeks, reserve, set_overtime, set_shifts
from c2m.matching.models import Capability, CapacityUnit, ClaimKind, CounterOffer, CounterState, LineKind
from c2m.matching.newcomers import set_terms
from c2m.matching.rules import monday, weeks_from
from c2m.matching.vetting import Check, check_claims


@dataclass(frozen=True)
class Paper:
    """What a factory sends in: its title, by what its number begins, and what the operator finds where it holds."""

    title: str
    number: str
    seen: str


NEWCOMER_SHARE = 80_000  # of the volume
NEWCOMER_ORDERS = 2
OVERTIME_EACH, MINUTES_EACH = 3, 4  # each third factory offers overtime, each fourth counts in minutes
OWN_DAY_EACH = 6  # each sixth paper names until when it holds
OVERTIME_PARTS = 5  # a fifth of a week
IDLE_PARTS = 4  # a quarter of a week
IDLE_HOUR = 10  # on Mondays
PREMIUMS, DISCOUNTS = (200_000, 250_000, 300_000, 400_000), (60_000, 80_000, 100_000, 120_000)
DEAREST_PPM = 20_000  # the operator agrees to a counter-offer that costs up to so much more than others making it
STANDARD_MINUTES = {"tshirt": 12, "hoodie": 24, "dress": 28, "shirt": 20}
CLAIMS: dict[ClaimKind, Paper] = {
    ClaimKind.MACHINES: Paper(
        "主要设备清单 List of machines",
        "EQ",
        "现场逐台清点，与清单一致 Counted on site, machine by machine; as listed",
    ),
    ClaimKind.CERTIFICATE: Paper(
        "ISO 9001 质量体系 ISO 9001 quality system",
        "QMS",
        "按编号在发证机构官网查到，在有效期内 Found by its number in the issuer's register, and valid",
    ),
    ClaimKind.SAMPLE_WORK: Paper(
        "近期样品三件 Three recent samples",
        "SP",
        "三件寄样已拆检：针距均匀，尺寸在公差内 Three samples opened: even stitches, sizes within tolerance",
    ),
}
REFUSED = "证书已过期 The certificate has run out."
REGULAR = "老客户订单 A regular customer"
TOO_DEAR = "其他工厂可更低价完成 Others make it for less"


@dataclass
class Hours:
    """What happens beside the offers themselves."""

    market: Market
    town: Town
    _rng: Random = field(init=False)
    _known: set[UUID] = field(default_factory=set)
    _checked: list[UUID] = field(default_factory=list)
    _to_check: Diary[tuple[UUID, bool, str]] = field(default_factory=Diary)

    def __post_init__(self) -> None:
        self._rng = self.market.chance("hours")

    def act(self, session: Session, *, now: datetime) -> None:
        """New factories set up their hours and send in papers; the operator checks, and decides on counter-offers."""
        new = [maker for maker in self.town.makers.values() if maker.id not in self._known]
        if new and not self._known:
            set_terms(session, NEWCOMER_SHARE, NEWCOMER_ORDERS, self.town.operator_id, now=now)
        for maker in new:
            self._known.add(maker.id)
            self._set_up(session, maker, now)
        hour = local_hour(now)
        if 9 <= hour <= 18:
            self._check(session, now)
            self._decide(session, now)
        if hour == IDLE_HOUR and now.weekday() == 0:
            self._open_idle_weeks(session, now)

    def _set_up(self, session: Session, maker: Maker, now: datetime) -> None:
        number = len(self._known)
        for line in _lines(session, maker.id):
            minutes = STANDARD_MINUTES.get(line.category)
            if minutes and number % MINUTES_EACH == 0:
                units = line.weekly_capacity * minutes // 6
                week = Shifts(days_a_week=6, shifts_a_day=1, units_a_shift=units)
                set_shifts(session, line.id, CapacityUnit.MINUTE, Load(minutes), week, factory_id=maker.id, now=now)
            if number % OVERTIME_EACH == 0:
                limit, premium = (
                    (line.weekly_units or line.weekly_capacity) // OVERTIME_PARTS,
                    self._rng.choice(PREMIUMS),
                )
                set_overtime(session, line.id, limit, premium, factory_id=maker.id, now=now)
        self._send_in_papers(session, maker, now)

    def _send_in_papers(self, session: Session, maker: Maker, now: datetime) -> None:
        """Some send in everything, some a part, some nothing; one paper in eight does not hold."""
        kinds = list(CLAIMS)[: self._rng.choice((0, 1, 2, 3, 3))]
        number = len(self._known)
        sent = [NewClaim(maker.id, kind, CLAIMS[kind].title, f"{CLAIMS[kind].number}-{number:04d}") for kind in kinds]
        ids = make_claims(session, sent, now=now)
        for claim_id, kind in zip(ids, kinds, strict=True):
            holds = self._rng.random() > 1 / 8
            when = now + timedelta(hours=self._rng.uniform(6, 60))
            self._to_check.note(when, (claim_id, holds, CLAIMS[kind].seen if holds else REFUSED))

    def _check(self, session: Session, now: datetime) -> None:
        operator = self.town.operator_id
        due = [
            Check(claim_id, holds, seen, operator, self._until(number) if holds else None)
            for number, (claim_id, holds, seen) in enumerate(self._to_check.due(now), start=len(self._checked))
        ]
        self._checked += [check.claim_id for check in due]
        check_claims(session, due, now=now)

    def _until(self, number: int) -> date | None:
        """Each sixth paper says a day of its own, not long after the story ends: it is to be checked again by then."""
        if number % OWN_DAY_EACH:
            return None
        return (self.market.calendar.ends_at + timedelta(days=6 + number % 20)).date()

    def _decide(self, session: Session, now: datetime) -> None:
        """Agree to what costs little more than refusing; the last ones are left to whoever signs in."""
        if now > self.market.calendar.ends_at - timedelta(hours=30):
            return
        waiting = select(CounterOffer).where(CounterOffer.state == CounterState.OPEN).order_by(col(CounterOffer.id))
        for counter in session.exec(waiting).all():
            if not counter.effect or counter.made_at > now - timedelta(hours=3):
                continue
            dearest = counter.effect["elsewhere"]["cost_minor"] * DEAREST_PPM // 1_000_000
            agrees = counter.effect["extra_minor"] <= dearest
            reason = None if agrees else TOO_DEAR
            try:
                with session.begin_nested():
                    decide_counter(session, Decision(counter.id, agrees, self.town.operator_id, reason), now=now)
            except NoRoomForCounter:
                decide_counter(session, Decision(counter.id, False, self.town.operator_id), now=now)

    def _open_idle_weeks(self, session: Session, now: datetime) -> None:
        """One factory in six opens its emptiest coming week, and keeps some of another for a regular customer."""
        makers = list(self.town.makers.values())
        weeks = weeks_from(monday(now.date()), 6)[2:]
        for maker in self._rng.sample(makers, max(1, len(makers) // 6)):
            rows = [r for r in capacity_map(session, maker.id, weeks) if r.capability.kind is LineKind.REGULAR]
            row = self._rng.choice(rows)
            roomiest = max(row.cells, key=lambda cell: cell.free)
            pieces = row.capability.weekly_capacity // IDLE_PARTS
            if pieces and roomiest.free >= 2 * pieces:
                wanted, discount = {roomiest.week: pieces}, self._rng.choice(DISCOUNTS)
                offer_idle_weeks(session, row.capability.id, wanted, discount, factory_id=maker.id, now=now)
                keep = Keep(row.capability.id, roomiest.week, max(pieces // 2, 1), REGULAR, maker.user_id)
                reserve(session, keep, factory_id=maker.id, now=now)


def _lines(session: Session, factory_id: UUID) -> Sequence[Capability]:
    regular = (Capability.factory_id == factory_id, Capability.kind == LineKind.REGULAR)
    return session.exec(select(Capability).where(*regular).order_by(col(Capability.id))).all()
