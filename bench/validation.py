"""Validating concepts by rule, looked at every day: how often it is wrong, how often it sees what is wanted.

`python bench/validation.py [--quick] [--json] [--calibrate]`. Simulated concepts draw buyers day by day; they state
wants, with a deposit or without, and order by a conversion of the concept's own. The rule sees what the platform sees,
with priors its category learned from 40 earlier concepts. In the same run, on the same concepts: "pieces wanted ≥
minimum" (what a plain progress bar says), "pieces wanted × usual conversion ≥ minimum", and P ≥ 0.95 at any look,
uncalibrated. Worlds: steady; a launch that fades from 1.5 to 0.5 of its mean; uneven days (a gamma factor of variance
0.5 a day, busy weekends); heavy-tailed quantities. Goals: of concepts whose expected orders just equal the minimum
≤ 5 % ever called validated, in each world; ≥ 80 % of those at twice the minimum; ECE of P(≥ minimum) ≤ 0.05; less
exposure wasted on losing variants than by showing all evenly. Beside them, categories with none, two or ten outcomes of
their own, which borrow their conversion from others whose true one differs. `--calibrate` prints the bound the rule's
threshold is set by, on concepts of another seed.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from c2m.design.validation.demand import ASSUMED, Evidence, Prior, forecast
from c2m.design.validation.exposure import shares
from c2m.design.validation.learning import Came, Conversion, Drew, learned_conversion, learned_interest
from c2m.design.validation.rule import STATED_RULE, Rule

Floats = NDArray[np.float64]

CONCEPTS, QUICK_CONCEPTS = 2_000, 250
DRAWS = 128
DAYS = (14, 21, 28)
A_CATEGORY = 50  # concepts that share a category, hence priors
EARLIER = 40  # concepts of the category that have been through, from which its priors are learned
TRUE_CONVERSION = (Conversion(6.0, 18.0), Conversion(18.0, 12.0))  # stated, with a deposit; the rule isn't told
ALPHA, POWER, ECE, BINS = 0.05, 0.80, 0.05, 10
VARIANTS, SHOWN_A_DAY = 4, 150
OTHER_CATEGORIES, OUTCOMES_OF_EACH = 10, 8  # from which a young category borrows
BETWEEN_CATEGORIES = 40.0  # sum of the Beta's parameters that the categories' mean conversions are drawn from
OWN_OUTCOMES = (0, 2, 10)
Conversions = tuple[Conversion, ...]


@dataclass(frozen=True)
class World:
    """How buyers come and how many pieces they say."""

    name: str
    fades: float = 0.0  # interest falls linearly from 1 + fades to 1 - fades
    uneven: float = 0.0  # squared coefficient of variation of days, beside the Poisson's own
    tail: float = 0.7  # log-sd of quantities


WORLDS = (World("steady"), World("fading", fades=0.5), World("uneven", uneven=0.5), World("heavy tails", tail=1.2))


@dataclass(frozen=True)
class Concepts:
    """Simulated concepts: what was said by each day, and what would have been ordered; (concepts, days, levels)."""

    days: Floats
    minimum: Floats
    buyers: Floats  # summed up to each day, like the two that follow
    pieces: Floats
    squares: Floats
    conversion: Floats  # (concepts, levels)
    ordered: Floats  # (concepts,) pieces really ordered by the deadline
    orders: Floats  # (concepts, levels) buyers who ordered

    def evidence(self, rows: NDArray[np.bool_], day: int) -> Evidence:
        """What those concepts' buyers had said by the end of a day."""
        return Evidence(self.buyers[rows, day], self.pieces[rows, day], self.squares[rows, day])


def simulate(
    world: World, ratio: Floats, rng: np.random.Generator, converts: Conversions = TRUE_CONVERSION
) -> Concepts:
    """Concepts whose expected orders are so many times their minimum."""
    count, longest = len(ratio), max(DAYS)
    days = rng.choice(DAYS, count).astype(float)
    minimum = np.exp(rng.uniform(np.log(80), np.log(800), count)).round()
    conversion = np.stack([rng.beta(c.orders, c.others, count) for c in converts], axis=-1)
    deposited = rng.beta(8, 12, count)
    parts = np.stack([1 - deposited, deposited], axis=-1)
    median = rng.uniform(1.2, 4, count)
    mean_quantity = np.array([_quantities(world, np.full(20_000, each), rng).mean() for each in (1.2, 2.6, 4.0)])
    expected = np.interp(median, (1.2, 2.6, 4.0), mean_quantity)
    buyers = ratio * minimum / expected / (parts * conversion).sum(axis=-1)

    day = np.arange(longest)
    profile = 1 + world.fades * (1 - 2 * (day + 0.5) / days[:, np.newaxis])
    profile = np.where(day < days[:, np.newaxis], profile, 0)
    if world.uneven:
        profile = (
            profile * np.where(day % 7 >= 5, 1.5, 0.8) * rng.gamma(1 / world.uneven, world.uneven, (count, longest))
        )
        # The effect averages one over days, not over each concept's few: its expected total stays what it is.
        profile = profile / np.where(day % 7 >= 5, 1.5, 0.8).mean()
    came = rng.poisson((buyers / days)[:, np.newaxis, np.newaxis] * profile[..., np.newaxis] * parts[:, np.newaxis])

    cell = np.repeat(np.arange(came.size), came.ravel())
    concept, level = cell // (longest * 2), cell % 2
    quantity = _quantities(world, median[concept], rng)
    takes = rng.random(len(cell)) < conversion[concept, level]

    def summed(values: Floats) -> Floats:
        return np.bincount(cell, values, came.size).reshape(came.shape).cumsum(axis=1)

    return Concepts(
        days,
        minimum,
        came.cumsum(axis=1).astype(float),
        summed(quantity),
        summed(quantity**2),
        conversion,
        np.bincount(concept, quantity * takes, count),
        np.bincount(concept * 2 + level, takes, count * 2).reshape(count, 2),
    )


def _quantities(world: World, median: Floats, rng: np.random.Generator) -> Floats:
    return np.maximum(1, np.minimum(np.exp(rng.normal(np.log(median), world.tail)), 200).round())


def learned(
    rng: np.random.Generator, earlier: int = EARLIER, converts: Conversions = TRUE_CONVERSION, *others: Concepts
) -> tuple[Prior, ...]:
    """Priors from earlier concepts of the category and of the market's others, as the platform learns them."""
    own = simulate(WORLDS[0], np.exp(rng.normal(0, 0.5, earlier)), rng, converts)
    drew = [[Drew(int(n), float(d)) for n, d in zip(own.buyers[:, -1, at], own.days, strict=True)] for at in (0, 1)]
    return tuple(
        Prior(
            learned_interest(assumed.interest, drew[at]),
            learned_conversion(learned_conversion(assumed.conversion, came(at, *others)), came(at, own)),
        )
        for at, assumed in enumerate(ASSUMED)
    )


def came(level: int, *many: Concepts) -> list[Came]:
    """What became of those concepts' buyers of one level of commitment."""
    return [
        Came(int(n), int(k))
        for each in many
        for n, k in zip(each.buyers[:, -1, level], each.orders[:, level], strict=True)
    ]


def a_category(rng: np.random.Generator) -> Conversions:
    """How interest turns into orders in a category of its own."""
    found = []
    for usual in TRUE_CONVERSION:
        mean = rng.beta(usual.mean * BETWEEN_CATEGORIES, (1 - usual.mean) * BETWEEN_CATEGORIES)
        size = usual.orders + usual.others
        found.append(Conversion(mean * size, (1 - mean) * size))
    return tuple(found)


@dataclass(frozen=True)
class Look:
    """One day's look at the concepts that still run."""

    day: int
    rows: NDArray[np.bool_]
    chance: Floats


def looks(concepts: Concepts, priors: tuple[Prior, ...], rng: np.random.Generator) -> Iterator[Look]:
    """Every day's look at every concept that still runs."""
    for day in range(max(DAYS)):
        rows = concepts.days > day
        seen = np.full(int(rows.sum()), day + 1.0)
        left = concepts.days[rows] - seen
        found = forecast(concepts.evidence(rows, day), priors, days_seen=seen, days_left=left, rng=rng, draws=DRAWS)
        yield Look(day, rows, found.chance_of(concepts.minimum[rows]))


@dataclass(frozen=True)
class Verdicts:
    """Which concepts each rule ever called validated; `highest` is the greatest P(≥ minimum) at a look that counts."""

    rule: NDArray[np.bool_]
    followed: NDArray[np.bool_]  # as rule, had "stop" always been followed
    uncalibrated: NDArray[np.bool_]  # P ≥ 0.95 at any look
    wanted: NDArray[np.bool_]  # pieces wanted ≥ minimum
    expected: NDArray[np.bool_]  # pieces wanted × usual conversion ≥ minimum
    highest: Floats
    day: Floats  # of the rule's verdict, as a share of the time


def judged(concepts: Concepts, priors: tuple[Prior, ...], rule: Rule, rng: np.random.Generator) -> Verdicts:
    """Every rule's verdict on each concept after all its days."""
    count = len(concepts.days)
    usual = np.array([prior.conversion.mean for prior in priors])
    no = np.zeros(count, bool)
    found = Verdicts(no.copy(), no.copy(), no.copy(), no.copy(), no.copy(), np.zeros(count), np.ones(count))
    stopped = no.copy()
    for look in looks(concepts, priors, rng):
        rows, pieces = look.rows, concepts.pieces[look.rows, look.day]
        share = (look.day + 1) / concepts.days[rows]
        enough = concepts.buyers[rows, look.day].sum(axis=-1) >= rule.fewest_buyers
        counts = np.where((share >= rule.earliest_share) & enough, look.chance, 0)
        crossed = counts >= rule.validated_from
        found.day[rows] = np.where(crossed & ~found.rule[rows], share, found.day[rows])
        found.rule[rows] |= crossed
        found.followed[rows] |= crossed & ~stopped[rows]
        stopped[rows] |= (share >= rule.earliest_share) & (look.chance < rule.stop_below)
        found.highest[rows] = np.maximum(found.highest[rows], counts)
        found.uncalibrated[rows] |= look.chance >= 0.95
        found.wanted[rows] |= pieces.sum(axis=-1) >= concepts.minimum[rows]
        found.expected[rows] |= (pieces * usual).sum(axis=-1) >= concepts.minimum[rows]
    return found


RULES = ("rule", "uncalibrated", "expected", "wanted")


@dataclass(frozen=True)
class Setting:
    """Categories, each with priors learned from earlier concepts of its own."""

    categories: tuple[tuple[Prior, ...], ...]
    each: int  # concepts of a category

    @classmethod
    def of(cls, concepts: int, rng: np.random.Generator) -> "Setting":
        """So many concepts in categories of fifty."""
        count = -(-concepts // A_CATEGORY)
        return cls(tuple(learned(rng) for _ in range(count)), concepts // count)

    def judged(self, world: World, spread: Floats, rng: np.random.Generator) -> Verdicts:
        """Verdicts on concepts of every category; `spread` are the ratios of expected orders to minimum in each."""
        parts = [judged(simulate(world, spread, rng), priors, STATED_RULE, rng) for priors in self.categories]
        return Verdicts(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Verdicts)))


def errors(setting: Setting, rng: np.random.Generator) -> list[dict[str, Any]]:
    """In each world: false "validated" of concepts just at their minimum, and power at twice it."""
    rows = []
    for world in WORLDS:
        at = setting.judged(world, np.ones(setting.each), rng)
        twice = setting.judged(world, np.full(setting.each, 2.0), rng)
        row: dict[str, Any] = {"world": world.name}
        row |= {f"false_{rule}": float(getattr(at, rule).mean()) for rule in RULES}
        row |= {f"power_{rule}": float(getattr(twice, rule).mean()) for rule in RULES}
        row["power_followed"] = float(twice.followed.mean())
        row["decided_after"] = float(np.median(twice.day[twice.rule]))
        rows.append(row)
    return rows


def young(concepts: int, rng: np.random.Generator) -> list[dict[str, float]]:
    """Errors and power in categories with few outcomes of their own, whose conversion differs from the market's.

    Every young category has a market of other categories of its own to borrow from.
    """
    rows = []
    for own in OWN_OUTCOMES:
        at, twice = [], []
        for _ in range(-(-concepts // A_CATEGORY)):
            spread = np.exp(rng.normal(0, 0.5, OUTCOMES_OF_EACH))
            market = [simulate(WORLDS[0], spread, rng, a_category(rng)) for _ in range(OTHER_CATEGORIES)]
            converts = a_category(rng)
            priors = learned(rng, own, converts, *market)
            for ratio, found in ((1.0, at), (2.0, twice)):
                shown = simulate(WORLDS[0], np.full(A_CATEGORY, ratio), rng, converts)
                found.append(judged(shown, priors, STATED_RULE, rng).rule)
        rows.append(
            {
                "own": own,
                "false_rule": float(np.concatenate(at).mean()),
                "power_rule": float(np.concatenate(twice).mean()),
            }
        )
    return rows


def calibration(setting: Setting, rng: np.random.Generator) -> dict[str, Any]:
    """Concepts of all worlds and strengths: is P(≥ minimum) as often right as it says? What became of the validated?"""
    said, came, short, validated = [], [], 0, 0
    for at, priors in enumerate(setting.categories):
        concepts = simulate(WORLDS[at % len(WORLDS)], np.exp(rng.normal(0, 0.6, setting.each)), rng)
        reached = concepts.ordered >= concepts.minimum
        for look in looks(concepts, priors, rng):
            said.append(look.chance)
            came.append(reached[look.rows])
        verdicts = judged(concepts, priors, STATED_RULE, rng)
        validated += int(verdicts.rule.sum())
        short += int((verdicts.rule & ~reached).sum())
    chance, truth = np.concatenate(said), np.concatenate(came).astype(float)
    bins = np.minimum((chance * BINS).astype(int), BINS - 1)
    table = [
        {"looks": int(mine.sum()), "said": float(chance[mine].mean()), "came": float(truth[mine].mean())}
        for at in range(BINS)
        if (mine := bins == at).any()
    ]
    ece = sum(row["looks"] * abs(row["said"] - row["came"]) for row in table) / len(chance)
    return {"ece": ece, "table": table, "validated": validated, "validated_short": short}


def wasted(count: int, rng: np.random.Generator) -> dict[str, float]:
    """Exposure that went to losing variants, and wants lost by it, beside showing all evenly; shares change daily."""
    rates = 0.03 * np.exp(rng.normal(0, 0.4, (count, VARIANTS)))
    best = rates.max(axis=-1, keepdims=True)
    shown, wanted, part = np.zeros_like(rates), np.zeros_like(rates), np.full_like(rates, 1 / VARIANTS)
    least = 1.0
    for _day in range(21):
        today = rng.multinomial(SHOWN_A_DAY, part)
        shown, wanted = shown + today, wanted + rng.binomial(today, rates)
        part = shares(wanted, shown, rng=rng, draws=100)
        least = min(least, float(part.min()))
    losing = np.where(rates < best, shown, 0).sum() / shown.sum()
    return {
        "losing_share": float(losing),
        "losing_share_even": 1 - 1 / VARIANTS,
        "wants_lost": float(1 - (shown * rates).sum() / (shown * best).sum()),
        "wants_lost_even": float(1 - rates.mean() / best.mean()),
        "leader_is_best": float((wanted / np.maximum(shown, 1)).argmax(-1).__eq__(rates.argmax(-1)).mean()),
        "least_share": least,
    }


def calibrate(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """In each world the bound that 4.5 % of concepts at their minimum cross; the rule takes the highest."""
    one = np.ones(setting.each)
    return {each.name: float(np.quantile(setting.judged(each, one, rng).highest, 0.955)) for each in WORLDS}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help=f"{QUICK_CONCEPTS} concepts instead of {CONCEPTS}")
    options.add_argument("--json", action="store_true", help="end with one JSON line")
    options.add_argument("--calibrate", action="store_true", help="only find the bound, on concepts of another seed")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    count, began = QUICK_CONCEPTS if chosen.quick else CONCEPTS, time.perf_counter()
    rng = np.random.default_rng([chosen.seed, int(chosen.calibrate)])
    setting = Setting.of(count, rng)
    if chosen.calibrate:
        bounds = calibrate(setting, rng)
        print(json.dumps(bounds) if chosen.json else f"{max(bounds.values()):.4f}: {bounds}")
        return 0
    found = {
        "bench": "validation",
        "concepts": count,
        "rule": asdict(STATED_RULE),
        "worlds": errors(setting, rng),
        "young": young(count, rng),
        "calibration": calibration(setting, rng),
        "exposure": wasted(count, rng),
    }
    found["seconds"] = round(time.perf_counter() - began, 1)
    report(found)
    if chosen.json:
        print(json.dumps(found))
    return 0


def report(found: dict[str, Any]) -> None:
    """The figures as lines, each goal beside its figure."""
    names = {"rule": "the rule", "uncalibrated": "P ≥ 0.95", "expected": "wanted × usual", "wanted": "wanted ≥ min"}
    print(f"{'false / power (%)':18}" + "".join(f"{name:>18}" for name in names.values()))
    for row in found["worlds"]:
        pairs = (f"{row[f'false_{rule}']:.1%} / {row[f'power_{rule}']:.1%}" for rule in names)
        print(f"{row['world']:18}" + "".join(f"{pair:>18}" for pair in pairs))
    most = max(row["false_rule"] for row in found["worlds"])
    power = [row["power_rule"] for row in found["worlds"]]
    followed = min(row["power_followed"] for row in found["worlds"])
    print(f"false “validated” at the minimum: at most {most:.1%} ({met(most <= ALPHA)} ≤ {ALPHA:.0%})")
    mean = float(np.mean(power))
    print(f"power at twice the minimum: {mean:.1%} over the worlds ({met(mean >= POWER)} ≥ {POWER:.0%})")
    print(f"  least {min(power):.1%}; had “stop” been followed {followed:.1%}")
    for row in found["young"]:
        borrowed = f"{row['own']} outcomes of its own, conversion borrowed from {OTHER_CATEGORIES} other categories"
        print(f"{borrowed}: {row['false_rule']:.1%} / {row['power_rule']:.1%}")
    fit, shown = found["calibration"], found["exposure"]
    print(f"ECE of P(≥ minimum): {fit['ece']:.3f} ({met(fit['ece'] <= ECE)} ≤ {ECE}); said → came, looks:")
    for line in fit["table"]:
        print(f"  {line['said']:6.1%} → {line['came']:6.1%} {line['looks']:8}")
    print(f"of {fit['validated']} validated, {fit['validated_short']} fell short of their minimum in the end")
    print(
        f"exposure on losing variants: {shown['losing_share']:.1%}, evenly {shown['losing_share_even']:.1%}; "
        f"wants lost by it {shown['wants_lost']:.1%}, evenly {shown['wants_lost_even']:.1%}; "
        f"least share of any variant {shown['least_share']:.1%}"
    )
    print(f"{found['seconds']} s")


def met(goal: bool) -> str:
    return "goal met:" if goal else "GOAL MISSED:"


if __name__ == "__main__":
    raise SystemExit(main())
