"""`c2m replay`: real order lines through the whole chain."""

import contextlib
import gc
import json
import math
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from c2m import audit, migrations
from c2m.db import Database, table_of
from c2m.errors import N_, Conflict, Refusal
from c2m.identity.models import Organisation
from c2m.replay.driver import Market
from c2m.replay.factories import FORMAT, Maker, draw_factories, read_factories
from c2m.replay.layout import MAP_FORMAT, ONLINE_RETAIL, Layout, read_layout
from c2m.replay.measures import Ladder, Measures, parse_ladder
from c2m.replay.orders import Tally, order_lines
from c2m.replay.pooling import MarketDay, Mode, market_days, takes_part, window_days
from c2m.replay.shop import Terms
from c2m.replay.summary import check, outcome

if TYPE_CHECKING:
    from c2m.replay.foretelling import Foreteller

BROKEN = 1
MISUSED = 2
DATABASE = Path("var/replay.sqlite3")
HELP = escape(f"""Take order lines through group-buys, matching, production and settlement.

FILE is CSV or CSV.gz with the columns InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID
and Country; other headers, date formats and currencies are told by --map FILE.toml. A product's first order opens a
group-buy (trigger), or fixed windows do (calendar); orders of one buyer for one product on one day are one pledge.

--forecasts OUT.csv gets a line for each campaign, tier and day: campaign (the product), opened (the day its window
began), elapsed_days (0 is its opening, before anything is pledged), target (a tier's pieces, or the minimum if more
than one piece), probability that it is reached, p10, p50 and p90 of the final quantity as stated then, from what was
known then, and final_quantity, what it came to.

\b
--map FILE:
{MAP_FORMAT}
\b
--factories FILE:
{FORMAT}""")


class NotEmpty(Conflict):
    sentence = N_("The database %(url)s already holds a market; name another one, or begin anew with --fresh.")


@dataclass(frozen=True)
class Asked:
    """What a replay was asked to do."""

    file: Path
    layout: Layout
    ladder: Ladder
    minimum: int
    days: int
    mode: Mode
    participation: float
    seed: int
    limit: int | None
    makers: tuple[Maker, ...]
    rejects: Path | None
    forecasts: Path | None = None


def _a_share(value: float) -> float:
    if math.isnan(value):
        raise typer.BadParameter("nan is no share between 0 and 1.")
    return value


def replay(
    file: Annotated[Path, typer.Argument(help="Order lines, CSV or CSV.gz.")],
    window: Annotated[str, typer.Option(help="How long a group-buy runs, in days.")] = "7d",
    mode: Annotated[Mode, typer.Option(help="What opens a window: a product's first order, or the calendar.")] = (
        Mode.TRIGGER
    ),
    ladder: Annotated[str, typer.Option(help="From so many pieces, so many per cent off.")] = "100:5,500:10,1000:15",
    minimum: Annotated[int, typer.Option(min=1, help="Pieces below which a campaign fails.")] = 1,
    participation: Annotated[
        float, typer.Option(min=0.0, max=1.0, callback=_a_share, help="Share of buyers that take part, 0 to 1.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Decides who takes part, who makes it, who is late.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="Read so many lines only.")] = None,
    factories: Annotated[Path | None, typer.Option(help="The factories, TOML; drawn by the seed otherwise.")] = None,
    layout_map: Annotated[Path | None, typer.Option("--map", help="Other column names, date format, currency.")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Where rejected lines go; into var/ unless given.")] = None,
    forecasts: Annotated[
        Path | None, typer.Option(metavar="OUT.csv", help="Write what was forecast of every campaign each day.")
    ] = None,
    database_url: Annotated[str | None, typer.Option(help=f"Where the market is kept; else {DATABASE}.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Empty the database first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End in one JSON object.")] = False,
) -> None:
    """Take order lines through group-buys, matching, production and settlement, and print what came of it."""
    screen = Console(stderr=True)
    try:
        asked = Asked(
            file=file,
            layout=read_layout(layout_map) if layout_map else ONLINE_RETAIL,
            ladder=parse_ladder(ladder),
            minimum=minimum,
            days=window_days(window),
            mode=mode,
            participation=participation,
            seed=seed,
            limit=limit,
            makers=read_factories(factories) if factories else draw_factories(seed),
            rejects=rejects,
            forecasts=forecasts,
        )
        database = Database(database_url or f"sqlite:///{DATABASE}")
        prepare(database, fresh=fresh)
        figures = run(asked, database, screen)
    except Refusal as refusal:
        _fail(str(refusal))
    except OSError as wrong:
        _fail(f"{wrong.filename}: {wrong.strerror}")
    if as_json:
        typer.echo(json.dumps({name: value for name, value in figures.items() if name not in ("stages", "findings")}))
    else:
        _print(screen, figures)
    if figures["invariants_broken"]:
        raise typer.Exit(BROKEN)


def prepare(database: Database, *, fresh: bool) -> None:
    """See that there are tables and nobody in them.

    Raises:
        NotEmpty
    """
    if sa.inspect(database.engine).has_table(table_of(Organisation).name):
        with database.reading() as session:
            inhabited = session.execute(sa.select(table_of(Organisation).c.id).limit(1)).first() is not None
        if inhabited and not fresh:
            raise NotEmpty(url=database.engine.url.render_as_string(hide_password=True))
        if inhabited:
            migrations.downgrade(database, "base")
    migrations.migrate(database)


def run(asked: Asked, database: Database, screen: Console) -> dict[str, Any]:
    """Live through the file, settle everything, audit; return the figures the command prints.

    Raises:
        Refusal: of the file, before its first line, or of a line the platform says no to.
    """
    began = perf_counter()
    measures = Measures(asked.ladder, minimum=asked.minimum)
    with (
        _rejects_file(asked) as rejects,
        _foreteller(asked) as foreteller,
        _progress(screen) as progress,
        _few_collections(),
    ):
        tally = Tally(rejects)
        market: Market | None = None
        task = progress.add_task("reading")
        for today in _days(asked, tally):
            measures.add(today)
            if foreteller:
                foreteller.add(today)
            market = market or _market(asked, database, today.day)
            market.live(today)
            progress.update(task, description=f"{today.day} · {tally.lines_read:,} lines")
        if market is not None:
            progress.update(task, description="settling")
            market.settle()
    seconds = perf_counter() - began
    figures = measures.figures()
    with database.reading() as session:
        found = outcome(session)
        check(found, figures)
        progress_now = market.clock.now() if market else None
        findings = audit.run(session, now=progress_now) if progress_now else []
    return {
        "lines_read": tally.lines_read,
        "lines_used": tally.lines_used,
        "netted": tally.netted,
        "rejected": {str(reason): count for reason, count in sorted(tally.rejected.items())},
        "pledges": found.pledges,
        "campaigns": found.campaigns,
        "succeeded": found.succeeded,
        "pieces": found.pieces,
        "pooled_share": figures.pooled_share,
        "unpooled_share": figures.unpooled_share,
        "extra_saving_pct": figures.extra_saving_pct,
        "mean_wait_days": figures.mean_wait_days,
        "matched_share": found.matched_share,
        "on_time_share": found.on_time_share,
        "forecasts": foreteller.lines if foreteller else None,
        "compensation_minor": found.compensation_minor,
        "seconds": round(seconds, 1),
        "lines_per_s": round(tally.lines_used / seconds, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "invariants_broken": len(findings),
        "stages": {str(stage): round(spent, 1) for stage, spent in market.watch.seconds.items()} if market else {},
        "findings": [f"{finding.invariant} {finding.sentence}" for finding in findings],
    }


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Keep the garbage collector from searching all that was imported again and again: rows hold no cycles."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _days(asked: Asked, tally: Tally) -> Iterator[MarketDay]:
    chosen = partial(takes_part, participation=asked.participation, seed=asked.seed)
    lines = order_lines(asked.file, asked.layout, tally=tally, limit=asked.limit, takes_part=chosen)
    return market_days(lines, mode=asked.mode, days=asked.days)


def _market(asked: Asked, database: Database, first_day: date) -> Market:
    terms = Terms(asked.ladder, asked.minimum, asked.layout.currency)
    return Market(database, terms, asked.makers, zone=asked.layout.zone, seed=asked.seed, first_day=first_day)


@contextlib.contextmanager
def _rejects_file(asked: Asked) -> Iterator[TextIO]:
    asked.file.open("rb").close()  # a file that can't be read leaves nothing behind
    path = asked.rejects or DATABASE.parent / f"{asked.file.name.split('.')[0]}.rejected.csv"
    if asked.rejects is None:
        path.parent.mkdir(exist_ok=True)
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
    except Refusal:
        path.unlink(missing_ok=True)  # it says nothing about a file that was refused
        raise


@contextlib.contextmanager
def _foreteller(asked: Asked) -> Iterator["Foreteller | None"]:
    if asked.forecasts is None:
        yield None
        return
    from c2m.replay.foretelling import Foreteller  # scikit-learn takes a second to come up

    with asked.forecasts.open("w", encoding="utf-8", newline="") as out:
        yield Foreteller(out, asked.ladder, minimum=asked.minimum, days=asked.days)


def _progress(screen: Console) -> Progress:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    return Progress(*columns, console=screen, disable=not screen.is_terminal)


def _print(screen: Console, figures: dict[str, Any]) -> None:
    table = Table(title="c2m replay", show_header=False, title_justify="left")
    for name, value in figures.items():
        if name == "netted":
            table.add_row(name, f"{value:,} cancellations with the {value:,} lines that they took back")
        elif name != "findings":
            table.add_row(name.replace("_", " "), _shown(value))
    for finding in figures["findings"]:
        table.add_row("broken", finding)
    screen.print(table)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items()) or "none"
    return f"{value:,.4g}" if isinstance(value, float) and value < 1000 else f"{value:,}" if value is not None else "—"


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(MISUSED)
