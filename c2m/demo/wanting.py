"""Buyers who find nothing like what they need say so in their own words; what they search for is counted."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sqlmodel import Session

from c2m.demand.clustering.reading import read
from c2m.demand.needs import NeedRequest, file_need, withdraw_need
from c2m.demand.searched import add_searches
from c2m.demo.demand import HOURS
from c2m.demo.market import CURRENCY, Market
from c2m.demo.town import Town

DAYS = 16  # before the market's end in which wants are stated
A_DAY = 4.5
SEARCHES_AN_HOUR = 2
WITHDRAWN = 0.05
REGIONS = ("浙江 Zhejiang", "广东 Guangdong", "上海 Shanghai", "江苏 Jiangsu", "福建 Fujian", "四川 Sichuan")


@dataclass(frozen=True)
class Wanted:
    """One thing several buyers need: how they say it, what they would pay (minor units), how it weighs by the end."""

    sayings: tuple[str, ...]
    search: str
    low_minor: int
    high_minor: int
    weight: int
    rising: bool = False


WANTED = (
    Wanted(
        (
            "想要自动折叠伞，黑胶防晒，印店标",
            "automatic folding umbrella, uv protection, our logo",
            "求购全自动晴雨伞 三折 防紫外线 印logo",
            "自动伞 折叠 防晒 公司礼品用",
        ),
        "雨伞",
        28_00,
        42_00,
        6,
        rising=True,
    ),
    Wanted(
        (
            "帆布托特包，印公司logo，本色",
            "canvas tote bags printed with our logo",
            "求购帆布袋 印logo 开业用",
            "帆布购物袋定制 印标志 白色",
        ),
        "帆布包",
        12_00,
        22_00,
        5,
    ),
    Wanted(
        (
            "304不锈钢保温杯 500毫升 刻字",
            "stainless steel thermos 500ml, laser engraved",
            "保温杯500ml 不锈钢 激光刻名字 员工福利",
        ),
        "保温杯",
        36_00,
        58_00,
        4,
    ),
    Wanted(
        (
            "小熊毛绒玩具 30厘米 绣名字",
            "teddy bear plush 30cm with embroidered name",
            "毛绒小熊公仔30cm 毕业礼物 刺绣",
        ),
        "毛绒玩具",
        20_00,
        38_00,
        3,
    ),
    Wanted(
        ("儿童护脊书包 反光 轻便", "kids school backpack, lightweight, reflective", "小学生书包 减负 护脊 反光条"),
        "书包",
        60_00,
        99_00,
        2,
    ),
    Wanted(("学习台灯 护眼 调光 充电", "rechargeable dimmable desk lamp for students"), "台灯", 45_00, 80_00, 2),
)


@dataclass
class Wanting:
    """All who need what nobody offers."""

    market: Market
    town: Town
    _rng: Random = field(init=False)
    _stated: int = 0

    def __post_init__(self) -> None:
        self._rng = self.market.chance("wanting")

    def act(self, session: Session, *, now: datetime) -> None:
        """What is searched for and stated in this hour."""
        left = (self.market.calendar.ends_at - now) / timedelta(days=1)
        if left > DAYS * 2:
            return
        weights = [wanted.weight * (3 if wanted.rising and left < DAYS / 2 else 1) for wanted in WANTED]
        sought = self._rng.choices(WANTED, weights, k=SEARCHES_AN_HOUR)
        words = (word for wanted in sought for word in read(wanted.search).words)
        add_searches(session, Counter((now.date(), word) for word in words))
        if left <= DAYS and self._rng.random() < A_DAY / len(HOURS):
            [wanted] = self._rng.choices(WANTED, weights)
            self._state(session, wanted, now)

    def _state(self, session: Session, wanted: Wanted, now: datetime) -> None:
        self._stated += 1
        buyer_id = self._rng.choice(self.town.buyers).id
        named = self._rng.random() < 0.75
        request = NeedRequest(
            buyer_id=buyer_id,
            words=self._rng.choice(wanted.sayings),
            quantity=self._rng.choice((20, 30, 50, 60, 80, 100, 120, 150, 200, 300)),
            currency=CURRENCY,
            idempotency_key=f"need-{self._stated}",
            budget_minor=self._rng.randrange(wanted.low_minor, wanted.high_minor, 50) if named else None,
            wanted_by=(now + timedelta(days=self._rng.randint(20, 70))).date() if named else None,
            region=self._rng.choice(REGIONS),
        )
        need = file_need(session, request, now=now)
        if self._rng.random() < WITHDRAWN:
            withdraw_need(session, need.id, buyer_id=buyer_id, now=now)
