"""A replay through the whole platform: it holds what the orders come to, every cent is where it belongs."""

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console
from sqlmodel import select
from typer.testing import CliRunner

from c2m.cli import cli
from c2m.db import Database
from c2m.demand.models import FINAL, Pledge
from c2m.ledger.queries import balances_by_kind
from c2m.replay.cli import Asked, run
from c2m.replay.factories import draw_factories
from c2m.replay.layout import ONLINE_RETAIL
from c2m.replay.measures import parse_ladder
from c2m.replay.pooling import Mode

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Nine days of orders: twelve products, a cancellation, a postage line, a buyer who leaves no name."""
    rng, rows = random.Random(7), []
    for day in range(1, 10):
        for number in range(12):
            product, customer = 20_000 + rng.randrange(12), rng.choice(["17850", "13047", "12583", ""])
            quantity, price = rng.choice([1, 6, 24, 60]), rng.choice(["0.85", "2.55", "4.95"])
            at = f"2026-01-{day:02} 10:{number:02}:00"
            rows.append(f"5{day:02}{number:03},{product},THING {product},{quantity},{at},{price},{customer},France")
    first = rows[0].split(",")
    rows.append(f"C599001,{first[1]},{first[2]},-{first[3]},2026-01-10 09:00:00,{first[5]},{first[6]},France")
    rows.append("599002,POST,POSTAGE,1,2026-01-10 10:00:00,18.00,17850,France")
    path = tmp_path / "orders.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def replayed(orders: Path, database: Database, tmp_path: Path, **changes: Any) -> dict[str, Any]:
    asked = {
        "file": orders,
        "layout": ONLINE_RETAIL,
        "ladder": parse_ladder("100:5,500:10,1000:15"),
        "minimum": 1,
        "days": 7,
        "mode": Mode.TRIGGER,
        "participation": 1.0,
        "seed": 0,
        "limit": None,
        "makers": draw_factories(0),
        "rejects": tmp_path / "rejected.csv",
    }
    return run(Asked(**(asked | changes)), database, Console(file=io.StringIO()))


def test_the_platform_holds_what_the_orders_come_to(orders: Path, database: Database, tmp_path: Path) -> None:
    figures = replayed(orders, database, tmp_path)  # run() itself holds pledges, campaigns and pieces to the orders
    named = figures["rejected"]
    assert figures["lines_read"] == 110 == figures["lines_used"] + 2 * figures["netted"] + sum(named.values())
    assert named["not_a_product"] == 1
    assert figures["invariants_broken"] == 0, figures["findings"]
    with database.reading() as session:
        assert sum(balances_by_kind(session).values()) == 0
        states = set(session.exec(select(Pledge.state)).all())
    assert states <= set(FINAL)


def test_campaigns_below_the_minimum_are_refunded(orders: Path, database: Database, tmp_path: Path) -> None:
    figures = replayed(orders, database, tmp_path, minimum=200, limit=40)
    assert figures["succeeded"] < figures["campaigns"]
    assert figures["invariants_broken"] == 0, figures["findings"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_taking_part_is_no_fault(orders: Path, database: Database, tmp_path: Path) -> None:
    figures = replayed(orders, database, tmp_path, participation=0.0)
    assert (figures["pledges"], figures["matched_share"], figures["pooled_share"]["100"]) == (0, None, None)


def invoke(tmp_path: Path, *arguments: str) -> Any:
    database = f"sqlite:///{tmp_path / 'replay.sqlite3'}"
    rejects = str(tmp_path / "rejected.csv")
    return CliRunner().invoke(cli, ["replay", *arguments, "--database-url", database, "--rejects", rejects])


def test_the_command_ends_in_one_json_object(orders: Path, tmp_path: Path) -> None:
    answer = invoke(tmp_path, str(orders), "--limit", "30", "--json")
    assert answer.exit_code == 0, answer.output
    figures = json.loads(answer.stdout.strip().splitlines()[-1])
    assert figures["lines_read"] == 30
    assert {"pooled_share", "unpooled_share", "extra_saving_pct", "mean_wait_days", "lines_per_s"} <= figures.keys()


def test_a_database_with_a_market_in_it_is_refused(orders: Path, tmp_path: Path) -> None:
    assert invoke(tmp_path, str(orders), "--limit", "5").exit_code == 0
    again = invoke(tmp_path, str(orders), "--limit", "5")
    assert again.exit_code == 2
    assert "already holds a market" in again.stderr
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'replay.sqlite3'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pledge").scalar() == 5
    engine.dispose()


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("InvoiceNo,StockCode\n1,2\n", ()),
        ("", ()),
        (HEAD + "536365,85123A,X,6,12/1/2010 8:26,2.55,17850,France\n", ()),
        (HEAD, ("--window", "7w")),
        (HEAD, ("--ladder", "100:5,50:10")),
        (HEAD, ("--factories", "nowhere.toml")),
        (HEAD, ("--map", "nowhere.toml")),
        (HEAD, ()),
        (HEAD + "536365,85123A,X,6,2010-12-01 08:26,2.55,17850,France\n", ("--participation", "nan")),
    ],
)
def test_bad_input_is_one_sentence_and_status_two(tmp_path: Path, text: str, arguments: tuple[str, ...]) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(text, encoding="utf-8")
    answer = invoke(tmp_path, str(file), *arguments)
    assert answer.exit_code == 2, answer.output
    assert answer.stderr.strip()
    assert "Traceback" not in answer.output
    assert "Errno" not in answer.output
    assert "\u280b" not in answer.stderr  # no spinner where nobody sees it turn
    assert not list(tmp_path.rglob("*.rejected.csv"))
