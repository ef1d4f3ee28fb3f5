"""Registration: who is there from the first day, who comes later, and the operator who verifies factories."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sqlmodel import Session

from c2m.demo import people
from c2m.demo.belts import Trade
from c2m.demo.calendar import Diary, local_hour
from c2m.demo.catalogue import TRADES
from c2m.demo.market import CURRENCY, Market
from c2m.demo.people import BuyerProfile, FactoryProfile
from c2m.demo.products import minor
from c2m.design.categories import category_of
from c2m.errors import Refusal
from c2m.identity.service import (
    Decision,
    Registered,
    Registration,
    decide_organisations,
    register_organisation,
    register_organisations,
)
from c2m.matching.factories import NewCapability, Profile, add_capabilities, create_profiles
from c2m.matching.rules import PriceStep, Terms
from c2m.matching.vetting import Papers, verify_registrations

MANNERS = {"quick": 3, "steady": 5, "slow": 2}  # of ten factories so many
SEEN_NOTE = "登记系统可查，名称与厂址一致 In the register; name and site agree."
REFUSAL_NOTE = "营业执照与厂址不符 The business licence and the site don't match."


@dataclass(frozen=True)
class Buyer:
    """A registered buyer."""

    id: UUID
    profile: BuyerProfile


@dataclass(frozen=True)
class Maker:
    """A registered factory, and how it works: quick, steady or slow."""

    id: UUID
    user_id: UUID
    profile: FactoryProfile
    manner: str


@dataclass(frozen=True)
class _Arrival:
    """A factory that registers, whether the operator gets round to deciding on it, and what the papers are like."""

    profile: FactoryProfile
    decided: bool = True
    honest: bool = True


@dataclass
class Town:
    """The people of the market."""

    market: Market
    password_hash: str
    buyers: list[Buyer] = field(default_factory=list)
    makers: dict[UUID, Maker] = field(default_factory=dict)
    merchandisers: list[UUID] = field(default_factory=list)
    operator_id: UUID = field(init=False)
    _rng: Random = field(init=False)
    _buyers_to_come: Diary[BuyerProfile] = field(default_factory=Diary)
    _factories_to_come: Diary[_Arrival] = field(default_factory=Diary)
    _to_decide: Diary[Decision] = field(default_factory=Diary)

    def __post_init__(self) -> None:
        self._rng = self.market.chance("town")

    @property
    def buyer_to_try(self) -> Buyer:
        """The one to sign in as: joins every campaign, and pays its balances at the last moment."""
        return self.buyers[0]

    def found(self, session: Session, *, now: datetime) -> None:
        """Register everybody of the first day; the others are noted down for theirs."""
        size, hashed = self.market.size, self.password_hash
        operator = register_organisation(session, people.operator(hashed, self._rng), now=now)
        self.operator_id = operator.user_id
        studios = people.merchandisers(size.merchandisers, hashed, self._rng)
        self.merchandisers = [new.organisation_id for new in _register(session, studios, now)]
        self._expect_buyers(people.buyers(size.buyers, hashed, self._rng), now)
        self._expect_factories(people.factories(size.factories, hashed, self._rng), now)
        self.act(session, now=now)

    def act(self, session: Session, *, now: datetime) -> None:
        """Register who has come, and decide on the factories that have waited long enough."""
        if profiles := self._buyers_to_come.due(now):
            new = _register(session, [profile.registration for profile in profiles], now)
            self.buyers += [Buyer(n.organisation_id, profile) for n, profile in zip(new, profiles, strict=True)]
        if arrived := self._factories_to_come.due(now):
            self._register_factories(session, arrived, now)
        if 9 <= local_hour(now) <= 18 and (decisions := self._to_decide.due(now)):
            decide_organisations(session, decisions, self.operator_id, now=now)
            session.flush()
            read = {d.organisation_id: Papers(self._licence_number(d.organisation_id)) for d in decisions}
            verify_registrations(session, list(read), read)

    def _expect_buyers(self, profiles: list[BuyerProfile], now: datetime) -> None:
        """Two thirds are there at once, the others find the place over time."""
        at_once = len(profiles) * 2 // 3
        for number, profile in enumerate(profiles):
            later = self.market.calendar.at(self._rng.uniform(-88, -4))
            self._buyers_to_come.note(now if number < at_once else later, profile)

    def _expect_factories(self, profiles: list[FactoryProfile], now: datetime) -> None:
        """Most are there at once, some come later (one is turned down), the last few wait for the operator."""
        calendar, waiting, later = self.market.calendar, max(1, len(profiles) // 19), len(profiles) // 8
        for left, profile in zip(range(len(profiles), 0, -1), profiles, strict=True):
            if left <= waiting:
                self._factories_to_come.note(calendar.ends_at - self._hours(8, 34), _Arrival(profile, decided=False))
            elif left <= waiting + later:
                arrival = _Arrival(profile, honest=left > waiting + 1)
                self._factories_to_come.note(calendar.at(-self._rng.uniform(12, 80)), arrival)
            else:
                self._factories_to_come.note(now, _Arrival(profile))

    def _register_factories(self, session: Session, arrivals: list[_Arrival], now: datetime) -> None:
        new = _register(session, [arrival.profile.registration for arrival in arrivals], now)
        makers = [
            Maker(n.organisation_id, n.user_id, arrival.profile, self._manner(arrival.profile))
            for n, arrival in zip(new, arrivals, strict=True)
        ]
        self.makers |= {maker.id: maker for maker in makers}
        create_profiles(session, [_profile(maker) for maker in makers])
        add_capabilities(session, [line for maker in makers for line in self._lines(maker)])
        for maker, arrival in zip(makers, arrivals, strict=True):
            if arrival.decided:
                decision = Decision(maker.id, arrival.honest, SEEN_NOTE if arrival.honest else REFUSAL_NOTE)
                self._to_decide.note(now + self._hours(4, 30), decision)

    def _licence_number(self, factory_id: UUID) -> str:
        """A made-up number of the length and form of a credit code (统一社会信用代码)."""
        place = list(self.makers).index(factory_id)
        return f"91330000DEMO{place:05d}X"

    def _hours(self, fewest: float, most: float) -> timedelta:
        return timedelta(hours=self._rng.uniform(fewest, most))

    def _manner(self, profile: FactoryProfile) -> str:
        return self._rng.choices(list(MANNERS), weights=list(MANNERS.values()))[0]

    def _lines(self, maker: Maker) -> list[NewCapability]:
        """What the factory makes: all its belt does, on terms that deviate from the usual ones."""
        profile = maker.profile
        dear = 0.86 if profile.to_try else self._rng.uniform(0.9, 1.14)
        large = self._rng.uniform(0.6, 1.4)
        return [
            NewCapability(
                factory_id=maker.id,
                category=category,
                process=category_of(category).process,
                terms=_workshop_terms(TRADES[category]) if profile.workshop else _terms(TRADES[category], dear, large),
            )
            for category in profile.belt.categories
        ]


def _register(session: Session, registrations: list[Registration], now: datetime) -> list[Registered]:
    answers = register_organisations(session, registrations, now=now)
    for answer in answers:
        if isinstance(answer, Refusal):
            raise answer
    return [answer for answer in answers if isinstance(answer, Registered)]


def _profile(maker: Maker) -> Profile:
    belt = maker.profile.belt
    return Profile(
        factory_id=maker.id,
        belt=belt.label,
        region=belt.region_label,
        currency=CURRENCY,
        about=f"{belt.about}\n{belt.about_en}",
    )


def _terms(trade: Trade, dear: float, large: float) -> Terms:
    minimum = max(round(trade.minimum * large / 10) * 10, 10)
    return Terms(
        weekly_capacity=round(trade.weekly * large / 10) * 10,
        minimum=minimum,
        setup_minor=minor(trade.setup),
        lead_days=trade.lead_days,
        steps=(
            PriceStep(minimum, _price(trade.cost * dear * 1.14)),
            PriceStep(minimum * 4, _price(trade.cost * dear)),
            PriceStep(minimum * 12, _price(trade.cost * dear * 0.94)),
        ),
    )


def _workshop_terms(trade: Trade) -> Terms:
    """Small quick orders at a higher price."""
    return Terms(
        weekly_capacity=max(trade.weekly // 6, 30),
        minimum=5,
        setup_minor=minor(40),
        lead_days=max(trade.lead_days - 1, 2),
        steps=(PriceStep(5, _price(trade.cost * 1.4)), PriceStep(40, _price(trade.cost * 1.28))),
    )


def _price(yuan: float) -> int:
    """To ten fen, as prices are quoted."""
    return max(round(yuan * 10) * 10, 10)
