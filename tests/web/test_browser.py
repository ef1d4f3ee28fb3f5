"""The sign-in form in a real browser."""

import pytest
from playwright.sync_api import Page

from tests.conftest import PASSWORD, Person

pytestmark = pytest.mark.browser


def test_a_person_signs_in_and_out_without_a_console_error(
    live_site: str, page: Page, people: dict[str, Person]
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith(live_site) else None)

    page.goto(f"{live_site}/account")
    page.locator("input[name=email]").fill(people["buyer"].email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(f"{live_site}/account")
    assert people["buyer"].email in page.locator("main").inner_text()

    page.locator("main form button").click()
    page.goto(f"{live_site}/account")
    assert page.url.startswith(f"{live_site}/sign-in")
    assert said == []
