"""What the tier ladder designer earns in markets whose buyers' willingness to pay is known.

`python bench/ladder.py [--quick] [--json]`. A market is drawn: factories' quote curves, how many buyers there are and
what each would pay (log-normal, two kinds of buyers, or flat, which the designer doesn't know), and who of them spoke
beforehand. Three ladders are judged by the pieces that its buyers then take: the designer's, cost-plus with fixed steps
(what factories ask at the expected quantity, ×2 and ×4 of it, plus 30 %), and the best in hindsight, the single price
that earns most of exactly these buyers. Buyers join at the cheapest tier whose pieces are reached by those who would
pay its price. Reported: margin and share of markets that reach their minimum with a margin, each over hindsight's.
"""

import argparse
import json
import math
from dataclasses import asdict, dataclass

import numpy as np

from c2m.demand.forecasting.ladders import Market, QuoteCurve, Willing, design_ladder

CONVERSION, REACH = 0.5, 3.0
MARKUP = 1.3
SHAPES = ("log-normal", "two kinds", "flat")

Tiers = list[tuple[int, int]]  # (from pieces, price), dearest first


@dataclass(frozen=True)
class Truth:
    """A market: the quotes, what each piece's buyer would pay (those who order), and who spoke beforehand."""

    quotes: tuple[QuoteCurve, ...]
    would_pay: np.ndarray
    willing: tuple[Willing, ...]

    def known(self) -> Market:
        return Market(self.quotes, self.willing, CONVERSION, REACH)


@dataclass
class Tally:
    """What ladders of one kind came to."""

    margin_minor: float = 0.0
    reached: int = 0


def drawn(shape: str, rng: np.random.Generator) -> Truth:
    base = float(np.exp(rng.normal(math.log(3_000), 0.6)))
    quotes = []
    for _ in range(rng.integers(2, 6)):
        own = base * rng.uniform(0.9, 1.3)
        falls = np.cumprod([1.0, *rng.uniform(0.82, 0.97, 3)])
        starts = [1, *(int(100 * 3**k * rng.uniform(0.6, 1.6)) for k in range(3))]
        steps = tuple((start, round(own * fall)) for start, fall in zip(starts, falls, strict=True))
        quotes.append(QuoteCurve(round(base * rng.uniform(5, 60)), steps, int(rng.integers(10, 120))))
    spoke = int(rng.integers(8, 150))
    buyers = max(1, int(rng.poisson(spoke * REACH * math.exp(0.5 * rng.standard_normal()))))
    centre, spread = base * rng.uniform(1.0, 1.9), rng.uniform(0.15, 0.45)
    everybody = pay(shape, spoke + buyers, centre, spread, rng)
    pieces = rng.geometric(0.25, spoke + buyers)
    ordering = rng.random(buyers) < CONVERSION
    willing = tuple(Willing(max(1, round(p)), int(n)) for p, n in zip(everybody[:spoke], pieces[:spoke], strict=True))
    return Truth(tuple(quotes), np.repeat(everybody[spoke:][ordering], pieces[spoke:][ordering]), willing)


def pay(shape: str, count: int, centre: float, spread: float, rng: np.random.Generator) -> np.ndarray:
    """What so many buyers would pay for a piece."""
    if shape == "log-normal":
        return centre * np.exp(spread * rng.standard_normal(count))
    if shape == "flat":
        return rng.uniform(centre * (1 - spread), centre * (1 + 2 * spread), count)
    dear = rng.random(count) < rng.uniform(0.2, 0.6)
    return np.where(dear, 1.4, 0.85) * centre * np.exp(0.4 * spread * rng.standard_normal(count))


def outcome(truth: Truth, tiers: Tiers) -> float | None:
    """The margin of the cheapest tier that is reached, None where none is."""
    reached = [
        (price, pieces) for start, price in tiers if (pieces := int((truth.would_pay >= price).sum())) >= max(1, start)
    ]
    if not reached:
        return None
    price, pieces = reached[-1]
    return price * pieces - truth.known().cost_minor(pieces)


def designed(truth: Truth, rng: np.random.Generator) -> Tiers:
    found = design_ladder(truth.known(), rng=rng)
    return [(step.from_quantity, step.price_minor) for step in found.steps] if found else []


def cost_plus(truth: Truth) -> Tiers:
    known = truth.known()
    expected = sum(buyer.pieces for buyer in truth.willing) * REACH * CONVERSION
    first = max(min(quote.smallest_order for quote in truth.quotes), round(expected / 4))
    return [(n, round(MARKUP * known.cost_minor(n) / n)) for n in (first, 2 * first, 4 * first)]


def hindsight(truth: Truth) -> float | None:
    """What the best single price would have earned, None where none earns anything."""
    known, prices = truth.known(), np.unique(truth.would_pay)
    pieces = len(truth.would_pay) - np.searchsorted(np.sort(truth.would_pay), prices)
    best = max((float(p) * int(n) - known.cost_minor(int(n)) for p, n in zip(prices, pieces, strict=True)), default=0.0)
    return best if best > 0 else None


def measured(shape: str, markets: int, seed: int) -> dict[str, object]:
    rng, own = (np.random.default_rng([seed, SHAPES.index(shape), stream]) for stream in range(2))
    tallies = {name: Tally() for name in ("designed", "cost plus", "hindsight")}
    for _ in range(markets):
        truth = drawn(shape, rng)
        results = {
            "designed": outcome(truth, designed(truth, own)),
            "cost plus": outcome(truth, cost_plus(truth)),
            "hindsight": hindsight(truth),
        }
        for name, margin in results.items():
            if margin is not None and math.isfinite(margin):
                tallies[name].margin_minor += margin
                tallies[name].reached += margin > 0
    best = tallies["hindsight"]
    return {
        "buyers": shape,
        "markets": markets,
        "margin_of_hindsight": {n: round(t.margin_minor / best.margin_minor, 3) for n, t in tallies.items()},
        "success_of_hindsight": {n: round(t.reached / best.reached, 3) for n, t in tallies.items()},
        "hindsight": asdict(best) | {"margin_minor": round(best.margin_minor)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="15 markets of each kind instead of 150")
    parser.add_argument("--json", action="store_true", help="one JSON object at the end instead of a line each")
    options = parser.parse_args()
    rows = []
    for shape in SHAPES:
        rows.append(measured(shape, 15 if options.quick else 150, 1))
        if not options.json:
            print(json.dumps(rows[-1]), flush=True)
    if options.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
