"""The site as gunicorn serves it, except that the process is killed right after a join was committed, once."""

import os
import signal
import threading
from pathlib import Path

from flask import Flask
from sqlalchemy import event
from sqlmodel import Session

from c2m.app import create_app
from c2m.config import Settings

MARK = Path(os.environ["C2M_TEST_DIES"])


def site() -> Flask:
    """The application; as long as the mark lies there, the writer of joins dies between commit and answer."""

    @event.listens_for(Session, "after_commit")
    def die(_session: Session) -> None:
        if threading.current_thread().name == "joins" and MARK.exists():
            MARK.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    return create_app(Settings())
