"""What a view may ask for: its unit of work, its instant, and what the site was started with."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app, g
from sqlmodel import Session

from c2m.clock import Clock
from c2m.config import Settings
from c2m.db import Database
from c2m.identity.passwords import Passwords

EXTENSION = "c2m"


@dataclass(frozen=True)
class Edge:
    """What every request shares; `revision` is the schema this code was written for."""

    settings: Settings
    clock: Clock
    database: Database
    passwords: Passwords
    revision: str


def edge() -> Edge:
    """What the running site was started with."""
    return cast(Edge, current_app.extensions[EXTENSION])


def db_session() -> Session:
    """This request's unit of work, committed after the view returned."""
    return cast(Session, g.db_session)


def request_time() -> datetime:
    """The one instant this request happens at, aware UTC."""
    if "request_time" not in g:
        g.request_time = edge().clock.now()
    return cast(datetime, g.request_time)
