"""The `c2m` command."""

import json
import socket
import sys
from dataclasses import asdict
from typing import Annotated, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError

from c2m import __version__, migrations
from c2m.app import APART, build_worker, configure_logging, create_app, design_attendant, working_off
from c2m.audit.cli import report, report_predictions
from c2m.broker import Queue
from c2m.clock import SystemClock
from c2m.config import Imagination, Settings, Stored, UnknownDatabase, complaint
from c2m.db import Database
from c2m.demand.clustering import cli as clustering_cli
from c2m.demand.forecasting import cli as forecasting_cli
from c2m.demo.cli import demo
from c2m.design.diffusion import cli as imagine_cli
from c2m.design.diffusion.generator import see_that_model_is_there
from c2m.errors import Refusal
from c2m.identity.models import Role
from c2m.identity.passwords import Passwords
from c2m.identity.rules import SHORTEST_PASSWORD, is_email
from c2m.identity.service import Registration, register_organisation
from c2m.ledger.provider import SandboxProvider
from c2m.matching import cli as matching_cli
from c2m.production.promises import Kept, kept
from c2m.replay import cli as replay_cli
from c2m.waking import keep_at_it
from c2m.working import work

REFUSED = 1
MISUSED = 2
S = TypeVar("S", bound=Stored | Imagination)
LOOPBACK = ("127.0.0.1", "::1", "localhost")

cli = typer.Typer(help="Demand first, production after.", no_args_is_help=True, pretty_exceptions_enable=False)


@cli.callback(invoke_without_command=True)
def about(version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False) -> None:
    """Demand first, production after."""
    configure_logging()  # what a command logs goes to stderr, whatever it prints
    if version:
        typer.echo(__version__)
        raise typer.Exit


cli.command()(demo)

cli.add_typer(imagine_cli.app, name="imagine")
cli.add_typer(matching_cli.app, name="match")
cli.command(help=replay_cli.HELP)(replay_cli.replay)
cli.command(help=clustering_cli.HELP)(clustering_cli.cluster)
cli.command(help=forecasting_cli.HELP)(forecasting_cli.forecast)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one needs PostgreSQL.")] = 1,
    debug: Annotated[bool, typer.Option(help="Flask's development server, with faults shown in the browser.")] = False,
) -> None:
    """Serve the site."""
    if debug and host not in LOOPBACK:
        _fail("--debug runs code sent by the browser; it listens on 127.0.0.1 only.", MISUSED)
    settings = _settings()
    _database()
    if not _is_free(host, port):
        _fail(f"Something else listens at {host}:{port}; choose another --port.", MISUSED)
    if debug:
        create_app(settings).run(host=host, port=port, debug=True, use_reloader=False, threaded=True)
        return
    from c2m.serving import Site  # gunicorn needs a POSIX system, the other commands don't

    Site(settings, host, port, workers=workers).run()


@cli.command()
def worker(
    once: Annotated[bool, typer.Option(help="Work off what is due now, then stop.")] = False,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks at what is due.")] = 1.0,
    queue: Annotated[
        list[Queue] | None, typer.Option(help="Take work of this kind only: from the broker, or pictures to be made.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="How many take it from the broker at once.")] = 1,
    idle: Annotated[
        float, typer.Option(min=0, help="Stop after so many seconds without work, or when the parent has; 0 = never.")
    ] = 0,
) -> None:
    """Work off what is due: payments, deadlines, announcements; with a broker, have the workers of its queues do it."""
    makes_pictures = queue == [Queue.DESIGN]
    if queue and not makes_pictures:
        _take_work(queue, processes)
        return
    database, stored, imagination = _database(), _read(Stored), _read(Imagination)
    if makes_pictures:
        try:
            see_that_model_is_there(imagination)
        except Refusal as refusal:  # runs that are asked for end with this reason, which the studio shows
            typer.echo(f"No pictures can be made. {refusal}", err=True)
    whole = build_worker(database, SandboxProvider(), imagination=imagination)
    broker_url = "" if makes_pictures else stored.broker_url
    alone = once and not imagination.design_worker  # then nobody else makes the pictures
    shared = whole.dedicated(APART) if makes_pictures else whole if alone else whole.leaving(APART)
    work_off = working_off(shared, broker_url)
    if once:
        typer.echo(f"{work_off(SystemClock().now())} jobs {'handed out' if broker_url else 'run'}")
        return
    attendant = None if makes_pictures or imagination.design_worker else design_attendant(database, imagination)
    keep_at_it(work_off, attendant, every_seconds=every, idle_seconds=idle)


@cli.command()
def migrate() -> None:
    """Make the tables, or bring them up to date."""
    database = Database(_read(Stored).database_url)
    migrations.migrate(database)
    typer.echo(f"{database.engine.url.render_as_string(hide_password=True)} is at {migrations.current(database)}")


@cli.command()
def add_operator(
    email: Annotated[str, typer.Argument(help="The operator's e-mail address.")],
    name: Annotated[str, typer.Option(help="The operator's name.")] = "Operator",
    organisation: Annotated[str, typer.Option(help="The platform's own organisation.")] = "c2m",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when not given.")
    ] = "",
) -> None:
    """Open an account for an operator, which nobody can do over the web."""
    if not is_email(email):
        _fail(f"{email!r} is not an e-mail address.", MISUSED)
    if len(password) < SHORTEST_PASSWORD:
        _fail(f"The password needs {SHORTEST_PASSWORD} characters or more.", MISUSED)
    settings = _settings()
    database = _database()
    hashed = Passwords(settings.password_passes, settings.password_memory_kib).hash(password)
    registration = Registration(Role.OPERATOR, organisation, email, name, hashed)
    with database.transaction() as session:
        register_organisation(session, registration, now=SystemClock().now())
    typer.echo(f"{email} may sign in")


@cli.command()
def audit(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    database_url: Annotated[str | None, typer.Option(help="Another database than this installation's.")] = None,
    predictions: Annotated[bool, typer.Option("--predictions", help="How right predictions were, instead.")] = False,
) -> None:
    """Recompute what must always hold from the rows alone; exit status 1 when something doesn't."""
    if predictions:
        report_predictions(_database(database_url), as_json=as_json)
        return
    if not report(_database(database_url), as_json=as_json, now=SystemClock().now()):
        raise typer.Exit(REFUSED)


@cli.command()
def promises(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    database_url: Annotated[str | None, typer.Option(help="Another database than this installation's.")] = None,
) -> None:
    """How right the dates were that campaigns stated while they were open, beside what was planned and delivered."""
    with _database(database_url).reading() as session:
        found = kept(session)
    if as_json:
        typer.echo(json.dumps({"stages": [asdict(stage) for stage in found]}))
        return
    first, *others = [_figures(stage) for stage in found]
    table = Table("stage", *(stage.stage for stage in found))
    for figure, value in first.items():
        cells = [value, *(other[figure] for other in others)]
        table.add_row(figure, *(f"{x:.2f}" if isinstance(x, float) else "–" if x is None else str(x) for x in cells))
    Console().print(table)


def _figures(stage: Kept) -> dict[str, float | None]:
    """What became of what was said at a stage, one figure a row."""
    about = {"said": stage.said, "without date": stage.without_date, "range, days": stage.width_days}
    for name, came in (("planned", stage.planned), ("delivered", stage.delivered)):
        about |= {name: came.count, f"{name} before the range": came.before, f"{name} inside it": came.inside}
        about |= {f"{name} after it": came.after, f"{name}: days past its end": came.error_days}
    return about


def main() -> None:
    """Run the command; a refusal or a database out of reach is one sentence on stderr and exit status 1 or 2."""
    try:
        cli()
    except UnknownDatabase as refusal:
        _fail(str(refusal), MISUSED)
    except Refusal as refusal:
        _fail(str(refusal))
    except OperationalError as away:
        _fail(f"The database can't be used: {str(away.orig).splitlines()[0]}")


def _take_work(queues: list[Queue], processes: int) -> None:
    if Queue.DESIGN in queues:
        _fail("Pictures are made from the database's jobs; give --queue design a process of its own.", MISUSED)
    settings = _settings()
    if not settings.broker_url:
        _fail("--queue needs a broker; set C2M_BROKER_URL.", MISUSED)
    if Queue.JOBS in queues:
        _database().dispose()  # connections don't outlive a fork
    work(settings, queues, processes=processes)


def _settings() -> Settings:
    return _read(Settings)


def _read(kind: type[S]) -> S:
    try:
        settings = kind()
    except ValidationError as wrong:
        _fail(complaint(wrong), MISUSED)
    if isinstance(settings, Stored):
        configure_logging(settings.log_level)
    return settings


def _database(url: str | None = None) -> Database:
    """The database at this address, else this installation's; nothing is served with it, so no secret is asked for."""
    stored = _read(Stored) if url is None else Stored(database_url=url)
    database, path = Database(stored.database_url), stored.sqlite_path
    if (path is not None and not path.exists()) or migrations.current(database) != migrations.head():
        _fail("The database is not up to date; run `c2m migrate` first.", MISUSED)
    return database


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _fail(sentence: str, status: int = REFUSED) -> NoReturn:
    typer.echo(sentence, err=True)
    sys.exit(status)
