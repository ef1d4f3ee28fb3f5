"""Full demand sheets from millions of pledges, beside the bare GROUP BY that any sheet needs, in the same run.

`python bench/aggregate.py [--quick] [--json]`. A full sheet is colours × sizes, the size curve, regions × sizes and all
totals, of every campaign at once, read by the use case the pages read. The bare GROUP BY sums the same confirmed
pledge lines by campaign and variant and nothing else. `ratio` is the sheets' time over the bare one's, each the median
of the better half of alternating rounds: processor time on SQLite, which works in this process, elapsed time on
PostgreSQL, which is started for the purpose. Goals: ≤ 3 on PostgreSQL, ≤ 1.3 on SQLite; four times the rows in ≤ 4.5
times the time; memory flat (the peak of this process at four times the rows, as a multiple).
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from crowd import postgres
from sqlmodel import Session, SQLModel

from c2m import migrations
from c2m.db import Database, insert_rows, table_of
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Pledge, PledgeLine, PledgeState, Variant
from c2m.demand.policies import standard_policy
from c2m.demand.sheet_figures import Figures, full_sheets
from c2m.identity.models import Organisation, Role

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SIZES, QUICK_SIZES = (500_000, 2_000_000), (50_000, 200_000)
PLEDGES_A_CAMPAIGN = 20_000
AT_ONCE = 10  # campaigns whose pledges come in turn
BUYERS = 20_000
COLOURS, CLOTHES = ("black", "white", "navy"), ("S", "M", "L", "XL")
REGIONS = tuple(f"Province {n:02}" for n in range(31))
ROUNDS, QUICK_ROUNDS = 5, 3


@dataclass
class Measured:
    """One database at one size: seconds, their ratio, and what this process holds in memory."""

    database: str
    pledges: int
    sheets: int
    bare_s: float
    full_s: float
    ratio: float
    peak_mb: int


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="50 k and 200 k pledges only")
    options.add_argument("--json", action="store_true", help="one JSON object after the lines")
    options.add_argument("--pledges", type=int, help="the larger size; the smaller is a quarter of it")
    options.add_argument("--only", choices=["sqlite", "postgresql"])
    chosen = options.parse_args()
    sizes = (chosen.pledges // 4, chosen.pledges) if chosen.pledges else QUICK_SIZES if chosen.quick else SIZES
    rounds = QUICK_ROUNDS if chosen.quick else ROUNDS
    found: list[Measured] = []
    if chosen.only != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            found += [measure(f"sqlite:///{Path(folder) / f'{size}.sqlite3'}", size, rounds) for size in sizes]
    if chosen.only != "sqlite":
        with postgres.server() as server:
            found += [measure(server.database(f"c2m_{size}"), size, rounds) for size in sizes]
    for growth in grown(found):
        print("{database:10} {rows} × the rows: {time} × the time, {memory} × the memory".format(**growth))
    if chosen.json:
        rows = [asdict(each) for each in found]
        print(json.dumps({"bench": "aggregate", "runs": rows, "growth": grown(found)}))
    return 0


def measure(url: str, pledges: int, rounds: int) -> Measured:
    """Fill a database, then let both statements take turns."""
    database = Database(url)
    campaigns = fill(database, pledges)
    forget_peak()
    clock = time.thread_time if database.dialect == "sqlite" else time.perf_counter
    bare: list[float] = []
    full: list[float] = []
    with database.reading() as session:
        for _ in range(rounds):
            bare.append(timed(lambda: bare_group_by(session, campaigns), clock))
            full.append(timed(lambda: full_sheets(session, campaigns), clock))
        agree(bare_group_by(session, campaigns), full_sheets(session, campaigns))
    database.dispose()
    bare_s, full_s = (statistics.median_low(sorted(each)[: (rounds + 1) // 2]) for each in (bare, full))
    peak = peak_mb()
    measured = Measured(
        database=database.dialect,
        pledges=pledges,
        sheets=len(campaigns),
        bare_s=round(bare_s, 3),
        full_s=round(full_s, 3),
        ratio=round(full_s / bare_s, 2),
        peak_mb=peak,
    )
    print(
        f"{measured.database:10} {pledges:>9,} pledges, {measured.sheets} sheets: bare GROUP BY {bare_s:.2f} s, "
        f"full sheets {full_s:.2f} s, ratio {measured.ratio}, peak memory {peak} MB",
        flush=True,
    )
    return measured


def forget_peak() -> None:
    """Let the peak of this process's memory be that of now: filling the database doesn't count (proc(5))."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mb() -> int:
    """The most memory this process has held since then."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) // 1024


def bare_group_by(session: Session, campaigns: Sequence[UUID]) -> list[sa.Row[Any]]:
    """Confirmed pieces by campaign and variant: the least that any sheet needs."""
    pledge, line = table_of(Pledge), table_of(PledgeLine)
    rows = session.execute(
        sa.select(pledge.c.campaign_id, line.c.variant_id, sa.func.sum(line.c.quantity))
        .join_from(pledge, line, line.c.pledge_id == pledge.c.id)
        .where(pledge.c.campaign_id.in_(campaigns), pledge.c.state == PledgeState.CONFIRMED)
        .group_by(pledge.c.campaign_id, line.c.variant_id)
    )
    return list(rows.all())


def agree(bare: Sequence[sa.Row[Any]], full: dict[UUID, Figures]) -> None:
    """Both ways come to the same pieces.

    Raises:
        SystemExit
    """
    totals: dict[UUID, int] = {}
    for campaign_id, _variant, pieces in bare:
        totals[campaign_id] = totals.get(campaign_id, 0) + int(pieces)
    if totals != {campaign_id: figures.total.pieces for campaign_id, figures in full.items()}:
        raise SystemExit("the sheets' totals aren't those of the bare GROUP BY")


def timed(work: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    work()
    return clock() - began


def grown(found: Sequence[Measured]) -> list[dict[str, Any]]:
    """From the smaller to the larger size of each database: rows, time and memory as multiples."""
    pairs = [(a, b) for a in found for b in found if a.database == b.database and a.pledges < b.pledges]
    return [
        {
            "database": a.database,
            "rows": round(b.pledges / a.pledges, 2),
            "time": round(b.full_s / a.full_s, 2),
            "memory": round(b.peak_mb / a.peak_mb, 2),
        }
        for a, b in pairs
    ]


def fill(database: Database, pledges: int) -> list[UUID]:
    """Closed campaigns with so many confirmed pledges, a quarter of them of two variants; returns the campaigns."""
    migrations.create(database)
    campaigns = max(pledges // PLEDGES_A_CAMPAIGN, 1)
    ids = [an_id(1, n) for n in range(campaigns)]
    with database.transaction() as session:
        policy = standard_policy(session, now=NOW)
        people = [(an_id(0, BUYERS), Role.MERCHANDISER), *((an_id(0, n), Role.BUYER) for n in range(BUYERS))]
        houses = [
            {"id": i, "name": f"House {n}", "kind": kind, "registered_at": NOW} for n, (i, kind) in enumerate(people)
        ]
        insert_rows(session, Organisation, houses)
        insert_rows(session, Campaign, [a_campaign(n, i, policy.id) for n, i in enumerate(ids)])
        kinds = [(colour, size) for colour in COLOURS for size in CLOTHES]
        variants = [
            {"id": an_id(2, n * len(kinds) + at), "campaign_id": i, "position": at, "colour": colour, "size": size}
            for n, i in enumerate(ids)
            for at, (colour, size) in enumerate(kinds)
        ]
        insert_rows(session, Variant, variants)
        fill_pledges(session, pledges, campaigns)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE" if database.dialect == "sqlite" else "VACUUM ANALYZE"))
    return ids


def a_campaign(number: int, campaign_id: UUID, policy_id: UUID) -> dict[str, object]:
    return {
        "id": campaign_id,
        "number": f"C-BENCH-{number}",
        "organisation_id": an_id(0, BUYERS),
        "kind": CampaignKind.GROUP_BUY,
        "title": "Tee",
        "category": "tshirt",
        "currency": "CNY",
        "minimum": 1,
        "policy_id": policy_id,
        "state": CampaignState.SUCCEEDED,
        "deadline": NOW,
        "promised_date": NOW + timedelta(days=40),
        "created_at": NOW - timedelta(days=7),
        "opened_at": NOW - timedelta(days=7),
    }


def fill_pledges(session: Session, pledges: int, campaigns: int) -> None:
    """Pledges and their lines, made by the database itself from one number each."""
    numbers = sa.select(sa.literal(0).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(sa.select(numbers.c.n + 1).where(numbers.c.n < pledges - 1))
    n = numbers.c.n
    group = n // (PLEDGES_A_CAMPAIGN * AT_ONCE) * AT_ONCE
    campaign = sa.case((group + n % AT_ONCE < campaigns, group + n % AT_ONCE), else_=n % campaigns)
    region = sa.case(*((n * 7 % len(REGIONS) == at, name) for at, name in enumerate(REGIONS)), else_="")
    insert_computed(
        session,
        Pledge,
        numbers,
        {
            "id": id_of(session, 3, n),
            "campaign_id": id_of(session, 1, campaign),
            "buyer_id": id_of(session, 0, sa.cast(n, sa.BigInteger) * 7919 % BUYERS),
            "quantity": 2 + n % 5,
            "unit_price_minor": sa.literal(29_00),
            "charged_minor": (2 + n % 5) * 29_00,
            "region": region,
            "idempotency_key": sa.cast(n, sa.String),
            "request_hash": sa.literal(""),
            "placed_at": sa.literal(NOW, table_of(Pledge).c.placed_at.type),
            "state": sa.literal(PledgeState.CONFIRMED, table_of(Pledge).c.state.type),
        },
    )
    kinds = len(COLOURS) * len(CLOTHES)
    for which, quantity, chosen in (
        (n >= 0, 1 + n % 5, n * 31 % kinds),
        (n % 4 == 0, sa.literal(1), (n * 31 + 5) % kinds),
    ):
        lines = {
            "pledge_id": id_of(session, 3, n),
            "variant_id": id_of(session, 2, campaign * kinds + chosen),
            "quantity": quantity,
        }
        insert_computed(session, PledgeLine, numbers, lines, which)


def insert_computed(
    session: Session,
    model: type[SQLModel],
    numbers: sa.CTE,
    values: dict[str, sa.ColumnElement[Any]],
    *which: sa.ColumnElement[bool],
) -> None:
    """INSERT … SELECT a row for each number; columns left out get their model's default."""
    table = table_of(model)
    scalars = {
        c.name: sa.literal(c.default.arg, c.type)
        for c in table.c
        if c.name not in values and isinstance(c.default, sa.ColumnDefault) and c.default.is_scalar
    }
    filled = values | scalars
    session.execute(
        sa.insert(table).from_select(
            list(filled), sa.select(*filled.values()).select_from(numbers).where(*which), include_defaults=False
        )
    )


def an_id(kind: int, number: int) -> UUID:
    """An id in order of its number, as those made by time are."""
    return UUID(int=kind << 64 | number)


def id_of(session: Session, kind: int, number: sa.ColumnElement[int]) -> sa.ColumnElement[UUID]:
    """The same id, made by the database."""
    if session.get_bind().dialect.name == "sqlite":
        return sa.func.printf("%016x%016x", kind, number, type_=sa.Uuid())
    high, low = (sa.func.lpad(sa.func.to_hex(sa.cast(half, sa.BigInteger)), 16, "0") for half in (kind, number))
    return sa.cast(sa.func.concat(high, low), sa.Uuid())


if __name__ == "__main__":
    sys.exit(main())
