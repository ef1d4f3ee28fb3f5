"""Components worked on elsewhere: Celery takes them there, lists in Redis bring back what is found.

Both sides show signs of life, and neither waits for one that shows none: a component whose worker fell silent is solved
here from where it was sent, which gives the same plan; a worker leaves off what nobody wants any more. Components
travel as pickles, so each is signed with the installation's secret and opened by nobody who lacks it.
"""

import math
import pickle
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from itsdangerous import BadSignature, URLSafeSerializer

from c2m.broker import ANSWER_SECONDS, CONNECT_SECONDS, Queue, celery_at
from c2m.matching.optimiser.component import Component
from c2m.matching.optimiser.crew import OVERRUN, Alone, Better, Crew, Found, Share
from c2m.matching.optimiser.stop import Stop

if TYPE_CHECKING:
    from celery import Celery

log = structlog.get_logger(__name__)

ADVANCE = "c2m.advance"
POLL = 0.1  # seconds between two looks at whether to stop
BEAT = 1.0  # seconds between two signs of life
SILENCE = 8.0  # seconds without one after which nobody is expected to be at work, or to want it
ROLL_CALL = 1.0  # seconds in which workers answer who they are
KEPT = 60  # seconds that answers nobody reads are kept


@dataclass(frozen=True, slots=True)
class Parcel:
    """A component on its way to whoever works on it, and where to tell what is found."""

    id: str
    answers: str
    part: Component
    effort: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Alive:
    """Somebody is at work on it."""


@dataclass(frozen=True, slots=True)
class Done:
    """The component advanced by its share, and what that took."""

    part: Component
    iterations: int
    time_limited: bool


class Post:
    """The ways between solver and workers.

    Args:
        url: the Redis that is the broker too.
        secret: signs what travels; both sides have the same.
    """

    def __init__(self, url: str, secret: str) -> None:
        from redis import Redis

        self._redis: Redis = Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS, health_check_interval=30
        )
        self._seal = URLSafeSerializer(secret, salt=ADVANCE, serializer=pickle)

    def reach(self) -> None:
        """Make sure that there is somebody to carry it.

        Raises:
            redis.RedisError
        """
        self._redis.ping()

    def sealed(self, content: Any) -> str:
        """The content signed and packed into text."""
        sealed = self._seal.dumps(content)
        return sealed if isinstance(sealed, str) else sealed.decode("ascii")

    def opened(self, sealed: str | bytes) -> Any:
        """What is in a sealed text.

        Raises:
            itsdangerous.BadSignature: somebody without the secret sealed it.
        """
        return self._seal.loads(sealed)

    def want(self, ids: Sequence[str]) -> None:
        """Say that these parcels are still to be worked on."""
        with self._redis.pipeline(transaction=False) as several:
            for each in ids:
                several.set(_wanted(each), 1, px=int(SILENCE * 1000))
            several.execute()

    def forget(self, ids: Sequence[str]) -> None:
        """Say that nobody wants these parcels any more."""
        if ids:
            self._redis.delete(*map(_wanted, ids))

    def is_wanted(self, parcel_id: str) -> bool:
        """Whether a parcel is still to be worked on."""
        return bool(self._redis.exists(_wanted(parcel_id)))

    def tell(self, parcel: Parcel, news: Alive | Better | Done) -> None:
        """Answer to who sent the parcel."""
        with self._redis.pipeline(transaction=False) as several:
            several.rpush(parcel.answers, self.sealed((parcel.id, news)))
            several.expire(parcel.answers, KEPT)
            several.execute()

    def answers(self, name: str) -> Iterator[tuple[str, Alive | Better | Done]]:
        """What was answered, each with the parcel's id, waiting a little for the first."""
        first = self._redis.blpop([name], timeout=POLL)
        if isinstance(first, (list, tuple)):
            yield self.opened(first[1])
            while isinstance(more := self._redis.lpop(name), bytes):
                yield self.opened(more)


def _wanted(parcel_id: str) -> str:
    return f"c2m:wanted:{parcel_id}"


def advance_components(app: "Celery", post: Post) -> None:
    """Have Celery's workers advance the components they are sent."""

    @app.task(name=ADVANCE)  # type: ignore[untyped-decorator]
    def advance(parcel_id: str, sealed: str) -> None:
        if not post.is_wanted(parcel_id):
            return
        parcel: Parcel = post.opened(sealed)
        stop, began = Stop(effort=parcel.effort, seconds=parcel.seconds), time.thread_time()
        with _signs_of_life(post, parcel, stop):
            part = parcel.part
            part.advance(stop, lambda: post.tell(parcel, Better(part.orders, part.cost, part.bound)))
            part.cpu_elsewhere += time.thread_time() - began
            post.tell(parcel, Done(part, stop.iterations, stop.time_limited))


@contextmanager
def _signs_of_life(post: Post, parcel: Parcel, stop: Stop) -> Iterator[None]:
    """Tell the solver now and then that somebody is at work, and halt when it doesn't want that any more."""
    over = threading.Event()

    def beat() -> None:
        try:
            while not over.wait(BEAT) and post.is_wanted(parcel.id):
                post.tell(parcel, Alive())
        finally:
            stop.halt()

    post.tell(parcel, Alive())
    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


@dataclass(slots=True)
class _Sent:
    share: Share
    packed: str
    heard: float  # when there was the last sign of life, or when it was sent
    late: float | None = None  # when its time is over, once somebody began


@dataclass(slots=True)
class RemoteCrew:
    """So many processes elsewhere; what they leave undone is done here."""

    app: "Celery"
    post: Post
    size: int
    _name: str = field(default_factory=lambda: f"c2m:found:{uuid4()}")
    _sent: dict[str, _Sent] = field(default_factory=dict)
    _told: float = -math.inf  # when it was last told what is wanted

    def work(self, parts: list[Component], shares: Sequence[Share], stop: Stop, found: Found) -> None:
        waiting = sorted(shares, key=lambda share: share.seconds, reverse=True)
        lost: list[_Sent] = []
        try:
            while (waiting and self.size) or self._sent:
                late = stop.late()
                while waiting and len(self._sent) < self.size and not late:
                    self._give(waiting.pop(0), parts, stop)
                if late and (not self._sent or stop.halted):
                    break
                self._hear(parts, stop, found)
                lost += self._silent(stop)
        except _away() as away:
            log.warning("broker away, components are solved here", reason=str(away))
            lost += self._sent.values()
            self._sent.clear()
            self.size = 0
        self.dismiss()
        for sent in lost:
            self._do_here(sent, parts, stop, found)
        Alone().work(parts, waiting, stop, found)

    def _give(self, share: Share, parts: list[Component], stop: Stop) -> None:
        seconds = min(share.seconds, stop.seconds_left)
        parcel = Parcel(str(uuid4()), self._name, parts[share.at], share.effort, seconds)
        packed = self.post.sealed(parcel)
        self._sent[parcel.id] = _Sent(replace(share, seconds=seconds), packed, time.monotonic())
        self.post.want([parcel.id])
        self.app.send_task(ADVANCE, [parcel.id, packed], queue=Queue.MATCHING)

    def _hear(self, parts: list[Component], stop: Stop, found: Found) -> None:
        now = time.monotonic()
        if now - self._told > BEAT:
            self.post.want(list(self._sent))
            self._told = now
        for parcel_id, news in self.post.answers(self._name):
            sent = self._sent.get(parcel_id)
            if sent is None:  # of one that was given up
                continue
            sent.heard = now = time.monotonic()
            sent.late = sent.late or now + sent.share.seconds + OVERRUN
            if isinstance(news, Better):
                news.tell(parts[sent.share.at])
            elif isinstance(news, Done):
                parts[sent.share.at] = news.part
                stop.spend(news.iterations, news.time_limited)
                del self._sent[parcel_id]
            if not isinstance(news, Alive):
                found(sent.share.at, parts[sent.share.at])

    def _silent(self, stop: Stop) -> list[_Sent]:
        """Give up what is late, for what was found of it stands, and what nobody works on: these are handed back."""
        now = time.monotonic()
        late = [each for each, sent in self._sent.items() if sent.late is not None and now > sent.late]
        silent = [each for each, sent in self._sent.items() if each not in late and now - sent.heard > SILENCE]
        stop.time_limited |= bool(late)
        self.post.forget([*late, *silent])
        lost = [self._sent[each] for each in silent]
        for each in [*late, *silent]:
            del self._sent[each]
        if lost:
            log.warning("workers fell silent, components are solved here", components=len(lost))
            self.size = max(0, self.size - len(lost))
        return lost

    def _do_here(self, lost: _Sent, parts: list[Component], stop: Stop, found: Found) -> None:
        """Solve a component from where it was sent, not from what was heard since, or the plan would be another."""
        if stop.late():
            return
        at, share = lost.share.at, stop.part(lost.share.effort, lost.share.seconds)
        part: Component = self.post.opened(lost.packed).part
        part.advance(share, partial(found, at, parts[at]))
        stop.settle(share)
        if share.time_limited:
            part.adopt(parts[at])
        parts[at] = part
        found(at, part)

    def dismiss(self) -> None:
        """Want nothing any more."""
        try:
            self.post.forget(list(self._sent))
        except _away() as away:  # and nobody hears that it is wanted, either
            log.warning("broker away", reason=str(away))
        self._sent.clear()


@contextmanager
def remote_crew(url: str, secret: str) -> Iterator[Crew]:
    """All processes that take components from this broker; this process alone while there are none."""
    app = celery_at(url)
    post = Post(url, secret)
    size = _processes(app, post)
    if size == 0:
        log.warning("no worker takes components, they are solved here")
        yield Alone()
        return
    crew = RemoteCrew(app, post, size)
    try:
        yield crew
    finally:
        crew.dismiss()


def _processes(app: "Celery", post: Post) -> int:
    """How many processes take components now; none while the broker is away."""
    try:
        post.reach()  # which Celery would try for longer
        queues = app.control.inspect(timeout=ROLL_CALL).active_queues() or {}
        hosts = [host for host, taken in queues.items() if any(q["name"] == Queue.MATCHING for q in taken)]
        stats = (app.control.inspect(destination=hosts, timeout=ROLL_CALL).stats() or {}) if hosts else {}
    except _away() as away:
        log.warning("broker away", reason=str(away))
        return 0
    return sum(of_it["pool"]["max-concurrency"] for of_it in stats.values())


def _away() -> tuple[type[Exception], ...]:
    """What is raised while the broker can't be reached, or carries what none of us sealed."""
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    return OperationalError, RedisError, BadSignature
