"""What pooling brought: how many pieces reached a tier, what that saved, and how long it made buyers wait."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from c2m.errors import N_, Refusal
from c2m.money import PPM
from c2m.replay.pooling import DailyPledge, MarketDay, Window

SHARE_THRESHOLDS = (100, 500, 1000)


class BadLadder(Refusal):
    sentence = N_("The ladder %(text)s can't be used: %(problem)s.")


@dataclass(frozen=True, slots=True)
class Step:
    """From so many pieces on, so much off the price, in parts per million."""

    pieces: int
    off_ppm: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps of rising pieces and rising discount."""

    steps: tuple[Step, ...]

    def off_ppm(self, pieces: int) -> int:
        """The discount that so many pieces earn, in parts per million."""
        return max((step.off_ppm for step in self.steps if pieces >= step.pieces), default=0)


def parse_ladder(text: str) -> Ladder:
    """The ladder that "100:5,500:10,1000:15" describes: pieces and percent off.

    Raises:
        BadLadder: a step is no pair of numbers, or pieces and discounts do not both rise.
    """
    steps = tuple(_step(text, part) for part in text.split(","))
    if any(below.pieces >= above.pieces or below.off_ppm >= above.off_ppm for below, above in pairwise(steps)):
        raise BadLadder(text=text, problem="pieces and percentages must both rise from step to step")
    return Ladder(steps)


def _step(text: str, part: str) -> Step:
    pieces, _, percent = part.strip().partition(":")
    try:
        off_ppm = Decimal(percent) * (PPM // 100)
        step = Step(int(pieces), int(off_ppm))
    except (ValueError, InvalidOperation, OverflowError) as wrong:
        raise BadLadder(text=text, problem=f"{part.strip()!r} is not of the form PIECES:PERCENT") from wrong
    if step.pieces < 1 or not 0 < step.off_ppm < PPM or step.off_ppm != off_ppm:
        raise BadLadder(text=text, problem=f"{part.strip()!r} needs a piece or more and a percentage between 0 and 100")
    return step


@dataclass(frozen=True, slots=True)
class Figures:
    """The outcome in numbers. Shares are percentages of pieces; where nothing was pledged they are None."""

    pledges: int
    campaigns: int
    succeeded: int
    pieces: int
    pooled_share: dict[str, float | None]
    unpooled_share: dict[str, float | None]
    extra_saving_pct: float | None
    mean_wait_days: float | None


@dataclass(slots=True)
class _Pool:
    """What one open window has gathered: pieces, and spend by the discount that each buyer's own quantity earns."""

    pieces: int = 0
    spend_minor: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))


class Measures:
    """Adds up market days; memory holds the open windows only, and all sums are exact integers.

    - `pooled_share`: pieces in succeeded campaigns of at least so many pieces, of all pieces pledged.
    - `unpooled_share`: pieces in pledges that are that large by themselves, of all pieces pledged.
    - `extra_saving_pct`: spend at the file's prices × (the campaign's discount - the discount the pledge's own quantity
      earns on the same ladder), of all spend at the file's prices. A campaign below its minimum saves nothing.
    - `mean_wait_days`: days from the order's day to the day its window closes, weighted by pieces.
    """

    def __init__(self, ladder: Ladder, *, minimum: int = 1, thresholds: Sequence[int] = SHARE_THRESHOLDS) -> None:
        self.ladder = ladder
        self.minimum = minimum
        self._open: dict[Window, _Pool] = {}
        self._pledges = self._campaigns = self._succeeded = 0
        self._pieces = self._piece_days = 0
        self._spend_minor = self._saved_minor_ppm = 0
        self._pooled = dict.fromkeys(thresholds, 0)
        self._unpooled = dict.fromkeys(thresholds, 0)

    def add(self, today: MarketDay) -> None:
        """Take in one day, in order."""
        for window in today.closing:
            self._close(self._open.pop(window))
        for window in today.opening:
            self._open[window] = _Pool()
        for pledge in today.pledges:
            self._pledge(pledge)

    def figures(self) -> Figures:
        """The outcome over all closed campaigns.

        Raises:
            ValueError: windows are still open, so that their discounts are not known yet.
        """
        if self._open:
            raise ValueError(f"{len(self._open)} windows are still open")
        return Figures(
            pledges=self._pledges,
            campaigns=self._campaigns,
            succeeded=self._succeeded,
            pieces=self._pieces,
            pooled_share={str(least): _percent(pieces, self._pieces) for least, pieces in self._pooled.items()},
            unpooled_share={str(least): _percent(pieces, self._pieces) for least, pieces in self._unpooled.items()},
            extra_saving_pct=_percent(self._saved_minor_ppm, self._spend_minor * PPM),
            mean_wait_days=self._piece_days / self._pieces if self._pieces else None,
        )

    def _pledge(self, pledge: DailyPledge) -> None:
        pieces, spend_minor = pledge.quantity, pledge.spend_minor
        pool = self._open[pledge.window]
        pool.pieces += pieces
        pool.spend_minor[self.ladder.off_ppm(pieces)] += spend_minor
        self._pledges += 1
        self._pieces += pieces
        self._piece_days += pieces * pledge.wait_days
        self._spend_minor += spend_minor
        _count(self._unpooled, pieces, pieces)

    def _close(self, pool: _Pool) -> None:
        self._campaigns += 1
        if pool.pieces < self.minimum:
            return
        self._succeeded += 1
        earned_ppm = self.ladder.off_ppm(pool.pieces)
        self._saved_minor_ppm += sum(spend * (earned_ppm - own_ppm) for own_ppm, spend in pool.spend_minor.items())
        _count(self._pooled, pool.pieces, pool.pieces)


def _count(shares: dict[int, int], size: int, pieces: int) -> None:
    for least in shares:
        if size >= least:
            shares[least] += pieces


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
