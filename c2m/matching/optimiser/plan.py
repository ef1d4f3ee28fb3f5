"""The answer: who makes how many of what in which week, at what cost, and how near it is to the best possible."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """OPTIMAL: proven within the gap asked for. FEASIBLE: valid, the gap says how far at most from the best.
    INFEASIBLE: proven that not every must-serve sheet can be served. UNKNOWN: no such plan was found in the time."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why pieces of a sheet are left: the first that applies."""

    NO_CAPABILITY = "NO_CAPABILITY"
    REGION = "REGION"
    NO_OFFER = "NO_OFFER"
    MOQ = "MOQ"
    LEAD_TIME = "LEAD_TIME"
    PRICE = "PRICE"
    CAPACITY = "CAPACITY"
    MAX_FACTORIES = "MAX_FACTORIES"
    MIN_FILL = "MIN_FILL"
    NOT_PROVEN = "NOT_PROVEN"


@dataclass(frozen=True, slots=True)
class CostSplit:
    """What an allocation costs, in money units rounded half up; a factory's opening cost is not in it."""

    setup: int
    unit: int
    freight: int
    risk: int
    lateness: int
    change: int = 0

    @property
    def total(self) -> int:
        return self.setup + self.unit + self.freight + self.risk + self.lateness + self.change


@dataclass(frozen=True, slots=True)
class Backup:
    """The next best factory for the same pieces with the capacity the plan leaves, and what it costs on top."""

    factory: str
    line: str
    extra_cost: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """Pieces of a sheet given to a line. `tier` counts the offer's tiers from 0; `weeks` maps a production week to
    its pieces, which may be a fraction where a piece straddles two weeks."""

    sheet: str
    factory: str
    line: str
    tier: int
    quantity: int
    variants: Mapping[str, int]
    weeks: Mapping[int, float]
    cost: CostSplit
    backup: Backup | None = None


@dataclass(frozen=True, slots=True)
class Unserved:
    """Pieces of a sheet that the plan leaves. Where the reason has a figure it is in the field it belongs to:
    `pieces_missing` for a minimum, `earliest_week` of arrival, `shortfall` in money, `line_weeks` of capacity."""

    sheet: str
    quantity: int
    reason: Reason
    pieces_missing: int | None = None
    earliest_week: int | None = None
    shortfall: int | None = None
    line_weeks: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """`objective` (rounded half up) and `bound` (rounded down) are in 1/`money_scale` of the currency's unit; the best
    plan of all costs at least `bound`. Both are None where must-serve sheets stay unserved. `gap_ppm` is relative to
    the objective, `net_gap_ppm` to the greatest net benefit (value of all pieces less `bound`), None where that is
    not positive; both are taken before rounding."""

    status: Status
    time_limited: bool
    objective: int | None
    bound: int | None
    gap_ppm: int | None
    net_gap_ppm: int | None
    allocations: tuple[Allocation, ...]
    unserved: tuple[Unserved, ...]
    seconds: float
    cpu_seconds: float
