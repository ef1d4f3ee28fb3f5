"""When to stop looking: after an effort, which is reproducible, or at a deadline, which is the safety stop."""

import math
import time
from collections.abc import Callable

ITERATIONS_PER_EFFORT = 100


class Stop:
    """A stopping criterion: call it to learn whether to stop.

    Args:
        effort: hundreds of simplex iterations to spend, about a branch-and-bound node each.
        seconds: wall time from now on; a solve that ran into it is not reproducible, and `time_limited` says so.
    """

    def __init__(
        self, *, effort: float = math.inf, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._deadline = clock() + seconds
        self._effort = effort
        self.spent = 0.0
        self.time_limited = False

    def __call__(self) -> bool:
        out_of_time = self.seconds_left <= 0
        self.time_limited |= out_of_time
        return out_of_time or self.effort_left < 1

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._deadline - self._clock())

    @property
    def effort_left(self) -> float:
        return self._effort - self.spent

    def spend(self, iterations: int, timed_out: bool) -> None:
        """Charge the simplex iterations of one run, and remember whether the clock ended it.

        A run costs at least one unit of effort.
        """
        self.spent += max(1.0, iterations / ITERATIONS_PER_EFFORT)
        self.time_limited |= timed_out
