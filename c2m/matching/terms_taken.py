"""What an offer's explanation says once it was taken on other terms than those offered. No database, no clock."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from c2m.matching.rules import Fit, FitPart, fit


@dataclass(frozen=True)
class TermsTaken:
    """On what an order is taken: its pieces, what each costs with its share of the setup in minor units, the weeks they
    are made in, the pieces that were free in these, and when the last arrive."""

    quantity: int
    each_minor: int
    weeks: Mapping[date, int]
    free: int
    arrives: datetime


def document_of(found: Fit) -> dict[str, Any]:
    """A fit as it is kept in an offer's explanation and shown."""
    parts = [asdict(part) | {"spare": part.spare, "tight": part.tight} for part in found.parts]
    return {"score": found.score, "parts": parts}


def explained_as_taken(
    explanation: Mapping[str, Any], taken: TermsTaken, offered: Mapping[str, Any], *, offered_at: datetime
) -> dict[str, Any]:
    """An offer's explanation on the terms on which it was taken, with those that were `offered` kept beside them."""
    have = {part["part"]: part["have"] for part in explanation["fit"]["parts"]}
    need = {part["part"]: part["need"] for part in explanation["fit"]["parts"]}

    def unchanged(part: FitPart) -> tuple[int, int]:
        return have[part], need[part]

    now_fits = fit(
        processes=unchanged(FitPart.PROCESS),
        pieces=(max(taken.free, taken.quantity), taken.quantity),
        cost_minor=(have[FitPart.COST], taken.each_minor),
        days=(have[FitPart.DATE], (taken.arrives - offered_at).days),
        on_time_ppm=unchanged(FitPart.QUALITY),
    )
    as_it_was = {name: explanation[name] for name in ("each_minor", "weeks", "fit")}
    return dict(explanation) | {
        "offered": explanation.get("offered") or as_it_was | dict(offered),
        "each_minor": taken.each_minor,
        "weeks": {week.isoformat(): pieces for week, pieces in sorted(taken.weeks.items())},
        "fit": document_of(now_fits),
    }
