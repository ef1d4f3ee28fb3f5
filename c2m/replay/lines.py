"""What one line of an order file says: an order, a cancellation, or the reason why it is neither."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import itemgetter
from pathlib import Path

from c2m.errors import N_, Refusal
from c2m.replay.layout import Columns, Layout
from c2m.replay.records import Record

ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII)
SOME_DATE = re.compile(
    r"\d{1,4}[-/. ](\d{1,2}|[^\W\d_]{3,9})[-/., ]+\d{1,4}(?!\d)"  # 12/1/2010, 1-Dec-2010
    r"|[^\W\d_]{3,9}\.? \d{1,2},? \d{4}(?!\d)"  # December 1, 2010
)
# Short enough that quantity times price in minor units always fits 64 bits.
WHOLE_NUMBER = re.compile(r"[+-]?\d{1,7}", re.ASCII)
PRICE = r"[+-]?\d{{1,8}}({mark}\d{{1,12}})?"
YEARS = range(1900, 3000)


class MissingColumns(Refusal):
    sentence = N_("%(path)s lacks the columns %(missing)s; it has %(found)s. Other names are given by --map.")


class RepeatedColumns(Refusal):
    sentence = N_("%(path)s has more than one column called %(repeated)s.")


class AmbiguousDates(Refusal):
    sentence = N_(
        "Line %(line_no)s of %(path)s is dated %(text)s, which is no ISO date and may be read in several ways. "
        "Give a date_format in the map, such as %%d/%%m/%%Y %%H:%%M."
    )


class UnsortedDates(Refusal):
    sentence = N_("Line %(line_no)s of %(path)s is dated %(at)s, before the line above it. Sort the file by date.")


class Reason(StrEnum):
    """Why a line is not used: the first of these that applies."""

    BROKEN_QUOTING = "broken_quoting"
    BLANK_LINE = "blank_line"
    WRONG_COLUMN_COUNT = "wrong_column_count"
    MISSING_INVOICE = "missing_invoice"
    MISSING_PRODUCT = "missing_product"
    NOT_A_PRODUCT = "not_a_product"
    MISSING_QUANTITY = "missing_quantity"
    BAD_QUANTITY = "bad_quantity"
    ZERO_QUANTITY = "zero_quantity"
    MISSING_DATE = "missing_date"
    BAD_DATE = "bad_date"
    CANCELLATION_NOT_NEGATIVE = "cancellation_not_negative"
    RETURN_WITHOUT_CANCELLATION = "return_without_cancellation"
    MISSING_PRICE = "missing_price"
    BAD_PRICE = "bad_price"
    ZERO_PRICE = "zero_price"
    NEGATIVE_PRICE = "negative_price"
    PRICE_BELOW_MINOR_UNIT = "price_below_minor_unit"
    CANCELLATION = "cancellation"
    CANCELLATION_WITHOUT_MATCH = "cancellation_without_match"
    CANCELLED = "cancelled"
    NOT_TAKING_PART = "not_taking_part"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One ordered line. `day` is the calendar day in the file's own time zone, the ids are the file's own text."""

    line_no: int
    invoice: str
    product: str
    description: str
    quantity: int
    at: datetime
    day: date
    unit_price_minor: int
    currency: str
    customer: str
    country: str

    @property
    def product_key(self) -> str:
        """What makes two codes the same product: 85123a and 85123A are one."""
        return self.product.upper()

    @property
    def buyer(self) -> str:
        """Who ordered: the customer, or without one the invoice, since nobody may be taken for somebody else."""
        return self.customer or f"invoice {self.invoice}"

    @property
    def spend_minor(self) -> int:
        return self.quantity * self.unit_price_minor


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A line that takes an earlier one back: of this customer and product, with this quantity."""

    customer: str
    product_key: str
    quantity: int


Meaning = OrderLine | Cancellation | Reason


class _Rejected(Exception):
    def __init__(self, reason: Reason) -> None:
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Dated:
    text: str
    at: datetime
    day: date


class LineParser:
    """Reads the lines below one header, in order, as a layout says.

    Raises:
        MissingColumns, RepeatedColumns: the header is not what the layout names.
    """

    def __init__(self, path: Path, layout: Layout, header: Record) -> None:
        self.path = path
        self.layout = layout
        found = [name.strip() for name in header.fields or ()]
        wanted = layout.columns.named
        if missing := [name for name in wanted.values() if name not in found]:
            raise MissingColumns(path=path, missing=", ".join(missing), found=", ".join(found)[:200] or "none")
        if repeated := [name for name in wanted.values() if found.count(name) > 1]:
            raise RepeatedColumns(path=path, repeated=repeated[0])
        self._width = len(found)
        # A column the file has not is read from one more, empty cell that every line is given.
        self._cells = itemgetter(
            *(found.index(wanted[field]) if field in wanted else -1 for field in Columns.model_fields)
        )
        self._product_pattern = re.compile(layout.product_pattern)
        self._price = re.compile(PRICE.format(mark=re.escape(layout.decimal_mark)), re.ASCII)
        self._zone = layout.zone
        self._minor_digits = layout.minor_digits
        self._latest = _Dated("", datetime.min.replace(tzinfo=UTC), date.min)

    def parse(self, record: Record) -> Meaning:
        """What the line says, or the first reason why it can't be used.

        Raises:
            AmbiguousDates, UnsortedDates.
        """
        try:
            return self._parse(record)
        except _Rejected as why:
            return why.reason

    def _parse(self, record: Record) -> OrderLine | Cancellation:
        if record.fields is None:
            raise _Rejected(Reason.BROKEN_QUOTING)
        if not record.raw.strip():
            raise _Rejected(Reason.BLANK_LINE)
        if len(record.fields) != self._width:
            raise _Rejected(Reason.WRONG_COLUMN_COUNT)
        invoice, product, quantity, at, unit_price, description, customer, country = (
            cell.strip() for cell in self._cells([*record.fields, ""])
        )
        if not invoice:
            raise _Rejected(Reason.MISSING_INVOICE)
        if not product:
            raise _Rejected(Reason.MISSING_PRODUCT)
        if not self._product_pattern.match(product):
            raise _Rejected(Reason.NOT_A_PRODUCT)
        pieces = self._pieces(quantity)
        dated = self._dated(at, record.line_no)
        if invoice.startswith(self.layout.cancellation_prefix):
            if pieces > 0:
                raise _Rejected(Reason.CANCELLATION_NOT_NEGATIVE)
            return Cancellation(customer, product.upper(), -pieces)
        if pieces < 0:
            raise _Rejected(Reason.RETURN_WITHOUT_CANCELLATION)
        return OrderLine(
            line_no=record.line_no,
            invoice=invoice,
            product=product,
            description=description,
            quantity=pieces,
            at=dated.at,
            day=dated.day,
            unit_price_minor=self._price_minor(unit_price),
            currency=self.layout.currency,
            customer=customer,
            country=country,
        )

    def _pieces(self, text: str) -> int:
        if not text:
            raise _Rejected(Reason.MISSING_QUANTITY)
        if not WHOLE_NUMBER.fullmatch(text):
            raise _Rejected(Reason.BAD_QUANTITY)
        if not (pieces := int(text)):
            raise _Rejected(Reason.ZERO_QUANTITY)
        return pieces

    def _price_minor(self, text: str) -> int:
        if not text:
            raise _Rejected(Reason.MISSING_PRICE)
        if not self._price.fullmatch(text):
            raise _Rejected(Reason.BAD_PRICE)
        minor = Decimal(text.replace(self.layout.decimal_mark, ".")).scaleb(self._minor_digits)
        if minor == 0:
            raise _Rejected(Reason.ZERO_PRICE)
        if minor < 0:
            raise _Rejected(Reason.NEGATIVE_PRICE)
        if minor != int(minor):
            raise _Rejected(Reason.PRICE_BELOW_MINOR_UNIT)
        return int(minor)

    def _dated(self, text: str, line_no: int) -> _Dated:
        """The moment and the day a line is dated, never before the line above."""
        if not text:
            raise _Rejected(Reason.MISSING_DATE)
        if text == self._latest.text:  # the lines of one invoice share their date
            return self._latest
        written = self._written_date(text, line_no)
        at = self._in_utc(written)
        if at < self._latest.at:
            # The hour that autumn repeats: below a later line only its second pass can be meant.
            at = self._in_utc(written.replace(fold=1))
        if at < self._latest.at:
            raise UnsortedDates(path=self.path, line_no=line_no, at=text)
        self._latest = _Dated(text, at, at.astimezone(self._zone).date())
        return self._latest

    def _written_date(self, text: str, line_no: int) -> datetime:
        try:
            if self.layout.date_format:
                written = datetime.strptime(text, self.layout.date_format)  # noqa: DTZ007 - the zone is the layout's
            elif ISO_DATE.fullmatch(text):
                written = datetime.fromisoformat(text)
            elif SOME_DATE.match(text) and not ISO_DAY.match(text):
                raise AmbiguousDates(path=self.path, line_no=line_no, text=text)
            else:
                raise _Rejected(Reason.BAD_DATE)
        except ValueError as impossible:
            raise _Rejected(Reason.BAD_DATE) from impossible
        if written.year not in YEARS:
            raise _Rejected(Reason.BAD_DATE)
        return written

    def _in_utc(self, written: datetime) -> datetime:
        if written.tzinfo is not None:
            return written.astimezone(UTC)
        at = written.replace(tzinfo=self._zone).astimezone(UTC)
        if at.astimezone(self._zone).replace(tzinfo=None, fold=written.fold) != written:
            raise _Rejected(Reason.BAD_DATE)  # an hour that spring skips
        return at
