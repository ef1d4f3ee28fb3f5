"""Capable to promise: when free capacity could have a campaign's pieces with their buyers; asking reserves nothing.

Whatever will be asked of the lines of a kind of product is placed on them in the order in which it becomes certain, as
a plan would: on the line that makes all of it at the least cost, lateness and risk counted in, else on as few as it
takes, in the earliest weeks. The weeks left free after each step are kept, so that any campaign is answered by placing
its own pieces alone.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from c2m.matching.market import LATE_WEEKS, Line
from c2m.matching.rules import WEEK, arrival, first_week, starts_at
from c2m.money import PPM

DAY = timedelta(days=1)
WEEKS = 26
PACE_FROM = 1 / 3  # of its time has passed before a campaign's pace so far says something of its end

EVERY = 16  # claims placed from one kept state to the next
BETWEEN = 2  # numbers of pieces tried between the ends of a range
CANDIDATES = 12  # lines whose lateness is worked out

Pieces = NDArray[np.int64]


@dataclass(frozen=True)
class Claim:
    """Pieces that lines will be asked for: those that are sure to come, and those that are likely by then."""

    certain_at: datetime
    required: datetime
    target_cost_minor: int  # a piece
    late_minor: int  # a piece and week late
    sure: int
    likely: int


SURE: Callable[[Claim], int] = attrgetter("sure")
LIKELY: Callable[[Claim], int] = attrgetter("likely")


@dataclass(frozen=True)
class Window:
    """Between which instants so many pieces arrive.

    No `latest`: the free weeks of the horizon don't suffice for one end of the range; no `earliest`: for neither.
    """

    pieces: tuple[int, int]
    earliest: datetime | None
    latest: datetime | None
    factories: int = 0


def likely_pieces(pieces: int, *, minimum: int, cap: int | None, elapsed: float, growth: float) -> int:
    """What a campaign may well come to: as many more as its pace or that of earlier ones brings in the time left.

    Buyers crowd at the deadline: with a share t of the time left, the root of t of the whole may still come.

    Args:
        elapsed: the share of its time that has passed, from 0 to 1.
        growth: what a good one of the earlier campaigns came to, as a multiple of its minimum.
    """
    whole = max(growth * minimum, pieces / max(elapsed, PACE_FROM))
    most = max(pieces + int(math.sqrt(1 - elapsed) * whole), minimum)
    return most if cap is None else min(most, max(cap, pieces))


def _between(few: int, many: int) -> list[int]:
    """Numbers of pieces from few to many, both ends among them, evenly apart by their ratio; an end twice where it is
    the other."""
    if few >= many:
        return [few, many]
    steps = np.geomspace(max(few, 1), many, BETWEEN + 2)[1:-1]
    return [few, *sorted({round(step) for step in steps} - {few, many}), many]


class Outlook:
    """The free weeks of the lines of one kind of product, with what will be asked of them before a given moment.

    Free pieces are kept as sums over the weeks before each week, (lines, WEEKS + 1), once in every `EVERY` claims.
    """

    def __init__(self, start: date, lines: Sequence[Line], claims: Sequence[Claim]) -> None:
        self.start = start
        steps = max((len(line.terms.steps) for line in lines), default=1)
        shape = len(lines), steps
        self._lead = np.array([line.terms.lead_days for line in lines], dtype=np.int64)
        self._smallest = np.array([max(line.terms.smallest_order, 1) for line in lines], dtype=np.int64)
        self._setup = np.array([line.terms.setup_minor for line in lines], dtype=np.int64)
        self._risk = np.array([(PPM - line.on_time_ppm) / PPM for line in lines])
        self._from, self._minor, self._ppm = np.full(shape, np.iinfo(np.int64).max), np.zeros(shape), np.zeros(shape)
        free = np.zeros((len(lines), WEEKS + 1), dtype=np.int64)
        for at, line in enumerate(lines):
            free[at, 1 : len(line.free) + 1] = line.free[:WEEKS]
            for k, step in enumerate(line.terms.steps):
                self._from[at, k] = step.from_quantity
                self._minor[at, k], self._ppm[at, k] = step.unit_price_minor or 0, step.target_ppm or 0
        self._claims = sorted(claims, key=lambda claim: claim.certain_at)
        self._certain_at = [claim.certain_at for claim in self._claims]
        now = np.cumsum(free, axis=1)
        self._kept = {which: self._kept_states(now, which) for which in (SURE, LIKELY)}

    def window(self, own: Claim) -> Window:
        """When a claim's pieces arrive, from the sure ones after what is sure to come before them to the likely ones
        after what is likely to.

        Numbers between the ends are tried as well: a larger order may open a line that is free sooner.
        """
        before = bisect_left(self._certain_at, own.certain_at)
        quantities = _between(own.sure, own.likely)
        opening = self._smallest[(self._smallest > own.sure) & (self._smallest < own.likely)]
        either = [
            [self._place(free.copy(), own, pieces) for pieces in some]
            for some, free in (
                ([*quantities[:-1], *np.unique(opening)[:BETWEEN].tolist()], self.before(before, SURE)),
                (quantities[1:], self.before(before, LIKELY)),
            )
        ]
        found = sorted(arrives for some in either for arrives in some if arrives)
        latest = found[-1] if found and either[0][0] and either[1][-1] else None
        return Window((own.sure, own.likely), found[0] if found else None, latest)

    def before(self, claims: int, which: Callable[[Claim], int]) -> Pieces:
        """What is free once so many claims are placed with the one or the other number of pieces."""
        free = self._kept[which][claims // EVERY].copy()
        for claim in self._claims[claims - claims % EVERY : claims]:
            self._place(free, claim, which(claim))
        return free

    def _kept_states(self, now: Pieces, which: Callable[[Claim], int]) -> list[Pieces]:
        free, kept = now.copy(), [now]
        for at, claim in enumerate(self._claims, start=1):
            self._place(free, claim, which(claim))
            if at % EVERY == 0:
                kept.append(free.copy())
        return kept

    def _place(self, free: Pieces, claim: Claim, pieces: int) -> datetime | None:
        """Take a claim's pieces out of what is free, as far as there is room; when the last of them arrives, if all
        have room."""
        first = min(max((first_week(claim.certain_at) - self.start).days // 7, 0), WEEKS)
        due = (claim.required - starts_at(self.start)) / DAY
        arrives = []
        for late_weeks in (LATE_WEEKS, 2 * WEEKS):
            last = np.clip((due + 7 * late_weeks - self._lead) // 7, first, WEEKS).astype(np.int64)
            room = free[np.arange(len(free)), last] - free[:, first]
            while pieces:
                line = self._cheapest(free, room, claim, pieces, (first, last, due))
                if line is None:
                    break
                wanted = min(int(room[line]), pieces)
                taken = np.minimum(np.maximum(free[line] - free[line, first], 0), wanted)
                arrives.append(arrival(self.start + WEEK * int(np.argmax(taken == wanted) - 1), int(self._lead[line])))
                free[line] -= taken
                pieces -= wanted
                room[line] = 0
        return None if pieces or not arrives else max(arrives)

    def _cheapest(
        self, free: Pieces, room: Pieces, claim: Claim, pieces: int, weeks: tuple[int, Pieces, float]
    ) -> int | None:
        """The line that makes all pieces at the least cost, else as many of them; of the cheapest few the one whose
        lateness costs least on top."""
        first, _, due = weeks
        wanted = np.minimum(room, pieces)
        cost = np.where(wanted >= self._smallest, self._each(wanted, claim), np.inf)
        whole = np.where(room >= pieces, cost, np.inf)
        if np.isfinite(whole).any():
            cost = whole
        few = np.argsort(cost, kind="stable")[:CANDIDATES]
        few = few[np.isfinite(cost[few])]
        if not len(few):
            return None
        made = np.diff(np.minimum(np.maximum(free[few] - free[few, first][:, None], 0), wanted[few][:, None]))
        days_late = 7 * (np.arange(WEEKS) + 1) + self._lead[few][:, None] - due
        late = (made * np.ceil(np.maximum(days_late, 0) / 7)).sum(axis=1) / wanted[few]
        return int(few[np.argmin(cost[few] + claim.late_minor * late)])

    def _each(self, pieces: Pieces, claim: Claim) -> NDArray[np.float64]:
        """What a piece of an order of so many costs on each line, setup and risk included."""
        step = np.maximum((self._from <= pieces[:, None]).sum(axis=1) - 1, 0)
        at = np.arange(len(step)), step
        unit = np.where(self._minor[at] > 0, self._minor[at], self._ppm[at] * claim.target_cost_minor / PPM)
        each: NDArray[np.float64] = unit + self._setup / np.maximum(pieces, 1) + claim.late_minor * self._risk
        return each
