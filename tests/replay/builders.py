"""Order lines of our own making."""

import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from c2m.replay.layout import ONLINE_RETAIL, Layout
from c2m.replay.lines import OrderLine
from c2m.replay.orders import Tally, order_lines

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def a_row(
    invoice: str = "1001",
    product: str = "10001",
    quantity: object = 6,
    at: str = "2011-03-01 09:00",
    price: object = "2.50",
    customer: str = "17",
    description: str = "TIN LANTERN",
) -> str:
    return f"{invoice},{product},{description},{quantity},{at},{price},{customer},United Kingdom"


def a_file(folder: Path, *rows: str, header: str = HEADER, name: str = "lines.csv") -> Path:
    path = folder / name
    text = "".join(f"{row}\n" for row in (header, *rows))
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def read(path: Path, layout: Layout = ONLINE_RETAIL, **options: object) -> tuple[list[OrderLine], Tally]:
    tally = Tally()
    return list(order_lines(path, layout, tally=tally, **options)), tally


def a_line(
    product: str = "10001",
    buyer: str = "17",
    quantity: int = 6,
    day: date = date(2011, 3, 1),
    minute: int = 0,
    price_minor: int = 250,
) -> OrderLine:
    return OrderLine(
        line_no=2,
        invoice="1001",
        product=product,
        description="TIN LANTERN",
        quantity=quantity,
        at=datetime(day.year, day.month, day.day, 9, tzinfo=UTC) + timedelta(minutes=minute),
        day=day,
        unit_price_minor=price_minor,
        currency="GBP",
        customer=buyer,
        country="United Kingdom",
    )
