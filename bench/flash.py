"""A flash sale over HTTP: 10,000 units sold in 25 seconds to buyers who arrive on their own schedule, on two cores.

`python bench/flash.py [--quick] [--json] [--sqlite]`. PostgreSQL and the site (gunicorn, two workers; one with
--sqlite) are started here, the load generator runs on the same machine, and every buyer is somebody else. Arrivals are
open-loop, spread over 24 seconds: each has its appointed time, and waiting for a free connection counts as latency.
Beside them somebody opens the campaign's page again and again. Afterwards payments and jobs are worked off and
`c2m audit` must find nothing.
Goals: every join acknowledged, ≥ 400 joins a second, no error, a clean audit.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from crowd import load, market, postgres
from crowd.serving import Site, site

from c2m.db import Database, table_of
from c2m.demand.models import Campaign, Pledge

UNITS, SECONDS = 10_000, 24.0
QUICK_UNITS, QUICK_SECONDS = 1_200, 4.0
PAGES_A_SECOND = 4.0
CAMPAIGN = 1


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help=f"{QUICK_UNITS:,} units in {QUICK_SECONDS:.0f} s")
    options.add_argument("--json", action="store_true", help="end with one JSON line")
    options.add_argument("--sqlite", action="store_true", help="on SQLite with one worker process")
    chosen = options.parse_args()
    units, seconds = (QUICK_UNITS, QUICK_SECONDS) if chosen.quick else (UNITS, SECONDS)
    with ExitStack() as held:
        if chosen.sqlite:
            url = f"sqlite:///{held.enter_context(tempfile.TemporaryDirectory(prefix='c2m-bench-'))}/flash.sqlite3"
        else:
            url = held.enter_context(postgres.server()).database("flash")
        database = Database(url)
        held.callback(database.dispose)
        market.fill(database, market.Size(campaigns=1, buyers=units, cap=units), now=datetime.now(UTC))
        with site(url, workers=1 if chosen.sqlite else 2) as running:
            joins, pages = asyncio.run(sale(running, units, seconds))
        figures = figures_of(joins, pages, units) | stored(database) | {"audit": audited(url)}
    report(figures)
    if chosen.json:
        print(json.dumps({"bench": "flash", "units": units, "offered_per_second": units / seconds} | figures))
    if figures["failed"] or figures["pledges"] != units or figures["pieces"] != units or figures["audit"] != "clean":
        raise SystemExit(1)


async def sale(running: Site, units: int, seconds: float) -> tuple[load.Tally, load.Tally]:
    """Each buyer joins once, at the appointed time, while somebody looks at the page."""

    def joins() -> Iterator[bytes]:
        for buyer in range(1, units + 1):
            yield running.join(buyer, CAMPAIGN)

    def looks() -> Iterator[bytes]:
        while True:
            yield running.page(1, CAMPAIGN)

    await load.open_loop(running.port, rate=4, seconds=1, requests=looks())  # templates are compiled once
    return await asyncio.gather(
        load.open_loop(running.port, rate=units / seconds, seconds=seconds, requests=joins()),
        load.open_loop(running.port, rate=PAGES_A_SECOND, seconds=seconds, requests=looks()),
    )


def figures_of(joins: load.Tally, pages: load.Tally, units: int) -> dict[str, Any]:
    """Rates and percentiles of both kinds of request."""
    p50, p95, p99 = (round(p) for p in postgres.percentiles(joins.took_ms))
    return {
        "acknowledged": joins.statuses[303],
        "failed": units - joins.statuses[303] + sum(pages.statuses.values()) - pages.statuses[200],
        "sold_out_after_s": round(joins.seconds, 2),
        "joins_per_second": round(joins.per_second(303)),
        "join_p50_ms": p50,
        "join_p95_ms": p95,
        "join_p99_ms": p99,
        "page_p50_ms": round(postgres.percentiles(pages.took_ms)[0]),
        "page_p99_ms": round(postgres.percentiles(pages.took_ms)[2]),
        "load": os.getloadavg()[0],
    }


def stored(database: Database) -> dict[str, int]:
    """What the database holds: pledges, and the campaign's own total."""
    ours, pledge, campaign = market.campaign_id(CAMPAIGN), table_of(Pledge).c, table_of(Campaign).c
    with database.reading() as session:
        pledges = session.execute(sa.select(sa.func.count()).where(pledge.campaign_id == ours)).scalar_one()
        pieces = session.execute(sa.select(campaign.pledged_quantity).where(campaign.id == ours)).scalar_one()
    return {"pledges": pledges, "pieces": pieces}


def audited(url: str) -> str:
    """Work off the payments, then let `c2m audit` recompute what must hold: "clean", or what it said."""
    settings = os.environ | {"C2M_DATABASE_URL": url, "C2M_DEMO": "1", "C2M_LOG_LEVEL": "WARNING"}
    command = [sys.executable, "-m", "c2m"]
    began = time.perf_counter()
    subprocess.run([*command, "worker", "--once"], env=settings, check=True, stdout=subprocess.DEVNULL)
    print(f"payments and jobs worked off in {time.perf_counter() - began:.1f} s")
    ran = subprocess.run([*command, "audit"], env=settings, capture_output=True, text=True)
    return "clean" if ran.returncode == 0 else ran.stdout + ran.stderr


def report(figures: dict[str, Any]) -> None:
    print(
        f"{figures['acknowledged']:,} joins acknowledged in {figures['sold_out_after_s']} s, "
        f"{figures['joins_per_second']} a second, "
        f"{figures['failed']} requests failed\n"
        f"  join  p50 {figures['join_p50_ms']} ms   p95 {figures['join_p95_ms']} ms   p99 {figures['join_p99_ms']} ms\n"
        f"  page  p50 {figures['page_p50_ms']} ms   p99 {figures['page_p99_ms']} ms, while it went on\n"
        f"  {figures['pledges']:,} pledges, {figures['pieces']:,} pieces; audit: {figures['audit']}"
    )


if __name__ == "__main__":
    main()
