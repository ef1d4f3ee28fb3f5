"""The arithmetic of matching: weeks, price breaks, whole pieces, how well an offer fits. No database, no clock."""

import itertools
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

from c2m import money
from c2m.errors import N_

WEEK = timedelta(weeks=1)
ANSWER_WITHIN = timedelta(hours=48)
ROUNDING = 1e-6  # a plan's weeks are floats
MOST_WEEKS_AHEAD = 104
TIGHT = 70  # a part of the fit below this score deserves a second look


def monday(day: date) -> date:
    """The Monday of a day's ISO week, which names the week."""
    return day - timedelta(days=day.weekday())


def is_too_far(week: date, this_week: date) -> bool:
    """Whether a week lies further ahead than anybody plans."""
    return week - this_week > MOST_WEEKS_AHEAD * WEEK


def starts_at(week: date) -> datetime:
    """The instant a week begins."""
    return datetime.combine(week, time(), tzinfo=UTC)


def first_week(now: datetime) -> date:
    """The first week that begins after an offer made now must have been answered."""
    week = monday((now + ANSWER_WITHIN).date())
    return week if starts_at(week) >= now + ANSWER_WITHIN else week + WEEK


def weeks_from(week: date, count: int) -> list[date]:
    """So many weeks on end, by their Mondays."""
    return [week + WEEK * i for i in range(count)]


def matched_until(issued_at: datetime, matching_days: int) -> datetime:
    """Until when a factory is looked for; offers that are open then may still be answered."""
    return issued_at + timedelta(days=matching_days)


def released_by(issued_at: datetime, matching_days: int) -> datetime:
    """By when every piece of a sheet is in a factory's hands or released to its buyers."""
    return matched_until(issued_at, matching_days) + ANSWER_WITHIN


def arrival(last_week: date, lead_days: int) -> datetime:
    """When pieces made by the end of a week reach their buyers."""
    return starts_at(last_week + WEEK) + timedelta(days=lead_days)


def weeks_late(arrives: datetime, required: datetime) -> int:
    """Weeks begun since the required date when pieces arrive; 0: in time."""
    return max(0, -((required - arrives) // WEEK))


@lru_cache(maxsize=4096)
def due_week(start: date, required: datetime) -> int:
    """How many whole weeks from `start` end by the required date; 0 or less: none does."""
    return (required - starts_at(start)) // WEEK


@lru_cache(maxsize=4096)
def lead_weeks(start: date, required: datetime, lead_days: int) -> int:
    """Weeks by which production must end before the due week, so that no day of the required date is wasted."""
    return due_week(start, required) - due_week(start, required - timedelta(days=lead_days))


def free_between(free: Sequence[int], start: date, certain_at: datetime, required: datetime, lead_days: int) -> int:
    """Pieces free in the weeks from `start` on that begin after a moment's offers are answered and arrive in time."""
    first = (first_week(certain_at) - start).days // 7
    last = (required - timedelta(days=lead_days) - starts_at(start)) // WEEK
    return sum(free[first : max(last, 0)])


@dataclass(frozen=True)
class PriceStep:
    """From this many pieces, each costs an amount, or a share of the sheet's target cost: exactly one is given."""

    from_quantity: int
    unit_price_minor: int | None = None
    target_ppm: int | None = None

    def unit_price(self, target_cost_minor: int) -> int:
        """What a piece costs on a sheet with this target cost, in minor units."""
        if self.unit_price_minor is not None:
            return self.unit_price_minor
        return max(money.share(target_cost_minor, self.target_ppm or 0), 1)


@dataclass(frozen=True)
class Quote:
    """What a factory asks for so many pieces, in minor units."""

    quantity: int
    unit_price_minor: int
    setup_minor: int

    @property
    def total_minor(self) -> int:
        return self.unit_price_minor * self.quantity + self.setup_minor

    @property
    def each_minor(self) -> int:
        """The price a piece with its share of the setup, rounded half up."""
        return (2 * self.total_minor + self.quantity) // (2 * self.quantity)


@dataclass(frozen=True)
class Terms:
    """On what terms a line works: pieces a week, pieces an order, setup an order, days to the buyer, price steps."""

    weekly_capacity: int
    minimum: int
    setup_minor: int
    lead_days: int
    steps: tuple[PriceStep, ...]

    @property
    def smallest_order(self) -> int:
        """Pieces from which this line has a price."""
        return max(self.minimum, self.steps[0].from_quantity)

    def quote(self, quantity: int, target_cost_minor: int) -> Quote | None:
        """The price of an order; None below the smallest order."""
        if quantity < self.smallest_order:
            return None
        step = self.steps[bisect_right(self.steps, quantity, key=lambda s: s.from_quantity) - 1]
        return Quote(quantity, step.unit_price(target_cost_minor), self.setup_minor)

    def ranges(self) -> list[tuple[int, int | None, PriceStep]]:
        """The steps an order can reach: from so many pieces to so many (None: any more), at this step."""
        ends = [following.from_quantity - 1 for following in self.steps[1:]]
        found = []
        for step, end in itertools.zip_longest(self.steps, ends):
            if end is None or end >= self.minimum:
                found.append((max(step.from_quantity, self.minimum), end, step))
        return found


def terms_errors(terms: Terms) -> dict[str, str]:
    """What is wrong with a line's terms: field → sentence; empty when they hold."""
    errors = {}
    if terms.weekly_capacity < 0:
        errors["weekly_capacity"] = N_("The weekly capacity can't be negative.")
    if terms.minimum < 1:
        errors["minimum"] = N_("The smallest order is one piece or more.")
    if terms.setup_minor < 0:
        errors["setup_minor"] = N_("The setup cost can't be negative.")
    if not 0 <= terms.lead_days <= 365:
        errors["lead_days"] = N_("The lead time lies between 0 and 365 days.")
    if problem := _steps_error(terms.steps):
        errors["steps"] = problem
    elif "minimum" not in errors and terms.steps[0].from_quantity > terms.minimum:
        errors["steps"] = N_("The first price must hold from the smallest order on.")
    return errors


def _steps_error(steps: Sequence[PriceStep]) -> str | None:
    if not steps:
        return N_("At least one price is needed.")
    for step in steps:
        if step.from_quantity < 1:
            return N_("A price holds from one piece or more.")
        if (step.unit_price_minor is None) == (step.target_ppm is None):
            return N_("A price is either an amount or a share of the target cost.")
        if (step.unit_price_minor or step.target_ppm or 0) < 1:
            return N_("Prices must be positive.")
    if any(upper.from_quantity <= lower.from_quantity for lower, upper in itertools.pairwise(steps)):
        return N_("Each price must start at more pieces than the one before.")
    if any(_is_dearer(upper, lower) for lower, upper in itertools.pairwise(steps)):
        return N_("A piece must not cost more when more are ordered.")
    return None


def _is_dearer(upper: PriceStep, lower: PriceStep) -> bool:
    """Whether a step costs more than the one below; an amount and a share can't be compared."""
    if upper.unit_price_minor is not None and lower.unit_price_minor is not None:
        return upper.unit_price_minor > lower.unit_price_minor
    if upper.target_ppm is not None and lower.target_ppm is not None:
        return upper.target_ppm > lower.target_ppm
    return False


def whole_weeks(planned: Mapping[date, float], quantity: int, room: Mapping[date, int]) -> dict[date, int] | None:
    """Whole pieces a week, as near to the plan as the room allows; None where the plan's weeks have not the room."""
    pieces = {week: min(int(share + ROUNDING), room.get(week, 0)) for week, share in planned.items()}
    left = quantity - sum(pieces.values())
    most_cut_off = sorted(planned, key=lambda week: (pieces[week] - planned[week], week))
    for at_most in (1, quantity):  # first a piece where the plan cut one in two, then whatever there is room for
        for week in most_cut_off:
            more = min(at_most, left, room.get(week, 0) - pieces[week])
            pieces[week] += more
            left -= more
    return None if left else {week: pieces[week] for week in sorted(pieces) if pieces[week]}


def brought_forward(pieces: Mapping[date, int], room: Mapping[date, int]) -> dict[date, int]:
    """The same pieces in the earliest weeks that have room beside them: a week that passes idle is lost."""
    left, last = sum(pieces.values()), max(pieces)
    found = {}
    for week in sorted(week for week in {*room, *pieces} if week <= last):
        found[week] = min(left, room.get(week, 0) + pieces.get(week, 0))
        left -= found[week]
    return {week: count for week, count in found.items() if count}


USUAL_ON_TIME_PPM = 950_000
USUAL_COUNTS_AS = 10  # orders: so much is what is usual worth beside a factory's own record


def on_time_share(in_time: int, due: int) -> int:
    """The share of orders a factory is planned to deliver in time, in parts per million: its record, and what is usual
    where that is short."""
    return (in_time * money.PPM + USUAL_COUNTS_AS * USUAL_ON_TIME_PPM) // (due + USUAL_COUNTS_AS)


class FitPart(StrEnum):
    PROCESS = "process"
    CAPACITY = "capacity"
    COST = "cost"
    DATE = "date"
    QUALITY = "quality"


WEIGHTS = {
    FitPart.PROCESS: 20,
    FitPart.CAPACITY: 20,
    FitPart.COST: 25,
    FitPart.DATE: 20,
    FitPart.QUALITY: 15,
}


@dataclass(frozen=True)
class PartOfFit:
    """One reason: what is there, what is asked for, and the difference; `score` out of 100.

    Units: processes, pieces, minor units a piece, days from now, parts per million delivered on time.
    """

    part: FitPart
    score: int
    have: int
    need: int

    @property
    def spare(self) -> int:
        return self.have - self.need

    @property
    def tight(self) -> bool:
        return self.score < TIGHT


@dataclass(frozen=True)
class Fit:
    """How well an offer suits its factory: a score out of 100 and the figures it is made of."""

    parts: tuple[PartOfFit, ...]

    @property
    def score(self) -> int:
        return round(sum(part.score * WEIGHTS[part.part] for part in self.parts) / sum(WEIGHTS.values()))


def fit(
    *,
    processes: tuple[int, int],
    pieces: tuple[int, int],
    cost_minor: tuple[int, int],
    days: tuple[int, int],
    on_time_ppm: tuple[int, int],
) -> Fit:
    """The fit from pairs of (have, need): each part stands at 60 where both are equal and falls below that in want.

    Full marks need half the order's pieces, a tenth of the target cost or a week to spare; quality is the share
    delivered on time beside the usual one of the factories asked, full at 100 %.
    """

    def part(name: FitPart, pair: tuple[int, int], ample: float) -> PartOfFit:
        have, need = pair
        return PartOfFit(name, max(0, min(100, round(60 + 40 * (have - need) / ample))), have, need)

    return Fit(
        (
            PartOfFit(FitPart.PROCESS, 100 * processes[0] // max(processes[1], 1), *processes),
            part(FitPart.CAPACITY, pieces, max(pieces[1] / 2, 1)),
            part(FitPart.COST, cost_minor, max(cost_minor[0] / 10, 1)),
            part(FitPart.DATE, days, 7),
            PartOfFit(FitPart.QUALITY, max(0, 100 - (money.PPM - on_time_ppm[0]) // 5_000), *on_time_ppm),
        )
    )


UNSERVED: dict[str, str] = {
    "NO_CAPABILITY": N_("No verified factory makes this kind of product."),
    "REGION": N_("No factory in the region asked for makes it."),
    "NO_OFFER": N_("Every factory that makes it has declined or let its offer run out."),
    "MOQ": N_("%(pieces_missing)s pieces are missing to the smallest order of any factory."),
    "LEAD_TIME": N_("No factory can deliver in time; the earliest arrival would be %(earliest)s."),
    "PRICE": N_("Every factory's price lies above the target cost; in all by %(shortfall)s."),
    "CAPACITY": N_("The lines that could make it are full in every week that would be in time."),
    "MAX_FACTORIES": N_("It may not be split over any more factories."),
    "MIN_FILL": N_("Too few pieces could be made for it to be worth while."),
    "NOT_PROVEN": N_("The search ended before a better plan was found; it is tried again."),
    "TAKEN_MEANWHILE": N_("The capacity was taken while the plan was made; it is tried again."),
}


def unserved_sentence(reason: str) -> str:
    """Why pieces are left, for people; placeholders are filled from the entry's figures."""
    return UNSERVED[reason]


class Choice(StrEnum):
    """Why this factory was chosen."""

    ONLY_CHOICE = "only_choice"  # nobody else could take these pieces
    CHEAPEST = "cheapest"
    BEST_OVERALL = "best_overall"  # a cheaper factory is worth more on other sheets
    AS_FOUND = "as_found"  # a cheaper one was not found while the search lasted


CHOICES: dict[Choice, str] = {
    Choice.ONLY_CHOICE: N_("No other factory has free capacity for these pieces."),
    Choice.CHEAPEST: N_("This factory costs least, with lateness and risk counted in."),
    Choice.BEST_OVERALL: N_("A cheaper factory is worth more on other sheets, so that all sheets together cost least."),
    Choice.AS_FOUND: N_("This factory was the best choice found while the search lasted; another would cost less."),
}


def choice_of(next_best_extra_minor: int | None, *, makes_others: bool) -> Choice:
    """Why this factory was chosen, from what the next best would cost on top and whether it makes other sheets of the
    same plan."""
    if next_best_extra_minor is None:
        return Choice.ONLY_CHOICE
    if next_best_extra_minor >= 0:
        return Choice.CHEAPEST
    return Choice.BEST_OVERALL if makes_others else Choice.AS_FOUND
