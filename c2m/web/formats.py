"""How values are written on a page: money, pieces, days, times and shares, in the visitor's language."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision, get_currency_symbol
from flask import Flask, current_app, request, url_for
from flask_babel import get_locale, gettext, ngettext

from c2m.web.i18n import HOME_TIMEZONE

# Signs of the home market in both languages: ¥ is CNY, other currencies are told apart (US$, JP¥).
MONEY_LOCALE = "zh_Hans_CN"
BETWEEN = re.compile(r"(?<=\d)(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=\d)")
HOME = ZoneInfo(HOME_TIMEZONE)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class PriceParts:
    """An amount taken apart so that the sign and the decimals can be set smaller than the number."""

    sign: str
    symbol: str
    whole: str
    fraction: str


def major(minor: int, currency: str) -> Decimal:
    """An amount in minor units as a decimal of its currency."""
    return Decimal(minor).scaleb(-get_currency_precision(currency))


def money(minor: int, currency: str = "CNY", *, trim: bool = False) -> str:
    """An amount as text: 340000 → ¥3,400.00; `trim` drops decimals that are zero."""
    amount = major(minor, currency)
    whole_only = trim and amount == amount.to_integral_value()
    return format_currency(
        amount,
        currency,
        locale=MONEY_LOCALE,
        format="¤#,##0" if whole_only else None,
        currency_digits=not whole_only,
    )


def price_parts(minor: int, currency: str = "CNY") -> PriceParts:
    """An amount in parts: -340050 → - ¥ 3,400 .50."""
    precision = get_currency_precision(currency)
    whole, _, fraction = f"{abs(major(minor, currency)):.{precision}f}".partition(".")
    return PriceParts(
        sign="-" if minor < 0 else "",
        symbol=get_currency_symbol(currency, locale=MONEY_LOCALE),
        whole=format_decimal(int(whole), locale=MONEY_LOCALE),
        fraction=f".{fraction}" if fraction else "",
    )


def number(value: int | float | Decimal) -> str:
    """A number with its thousands grouped: 12345 → 12,345."""
    return format_decimal(value, locale=get_locale())


def pieces(quantity: int) -> str:
    """A quantity of goods: 1200 → 1,200 pieces."""
    return str(ngettext("%(quantity)s piece", "%(quantity)s pieces", quantity, quantity=number(quantity)))


def percent(share: float, digits: int = 0) -> str:
    """A share of one: 0.983 with one digit → 98.3%."""
    pattern = "#,##0." + "0" * digits + "%" if digits else "#,##0%"
    return format_percent(share, format=pattern, locale=get_locale())


def local(when: datetime) -> datetime:
    """An instant on the home market's clock; a naive time is refused."""
    if when.tzinfo is None:
        raise ValueError(f"a time without its zone cannot be shown: {when}")
    return when.astimezone(HOME)


def calendar_day(when: date | datetime) -> date:
    """The day an instant falls on in the home market; a date is already one."""
    return local(when).date() if isinstance(when, datetime) else when


def gapped(text: str) -> str:
    """Chinese text with a space between figures and characters, as our own sentences have it."""
    return BETWEEN.sub(" ", text)


def day(when: date | datetime) -> str:
    """A day: 2026-12-05."""
    return calendar_day(when).isoformat()


def day_short(when: date | datetime) -> str:
    """A day where the year is plain: 12-05."""
    return calendar_day(when).strftime("%m-%d")


def day_long(when: date | datetime) -> str:
    """A day in words: December 24 or 12 月 24 日."""
    return gapped(format_skeleton("MMMMd", calendar_day(when), locale=get_locale()))


def moment(when: datetime) -> str:
    """A day and time in the home market: 2026-12-05 20:00."""
    return local(when).strftime("%Y-%m-%d %H:%M")


def clock(when: datetime) -> str:
    """A time of day in the home market: 20:00."""
    return local(when).strftime("%H:%M")


def machine(when: date | datetime) -> str:
    """A day or instant for `<time datetime>` and for scripts."""
    return local(when).isoformat(timespec="seconds") if isinstance(when, datetime) else when.isoformat()


def ago(when: datetime, now: datetime) -> str:
    """How long ago something happened; after two days its moment says more."""
    passed = now - when
    if passed < MINUTE:
        return str(gettext("just now"))
    if passed >= 2 * DAY:
        return moment(when)
    return gapped(format_timedelta(-passed, add_direction=True, threshold=1, locale=get_locale()))


def duration(length: timedelta) -> str:
    """A length of time in its two largest units: 13 d 4 h."""
    minutes = int(length / MINUTE)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return str(gettext("%(days)s d %(hours)s h", days=days, hours=hours))
    if hours:
        return str(gettext("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes))
    return str(gettext("%(minutes)s min", minutes=minutes))


def remaining(deadline: datetime, now: datetime) -> str:
    """How long until a deadline: 13 d 4 h; once passed, that it has ended."""
    left = deadline - now
    if left <= timedelta():
        return str(gettext("ended"))
    return str(gettext("under a minute") if left < MINUTE else duration(left))


def countdown_words() -> dict[str, str]:
    """The patterns a running countdown is written with, by its largest unit, braces where figures go."""
    return {
        "days": gettext("%(days)s d %(hours)s h %(minutes)s min", days="{days}", hours="{hours}", minutes="{minutes}"),
        "hours": gettext(
            "%(hours)s h %(minutes)s min %(seconds)s s", hours="{hours}", minutes="{minutes}", seconds="{seconds}"
        ),
        "ended": gettext("ended"),
    }


def countdown(deadline: datetime, now: datetime) -> str:
    """The exact time left, as the page's countdown begins: 13 d 4 h 12 min, or 4 h 12 min 9 s on the last day."""
    seconds = int((deadline - now).total_seconds())
    words = countdown_words()
    if seconds <= 0:
        return words["ended"]
    figures = {
        "days": seconds // 86400,
        "hours": seconds % 86400 // 3600,
        "minutes": seconds % 3600 // 60,
        "seconds": seconds % 60,
    }
    return words["days" if figures["days"] else "hours"].format(**figures)


def is_pressing(deadline: datetime, now: datetime) -> bool:
    """Whether a deadline is so near (under 48 hours, not yet passed) that the page may warn of it."""
    return timedelta() < deadline - now < 2 * DAY


def here(**changes: Any) -> str:
    """The present page's address with some query values changed; None takes a value away."""
    query: dict[str, Any] = {**request.args.to_dict(flat=False), **changes}
    kept = {name: value for name, value in query.items() if value is not None}
    return url_for(request.endpoint or "pages.home", **(request.view_args or {}), **kept)


def page_address() -> str:
    """Where the present page can be read again: its own address, or home where it only answers a form."""
    if request.method in ("GET", "HEAD"):
        return request.full_path if request.query_string else request.path
    adapter = current_app.create_url_adapter(request)
    return request.path if adapter is not None and adapter.test(method="GET") else url_for("pages.home")


def hidden_query(*names: str) -> list[tuple[str, str]]:
    """The present query values a GET form must carry along, without the ones it asks for itself."""
    return [(name, value) for name, value in request.args.items(multi=True) if name not in names]


def page_window(page: int, pages: int, around: int = 1) -> list[int | None]:
    """The page numbers to offer, None where some are left out: 1 … 4 5 6 … 20."""
    shown = sorted({1, pages, *range(max(1, page - around), min(pages, page + around) + 1)})
    window: list[int | None] = []
    for at, following in zip(shown, [*shown[1:], None], strict=True):
        window.append(at)
        if following is not None and following - at == 2:
            window.append(at + 1)
        elif following is not None and following - at > 2:
            window.append(None)
    return window


BOTH_LANGUAGES = re.compile(r"^(.*[\u4e00-\u9fff][^A-Za-z]*?)\s+([A-Za-z].*)$")


def days_later(when: datetime, days: int) -> datetime:
    """The same time of day so many days on."""
    return when + timedelta(days=days)


def in_language(text: str) -> str:
    """A merchant's text given in both languages ("藏青 Navy"), in the reader's; any other text as it is."""
    both = BOTH_LANGUAGES.match(text)
    if both is None:
        return text
    return both[2] if _is_english() else both[1]


def titled(thing: Any) -> str:
    """What a product is called, in the reader's language where its merchant gave both names."""
    return str((_is_english() and thing.title_en) or thing.title)


def named(thing: Any) -> str:
    """What an organisation or variant is called, in the reader's language where it has both names."""
    return str((_is_english() and thing.name_en) or thing.name)


def _is_english() -> bool:
    locale = get_locale()
    return locale is not None and locale.language == "en"


FILTERS: tuple[Callable[..., object], ...] = (
    money,
    price_parts,
    number,
    pieces,
    percent,
    day,
    day_short,
    day_long,
    moment,
    clock,
    machine,
    ago,
    duration,
    remaining,
    countdown,
    is_pressing,
    days_later,
    in_language,
    titled,
    named,
)


def init_formats(app: Flask) -> None:
    """Give templates the filters and the addresses of this module."""
    app.jinja_env.filters.update({fn.__name__: fn for fn in FILTERS})
    app.jinja_env.globals.update(
        here=here,
        page_address=page_address,
        hidden_query=hidden_query,
        page_window=page_window,
        countdown_words=countdown_words,
    )
