"""Small matching problems, and what they cost at best by trying everything."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from itertools import product
from typing import Any

from hypothesis import strategies as st

from c2m.matching.optimiser import Factory, Horizon, Line, Load, Offer, Problem, Rate, Settings, Sheet, Tier

EXACT = Settings(effort=100_000, time_limit_s=30.0, gap_ppm=0)


def a_problem(sheets: list[Sheet], factories: list[Factory], offers: list[Offer], **more: Any) -> Problem:
    weeks = len(factories[0].lines[0].capacity)
    fields: dict[str, Any] = {"settings": EXACT} | more
    return Problem(
        format="c2m.matching/1",
        horizon=Horizon(date(2026, 11, 23), weeks),
        sheets=tuple(sheets),
        factories=tuple(factories),
        offers=tuple(offers),
        **fields,
    )


def a_sheet(id: str = "S1", quantity: int = 10, **more: Any) -> Sheet:
    fields: dict[str, Any] = {"due_week": 9, "value": Rate(100)} | more
    return Sheet(id=id, quantity=quantity, **fields)


def a_factory(id: str = "F1", *capacity: int, **more: Any) -> Factory:
    provides = more.pop("provides", ())
    return Factory(id=id, lines=(Line("L", capacity or (100, 100), provides=provides),), **more)


def an_offer(sheet: str = "S1", factory: str = "F1", *tiers: Tier, **more: Any) -> Offer:
    return Offer(sheet=sheet, factory=factory, line="L", tiers=tiers or (Tier(1, 1000, 0, Rate(50)),), **more)


def least_cost(problem: Problem) -> Fraction | None:
    """The objective of the best plan, by trying every way to spread whole pieces over offers and weeks.

    None where must-serve sheets can't all be served. Right for problems whose lines take whole loads a piece.
    """
    lines = [(factory, line) for factory in problem.factories for line in factory.lines]
    capacity = {(f.id, line.id, week): units for f, line in lines for week, units in enumerate(line.capacity, start=1)}
    opening = {factory.id: factory.open_cost for factory in problem.factories}
    best: Fraction | None = None

    def place(at: int, free: dict[tuple[str, str, int], Fraction], opened: frozenset[str], cost: Fraction) -> None:
        nonlocal best
        if best is not None and cost >= best:
            return
        if at == len(ways):
            best = cost
            return
        for spent, loads, factories in ways[at]:
            left = dict(free)
            for key, load in loads.items():
                left[key] -= load
            if all(units >= 0 for units in left.values()):
                newly = sum(opening[factory] for factory in factories - opened)
                place(at + 1, left, opened | factories, cost + spent + newly)

    ways = [sorted(_ways(problem, sheet), key=lambda way: way[0]) for sheet in problem.sheets]
    place(0, {key: Fraction(units) for key, units in capacity.items()}, frozenset(), Fraction(0))
    return best


Way = tuple[Fraction, dict[tuple[str, str, int], Fraction], frozenset[str]]


def _ways(problem: Problem, sheet: Sheet) -> Iterator[Way]:
    """Every way to serve one sheet alone: its cost, the load on each line-week, and the factories."""
    offers = [o for o in problem.offers if o.sheet == sheet.id and (o.sheet, o.factory) not in problem.banned]
    cells = [
        (offer, week)
        for offer in offers
        for week in range(sheet.earliest_week, problem.horizon.weeks + 1)
        if week + offer.lead_weeks <= sheet.latest_arrival
    ]
    for counts in _compositions(sheet.quantity, len(cells)):
        pieces = {id(offer): 0 for offer in offers}
        cost, loads = sheet.value.each * (sheet.quantity - sum(counts)), {}
        for (offer, week), count in zip(cells, counts, strict=True):
            if count:
                pieces[id(offer)] += count
                late = max(0, week + offer.lead_weeks - sheet.due_week)
                cost += count * (late * sheet.late.each + offer.ship.each + offer.risk.each)
                loads[offer.factory, offer.line, week] = count * offer.load_per_piece.each
        used = [offer for offer in offers if pieces[id(offer)]]
        factories = frozenset(offer.factory for offer in used)
        tiers = [[t for t in o.tiers if t.min <= pieces[id(o)] <= t.max] for o in used]
        placed = sum(counts)
        if (
            all(tiers)
            and (sheet.max_factories is None or len(factories) <= sheet.max_factories)
            and (placed == 0 or placed >= sheet.min_fill)
            and (placed == sheet.quantity or not sheet.must_serve)
        ):
            for offer, (tier,) in zip(used, tiers, strict=True):
                cost += tier.fixed + tier.unit.each * pieces[id(offer)]
            yield cost, loads, factories


def _compositions(total: int, cells: int) -> Iterator[tuple[int, ...]]:
    return (counts for counts in product(range(total + 1), repeat=cells) if sum(counts) <= total)


@st.composite
def small_problems(draw: st.DrawFn, weeks: int = 2, must_serve: bool = True) -> Problem:
    """Up to three sheets of up to four pieces on up to two factories, with every kind of side constraint."""
    number = st.integers
    factories = [
        a_factory(
            f"F{f}",
            *(draw(number(0, 5)) for _ in range(weeks)),
            open_cost=draw(st.sampled_from((0, 0, 30))),
        )
        for f in range(draw(number(1, 2)))
    ]
    sheets, offers = [], []
    for s in range(draw(number(1, 3))):
        quantity = draw(number(1, 4 if weeks == 1 else 3))
        earliest = draw(number(1, weeks))
        sheets.append(
            a_sheet(
                f"S{s}",
                quantity,
                value=Rate(draw(number(0, 120)), draw(number(1, 2))),
                earliest_week=earliest,
                due_week=draw(number(earliest, weeks)),
                max_late_weeks=draw(number(0, 1)),
                late=Rate(draw(number(0, 20))),
                must_serve=must_serve and draw(number(0, 5)) == 0,
                min_fill=draw(number(0, quantity)),
                max_factories=draw(st.sampled_from((None, 1, 2))),
            )
        )
        for factory in factories:
            if draw(number(0, 4)):
                low, step = draw(number(0, 2)), draw(number(0, 2))
                fixed, unit = draw(number(0, 60)), draw(number(0, 60))
                tiers = (
                    Tier(low, low + step + 1, fixed, Rate(unit)),
                    Tier(low + step + 2, 9, draw(number(0, 60)), Rate(draw(number(0, 60)))),
                )
                offers.append(
                    an_offer(
                        f"S{s}",
                        factory.id,
                        *tiers[: draw(number(1, 2))],
                        load_per_piece=Load(draw(number(1, 2)) if weeks == 1 else 1),
                        lead_weeks=draw(st.sampled_from((0, 0, 1))),
                        ship=Rate(draw(number(0, 9))),
                        risk=Rate(draw(number(0, 9))),
                    )
                )
    pairs = [(offer.sheet, offer.factory) for offer in offers]
    banned = draw(st.lists(st.sampled_from(pairs), max_size=1)) if pairs else []
    return a_problem(sheets, factories, offers, banned=tuple(banned))
