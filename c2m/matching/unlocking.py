"""What more confirmed pieces would open up: a factory's smallest order, or its next price."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from c2m.matching.market import Line

SHOWN = 3


@dataclass(frozen=True)
class Unlock:
    """So many more pieces, and this factory can make them all, cheaper than anyone makes what there is now.

    `saves_minor` is that difference a piece, setup included; None where nobody takes so few pieces as there are now.
    """

    factory_id: UUID
    more: int
    quantity: int
    saves_minor: int | None


def unlocks(rooms: Sequence[tuple[Line, int]], pieces: int, *, target_cost_minor: int) -> list[Unlock]:
    """The steps ahead, the nearest first, each better than the one before.

    Args:
        rooms: the lines that could make it, with the pieces they have free in time.
        pieces: confirmed so far.
        target_cost_minor: what a piece may cost to make, in minor units.
    """
    today = [each for line, free in rooms if (each := _each(line, free, pieces, target_cost_minor)) is not None]
    best = min(today, default=None)
    found: list[Unlock] = []
    ahead = [(quantity, line, free) for line, free in rooms for quantity in _steps(line) if quantity > pieces]
    for quantity, line, free in sorted(ahead, key=lambda step: (step[0], step[1].id)):
        each = _each(line, free, quantity, target_cost_minor)
        if each is None or each > target_cost_minor or (best is not None and each >= best):
            continue
        saves = None if best is None else best - each
        if found and found[-1].quantity == quantity:  # of equal steps the cheapest
            if _gains(saves) > _gains(found[-1].saves_minor):
                found[-1] = Unlock(line.factory_id, quantity - pieces, quantity, saves)
        elif not found or _gains(saves) > _gains(found[-1].saves_minor):
            found.append(Unlock(line.factory_id, quantity - pieces, quantity, saves))
    return found[:SHOWN]


def next_step(line: Line, pieces: int) -> int | None:
    """How many pieces are missing to a line's smallest order or next price; None beyond its last."""
    return next((quantity - pieces for quantity in _steps(line) if quantity > pieces), None)


def _gains(saves: int | None) -> int:
    return -1 if saves is None else saves


def _steps(line: Line) -> list[int]:
    return sorted({line.terms.smallest_order, *(low for low, _, _ in line.terms.ranges())})


def _each(line: Line, free: int, pieces: int, target_cost_minor: int) -> int | None:
    quote = line.terms.quote(pieces, target_cost_minor) if 0 < pieces <= free else None
    return quote.each_minor if quote else None
