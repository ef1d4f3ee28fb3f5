"""What is to be matched: demand sheets, factories' lines and the offers between them.

The dataclasses are the interchange format `c2m.matching/1` itself, field for field. Weeks count from 1; money is an
integer of 1/`money_scale` of the currency's unit; a `Rate` keeps money per pieces as an exact ratio.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

LARGEST_QUANTITY = 10**9
LARGEST_MONEY = 10**12
LONGEST_HORIZON = 520

Identity = Annotated[str, Field(min_length=1, max_length=200)]
Quantity = Annotated[int, Field(ge=0, le=LARGEST_QUANTITY)]
Pieces = Annotated[int, Field(ge=1, le=LARGEST_QUANTITY)]
Money = Annotated[int, Field(ge=0, le=LARGEST_MONEY)]
Week = Annotated[int, Field(ge=1, le=LONGEST_HORIZON)]
Weeks = Annotated[int, Field(ge=0, le=LONGEST_HORIZON)]

STRICT = {"extra": "forbid", "strict": True}


@dataclass(frozen=True, slots=True)
class Rate:
    """Money per so many pieces."""

    __pydantic_config__ = STRICT
    money: Money
    per: Pieces = 1

    @property
    def each(self) -> Fraction:
        """Money per piece, exactly."""
        return Fraction(self.money, self.per)


@dataclass(frozen=True, slots=True)
class Load:
    """Capacity units that one piece takes on a line."""

    __pydantic_config__ = STRICT
    num: Quantity
    den: Pieces = 1

    @property
    def each(self) -> Fraction:
        """Capacity units per piece, exactly."""
        return Fraction(self.num, self.den)


NOTHING = Rate(0)
ONE_EACH = Load(1)


@dataclass(frozen=True, slots=True)
class Horizon:
    __pydantic_config__ = STRICT
    start: date
    weeks: Week


@dataclass(frozen=True, slots=True)
class Variant:
    __pydantic_config__ = STRICT
    id: Identity
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Sheet:
    """Confirmed demand for one product: `quantity` pieces, due at the end of `due_week`."""

    __pydantic_config__ = STRICT
    id: Identity
    quantity: Quantity
    due_week: Week
    value: Rate = NOTHING
    requires: tuple[str, ...] = ()
    region: str | None = None
    variants: tuple[Variant, ...] = ()
    earliest_week: Week = 1
    max_late_weeks: Weeks = 0
    late: Rate = NOTHING
    must_serve: bool = False
    min_fill: Quantity = 0
    max_factories: Pieces | None = None

    @property
    def latest_arrival(self) -> int:
        """The last week in which a piece may arrive."""
        return self.due_week + self.max_late_weeks


@dataclass(frozen=True, slots=True)
class Line:
    """A production line: what it can make, and its capacity week by week."""

    __pydantic_config__ = STRICT
    id: Identity
    capacity: tuple[Quantity, ...]
    provides: tuple[str, ...] = ()
    unit: str = "piece"


@dataclass(frozen=True, slots=True)
class Factory:
    __pydantic_config__ = STRICT
    id: Identity
    lines: tuple[Line, ...]
    region: str | None = None
    open_cost: Money = 0
    on_time_ppm: Annotated[int, Field(ge=0, le=1_000_000)] | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """An all-units price: it holds for the whole order where that lies between `min` and `max` pieces."""

    __pydantic_config__ = STRICT
    min: Quantity
    max: Quantity
    fixed: Money = 0
    unit: Rate = NOTHING


@dataclass(frozen=True, slots=True)
class Offer:
    """What one line asks for making pieces of one sheet."""

    __pydantic_config__ = STRICT
    sheet: Identity
    factory: Identity
    line: Identity
    tiers: tuple[Tier, ...]
    load_per_piece: Load = ONE_EACH
    lead_weeks: Weeks = 0
    ship: Rate = NOTHING
    risk: Rate = NOTHING


@dataclass(frozen=True, slots=True)
class Frozen:
    """An accepted allocation: it stands, and takes its quantity, factory and capacity out of the problem."""

    __pydantic_config__ = STRICT
    sheet: Identity
    factory: Identity
    line: Identity
    quantity: Pieces
    weeks: Mapping[Week, Annotated[float, Field(ge=0, le=LARGEST_QUANTITY, allow_inf_nan=False)]]
    variants: Mapping[str, Quantity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """How hard to look: `effort` in hundreds of simplex iterations (about a branch-and-bound node each), and
    `time_limit_s` as the safety stop. A plan within `gap_ppm` of its bound counts as optimal."""

    __pydantic_config__ = STRICT
    seed: Quantity = 0
    effort: Pieces = 1000
    time_limit_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 60.0
    gap_ppm: Annotated[int, Field(ge=0, le=1_000_000)] = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One market to be matched. `proposed` names the offers of the last plan that nobody has accepted yet: leaving
    them costs a sheet `change_penalty` for each other line it turns to."""

    __pydantic_config__ = STRICT
    format: Literal["c2m.matching/1"]
    horizon: Horizon
    sheets: tuple[Sheet, ...]
    factories: tuple[Factory, ...]
    offers: tuple[Offer, ...]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "CNY"
    money_scale: Pieces = 100
    frozen: tuple[Frozen, ...] = ()
    banned: tuple[tuple[Identity, Identity], ...] = ()
    proposed: tuple[tuple[Identity, Identity, Identity], ...] = ()
    change_penalty: Money = 0
    settings: Settings = Settings()


def can_make(sheet: Sheet, line: Line) -> bool:
    """Whether the line has every capability the sheet requires."""
    return set(sheet.requires) <= set(line.provides)


def in_region(sheet: Sheet, factory: Factory) -> bool:
    """Whether the factory lies where the sheet wants to be made; a sheet without a region may be made anywhere."""
    return sheet.region is None or sheet.region == factory.region
