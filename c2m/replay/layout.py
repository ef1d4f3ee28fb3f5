"""How an order file is laid out: its columns, dates, currency and product codes, as a TOML map says."""

import re
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.numbers import UnknownCurrencyError, get_currency_precision, validate_currency
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from c2m.errors import N_, Refusal

MAP_FORMAT = """\
A TOML file; what it leaves out is as in the Online Retail data:

    date_format = "%d.%m.%Y %H:%M"  # else only ISO 8601 dates are read
    time_zone = "Europe/Berlin"     # Europe/London
    currency = "EUR"                # GBP
    product_pattern = "[A-Z]{2}"    # how a product code begins: [0-9]{5}
    cancellation_prefix = "C"       # of an invoice number
    encoding = "utf-8"
    delimiter = ";"                 # , ; | or tab
    decimal_mark = ","              # . or ,

    [columns]                       # the headers; "" = no such column
    invoice = "Beleg"
    product = "Artikel"
    quantity = "Menge"
    at = "Datum"
    unit_price = "Preis"
    description = "Text"
    customer = "Kunde"
    country = ""
"""
DATE_WITHOUT_DOUBT = datetime(2001, 2, 3)  # noqa: DTZ001 - year, month and day differ, so a format that mixes them shows


class BadLayout(Refusal):
    sentence = N_("The map %(path)s can't be used: %(problem)s")


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError(f"no time zone is called {name!r}") from unknown
    return name


def _currency(code: str) -> str:
    try:
        validate_currency(code)
    except UnknownCurrencyError as unknown:
        raise ValueError(f"no currency is called {code!r}") from unknown
    return code


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as broken:
        raise ValueError(f"{text!r} is no regular expression: {broken}") from broken
    return text


def _date_format(text: str) -> str:
    try:
        read_back = datetime.strptime(DATE_WITHOUT_DOUBT.strftime(text), text)  # noqa: DTZ007 - only the day counts here
    except ValueError as broken:
        raise ValueError(f"{text!r} is no date format: {broken}") from broken
    if read_back.date() != DATE_WITHOUT_DOUBT.date():
        raise ValueError(f"{text!r} does not tell year, month and day")
    return text


def _encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError as unknown:
        raise ValueError(f"no encoding is called {name!r}") from unknown
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Columns(_Strict):
    """What the file calls each column; by default as UCI Online Retail does. Empty: the file has none."""

    invoice: str = Field("InvoiceNo", min_length=1)
    product: str = Field("StockCode", min_length=1)
    quantity: str = Field("Quantity", min_length=1)
    at: str = Field("InvoiceDate", min_length=1)
    unit_price: str = Field("UnitPrice", min_length=1)
    description: str = "Description"
    customer: str = "CustomerID"
    country: str = "Country"

    @property
    def named(self) -> dict[str, str]:
        """The columns the file must have: field name → header."""
        return {field: header for field, header in self.model_dump().items() if header}

    @model_validator(mode="after")
    def _headers_differ(self) -> Self:
        if len(set(self.named.values())) < len(self.named):
            raise ValueError("two columns bear the same name")
        return self


class Layout(_Strict):
    """Everything about an order file that its rows do not say themselves.

    Without a date format only ISO 8601 dates (2011-08-31 17:45) are read. Local times belong to `time_zone`, which
    also decides where one day ends and the next begins. A product code must begin with `product_pattern`.
    """

    columns: Columns = Columns()
    date_format: Annotated[str, AfterValidator(_date_format)] | None = None
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "Europe/London"
    currency: Annotated[str, AfterValidator(_currency)] = "GBP"
    product_pattern: Annotated[str, AfterValidator(_pattern)] = "[0-9]{5}"
    cancellation_prefix: str = Field("C", min_length=1)
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    delimiter: str = Field(",", pattern=r"^[,;|\t]$")
    decimal_mark: str = Field(".", pattern=r"^[.,]$")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def minor_digits(self) -> int:
        """Decimals of one unit of the currency: 2 for GBP, 0 for JPY."""
        return get_currency_precision(self.currency)


ONLINE_RETAIL = Layout()


def read_layout(path: Path) -> Layout:
    """The layout a TOML map describes.

    Raises:
        BadLayout: the file can't be read, is no TOML, or says something unknown or impossible.
    """
    try:
        return Layout.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as wrong:
        problem = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'map'}: {_said(e)}" for e in wrong.errors())
        raise BadLayout(path=path, problem=problem) from wrong
    except OSError as wrong:
        raise BadLayout(path=path, problem=wrong.strerror) from wrong
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise BadLayout(path=path, problem=wrong) from wrong


def _said(error: ErrorDetails) -> str:
    if error["type"] != "extra_forbidden":
        return error["msg"].removeprefix("Value error, ")
    model = Columns if error["loc"][0] == "columns" else Layout
    return f"there is no such key; known are {', '.join(model.model_fields)}"
