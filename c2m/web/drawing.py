"""Geometry of what is drawn on a page: the stair of price tiers, heat-map shades, chart lines. No words, no money."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask

HEAT_STEPS = (5, 20, 40, 60, 80, 95)


@dataclass(frozen=True)
class Step:
    """One price tier as a step, its fills in hundredths of its width (they are widths, starts follow)."""

    from_quantity: int
    price_minor: int
    state: str  # "past", "now", "next" or "later"
    got: float
    mine: float
    likely: float

    @property
    def until(self) -> float:
        """Where the forecast ends inside this step."""
        return self.got + self.mine + self.likely


def share_reached(quantity: float, start: int, end: int | None) -> float:
    """How much of a tier a quantity fills, 0 to 100; the last tier has no end and is all or none."""
    if quantity < start:
        return 0.0
    if end is None:
        return 100.0
    return min(100.0, 100.0 * (quantity - start) / (end - start))


def steps(tiers: Sequence[tuple[int, int]], total: int, mine: int = 0, likely: float | None = None) -> list[Step]:
    """A ladder of (from quantity, price) as steps: what is pledged, what `mine` adds, where the forecast ends.

    Tiers have equal widths; inside a tier the fill is linear. Below the first threshold its price holds already. The
    last tier has no end and is filled once reached.
    """
    ladder = sorted(tiers)
    reached = max(1, sum(1 for from_quantity, _ in ladder if total >= from_quantity))
    drawn = []
    for position, (start, price_minor) in enumerate(ladder):
        end = ladder[position + 1][0] if position + 1 < len(ladder) else None
        got = share_reached(total, start, end)
        with_mine = share_reached(total + mine, start, end)
        ahead = max(with_mine, share_reached(likely, start, end)) if likely is not None else with_mine
        state = ["past", "now", "next", "later"][min(3, max(0, position - reached + 2))]
        drawn.append(
            Step(
                from_quantity=start,
                price_minor=price_minor,
                state=state,
                got=round(got, 1),
                mine=round(with_mine - got, 1),
                likely=round(ahead - with_mine, 1),
            )
        )
    return drawn


@dataclass(frozen=True)
class Box:
    """One rectangle of the small stair, in a view of 240 × 24."""

    x: float
    y: float
    width: float
    height: float
    fill: float  # width of the filled part
    state: str


def stair(tiers: Sequence[tuple[int, int]], total: int) -> list[Box]:
    """The ladder as one line on a card: each tier stands one step lower than the one before."""
    ladder = steps(tiers, total)
    pitch = 240 / len(ladder)
    drop = min(7.5, 15 / max(1, len(ladder) - 1))
    return [
        Box(
            x=round(position * pitch, 1),
            y=round(position * drop, 1),
            width=round(pitch - 2, 1),
            height=round(24 - position * drop, 1),
            fill=round((pitch - 2) * step.got / 100, 1),
            state=step.state,
        )
        for position, step in enumerate(ladder)
    ]


def heat_level(percent: float) -> int:
    """The shade of a heat-map cell, 0 (empty) to 6 (full), for a load in per cent."""
    return sum(1 for step in HEAT_STEPS if percent >= step)


@dataclass(frozen=True)
class Plot:
    """A chart's area: where values fall in an SVG view, y growing upward; margins leave room for labels."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    width: int = 560
    height: int = 200
    left: int = 40
    right: int = 48
    top: int = 14
    bottom: int = 28

    def x(self, value: float) -> float:
        """The horizontal place of a value."""
        low, high = self.x_range
        return round(self.left + (value - low) / ((high - low) or 1) * (self.width - self.left - self.right), 1)

    def y(self, value: float) -> float:
        """The vertical place of a value."""
        low, high = self.y_range
        return round(self.height - self.bottom - (value - low) / ((high - low) or 1) * self.depth, 1)

    @property
    def depth(self) -> int:
        """The height of the drawing between its margins."""
        return self.height - self.top - self.bottom

    @property
    def base(self) -> int:
        """The vertical place of the axis."""
        return self.height - self.bottom

    @property
    def end(self) -> int:
        """The right end of the axis."""
        return self.width - self.right

    def line(self, points: Sequence[tuple[float, float]]) -> str:
        """A path through points."""
        return "M" + " L".join(f"{self.x(x)} {self.y(y)}" for x, y in points)

    def band(self, points: Sequence[tuple[float, float, float]]) -> str:
        """A closed path between a lower and an upper bound at each x: (x, low, high)."""
        over = [(x, high) for x, _, high in points]
        under = [(x, low) for x, low, _ in reversed(points)]
        return self.line(over + under) + " Z"

    def ticks(self, count: int = 4) -> list[float]:
        """Round values for grid lines inside the y range."""
        low, high = self.y_range
        rough = (high - low) / max(1, count)
        if rough <= 0:
            return [low]
        magnitude = 10 ** _floor_log10(rough)
        step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough)
        first = -(-low // step) * step
        return [round(first + n * step, 10) for n in range(int((high - first) / step + 1e-9) + 1)]


def _floor_log10(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


def init_drawing(app: Flask) -> None:
    """Give templates the geometry of this module."""
    app.jinja_env.globals.update(ladder_steps=steps, stair_boxes=stair, Plot=Plot)
    app.jinja_env.filters["heat_level"] = heat_level
