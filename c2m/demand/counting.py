"""How a campaign closes: which colours are made, who takes part at what price, what is taken and what comes back.

Arithmetic on plain values: `settle` decides everything, the database code only carries it out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from c2m.demand.rules import Ladder, Tier, final_price
from c2m.money import allocate


class Outcome(StrEnum):
    """What becomes of a campaign at its deadline."""

    SUCCEEDED = "succeeded"
    EXTENDED = "extended"
    NEXT_ROUND = "next_round"  # failed, and begun anew with those who agreed to come along
    FAILED = "failed"


@dataclass(frozen=True)
class Make:
    """A colour in a size."""

    colour: str
    size: str


@dataclass(frozen=True)
class Terms:
    """What a campaign's close is decided by."""

    ladder: Ladder
    minimum: int
    variants: Mapping[UUID, Make]
    cap: int | None = None
    pack_pieces: int = 1
    colour_minimum: int = 0
    deposit_minor: int = 0  # a presale asks for the rest later; else what was paid too much comes back
    may_extend: bool = False
    may_begin_anew: bool = False


@dataclass(frozen=True)
class Line:
    """Pieces of one variant: ordered, and flexible ones beside them."""

    variant_id: UUID
    pieces: int
    flexible: int = 0


@dataclass(frozen=True)
class Stake:
    """A paid pledge as the close finds it."""

    pledge_id: UUID
    lines: tuple[Line, ...]
    price_minor: int  # a piece, when joining
    charged_minor: int  # in escrow, for flexible pieces too
    ceiling_minor: int | None = None
    accepts_dearer: bool = False
    fallback_colour: str = ""
    joins_next_round: bool = False

    def takes_part_at(self, price_minor: int) -> bool:
        """Whether this is what the buyer agreed to."""
        return self.ceiling_minor is None or price_minor <= self.ceiling_minor or self.accepts_dearer


@dataclass(frozen=True)
class LineEnd:
    """What became of a line: made as chosen, in another colour, or not at all."""

    chosen: UUID
    made: UUID | None
    pieces: int
    taken: int = 0  # flexible pieces that completed a tier or pack
    freed: int = 0  # flexible pieces nobody needed


@dataclass(frozen=True)
class Share:
    """How one pledge ends: its lines and what of its money comes back on which account."""

    stake: Stake
    lines: tuple[LineEnd, ...]
    tier_minor: int  # the price reached
    deposit_minor: int = 0

    @cached_property
    def quantity(self) -> int:
        """Pieces it ends with; a pledge without any is refunded."""
        return sum(line.pieces + line.taken for line in self.lines if line.made)

    @cached_property
    def misses_ceiling(self) -> bool:
        return not self.stake.takes_part_at(self.tier_minor)

    @cached_property
    def accepts_dearer(self) -> bool:
        """Whether it stays though its ceiling was not reached."""
        ceiling = self.stake.ceiling_minor
        return ceiling is not None and ceiling < self.tier_minor and self.stake.accepts_dearer

    @cached_property
    def price_minor(self) -> int:
        """What a piece costs in the end."""
        return final_price(self.stake.price_minor, self.tier_minor)

    @cached_property
    def amounts(self) -> tuple[tuple[int, int, int], ...]:
        """What was paid for each line's ordered, taken and freed pieces, in minor units; all of it together."""
        parts = [pieces for line in self.lines for pieces in (line.pieces, line.taken, line.freed)]
        paid = iter(allocate(self.stake.charged_minor, parts))
        return tuple(zip(paid, paid, paid, strict=True))

    @cached_property
    def difference_minor(self) -> int:
        """What was paid above the final price for the pieces it keeps; a presale's balance is that much lower."""
        return 0 if self.deposit_minor else (self.stake.price_minor - self.price_minor) * self.quantity

    @property
    def back_minor(self) -> int:
        """All that comes back."""
        pairs = zip(self.lines, self.amounts, strict=True)
        unmade = sum(freed + (0 if line.made else ordered) for line, (ordered, _, freed) in pairs)
        return unmade + self.difference_minor


@dataclass(frozen=True)
class Verdict:
    """How a campaign closes; unless it succeeded, every pledge is as it was."""

    outcome: Outcome
    quantity: int
    price_minor: int
    shares: tuple[Share, ...] = ()


def settle(terms: Terms, stakes: Sequence[Stake]) -> Verdict:
    """Decide a close: the lowest price that the pieces of all who take part at it reach, flexible ones included.

    At each price a colour is made if those who take part ordered enough of it; a line of another moves to the same size
    of its buyer's second colour, or is given up. Of flexible pieces only as many are taken as the price needs, then as
    many as fill the last pack, oldest pledge first and never beyond the cap. Stakes come in the order they joined.
    """
    counts = (_Count.at(terms, stakes, tier) for tier in reversed(terms.ladder.tiers))
    count = next((c for c in counts if c.reaches_tier), None) or _Count.at(terms, stakes, terms.ladder.tiers[0])
    count = count.taking(count.missing)
    count = count.taking(count.to_last_pack)
    outcome = outcome_of(
        count.quantity,
        terms.minimum,
        may_extend=terms.may_extend and bool(stakes),
        may_begin_anew=terms.may_begin_anew and any(stake.joins_next_round for stake in stakes),
    )
    shares = count.shares() if outcome is Outcome.SUCCEEDED else ()
    return Verdict(outcome, count.quantity, count.tier.price_minor, shares)


def outcome_of(quantity: int, minimum: int, *, may_extend: bool, may_begin_anew: bool) -> Outcome:
    """What becomes of a campaign with so many pieces at its deadline."""
    if quantity >= minimum:
        return Outcome.SUCCEEDED
    if may_extend:
        return Outcome.EXTENDED
    return Outcome.NEXT_ROUND if may_begin_anew else Outcome.FAILED


@dataclass(frozen=True)
class _Count:
    """All pledges counted at one tier's price."""

    terms: Terms
    tier: Tier
    stakes: Sequence[Stake]
    lines: tuple[tuple[LineEnd, ...], ...]  # of each stake; `freed` is what can still be taken

    @classmethod
    def at(cls, terms: Terms, stakes: Sequence[Stake], tier: Tier) -> "_Count":
        ordered: Counter[str] = Counter()
        for stake in stakes:
            if stake.takes_part_at(tier.price_minor):
                for line in stake.lines:
                    ordered[terms.variants[line.variant_id].colour] += line.pieces
        made = {
            make: variant_id
            for variant_id, make in terms.variants.items()
            if ordered[make.colour] >= max(terms.colour_minimum, 1)
        }

        def end(stake: Stake, line: Line) -> LineEnd:
            chosen = terms.variants[line.variant_id]
            takes_part = stake.takes_part_at(tier.price_minor)
            place = made.get(chosen) or made.get(replace(chosen, colour=stake.fallback_colour))
            return LineEnd(line.variant_id, place if takes_part else None, line.pieces, freed=line.flexible)

        return cls(terms, tier, stakes, tuple(tuple(end(stake, line) for line in stake.lines) for stake in stakes))

    @cached_property
    def quantity(self) -> int:
        return sum(line.pieces + line.taken for lines in self.lines for line in lines if line.made)

    @cached_property
    def spare(self) -> int:
        """Flexible pieces that may still be taken."""
        spare = sum(line.freed for lines in self.lines for line in lines if line.made)
        return spare if self.terms.cap is None else min(spare, self.terms.cap - self.quantity)

    @property
    def reaches_tier(self) -> bool:
        return self.quantity + self.spare >= self.tier.from_quantity

    @property
    def missing(self) -> int:
        """Flexible pieces that this tier needs."""
        return max(self.tier.from_quantity - self.quantity, 0) if self.reaches_tier else 0

    @property
    def to_last_pack(self) -> int:
        """Flexible pieces that fill the last pack, if there are as many."""
        gap = -self.quantity % self.terms.pack_pieces
        return gap if gap <= self.spare else 0

    def taking(self, pieces: int) -> "_Count":
        """The same with so many flexible pieces taken, oldest pledge first."""
        if not pieces:
            return self
        ends = []
        for lines in self.lines:
            after = []
            for line in lines:
                taken = min(pieces, line.freed) if line.made else 0
                pieces -= taken
                after.append(replace(line, taken=line.taken + taken, freed=line.freed - taken))
            ends.append(tuple(after))
        return replace(self, lines=tuple(ends))

    def shares(self) -> tuple[Share, ...]:
        deposit = self.terms.deposit_minor
        pairs = zip(self.stakes, self.lines, strict=True)
        return tuple(Share(stake, lines, self.tier.price_minor, deposit) for stake, lines in pairs)
