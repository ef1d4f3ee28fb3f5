"""Who works on the components: this process alone, or worker processes that stream what they find.

Work on a component is a function of the component, its effort and its time, so that it doesn't matter who does it: a
crew takes components with their shares and hands them back advanced. `c2m.matching.remote` sends them to others.
"""

import math
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Protocol

from c2m.matching.optimiser.component import Component
from c2m.matching.optimiser.market import Order
from c2m.matching.optimiser.stop import Stop

OVERRUN = 1.0  # seconds a worker may exceed its time by before it is stopped hard
POLL = 0.1  # seconds between two looks at whether to stop


@dataclass(frozen=True, slots=True)
class Share:
    """A component's share of the work: the component (by number), its effort, its seconds."""

    at: int
    effort: float
    seconds: float


Found = Callable[[int, Component], None]


class Crew(Protocol):
    """Advances components within their shares."""

    @property
    def size(self) -> int:
        """How many components are worked on at once."""

    def work(self, parts: list[Component], shares: Sequence[Share], stop: Stop, found: Found) -> None:
        """Put each share's advanced component in its place, and tell `found` whenever one got better."""


Hire = Callable[[], AbstractContextManager[Crew]]


@dataclass(frozen=True, slots=True)
class Alone:
    """This process, one component after the other."""

    size: int = 1

    def work(self, parts: list[Component], shares: Sequence[Share], stop: Stop, found: Found) -> None:
        for share in shares:
            if stop.late():
                return
            of_it, part = stop.part(share.effort, share.seconds), parts[share.at]
            part.advance(of_it, partial(found, share.at, part))
            stop.settle(of_it)


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    at: int | None = None
    late: float = math.inf


@dataclass(slots=True)
class Workers:
    """So many worker processes; one that overruns its time is ended and replaced, and what it had streamed stands."""

    size: int
    _workers: list[_Worker] = field(default_factory=list)

    def work(self, parts: list[Component], shares: Sequence[Share], stop: Stop, found: Found) -> None:
        waiting = sorted(shares, key=lambda share: share.seconds, reverse=True)
        while len(self._workers) < min(self.size, len(shares)):
            self._workers.append(_hired())
        while waiting or any(worker.at is not None for worker in self._workers):
            late = stop.late()
            for worker in self._workers:
                if worker.at is None and waiting and not late:
                    self._give(worker, waiting.pop(0), parts, stop)
            busy = [worker for worker in self._workers if worker.at is not None]
            if late and (not busy or stop.halted):
                break
            for pipe in wait([worker.pipe for worker in busy], timeout=POLL):
                self._hear(next(worker for worker in busy if worker.pipe is pipe), parts, stop, found)
            self._replace_late(stop)
        for worker in [worker for worker in self._workers if worker.at is not None]:
            self._dismiss(worker)

    def _give(self, worker: _Worker, share: Share, parts: list[Component], stop: Stop) -> None:
        seconds = min(share.seconds, stop.seconds_left)
        worker.pipe.send((parts[share.at], share.effort, seconds))
        worker.at, worker.late = share.at, time.monotonic() + seconds + OVERRUN

    def _hear(self, worker: _Worker, parts: list[Component], stop: Stop, found: Found) -> None:
        at = worker.at
        if at is None:
            return
        try:
            message = worker.pipe.recv()
        except EOFError:  # it died, of memory for instance: what it had streamed stands
            self._dismiss(worker)
            stop.time_limited = True
            return
        if isinstance(message, Better):
            message.tell(parts[at])
        else:
            parts[at], iterations, timed_out = message
            stop.spend(iterations, timed_out)
            worker.at, worker.late = None, math.inf
        found(at, parts[at])

    def _replace_late(self, stop: Stop) -> None:
        for worker in [worker for worker in self._workers if worker.late < time.monotonic()]:
            self._dismiss(worker)
            stop.time_limited = True

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()

    def close(self) -> None:
        """Send everybody home."""
        for worker in list(self._workers):
            self._dismiss(worker)


@contextmanager
def crew_of(size: int = 1) -> Iterator[Crew]:
    """This process alone for a size up to 1, else so many worker processes, ended when done."""
    if size <= 1:
        yield Alone()
        return
    workers = Workers(size)
    try:
        yield workers
    finally:
        workers.close()


@dataclass(frozen=True, slots=True)
class Better:
    """What a worker streams of its component: better orders, or a better bound."""

    orders: list[Order]
    cost: float
    bound: float

    def tell(self, part: Component) -> None:
        part.orders, part.cost = self.orders, self.cost
        part.bound = max(part.bound, self.bound)


def _hired() -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _tell(pipe: Connection, part: Component) -> None:
    pipe.send(Better(part.orders, part.cost, part.bound))


def _serve(pipe: Connection) -> None:
    """Work on one component after the other, until the pipe is closed."""
    while True:
        try:
            part, effort, seconds = pipe.recv()
        except EOFError:
            return
        stop, began = Stop(effort=effort, seconds=seconds), time.thread_time()
        part.advance(stop, partial(_tell, pipe, part))
        part.cpu_elsewhere += time.thread_time() - began
        pipe.send((part, stop.iterations, stop.time_limited))
