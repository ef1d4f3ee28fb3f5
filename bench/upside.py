"""How right is the further demand that sheets state? Sums of the coming weeks, from each product's own weeks so far.

`python bench/upside.py [DATA]`; DATA, or C2M_DATA, is a folder with weekly_sales/weeks_0_39.csv.gz (UCI 396).
Every third product, cut off after so many weeks; products without eight weeks of their own rest on 60 others drawn at
random. WAPE of P50 beside the plain methods, and the share of sums at or below P90 (goal: 90 %).
"""

import argparse
import os
from collections import Counter
from pathlib import Path

import numpy as np

from c2m.demand.forecasting.sales_file import read_sales
from c2m.demand.forecasting.upside import further_demand

KNOWN, AHEAD = (0, 2, 5, 8, 12, 20, 30), (4, 8)
EVERY, ALIKE = 3, 60


def main() -> None:
    """Print a line for each number of weeks known and ahead."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("C2M_DATA", "../shared/data"))
    sales = read_sales(Path(parser.parse_args().data) / "weekly_sales/weeks_0_39.csv.gz").sales
    rng = np.random.default_rng(0)
    for known in KNOWN:
        for ahead in AHEAD:
            came, wrong, below = 0.0, Counter[str](), []
            for row in sales[::EVERY]:
                alike = sales[rng.choice(len(sales), ALIKE), :8].mean(axis=1)
                found = further_demand(row[:known].tolist(), ahead, alike.tolist())
                if found is None:
                    continue
                actual = float(row[known : known + ahead].sum())
                came += actual
                wrong["taken"] += abs(found.p50 - actual)
                for plain in found.beside:
                    wrong[plain.name] += abs(plain.pieces - actual)
                below.append(actual <= found.p90)
            errors = ", ".join(f"{name} {off / came:.3f}" for name, off in wrong.items())
            print(f"{known:2} weeks known, {ahead} ahead: WAPE {errors}; at most P90: {np.mean(below):.0%}")


if __name__ == "__main__":
    main()
