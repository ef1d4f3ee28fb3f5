"""Capable to promise: when free capacity could have a campaign's pieces with their buyers; asking reserves nothing.

Whatever will be asked of the lines of a kind of product is placed on them in the order in which it becomes certain, as
a plan would: on the line that makes all of it at the least cost, lateness and risk counted in, else on as few as it
takes, in the earliest weeks. The weeks left free after each step are kept, so that any campaign is answered by placing
its own pieces alone.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from c2m.matching.market import LATE_WEEKS, Line
from c2m.matching.rules import WEEK, arrival, first_week, starts_at
from c2m.money import PPM

DAY = timedelta(days=1)
WEEKS = 26
PACE_FROM = 1 / 3  # of its time has passed before a campaign's pace so far says something of its end

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


class Outlook:
    """The free weeks of the lines of one kind of product, with what will be asked of them before a given moment."""

    def __init__(self, start: date, lines: Sequence[Line], claims: Sequence[Claim]) -> None:
        self.start = start
        steps = max((len(line.terms.steps) for line in lines), default=1)
        shape = len(lines), steps
        self._lead = np.array([line.terms.lead_days for line in lines], dtype=np.int64)
        self._smallest = np.array([line.terms.smallest_order for line in lines], dtype=np.int64)
        self._setup = np.array([line.terms.setup_minor for line in lines], dtype=np.int64)
        self._from, self._minor, self._ppm = np.full(shape, np.iinfo(np.int64).max), np.zeros(shape), np.zeros(shape)
        for at, line in enumerate(lines):
            for k, step in enumerate(line.terms.steps):
                self._from[at, k] = step.from_quantity
                self._minor[at, k], self._ppm[at, k] = step.unit_price_minor or 0, step.target_ppm or 0
        self._risk = np.array([(PPM - line.on_time_ppm) / PPM for line in lines])
        self._arrives = 7 * (np.arange(WEEKS) + 1) + self._lead[:, None]  # days from the start
        free = np.zeros((len(lines), WEEKS), dtype=np.int64)
        for at, line in enumerate(lines):
            free[at, : len(line.free)] = line.free[:WEEKS]
        in_order = sorted(claims, key=lambda claim: claim.certain_at)
        self._certain_at = [claim.certain_at for claim in in_order]
        self._after_sure = list(self._placed(free, [(claim, claim.sure) for claim in in_order]))
        self._after_likely = list(self._placed(free, [(claim, claim.likely) for claim in in_order]))

    def window(self, own: Claim) -> Window:
        """When a claim's pieces arrive: the sure ones after what is sure to come before them, the likely ones after
        what is likely to."""
        before = bisect_left(self._certain_at, own.certain_at)
        either = (
            self._arrival(self._after_sure[before], own, own.sure),
            self._arrival(self._after_likely[before], own, own.likely),
        )
        found = sorted(arrives for arrives in either if arrives)  # a larger order may open a line that is free sooner
        latest = found[1] if len(found) == len(either) else None
        return Window((own.sure, own.likely), found[0] if found else None, latest)

    def _placed(self, free: Pieces, claims: Sequence[tuple[Claim, int]]) -> Iterator[Pieces]:
        """What is free before each claim, and after the last."""
        yield free
        for claim, pieces in claims:
            free = free - self._taken(free, claim, pieces) if pieces else free
            yield free

    def _taken(self, free: Pieces, claim: Claim, pieces: int) -> Pieces:
        """The pieces of a claim by line and week, as far as there is room."""
        taken = np.zeros_like(free)
        first = (first_week(claim.certain_at) - self.start).days // 7
        due = (claim.required - starts_at(self.start)) / DAY
        late = np.ceil(np.maximum(self._arrives - due, 0) / 7)
        for tolerated in (late <= LATE_WEEKS, late <= WEEKS):
            usable = np.where(tolerated & (np.arange(WEEKS) >= first), free - taken, 0)
            room = usable.sum(axis=1)
            while pieces:
                wanted = np.minimum(room, pieces)
                spread = np.clip(wanted[:, None] - np.cumsum(usable, axis=1) + usable, 0, usable)
                cost = self._each(wanted, claim) + claim.late_minor * (spread * late).sum(axis=1) / np.maximum(
                    wanted, 1
                )
                cost[wanted < np.maximum(self._smallest, 1)] = np.inf
                whole = np.where(room >= pieces, cost, np.inf)
                line = int(np.argmin(whole if np.isfinite(whole).any() else cost)) if len(cost) else 0
                if not len(cost) or not np.isfinite(cost[line]):
                    break
                taken[line] += spread[line]
                pieces -= int(wanted[line])
                room[line] = 0
        return taken

    def _each(self, pieces: Pieces, claim: Claim) -> NDArray[np.float64]:
        """What a piece of an order of so many costs on each line, setup and risk included."""
        step = np.maximum((self._from <= pieces[:, None]).sum(axis=1) - 1, 0)
        at = np.arange(len(step)), step
        unit = np.where(self._minor[at] > 0, self._minor[at], self._ppm[at] * claim.target_cost_minor / PPM)
        each: NDArray[np.float64] = unit + self._setup / np.maximum(pieces, 1) + claim.late_minor * self._risk
        return each

    def _arrival(self, free: Pieces, claim: Claim, pieces: int) -> datetime | None:
        taken = self._taken(free, claim, pieces)
        if int(taken.sum()) < pieces:
            return None
        used = [(int(np.flatnonzero(weeks)[-1]), int(self._lead[at])) for at, weeks in enumerate(taken) if weeks.any()]
        return max(arrival(self.start + WEEK * last, lead_days) for last, lead_days in used)
