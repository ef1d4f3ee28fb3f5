"""Replay throughput by stage, and how it grows: the same kind of order file at 10 k, 40 k and 160 k lines.

The reference in the same run is the pure calculation over the same file (reading, netting, pooling, measuring without a
database): ratios against it say what the platform costs. `--quick` takes 2 k and 8 k lines; a path given instead of the
generated orders is cut to the same numbers of lines.
"""

import argparse
import itertools
import json
import random
import resource
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from rich.console import Console

from c2m.db import Database
from c2m.replay.cli import Asked, prepare, run
from c2m.replay.factories import draw_factories
from c2m.replay.layout import ONLINE_RETAIL
from c2m.replay.measures import Measures, parse_ladder
from c2m.replay.orders import Tally, order_lines
from c2m.replay.pooling import Mode, market_days

SIZES, QUICK_SIZES = (10_000, 40_000, 160_000), (2_000, 8_000)
LINES_A_DAY = 1_200
PRODUCTS, CUSTOMERS = 3_000, 4_000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file", nargs="?", type=Path, help="order lines in the UCI format; generated unless given")
    options.add_argument("--quick", action="store_true")
    options.add_argument("--json", action="store_true")
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    sizes = QUICK_SIZES if chosen.quick else SIZES
    with tempfile.TemporaryDirectory() as folder:
        file = chosen.file or generate(Path(folder) / "orders.csv", max(sizes), seed=chosen.seed)
        runs = [measure(file, size, Path(folder)) for size in sizes]
    report(runs)
    if chosen.json:
        print(json.dumps({"bench": "replay", "runs": runs, "growth": growth(runs)}))


def generate(path: Path, lines: int, *, seed: int) -> Path:
    """Order lines as a wholesaler has them: few products sell a lot, few customers buy a lot."""
    rng = random.Random(seed)
    at = datetime(2026, 1, 5, 8, 0)  # noqa: DTZ001 - the format's local time
    prices = [rng.choice((0.42, 0.85, 1.25, 1.65, 2.55, 4.95, 8.5)) for _ in range(PRODUCTS)]
    with path.open("w", encoding="utf-8") as file:
        file.write("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
        for number in range(lines):
            product = min(int(rng.paretovariate(0.9)) - 1, PRODUCTS - 1)
            customer = min(int(rng.paretovariate(0.7)) - 1, CUSTOMERS - 1)
            quantity = max(1, round(rng.lognormvariate(1.6, 1.1)))
            invoice = 500_000 + number // 20
            row = (invoice, 20_000 + product, f"PRODUCT {product}", quantity, at, prices[product], 10_000 + customer)
            file.write(",".join(str(field) for field in row) + ",United Kingdom\n")
            at += timedelta(days=1) / LINES_A_DAY
    return path


def measure(file: Path, size: int, folder: Path) -> dict[str, Any]:
    """One run through the platform, and the pure calculation beside it."""
    pure = reference(file, size)
    asked = Asked(
        file=file,
        layout=ONLINE_RETAIL,
        ladder=parse_ladder("100:5,500:10,1000:15"),
        minimum=1,
        days=7,
        mode=Mode.TRIGGER,
        participation=1.0,
        seed=0,
        limit=size,
        makers=draw_factories(0),
        rejects=folder / "rejected.csv",
    )
    database = Database(f"sqlite:///{folder / f'{size}.sqlite3'}")
    prepare(database, fresh=True)
    began = process_time()
    figures = run(asked, database, Console(quiet=True))
    database.dispose()
    return {
        "lines": figures["lines_used"],
        "cpu_seconds": round(process_time() - began, 2),
        "lines_per_s": figures["lines_per_s"],
        "times_pure": round(figures["seconds"] / pure, 1),
        "stages": figures["stages"],
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "invariants_broken": figures["invariants_broken"],
    }


def reference(file: Path, size: int) -> float:
    """Seconds that reading, netting, pooling and measuring take without a database."""
    began = perf_counter()
    measures = Measures(parse_ladder("100:5,500:10,1000:15"))
    for today in market_days(
        order_lines(file, ONLINE_RETAIL, tally=Tally(None), limit=size), mode=Mode.TRIGGER, days=7
    ):
        measures.add(today)
    measures.figures()
    return perf_counter() - began


def growth(runs: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Between neighbouring sizes: lines × so much take time × so much, memory × so much."""
    return [
        {
            "lines": round(b["lines"] / a["lines"], 2),
            "time": round((b["lines"] / b["lines_per_s"]) / (a["lines"] / a["lines_per_s"]), 2),
            "memory": round(b["peak_mb"] / a["peak_mb"], 2),
        }
        for a, b in itertools.pairwise(runs)
    ]


def report(runs: list[dict[str, Any]]) -> None:
    for each in runs:
        speed = (
            f"{each['lines']:>9,} lines  {each['lines_per_s']:>7} lines/s  {each['times_pure']} × the pure calculation"
        )
        print(f"{speed}  {each['peak_mb']} MB  {each['invariants_broken']} invariants broken")
        whole = sum(each["stages"].values()) or 1
        shares = sorted(each["stages"].items(), key=lambda stage: -stage[1])
        print("           " + ", ".join(f"{name} {100 * spent / whole:.0f} %" for name, spent in shares))
    for step in growth(runs):
        print(f"growth: lines × {step['lines']}, time × {step['time']}, memory × {step['memory']}")


if __name__ == "__main__":
    main()
