"""Who lives in the demo market: buyers, merchandisers, factories and the operator, named from the seed."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from c2m.config import DEMO_DOMAIN
from c2m.demo.belts import Belt
from c2m.demo.catalogue import BELTS
from c2m.identity.models import Role
from c2m.identity.service import Registration


class Named(tuple[str, str]):
    """A name in Chinese and in English."""

    __slots__ = ()

    def __new__(cls, zh: str, en: str) -> "Named":
        return super().__new__(cls, (zh, en))

    @property
    def zh(self) -> str:
        return self[0]

    @property
    def en(self) -> str:
        return self[1]

    @property
    def both(self) -> str:
        return f"{self.zh} {self.en}"


def _names(text: str) -> tuple[Named, ...]:
    """Names written as `中文 English` separated by `;`."""
    return tuple(Named(*entry.strip().split(" ", 1)) for entry in text.split(";") if entry.strip())


CITIES = _names(
    "杭州 Hangzhou; 上海 Shanghai; 广州 Guangzhou; 深圳 Shenzhen; 成都 Chengdu; 北京 Beijing; 武汉 Wuhan; 西安 Xi'an;"
    "长沙 Changsha; 重庆 Chongqing; 南京 Nanjing; 苏州 Suzhou; 郑州 Zhengzhou; 厦门 Xiamen; 青岛 Qingdao; 昆明 Kunming;"
    "合肥 Hefei; 天津 Tianjin; 宁波 Ningbo; 福州 Fuzhou; 济南 Jinan; 沈阳 Shenyang; 贵阳 Guiyang; 南宁 Nanning"
)
SHOP_STEMS = _names(
    "小满 Xiaoman; 南风 Nanfeng; 半亩 Banmu; 初见 Chujian; 木棉 Mumian; 拾光 Shiguang; 青禾 Qinghe; 山间 Shanjian;"
    "有鹿 Youlu; 白茶 Baicha; 知了 Zhiliao; 橘子 Juzi; 云朵 Yunduo; 慢慢 Manman; 星野 Xingye; 田间 Tianjian"
)
SHOPS = _names(
    "杂货铺 General Store; 买手店 Select Shop; 家居馆 Home; 礼品店 Gifts; 童装店 Kids' Wear; 咖啡馆 Café; 书店 Books;"
    "花店 Flowers"
)
HOSTS = _names(
    "阿楠 Anan; 大鱼 Dayu; 小鹿 Xiaolu; 糖糖 Tangtang; 老周 Lao Zhou; 麦子 Maizi; 七七 Qiqi; 豆包妈 Doubao's Mum;"
    "晴天 Qingtian; 阿布 Abu; 西瓜 Xigua; 可乐 Kele"
)
COMMUNITIES = _names(
    "玉林 Yulin; 望江 Wangjiang; 滨河 Binhe; 翠苑 Cuiyuan; 花果园 Huaguoyuan; 西溪 Xixi; 东湖 Donghu; 龙湖 Longhu;"
    "金沙 Jinsha; 天通苑 Tiantongyuan; 世纪城 Century City; 桃园 Taoyuan"
)
SURNAMES = _names(
    "陈 Chen; 林 Lin; 王 Wang; 李 Li; 张 Zhang; 黄 Huang; 周 Zhou; 吴 Wu; 徐 Xu; 孙 Sun; 朱 Zhu; 何 He; 郭 Guo; 罗 Luo;"
    "梁 Liang; 宋 Song; 谢 Xie; 唐 Tang; 韩 Han; 曹 Cao"
)
GIVEN = _names(
    "晓雯 Xiaowen; 建国 Jianguo; 丽华 Lihua; 志强 Zhiqiang; 思远 Siyuan; 雅琴 Yaqin; 海燕 Haiyan; 文博 Wenbo;"
    "欣怡 Xinyi;"
    "国栋 Guodong; 美玲 Meiling; 俊杰 Junjie; 秋月 Qiuyue; 永康 Yongkang; 佳宁 Jianing; 春生 Chunsheng; 婷婷 Tingting;"
    "振华 Zhenhua; 若曦 Ruoxi; 明亮 Mingliang"
)
FACTORY_STEMS = _names(
    "锦澜 Jinlan; 恒泰 Hengtai; 盛源 Shengyuan; 佳美 Jiamei; 宏达 Hongda; 新越 Xinyue; 万隆 Wanlong; 嘉禾 Jiahe;"
    "东升 Dongsheng; 永兴 Yongxing; 汇丰源 Huifengyuan; 巧手 Qiaoshou; 华彩 Huacai; 明辉 Minghui; 金鼎 Jinding;"
    "天工 Tiangong; 信诚 Xincheng; 百川 Baichuan; 润泽 Runze; 启航 Qihang; 中佳 Zhongjia; 顺达 Shunda"
)
STUDIOS = (
    ("木与棉设计", "Wood & Cotton Design", "杭州 Hangzhou"),
    ("南山有器", "Nanshan Objects", "厦门 Xiamen"),
    ("半糖日用", "Half Sugar Goods", "广州 Guangzhou"),
    ("向野户外", "Into the Wild Outdoor", "成都 Chengdu"),
    ("一间屋家居", "One Room Living", "上海 Shanghai"),
    ("小怪兽童物", "Little Monster Kids", "深圳 Shenzhen"),
    ("北岸男装", "North Bank Menswear", "青岛 Qingdao"),
)


class Custom(StrEnum):
    """How a buyer buys."""

    SHOP = "shop"
    STREAMER = "streamer"
    LEADER = "leader"  # 团长, who buys for a neighbourhood


@dataclass(frozen=True)
class BuyerProfile:
    """A buyer to be registered: who it is, how often it joins and how much it takes."""

    registration: Registration
    custom: Custom
    appetite: float  # pieces against the usual order of its kind
    activity: float  # how often it joins, against others


@dataclass(frozen=True)
class FactoryProfile:
    """A factory to be registered: its belt, and whether it is the belt's small quick workshop."""

    registration: Registration
    belt: Belt
    position: int  # in its belt, from 0
    workshop: bool

    @property
    def to_try(self) -> bool:
        """Whether it is the one to sign in as, which has much to show."""
        return self.registration.email == email_of(Role.FACTORY, 0)


def email_of(role: Role, number: int) -> str:
    """The first of a role has the address everybody can guess."""
    return f"{role}@{DEMO_DOMAIN}" if number == 0 else f"{role}-{number + 1:03}@{DEMO_DOMAIN}"


def buyers(count: int, password_hash: str, rng: Random) -> list[BuyerProfile]:
    """Shops, live-streamers and group leaders of all cities; the first is the one to sign in as."""
    shops = _shuffled(rng, itertools.product(CITIES, SHOP_STEMS, SHOPS))
    hosts = _shuffled(rng, itertools.product(CITIES, HOSTS))
    communities = _shuffled(rng, itertools.product(CITIES, COMMUNITIES))
    found = []
    for number in range(count):
        custom = Custom.SHOP if number == 0 else rng.choices(list(Custom), weights=(6, 1.5, 2.5))[0]
        if custom is Custom.SHOP:
            city, stem, shop = shops.pop()
            name, name_en = f"{city.zh}{stem.zh}{shop.zh}", f"{stem.en} {shop.en}, {city.en}"
        elif custom is Custom.STREAMER and hosts:
            city, host = hosts.pop()
            name, name_en = f"{city.zh}{host.zh}直播间", f"Live with {host.en}, {city.en}"
        else:
            city, community = communities.pop()
            surname = rng.choice(SURNAMES)
            name = f"{city.zh}{community.zh}社区团长{surname.zh}姐"
            name_en = f"{community.en} neighbours ({surname.en}), {city.en}"
        registration = Registration(
            kind=Role.BUYER,
            name=name,
            name_en=name_en,
            region=city.both,
            email=email_of(Role.BUYER, number),
            person=_person(rng),
            password_hash=password_hash,
        )
        activity = min(rng.paretovariate(1.6), 6.0)
        found.append(BuyerProfile(registration, custom, appetite=rng.lognormvariate(0, 0.35), activity=activity))
    return found


def merchandisers(count: int, password_hash: str, rng: Random) -> list[Registration]:
    """Design studios and brand owners."""
    return [
        Registration(
            Role.MERCHANDISER, name, email_of(Role.MERCHANDISER, i), _person(rng), password_hash, name_en, region
        )
        for i, (name, name_en, region) in enumerate(STUDIOS[:count])
    ]


def operator(password_hash: str, rng: Random) -> Registration:
    """The one who runs the place."""
    return Registration(
        Role.OPERATOR,
        "c2m 平台",
        email_of(Role.OPERATOR, 0),
        _person(rng),
        password_hash,
        "The c2m platform",
        "杭州 Hangzhou",
    )


def factories(count: int, password_hash: str, rng: Random) -> list[FactoryProfile]:
    """Source factories belt by belt, the first of each belt first; the second of a larger belt is a quick workshop."""
    places = [(belt, position) for belt in BELTS for position in range(belt.factories)]
    places.sort(key=lambda place: place[1])
    chosen = places[:count]
    size = {belt.name: sum(1 for other, _ in chosen if other is belt) for belt, _ in chosen}
    stems = {belt.name: rng.sample(FACTORY_STEMS, belt.factories) for belt in BELTS}
    found = []
    for number, (belt, position) in enumerate(chosen):
        stem = stems[belt.name][position]
        workshop = size[belt.name] > 3 and position == 1
        registration = Registration(
            kind=Role.FACTORY,
            name=f"{belt.place}{stem.zh}{belt.trade}{'工坊' if workshop else '有限公司'}",
            name_en=f"{belt.place_en} {stem.en} {belt.trade_en}{' Workshop' if workshop else ' Co.'}",
            region=belt.region_label,
            email=email_of(Role.FACTORY, number),
            person=_person(rng),
            password_hash=password_hash,
        )
        found.append(FactoryProfile(registration, belt, position, workshop))
    return found


def _person(rng: Random) -> str:
    surname, given = rng.choice(SURNAMES), rng.choice(GIVEN)
    return f"{surname.zh}{given.zh} {surname.en} {given.en}"


def _shuffled(rng: Random, combinations: "itertools.product[tuple[Named, ...]]") -> list[Sequence[Named]]:
    found: list[Sequence[Named]] = list(combinations)
    rng.shuffle(found)
    return found
