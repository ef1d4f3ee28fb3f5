"""What people do with a concept, by how much it commits them to."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Signal(StrEnum):
    """The steps from a glance to money, in order."""

    IMPRESSION = "impression"  # shown among others
    VIEW = "view"  # its page opened
    SAVE = "save"
    ASK = "ask"
    WANT = "want"  # so many, at this price
    DEPOSIT = "deposit"  # refundable, in escrow


@dataclass(frozen=True)
class Step:
    """How many there were of a signal; `share` of the nearest step before it that everybody passes."""

    signal: Signal
    count: int
    share: float | None


PASSED_BY_ALL = (Signal.IMPRESSION, Signal.VIEW, Signal.WANT, Signal.DEPOSIT)


def funnel(counts: Mapping[Signal, int]) -> list[Step]:
    """The steps in order; saving and asking are done by some only, so no later share is taken of them."""
    steps: list[Step] = []
    before: int | None = None
    for signal in Signal:
        count = counts.get(signal, 0)
        # A page is also opened from a shared link: more views than impressions are no share.
        share = count / before if before and count <= before else None
        steps.append(Step(signal, count, share))
        if signal in PASSED_BY_ALL:
            before = count
    return steps
