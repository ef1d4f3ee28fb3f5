"""A lean load generator: HTTP/1.1 over kept connections to this machine only, bounded in count and time."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
MOST_CLIENTS = 512
MOST_SECONDS = 120.0
PATIENCE_SECONDS = 30.0


@dataclass
class Tally:
    """What came back: statuses, and how long each request took, in milliseconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    took_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    ended: float = 0.0

    def per_second(self, status: int) -> float:
        return self.statuses[status] / self.seconds if self.seconds else 0.0


class Connection(asyncio.Protocol):
    """One connection that sends a request and waits for its whole answer before the next."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self.answer is not None and not self.answer.done():
            self.answer.set_result((0, b""))

    def data_received(self, data: bytes) -> None:
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0 or self.answer is None:
            return
        head = bytes(self.received[:end]).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.received) < end + 4 + length:
            return
        whole, self.received = bytes(self.received), bytearray()
        if b"connection: close" in head and self.transport is not None:
            self.transport.close()
        if not self.answer.done():
            self.answer.set_result((int(whole[9:12]), whole))

    async def ask(self, port: int, request: bytes) -> tuple[int, bytes]:
        """Send a request; status and answer, status 0 when the connection broke or the answer never came."""
        loop = asyncio.get_running_loop()
        if self.transport is None or self.transport.is_closing():
            self.received.clear()
            try:
                await loop.create_connection(lambda: self, LOOPBACK, port)
            except OSError:
                return 0, b""
        assert self.transport is not None
        self.answer = loop.create_future()
        self.transport.write(request)
        try:
            return await asyncio.wait_for(self.answer, PATIENCE_SECONDS)
        except TimeoutError:
            self.transport.close()
            return 0, b""


def ask_once(port: int, request: bytes) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    return asyncio.run(_once(port, request))


async def _once(port: int, request: bytes) -> tuple[int, bytes]:
    connection = Connection()
    answer = await connection.ask(port, request)
    if connection.transport is not None:
        connection.transport.close()
    return answer


async def closed_loop(port: int, *, clients: int, seconds: float, requests: Callable[[int], Iterator[bytes]]) -> Tally:
    """So many clients, each sending its next request once the last one is answered."""
    _check(clients, seconds)
    tally, began = Tally(), time.perf_counter()

    async def client(number: int) -> None:
        connection, mine = Connection(), requests(number)
        while time.perf_counter() - began < seconds:
            await _timed(connection, port, next(mine), tally, time.perf_counter())
        if connection.transport is not None:
            connection.transport.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    tally.seconds = time.perf_counter() - began
    return tally


async def open_loop(port: int, *, rate: float, seconds: float, requests: Iterator[bytes], clients: int = 256) -> Tally:
    """Requests begin at their appointed time, whether or not earlier ones are answered; waiting counts as latency."""
    _check(clients, seconds)
    tally, began = Tally(), time.perf_counter()
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(clients):
        free.put_nowait(Connection())

    async def arrive(due: float, request: bytes) -> None:
        connection = await free.get()
        await _timed(connection, port, request, tally, due)
        free.put_nowait(connection)

    async with asyncio.TaskGroup() as arrivals:
        for number in range(round(rate * seconds)):
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            arrivals.create_task(arrive(due, next(requests)))
    tally.seconds = tally.ended - began
    while not free.empty():
        if (transport := free.get_nowait().transport) is not None:
            transport.close()
    return tally


async def _timed(connection: Connection, port: int, request: bytes, tally: Tally, since: float) -> None:
    status, _ = await connection.ask(port, request)
    now = time.perf_counter()
    tally.statuses[status] += 1
    tally.took_ms.append((now - since) * 1000)
    tally.ended = now


def _check(clients: int, seconds: float) -> None:
    if not 0 < clients <= MOST_CLIENTS or not 0 < seconds <= MOST_SECONDS:
        raise ValueError(f"{clients} clients for {seconds} s are more than this program may send")
