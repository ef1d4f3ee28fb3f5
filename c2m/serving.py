"""The site under gunicorn, started from our own command."""

from datetime import timedelta
from threading import Thread
from typing import Any

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from c2m.app import create_app
from c2m.config import Settings
from c2m.demand.need_groups import get_ready
from c2m.web.context import EXTENSION, Edge

THREADS = 256  # most of them wait in line for the writer of joins, and somebody wants to read a page meanwhile


class JsonLog(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn's log as lines like all others: its own events by way of the root logger, each request as one event."""

    def setup(self, cfg: Any) -> None:
        """Keep no handlers of its own."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """One answered request; addresses are told without their queries, which may hold what was searched for."""
        if self.access_log_enabled:
            structlog.get_logger().info(
                "request",
                method=environ["REQUEST_METHOD"],
                path=environ["PATH_INFO"],
                status=resp.status_code,
                bytes=resp.sent,
                ms=request_time // timedelta(milliseconds=1),
                client=environ.get("REMOTE_ADDR"),
            )


class Site(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn with threads; the site is made in the worker, after the fork."""

    def __init__(self, settings: Settings, host: str, port: int, *, workers: int) -> None:
        self.settings = settings
        self.options: dict[str, Any] = {
            "bind": f"{host}:{port}",
            "workers": workers,
            "threads": THREADS,
            "worker_class": "gthread",
            "accesslog": "-" if settings.access_log else None,
            "control_socket_disable": True,
            "limit_request_line": 8190,  # a choice of sixty variants fits into the address of its checkout
            "logger_class": JsonLog,
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand our options to gunicorn."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made once in each worker process; what new wants are compared with is read beside it."""
        app = create_app(self.settings)
        Thread(target=_get_ready, args=(app,), name="wants", daemon=True).start()
        return app


def _get_ready(app: Flask) -> None:
    site: Edge = app.extensions[EXTENSION]
    read = get_ready(site.database, now=site.clock.now())
    if read:
        structlog.get_logger().info("wants read", wants=read)
