"""What pooling a shop's order lines would have brought, calculated apart from c2m and from any database.

    python bench/replay_reference.py lines.csv.gz [--days 7] [--ladder 100:5,500:10,1000:15]

The figures that `c2m replay` must also arrive at (trigger mode, everybody takes part, minimum 1), as JSON. All is held
in memory and computed plainly, on purpose in another way than c2m.replay: whole lists, `fractions`, no streaming.
The file has the columns of UCI Online Retail, ISO dates in the shop's local time, prices with at most two decimals.

Definitions, each of which changes the figures:

1. A product code begins with five digits; upper and lower case are one product (85123a is 85123A). All other lines are
   no products, cancellations among them.
2. A sale has a positive quantity and a positive price. A cancellation (invoice C...) with a customer removes the latest
   earlier sale of the same customer, product and quantity that was not removed yet; the price does not matter. `netted`
   counts such pairs, so lines_read = lines_used + 2 * netted + rejected.
3. A line without customer is used, its invoice being the buyer. A cancellation without customer removes nothing, since
   its invoice bought nothing and nobody may be taken for somebody else.
4. A pledge is what one buyer orders of one product on one local calendar day.
5. A product's first order on day D opens a campaign of the days D to D + 6. It closes as day D + 7 begins; an order on
   day D + 7 opens the next campaign. The time of day plays no part.
6. Own quantity is the pledge's, not the line's. Discounts apply to all pieces, at the tier of the whole quantity.
7. Spend is quantity * unit price as in the file, before any discount. The saving is spend * (the campaign's discount
   less the own quantity's discount), given as a part of all spend.
8. A pledge waits (closing day - order day) whole days: 7 on the first day, 1 on the last. Means weigh by pieces.
"""

import argparse
import csv
import gzip
import json
import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path


def main() -> None:
    arguments = argparse.ArgumentParser(description="Reference figures for c2m replay, as JSON.")
    arguments.add_argument("path", type=Path)
    arguments.add_argument("--days", type=int, default=7)
    arguments.add_argument("--ladder", default="100:5,500:10,1000:15")
    given = arguments.parse_args()
    ladder = [tuple(map(int, step.split(":"))) for step in given.ladder.split(",")]
    print(json.dumps(reference(given.path, days=given.days, ladder=ladder), indent=2))


def reference(path: Path, *, days: int, ladder: list[tuple[int, ...]]) -> dict[str, object]:
    rows = read(path)
    sales, netted, rejected = sort_out(rows)

    bought: defaultdict[tuple[str, str, date], list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for row in sales:
        buyer = row["CustomerID"] or "invoice " + row["InvoiceNo"]
        pledge = bought[row["StockCode"].upper(), buyer, date.fromisoformat(row["InvoiceDate"][:10])]
        pledge[0] += int(row["Quantity"])
        pledge[1] += int(row["Quantity"]) * Fraction(row["UnitPrice"])

    campaigns = campaign_days({(product, day) for product, _, day in bought}, days)
    totals: Counter[tuple[str, date]] = Counter()
    for (product, _, day), (pieces, _) in bought.items():
        totals[product, campaigns[product, day]] += int(pieces)

    def percent_off(pieces: Fraction | int) -> int:
        return max([percent for least, percent in ladder if pieces >= least], default=0)

    all_pieces = sum(pieces for pieces, _ in bought.values())
    all_spend = sum(spend for _, spend in bought.values())
    saved = sum(
        spend * (percent_off(totals[product, campaigns[product, day]]) - percent_off(pieces))
        for (product, _, day), (pieces, spend) in bought.items()
    )
    waited = sum(
        pieces * (campaigns[product, day] + timedelta(days) - day).days
        for (product, _, day), (pieces, _) in bought.items()
    )
    return {
        "lines_read": len(rows),
        "lines_used": len(sales),
        "netted": netted,
        "rejected": dict(sorted(rejected.items())),
        "pledges": len(bought),
        "campaigns": len(totals),
        "pieces": int(all_pieces),
        "pooled_share": {
            str(least): float(100 * sum(pieces for pieces in totals.values() if pieces >= least) / all_pieces)
            for least in (100, 500, 1000)
        },
        "unpooled_share": {
            str(least): float(100 * sum(pieces for pieces, _ in bought.values() if pieces >= least) / all_pieces)
            for least in (100, 500, 1000)
        },
        "extra_saving_pct": float(saved / all_spend),
        "mean_wait_days": float(waited / all_pieces),
    }


def read(path: Path) -> list[dict[str, str]]:
    with (
        gzip.open(path, "rt", encoding="utf-8-sig", newline="")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8-sig", newline="") as text
    ):
        return list(csv.DictReader(text))


def sort_out(rows: list[dict[str, str]]) -> tuple[list[dict[str, str]], int, Counter[str]]:
    """Sales left after netting, the number of sales netted, and the count of all other lines by kind."""
    kept: dict[int, dict[str, str]] = {}
    standing: defaultdict[tuple[str, str, int], list[int]] = defaultdict(list)
    rejected: Counter[str] = Counter()
    netted = 0
    for at, row in enumerate(rows):
        pieces = int(row["Quantity"])
        of = (row["CustomerID"], row["StockCode"].upper())
        if not re.match("[0-9]{5}", row["StockCode"]):
            rejected["not_a_product"] += 1
        elif row["InvoiceNo"].startswith("C"):
            if row["CustomerID"] and standing[*of, -pieces]:
                del kept[standing[*of, -pieces].pop()]
                netted += 1
            else:
                rejected["cancellation_without_match"] += 1
        elif pieces < 0:
            rejected["return_without_cancellation"] += 1
        elif Fraction(row["UnitPrice"]) <= 0:
            rejected["zero_price"] += 1
        else:
            kept[at] = row
            standing[*of, pieces].append(at)
    return list(kept.values()), netted, rejected


def campaign_days(order_days: set[tuple[str, date]], days: int) -> dict[tuple[str, date], date]:
    """For each product and order day the day on which its campaign opened."""
    opened: dict[tuple[str, date], date] = {}
    latest: dict[str, date] = {}
    for product, day in sorted(order_days):
        if product not in latest or day >= latest[product] + timedelta(days):
            latest[product] = day
        opened[product, day] = latest[product]
    return opened


if __name__ == "__main__":
    main()
