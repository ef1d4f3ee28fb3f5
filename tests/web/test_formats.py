"""How values are written on a page, exactly, in Chinese and in English."""

from datetime import UTC, date, datetime, timedelta

import pytest

from c2m.web import formats

NOW = datetime(2026, 11, 22, 7, 48, tzinfo=UTC)
DEADLINE = datetime(2026, 12, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (340000, "CNY", "¥3,400.00"),
        (-5, "CNY", "-¥0.05"),
        (0, "CNY", "¥0.00"),
        (3400, "USD", "US$34.00"),
        (3400, "JPY", "JP¥3,400"),
        (92233720368547758, "CNY", "¥922,337,203,685,477.58"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_money_reads_the_same_in_both_languages(
    language: str, minor: int, currency: str, text: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(language)
    assert formats.money(minor, currency) == text


def test_a_trimmed_price_drops_only_zero_decimals(zh: None) -> None:
    assert formats.money(2900, trim=True) == "¥29"
    assert formats.money(2950, trim=True) == "¥29.50"


def test_a_price_comes_apart_into_sign_symbol_whole_and_fraction() -> None:
    assert formats.price_parts(-340050) == formats.PriceParts("-", "¥", "3,400", ".50")
    assert formats.price_parts(5) == formats.PriceParts("", "¥", "0", ".05")
    assert formats.price_parts(3400, "JPY") == formats.PriceParts("", "JP¥", "3,400", "")


def test_values_read_in_chinese(zh: None) -> None:
    assert formats.pieces(1) == "1 件"
    assert formats.pieces(1200) == "1,200 件"
    assert formats.percent(0.983, 1) == "98.3%"
    assert formats.percent(0.983) == "98%"
    assert formats.day_long(DEADLINE) == "12 月 5 日"
    assert formats.remaining(DEADLINE, NOW) == "13 天 4 小时"
    assert formats.countdown(DEADLINE, NOW) == "13 天 4 小时 12 分"
    assert formats.ago(NOW - timedelta(minutes=3), NOW) == "3 分钟前"
    assert formats.ago(NOW - timedelta(seconds=3), NOW) == "刚刚"
    assert formats.remaining(NOW, NOW) == "已截止"


def test_values_read_in_english(en: None) -> None:
    assert formats.pieces(1) == "1 piece"
    assert formats.pieces(1200) == "1,200 pieces"
    assert formats.day_long(DEADLINE) == "December 5"
    assert formats.remaining(DEADLINE, NOW) == "13 d 4 h"
    assert formats.remaining(NOW + timedelta(hours=5, minutes=12), NOW) == "5 h 12 min"
    assert formats.remaining(NOW + timedelta(seconds=59), NOW) == "under a minute"
    assert formats.countdown(NOW + timedelta(hours=5, seconds=9), NOW) == "5 h 0 min 9 s"
    assert formats.ago(NOW - timedelta(hours=1), NOW) == "1 hour ago"
    assert formats.ago(NOW - timedelta(days=3), NOW) == "2026-11-19 15:48"


def test_days_and_moments_are_those_of_beijing() -> None:
    late = datetime(2026, 12, 5, 16, 0, tzinfo=UTC)
    assert formats.day(late) == "2026-12-06"
    assert formats.day_short(late) == "12-06"
    assert formats.moment(late) == "2026-12-06 00:00"
    assert formats.machine(late) == "2026-12-06T00:00:00+08:00"
    assert formats.day(date(2026, 12, 5)) == "2026-12-05"


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="without its zone"):
        formats.moment(datetime(2026, 12, 5, 12, 0))  # noqa: DTZ001


def test_a_deadline_presses_only_in_its_last_48_hours() -> None:
    assert not formats.is_pressing(NOW + timedelta(hours=48), NOW)
    assert formats.is_pressing(NOW + timedelta(hours=47, minutes=59), NOW)
    assert not formats.is_pressing(NOW, NOW)


@pytest.mark.parametrize(
    ("page", "pages", "window"),
    [
        (1, 1, [1]),
        (2, 3, [1, 2, 3]),
        (5, 20, [1, None, 4, 5, 6, None, 20]),
        (3, 12, [1, 2, 3, 4, None, 12]),
        (4, 12, [1, 2, 3, 4, 5, None, 12]),
    ],
)
def test_the_pager_offers_ends_and_neighbours(page: int, pages: int, window: list[int | None]) -> None:
    assert formats.page_window(page, pages) == window


def test_here_changes_only_what_it_is_told(zh: None) -> None:
    assert formats.here(page=3).endswith("/guide?q=bag&page=3")
    assert formats.here(page=None, sort="-due").endswith("/guide?q=bag&sort=-due")
    assert formats.hidden_query("page") == [("q", "bag")]
