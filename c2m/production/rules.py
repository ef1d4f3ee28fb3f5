"""The arithmetic of making and delivering: routes, pegging, earnings, lateness, settlement. No database, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from c2m.design.routes import Route
from c2m.money import allocate, share


def plan_backward(route: Route, *, start: date, finish: date) -> list[date]:
    """The day by which each step is done when the last ends on `finish`.

    Steps shrink in proportion where the route is longer than the days from `start`.
    """
    whole = sum(days for _, days in route)
    window = max((finish - start).days, 0)
    planned, rest = [], whole
    for _, days in route:
        rest -= days
        planned.append(finish - timedelta(days=min(rest, rest * window // whole)))
    return planned


@dataclass(frozen=True)
class StepCount:
    """Pieces that went through a step: good ones, and those it rejected."""

    good: int = 0
    rejected: int = 0

    def plus(self, made: int, rejected: int) -> "StepCount":
        return StepCount(self.good + made - rejected, self.rejected + rejected)


def pieces_waiting(steps: Sequence[StepCount], position: int) -> int | None:
    """Good pieces of the step before that this step has not yet taken in; None for the first, which has no limit."""
    if position == 0:
        return None
    step = steps[position]
    return steps[position - 1].good - step.good - step.rejected


def pieces_needed(steps: Sequence[StepCount], position: int, ordered: int) -> int:
    """Good pieces this step still owes: those ordered and those that later steps rejected.

    None where it did more than are ordered now, because buyers left since.
    """
    return max(ordered + sum(step.rejected for step in steps[position + 1 :]) - steps[position].good, 0)


def ready_to_ship(*, ordered: int, produced: int, rejected: int, shipped: int) -> int:
    """Finished good pieces that have not left yet, never more than were ordered."""
    return min(produced - rejected, ordered) - shipped


def lot_by_variant(unshipped: Mapping[UUID, int], quantity: int) -> dict[UUID, int]:
    """Divide a lot over the variants still to be shipped so that it keeps their proportions (the size curve).

    Raises:
        ValueError: more pieces than are unshipped.
    """
    if not 0 < quantity <= sum(unshipped.values()):
        raise ValueError(f"{quantity} pieces of {sum(unshipped.values())} unshipped")
    parts = allocate(quantity, list(unshipped.values()))
    return {variant_id: part for variant_id, part in zip(unshipped, parts, strict=True) if part}


def peg_oldest_first(waiting: Mapping[UUID, int], quantity: int) -> dict[UUID, int]:
    """Give pieces of one variant to pledges in the order they stand: pledge → pieces.

    Raises:
        ValueError: fewer pieces are waited for.
    """
    pegged: dict[UUID, int] = {}
    left = quantity
    for pledge_id, pieces in waiting.items():
        if left == 0:
            break
        if taken := min(pieces, left):
            pegged[pledge_id] = taken
            left -= taken
    if left:
        raise ValueError(f"{left} of {quantity} pieces have no pledge")
    return pegged


def earned_for(total_minor: int, ordered: int, delivered: int, units: int) -> int:
    """What a factory earns for the next `units` of an order, so that all of them add up to its total exactly."""
    return total_minor * (delivered + units) // ordered - total_minor * delivered // ordered


def spend_in_order(purses: Sequence[int], amount_minor: int) -> list[int]:
    """How much of an amount each purse gives when the first is emptied before the next is opened.

    Raises:
        ValueError: the purses hold less.
    """
    spent, left = [], amount_minor
    for purse in purses:
        spent.append(min(purse, left))
        left -= spent[-1]
    if left:
        raise ValueError(f"{left} of {amount_minor} minor units are not there")
    return spent


def share_with_factory(payments: Sequence[int], earned_minor: int) -> list[tuple[int, int]]:
    """What of each payment is the factory's and what the merchandiser's, the factory first.

    Where the payments are less than the factory earned, the merchandiser's last share is negative.
    """
    shares, left = [], earned_minor
    for payment in payments[:-1]:
        shares.append((min(payment, left), payment - min(payment, left)))
        left -= shares[-1][0]
    return [*shares, (left, payments[-1] - left)]


def days_late(promised: datetime, delivered: datetime, time_zone: str) -> int:
    """Days begun since the promised instant, on the clocks of a time zone, when something is delivered; 0 in time.

    A promise holds until its day ends there, so these are the calendar days that a page shows between the two.
    """
    zone = ZoneInfo(time_zone)
    until, at = (instant.astimezone(zone).replace(tzinfo=None) for instant in (promised, delivered))
    return max(-((until - at) // timedelta(days=1)), 0)


def compensation(price_minor: int, units: int, days: int, *, ppm_per_day: int, cap_ppm: int) -> int:
    """What a buyer is owed for late units: a share of their price for each day, up to the cap."""
    return share(price_minor * units, min(days * ppm_per_day, cap_ppm))


@dataclass(frozen=True)
class Account:
    """A work order's account with its factory."""

    earned_minor: int
    compensation_minor: int
    fee_minor: int

    @property
    def net_minor(self) -> int:
        return self.earned_minor - self.compensation_minor - self.fee_minor


def settle(earned_minor: int, compensation_minor: int, fee_ppm: int) -> Account:
    """Settle what a factory earned: the fee is a share of what is left after compensation."""
    fee_minor = share(max(earned_minor - compensation_minor, 0), fee_ppm)
    return Account(earned_minor, compensation_minor, fee_minor)


def payable(due_minor: int, carried_minor: int) -> int:
    """What is paid of an amount due after earlier debts (negative) are taken off; a debt left over is carried on."""
    return max(due_minor + carried_minor, 0)
