"""Capable to promise: when free capacity could have a campaign's pieces with their buyers; asking reserves nothing.

Whatever will be asked of the lines of a kind of product is poured into their free weeks in the order in which it
becomes certain, and each time into the weeks whose pieces arrive first. Kept after each step, this answers for every
campaign by pouring its own pieces alone.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from c2m.matching.rules import WEEK, arrival, first_week

WEEKS = 26
PACE_FROM = 1 / 3  # of its time has passed before a campaign's pace so far says something of its end

Pieces = NDArray[np.int64]


@dataclass(frozen=True)
class Room:
    """A line's free pieces in each week of the horizon."""

    lead_days: int
    smallest_order: int
    free: Sequence[int]


@dataclass(frozen=True)
class Claim:
    """Pieces that lines will be asked for: those that are sure to come, and those that are likely by then."""

    certain_at: datetime
    sure: int
    likely: int


@dataclass(frozen=True)
class Window:
    """Between which instants so many pieces arrive; None: the free weeks of the horizon don't suffice."""

    pieces: tuple[int, int]
    earliest: datetime | None
    latest: datetime | None
    factories: int = 0


def likely_pieces(pieces: int, *, minimum: int, cap: int | None, elapsed: float) -> int:
    """What a campaign comes to if it goes on as before: at least its minimum, at most its cap.

    Args:
        elapsed: the share of its time that has passed, from 0 to 1.
    """
    most = max(pieces, minimum, int(pieces / max(elapsed, PACE_FROM)))
    return most if cap is None else min(most, max(cap, pieces))


class Outlook:
    """The free weeks of the lines of one kind of product, with what will be asked of them before a given moment."""

    def __init__(self, start: date, rooms: Sequence[Room], claims: Sequence[Claim]) -> None:
        self.start = start
        slots: dict[tuple[datetime, int, int], int] = {}
        for room in rooms:
            for at, free in enumerate(room.free):
                if free > 0:
                    slot = arrival(start + WEEK * at, room.lead_days), at, room.smallest_order
                    slots[slot] = slots.get(slot, 0) + free
        ordered = sorted(slots)
        self._arrives = [arrives for arrives, _, _ in ordered]
        self._week = np.array([week for _, week, _ in ordered], dtype=np.int64)
        self._smallest = np.array([smallest for _, _, smallest in ordered], dtype=np.int64)
        free_now = np.array([slots[slot] for slot in ordered], dtype=np.int64)
        in_order = sorted(claims, key=lambda claim: claim.certain_at)
        self._certain_at = [claim.certain_at for claim in in_order]
        self._after_sure = self._poured(free_now, [(claim.certain_at, claim.sure) for claim in in_order])
        self._after_likely = self._poured(free_now, [(claim.certain_at, claim.likely) for claim in in_order])

    def window(self, certain_at: datetime, pieces: tuple[int, int]) -> Window:
        """When pieces that are certain at this moment arrive: the fewer after what is sure to come before them, the
        more after what is likely to."""
        before = bisect_left(self._certain_at, certain_at)
        few, many = pieces
        return Window(
            pieces,
            self._last_arrival(self._after_sure[before], certain_at, few),
            self._last_arrival(self._after_likely[before], certain_at, many),
        )

    def _poured(self, free: Pieces, claims: Sequence[tuple[datetime, int]]) -> list[Pieces]:
        """What is free before each claim, and after the last."""
        found = [free]
        for certain_at, pieces in claims:
            free = free - self._taken(free, certain_at, pieces) if pieces else free
            found.append(free)
        return found

    def _taken(self, free: Pieces, certain_at: datetime, pieces: int) -> Pieces:
        first = (first_week(certain_at) - self.start).days // 7
        usable = np.where((self._week >= first) & (self._smallest <= pieces), free, 0)
        before = np.cumsum(usable) - usable
        taken: Pieces = np.clip(pieces - before, 0, usable)
        return taken

    def _last_arrival(self, free: Pieces, certain_at: datetime, pieces: int) -> datetime | None:
        taken = self._taken(free, certain_at, pieces)
        if int(taken.sum()) < pieces:
            return None
        return self._arrives[int(np.flatnonzero(taken)[-1])]
