"""Joining under a flash crowd: our HTTP path beside one SQL statement a join, in alternating rounds on one machine.

`python bench/joins.py [--quick] [--json]`. pgbench runs the whole join as one autocommit statement (crowd/join.sql);
the same number of clients posts the checkout's form to the site under gunicorn with two workers, on one hot campaign
and on a hundred. `ratio` is HTTP joins a second over pgbench's. On SQLite the batcher stands beside a write transaction
for each request (BEGIN IMMEDIATE), both called from the same threads without HTTP. Goals: hot ratio ≥ 1.5 at 32 clients
and ≥ 3 at 128, hot p99 ≤ 3 × that of a hundred campaigns, SQLite ≥ 8.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from crowd import load, market, postgres
from crowd.serving import Site, site

from c2m.clock import SystemClock
from c2m.db import Database, table_of
from c2m.demand.batcher import JoinBatcher
from c2m.demand.joining import place_pledge
from c2m.demand.models import Campaign, Pledge
from c2m.demand.pledge_requests import PledgeRequest

SCRIPT = Path(__file__).parent / "crowd" / "join.sql"
SHAPES = {"hot": 1, "hundred": 100}
CLIENTS = (32, 128)
WORKERS = 2
BUYERS = 2_000
SQLITE_THREADS = 32


@dataclass
class Side:
    """What one side did in all of its rounds."""

    rates: list[float] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)

    def add(self, rate: float, took_ms: list[float]) -> None:
        self.rates.append(rate)
        self.took_ms += took_ms

    @property
    def rate(self) -> float:
        return sum(self.rates) / len(self.rates)

    def figures(self) -> dict[str, float]:
        p50, p95, p99 = (round(p, 1) for p in postgres.percentiles(self.took_ms))
        return {"per_second": round(self.rate), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="one short round of each")
    options.add_argument("--json", action="store_true", help="end with one JSON line")
    chosen = options.parse_args()
    rounds, seconds = (1, 3) if chosen.quick else (3, 5)
    figures: dict[str, Any] = {}
    with postgres.server() as server:
        for shape in SHAPES:
            for clients in CLIENTS:
                figures[f"{shape}_{clients}"] = found = against_pgbench(server, shape, clients, rounds, seconds)
                print_pair(f"{shape}, {clients} clients", "HTTP", found["http"], "pgbench", found["pgbench"])
    for clients in CLIENTS:
        slower = figures[f"hot_{clients}"]["http"]["p99_ms"] / figures[f"hundred_{clients}"]["http"]["p99_ms"]
        figures[f"hot_p99_over_hundred_{clients}"] = round(slower, 2)
        print(f"{clients} clients: hot p99 is {slower:.2f} × that of a hundred campaigns")
    figures["sqlite"] = found = on_sqlite(rounds, seconds)
    print_pair(
        f"SQLite, {SQLITE_THREADS} threads", "batcher", found["batcher"], "BEGIN IMMEDIATE", found["per_request"]
    )
    if chosen.json:
        print(
            json.dumps({"bench": "joins", "rounds": rounds, "seconds": seconds, "load": os.getloadavg()[0]} | figures)
        )


def against_pgbench(server: postgres.Server, shape: str, clients: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Alternate pgbench and the site on one database."""
    name = f"joins_{shape}_{clients}"
    url = server.database(name)
    database = Database(url)
    campaigns = SHAPES[shape]
    market.fill(database, market.Size(campaigns=campaigns, buyers=BUYERS), now=datetime.now(UTC))
    ours, theirs, acknowledged = Side(), Side(), 0
    with site(url, workers=WORKERS) as running:
        acknowledged += rush(running, campaigns, clients, 1.0).statuses[303]  # templates and plans are made once
        for _ in range(rounds):
            rate = postgres.pgbench(
                server,
                name,
                SCRIPT,
                clients=clients,
                seconds=seconds,
                variables={"buyers": BUYERS, "campaigns": campaigns},
            )
            theirs.add(rate.per_second, rate.took_ms)
            tally = rush(running, campaigns, clients, seconds)
            if set(tally.statuses) != {303}:
                raise SystemExit(f"not every join was acknowledged: {dict(tally.statuses)}")
            acknowledged += tally.statuses[303]
            ours.add(tally.per_second(303), tally.took_ms)
    check_stored(database, acknowledged)
    database.dispose()
    return {"ratio": round(ours.rate / theirs.rate, 2), "http": ours.figures(), "pgbench": theirs.figures()}


def rush(running: Site, campaigns: int, clients: int, seconds: float) -> load.Tally:
    """Clients that join again and again, each as another buyer."""

    def requests(client: int) -> Iterator[bytes]:
        draw = random.Random(client)
        while True:
            yield running.join(draw.randint(1, BUYERS), draw.randint(1, campaigns), key=f"http-{uuid4()}")

    return asyncio.run(load.closed_loop(running.port, clients=clients, seconds=seconds, requests=requests))


def check_stored(database: Database, acknowledged: int) -> None:
    """Every acknowledged join is a pledge, and the campaigns' totals are the sum of their pledges.

    Raises:
        SystemExit: they are not; the figures would be worth nothing.
    """
    pledge, campaign = table_of(Pledge).c, table_of(Campaign).c
    with database.reading() as session:
        ours = session.execute(sa.select(sa.func.count()).where(pledge.idempotency_key.like("http-%"))).scalar_one()
        pieces = session.execute(sa.select(sa.func.sum(pledge.quantity))).scalar_one()
        total = session.execute(sa.select(sa.func.sum(campaign.pledged_quantity))).scalar_one()
    if ours != acknowledged or pieces != total:
        raise SystemExit(f"{acknowledged} joins acknowledged, {ours} stored; totals say {total} of {pieces} pieces")


def on_sqlite(rounds: int, seconds: float) -> dict[str, Any]:
    """The batcher beside a write transaction for each request, in alternating rounds on one file."""
    batched, single = Side(), Side()
    with tempfile.TemporaryDirectory(prefix="c2m-bench-") as folder:
        database = Database(f"sqlite:///{folder}/joins.sqlite3")
        market.fill(database, market.Size(campaigns=1, buyers=BUYERS), now=datetime.now(UTC))
        batcher, clock = JoinBatcher(database, SystemClock()), SystemClock()

        def join_alone(request: PledgeRequest) -> None:
            with database.transaction() as session:
                place_pledge(session, request, now=clock.now())

        for _ in range(rounds):
            single.add(*threads_join(join_alone, seconds))
            batched.add(*threads_join(batcher.join, seconds))
        database.dispose()
    ratio = round(batched.rate / single.rate, 2)
    return {"ratio": ratio, "batcher": batched.figures(), "per_request": single.figures()}


def threads_join(join: Callable[[PledgeRequest], object], seconds: float) -> tuple[float, list[float]]:
    """Joins a second, and how long each took in milliseconds."""
    took_ms: list[float] = []
    began = time.perf_counter()

    def client(number: int) -> None:
        draw = random.Random(number)
        while (now := time.perf_counter()) - began < seconds:
            lines = ((market.variant_id(1), 1),)
            join(PledgeRequest(market.campaign_id(1), market.buyer_id(draw.randint(1, BUYERS)), lines, str(uuid4())))
            took_ms.append((time.perf_counter() - now) * 1000)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(SQLITE_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(took_ms) / (time.perf_counter() - began), took_ms


def print_pair(what: str, one: str, ours: dict[str, float], other: str, theirs: dict[str, float]) -> None:
    """Both sides and their ratio, in two lines."""
    print(f"{what}: {one} ÷ {other} = {ours['per_second'] / max(theirs['per_second'], 1):.2f}")
    for name, side in ((one, ours), (other, theirs)):
        print(
            f"  {name:>15}  {side['per_second']:>6} joins/s   p50 {side['p50_ms']:>7} ms   p95 {side['p95_ms']:>7} ms"
            f"   p99 {side['p99_ms']:>7} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
