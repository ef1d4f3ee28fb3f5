"""`c2m match`: solve a problem from a file, or draw one at random."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from c2m.config import Settings, complaint
from c2m.matching.optimiser import (
    Considered,
    Crew,
    Explanation,
    InvalidProblem,
    Plan,
    Problem,
    Progress,
    Reason,
    Standing,
    Stop,
    Unserved,
    crew_of,
    explain,
    explanation_document,
    generate,
    plan_document,
    read_problem,
    solve,
    write_plan,
    write_problem,
)
from c2m.matching.remote import remote_crew

INVALID_INPUT = 2
WEEKS_NAMED = 4
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
    help="Match demand sheets to factories: `c2m match PROBLEM.json`, or `c2m match generate` for a random problem. "
    "`c2m match solve --help` lists the options: --explain SHEET, --time-limit, --seed, --workers, --json …",
)


@app.command(SOLVE)
def solve_file(
    problem_file: Annotated[Path, typer.Argument(metavar="PROBLEM.json", help="a c2m.matching/1 document")],
    out: Annotated[Path | None, typer.Option(help="write the c2m.plan/1 document here")] = None,
    time_limit: Annotated[float | None, typer.Option(min=0.01, help="seconds; instead of the problem's own")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="instead of the problem's own")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the document instead of a summary")] = False,
    sheet: Annotated[
        str | None, typer.Option("--explain", metavar="SHEET", help="say why this sheet got its factories")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="processes to work on components at once")] = 1,
    broker: Annotated[
        str, typer.Option(metavar="URL", envvar="C2M_BROKER_URL", help="have its workers work on components instead")
    ] = "",
    show_progress: Annotated[bool, typer.Option("--progress", help="print each better plan's cost and bound")] = False,
) -> None:
    """Solve a matching problem and say how far at most the plan is from the best."""
    problem = _read(problem_file)
    if sheet is not None and sheet not in {known.id for known in problem.sheets}:
        _refuse(f"--explain: there is no sheet {sheet!r}")
    settings = problem.settings
    stop = Stop(effort=settings.effort, seconds=settings.time_limit_s if time_limit is None else time_limit)
    with _crew(workers, broker) as crew:
        plan = solve(problem, stop, seed, crew=crew, progress=_report(problem) if show_progress else None)
    if out is not None:
        _write(out, write_plan(plan))
    if sheet is not None:
        explanation = explain(problem, plan, sheet)
        if as_json:
            typer.echo(json.dumps(explanation_document(explanation), allow_nan=False))
        else:
            _tell_why(problem, explanation)
    elif as_json:
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


def _crew(workers: int, broker: str) -> AbstractContextManager[Crew]:
    if not broker:
        return crew_of(workers)
    try:
        settings = Settings(broker_url=broker)
    except ValidationError as wrong:
        _refuse(complaint(wrong))
    return remote_crew(broker, settings.secret_key.get_secret_value())


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


def _report(problem: Problem) -> Callable[[Progress], None]:
    def say(progress: Progress) -> None:
        cost, bound = (money / problem.money_scale for money in (progress.cost, progress.bound))
        typer.echo(f"{progress.seconds:8.1f} s  cost {cost:,.2f}  bound {bound:,.2f} {problem.currency}", err=True)

    return say


def _tell_why(problem: Problem, explanation: Explanation) -> None:
    table = Table("factory", "line", "pieces", "standing", "what it means")
    for offer in explanation.offers:
        table.add_row(offer.factory, offer.line, f"{offer.quantity:,}", offer.standing.value, _sentence(problem, offer))
    console = Console()
    console.print(f"{explanation.sheet}: {explanation.quantity:,} pieces")
    console.print(table)
    if explanation.unserved is not None:
        left = explanation.unserved
        console.print(f"{left.quantity:,} pieces are left: {_why_left(problem, left)}")


def _sentence(problem: Problem, offer: Considered) -> str:
    """What would have to change for the offer, or what it costs."""

    def money(amount: int | None) -> str:
        return f"{(amount or 0) / problem.money_scale:,.2f} {problem.currency}"

    sentence = {
        Standing.CHOSEN: f"makes them for {money(offer.cost)}",
        Standing.BANNED: "excluded by the problem",
        Standing.NO_CAPABILITY: "the line lacks a capability",
        Standing.REGION: "lies in another region",
        Standing.LEAD_TIME: f"first pieces arrive {offer.weeks_late} weeks too late",
        Standing.MOQ: f"{offer.pieces_missing} pieces short of its minimum order",
        Standing.TOO_MANY: "more pieces than it takes",
        Standing.CAPACITY: f"its free weeks lack room for {offer.pieces_missing} pieces",
        Standing.DEARER: f"{money(offer.extra_cost)} dearer; {money(offer.each_less)} less a piece would draw level",
        Standing.NOT_PROVEN: "as good; the search found no use for it",
    }[offer.standing]
    if offer.unlock is not None and offer.unlock.saving:
        saving = money(offer.unlock.saving)
        sentence += f"; {offer.unlock.pieces} more pieces unlock a tier that saves {saving} each"
    return sentence


def _why_left(problem: Problem, left: Unserved) -> str:
    """Why pieces are left, as a sentence after the reason's code."""
    shortfall = f"{(left.shortfall or 0) / problem.money_scale:,.2f} {problem.currency}"
    weeks = ", ".join(f"{factory} {line} week {week}" for factory, line, week in left.line_weeks[:WEEKS_NAMED])
    sentence = {
        Reason.NO_CAPABILITY: "no line has what it takes",
        Reason.REGION: "who could make it is in another region",
        Reason.NO_OFFER: "nobody who could make it offers to",
        Reason.MOQ: f"{left.pieces_missing} pieces short of the smallest minimum order",
        Reason.LEAD_TIME: f"the first pieces would arrive in week {left.earliest_week}",
        Reason.PRICE: f"making what fits would cost {shortfall} more than it is worth",
        Reason.CAPACITY: f"no room: {weeks}" if weeks else "too little room for a minimum order",
        Reason.MAX_FACTORIES: "another factory would be one too many",
        Reason.MIN_FILL: f"{left.pieces_missing} pieces short of its fill",
        Reason.NOT_PROVEN: "the search found no use for it",
    }[left.reason]
    return f"{left.reason.value}: {sentence}"


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
        musts = {sheet.id for sheet in problem.sheets if sheet.must_serve}
        left = Table("sheet", "pieces left", "reason")
        for unserved in plan.unserved:
            must = " (must be served)" if unserved.sheet in musts else ""
            left.add_row(unserved.sheet + must, f"{unserved.quantity:,}", _why_left(problem, unserved))
        console.print(left)
