"""Who could make a category's goods: how many factories, from how many pieces, at about what cost, how soon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from c2m.matching.market import HORIZON_WEEKS, Line
from c2m.matching.queries import lines_for
from c2m.matching.rules import arrival, first_week, weeks_from


@dataclass(frozen=True)
class Feasible:
    """What verified factories ask for: costs are of one piece, in minor units, with its share of the setup."""

    factories: int
    smallest_order: int
    priced: int  # pieces the costs and the date hold for
    low_minor: int
    high_minor: int
    earliest: datetime | None  # with the buyers; None: no room in the coming weeks
    lines: Sequence[Line]

    def cost(self, pieces: int) -> int | None:
        """What one of so many pieces costs at the cheapest factory that takes the order."""
        return min(_costs(self.lines, pieces), default=None)


def feasible(session: Session, category: str, pieces: int, *, currency: str, now: datetime) -> Feasible | None:
    """Who could make so many pieces, or the smallest order if that is more; None where nobody can."""
    start = first_week(now)
    weeks = weeks_from(start, HORIZON_WEEKS)
    lines = [
        line
        for line in lines_for(session, {category}, weeks).values()
        if line.currency == currency and all(step.unit_price_minor is not None for step in line.terms.steps)
    ]
    if not lines:
        return None
    smallest = min(line.terms.smallest_order for line in lines)
    priced = max(pieces, smallest)
    costs = sorted(_costs(lines, priced))
    arrivals = [
        arrival(weeks[at - 1], line.terms.lead_days)
        for line in lines
        if line.terms.smallest_order <= priced
        for at in range(1, HORIZON_WEEKS + 1)
        if line.free_until(at) >= priced
    ]
    return Feasible(
        factories=len({line.factory_id for line in lines}),
        smallest_order=smallest,
        priced=priced,
        low_minor=costs[0],
        high_minor=costs[-1],
        earliest=min(arrivals, default=None),
        lines=lines,
    )


def _costs(lines: Sequence[Line], pieces: int) -> list[int]:
    return [quote.each_minor for line in lines if (quote := line.terms.quote(pieces, 0)) is not None]
