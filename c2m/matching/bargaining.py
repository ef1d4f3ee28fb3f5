"""The arithmetic of accepting in part and of counter-offers: terms, weeks, what a plan gains. No database, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from c2m.errors import N_
from c2m.matching.rules import WEEK, monday

DECIDE_WITHIN = timedelta(hours=24)  # the platform answers a counter-offer, if the sheet's buyers can wait so long
COUNTERS_AN_OFFER = 2
LONGEST_DELAY = timedelta(days=60)  # a counter-offer names no later day than so long after the offer's


def kept_weeks(pieces: Mapping[date, int], quantity: int) -> dict[date, int]:
    """What is left of weeks when only so many of their pieces are made: the earliest ones."""
    found = {}
    for week in sorted(pieces):
        found[week] = min(pieces[week], quantity)
        quantity -= found[week]
    return {week: count for week, count in found.items() if count}


def last_week_for(deliver_by: datetime, lead_days: int) -> date:
    """The last week whose pieces reach their buyers by this instant."""
    return monday((deliver_by - timedelta(days=lead_days)).date()) - WEEK


def moved_weeks(
    held: Mapping[date, int], free: Mapping[date, int], quantity: int, *, last: date
) -> dict[date, int] | None:
    """Where pieces go that are to be made by the end of another week than the one held for them so far.

    Later ones go as late as they may, since their factory asked for the time; earlier ones as early as there is room.
    None: there is not the room. `free` is what is free beside `held`.
    """
    later = last >= max(held)
    weeks = sorted((week for week in {*held, *free} if week <= last), reverse=later)
    found = {}
    for week in weeks:
        found[week] = min(quantity, held.get(week, 0) + free.get(week, 0))
        quantity -= found[week]
    return None if quantity else {week: found[week] for week in sorted(found) if found[week]}


@dataclass(frozen=True)
class CounterTerms:
    """What a factory offers, or is offered: pieces, price a piece and an order's setup in minor units, the day."""

    quantity: int
    unit_price_minor: int
    setup_minor: int
    deliver_by: datetime

    @property
    def total_minor(self) -> int:
        return self.quantity * self.unit_price_minor + self.setup_minor

    @property
    def each_minor(self) -> int:
        """The price a piece with its share of the setup, rounded up: what is within a target stays within it."""
        return -(-self.total_minor // self.quantity)


def counter_errors(offered: CounterTerms, asked: CounterTerms, *, now: datetime) -> dict[str, str]:
    """What keeps terms from being a counter-offer: field → sentence; empty when they are one."""
    errors = {}
    if not 1 <= asked.quantity <= offered.quantity:
        errors["quantity"] = N_("A counter-offer takes at least one piece and no more than were offered.")
    if not 1 <= asked.unit_price_minor <= 10 * offered.unit_price_minor:
        errors["unit_price"] = N_("The price must be positive and at most ten times what was offered.")
    if not now < asked.deliver_by <= offered.deliver_by + LONGEST_DELAY:
        errors["deliver_by"] = N_("The day lies ahead, and at most 60 days after the one asked for.")
    if not errors and asked == offered:
        errors["quantity"] = N_("These are the terms you were offered; accept them, or name others.")
    return errors


@dataclass(frozen=True)
class Outcome:
    """What a plan comes to: its cost in minor units with unserved pieces at their target cost, of that lateness and
    the risk of it; pieces made, pieces made late, pieces left; who makes how many of the sheet in question, by the
    factories' ids."""

    cost_minor: int
    lateness_minor: int
    risk_minor: int
    served: int
    late: int
    left: int
    makers: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Effect:
    """The plan with a counter-offer agreed to; where it is refused, the plan if the factory then takes the offer as it
    stands, and the plan if it doesn't and its pieces go elsewhere."""

    agreed: Outcome
    stands: Outcome
    elsewhere: Outcome

    @property
    def extra_minor(self) -> int:
        """What agreeing costs on top of others making the pieces; negative: it saves."""
        return self.agreed.cost_minor - self.elsewhere.cost_minor

    @property
    def extra_served(self) -> int:
        return self.agreed.served - self.elsewhere.served

    @property
    def extra_late(self) -> int:
        return self.agreed.late - self.elsewhere.late


def agreed_by_rule(asked: CounterTerms, effect: Effect, *, target_cost_minor: int, required: datetime) -> bool:
    """Whether the platform agrees without anybody's asking: within the sheet's target cost and its buyers' day,
    with no piece fewer served, and no dearer than the plan without it."""
    within = asked.each_minor <= target_cost_minor and asked.deliver_by <= required
    return within and effect.extra_minor <= 0 and effect.extra_served >= 0
