"""The arithmetic of demand: tier prices, deposits and balances, shares of money. No database, no clock."""

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from uuid import UUID

from c2m.money import PPM


@dataclass(frozen=True)
class Tier:
    """From this many pieces in all, each piece costs `price_minor`."""

    from_quantity: int
    price_minor: int


@dataclass(frozen=True)
class Ladder:
    """A price that falls in steps as the total rises."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        if problem := ladder_problem(self.tiers):
            raise ValueError(problem)

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]]) -> "Ladder":
        """A ladder of (from_quantity, price_minor) pairs."""
        return cls(tuple(Tier(*pair) for pair in sorted(pairs)))

    def position(self, quantity: int) -> int:
        """Which tier a total stands on; below the first threshold the first tier's price holds."""
        reached = bisect_right(self.tiers, quantity, key=attrgetter("from_quantity"))
        return max(reached - 1, 0)

    def price_at(self, quantity: int) -> int:
        """The price a piece at this total."""
        return self.tiers[self.position(quantity)].price_minor

    def next_tier(self, quantity: int) -> Tier | None:
        """The first cheaper step still ahead of this total."""
        ahead = [t for t in self.tiers if t.from_quantity > quantity and t.price_minor < self.price_at(quantity)]
        return ahead[0] if ahead else None


def ladder_problem(tiers: Sequence[Tier]) -> str | None:
    """What is wrong with a ladder, if anything: thresholds rise, prices fall, all positive."""
    if not tiers:
        return "a ladder needs at least one tier"
    if any(t.from_quantity < 1 or t.price_minor < 1 for t in tiers):
        return "quantities and prices must be positive"
    for lower, upper in itertools.pairwise(tiers):
        if upper.from_quantity <= lower.from_quantity:
            return "each tier must start at more pieces than the one before"
        if upper.price_minor >= lower.price_minor:
            return "each tier must be cheaper than the one before"
    return None


@dataclass(frozen=True)
class JoinedAt:
    """The price a buyer joins at, and the ceiling that is still to be reached, if any.

    Conditional pieces lower the price for nobody until their ceiling is reached; those of a buyer who stays at a
    dearer price all the same are certain.
    """

    unit_price_minor: int
    ceiling_minor: int | None = None
    conditional: bool = False


def price_when_joining(
    ladder: Ladder, certain: int, quantity: int, *, ceiling_minor: int | None = None, accepts_dearer: bool = False
) -> JoinedAt:
    """The present price with these pieces, or the ceiling where that is lower and nothing dearer is accepted.

    A ceiling at or above the present price is reached at once: nobody pays more than the price they joined at.
    """
    present = ladder.price_at(certain + quantity)
    if ceiling_minor is None or ceiling_minor >= present:
        return JoinedAt(present)
    if accepts_dearer:
        return JoinedAt(present, ceiling_minor)
    return JoinedAt(ceiling_minor, ceiling_minor, conditional=True)


@dataclass(frozen=True)
class Outcome:
    """What a buyer pays and gets back if the campaign ends on one tier.

    `extra_minor` is paid on top, and comes back less, if all flexible pieces are taken. A buyer whose ceiling the tier
    does not reach takes no part in it.
    """

    from_quantity: int
    up_to_quantity: int | None
    price_minor: int
    pay_minor: int
    back_minor: int
    extra_minor: int = 0
    takes_part: bool = True


def outcomes(
    ladder: Ladder, certain: int, mine: int, *, at_most: int | None, joined: JoinedAt | None = None, flexible: int = 0
) -> list[Outcome]:
    """The tiers the campaign can still end on with these pieces, what the buyer then pays and gets back."""
    joined = joined or price_when_joining(ladder, certain, mine)
    total = certain if joined.conditional else certain + mine
    paid = joined.unit_price_minor * (mine + flexible)
    found = []
    for i in range(ladder.position(total), len(ladder.tiers)):
        tier = ladder.tiers[i]
        start = max(total, tier.from_quantity) if i > ladder.position(total) else total
        if at_most is not None and start > at_most:
            break
        following = ladder.tiers[i + 1].from_quantity - 1 if i + 1 < len(ladder.tiers) else at_most
        end = following if at_most is None or following is None else min(following, at_most)
        if joined.conditional and tier.price_minor > joined.unit_price_minor:
            found.append(Outcome(start, end, tier.price_minor, 0, paid, takes_part=False))
            continue
        price = final_price(joined.unit_price_minor, tier.price_minor)
        found.append(Outcome(start, end, price, price * mine, paid - price * mine, price * flexible))
    return found


def charge_at_joining(unit_price_minor: int, pieces: int, deposit_minor: int) -> int:
    """What is paid when joining, flexible pieces too: the deposit a piece in a presale, else the price joined at."""
    return pieces * (deposit_minor or unit_price_minor)


def final_price(unit_price_minor: int, final_tier_minor: int) -> int:
    """Everyone ends on the final tier, and nobody above the price they joined at."""
    return min(unit_price_minor, final_tier_minor)


def balance_after_deposit(final_price_minor: int, deposit_counts_minor: int, quantity: int) -> int:
    """What a presale still costs once the deposit, at what it counts, is taken off."""
    return max(final_price_minor - deposit_counts_minor, 0) * quantity


def share_of_units(remaining_minor: int, remaining_units: int, units: int) -> int:
    """The part of a pledge's remaining money that belongs to these units; the last units take what is left."""
    if not 0 < units <= remaining_units:
        raise ValueError(f"{units} units of {remaining_units} remaining")
    return remaining_minor if units == remaining_units else remaining_minor * units // remaining_units


@dataclass(frozen=True)
class Turn:
    """A place in the queue: pieces still wanted, the most this buyer may yet take, whether fewer are welcome too."""

    wanted: int
    room: int | None
    takes_part: bool


def turns(free: int, queue: Sequence[Turn]) -> list[int]:
    """The pieces each place in the queue gets of those that are free, in order.

    Whole quantities, or a part where that is welcome; who can't be served is passed over and keeps the place.
    """
    served = []
    for turn in queue:
        most = min(free, turn.wanted if turn.room is None else min(turn.wanted, turn.room))
        taken = most if most == turn.wanted or turn.takes_part else 0
        served.append(max(taken, 0))
        free -= served[-1]
    return served


def pieces_in_order(lines: Sequence[tuple[UUID, int]], after: int, count: int) -> tuple[tuple[UUID, int], ...]:
    """The next `count` pieces of (variant, pieces) lines once the first `after` have been taken, line by line."""
    found = []
    for variant_id, quantity in lines:
        skipped = min(after, quantity)
        part = min(quantity - skipped, count)
        after, count = after - skipped, count - part
        if part:
            found.append((variant_id, part))
    return tuple(found)


def most_credit(charge_minor: int, lowest_minor: int, given_minor: int, margin_ppm: int) -> int:
    """The most that a sample's price may take off a charge.

    Neither more than the merchandiser's margin (a share in parts per million) in what is charged now, nor more than
    the margin in the least the pieces may come to at the close, less what a deposit counts beyond its amount.
    """
    of_charge, of_least = (minor * margin_ppm // PPM for minor in (charge_minor, lowest_minor))
    return max(min(of_charge, of_least - given_minor), 0)
