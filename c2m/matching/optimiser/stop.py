"""When to stop looking: after an effort, which is reproducible, or at a deadline, which is the safety stop."""

import math
import time
from collections.abc import Callable
from typing import Self

ITERATIONS_PER_EFFORT = 100


class Stop:
    """A stopping criterion: call it to learn whether to stop.

    Args:
        effort: hundreds of simplex iterations to spend, about a branch-and-bound node each.
        seconds: time from now on; a solve that ran into it is not reproducible, and `time_limited` says so.
        clock: seconds that pass: wall time, or the process's own time where budgets are to be compared.
    """

    def __init__(
        self, *, effort: float = math.inf, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._deadline = clock() + seconds
        self._effort = effort
        self._whole: Stop | None = None
        self._halted = False
        self.iterations = 0
        self.time_limited = False

    def __call__(self) -> bool:
        return self.late() or self.effort_left < 1

    def late(self) -> bool:
        """Whether time is up, whatever effort is left."""
        late = self.seconds_left <= 0
        self.time_limited |= late
        return late

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline; none once halted."""
        if self.halted:
            return 0.0
        return max(0.0, self._deadline - self._clock())

    @property
    def halted(self) -> bool:
        """Whether somebody wants it to stop."""
        return self._halted or (self._whole is not None and self._whole.halted)

    @property
    def effort_left(self) -> float:
        return self._effort - self.iterations / ITERATIONS_PER_EFFORT

    def part(self, effort: float, seconds: float) -> Self:
        """A share of what is left; what the share spends and whether it ran out of time is the whole's as well."""
        share = type(self)(effort=effort, seconds=min(seconds, self.seconds_left), clock=self._clock)
        share._whole = self
        return share

    def settle(self, share: "Stop") -> None:
        """Charge what a share spent."""
        self.spend(share.iterations, share.time_limited)

    def halt(self) -> None:
        """Stop as soon as may be, from any thread: the best plan so far is handed out."""
        self._halted = True

    def spend(self, iterations: int, timed_out: bool) -> None:
        """Charge the simplex iterations of one run, and remember whether the clock ended it."""
        self.iterations += max(1, iterations)
        self.time_limited |= timed_out
