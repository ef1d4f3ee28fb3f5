"""How right are the forecasts? Weekly sales and campaigns' chances, each stated from what was known before.

Reads weekly_sales/ and online_retail/ below the folder given (or C2M_DATA). Weekly: rolling origins, forecasts of
twelve weeks beside the baselines, on both sets (the second summed by product and week). Campaigns: order lines pooled
in windows of seven days; each day's chance of 100, 500 and 1,000 pieces, learned only from windows closed by then.
"""

import argparse
import csv
import io
import json
import os
import time
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from c2m.demand.forecasting.baselines import Floats
from c2m.demand.forecasting.measuring import base_rate_log_loss, brier, coverage, log_loss, mase, reliability, wape
from c2m.demand.forecasting.sales_file import read_sales
from c2m.demand.forecasting.weekly import backtest
from c2m.replay.foretelling import Foreteller
from c2m.replay.measures import parse_ladder
from c2m.replay.orders import Tally, order_lines
from c2m.replay.pooling import MarketDay, market_days

HORIZON = 12
WEEKLY, RETAIL = "weekly_sales/weeks_0_39.csv.gz", "online_retail/lines_2010-12_to_2011-08.csv.gz"
DATA = "../shared/data"
QUICK_LINES = 60_000
FEWEST_WEEKS_SOLD = 8  # of a product that is forecast by week


def weekly(name: str, sales: Floats, origins: list[int]) -> list[dict[str, Any]]:
    """Each origin's forecast and baselines, in WAPE, MASE and coverage."""
    found = []
    for origin, made, plain in backtest(sales, HORIZON, origins):
        known, came = sales[:, :origin], sales[:, origin : origin + HORIZON]
        found.append(
            {
                "set": name,
                "origin": origin,
                "weeks": came.shape[1],
                "wape_mean": wape(came, made.mean),
                "wape_p50": wape(came, made.p50),
                "mase_p50": mase(known, came, made.p50),
                "coverage": coverage(came, made.p10, made.p90),
                "baselines": {method: wape(came, ahead) for method, ahead in plain.items()},
                "baselines_mase": {method: mase(known, came, ahead) for method, ahead in plain.items()},
            }
        )
    return found


def by_week(days: list[MarketDay]) -> Floats:
    """Pieces by product and whole week, of products that sold in enough weeks of the first half."""
    first = days[0].day
    sold: defaultdict[str, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    for today in days:
        for pledge in today.pledges:
            sold[pledge.window.product_key][(today.day - first).days // 7] += pledge.quantity
    weeks = max(((today.day - first).days + 1) // 7 for today in days if today.pledges)
    table = np.array([[float(of[week]) for week in range(weeks)] for of in sold.values()])
    return table[(table[:, : weeks // 2] > 0).sum(axis=1) >= FEWEST_WEEKS_SOLD]


def campaigns(days: list[MarketDay]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Scores by target and day, and the reliability of the chance of 100 pieces by day, over the later half."""
    out = io.StringIO()
    foreteller = Foreteller(out, parse_ladder("100:5,500:10,1000:15"), minimum=1, days=7)
    for today in days:
        foreteller.add(today)
    half = days[0].day + timedelta(days=(days[-1].day - days[0].day).days // 2)
    rows: defaultdict[tuple[int, int], list[tuple[float, ...]]] = defaultdict(list)
    for row in csv.DictReader(io.StringIO(out.getvalue())):
        if date.fromisoformat(row["opened"]) >= half:
            figures = (float(row[each]) for each in ("probability", "final_quantity", "p10", "p90"))
            rows[int(row["target"]), int(row["elapsed_days"])].append(tuple(figures))
    scored, tables = [], []
    for (target, elapsed), of in sorted(rows.items()):
        chance, final, low, high = np.array(of).T
        came = (final >= target).astype(float)
        scored.append(
            {
                "target": target,
                "elapsed_days": elapsed,
                "campaigns": len(of),
                "base_rate": float(came.mean()),
                "brier": brier(chance, came),
                "base_brier": float(came.mean() * (1 - came.mean())),
                "log_loss": log_loss(chance, came),
                "base_log_loss": base_rate_log_loss(came),
                "coverage": coverage(final, low, high),
            }
        )
        if target == 100:
            bins = [{"count": b.count, "said": b.said, "came": b.came} for b in reliability(chance, came)]
            tables.append({"elapsed_days": elapsed, "bins": bins})
    return scored, tables


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", nargs="?", default=os.environ.get("C2M_DATA", DATA), type=Path)
    options.add_argument("--quick", action="store_true", help="one origin a set, the first order lines only")
    options.add_argument("--json", action="store_true", help="end with one JSON line")
    chosen = options.parse_args()
    missing = [name for name in (WEEKLY, RETAIL) if not (chosen.data / name).is_file()]
    if missing:
        print(f"{chosen.data} holds no {' and no '.join(missing)}: nothing is measured.")
        return 0
    began = time.perf_counter()
    sales = read_sales(chosen.data / WEEKLY).sales
    lines = order_lines(chosen.data / RETAIL, tally=Tally(), limit=QUICK_LINES if chosen.quick else None)
    days = list(market_days(lines))
    origins = [28] if chosen.quick else [20, 24, 28, 30, 32, 34]
    table = by_week(days)
    later = [] if chosen.quick else [table.shape[1] - HORIZON, table.shape[1] - HORIZON // 2]
    found: dict[str, Any] = {
        "bench": "forecast",
        "weekly": weekly("weekly_sales", sales, origins) + weekly("online_retail", table, later),
    }
    found["campaigns"], found["reliability"] = campaigns(days)
    found["beats_base_rate"] = all(row["log_loss"] < row["base_log_loss"] for row in found["campaigns"])
    found["seconds"] = round(time.perf_counter() - began, 1)
    report(found)
    if chosen.json:
        print(json.dumps(found))
    return 0


def report(found: dict[str, Any]) -> None:
    """The figures as lines."""
    for row in found["weekly"]:
        best = min(row["baselines"].items(), key=lambda each: each[1])
        print(
            f"{row['set']:14} from week {row['origin']}, {row['weeks']} weeks: WAPE {row['wape_mean']:.3f} (mean) "
            f"{row['wape_p50']:.3f} (p50), MASE {row['mase_p50']:.3f}, coverage {row['coverage']:.1%}; "
            f"best baseline {best[0]} {best[1]:.3f}, naive {row['baselines']['naive']:.3f}"
        )
    print("campaigns, later half: target, days elapsed, base rate, Brier (base), log-loss (base), coverage")
    for row in found["campaigns"]:
        print(
            f"{row['target']:6} {row['elapsed_days']:2} {row['base_rate']:6.1%} {row['brier']:.4f} "
            f"({row['base_brier']:.4f}) {row['log_loss']:.4f} ({row['base_log_loss']:.4f}) {row['coverage']:.1%}"
        )
    for table in found["reliability"]:
        shown = ", ".join(f"{b['said']:.0%}→{b['came']:.0%} ({b['count']})" for b in table["bins"])
        print(f"100 pieces, {table['elapsed_days']} days: {shown}")
    print(f"every log-loss below its base rate's: {'yes' if found['beats_base_rate'] else 'NO'}; {found['seconds']} s")


if __name__ == "__main__":
    raise SystemExit(main())
