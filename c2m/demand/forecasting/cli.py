"""`c2m forecast`: the next weeks of each product of a file."""

import json
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

MISUSED = 2
LONGEST_HORIZON = 104
HELP = escape("""Forecast how many pieces of each product are sold in each of the next weeks.

SALES is CSV or CSV.gz, UTF-8, with a header: the first column names the product, every other column is a week, in
order of time, with the pieces sold. An empty cell (or NA) is a week that nothing is known of; where a file has no 0 at
all, it is a week without a sale. Less than nothing counts as nothing.

--out gets the columns product, step (1 is the week after the last column), mean, p10, p50 and p90: the forecast, and
the pieces that are not exceeded with a probability of 10, 50 and 90 %. p50 is the one with the least absolute error.

Each method is first tried on the latest weeks, forecast from those before them; what it came to there (WAPE) is
printed. The same file and seed give the same forecast.""")


def forecast(
    sales: Annotated[Path, typer.Argument(metavar="SALES.csv", help="Products by week, CSV or CSV.gz.")],
    out: Annotated[Path, typer.Option(metavar="OUT.csv", help="Where the forecast goes; .gz is compressed.")],
    horizon: Annotated[int, typer.Option(min=1, max=LONGEST_HORIZON, help="Weeks to forecast.")] = 12,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Decides what the learned method draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="End in one JSON object.")] = False,
) -> None:
    """Forecast the next weeks of each product."""
    from c2m.demand.forecasting.sales_file import Unreadable, read_sales, write_forecast  # numpy takes its time

    began = perf_counter()
    try:
        table = read_sales(sales)
        found = _forecast(table.sales, horizon, seed)
        write_forecast(out, table.products, found)
    except Unreadable as wrong:
        _fail(f"{sales}: {wrong}")
    except OSError as wrong:
        _fail(f"{wrong.filename or sales}: {wrong.strerror or wrong}")
    figures = {
        "products": len(table.products),
        "weeks": len(table.weeks),
        "horizon": horizon,
        "mean_pieces": round(float(found.mean.sum()), 1),
        "methods": found.methods,
        "trial_wape": {name: round(value, 4) for name, value in found.trial.items()},
        "seconds": round(perf_counter() - began, 1),
        "out": str(out),
    }
    if as_json:
        typer.echo(json.dumps(figures))
        return
    typer.echo(
        f"{figures['products']:,} products, {figures['weeks']} weeks known, {horizon} ahead: about "
        f"{found.mean.sum():,.0f} pieces. Written to {out}."
    )
    for name, value in sorted(found.trial.items(), key=lambda each: each[1]):
        typer.echo(f"  {name:18} WAPE {value:.3f} on trial, forecasts {found.methods.get(name, 0):,} products")


def _forecast(sales: Any, horizon: int, seed: int) -> Any:
    from c2m.demand.forecasting.weekly import forecast_weeks

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as screen:
        task = screen.add_task("trying methods", total=1.0)
        return forecast_weeks(sales, horizon, seed=seed, progress=lambda done: screen.update(task, completed=done))


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(MISUSED)
