"""The market as the optimiser sees it: what is open, who could make it in which free weeks, put into its terms."""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from c2m import money
from c2m.matching.optimiser import Factory, Horizon, Offer, Problem, Rate, Sheet, Tier, Variant
from c2m.matching.optimiser import Line as OptimiserLine
from c2m.matching.rules import Quote, Terms, due_week, lead_weeks, weeks_from

HORIZON_WEEKS = 12
LATE_WEEKS = 2  # a sheet may arrive so late at its stated cost; later than that it is handed back
CHEAPEST, ROOMIEST = 6, 2  # lines a sheet is offered to: the best prices, and where most is free
PASSED_OVER_SHOWN = 6
MILLE = 1_000  # money a piece is told to the optimiser in thousandths of a minor unit


def late_week(price_minor: int, compensation_ppm_per_day: int) -> int:
    """The compensation of seven days."""
    return price_minor * compensation_ppm_per_day * 7 // money.PPM


@dataclass(frozen=True)
class OpenSheet:
    """A demand sheet with its pieces that nobody makes yet, by variant."""

    id: UUID
    currency: str
    category: str
    processes: tuple[str, ...]
    unit_price_minor: int
    target_cost_minor: int
    compensation_ppm_per_day: int
    required_date: datetime
    time_zone: str
    matched_until: datetime
    pieces: Mapping[UUID, int]
    idle_line_id: UUID | None = None  # its group was opened on an idle week of this line

    @cached_property
    def quantity(self) -> int:
        return sum(self.pieces.values())

    @cached_property
    def late_week(self) -> Rate:
        """What a piece costs that comes a week late: the compensation of seven days."""
        return Rate(late_week(self.unit_price_minor * MILLE, self.compensation_ppm_per_day), MILLE)


@dataclass(frozen=True)
class Line:
    """A verified factory's capability on its terms, with the pieces free in each week of the horizon."""

    id: UUID
    factory_id: UUID
    currency: str
    category: str
    process: str
    on_time_ppm: int
    terms: Terms
    free: tuple[int, ...]
    orders: tuple[int, int] = 0, 0  # the factory's of the last year: in time, of so many

    @cached_property
    def _free_so_far(self) -> tuple[int, ...]:
        return tuple(itertools.accumulate(self.free, initial=0))

    def free_until(self, week: int) -> int:
        """Pieces free up to this week of the horizon, counted from 1."""
        return self._free_so_far[max(week, 0)]

    def makes(self, sheet: OpenSheet) -> bool:
        """Whether this line can make the sheet's product, and is paid in its currency."""
        return (
            self.category == sheet.category
            and set(sheet.processes) <= {self.process}
            and self.currency == sheet.currency
        )


class WhyNot(StrEnum):
    """What kept a line that makes the product from an order."""

    DECLINED = "declined"  # its factory gave the sheet back, or let an offer of it run out
    IN_PART = "in_part"  # its factory took a part of the sheet and left these pieces
    KEPT_FOR_NEW = "kept_for_new"  # the sheet was kept for new factories
    SMALLEST_ORDER = "smallest_order"  # it takes no order of so few pieces
    WEEKS = "weeks"  # too few of its weeks are free in time
    PRICE = "price"  # it would have cost more
    RISK = "risk"  # it would have cost more with lateness and the risk of it counted in
    ALL_TOGETHER = "all_together"  # it costs no more here, and makes other sheets of the same plan
    LEVEL = "level"  # it costs no more here, as far as can be told


NEAREST = (
    WhyNot.LEVEL,
    WhyNot.ALL_TOGETHER,
    WhyNot.RISK,
    WhyNot.PRICE,
    WhyNot.WEEKS,
    WhyNot.SMALLEST_ORDER,
    WhyNot.KEPT_FOR_NEW,
    WhyNot.IN_PART,
    WhyNot.DECLINED,
)


@dataclass(frozen=True)
class PassedOver:
    """A factory that could have been asked for an order and wasn't: pieces missing, or minor units too much a piece."""

    factory_id: UUID
    why: WhyNot
    missing: int = 0


@dataclass(frozen=True)
class Market:
    """Open sheets and verified lines from the first week that can still be planned."""

    start: date
    sheets: Mapping[UUID, OpenSheet]
    lines: Mapping[UUID, Line]
    banned: frozenset[tuple[UUID, UUID]]  # (sheet, factory): declined, let run out, left in part or kept for new ones
    in_part: frozenset[tuple[UUID, UUID]] = frozenset()  # of these: took a part and left the rest
    kept_for_new: frozenset[tuple[UUID, UUID]] = frozenset()  # of these: the sheet is kept for new factories
    newcomers: frozenset[UUID] = frozenset()  # the new factories, where a share is kept for them

    @cached_property
    def weeks(self) -> list[date]:
        return weeks_from(self.start, HORIZON_WEEKS)

    @cached_property
    def currencies(self) -> list[str]:
        return sorted({sheet.currency for sheet in self.sheets.values()})

    def problem(self, currency: str) -> Problem:
        """What is to be solved: the open sheets of a currency and the lines on their shortlists.

        A sheet is worth its target cost; a week late costs what its buyers are paid for it; the risk of a factory is
        that cost times its share of late deliveries.
        """
        sheets = [sheet for sheet in self.sheets.values() if sheet.currency == currency]
        makers: dict[tuple[str, tuple[str, ...]], list[Line]] = {}
        offers: list[Offer] = []
        for sheet in sheets:
            kind = sheet.category, sheet.processes
            if kind not in makers:
                makers[kind] = [line for line in self.lines.values() if line.makes(sheet)]
            offers += (self._offer(sheet, line) for line in self.shortlist(sheet, makers[kind]))
        capable = {line.id for lines in makers.values() for line in lines}
        return Problem(
            format="c2m.matching/1",
            horizon=Horizon(self.start, HORIZON_WEEKS),
            currency=currency,
            sheets=tuple(self._sheet(sheet) for sheet in sheets),
            factories=self._factories([line for line in self.lines.values() if line.id in capable]),
            offers=tuple(offers),
        )

    def with_share_for(self, newcomers: frozenset[UUID], pieces: int) -> "Market":
        """This market with sheets of up to so many pieces kept for new factories: those that cost least on top, and
        of these the largest."""
        offered = [
            (*found, sheet) for sheet in self.sheets.values() if (found := self._newcomer_costs(sheet, newcomers))
        ]
        kept: set[tuple[UUID, UUID]] = set()
        for _extra, _size, _id, others, sheet in sorted(offered, key=lambda found: found[:3]):
            if sheet.quantity <= pieces:
                pieces -= sheet.quantity
                kept |= {(sheet.id, factory_id) for factory_id in others}
        kept_for_new = frozenset(kept - self.banned)
        return replace(self, banned=self.banned | kept, kept_for_new=kept_for_new, newcomers=newcomers)

    def without_share(self) -> "Market":
        """This market as it would be if nothing were kept for new factories."""
        return replace(self, banned=self.banned - self.kept_for_new, kept_for_new=frozenset())

    def _newcomer_costs(
        self, sheet: OpenSheet, newcomers: frozenset[UUID]
    ) -> tuple[float, int, UUID, frozenset[UUID]] | None:
        """What a piece costs more where a new factory makes the whole sheet in time, and the established factories
        that could; None where no new one can."""
        quotes: dict[bool, list[int]] = {True: [], False: []}
        established: set[UUID] = set()
        for line in self.lines.values():
            if not line.makes(sheet) or (sheet.id, line.factory_id) in self.banned:
                continue
            new = line.factory_id in newcomers
            established |= set() if new else {line.factory_id}
            due, lead = self._timing(sheet, line)
            quote = line.terms.quote(sheet.quantity, sheet.target_cost_minor)
            if quote and line.free_until(min(due - lead, HORIZON_WEEKS)) >= sheet.quantity:
                quotes[new].append(quote.total_minor)
        if not quotes[True]:
            return None
        extra = min(quotes[True]) - min(quotes[False], default=min(quotes[True]))
        return extra / sheet.quantity, -sheet.quantity, sheet.id, frozenset(established)

    def shortlist(self, sheet: OpenSheet, makers: Sequence[Line]) -> list[Line]:
        """The lines a sheet is put to: the cheapest of those with room for it, the roomiest of the others, and the
        one whose idle week its group was opened on."""
        welcome = [line for line in makers if (sheet.id, line.factory_id) not in self.banned]
        if len(welcome) <= CHEAPEST + ROOMIEST:
            return welcome
        room = {line.id: line.free_until(self._last_week(sheet, line)) for line in welcome}
        quotes = {
            line.id: line.terms.quote(min(sheet.quantity, room[line.id]), sheet.target_cost_minor) for line in welcome
        }

        def price(line: Line) -> tuple[bool, bool, float]:
            quote, short = quotes[line.id], room[line.id] < sheet.quantity
            return (False, short, quote.total_minor / quote.quantity) if quote else (True, short, 0.0)

        ranked = sorted(welcome, key=price)
        rest = sorted(ranked[CHEAPEST:], key=lambda line: (quotes[line.id] is None, -room[line.id]))
        return ranked[:CHEAPEST] + rest[:ROOMIEST] + [x for x in rest[ROOMIEST:] if x.id == sheet.idle_line_id]

    def passed_over(
        self, sheet: OpenSheet, taken: Quote, risk_minor: int, factory_id: UUID, busy: Set[UUID]
    ) -> list[PassedOver]:
        """The other factories that came nearest to an order, and what kept each from it.

        Args:
            taken: what the factory chosen asks for the order.
            risk_minor: what lateness and the risk of it are counted as on top, for the whole order.
            busy: the factories that make other sheets of the same plan.
        """
        nearest: dict[UUID, tuple[int, int]] = {}
        for line in self.makers[sheet.category, sheet.currency]:
            if line.factory_id != factory_id and set(sheet.processes) <= {line.process}:
                why, missing = self._why_not(sheet, line, taken, risk_minor, line.factory_id in busy)
                far = NEAREST.index(why), missing
                nearest[line.factory_id] = min(far, nearest.get(line.factory_id, far))
        ranked = sorted(nearest.items(), key=lambda found: (found[1], found[0]))[:PASSED_OVER_SHOWN]
        return [PassedOver(factory_id, NEAREST[why], missing) for factory_id, (why, missing) in ranked]

    @cached_property
    def makers(self) -> Mapping[tuple[str, str], Sequence[Line]]:
        """The lines by category and currency."""
        found: dict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in self.lines.values():
            found[line.category, line.currency].append(line)
        return found

    def _why_not(self, sheet: OpenSheet, line: Line, taken: Quote, risk_minor: int, busy: bool) -> tuple[WhyNot, int]:
        pair, quantity = (sheet.id, line.factory_id), taken.quantity
        if pair in self.banned:
            found = WhyNot.KEPT_FOR_NEW if pair in self.kept_for_new else WhyNot.DECLINED
            return (WhyNot.IN_PART if pair in self.in_part else found), 0
        quote = line.terms.quote(quantity, sheet.target_cost_minor)
        if quote is None:
            return WhyNot.SMALLEST_ORDER, line.terms.smallest_order - quantity
        if (free := line.free_until(self._last_week(sheet, line))) < quantity:
            return WhyNot.WEEKS, quantity - free
        if quote.each_minor > taken.each_minor:
            return WhyNot.PRICE, quote.each_minor - taken.each_minor
        if (dearer := quote.total_minor + self._risk_of(sheet, line, quantity) - taken.total_minor - risk_minor) > 0:
            return WhyNot.RISK, -(-dearer // quantity)
        return (WhyNot.ALL_TOGETHER if busy else WhyNot.LEVEL), 0

    def _risk_of(self, sheet: OpenSheet, line: Line, quantity: int) -> int:
        """What lateness and the risk of it would be counted as, in minor units, with the pieces made as early as may
        be."""
        due, lead = self._timing(sheet, line)
        rate, weeks = sheet.late_week, range(max(due - lead, 0), self._last_week(sheet, line))
        late = sum(max(quantity - line.free_until(week), 0) for week in weeks)
        return rate.money * (late * money.PPM + quantity * (money.PPM - line.on_time_ppm)) // money.PPM // rate.per

    def _last_week(self, sheet: OpenSheet, line: Line) -> int:
        """The last week of the horizon, counted from 1, in which pieces can be made and still be tolerated."""
        due, lead = self._timing(sheet, line)
        return min(due + LATE_WEEKS - lead, HORIZON_WEEKS)

    def _timing(self, sheet: OpenSheet, line: Line) -> tuple[int, int]:
        """Due week and lead weeks; both are shifted where the required date lies before the first due week."""
        due = due_week(self.start, sheet.required_date)
        lead = lead_weeks(self.start, sheet.required_date, line.terms.lead_days)
        return self.due(sheet), lead + self.due(sheet) - min(due, 2 * HORIZON_WEEKS)

    def due(self, sheet: OpenSheet) -> int:
        """The week, counted from 1, by whose end the sheet's pieces must have arrived."""
        return max(1, min(due_week(self.start, sheet.required_date), 2 * HORIZON_WEEKS))

    def _sheet(self, sheet: OpenSheet) -> Sheet:
        return Sheet(
            id=str(sheet.id),
            quantity=sheet.quantity,
            due_week=self.due(sheet),
            value=Rate(sheet.target_cost_minor),
            requires=(sheet.category, *sheet.processes),
            variants=tuple(Variant(str(i), pieces) for i, pieces in sheet.pieces.items()),
            max_late_weeks=LATE_WEEKS,
            late=sheet.late_week,
        )

    def _factories(self, lines: Sequence[Line]) -> tuple[Factory, ...]:
        by_factory: dict[UUID, list[Line]] = defaultdict(list)
        for line in lines:
            by_factory[line.factory_id].append(line)
        return tuple(
            Factory(
                id=str(factory_id),
                lines=tuple(
                    OptimiserLine(str(line.id), capacity=line.free, provides=(line.category, line.process))
                    for line in found
                ),
                on_time_ppm=found[0].on_time_ppm,
            )
            for factory_id, found in by_factory.items()
        )

    def _offer(self, sheet: OpenSheet, line: Line) -> Offer:
        late, ranges = sheet.late_week, line.terms.ranges()
        within_reach = [step for step in ranges if step[0] <= sheet.quantity] or ranges[:1]
        return Offer(
            sheet=str(sheet.id),
            factory=str(line.factory_id),
            line=str(line.id),
            tiers=tuple(
                Tier(
                    min=low,
                    max=max(sheet.quantity, low) if high is None else high,
                    fixed=line.terms.setup_minor,
                    unit=Rate(step.unit_price(sheet.target_cost_minor)),
                )
                for low, high, step in within_reach
            ),
            lead_weeks=self._timing(sheet, line)[1],
            risk=Rate(late.money * (money.PPM - line.on_time_ppm) // money.PPM, late.per),
        )
