"""What every sheet does best at given capacity prices, exactly, and the bound on the whole plan that follows.

With prices on capacity the sheets fall apart (Lagrangian relaxation), and each decides alone: one offer takes its
pieces in the cheapest weeks, or several offers share them. Sets of offers are enumerated under an upper bound, that of
pricing the sheet's pieces too: a set gains at most `worth · pieces` and what each offer gains beyond that worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from c2m.matching.optimiser.highs import Vector
from c2m.matching.optimiser.market import Market
from c2m.matching.optimiser.model import Pick

WORTHS = 16  # piece prices at which a set of offers is bounded
DEEPEST = 3  # offers sharing one sheet that are enumerated; more only as the bound's relaxation suggests
MOST_SETS = 200  # sets a sheet and pricing, after which the upper bound stands in for the best
NEGLIGIBLE = 1e-6  # money

Places = NDArray[np.int64]


class Pattern(NamedTuple):
    """One way to serve a sheet: its cost without capacity prices, the picks (by place) taken for it, and its load on
    line-weeks."""

    sheet: int
    cost: float
    picks: tuple[int, ...]
    load: dict[tuple[int, int], float]


@dataclass(slots=True)
class Terms:
    """Every pick at given capacity prices, a row a pick and a column a week from the cheapest to the dearest.

    `lowest` is what its smallest quantity costs, `at_least` how that spreads over the weeks, `beyond` what each week
    holds on top, `marginal` the cost of a piece in each, `alone` what the pick gains on its own. `worths` are the piece
    prices at which sets are bounded (sheet × worth), `gains` what each pick gains beyond them (pick × worth).
    """

    weeks: Places
    marginal: Vector
    at_least: Vector
    beyond: Vector
    lowest: Vector
    alone: Vector
    worths: Vector
    gains: Vector


@dataclass(frozen=True, slots=True)
class Quote:
    """The bound that holds at some capacity prices, and each sheet's best pattern and greatest possible gain."""

    bound: float
    gains: Vector
    patterns: list[Pattern]
    terms: Terms


@dataclass(slots=True)
class Pricer:
    """Every pick of some sheets as arrays."""

    market: Market
    sheets: Sequence[int]
    picks: list[Pick] = field(init=False)
    choices: list[int] = field(init=False)
    sheet: Places = field(init=False)
    row: Places = field(init=False)
    line: Places = field(init=False)
    capacity: Vector = field(init=False)
    _load: Vector = field(init=False)
    _late: Vector = field(init=False)
    _room: Vector = field(init=False)
    _low: Vector = field(init=False)
    _high: Vector = field(init=False)
    _fixed: Vector = field(init=False)
    _unit: Vector = field(init=False)
    _quantity: Vector = field(init=False)
    _value: Vector = field(init=False)
    _most: Places = field(init=False)
    _starts: Places = field(init=False)
    _joins: list[int | None] = field(init=False)

    def __post_init__(self) -> None:
        market = self.market
        self.choices = [c for s in self.sheets for c in market.demands[s].choices]
        choices = [market.choices[c] for c in self.choices]
        place = {s: at for at, s in enumerate(self.sheets)}
        self.picks = [(c, k) for c in self.choices for k in range(len(market.choices[c].prices))]
        self.row = np.repeat(np.arange(len(choices)), [len(choice.prices) for choice in choices])
        self.sheet = np.array([place[choice.sheet] for choice in choices], dtype=np.int64)[self.row]
        self.line = np.array([choice.line for choice in choices], dtype=np.int64)
        self.capacity = np.array(market.capacity)
        self._load = np.array([choice.load for choice in choices])
        self._late = np.full((len(choices), self.capacity.shape[1]), np.inf)
        for at, choice in enumerate(choices):
            self._late[at, list(choice.weeks)] = choice.late
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(self._load[:, None] > 0, self.capacity[self.line] / self._load[:, None], np.inf)
        self._room = np.where(np.isfinite(self._late), room, 0.0)
        prices = [price for choice in choices for price in choice.prices]
        self._low, self._high, self._fixed, self._unit = (
            np.array(figures, dtype=np.float64)
            for figures in zip(*((p.low, p.high, p.fixed, p.unit) for p in prices), strict=True)
        )
        demands = [market.demands[s] for s in self.sheets]
        self._quantity = np.array([demand.quantity for demand in demands], dtype=np.float64)
        self._value = np.array([demand.value for demand in demands])
        # Where some factories don't count towards the limit it is left to the enumeration alone.
        counted = [not demand.joined and demand.one_choice_per_factory for demand in demands]
        self._most = np.array(
            [
                1 if d.single else min(d.slots, len(d.choices)) if plain else len(d.choices)
                for d, plain in zip(demands, counted, strict=True)
            ],
            dtype=np.int64,
        )
        self._starts = np.searchsorted(self.sheet, np.arange(len(self.sheets) + 1))
        joined = [demand.joined for demand in demands]
        self._joins = [None if c.factory in joined[place[c.sheet]] else c.factory for c in choices]

    def quote(self, prices: Vector, opening: Vector) -> Quote:
        """The best every sheet can do at these capacity prices (line × week).

        `opening` is what each choice contributes to opening its factory.
        """
        terms = self._terms(prices, opening)
        gains = np.zeros(len(self.sheets))
        patterns = []
        for at in range(len(self.sheets)):
            theirs = slice(self._starts[at], self._starts[at + 1])
            first = int(self._starts[at] + np.argmax(terms.alone[theirs]))
            if terms.alone[first] <= 0 and self.market.demands[self.sheets[at]].fill <= 1:
                continue
            if self._most[at] == 1:
                gains[at], pieces = terms.alone[first], {first: self._on_its_own(terms, at, first)}
            else:
                gains[at], pieces = self._best_set(terms, at)
            if pieces and gains[at] > 0:
                patterns.append(self._pattern(terms, at, pieces))
        gains = np.maximum(0.0, gains)
        bound = float((self._quantity * self._value - gains).sum()) + self._capacity_term(prices, opening)
        return Quote(bound, gains, patterns, terms)

    def slack(self, quote: Quote) -> Vector:
        """How much at least each pick would raise the quote's bound if it had to be taken."""
        terms = quote.terms
        alone = np.where(self._most[self.sheet] == 1, terms.alone, np.inf)
        shared = np.flatnonzero(self._most[self.sheet] > 1)
        if len(shared):
            sheet, row = self.sheet[shared], self.row[shared]
            for at in range(WORTHS):
                gain = terms.gains[shared, at]
                others = _best_others(np.maximum(0.0, gain), row, sheet, self._most[sheet])
                with_it = terms.worths[sheet, at] * self._quantity[sheet] + gain + others
                alone[shared] = np.minimum(alone[shared], with_it)
        return np.maximum(0.0, quote.gains[self.sheet] - alone)

    def nearest(self, slack: Vector, picks: int) -> NDArray[np.bool_]:
        """The picks of smallest slack, so many a sheet."""
        ranked = np.lexsort((np.arange(len(slack)), slack, self.sheet))
        sheets = self.sheet[ranked]
        first = np.searchsorted(sheets, sheets, side="left")
        chosen = np.zeros(len(slack), dtype=np.bool_)
        chosen[ranked[np.arange(len(slack)) - first < picks]] = True
        return chosen

    def _terms(self, prices: Vector, opening: Vector) -> Terms:
        marginal = self._late + prices[self.line] * self._load[:, None]
        weeks = np.argsort(marginal, axis=1, kind="stable")
        marginal = np.take_along_axis(marginal, weeks, 1)
        marginal = np.where(np.isfinite(marginal), marginal, 0.0)[self.row] + self._unit[:, None]
        room = np.cumsum(np.take_along_axis(self._room, weeks, 1), axis=1)[self.row]
        pieces = np.diff(np.minimum(room, self._high[:, None]), axis=1, prepend=0.0)
        at_least = np.diff(np.minimum(room, self._low[:, None]), axis=1, prepend=0.0)
        lowest = self._fixed + opening[self.row] + (marginal * at_least).sum(axis=1)
        beyond = pieces - at_least
        value = self._value[self.sheet][:, None]
        alone = self._gain(marginal, beyond, lowest, value)[:, 0]
        worths = self._worths(marginal, beyond, lowest)
        gains = self._gain(marginal, beyond, lowest, value - worths[self.sheet])
        return Terms(weeks, marginal, at_least, beyond, lowest, alone, worths, gains)

    def _gain(self, marginal: Vector, beyond: Vector, lowest: Vector, worths: Vector) -> Vector:
        """What each pick gains where a piece is worth so much (pick × worth)."""
        gain = worths * self._low[:, None] - lowest[:, None]
        for week in range(beyond.shape[1]):
            gain += np.maximum(0.0, worths - marginal[:, week : week + 1]) * beyond[:, week : week + 1]
        return gain

    def _worths(self, marginal: Vector, beyond: Vector, lowest: Vector) -> Vector:
        """Prices of a sheet's pieces between which those lie that bound its sets best: 0, and from what the dearest
        pick leaves of the value, at its lowest average cost, to what the cheapest one leaves of it."""
        pieces = self._low[:, None] + np.cumsum(beyond, axis=1)
        average = ((lowest[:, None] + np.cumsum(marginal * beyond, axis=1)) / pieces).min(axis=1)
        gain = self._value[self.sheet] - np.minimum(average, lowest / self._low)
        most, least = np.zeros(len(self.sheets)), np.full(len(self.sheets), np.inf)
        np.maximum.at(most, self.sheet, gain)
        np.minimum.at(least, self.sheet, gain)
        least = np.clip(least, 0.0, most)[:, None]
        steps = np.linspace(0.0, 1.0, WORTHS - 1)[None, :]
        return np.hstack([np.zeros((len(self.sheets), 1)), least + (most[:, None] - least) * steps])

    def _on_its_own(self, terms: Terms, at: int, pick: int) -> Vector:
        """Pieces by week (cheapest first) that a pick takes where nobody else does."""
        worth_it = terms.marginal[pick] < self._value[at]
        return np.asarray(terms.at_least[pick] + np.where(worth_it, terms.beyond[pick], 0.0))

    def _best_set(self, terms: Terms, at: int) -> tuple[float, dict[int, Vector]]:
        """The greatest gain of one or several picks together, an upper bound of it where the search is cut short,
        and the pieces by week of the best set found."""
        demand = self.market.demands[self.sheets[at]]
        picks = np.arange(self._starts[at], self._starts[at + 1])
        if demand.fill <= 1:
            picks = picks[terms.alone[picks] > 0]
        picks = picks[np.argsort(-terms.alone[picks], kind="stable")]
        gains, whole = terms.gains[picks], terms.worths[at] * self._quantity[at]
        most = int(self._most[at])
        ranked = -np.sort(-np.maximum(0.0, gains), axis=0)[:most]
        tops = np.vstack([np.zeros(WORTHS), np.cumsum(ranked, axis=0)])
        at_most = float((whole + tops[-1]).min())
        gain, best = self.share(terms, at, picks[:1].tolist())
        if at_most <= gain + NEGLIGIBLE:
            return gain, best
        search = _SetSearch(self, terms, at, picks, gains, tops, min(most, DEEPEST), gain, best)
        search.extend([], 0, whole)
        if most > DEEPEST:
            worth = int((whole + tops[-1]).argmin())
            search.offer(self._together(at, picks, gains[:, worth]))
        unsure = most > DEEPEST or search.tried >= MOST_SETS
        return (max(search.gain, at_most) if unsure else search.gain), search.best

    def may_share(self, at: int, picks: Places) -> bool:
        """Whether these picks are of different offers, and of no more factories than the sheet may have."""
        rows = [int(row) for row in self.row[picks]]
        joining = {self._joins[row] for row in rows} - {None}
        return len(set(rows)) == len(rows) and len(joining) <= self.market.demands[self.sheets[at]].slots

    def _together(self, at: int, picks: Places, gains: Vector) -> list[int]:
        """As many picks as may share the sheet, those of greatest gain first."""
        chosen: list[int] = []
        pieces = 0.0
        for place in np.argsort(-gains, kind="stable"):
            pick = int(picks[place])
            fits = pieces + self._low[pick] <= self._quantity[at]
            if gains[place] > 0 and fits and self.may_share(at, np.array([*chosen, pick])):
                chosen.append(pick)
                pieces += float(self._low[pick])
        return chosen

    def share(self, terms: Terms, at: int, picks: list[int]) -> tuple[float, dict[int, Vector]]:
        """The gain of exactly these picks together, and their pieces by week; no pieces where they can't be."""
        value, left = float(self._value[at]), float(self._quantity[at] - self._low[picks].sum())
        if left < 0 or not picks:
            return 0.0, {}
        pieces = {pick: terms.at_least[pick].copy() for pick in picks}
        gain = value * float(self._low[picks].sum()) - float(terms.lowest[picks].sum())
        unfilled = self.market.demands[self.sheets[at]].fill - (float(self._quantity[at]) - left)
        steps = [
            (float(marginal), pick, week, float(beyond))
            for pick in picks
            for week, (marginal, beyond) in enumerate(zip(terms.marginal[pick], terms.beyond[pick], strict=True))
            if beyond > 0
        ]
        for marginal, pick, week, beyond in sorted(steps):
            taken = min(left, beyond) if marginal < value else min(left, beyond, unfilled)
            if taken <= 0:
                break
            pieces[pick][week] += taken
            gain += (value - marginal) * taken
            left -= taken
            unfilled -= taken
        return (gain, pieces) if unfilled <= NEGLIGIBLE else (0.0, {})

    def _pattern(self, terms: Terms, at: int, pieces: dict[int, Vector]) -> Pattern:
        load: dict[tuple[int, int], float] = {}
        cost, left = 0.0, float(self._quantity[at])
        for pick, by_week in pieces.items():
            row, total = self.row[pick], float(by_week.sum())
            left -= total
            cost += float(self._fixed[pick] + self._unit[pick] * total)
            for place in np.flatnonzero(by_week > 0):
                week = int(terms.weeks[row, place])
                cost += float(self._late[row, week] * by_week[place])
                key = (int(self.line[row]), week)
                load[key] = load.get(key, 0.0) + float(self._load[row] * by_week[place])
        return Pattern(at, cost + float(self._value[at]) * left, tuple(pieces), load)

    def nothing(self, at: int) -> Pattern:
        """The pattern of a sheet whose every piece is left."""
        return Pattern(at, float(self._quantity[at] * self._value[at]), (), {})

    def _capacity_term(self, prices: Vector, opening: Vector) -> float:
        """What the priced capacity gives back: all of it where a factory is open, at best nothing where it isn't."""
        market = self.market
        rent = -(prices * self.capacity).sum(axis=1)
        total = 0.0
        to_open: dict[int, float] = {}
        for line, factory in enumerate(market.line_factory):
            if market.open_cost[factory] > 0:
                to_open[factory] = to_open.get(factory, market.open_cost[factory]) + float(rent[line])
            else:
                total += float(rent[line])
        for at, c in enumerate(self.choices):
            if (factory := market.choices[c].factory) in to_open:
                to_open[factory] -= float(opening[at])
        return total + sum(min(0.0, cost) for cost in to_open.values())


@dataclass(slots=True)
class _SetSearch:
    """Enumerates sets of a sheet's picks under their upper bounds; `picks` by falling gain, `gains` at each worth,
    `tops` the sums of the so many greatest of them."""

    pricer: Pricer
    terms: Terms
    at: int
    picks: Places
    gains: Vector
    tops: Vector
    deepest: int
    gain: float
    best: dict[int, Vector]
    tried: int = 0

    def extend(self, chosen: list[int], first: int, base: Vector) -> None:
        """Try every set that holds those chosen and some from `first` on, as long as it may gain more."""
        others = self.tops[min(self.deepest - len(chosen) - 1, len(self.tops) - 1)]
        hopes = (base + self.gains[first:] + others).min(axis=1)
        for step in np.argsort(-hopes, kind="stable"):
            if hopes[step] <= self.gain + NEGLIGIBLE or self.tried >= MOST_SETS:
                return
            together = [*chosen, first + int(step)]
            if not self.pricer.may_share(self.at, self.picks[together]):
                continue
            self.offer(self.picks[together].tolist())
            if len(together) < self.deepest:
                self.extend(together, together[-1] + 1, base + self.gains[together[-1]])

    def offer(self, picks: list[int]) -> None:
        """Keep these picks if they gain more."""
        if len(picks) == 1 and self.terms.alone[picks[0]] <= self.gain:
            return
        self.tried += 1
        gain, pieces = self.pricer.share(self.terms, self.at, picks)
        if gain > self.gain:
            self.gain, self.best = gain, pieces


def _best_others(gain: Vector, row: Places, sheet: Places, most: Places) -> Vector:
    """For each pick, the sum of the best gains of all but one of the `most` choices that may serve its sheet, each
    another choice than the pick's own; picks of a choice, and choices of a sheet, stand together."""
    rows, firsts = np.unique(row, return_index=True)
    best = np.maximum.reduceat(gain, firsts)
    sheets, limit = sheet[firsts], most[firsts]
    ranked = np.lexsort((-best, sheets))
    start = np.searchsorted(sheets[ranked], sheets[ranked], side="left")
    rank = np.arange(len(rows)) - start
    among = np.where(rank < limit[ranked], best[ranked], 0.0)
    below = np.where(rank < limit[ranked] - 1, best[ranked], 0.0)
    ordered = sheets[ranked]
    _, groups, inverse = np.unique(ordered, return_index=True, return_inverse=True)
    top, short = np.add.reduceat(among, groups)[inverse], np.add.reduceat(below, groups)[inverse]
    others = np.empty(len(rows))
    others[ranked] = np.where(rank < limit[ranked] - 1, top - best[ranked], short)
    return np.asarray(others[np.searchsorted(rows, row)])
