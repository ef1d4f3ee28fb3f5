"""A site of empty pages around the visual kit, in both languages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Blueprint, Flask, render_template

from c2m.web import assets, drawing, formats, i18n, states

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 7, 48, tzinfo=UTC)
ENDPOINTS = {
    "web": ["set_locale", "set_theme"],
    "pages": ["messages", "home"],
    "demand": ["marketplace"],
    "identity": ["account", "sign_in", "sign_out"],
}


@pytest.fixture(scope="session")
def kit() -> Flask:
    """A site of empty pages around the kit."""
    site = Flask("c2m", root_path=str(ROOT / "c2m"), template_folder=str(ROOT / "templates"))
    site.secret_key = "kit"
    site.config["SERVER_NAME"] = "c2m.test"
    for init in (i18n.init_i18n, assets.init_assets, formats.init_formats, drawing.init_drawing, states.init_states):
        init(site)
    for room, names in ENDPOINTS.items():
        pages = Blueprint(room, room, url_prefix=f"/{room}")
        for name in names:
            pages.add_url_rule(f"/{name}", name, lambda: "", methods=["GET", "POST"])
        site.register_blueprint(pages)
    site.jinja_env.globals.update(
        csrf_token=lambda: "token", csp_nonce=lambda: "nonce", days=lambda count: timedelta(days=count)
    )
    nav = [
        SimpleNamespace(href="/a", label="A", icon="home", current=True, count=3, hot=True),
        SimpleNamespace(href="/b", label="B", icon="box", current=False, count=None, hot=False),
    ]
    viewer = SimpleNamespace(name="Fang", organisation_name="阿芳小铺", roles={"buyer"})
    site.context_processor(
        lambda: {
            "viewer": viewer,
            "now": NOW,
            "locale": i18n.choose_locale(),
            "theme": "dark",
            "nav": nav,
            "unread_messages": lambda: 3,
            "sandbox": True,
        }
    )
    site.add_url_rule("/guide", "guide", lambda: render_template("styleguide.html"))
    site.add_url_rule("/bench", "bench", lambda: render_template("bench.html"))
    site.add_url_rule("/error/<int:status>", "error", lambda status: render_template("error.html", status=status))
    return site


@pytest.fixture
def zh(kit: Flask) -> Iterator[None]:
    with kit.test_request_context("/guide?q=bag&page=2", headers={"Accept-Language": "zh-CN"}):
        yield


@pytest.fixture
def en(kit: Flask) -> Iterator[None]:
    with kit.test_request_context("/guide", headers={"Accept-Language": "en-GB"}):
        yield
