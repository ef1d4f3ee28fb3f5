"""`c2m demo`: make the demo market and show what came of it."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from time import perf_counter
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from babel.numbers import format_currency
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import event
from sqlmodel import select

from c2m import audit, migrations
from c2m.app import configure_logging
from c2m.config import DEMO_PASSWORD, Settings
from c2m.db import Database, table_of
from c2m.demo.calendar import LOCAL, USUAL_DAYS, Calendar
from c2m.demo.life import live
from c2m.demo.market import CURRENCY, Market
from c2m.demo.people import email_of
from c2m.demo.summary import SignIn, Summary, sign_ins, summarise
from c2m.errors import N_, Conflict
from c2m.identity.models import Role, User
from c2m.identity.passwords import Passwords
from c2m.identity.queries import user_by_email
from c2m.ledger.provider import SandboxProvider

SEED = 20261122


class NotADemo(Conflict):
    sentence = N_("This database holds a market that is not the demo's; nothing was changed.")


def demo(
    database_url: Annotated[
        str | None, typer.Option(help="Where the market is kept; C2M_DATABASE_URL unless given.")
    ] = None,
    days: Annotated[int, typer.Option(min=10, max=365, help="How many days it lives.")] = USUAL_DAYS,
    seed: Annotated[int, typer.Option(min=0, help="Decides everything that happens.")] = SEED,
    ends_at: Annotated[
        datetime | None, typer.Option(help="Its last instant, UTC; the present hour unless given.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh/--keep", help="Begin anew, or keep a demo market that is there.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make a market of our own that has lived through 90 days, and show what came of it."""
    settings = Settings(demo=True)
    configure_logging(settings.log_level)
    database = Database(database_url or settings.database_url)
    screen = Console(stderr=as_json)
    began = perf_counter()
    last = _full_hour(ends_at.replace(tzinfo=UTC) if ends_at else datetime.now(UTC))
    if prepare(database, fresh=fresh):
        market = Market(database, SandboxProvider(), Calendar(last, days), seed)
        _live(market, Passwords(settings.password_passes, settings.password_memory_kib).hash(DEMO_PASSWORD), screen)
    with database.reading() as session:
        findings = audit.run(session, now=last)
        summary, accounts = summarise(session, now=last), sign_ins(session)
    seconds = perf_counter() - began
    if as_json:
        _print_json(summary, accounts, findings, seconds)
    else:
        _print_table(screen, summary, accounts, findings, seconds)
    database.dispose()
    if findings:
        raise typer.Exit(1)


def prepare(database: Database, *, fresh: bool) -> bool:
    """See that there are tables, emptied if need be; return whether the market is still to be lived.

    Raises:
        NotADemo: the database holds somebody else's market.
    """
    if sa.inspect(database.engine).has_table(table_of(User).name):
        with database.reading() as session:
            inhabited = session.exec(select(User.id).limit(1)).first() is not None
            ours = user_by_email(session, email_of(Role.OPERATOR, 0)) is not None
        if inhabited and not ours:
            raise NotADemo()
        if inhabited and fresh:
            migrations.downgrade(database, "base")
        elif inhabited:
            return False
    migrations.migrate(database)
    return True


def _live(market: Market, password_hash: str, screen: Console) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with _in_haste(market.database), Progress(*columns, console=screen) as progress:
        task = progress.add_task("", total=market.calendar.days * 24)

        def watch(hour: datetime) -> None:
            progress.update(task, advance=1, description=f"{hour.astimezone(LOCAL):%Y-%m-%d}")

        live(market, password_hash, watch)
    with market.database.engine.begin() as connection:  # the tables were empty when it last looked at them
        connection.exec_driver_sql("ANALYZE")


@contextmanager
def _in_haste(database: Database) -> Iterator[None]:
    """Don't wait for the disk at each commit: a demo that a power cut stops is made anew."""
    haste = "SET synchronous_commit = off" if database.dialect == "postgresql" else "PRAGMA synchronous = OFF"

    def hurry(connection: Any, _record: object) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute(haste)
        connection.commit()

    database.dispose()
    event.listen(database.engine, "connect", hurry)
    try:
        yield
    finally:
        event.remove(database.engine, "connect", hurry)
        database.dispose()


def _full_hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _print_json(summary: Summary, accounts: list[SignIn], findings: list[audit.Finding], seconds: float) -> None:
    figures = summary.as_json() | {
        "invariants_broken": len(findings),
        "findings": [asdict(finding) for finding in findings],
        "sign_ins": [asdict(account) | {"password": DEMO_PASSWORD} for account in accounts],
        "seconds": round(seconds, 1),
    }
    typer.echo(json.dumps(figures, ensure_ascii=False))


def _print_table(
    screen: Console, summary: Summary, accounts: list[SignIn], findings: list[audit.Finding], seconds: float
) -> None:
    table = Table(title=f"c2m demo · {seconds:.0f} s", show_header=False, title_justify="left")
    for label, value in _figures(summary, findings):
        table.add_row(label, value)
    screen.print(table)
    for finding in findings:
        text = f"{finding.invariant} {finding.sentence} {finding.broken}: {', '.join(finding.ids[:5])}"
        screen.print(text, style="red", markup=False)
    people = Table(title="Sign in as", title_justify="left")
    for heading in ("role", "e-mail", "password"):
        people.add_column(heading, no_wrap=True)
    people.add_column("organisation", overflow="fold")
    for account in accounts:
        people.add_row(account.role, account.email, DEMO_PASSWORD, f"{account.name} {account.name_en}")
    screen.print(people)


def _figures(summary: Summary, findings: list[audit.Finding]) -> list[tuple[str, str]]:
    """The summary line by line."""
    pieces, money = summary.pieces, summary.money
    return [
        ("campaigns", _counts(summary.campaigns)),
        ("concepts", f"{_counts(summary.concepts)} · {summary.wants:,} wants"),
        ("organisations", _counts(summary.organisations)),
        ("pledges", _counts(summary.pledges)),
        ("forms of group-buys", _counts(summary.forms)),
        ("offers", _counts(summary.offers)),
        ("work orders", f"{_counts(summary.work_orders)} · {summary.late_work_orders} late and underway"),
        ("pieces", _counts(asdict(pieces))),
        *((_whose(name), _money(amount)) for name, amount in asdict(money).items()),
        ("matched share", f"{summary.matched_share_pct} % of the pieces that a factory took on or none would"),
        (
            "on-time share",
            f"{summary.on_time_share_pct} % of the pieces delivered · {summary.late_parcels} parcels came late",
        ),
        ("invariants", f"{len(findings)} broken" if findings else "all hold"),
    ]


def _whose(name: str) -> str:
    """What collected money became, part by part; forfeited deposits are merchandisers' and counted among these."""
    return "forfeited, part of margins" if name == "forfeited" else name.replace("_", " ")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())


def _money(amount_minor: int) -> str:
    return str(format_currency(amount_minor / 100, CURRENCY, locale="zh_CN"))
