"""What rises: counts of this window beside earlier ones, as a ratio of rates that says how sure it is.

Counts are Poisson with a Gamma(1/2) prior on each rate (Jeffreys), so the two rates' shares of their sum are Beta
distributed and the ratio's quantiles are exact. Where a whole year lies behind, the ratio is divided by the same ratio
a year ago, so that what comes back every spring is no news.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PRIOR = 0.5
SURE = 0.95  # a word is put forward from this probability of growth on
FEWEST = 5  # counts in this window
LEAST = 1.2  # a growth that is worth a brief
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True)
class Growth:
    """How many times as often as before: the median, an 80 % interval, and the probability that it rose at all."""

    median: float
    low: float
    high: float
    probability: float


@dataclass(frozen=True)
class Counts:
    """How often something was counted in this window and before it, and at the same times a year ago if known."""

    now: int
    before: int
    year_ago: int | None = None
    before_year_ago: int | None = None

    def __add__(self, other: "Counts") -> "Counts":
        years = (self.year_ago, other.year_ago, self.before_year_ago, other.before_year_ago)
        known = all(count is not None for count in years)
        return Counts(
            self.now + other.now,
            self.before + other.before,
            (self.year_ago or 0) + (other.year_ago or 0) if known else None,
            (self.before_year_ago or 0) + (other.before_year_ago or 0) if known else None,
        )


@dataclass(frozen=True)
class Rising:
    """A word that rose: by how much in all, and what each source counted."""

    word: str
    growth: Growth
    sources: Mapping[str, Counts]

    @property
    def total(self) -> Counts:
        """All sources together."""
        return _sum(self.sources)


def growth(counts: Counts, *, days: int, days_before: int) -> Growth:
    """The ratio of this window's daily rate to the earlier one's, the season taken out where a year ago is known."""
    from scipy.special import betainc, betaincinv

    exposure = days_before / days
    if counts.year_ago is not None and counts.before_year_ago is not None:
        exposure *= _ratio((counts.before_year_ago + PRIOR) / (counts.year_ago + PRIOR), days, days_before)
    here, there = counts.now + PRIOR, counts.before + PRIOR

    def quantile(share: float) -> float:
        part = float(betaincinv(here, there, share))
        return exposure * part / (1 - part) if part < 1 else float("inf")

    return Growth(
        median=quantile(0.5),
        low=quantile(LOW),
        high=quantile(HIGH),
        probability=1 - float(betainc(here, there, 1 / (1 + exposure))),
    )


def rising(
    sources: Mapping[str, Mapping[str, Counts]], *, days: int, days_before: int, most: int = 12
) -> Sequence[Rising]:
    """The words of {source: {word: counts}} that surely rose, the surest and strongest first."""
    words = sorted({word for counted in sources.values() for word in counted})
    found = []
    for word in words:
        of = {source: counted[word] for source, counted in sources.items() if word in counted}
        total = _sum(of)
        grew = growth(total, days=days, days_before=days_before)
        if total.now >= FEWEST and grew.probability >= SURE and grew.median >= LEAST:
            found.append(Rising(word, grew, of))
    return sorted(found, key=lambda risen: (-risen.growth.low, risen.word))[:most]


def _sum(sources: Mapping[str, Counts]) -> Counts:
    first, *rest = sources.values()
    for counts in rest:
        first += counts
    return first


def _ratio(odds: float, days: int, days_before: int) -> float:
    """What the season alone would take off the ratio: earlier rate over this window's, a year ago."""
    return odds * days / days_before
