"""What a problem must hold beyond its shape: known ids, no duplicates, sane ranges, totals that floats can carry."""

from collections.abc import Hashable, Iterable
from itertools import pairwise

from c2m.matching.optimiser.problem import Factory, Frozen, Offer, Problem, Rate, Sheet

EXACT_IN_A_FLOAT = 2**53


class InvalidProblem(ValueError):
    """The problem can't be accepted: `pointer` is the JSON pointer (RFC 6901) of the fault, `sentence` says what."""

    def __init__(self, pointer: str, sentence: str) -> None:
        super().__init__(f"{pointer or 'the document'}: {sentence}")
        self.pointer = pointer
        self.sentence = sentence


def pointer_to(*parts: str | int) -> str:
    """The JSON pointer of a path, escaped as RFC 6901 asks."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def validate(problem: Problem) -> None:
    """Accept the problem in silence.

    Raises:
        InvalidProblem: at the first fault found.
    """
    sheets = {sheet.id: sheet for sheet in problem.sheets}
    factories = {factory.id: {line.id for line in factory.lines} for factory in problem.factories}
    _refuse_duplicates(("sheets",), (sheet.id for sheet in problem.sheets), "id")
    _refuse_duplicates(("factories",), (factory.id for factory in problem.factories), "id")
    for at, sheet in enumerate(problem.sheets):
        _check_sheet(at, sheet)
    for at, factory in enumerate(problem.factories):
        _check_factory(at, factory, problem.horizon.weeks)
    for at, offer in enumerate(problem.offers):
        _check_place(("offers", at), offer, sheets, factories)
        _check_tiers(at, offer)
    _refuse_duplicates(("offers",), ((o.sheet, o.factory, o.line) for o in problem.offers))
    _check_frozen(problem, sheets, factories)
    for at, (sheet_id, factory_id) in enumerate(problem.banned):
        _require(sheet_id in sheets, ("banned", at, 0), f"there is no sheet {sheet_id!r}")
        _require(factory_id in factories, ("banned", at, 1), f"there is no factory {factory_id!r}")
    for at, (sheet_id, factory_id, line_id) in enumerate(problem.proposed):
        _require(sheet_id in sheets, ("proposed", at, 0), f"there is no sheet {sheet_id!r}")
        _require(factory_id in factories, ("proposed", at, 1), f"there is no factory {factory_id!r}")
        _require(line_id in factories[factory_id], ("proposed", at, 2), f"there is no line {line_id!r}")
    _refuse_overflow(problem)


def _require(holds: bool, path: tuple[str | int, ...], sentence: str) -> None:
    if not holds:
        raise InvalidProblem(pointer_to(*path), sentence)


def _refuse_duplicates(path: tuple[str | int, ...], keys: Iterable[Hashable], name: str | None = None) -> None:
    seen: set[Hashable] = set()
    for at, key in enumerate(keys):
        _require(key not in seen, (*path, at) if name is None else (*path, at, name), f"{key!r} is there twice")
        seen.add(key)


def _check_sheet(at: int, sheet: Sheet) -> None:
    path = ("sheets", at)
    _require(
        sheet.due_week >= sheet.earliest_week,
        (*path, "due_week"),
        f"week {sheet.due_week} lies before the earliest week {sheet.earliest_week}",
    )
    _require(
        sheet.min_fill <= sheet.quantity,
        (*path, "min_fill"),
        f"{sheet.min_fill} is more than the quantity {sheet.quantity}",
    )
    _refuse_duplicates((*path, "variants"), (variant.id for variant in sheet.variants), "id")
    pieces = sum(variant.quantity for variant in sheet.variants)
    _require(
        not sheet.variants or pieces == sheet.quantity,
        (*path, "variants"),
        f"the variants hold {pieces} pieces, the sheet {sheet.quantity}",
    )


def _check_factory(at: int, factory: Factory, weeks: int) -> None:
    _refuse_duplicates(("factories", at, "lines"), (line.id for line in factory.lines), "id")
    for line_at, line in enumerate(factory.lines):
        _require(
            len(line.capacity) == weeks,
            ("factories", at, "lines", line_at, "capacity"),
            f"there are {len(line.capacity)} weeks of capacity, the horizon has {weeks}",
        )


def _check_place(
    path: tuple[str | int, ...], place: Offer | Frozen, sheets: dict[str, Sheet], factories: dict[str, set[str]]
) -> None:
    _require(place.sheet in sheets, (*path, "sheet"), f"there is no sheet {place.sheet!r}")
    _require(place.factory in factories, (*path, "factory"), f"there is no factory {place.factory!r}")
    _require(
        place.line in factories[place.factory],
        (*path, "line"),
        f"factory {place.factory!r} has no line {place.line!r}",
    )


def _check_tiers(at: int, offer: Offer) -> None:
    path = ("offers", at, "tiers")
    _require(bool(offer.tiers), path, "an offer needs at least one tier")
    for tier_at, tier in enumerate(offer.tiers):
        _require(tier.max >= 1, (*path, tier_at, "max"), "a tier reaches to at least one piece")
        _require(tier.min <= tier.max, (*path, tier_at, "min"), f"{tier.min} is more than the maximum {tier.max}")
    ascending = sorted(range(len(offer.tiers)), key=lambda k: offer.tiers[k].min)
    for lower, upper in pairwise(ascending):
        _require(
            offer.tiers[lower].max < offer.tiers[upper].min,
            (*path, upper, "min"),
            f"{offer.tiers[upper].min} lies inside the tier that ends at {offer.tiers[lower].max}",
        )


def _check_frozen(problem: Problem, sheets: dict[str, Sheet], factories: dict[str, set[str]]) -> None:
    left = {sheet.id: sheet.quantity for sheet in problem.sheets}
    offered = {(offer.sheet, offer.factory, offer.line) for offer in problem.offers}
    variants_left = {(sheet.id, variant.id): variant.quantity for sheet in problem.sheets for variant in sheet.variants}
    for at, frozen in enumerate(problem.frozen):
        path = ("frozen", at)
        _check_place(path, frozen, sheets, factories)
        _require(
            (frozen.sheet, frozen.factory, frozen.line) in offered,
            (*path, "line"),
            "there is no offer that tells the load of these pieces",
        )
        left[frozen.sheet] -= frozen.quantity
        _require(left[frozen.sheet] >= 0, (*path, "quantity"), f"sheet {frozen.sheet!r} has fewer pieces than that")
        for week in frozen.weeks:
            _require(
                week <= problem.horizon.weeks, (*path, "weeks", week), f"the horizon ends at {problem.horizon.weeks}"
            )
        made = sum(frozen.weeks.values())
        _require(
            abs(made - frozen.quantity) < 1e-3,
            (*path, "weeks"),
            f"the weeks hold {made:g} pieces, the allocation {frozen.quantity}",
        )
        for variant, quantity in frozen.variants.items():
            key = (frozen.sheet, variant)
            _require(key in variants_left, (*path, "variants", variant), f"there is no variant {variant!r}")
            variants_left[key] -= quantity
            _require(variants_left[key] >= 0, (*path, "variants", variant), "the variant has fewer pieces than that")
        _require(
            not frozen.variants or sum(frozen.variants.values()) == frozen.quantity,
            (*path, "variants"),
            f"the variants don't add up to {frozen.quantity} pieces",
        )


def _refuse_overflow(problem: Problem) -> None:
    sheets = {sheet.id: sheet for sheet in problem.sheets}
    total = float(sum(factory.open_cost for factory in problem.factories))
    for at, sheet in enumerate(problem.sheets):
        total += sheet.quantity * _each(sheet.value)
        _require(total < EXACT_IN_A_FLOAT, ("sheets", at, "value"), "the money in this problem exceeds 2^53")
    dearest = dict.fromkeys(sheets, 0.0)
    for at, offer in enumerate(problem.offers):
        sheet = sheets[offer.sheet]
        extra = _each(offer.ship) + _each(offer.risk) + _each(sheet.late) * sheet.max_late_weeks
        cost = max(tier.fixed + (_each(tier.unit) + extra) * sheet.quantity for tier in offer.tiers)
        dearest[offer.sheet] = max(cost, dearest[offer.sheet])
        _require(cost < EXACT_IN_A_FLOAT, ("offers", at, "tiers"), "the money in this offer exceeds 2^53")
    _require(total + sum(dearest.values()) < EXACT_IN_A_FLOAT, ("offers",), "the money in this problem exceeds 2^53")


def _each(rate: Rate) -> float:
    return rate.money / rate.per
