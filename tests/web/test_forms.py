"""Forms: what people type becomes values, anything else a sentence beside its field."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from flask import Flask
from pydantic import Field
from werkzeug.datastructures import FileStorage, MultiDict

from c2m.errors import Conflict, Invalid
from c2m.identity.models import Role
from c2m.web.forms import (
    Amount,
    Email,
    Flag,
    Form,
    Line,
    LocalTime,
    Password,
    Prose,
    Submission,
    Upload,
    Whole,
    blank,
    parse,
    queried,
)
from c2m.web.i18n import init_i18n


class Tier(Form):
    from_quantity: Annotated[Whole, Field(gt=0)]
    price: Annotated[Amount, Field(gt=0)]


class Order(Form):
    quantity: Annotated[Whole, Field(gt=0, le=100_000)] = 1
    price: Annotated[Amount, Field(gt=0)] = 1
    closes_at: LocalTime | None = None
    title: Line = "-"
    note: Prose | None = None
    email: Email = "a@b.cd"
    agreed: Flag = False
    role: Role = Role.BUYER
    sizes: Annotated[list[Line], Field(max_length=3)] = Field(default_factory=list)
    pieces: dict[UUID, Annotated[Whole, Field(ge=0)]] = Field(default_factory=dict)
    tiers: dict[int, Tier] = Field(default_factory=dict)
    picture: Upload | None = None


@pytest.fixture(scope="module")
def words() -> Flask:
    """As much of a site as it takes to say a sentence."""
    site = Flask(__name__)
    init_i18n(site)
    return site


def sent(app: Flask, *pairs: tuple[str, Any], currency: str = "CNY", **fields: Any) -> Submission[Order]:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        return parse(Order, MultiDict([*fields.items(), *pairs]), currency=currency, timezone="Asia/Shanghai")


@pytest.mark.parametrize(("text", "quantity"), [("1", 1), (" 24 ", 24), ("１２", 12), ("+5", 5), ("007", 7)])
def test_a_whole_number_is_read(words: Flask, text: str, quantity: int) -> None:
    assert sent(words, quantity=text).value.quantity == quantity


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0", "Please enter more than 0."),
        ("-3", "Please enter more than 0."),
        ("100001", "Please enter at most 100000."),
        ("9" * 13, "This number is too large."),
        ("9" * 5000, "This number is too large."),
        ("-" + "9" * 20, "This number is too small."),
        *(
            (text, "Please enter a whole number.")
            for text in (
                "1.5", "1e3", "0x10", "1_000", "true", "True", "None", "NaN", "Infinity",
                "-Infinity", "1e400", "{{7*7}}", "<b>1</b>", "1 2", "=1+1", "٣ pieces", "--1", "1;DROP TABLE pledge",
            )
        ),
    ],
)  # fmt: skip
def test_a_wrong_quantity_is_refused_with_a_sentence(words: Flask, text: str, sentence: str) -> None:
    form = sent(words, quantity=text)
    assert form.errors == {"quantity": sentence}
    assert form.entered["quantity"] == text
    assert not form.accepted
    with pytest.raises(Invalid):
        assert form.value


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("34", "CNY", 3400),
        ("34.00", "CNY", 3400),
        ("34.5", "CNY", 3450),
        ("0.01", "CNY", 1),
        ("1,234,567.89", "CNY", 123456789),
        ("¥ 12.30", "CNY", 1230),
        ("￥１２．３０", "CNY", 1230),
        ("340", "JPY", 340),
        ("1.250", "KWD", 1250),
        ("999999999999.99", "CNY", 99999999999999),
    ],
)
def test_an_amount_becomes_minor_units(words: Flask, text: str, currency: str, minor: int) -> None:
    assert sent(words, price=text, currency=currency).value.price == minor


@pytest.mark.parametrize(
    "text",
    [
        "-1", "-0.01", "0", "0.00", "NaN", "Infinity", "1e5", "1.234", "12,34", "1,2345", "1.2.3", ".5", "5.", "abc",
        "true", "9" * 20, "$5", "５元", "{{7*7}}", "<script>", "1 000", "34.00\u0000",
    ],
)  # fmt: skip
def test_a_wrong_amount_is_refused(words: Flask, text: str) -> None:
    assert list(sent(words, price=text).errors) == ["price"]


def test_an_amount_with_too_many_digits_is_too_large(words: Flask) -> None:
    assert sent(words, price="9" * 13 + ".00").errors == {"price": "This number is too large."}


def test_a_currency_without_decimals_takes_none(words: Flask) -> None:
    assert sent(words, price="3.50", currency="JPY").errors == {"price": "This currency has 0 decimals."}


def test_a_local_time_is_read_in_the_markets_zone(words: Flask) -> None:
    evening = datetime(2026, 12, 5, 12, 0, tzinfo=UTC)
    assert sent(words, closes_at="2026-12-05T20:00").value.closes_at == evening
    assert sent(words, closes_at="2026-12-05 20:00").value.closes_at == evening


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-05", "20:00", "2026-13-05T20:00", "2026-02-30T20:00", "2026-12-05T25:00", "0001-01-01T00:00",
        "9999-12-31T23:59", "2026-12-05T20:00Z", "2026-12-05T20:00+08:00", "1796472000", "tomorrow", "{{7*7}}",
    ],
)  # fmt: skip
def test_a_wrong_time_is_refused(words: Flask, text: str) -> None:
    assert list(sent(words, closes_at=text).errors) == ["closes_at"]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("title", "x" * 121),
        ("title", "nul\x00byte"),
        ("title", "escape\x1b[31m"),
        ("title", "\ud800"),
        ("note", "x" * 4001),
        ("email", "a@b"),
        ("email", "a b@c.de"),
        ("email", "a@b.cd, e@f.gh"),
        ("email", "a" * 250 + "@b.cd"),
        ("agreed", "true"),
        ("agreed", "0"),
        ("role", "emperor"),
        ("role", "BUYER"),
    ],
)
def test_a_text_that_does_not_fit_its_field_is_refused(words: Flask, field: str, text: str) -> None:
    assert list(sent(words, (field, text)).errors) == [field]


@pytest.mark.parametrize("text", ["{{7*7}}", "<script>alert(1)</script>", "=1+1", "蓝色 T 恤 👕", "O'Brien; --"])
def test_a_text_stays_as_it_was_typed(words: Flask, text: str) -> None:
    assert sent(words, title=f"  {text} ").value.title == text


def test_lines_in_a_longer_text_are_kept(words: Flask) -> None:
    assert sent(words, note="one\r\ntwo\tthree").value.note == "one\r\ntwo\tthree"


def test_an_unknown_field_is_refused(words: Flask) -> None:
    assert sent(words, role_grant="operator").errors == {"": "The form carried something that wasn't asked for."}
    assert sent(words, role_grant="").errors != {}
    assert sent(words, ("price.minor", "1")).errors != {}
    assert sent(words, ("tiers.0.sql", "1")).errors != {}


def test_the_csrf_token_and_the_way_on_are_no_fields(words: Flask) -> None:
    assert sent(words, csrf_token="x", next="/").accepted


def test_a_field_given_twice_is_refused(words: Flask) -> None:
    assert sent(words, ("quantity", "1"), ("quantity", "2")).errors == {"quantity": "Please enter this once only."}


def test_blank_inputs_count_as_not_sent(words: Flask) -> None:
    order = sent(words, quantity="", note="   ", closes_at="").value
    assert (order.quantity, order.note, order.closes_at) == (1, None, None)


def test_a_required_field_left_blank_asks_to_be_filled(words: Flask) -> None:
    assert sent(words, ("tiers.2.price", "9.90"), ("tiers.2.from_quantity", "")).errors == {
        "tiers.2.from_quantity": "Please fill this in."
    }


def test_repeated_inputs_make_a_list(words: Flask) -> None:
    assert sent(words, ("sizes", "S"), ("sizes", "M"), ("sizes", " ")).value.sizes == ["S", "M"]
    assert sent(words, *[("sizes", size) for size in "SMLX"]).errors == {"sizes": "Please choose or fill in at most 3."}


def test_dotted_inputs_make_entries_and_errors_name_them(words: Flask) -> None:
    one, two = UUID(int=1), UUID(int=2)
    assert sent(words, (f"pieces.{one}", "3"), (f"pieces.{two}", "")).value.pieces == {one: 3}
    assert list(sent(words, (f"pieces.{one}", "-1")).errors) == [f"pieces.{one}"]
    assert list(sent(words, ("pieces.not-an-id", "1")).errors) == ["pieces.not-an-id"]
    assert sent(words, ("pieces", "1")).errors != {}


def test_rows_of_dotted_inputs_make_models_and_blank_rows_are_passed_over(words: Flask) -> None:
    form = sent(
        words,
        ("tiers.0.from_quantity", "5"), ("tiers.0.price", "40"),
        ("tiers.1.from_quantity", "50"), ("tiers.1.price", "34"),
        ("tiers.2.from_quantity", ""), ("tiers.2.price", ""),
    )  # fmt: skip
    rows = {number: (tier.from_quantity, tier.price) for number, tier in form.value.tiers.items()}
    assert rows == {0: (5, 4000), 1: (50, 3400)}


def test_a_field_and_its_own_parts_at_once_are_refused(words: Flask) -> None:
    assert sent(words, ("quantity", "1"), ("quantity.x", "2")).errors != {}
    assert sent(words, ("tiers.0", "1"), ("tiers.0.price", "2")).errors != {}


def test_a_checkbox_and_an_upload_are_read(words: Flask) -> None:
    picture = FileStorage(filename="cup.png")
    order = sent(words, ("agreed", "1"), ("picture", picture)).value
    assert order.agreed
    assert order.picture is picture


def test_a_password_keeps_its_spaces(words: Flask) -> None:
    class Secret(Form):
        password: Annotated[Password, Field(min_length=3)]

    form = parse(Secret, MultiDict({"password": " a b "}), currency="CNY", timezone="UTC")
    assert form.value.password == " a b "


def test_a_use_cases_refusal_stands_beside_its_field(words: Flask) -> None:
    with words.test_request_context(headers={"Accept-Language": "en"}):
        form = blank(Order, quantity=5)
        form.refuse(Conflict(), "quantity")
        assert form.errors == {"quantity": "This is no longer possible in the present state."}
        form.refuse(Invalid(errors={"price": "Please fill this in."}))
        assert form.errors["price"] == "Please fill this in."
    assert not form.accepted


def test_the_query_of_an_address_is_parsed_and_strangers_passed_over(app: Flask) -> None:
    with app.test_request_context("/?quantity=3&utm_source=mail"):
        assert queried(Order).quantity == 3
    with app.test_request_context("/?quantity=NaN"), pytest.raises(Invalid):
        queried(Order)
