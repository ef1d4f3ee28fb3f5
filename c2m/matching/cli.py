"""`c2m match`: solve a problem from a file, or draw one at random."""

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from c2m.matching.optimiser import (
    InvalidProblem,
    Plan,
    Problem,
    Stop,
    generate,
    plan_document,
    read_problem,
    solve,
    write_plan,
    write_problem,
)

INVALID_INPUT = 2
SOLVE = "solve"


class FileOrCommand(TyperGroup):
    """Lets `c2m match FILE` stand for `c2m match solve FILE`, beside commands such as `c2m match generate`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [SOLVE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=FileOrCommand,
    no_args_is_help=True,
    help="Match demand sheets to factories: `c2m match PROBLEM.json`, or `c2m match generate` for a random problem.",
)


@app.command(SOLVE)
def solve_file(
    problem_file: Annotated[Path, typer.Argument(metavar="PROBLEM.json", help="a c2m.matching/1 document")],
    out: Annotated[Path | None, typer.Option(help="write the c2m.plan/1 document here")] = None,
    time_limit: Annotated[float | None, typer.Option(min=0.01, help="seconds; instead of the problem's own")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="instead of the problem's own")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the plan document instead of a summary")] = False,
) -> None:
    """Solve a matching problem and say how far at most the plan is from the best."""
    problem = _read(problem_file)
    settings = problem.settings
    stop = Stop(effort=settings.effort, seconds=settings.time_limit_s if time_limit is None else time_limit)
    plan = solve(problem, stop, seed)
    if out is not None:
        _write(out, write_plan(plan))
    if as_json:
        typer.echo(json.dumps(plan_document(plan), allow_nan=False))
    else:
        _summarise(problem, plan)


@app.command("generate")
def generate_file(
    sheets: Annotated[int, typer.Option(min=1)] = 50,
    factories: Annotated[int, typer.Option(min=1)] = 20,
    weeks: Annotated[int, typer.Option(min=2, max=520)] = 12,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    linked: Annotated[bool, typer.Option(help="join all crafts into one component")] = False,
    out: Annotated[Path | None, typer.Option(help="write the problem here instead of printing it")] = None,
) -> None:
    """Draw a random but plausible market as a c2m.matching/1 document."""
    document = write_problem(generate(sheets, factories, weeks, seed, linked))
    if out is None:
        typer.echo(document)
    else:
        _write(out, document)


def _read(path: Path) -> Problem:
    try:
        return read_problem(path.read_bytes())
    except OSError as fault:
        _refuse(f"{path}: {fault.strerror}")
    except InvalidProblem as fault:
        _refuse(f"{path}: {fault}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as fault:
        _refuse(f"{path}: {fault.strerror}")


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(INVALID_INPUT)


def _summarise(problem: Problem, plan: Plan) -> None:
    pieces = sum(sheet.quantity for sheet in problem.sheets)
    placed = sum(allocation.quantity for allocation in plan.allocations)
    table = Table("plan", plan.status.value, show_header=True)
    table.add_row("pieces placed", f"{placed:,} of {pieces:,}")
    table.add_row("allocations", f"{len(plan.allocations):,}")
    if plan.objective is not None and plan.bound is not None and plan.gap_ppm is not None:
        table.add_row("objective", f"{plan.objective / problem.money_scale:,.2f} {problem.currency}")
        table.add_row("bound", f"{plan.bound / problem.money_scale:,.2f} {problem.currency}")
        table.add_row("gap", f"{plan.gap_ppm / 10_000:.4f} %")
    if plan.net_gap_ppm is not None:
        table.add_row("net gap", f"{plan.net_gap_ppm / 10_000:.4f} %")
    table.add_row("seconds", f"{plan.seconds:.2f}" + (" (time limit met)" if plan.time_limited else ""))
    console = Console()
    console.print(table)
    if plan.unserved:
        left = Table("sheet", "pieces left", "reason")
        for unserved in plan.unserved:
            left.add_row(unserved.sheet, f"{unserved.quantity:,}", unserved.reason.value)
        console.print(left)
