"""The visual kit: states, static files, macros, and the rules every template keeps."""

import re
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask, get_template_attribute

from c2m.demand.models import CampaignKind, CampaignState, PledgeState
from c2m.design.models import ConceptState, WantState
from c2m.identity.models import OrganisationState
from c2m.jobs import JobState
from c2m.ledger.models import HoldState, TransferState
from c2m.matching.models import OfferState
from c2m.production.models import WorkOrderState
from c2m.web import assets, states

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


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


def test_a_static_address_changes_with_its_content(kit: Flask, tmp_path: Path) -> None:
    with kit.test_request_context():
        assert re.fullmatch(r".*/static/look\.css\?v=[0-9a-f]{12}", assets.static_url("look.css"))
    file = tmp_path / "a.css"
    file.write_text("a")
    before = assets.version(file)
    file.write_text("b, longer")
    assert assets.version(file) != before


def test_only_versioned_files_are_kept_by_the_browser(kit: Flask) -> None:
    client = kit.test_client()
    with kit.test_request_context():
        address = assets.static_url("htmx.min.js")
    kept = client.get(address)
    assert kept.status_code == 200
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert b"htmx" in kept.data[:200]
    assert "immutable" not in client.get("/static/look.css", base_url="http://c2m.test").headers["Cache-Control"]
    missing = client.get("/static/none.css?v=1", base_url="http://c2m.test")
    assert missing.status_code == 404
    assert "immutable" not in missing.headers.get("Cache-Control", "")


def test_a_file_that_does_not_exist_is_an_error_at_the_template(kit: Flask) -> None:
    with kit.test_request_context(), pytest.raises(FileNotFoundError):
        assets.static_url("no-such.css")


# Pages


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/guide", "/bench", "/error/404", "/error/418"])
def test_pages_of_the_kit_are_sound(kit: Flask, path: str, language: str) -> None:
    answer = kit.test_client().get(path, base_url="http://c2m.test", headers={"Accept-Language": language})
    assert answer.status_code == 200
    page = Page(answer.text)
    assert len(page.ids) == len(set(page.ids)), "an id stands once"
    assert page.described <= set(page.ids), "a description exists"
    symbols = set(re.findall(r'id="(i-[\w]+)"', (ROOT / "c2m/static/icons.svg").read_text()))
    assert page.icons <= symbols, "every icon is in the sprite"
    unnamed = [c for c in page.controls if not (c["wrapped"] or c.get("aria-label") or c.get("id") in page.labelled)]
    assert unnamed == [], "every control has its label"
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text


def test_every_post_form_of_the_kit_carries_its_token(kit: Flask) -> None:
    text = kit.test_client().get("/guide", base_url="http://c2m.test").text
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL)
    assert forms
    assert all('name="csrf_token" value="token"' in form for form in forms)


def macro(name: str) -> object:
    return get_template_attribute("_macros.html", name)


def test_a_field_shows_its_error_and_points_to_it(kit: Flask, en: None) -> None:
    markup = macro("field")("price", "Price", "-3", {"price": ["Too low.", "Use 34.00."]}, hint="In yuan")  # type: ignore[operator]
    assert 'aria-invalid="true" aria-describedby="price-hint price-error"' in markup
    assert "Too low. Use 34.00." in markup


def test_what_people_typed_is_escaped(kit: Flask, en: None) -> None:
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


def test_a_zero_is_shown_and_nothing_is_not(kit: Flask, en: None) -> None:
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
