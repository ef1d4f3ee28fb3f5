"""The broker: Celery carries work to other processes and machines; what is true stays in our rows."""

from collections.abc import Callable
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING
from uuid import UUID

from c2m.clock import Clock
from c2m.errors import Invalid
from c2m.jobs import LEASE, NotSent, Send, Worker

if TYPE_CHECKING:
    from celery import Celery

PERFORM = "c2m.perform"
CONNECT_SECONDS = 2.0  # after which the broker counts as away
ANSWER_SECONDS = 10.0


class Queue(StrEnum):
    """What a worker takes on: the jobs of the outbox, components of matching problems, or pictures to be made.

    The first two come by way of the broker; jobs that make pictures are taken from their rows.
    """

    JOBS = "jobs"
    MATCHING = "matching"
    DESIGN = "design"


class NoCelery(Invalid):
    """A broker is named, and the means to reach it aren't installed."""

    sentence = "A broker needs Celery: pip install 'c2m[broker]'."


def celery_at(url: str) -> "Celery":
    """Celery on this broker: messages are JSON, their answers take ways of their own, a worker holds no spare ones.

    Raises:
        NoCelery
    """
    if find_spec("celery") is None or find_spec("redis") is None:
        raise NoCelery()
    from celery import Celery

    app = Celery("c2m", broker=url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        broker_transport_options={"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS},
        task_acks_late=True,
        task_ignore_result=True,
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0},
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_redirect_stdouts=False,
    )
    return app


def sender(app: "Celery") -> Send:
    """Sends the tokens of leased sets to the workers of the jobs' queue."""
    from kombu.exceptions import OperationalError

    def send(token: UUID) -> None:
        try:
            app.send_task(PERFORM, [str(token)], queue=Queue.JOBS, expires=LEASE.total_seconds())
        except OperationalError as away:
            raise NotSent(str(away)) from away

    return send


def perform_jobs(app: "Celery", worker_of_process: Callable[[], Worker], clock: Clock) -> None:
    """Have Celery's workers perform the sets whose tokens they are sent."""

    @app.task(name=PERFORM)  # type: ignore[untyped-decorator]
    def perform(token: str) -> None:
        worker_of_process().perform(UUID(token), clock.now())
