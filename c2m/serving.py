"""The site under gunicorn, started from our own command."""

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from c2m.app import create_app
from c2m.config import Settings

THREADS = 64  # most of them wait in line for the writer of joins


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
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand our options to gunicorn."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made once in each worker process."""
        return create_app(self.settings)
