"""How alike two pictures are, in words: distances mean something only where they were measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LEAST_SHARE = 4  # a kind is shown beside the nearest one's if at least a quarter of what was found is of it


class Degree(StrEnum):
    VERY = "very"
    ALIKE = "alike"
    FAINT = "faint"


@dataclass(frozen=True)
class Degrees:
    """The largest distance of each degree; what is further is not alike."""

    very: float
    alike: float
    faint: float

    def of(self, distance: float) -> Degree | None:
        """How alike pictures at this distance are; None when they aren't."""
        limits = ((self.very, Degree.VERY), (self.alike, Degree.ALIKE), (self.faint, Degree.FAINT))
        return next((degree for limit, degree in limits if distance <= limit), None)


def of_a_kind(found: Sequence[tuple[str, Degree]]) -> list[bool]:
    """Which of these (category and degree, the nearest first) belong together: a scarf among bags does not.

    What is very alike stays, and so does what is of the nearest one's category or of one that is found often.
    """
    kinds = [kind for kind, _ in found]
    return [
        degree is Degree.VERY or kind == kinds[0] or kinds.count(kind) * LEAST_SHARE >= len(kinds)
        for kind, degree in found
    ]
