"""Order files: what counts as an order, what is netted or rejected, and files that can't be read."""

import csv
import gzip
import io
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2m.replay import records
from c2m.replay.layout import BadLayout, Columns, Layout, read_layout
from c2m.replay.lines import AmbiguousDates, MissingColumns, OrderLine, Reason, RepeatedColumns, UnsortedDates
from c2m.replay.orders import Tally, order_lines

from .builders import HEADER, a_file, a_row, read


def _zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)  # the same bytes in every process, as they name parametrised tests


def reasons(tally: Tally) -> dict[str, int]:
    return {str(reason): count for reason, count in tally.rejected.items()}


def test_a_line_keeps_the_files_own_ids_and_has_exact_values(tmp_path: Path) -> None:
    path = a_file(
        tmp_path, a_row(invoice="0536365", product="85123a", at="2011-07-01 00:30", price="2.5", customer="0017")
    )
    lines, tally = read(path)
    assert lines == [
        OrderLine(
            line_no=2,
            invoice="0536365",
            product="85123a",
            description="TIN LANTERN",
            quantity=6,
            at=datetime(2011, 6, 30, 23, 30, tzinfo=UTC),
            day=date(2011, 7, 1),
            unit_price_minor=250,
            currency="GBP",
            customer="0017",
            country="United Kingdom",
        )
    ]
    assert (lines[0].product_key, lines[0].buyer, lines[0].spend_minor) == ("85123A", "0017", 1500)
    assert (tally.lines_read, tally.lines_used, tally.netted, reasons(tally)) == (1, 1, 0, {})


def test_a_gzipped_file_with_a_byte_order_mark_reads_like_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "anything.bin"
    path.write_bytes(_zipped(f"\ufeff{HEADER}\r\n{a_row()}\r\n".encode()))
    assert [line.line_no for line in read(path)[0]] == [2]


def test_a_cancellation_removes_the_latest_earlier_line_and_each_line_once(tmp_path: Path) -> None:
    path = a_file(
        tmp_path,
        a_row("1", at="2011-03-01"),
        a_row("2", at="2011-03-02"),
        a_row("C3", at="2011-03-03", quantity=-6, price="9.99"),
        a_row("C4", at="2011-03-04", quantity=-6),
        a_row("C5", at="2011-03-05", quantity=-6),
        a_row("6", at="2011-03-06"),
    )
    rejects = io.StringIO()
    tally = Tally(rejects)
    assert [line.invoice for line in order_lines(path, tally=tally)] == ["6"]
    assert (tally.lines_read, tally.lines_used, tally.netted) == (6, 1, 2)
    assert reasons(tally) == {"cancellation_without_match": 1}
    assert [row[:3] for row in csv.reader(rejects.getvalue().splitlines())] == [
        ["line_no", "reason", "other_line_no"],
        ["2", "cancelled", "5"],
        ["3", "cancelled", "4"],
        ["4", "cancellation", "3"],
        ["5", "cancellation", "2"],
        ["6", "cancellation_without_match", ""],
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"customer": "18"},
        {"product": "10002"},
        {"quantity": -5},
        {"customer": ""},
    ],
)
def test_a_cancellation_leaves_lines_of_another_customer_product_or_quantity(
    tmp_path: Path, other: dict[str, object]
) -> None:
    cancellation = a_row(**{"invoice": "C2", "quantity": -6} | other)  # type: ignore[arg-type]
    lines, tally = read(a_file(tmp_path, a_row("1"), cancellation))
    assert [line.invoice for line in lines] == ["1"]
    assert reasons(tally) == {"cancellation_without_match": 1}


def test_a_cancellation_finds_the_product_in_either_case(tmp_path: Path) -> None:
    lines, tally = read(a_file(tmp_path, a_row("1", "85123a"), a_row("C2", "85123A", -6)))
    assert (lines, tally.netted) == ([], 1)


def test_a_line_without_customer_is_its_invoices_own_buyer_and_never_netted(tmp_path: Path) -> None:
    rows = [a_row("1", customer=""), a_row("2", customer=""), a_row("C3", customer="", quantity=-6)]
    lines, tally = read(a_file(tmp_path, *rows))
    assert [(line.buyer, line.customer) for line in lines] == [("invoice 1", ""), ("invoice 2", "")]
    assert (tally.netted, reasons(tally)) == (0, {"cancellation_without_match": 1})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("", Reason.BLANK_LINE),
        ('1,10001,"TIN" LANTERN,6,2011-03-01,2.50,17,UK', Reason.BROKEN_QUOTING),
        ("1,10001,TIN,LANTERN,6,2011-03-01,2.50,17,UK", Reason.WRONG_COLUMN_COUNT),
        (a_row(invoice=" "), Reason.MISSING_INVOICE),
        (a_row(product=""), Reason.MISSING_PRODUCT),
        (a_row(product="POST"), Reason.NOT_A_PRODUCT),
        (a_row(product="1234A"), Reason.NOT_A_PRODUCT),
        (a_row(quantity=""), Reason.MISSING_QUANTITY),
        (a_row(quantity="6.5"), Reason.BAD_QUANTITY),
        (a_row(quantity="1_000"), Reason.BAD_QUANTITY),
        (a_row(quantity="٦"), Reason.BAD_QUANTITY),
        (a_row(quantity="99999999"), Reason.BAD_QUANTITY),
        (a_row(quantity=0), Reason.ZERO_QUANTITY),
        (a_row(at=""), Reason.MISSING_DATE),
        (a_row(at="yesterday"), Reason.BAD_DATE),
        (a_row(at="2011-02-30 09:00"), Reason.BAD_DATE),
        (a_row(at="2011-03-27 01:30"), Reason.BAD_DATE),  # the hour that London skipped that day
        (a_row(at="0011-03-01"), Reason.BAD_DATE),
        (a_row("C1"), Reason.CANCELLATION_NOT_NEGATIVE),
        (a_row(quantity=-6), Reason.RETURN_WITHOUT_CANCELLATION),
        (a_row(price=""), Reason.MISSING_PRICE),
        (a_row(price="1e3"), Reason.BAD_PRICE),
        (a_row(price="NaN"), Reason.BAD_PRICE),
        (a_row(price='"1,234.50"'), Reason.BAD_PRICE),
        (a_row(price="0.00"), Reason.ZERO_PRICE),
        (a_row(price="-2.50"), Reason.NEGATIVE_PRICE),
        (a_row(price="0.001"), Reason.PRICE_BELOW_MINOR_UNIT),
    ],
)
def test_a_line_that_cannot_be_used_is_rejected_with_its_reason(tmp_path: Path, row: str, reason: Reason) -> None:
    rejects = io.StringIO()
    tally = Tally(rejects)
    lines = list(order_lines(a_file(tmp_path, row, a_row("2", at="2011-04-01")), tally=tally))
    assert [line.invoice for line in lines] == ["2"]
    assert (tally.lines_read, tally.lines_used, reasons(tally)) == (2, 1, {reason.value: 1})
    assert list(csv.reader(rejects.getvalue().splitlines()))[1:] == [["2", reason.value, "", row]]


def test_a_quote_left_open_costs_its_own_line_only(tmp_path: Path) -> None:
    rows = [a_row("1", description='"OPEN'), a_row("2", description='"A ""QUOTED"" NAME"'), a_row("3")]
    lines, tally = read(a_file(tmp_path, *rows))
    assert [(line.line_no, line.description) for line in lines] == [(3, 'A "QUOTED" NAME'), (4, "TIN LANTERN")]
    assert reasons(tally) == {"broken_quoting": 1}


def test_a_quote_left_open_in_a_long_file_costs_its_own_line_only(tmp_path: Path) -> None:
    rows = [a_row("1", description='"OPEN'), *(a_row(str(n)) for n in range(2, 2002))]
    lines, tally = read(a_file(tmp_path, *rows))
    assert (len(lines), lines[0].line_no, lines[-1].line_no) == (2000, 3, 2002)
    assert reasons(tally) == {"broken_quoting": 1}


def test_a_record_over_two_lines_counts_once_and_lines_below_keep_their_numbers(tmp_path: Path) -> None:
    lines, tally = read(a_file(tmp_path, a_row("1", description='"TIN\nLANTERN"'), a_row("2")))
    assert [(line.line_no, line.description) for line in lines] == [(2, "TIN\nLANTERN"), (4, "TIN LANTERN")]
    assert tally.lines_read == 2


def test_a_limit_reads_the_file_as_if_it_ended_there(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_row("1"), a_row("2", product="POST"), a_row("C3", quantity=-6))
    lines, tally = read(path, limit=2)
    assert [line.invoice for line in lines] == ["1"]
    assert (tally.lines_read, tally.netted, reasons(tally)) == (2, 0, {"not_a_product": 1})


def test_lines_of_buyers_who_do_not_take_part_are_counted(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_row("1", customer="17"), a_row("2", customer="18"))
    lines, tally = read(path, takes_part=lambda buyer: buyer == "18")
    assert [line.invoice for line in lines] == ["2"]
    assert reasons(tally) == {"not_taking_part": 1}


def test_other_headers_dates_and_currencies_come_from_a_map(tmp_path: Path) -> None:
    map_path = tmp_path / "map.toml"
    map_path.write_text(
        'date_format = "%d/%m/%y %H:%M"\ntime_zone = "Asia/Tokyo"\ncurrency = "JPY"\nproduct_pattern = "SKU-"\n'
        'cancellation_prefix = "R"\nencoding = "cp932"\ndelimiter = ";"\ndecimal_mark = ","\n'
        '[columns]\ninvoice = "注文"\nproduct = "品番"\nquantity = "数"\nat = "日"\nunit_price = "単価"\n'
        'description = ""\ncustomer = "客"\ncountry = ""\n'
    )
    path = tmp_path / "orders.csv"
    path.write_text("余;客;注文;品番;数;日;単価\nx;店;7;SKU-9;3;02/01/11 08:00;120,00\n", "cp932")
    (line,), _ = read(path, read_layout(map_path))
    assert (line.invoice, line.product, line.quantity, line.customer) == ("7", "SKU-9", 3, "店")
    assert (line.at, line.day) == (datetime(2011, 1, 1, 23, tzinfo=UTC), date(2011, 1, 2))
    assert (line.unit_price_minor, line.currency, line.description, line.country) == (120, "JPY", "", "")


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("colour = 1", "colour: there is no such key"),
        ('date_format = "%d/%m"', "does not tell year, month and day"),
        ('date_format = "%Q"', "no date format"),
        ('time_zone = "Mars/Olympus"', "no time zone"),
        ('currency = "XQZ"', "no currency"),
        ('product_pattern = "("', "no regular expression"),
        ('encoding = "runes"', "no encoding"),
        ('delimiter = "::"', "delimiter"),
        ('[columns]\ninvoice = "A"\nproduct = "A"', "same name"),
        ('[columns]\ninvoice = ""', "columns.invoice"),
        ("= 3", "Invalid"),
    ],
)
def test_a_map_that_says_something_impossible_is_refused(tmp_path: Path, toml: str, problem: str) -> None:
    map_path = tmp_path / "map.toml"
    map_path.write_text(toml)
    with pytest.raises(BadLayout, match=problem):
        read_layout(map_path)


def test_a_missing_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match="No such file"):
        read_layout(tmp_path / "map.toml")


@pytest.mark.parametrize("at", ["12/1/2010 8:26", "01.02.2011", "1-Dec-2010", "December 1, 2010"])
def test_dates_that_are_not_iso_are_refused_until_a_format_is_given(tmp_path: Path, at: str) -> None:
    with pytest.raises(AmbiguousDates, match=r"Line 3 .*date_format"):
        read(a_file(tmp_path, a_row(at="2010-12-01"), a_row(at=f'"{at}"')))


def test_the_given_date_format_decides(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_row(at="12/1/2010 8:26"))
    assert read(path, Layout(date_format="%m/%d/%Y %H:%M"))[0][0].day == date(2010, 12, 1)
    assert read(path, Layout(date_format="%d/%m/%Y %H:%M"))[0][0].day == date(2010, 1, 12)


def test_a_date_with_its_own_offset_keeps_it(tmp_path: Path) -> None:
    (line,), _ = read(a_file(tmp_path, a_row(at="2011-07-01T23:30:00Z")))
    assert (line.at, line.day) == (datetime(2011, 7, 1, 23, 30, tzinfo=UTC), date(2011, 7, 2))


def test_the_hour_that_autumn_repeats_may_be_passed_twice(tmp_path: Path) -> None:
    times = ["01:10", "01:50", "01:20", "01:20", "02:10"]
    lines, _ = read(a_file(tmp_path, *(a_row(at=f"2011-10-30 {time}") for time in times)))
    assert [line.at.strftime("%H:%M") for line in lines] == ["00:10", "00:50", "01:20", "01:20", "02:10"]


def test_dates_running_backwards_are_refused_before_any_line_is_read(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_row(at="2011-03-01"), a_row(at="2011-03-02"), a_row(at="2011-03-01"))
    tally = Tally()
    with pytest.raises(UnsortedDates, match=r"Line 4 .*2011-03-01"):
        next(order_lines(path, tally=tally))
    assert tally == Tally()


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", records.EmptyFile),
        (_zipped(b""), records.EmptyFile),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\xff\xfe spreadsheet", records.NotText),
        (f"{HEADER}\n".encode() + b"\x00\x01\x02", records.NotText),
        (_zipped(_zipped(HEADER.encode())), records.NotText),
        (f"{HEADER}\n{a_row(description='CAFÉ')}".encode("latin-1"), records.WrongEncoding),
        (_zipped(HEADER.encode() * 500)[:-20], records.DamagedFile),
        (_zipped(HEADER.encode()) + b"tail", records.DamagedFile),
        (b"InvoiceNo,StockCode,Quantity\n", MissingColumns),
        (b"no table at all\n", MissingColumns),
        (b'"open\n', MissingColumns),
        (f"{HEADER},Quantity\n".encode(), RepeatedColumns),
        (f"{HEADER}\n".encode(), records.NoOrderLines),
        (b"x" * (records.LONGEST_RECORD + 1), records.LineTooLong),
        (_zipped(b"\0" * 5_000_000), records.NotText),
        (_zipped(b" " * 5_000_000), records.LineTooLong),
        (_zipped(f"{HEADER}\n".encode() + (b" " * 50_000 + b"\n") * 800), records.ExpandsTooFar),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, content: bytes, refusal: type[Exception]) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(content)
    tally = Tally()
    with pytest.raises(refusal, match=r"lines\.csv"):
        list(order_lines(path, tally=tally))
    assert tally == Tally()


def test_a_file_that_is_only_called_gz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv.gz"
    path.write_text(HEADER, encoding="utf-8")
    with pytest.raises(records.NotGzip):
        read(path)


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "absent.csv", tmp_path, tmp_path / "pipe"):
        with pytest.raises(records.UnreadableFile):
            read(path)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_row())
    file = records.CsvFile(path)
    assert len(list(file.records())) == 2
    a_file(tmp_path, a_row(), a_row())
    with pytest.raises(records.FileChanged):
        next(file.records())


def test_the_default_columns_are_those_of_online_retail() -> None:
    assert set(Columns().named.values()) == set(HEADER.split(","))


@given(
    st.lists(
        st.builds(
            a_row,
            invoice=st.sampled_from(["1", "2", "C3", "C4", ""]),
            product=st.sampled_from(["10001", "10001a", "10001A", "POST"]),
            quantity=st.integers(-3, 3),
            at=st.sampled_from(["2011-03-01", "2011-03-01 00:00", "soon"]),
            price=st.sampled_from(["1.00", "2", "0", "-1", "x"]),
            customer=st.sampled_from(["17", "18", ""]),
            description=st.sampled_from(["LAMP", '"', '"A', '"A, B"', "A,B", '"A\nB"']),
        )
        | st.just(""),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 45),
)
def test_every_line_is_used_netted_or_rejected_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], limit: int
) -> None:
    path = a_file(tmp_path_factory.getbasetemp(), *rows)
    rejects = io.StringIO()
    tally = Tally(rejects)
    used = list(order_lines(path, tally=tally, limit=limit))

    assert tally.lines_used == len(used)
    assert tally.lines_read == tally.lines_used + 2 * tally.netted + sum(tally.rejected.values())
    set_aside = list(csv.DictReader(io.StringIO(rejects.getvalue())))
    assert len(set_aside) == tally.lines_read - tally.lines_used
    # Together they are the file again: no text is lost, none stands twice.
    in_file = {record.line_no: record.raw for record in list(records.CsvFile(path).records())[1 : limit + 1]}
    assert {line.line_no for line in used} | {int(row["line_no"]) for row in set_aside} == set(in_file)
    assert all(row["line"] == in_file[int(row["line_no"])] for row in set_aside)
    pairs = {int(row["line_no"]): int(row["other_line_no"]) for row in set_aside if row["other_line_no"]}
    assert len(pairs) == 2 * tally.netted
    assert all(pairs[other] == line_no for line_no, other in pairs.items())
