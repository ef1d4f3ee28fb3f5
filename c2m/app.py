"""Where everything is joined: the site from its rooms, the worker from the stages' jobs."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import structlog
from flask import Flask
from flask_babel import get_locale

from c2m import migrations
from c2m.audit import jobs as audit_jobs
from c2m.broker import Queue, celery_at, sender
from c2m.clock import Clock, SystemClock
from c2m.config import Imagination, Settings, environment
from c2m.db import Database
from c2m.demand import jobs as demand_jobs
from c2m.demand import views as demand_views
from c2m.demand.batcher import JOINS, JoinBatcher
from c2m.demand.searched import SEARCHES, SearchLog
from c2m.demand.views.short_way import ShortWay
from c2m.design import jobs as design_jobs
from c2m.design import views as design_views
from c2m.design.alike import Describer
from c2m.design.exposures import EXPOSURES, ExposureLog
from c2m.design.generations import MAKE
from c2m.design.making import Maker, chosen_generator
from c2m.identity import jobs as identity_jobs
from c2m.identity.passwords import Passwords
from c2m.jobs import Handler, Schedule, Worker
from c2m.ledger import jobs as ledger_jobs
from c2m.ledger.provider import PaymentProvider, SandboxProvider
from c2m.matching import jobs as matching_jobs
from c2m.matching import views as matching_views
from c2m.matching.optimiser import Hire, crew_of
from c2m.pages import views as pages_views
from c2m.pages.messages import unread_messages
from c2m.pages.navigation import navigation
from c2m.production import jobs as production_jobs
from c2m.production import views as production_views
from c2m.waking import IDLE_SECONDS, Attendant, start_in_background
from c2m.web import accounts
from c2m.web import views as web_views
from c2m.web.access import require_declarations
from c2m.web.assets import init_assets
from c2m.web.context import Edge, request_time
from c2m.web.drawing import init_drawing
from c2m.web.errors import init_errors
from c2m.web.flask_app import EdgeApp
from c2m.web.formats import init_formats
from c2m.web.i18n import init_i18n
from c2m.web.security import init_security
from c2m.web.states import init_states
from c2m.web.viewer import viewer


class StageJobs(Protocol):
    """What a stage's jobs.py offers: job kind → handler, topic → job kinds, and what falls due in every period."""

    @property
    def SUBSCRIPTIONS(self) -> Mapping[str, Sequence[str]]: ...  # noqa: N802 - a module's constant

    @property
    def SCHEDULES(self) -> Sequence[Schedule]: ...  # noqa: N802 - a module's constant

    def handlers(self) -> Mapping[str, Handler]: ...


BLUEPRINTS = (
    web_views.blueprint,
    accounts.blueprint,
    demand_views.blueprint,
    matching_views.blueprint,
    production_views.blueprint,
    pages_views.blueprint,
    design_views.blueprint,
)
STAGES: tuple[StageJobs, ...] = (
    identity_jobs,
    design_jobs,
    demand_jobs,
    matching_jobs,
    production_jobs,
    audit_jobs,
)
APART = (MAKE,)  # kinds of jobs that take long and much memory, hence a process of their own
SECRETS = ("password", "token", "secret", "cookie", "authorization", "csrf")


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    provider: PaymentProvider | None = None,
    database: Database | None = None,
) -> Flask:
    """The site, ready to serve; with `job_threads` it works off its own jobs in the background."""
    clock, provider = clock or SystemClock(), provider or SandboxProvider()
    edge = Edge(
        settings=settings,
        clock=clock,
        database=database or Database(settings.database_url),
        passwords=Passwords(settings.password_passes, settings.password_memory_kib),
        revision=migrations.head(),
    )
    app = EdgeApp(edge, template_folder=str(_templates()))
    app.wsgi_app = ShortWay(app)  # type: ignore[method-assign]  # nearest to the app: proxies' headers are read before
    init_security(app, settings)
    init_i18n(app)
    init_formats(app)
    init_states(app)
    init_drawing(app)
    init_assets(app)
    init_errors(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.extensions[JOINS] = JoinBatcher(edge.database, clock)
    app.extensions[SEARCHES] = SearchLog(edge.database)
    app.extensions[EXPOSURES] = ExposureLog(edge.database)
    app.context_processor(lambda: _context(settings))
    require_declarations(app)
    if settings.job_threads:
        worker = build_worker(edge.database, provider, imagination=settings).leaving(APART)
        work_off = working_off(worker, settings.broker_url)
        start_in_background(work_off, clock, threads=settings.job_threads)
        if not settings.design_worker:
            start_in_background(design_attendant(edge.database, settings).attend, clock, threads=1)
    return app


def build_worker(
    database: Database, provider: PaymentProvider, *, hire: Hire = crew_of, imagination: Imagination | None = None
) -> Worker:
    """The worker that knows every stage's jobs, deadlines and whom an announcement concerns.

    Without `imagination` the environment says what makes pictures.
    """
    handlers: dict[str, Handler] = ledger_jobs.handlers(provider)
    subscriptions: dict[str, list[str]] = {}
    schedules: list[Schedule] = []
    for stage in STAGES:
        handlers |= stage.handlers()
        schedules += stage.SCHEDULES
        for topic, kinds in stage.SUBSCRIPTIONS.items():
            subscriptions.setdefault(topic, []).extend(kinds)
    handlers |= matching_jobs.handlers(hire)
    imagination = imagination or Imagination()
    handlers |= Maker(database, partial(chosen_generator, imagination)).handlers()
    handlers |= Describer(imagination).handlers()
    return Worker(database, handlers, subscriptions, schedules)


def design_attendant(database: Database, imagination: Imagination) -> Attendant:
    """What has pictures made by a process of its own while any are asked for, so that no other pays for a model."""
    arguments = ("worker", "--queue", Queue.DESIGN.value, "--idle", str(IDLE_SECONDS))
    variables = environment(imagination, Imagination) | {"C2M_DATABASE_URL": database.url}
    return Attendant(database, APART, arguments, variables)


def working_off(worker: Worker, broker_url: str) -> Callable[[datetime], int]:
    """What works off everything due by an instant: this process, or the broker's workers to whom it is handed out."""
    return partial(worker.hand_out, sender(celery_at(broker_url))) if broker_url else worker.run_until_idle


def configure_logging(level: str = "INFO") -> None:
    """Log events as JSON lines on stderr, with secrets struck out; what libraries warn of joins them."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            strike_out_secrets,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # a line is one write: processes share the stream
    )
    logging.basicConfig(handlers=[FromLibraries()], level=logging.WARNING, force=True)


class FromLibraries(logging.Handler):
    """Makes events of what libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        fault = {"exc_info": record.exc_info} if record.exc_info else {}
        structlog.get_logger().log(record.levelno, record.getMessage(), logger=record.name, **fault)


def strike_out_secrets(_logger: object, _method: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Replace the values of fields that are named like secrets."""
    return {name: "***" if any(word in name.lower() for word in SECRETS) else value for name, value in event.items()}


def _context(settings: Settings) -> dict[str, Any]:
    locale = get_locale()
    return {
        "viewer": viewer(),
        "now": request_time(),
        "locale": locale.language if locale else "zh",
        "theme": web_views.theme(),
        "nav": navigation(viewer()),
        "unread_messages": lambda: unread_messages(viewer()),
        "sandbox": settings.payments == "sandbox",
        "settings": settings,
    }


def _templates() -> Path:
    packed, checkout = Path(__file__).parent / "templates", Path(__file__).parents[1] / "templates"
    return packed if packed.is_dir() else checkout
