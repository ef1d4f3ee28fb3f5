"""What is stated each day of a replay about every open campaign, from what was known then, and what came of it."""

import csv
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TextIO

import numpy as np

from c2m.demand.forecasting.campaigns import (
    NOTHING_LEARNED,
    STAGES,
    Ended,
    Past,
    Seen,
    Success,
    learn,
    past_of,
    past_rows,
    state,
)
from c2m.replay.measures import Ladder
from c2m.replay.pooling import MarketDay, Window

REFIT_DAYS = 14
FIRST_REFITS = (8, 10, 12)  # days after the first, while nothing is known yet
MOST_ENDED = 5_000  # the latest are learned from
EARLIER = 8  # windows of a product that count as its past
COLUMNS = ("campaign", "opened", "elapsed_days", "target", "probability", "p10", "p50", "p90", "final_quantity")

Line = tuple[object, ...]


@dataclass(slots=True)
class _Running:
    """An open window: what it gathered by day, and what was stated about it."""

    price_minor: int
    past: Past
    pieces: list[int]
    pledges: list[int]
    stated: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class _History:
    finals: deque[int] = field(default_factory=lambda: deque(maxlen=EARLIER))
    pledges: deque[int] = field(default_factory=lambda: deque(maxlen=EARLIER))
    closed_on: date = date.min


class Foreteller:
    """States, as each day begins, what every open campaign will come to; learns from those that have ended by then.

    A campaign is a product's window. At its opening (0 days elapsed) nothing of its pledges is known; after n days
    those of its first n days are. `out` receives its lines when it closes, as only then its final quantity is known.
    """

    def __init__(self, out: TextIO, ladder: Ladder, *, minimum: int, days: int) -> None:
        self.lines = 0
        self._out = csv.writer(out, lineterminator="\n")
        self._out.writerow(COLUMNS)
        steps = {step.pieces for step in ladder.steps} | ({minimum} if minimum > 1 else set())
        self._targets = np.array(sorted(steps), float)  # a minimum of a piece is reached by whoever opens the window
        self._days = days
        self._open: dict[Window, _Running] = {}
        self._histories: defaultdict[str, _History] = defaultdict(_History)
        self._ended: deque[tuple[Window, _Running]] = deque(maxlen=MOST_ENDED)
        self._model: Success = NOTHING_LEARNED
        self._began = date.min
        self._day = date.min
        self._refit_on = date.min

    def add(self, today: MarketDay) -> None:
        """Take in one day, in order: what closes, what is stated as it begins, and then what is pledged on it."""
        if self._began == date.min:
            self._began = self._day = today.day
            self._refit_on = today.day + timedelta(days=FIRST_REFITS[0])
        while self._day < today.day:
            self._close_before(self._day + timedelta(days=1))
            self._day += timedelta(days=1)
            if self._day < today.day:
                self._state(self._day)
        self._close_before(today.day)
        first_prices = {pledge.window: pledge.lines[0].unit_price_minor for pledge in reversed(today.pledges)}
        for window in today.opening:
            past = self._past(window)
            self._open[window] = _Running(first_prices[window], past, [0] * self._days, [0] * self._days)
        self._state(today.day)
        for pledge in today.pledges:
            running, at = self._open[pledge.window], (today.day - pledge.window.opens_on).days
            running.pieces[at] += pledge.quantity
            running.pledges[at] += 1

    def _past(self, window: Window) -> Past:
        history = self._histories[window.product_key]
        return past_of(history.finals, history.pledges, (window.opens_on - history.closed_on).days)

    def _close_before(self, day: date) -> None:
        """Close the windows whose last day is over before this one begins."""
        for window in [window for window in self._open if window.closes_on <= day]:
            running = self._open.pop(window)
            final, pledges = sum(running.pieces), sum(running.pledges)
            history = self._histories[window.product_key]
            history.finals.append(final)
            history.pledges.append(pledges)
            history.closed_on = window.closes_on
            self._ended.append((window, running))
            self._out.writerows((*line, final) for line in running.stated)
            self.lines += len(running.stated)

    def _state(self, day: date) -> None:
        if not self._open or not len(self._targets):
            return
        if day >= self._refit_on:
            self._model = learn(self._all_ended(), targets=[int(target) for target in self._targets])
            self._refit_on = self._next_refit(day)
        windows = list(self._open)
        seen = self._seen(day, windows)
        stated = state(self._model, seen, np.repeat(self._targets[None, :], len(windows), axis=0))
        whole = np.stack([stated.p10, stated.p50, stated.p90], axis=1).astype(int).tolist()
        for window, chances, quantiles in zip(windows, stated.chance.tolist(), whole, strict=True):
            self._open[window].stated += [
                (*_name(window, day), int(target), f"{chance:.5f}", *quantiles)
                for target, chance in zip(self._targets, chances, strict=True)
            ]

    def _next_refit(self, day: date) -> date:
        gone = (day - self._began).days
        return self._began + timedelta(days=next((at for at in FIRST_REFITS if at > gone), gone + REFIT_DAYS))

    def _seen(self, day: date, windows: Sequence[Window]) -> Seen:
        running = [self._open[window] for window in windows]
        return Seen(
            pieces=np.array([sum(each.pieces) for each in running], float),
            pledges=np.array([sum(each.pledges) for each in running], float),
            share=np.array([(day - window.opens_on).days / self._days for window in windows]),
            price_minor=np.array([each.price_minor for each in running], float),
            weekday=np.array([window.opens_on.weekday() for window in windows], float),
            presale=np.zeros(len(windows)),
            past=past_rows([each.past for each in running]),
        )

    def _all_ended(self) -> Ended:
        pieces = np.array([each.pieces for _, each in self._ended], float).reshape(-1, self._days)
        pledges = np.array([each.pledges for _, each in self._ended], float).reshape(-1, self._days)
        # What was pledged before each seventh of the time began.
        gone = np.array([stage * self._days // STAGES for stage in range(STAGES)])
        return Ended(
            pieces=np.concatenate([np.zeros((len(pieces), 1)), pieces.cumsum(axis=1)], axis=1)[:, gone],
            pledges=np.concatenate([np.zeros((len(pledges), 1)), pledges.cumsum(axis=1)], axis=1)[:, gone],
            price_minor=np.array([each.price_minor for _, each in self._ended], float),
            weekday=np.array([window.opens_on.weekday() for window, _ in self._ended], float),
            presale=np.zeros(len(self._ended)),
            past=past_rows([each.past for _, each in self._ended]),
            least=np.full(len(pieces), float(max(self._targets.min(), 1))),
            final=pieces.sum(axis=1),
            first=min((window.opens_on for window, _ in self._ended), default=self._day),
            last=max((window.closes_on for window, _ in self._ended), default=self._day),
        )


def _name(window: Window, day: date) -> Line:
    return window.product_key, window.opens_on, (day - window.opens_on).days
