"""Every error becomes a page or problem+json, in the reader's language, and leaks nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from c2m.errors import Conflict, Invalid, NotFound, TooManyRequests
from c2m.web.access import public, signed_in
from tests.conftest import Visitor

JSON = {"Accept": "application/json"}
ENGLISH = {"Accept-Language": "en"}


class CampaignNotOpen(Conflict):
    sentence = "Campaign %(number)s isn't open."


def raising(app: Flask, error: Exception, address: str = "/probe") -> None:
    def view() -> Any:
        raise error

    app.add_url_rule(address, address, public(view), methods=["GET", "POST"])


def test_a_refusal_is_a_page_with_its_sentence(app: Flask, client: Callable[..., Visitor]) -> None:
    raising(app, CampaignNotOpen(number="C-1"))
    answer = client().get("/probe", headers=ENGLISH)
    assert answer.status_code == 409
    assert "Campaign C-1 isn&#39;t open." in answer.get_data(as_text=True)
    assert answer.mimetype == "text/html"


@pytest.mark.parametrize(
    ("address", "headers"),
    [("/probe", JSON), ("/probe", {"Accept": "application/problem+json"}), ("/probe.json", {})],
)
def test_a_program_is_told_by_problem_json(
    app: Flask, client: Callable[..., Visitor], address: str, headers: dict[str, str]
) -> None:
    raising(app, CampaignNotOpen(number="C-1"), address)
    answer = client().get(address, headers=headers | ENGLISH)
    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json(force=True) == {
        "type": "urn:c2m:problem:CampaignNotOpen",
        "title": "Conflict",
        "status": 409,
        "detail": "Campaign C-1 isn't open.",
        "instance": address,
    }


def test_an_invalid_input_names_each_field(app: Flask, client: Callable[..., Visitor]) -> None:
    raising(app, Invalid(errors={"quantity": "Please fill this in."}))
    answer = client().get("/probe", headers=JSON | ENGLISH)
    assert answer.status_code == 422
    assert answer.get_json(force=True)["errors"] == {"quantity": "Please fill this in."}
    page = client().get("/probe", headers={"Accept-Language": "zh"}).get_data(as_text=True)
    assert "Please fill this in." not in page


def test_an_address_that_is_no_use_names_what_is_wrong_with_it(client: Callable[..., Visitor]) -> None:
    page = client().get("/market?kind=boat&sort=luck", headers=ENGLISH)
    assert page.status_code == 422
    for name in ("kind", "sort"):
        assert f"{name}: Please choose one of the options." in page.get_data(as_text=True)
    assert "kind：请从选项中选一个" in client().get("/market?kind=boat").get_data(as_text=True)


def test_a_refusal_speaks_chinese_by_default(app: Flask, client: Callable[..., Visitor]) -> None:
    raising(app, NotFound())
    assert "这个地址没有内容" in client().get("/probe").get_data(as_text=True)


def test_markup_in_a_refusals_details_stays_text(app: Flask, client: Callable[..., Visitor]) -> None:
    raising(app, CampaignNotOpen(number="<script>alert(1)</script>{{7*7}}"))
    page = client().get("/probe").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page


def test_too_many_requests_say_when_to_come_back(app: Flask, client: Callable[..., Visitor]) -> None:
    raising(app, TooManyRequests(minutes=3))
    answer = client().get("/probe")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "180")


@pytest.mark.parametrize("headers", [{}, JSON])
def test_an_unknown_address_is_not_found(client: Callable[..., Visitor], headers: dict[str, str]) -> None:
    answer = client("buyer").get("/nothing/here", headers=headers)
    assert answer.status_code == 404
    assert (answer.mimetype == "application/problem+json") is bool(headers)


def test_a_wrong_method_says_which_are_allowed(client: Callable[..., Visitor]) -> None:
    answer = client().get("/sign-out")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_a_visitors_post_is_unauthorised(app: Flask, client: Callable[..., Visitor]) -> None:
    app.add_url_rule("/probe", "probe", signed_in(lambda: "done"), methods=["POST"])
    assert client().post("/probe").status_code == 401
    hurried = client().post("/probe", headers={"HX-Request": "true"})
    assert (hurried.status_code, hurried.headers["HX-Redirect"]) == (401, "/sign-in")
    assert client().get("/account", headers=JSON).get_json(force=True)["status"] == 401


def test_a_body_that_is_too_large_is_refused(app: Flask, client: Callable[..., Visitor]) -> None:
    visitor = client()
    visitor.csrf_token()
    answer = visitor.post("/register", data={"organisation": "x" * (app.config["MAX_CONTENT_LENGTH"] + 1)})
    assert answer.status_code == 413


def test_a_form_of_too_many_parts_is_refused(client: Callable[..., Visitor]) -> None:
    parts = {f"field{n}": "1" for n in range(1001)}
    answer = client().post("/register", data=parts, content_type="multipart/form-data")
    assert answer.status_code == 413


def test_an_unexpected_fault_is_logged_and_gives_a_number_only(app: Flask, client: Callable[..., Visitor]) -> None:
    raising(app, ZeroDivisionError("the secret ingredient"))
    visitor = client()
    app.testing = False
    with capture_logs() as logged:
        answer = visitor.get("/probe", headers=ENGLISH)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "secret ingredient" not in page
    assert "ZeroDivisionError" not in page
    (entry,) = [line for line in logged if line["event"] == "unexpected fault"]
    assert entry["reference"] in page
    assert isinstance(entry["exc_info"], ZeroDivisionError)


def test_a_database_that_is_away_is_answered_503(app: Flask, client: Callable[..., Visitor]) -> None:
    raising(app, OperationalError("SELECT 1", {}, Exception("password=hunter2")))
    answer = client().get("/probe")
    assert answer.status_code == 503
    assert "hunter2" not in answer.get_data(as_text=True)
    assert answer.headers["Retry-After"] == "5"
