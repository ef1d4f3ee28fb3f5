"""The visual kit: what is written on a page, in both languages, and that no page breaks its rules."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from babel.messages.catalog import Catalog
from flask import Blueprint, Flask, get_template_attribute, render_template
from flask_babel import gettext, ngettext

from c2m.demand.models import CampaignKind, CampaignState, PledgeState
from c2m.design.models import ConceptState, WantState
from c2m.identity.models import OrganisationState
from c2m.jobs import JobState
from c2m.ledger.models import HoldState, TransferState
from c2m.matching.models import OfferState
from c2m.production.models import WorkOrderState
from c2m.web import assets, drawing, formats, i18n, states, translations

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
NOW = datetime(2026, 11, 22, 7, 48, tzinfo=UTC)
DEADLINE = datetime(2026, 12, 5, 12, 0, tzinfo=UTC)
ENDPOINTS = {
    "web": ["set_locale", "set_theme"],
    "pages": ["home"],
    "demand": ["marketplace"],
    "identity": ["sign_in", "sign_out"],
}


@pytest.fixture(scope="module")
def app() -> Flask:
    """A site of empty pages around the kit."""
    app = Flask("c2m", root_path=str(ROOT / "c2m"), template_folder=str(ROOT / "templates"))
    app.secret_key = "kit"
    app.config["SERVER_NAME"] = "c2m.test"
    for init in (i18n.init_i18n, assets.init_assets, formats.init_formats, drawing.init_drawing, states.init_states):
        init(app)
    for room, names in ENDPOINTS.items():
        pages = Blueprint(room, room, url_prefix=f"/{room}")
        for name in names:
            pages.add_url_rule(f"/{name}", name, lambda: "", methods=["GET", "POST"])
        app.register_blueprint(pages)
    app.jinja_env.globals.update(
        csrf_token=lambda: "token", csp_nonce=lambda: "nonce", days=lambda count: timedelta(days=count)
    )
    nav = [
        SimpleNamespace(href="/a", label="A", icon="home", current=True, count=3, hot=True),
        SimpleNamespace(href="/b", label="B", icon="box", current=False, count=None, hot=False),
    ]
    viewer = SimpleNamespace(name="Fang", organisation_name="阿芳小铺", roles={"buyer"})
    app.context_processor(
        lambda: {
            "viewer": viewer,
            "now": NOW,
            "locale": i18n.choose_locale(),
            "theme": "dark",
            "nav": nav,
            "sandbox": True,
        }
    )
    app.add_url_rule("/guide", "guide", lambda: render_template("styleguide.html"))
    app.add_url_rule("/bench", "bench", lambda: render_template("bench.html"))
    app.add_url_rule("/error/<int:status>", "error", lambda status: render_template("error.html", status=status))
    return app


@pytest.fixture
def zh(app: Flask) -> Iterator[None]:
    with app.test_request_context("/guide?q=bag&page=2", headers={"Accept-Language": "zh-CN"}):
        yield


@pytest.fixture
def en(app: Flask) -> Iterator[None]:
    with app.test_request_context("/guide", headers={"Accept-Language": "en-GB"}):
        yield


class Page(HTMLParser):
    """What a rendered page holds, as far as its rules can be read from the markup."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.described: set[str] = set()
        self.controls: list[dict[str, str | None]] = []
        self.icons: set[str] = set()
        self.depth = 0
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "label":
            self.depth += 1
            self.labelled.add(str(values.get("for")))
        self.described |= set(str(values.get("aria-describedby") or "").split())
        if tag == "use":
            self.icons.add(str(values["href"]).partition("#")[2])
        if tag in ("input", "select", "textarea") and values.get("type") != "hidden":
            self.controls.append({**values, "wrapped": "yes" if self.depth else None})

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self.depth -= 1


# Values


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


# Drawings

TIERS = [(5, 4000), (50, 3400), (200, 2900), (500, 2600)]


def test_a_ladder_is_filled_up_to_the_pieces_pledged_chosen_and_expected() -> None:
    drawn = drawing.steps(TIERS, 162, mine=24, likely=236)
    assert [step.state for step in drawn] == ["past", "now", "next", "later"]
    assert [step.got for step in drawn] == [100.0, 74.7, 0.0, 0.0]
    assert [step.mine for step in drawn] == [0.0, 16.0, 0.0, 0.0]
    assert [step.likely for step in drawn] == [0.0, 9.3, 12.0, 0.0]


def test_below_the_first_tier_the_first_is_next_and_on_the_last_none_is() -> None:
    assert [step.state for step in drawing.steps(TIERS, 4)] == ["next", "later", "later", "later"]
    assert [step.state for step in drawing.steps(TIERS, 900)] == ["past", "past", "past", "now"]
    assert drawing.steps(TIERS, 900)[-1].got == 100.0


def test_the_small_stair_steps_down_with_the_price() -> None:
    boxes = drawing.stair(TIERS, 162)
    assert [box.y for box in boxes] == [0.0, 5.0, 10.0, 15.0]
    assert [box.height for box in boxes] == [24.0, 19.0, 14.0, 9.0]
    assert [box.fill for box in boxes] == [58.0, 43.3, 0.0, 0.0]


@pytest.mark.parametrize(("load", "level"), [(0, 0), (4.9, 0), (5, 1), (59, 3), (60, 4), (94, 5), (95, 6), (140, 6)])
def test_a_load_has_its_shade(load: float, level: int) -> None:
    assert drawing.heat_level(load) == level


def test_a_plot_places_values_between_its_margins() -> None:
    plot = drawing.Plot((0, 10), (0, 300))
    assert (plot.x(0), plot.x(10)) == (40.0, 512.0)
    assert (plot.y(0), plot.y(300)) == (172.0, 14.0)
    assert plot.line([(0, 0), (10, 300)]) == "M40.0 172.0 L512.0 14.0"
    assert plot.ticks() == [0, 100, 200, 300]
    assert drawing.Plot((0, 1), (0.0, 0.9)).ticks() == [0, 0.5]


def test_a_plot_of_one_value_does_not_divide_by_zero() -> None:
    plot = drawing.Plot((3, 3), (7, 7))
    assert plot.line([(3, 7)]) == "M40.0 172.0"
    assert plot.ticks() == [7]


# Languages


def test_the_language_is_chosen_by_cookie_then_browser_then_chinese(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "fr"}):
        assert i18n.choose_locale() == "zh"
    with app.test_request_context(headers={"Accept-Language": "fr, en;q=0.7"}):
        assert i18n.choose_locale() == "en"
    with app.test_request_context(headers={"Accept-Language": "en", "Cookie": "locale=zh"}):
        assert i18n.choose_locale() == "zh"
    with app.test_request_context(headers={"Accept-Language": "en", "Cookie": "locale=../../etc"}):
        assert i18n.choose_locale() == "en"


def test_words_come_from_the_rooms_catalogues(zh: None) -> None:
    assert gettext("Group-buy") == "拼团"
    assert ngettext("%(num)s day late", "%(num)s days late", 4) == "晚 4 天"


def test_english_is_the_message_id(en: None) -> None:
    assert gettext("Group-buy") == "Group-buy"
    assert ngettext("%(num)s day late", "%(num)s days late", 4) == "4 days late"


def test_rooms_are_merged_and_unfinished_words_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.po").write_text('msgid "Join"\nmsgstr "参团"\n\n#, fuzzy\nmsgid "Leave"\nmsgstr "离"\n')
    (tmp_path / "b.po").write_text('msgid "Pay"\nmsgstr "付"\n')
    merged = i18n.merge_catalogues([tmp_path / "b.po", tmp_path / "a.po"])
    assert {message.id: message.string for message in merged if message.id} == {"Join": "参团", "Pay": "付"}


def catalogue(room: str, words: dict[str, str], *, fuzzy: bool = False) -> Catalog:
    made = Catalog(locale="zh", domain=room)
    for msgid, words_in_chinese in words.items():
        made.add(msgid, words_in_chinese, locations=[(f"c2m/{room}/x.py", 1)], flags=["fuzzy"] if fuzzy else [])
    return made


@pytest.mark.parametrize(
    ("rooms", "fault"),
    [
        ([], "missing: 'Pay %(sum)s' (c2m/demand/x.py:1)"),
        ([catalogue("demand", {"Pay %(sum)s": " "})], "demand: empty: 'Pay %(sum)s'"),
        ([catalogue("demand", {"Pay %(sum)s": "付 %(sum)s"}, fuzzy=True)], "demand: fuzzy: 'Pay %(sum)s'"),
        (
            [catalogue("demand", {"Pay %(sum)s": "付 %(amount)s"})],
            "demand: placeholders differ: ['amount', 'sum']: 'Pay %(sum)s'",
        ),
        ([catalogue("demand", {"Pay %(sum)s": "付 %(sum)s", "Gone": "没了"})], "demand: obsolete: 'Gone'"),
        (
            [catalogue("demand", {"Pay %(sum)s": "付 %(sum)s"}), catalogue("web", {"Pay %(sum)s": "支付 %(sum)s"})],
            "web: demand says it otherwise: 'Pay %(sum)s'",
        ),
    ],
)
def test_each_kind_of_faulty_translation_is_found(rooms: list[Catalog], fault: str) -> None:
    assert translations.find_faults(catalogue("demand", {"Pay %(sum)s": ""}), rooms) == [fault]


def test_a_full_catalogue_has_no_faults() -> None:
    found = catalogue("demand", {"Pay %(sum)s": ""})
    assert translations.find_faults(found, [catalogue("demand", {"Pay %(sum)s": "付 %(sum)s"})]) == []


def test_missing_ids_are_added_to_the_room_they_stand_in_and_to_no_other(tmp_path: Path) -> None:
    found = catalogue("demand", {"Join": ""})
    found.add("Ship", locations=[("templates/production/ship.html", 1)])
    found.add("Sign in", locations=[("templates/base.html", 1)])
    assert translations.add_missing("demand", found, tmp_path) == 1
    assert translations.add_missing("demand", found, tmp_path) == 0
    assert translations.add_missing("web", found, tmp_path) == 1
    assert [message.id for message in i18n.read_catalogue(tmp_path / "web.po") if message.id] == ["Sign in"]


def test_the_kits_own_words_are_all_in_chinese() -> None:
    kits = [catalogue for catalogue in translations.read_rooms() if catalogue.domain in ("web", "styleguide")]
    found = translations.extract()
    ours = Catalog()
    for message in found:
        if message.id and {"web", "styleguide"} & {translations.room_of(name) for name, _ in message.locations}:
            ours.add(message.id, locations=message.locations, context=message.context)
    everyone = {translations.source_text(message) for room in translations.read_rooms() for message in room}
    missing = [fault for fault in translations.find_faults(found, kits) if not fault.startswith("missing")]
    assert missing == []
    assert {translations.source_text(message) for message in ours if message.id} <= everyone


@pytest.mark.parametrize(
    ("subject", "kinds"),
    [
        ("campaign", CampaignState),
        ("kind", CampaignKind),
        ("pledge", PledgeState),
        ("organisation", OrganisationState),
        ("offer", OfferState),
        ("work_order", WorkOrderState),
        ("concept", ConceptState),
        ("want", WantState),
        ("job", JobState),
        ("hold", HoldState),
        ("transfer", TransferState),
    ],
)
def test_every_state_has_a_look(subject: str, kinds: type[StrEnum], zh: None) -> None:
    for state in kinds:
        assert re.search("[\u4e00-\u9fff]", str(states.look_of(subject, state).word))


def test_an_undeclared_state_is_refused() -> None:
    with pytest.raises(KeyError, match=r"campaign\.frozen"):
        states.look_of("campaign", "frozen")


# Static files


def test_a_static_address_changes_with_its_content(app: Flask, tmp_path: Path) -> None:
    with app.test_request_context():
        assert re.fullmatch(r".*/static/look\.css\?v=[0-9a-f]{12}", assets.static_url("look.css"))
    file = tmp_path / "a.css"
    file.write_text("a")
    before = assets.version(file)
    file.write_text("b, longer")
    assert assets.version(file) != before


def test_only_versioned_files_are_kept_by_the_browser(app: Flask) -> None:
    client = app.test_client()
    with app.test_request_context():
        address = assets.static_url("htmx.min.js")
    kept = client.get(address)
    assert kept.status_code == 200
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert b"htmx" in kept.data[:200]
    assert "immutable" not in client.get("/static/look.css", base_url="http://c2m.test").headers["Cache-Control"]
    missing = client.get("/static/none.css?v=1", base_url="http://c2m.test")
    assert missing.status_code == 404
    assert "immutable" not in missing.headers.get("Cache-Control", "")


def test_a_file_that_does_not_exist_is_an_error_at_the_template(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(FileNotFoundError):
        assets.static_url("no-such.css")


# Pages


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/guide", "/bench", "/error/404", "/error/418"])
def test_pages_of_the_kit_are_sound(app: Flask, path: str, language: str) -> None:
    answer = app.test_client().get(path, base_url="http://c2m.test", headers={"Accept-Language": language})
    assert answer.status_code == 200
    page = Page(answer.text)
    assert len(page.ids) == len(set(page.ids)), "an id stands once"
    assert page.described <= set(page.ids), "a description exists"
    symbols = set(re.findall(r'id="(i-[\w]+)"', (ROOT / "c2m/static/icons.svg").read_text()))
    assert page.icons <= symbols, "every icon is in the sprite"
    unnamed = [c for c in page.controls if not (c["wrapped"] or c.get("aria-label") or c.get("id") in page.labelled)]
    assert unnamed == [], "every control has its label"
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text


def test_every_post_form_of_the_kit_carries_its_token(app: Flask) -> None:
    text = app.test_client().get("/guide", base_url="http://c2m.test").text
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL)
    assert forms
    assert all('name="csrf_token" value="token"' in form for form in forms)


def macro(name: str) -> object:
    return get_template_attribute("_macros.html", name)


def test_a_field_shows_its_error_and_points_to_it(app: Flask, en: None) -> None:
    markup = macro("field")("price", "Price", "-3", {"price": ["Too low.", "Use 34.00."]}, hint="In yuan")  # type: ignore[operator]
    assert 'aria-invalid="true" aria-describedby="price-hint price-error"' in markup
    assert "Too low. Use 34.00." in markup


def test_what_people_typed_is_escaped(app: Flask, en: None) -> None:
    hostile = '"><script>alert(1)</script>{{7*7}}'
    for markup in (
        macro("field")("name", "Name", hostile, {"name": hostile}),  # type: ignore[operator]
        macro("textarea")("name", "Name", hostile),  # type: ignore[operator]
        macro("note")(hostile, href="/a", action=hostile),  # type: ignore[operator]
        macro("copy_link")(hostile),  # type: ignore[operator]
        macro("removable_chip")(hostile, "/a"),  # type: ignore[operator]
    ):
        assert "<script" not in markup
        assert "49" not in markup


def test_a_zero_is_shown_and_nothing_is_not(app: Flask, en: None) -> None:
    assert 'value="0"' in macro("field")("n", "Pieces", 0)  # type: ignore[operator]
    assert 'value=""' in macro("field")("n", "Pieces", None)  # type: ignore[operator]


# Rules every template keeps


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_keep_the_rules_of_the_house(template: Path) -> None:
    markup = re.sub(r"\{#.*?#\}", "", template.read_text(), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=", markup), "no style attributes"
    assert not re.search(r"<style\b", markup), "no style elements"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"'{]", markup), "no inline handlers"
    assert not re.search(r"\bhx-on\b|javascript:", markup), "no scripts in attributes"
    assert not re.search(r"(?:src|href|action)\s*=\s*[\"']https?:", markup), "nothing off-site"
    assert not re.search(r"(?:href|action|src)\s*=\s*[\"']/", markup), "no hard-coded addresses"
    assert all("nonce=" in tag and "src=" in tag for tag in re.findall(r"<script\b[^>]*>", markup))


def test_stylesheets_take_colours_from_the_tokens_alone() -> None:
    for name in ("look.css", "kit.css", "styleguide.css"):
        text = re.sub(r"/\*.*?\*/", "", (ROOT / "c2m/static" / name).read_text(), flags=re.DOTALL)
        assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;,\s)])", text)) <= {"#fff"}, name
        assert "@import" not in text
        assert "http" not in text
