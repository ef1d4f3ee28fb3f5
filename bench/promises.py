"""How fast a delivery date is promised, beside a whole solve of the same market, and how right such dates turn out.

`python bench/promises.py [--quick] [--postgres] [--json]`. 300 factories × 26 weeks (half of the weeks edited or
booked) and 500 running campaigns, all of one kind of product: the worst that one inquiry can meet. `first` builds the
prospect of that kind anew; `next` answers from one that is fresh, as all but the first of a quarter of a minute's
inquiries do; `solve` is the optimiser on the same lines with every campaign a sheet. `p95_ratio` is the solve's time
over the p95 of what a page's visitors meet: one first inquiry in every hundred. Then the demo market lives its days
and what its campaigns' pages said is held against what was planned and delivered (not with --quick). Goal: p95 of the
mix under 50 ms.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

import numpy as np
from crowd import postgres
from sqlmodel import col, select
from typer.testing import CliRunner

from c2m import migrations
from c2m.cli import cli
from c2m.db import Database, insert_rows, uuid7
from c2m.demand.models import Campaign, CampaignKind, CampaignState, PriceTier
from c2m.demand.policies import standard_policy
from c2m.identity.models import Organisation, Role
from c2m.matching.inquiries import Prospects, answer_for, prospect_of
from c2m.matching.market import HORIZON_WEEKS, Market, OpenSheet
from c2m.matching.models import Capability, CapacityWeek, Factory, FactoryLevel, PriceBreak
from c2m.matching.planning import plan_currency
from c2m.matching.promising import WEEKS
from c2m.matching.rules import WEEK, first_week
from c2m.production.promises import kept

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
FACTORIES, CAMPAIGNS = 300, 500
QUICK_FACTORIES, QUICK_CAMPAIGNS = 60, 100
FIRST, NEXT = 20, 980
KIND = ("tshirt", "CNY")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="a fifth of the market, no backtest")
    options.add_argument("--postgres", action="store_true", help="on PostgreSQL, started for the purpose")
    options.add_argument("--json", action="store_true", help="end with one JSON line")
    chosen = options.parse_args()
    factories, campaigns = (QUICK_FACTORIES, QUICK_CAMPAIGNS) if chosen.quick else (FACTORIES, CAMPAIGNS)
    with ExitStack() as held:
        if chosen.postgres:
            url = held.enter_context(postgres.server()).database("promises")
        else:
            url = f"sqlite:///{held.enter_context(tempfile.TemporaryDirectory(prefix='c2m-bench-'))}/promises.sqlite3"
        database = Database(url)
        held.callback(database.dispose)
        fill(database, factories, campaigns)
        figures = {"factories": factories, "campaigns": campaigns} | measure(database)
    for name, value in figures.items():
        print(f"{name:>16}  {value:,.2f}" if isinstance(value, float) else f"{name:>16}  {value:,}")
    stages = [] if chosen.quick else backtest()
    for stage in stages:
        print(json.dumps(stage))
    if chosen.json:
        print(json.dumps({"bench": "promises"} | figures | {"stages": stages}))
    return 0 if figures["p95_ms"] < 50 else 1


def measure(database: Database) -> dict[str, float]:
    """Milliseconds of first and later inquiries, and of a whole solve."""
    with database.reading() as session:
        running = session.exec(select(Campaign).order_by(col(Campaign.id))).all()
    asked = iter(random.Random(1).choices(running, k=10 * (FIRST + NEXT)))
    known: Prospects = {}

    def inquire(known: Prospects) -> None:
        with database.reading() as session:
            answer_for(session, next(asked), joining=7, now=NOW, known=known)

    inquire(known)
    first = list(islice(timed(lambda: inquire({})), FIRST))
    later = list(islice(timed(lambda: inquire(known)), NEXT))
    market = as_sheets(database)
    solve = min(islice(timed(lambda: plan_currency(market, "CNY")), 3))
    mix = [*later[:99] * 10, *first[:10]]
    return {
        "first_p50_ms": float(np.percentile(first, 50)),
        "first_p95_ms": float(np.percentile(first, 95)),
        "next_p50_ms": float(np.percentile(later, 50)),
        "next_p95_ms": float(np.percentile(later, 95)),
        "p95_ms": float(np.percentile(mix, 95)),
        "p99_ms": float(np.percentile(mix, 99)),
        "solve_ms": solve,
        "p95_ratio": solve / float(np.percentile(mix, 95)),
    }


def timed(work: Callable[[], object]) -> Iterator[float]:
    """How many milliseconds each repetition takes."""
    while True:
        began = time.perf_counter()
        work()
        yield 1000 * (time.perf_counter() - began)


def as_sheets(database: Database) -> Market:
    """The market with every running campaign closed now."""
    with database.reading() as session:
        lines = prospect_of(session, KIND, now=NOW).lines
        running = session.exec(select(Campaign)).all()
    sheets = {
        c.id: OpenSheet(
            id=c.id,
            currency="CNY",
            category="tshirt",
            processes=("sewing",),
            unit_price_minor=80_00,
            target_cost_minor=64_00,
            compensation_ppm_per_day=10_000,
            required_date=c.promised_date,
            time_zone="Asia/Shanghai",
            matched_until=NOW + timedelta(days=5),
            pieces={uuid7(): max(c.pledged_quantity, c.minimum)},
        )
        for c in running
    }
    in_horizon = {x.id: type(x)(**vars(x) | {"free": x.free[:HORIZON_WEEKS]}) for x in lines}
    return Market(first_week(NOW), sheets, in_horizon, frozenset())


def fill(database: Database, factories: int, campaigns: int) -> None:
    """Lines of one kind of product in weeks that are edited and booked, and campaigns on their way."""
    migrations.create(database)
    dice, start = random.Random(7), first_week(NOW)
    with database.transaction() as session:
        policy = standard_policy(session, now=NOW)
        houses = [UUID(int=1), *(uuid7() for _ in range(factories))]
        insert_rows(
            session,
            Organisation,
            [
                {"id": i, "name": f"House {n}", "kind": Role.FACTORY if n else Role.MERCHANDISER, "registered_at": NOW}
                for n, i in enumerate(houses)
            ],
        )
        own = [{"id": i, "belt": "Humen", "region": "Guangdong", "level": FactoryLevel.VERIFIED} for i in houses[1:]]
        insert_rows(session, Factory, own)
        lines = [
            {
                "id": uuid7(),
                "factory_id": factory,
                "category": "tshirt",
                "process": "sewing",
                "weekly_capacity": dice.randrange(100, 900, 10),
                "minimum": dice.choice((20, 50, 100)),
                "setup_minor": dice.randrange(0, 300_00, 100),
                "lead_days": dice.randrange(2, 9),
            }
            for factory in houses[1:]
        ]
        insert_rows(session, Capability, lines)
        steps = [(line["id"], low, price) for line in lines for low, price in ((1, 60_00), (200, 55_00), (800, 51_00))]
        cheaper = dice.random
        prices = [
            {"capability_id": i, "from_quantity": low, "unit_price_minor": int(price * (0.9 + 0.2 * cheaper()))}
            for i, low, price in steps
        ]
        insert_rows(session, PriceBreak, prices)
        weeks = [
            {"capability_id": x["id"], "week": start + WEEK * n, "capacity": x["weekly_capacity"], "booked": booked}
            for x in lines
            for n in range(WEEKS)
            if dice.random() < 0.5 and (booked := dice.randrange(0, 100)) is not None
        ]
        insert_rows(session, CapacityWeek, weeks)
        running = [a_campaign(n, policy.id, dice) for n in range(campaigns)]
        insert_rows(session, Campaign, running)
        tiers = [(c["id"], low, price) for c in running for low, price in ((1, 80_00), (300, 72_00))]
        insert_rows(
            session,
            PriceTier,
            [{"campaign_id": i, "from_quantity": low, "price_minor": price} for i, low, price in tiers],
        )


def a_campaign(number: int, policy_id: UUID, dice: random.Random) -> dict[str, object]:
    opened = NOW - timedelta(hours=dice.randrange(1, 240))
    deadline = NOW + timedelta(hours=dice.randrange(1, 240))
    minimum = dice.choice((30, 60, 120))
    return {
        "id": uuid7(),
        "number": f"C-BENCH-{number}",
        "organisation_id": UUID(int=1),
        "kind": CampaignKind.GROUP_BUY,
        "title": "Tee",
        "category": "tshirt",
        "currency": "CNY",
        "minimum": minimum,
        "policy_id": policy_id,
        "state": CampaignState.OPEN,
        "pledged_quantity": dice.randrange(0, 8 * minimum),
        "deadline": deadline,
        "promised_date": deadline + timedelta(days=28),
        "created_at": opened,
        "opened_at": opened,
    }


def backtest() -> list[dict[str, object]]:
    """What the demo market's campaigns said while they were open, against what was planned and delivered."""
    with tempfile.TemporaryDirectory(prefix="c2m-bench-") as folder:
        url = f"sqlite:///{folder}/demo.sqlite3"
        ran = CliRunner().invoke(cli, ["demo", "--json", "--database-url", url])
        if ran.exit_code:
            raise SystemExit(ran.output)
        database = Database(url)
        with database.reading() as session:
            found = [asdict(stage) for stage in kept(session)]
        database.dispose()
    return found


if __name__ == "__main__":
    sys.exit(main())
