"""A random but plausible market of garments, drawn from a seed: for measuring, and for trying the command."""

import random
from datetime import date

from c2m.matching.optimiser.problem import Factory, Horizon, Line, Load, Offer, Problem, Rate, Sheet, Tier, Variant

CRAFTS = ("knit", "woven", "denim", "down", "leather", "toys", "ceramics", "furniture")
REGIONS = ("Keqiao", "Humen", "Shishi", "Yiwu", "Chenghai", "Haining", "Zhili", "Jinjiang")
SIZES = ("S", "M", "L", "XL")
START = date(2026, 11, 23)
LOAD_TARGET = 0.5  # of all capacity, while every sheet has a few weeks only: good weeks are fought for


def generate(sheets: int, factories: int, weeks: int, seed: int, linked: bool = False) -> Problem:
    """A market of so many sheets and factories over so many weeks.

    Crafts share no lines, so that the market falls into components by craft; `linked` lets every fourth factory run
    a line of two crafts, which joins all of it into one.
    """
    draw = random.Random(seed)
    crafts = CRAFTS[: max(1, min(len(CRAFTS), factories // 8))]
    demand = [_sheet(draw, at, crafts, weeks) for at in range(sheets)]
    wanted = {craft: sum(sheet.quantity * 12 for sheet in demand if craft in sheet.requires) for craft in crafts}
    makers = [_factory(draw, at, crafts, wanted, factories, weeks, linked) for at in range(factories)]
    offers = tuple(
        _offer(draw, sheet, factory, line)
        for sheet in demand
        for factory in makers
        for line in factory.lines
        if set(sheet.requires) <= set(line.provides) and draw.random() < 0.8
    )
    return Problem(
        format="c2m.matching/1",
        horizon=Horizon(START, weeks),
        sheets=tuple(demand),
        factories=tuple(makers),
        offers=offers,
    )


def _sheet(draw: random.Random, at: int, crafts: tuple[str, ...], weeks: int) -> Sheet:
    quantity = round(draw.lognormvariate(5.8, 0.8)) + 30
    parts = [draw.random() + 0.2 for _ in SIZES]
    pieces = [int(quantity * part / sum(parts)) for part in parts]
    pieces[1] += quantity - sum(pieces)
    earliest = draw.randint(1, max(1, weeks // 2))
    return Sheet(
        id=f"S{at + 1:04}",
        quantity=quantity,
        due_week=min(weeks, earliest + draw.randint(2, max(2, weeks // 2))),
        value=Rate(draw.randint(1500, 2600)),
        requires=(crafts[at % len(crafts)],),
        variants=tuple(Variant(size, amount) for size, amount in zip(SIZES, pieces, strict=True)),
        earliest_week=earliest,
        max_late_weeks=draw.choice((0, 1, 2, 2)),
        late=Rate(draw.randint(20, 80)),
        min_fill=quantity // 2 if draw.random() < 0.2 else 0,
        max_factories=draw.choice((1, 1, 2, 3)),
    )


def _factory(
    draw: random.Random,
    at: int,
    crafts: tuple[str, ...],
    wanted: dict[str, int],
    factories: int,
    weeks: int,
    linked: bool,
) -> Factory:
    craft = at % len(crafts)
    provides = [crafts[craft]]
    if linked and at % 4 == 0:
        provides.append(crafts[(craft + 1 + at // 4) % len(crafts)])
    of_the_craft = max(1, factories // len(crafts))
    typical = wanted[crafts[craft]] / of_the_craft / weeks / LOAD_TARGET
    size = typical * draw.uniform(0.4, 1.6)
    capacity = tuple(round(size * draw.choice((0.5, 0.8, 1.0, 1.0, 1.0, 1.1))) for _ in range(weeks))
    return Factory(
        id=f"F{at + 1:03}",
        region=draw.choice(REGIONS),
        on_time_ppm=draw.randint(800_000, 990_000),
        open_cost=50_000 if draw.random() < 0.1 else 0,
        lines=(Line(id="L1", capacity=capacity, provides=tuple(dict.fromkeys(provides)), unit="minute"),),
    )


def _offer(draw: random.Random, sheet: Sheet, factory: Factory, line: Line) -> Offer:
    base = draw.randint(700, 1500)
    minimum = draw.choice((30, 50, 100, 200))
    steps = (minimum, minimum * 4, minimum * 12)
    discounts = (1.0, draw.uniform(0.92, 0.98), draw.uniform(0.85, 0.92))
    ends = (steps[1] - 1, steps[2] - 1, 100_000)
    setup = draw.randint(10, 60) * 1000
    return Offer(
        sheet=sheet.id,
        factory=factory.id,
        line=line.id,
        load_per_piece=Load(draw.randint(80, 160), 10),
        lead_weeks=draw.randint(0, 2),
        ship=Rate(draw.randint(10, 90)),
        risk=Rate(base * (1_000_000 - (factory.on_time_ppm or 0)) // 10_000_000),
        tiers=tuple(
            Tier(min=low, max=high, fixed=setup, unit=Rate(round(base * discount)))
            for low, high, discount in zip(steps, ends, discounts, strict=True)
        ),
    )
