"""`c2m audit`: the thirteen invariants, or how right predictions were, as a table or as JSON."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, astuple, fields
from datetime import datetime
from time import perf_counter

import typer
from rich.console import Console
from rich.table import Column, Table

from c2m.audit.check import Finding
from c2m.audit.invariants import INVARIANTS
from c2m.audit.running import run
from c2m.db import Database
from c2m.demand.predictions import Scored, reliability, scores

IDS_SHOWN = 5


def report(database: Database, *, as_json: bool, now: datetime) -> bool:
    """Audit a database and say what was found; whether everything holds."""
    began = perf_counter()
    with database.reading() as session:
        findings = run(session, now=now)
    seconds = perf_counter() - began
    if as_json:
        typer.echo(json.dumps(_document(findings, seconds, now)))
    else:
        _print(findings, seconds)
    return not findings


def report_predictions(database: Database, *, as_json: bool) -> None:
    """Say how right predictions were, by kind of campaign and third of its time, and how often each tenth came."""
    with database.reading() as session:
        scored, tenths = scores(session), list(reliability(session).values())
    if as_json:
        shown = {"scores": [asdict(row) for row in scored], "reliability": [asdict(tenth) for tenth in tenths]}
        typer.echo(json.dumps(shown))
        return
    if not scored:
        typer.echo("No prediction has been put to the test yet: none of a campaign that has closed.")
        return
    headings = (Column(field.name.replace("_", " "), no_wrap="_" not in field.name) for field in fields(Scored))
    table = Table(*headings, title="scored", title_justify="left")
    for row in scored:
        kind, third, *figures = astuple(row)
        shares = (f"{figure:.3f}" if isinstance(figure, float) else f"{figure:,}" for figure in figures)
        table.add_row(str(kind), f"{third + 1} of 3", *shares)
    reliable = Table("said", "came", "statements", title="reliability", title_justify="left")
    for tenth in tenths:
        reliable.add_row(f"{tenth.said:.3f}", f"{tenth.came:.3f}", f"{tenth.count:,}")
    for each in (table, reliable):
        Console().print(each)


def _document(findings: Sequence[Finding], seconds: float, now: datetime) -> dict[str, object]:
    broken = {finding.invariant for finding in findings}
    return {
        "audited_at": now.isoformat(),
        "seconds": round(seconds, 3),
        "invariants": {name: {"statement": words, "holds": name not in broken} for name, words in INVARIANTS.items()},
        "invariants_broken": len(broken),
        "findings": [asdict(finding) for finding in findings],
    }


def _print(findings: Sequence[Finding], seconds: float) -> None:
    by_invariant: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_invariant[finding.invariant].append(finding)
    table = Table("", "", "what must always hold", title=f"audited in {seconds:.1f} s", title_justify="left")
    for name, words in INVARIANTS.items():
        table.add_row(name, "✗" if name in by_invariant else "✓", words)
        for finding in by_invariant[name]:
            table.add_row("", "", f"  {finding.sentence} {_ids(finding)}")
    Console().print(table)


def _ids(finding: Finding) -> str:
    shown = ", ".join(finding.ids[:IDS_SHOWN])
    left = finding.broken - min(len(finding.ids), IDS_SHOWN)
    return f"{shown} and {left} more" if left else shown
