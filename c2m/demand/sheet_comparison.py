"""Two versions of a demand sheet side by side: what each variant was, what it is, and what was left out between."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from c2m.demand import sheet_figures
from c2m.demand.models import DemandSheet
from c2m.demand.sheet_figures import Figures, Version
from c2m.errors import N_, Conflict, Invalid


class OnlyOneVersion(Conflict):
    sentence = N_("This sheet has one version so far; there is nothing to compare.")


@dataclass(frozen=True)
class Moved:
    """Pieces of a variant in the earlier and in the later version."""

    colour: str
    size: str
    was: int
    now: int

    @property
    def difference(self) -> int:
        """More pieces, or with a minus fewer."""
        return self.now - self.was


@dataclass(frozen=True)
class Comparison:
    """What became of a sheet between two of its versions; `between` are those after the earlier, up to the later."""

    sheet: DemandSheet
    earlier: Version
    later: Version
    variants: tuple[Moved, ...]
    regions: tuple[tuple[str, int, int], ...]
    between: tuple[Version, ...]

    @property
    def changed(self) -> int:
        """How many variants have other pieces than before."""
        return sum(moved.difference != 0 for moved in self.variants)


def compare_versions(session: Session, found: DemandSheet, first: int | None, second: int | None) -> Comparison:
    """Two versions of a sheet, the earlier one first; unless named, the last two.

    Raises:
        OnlyOneVersion, NoSuchVersion, Invalid: the same version twice.
    """
    if found.version == 1:
        raise OnlyOneVersion(sheet_id=found.id)
    later = sheet_figures.version_of(found, second)
    earlier = sheet_figures.version_of(found, first if first is not None else max(later - 1, 1))
    if earlier == later:
        raise Invalid(errors={"first": N_("Choose two different versions.")})
    earlier, later = sorted((earlier, later))
    told = sheet_figures.versions(session, found)
    was, now = (sheet_figures.figures(session, found, number) for number in (earlier, later))
    return Comparison(
        sheet=found,
        earlier=told[earlier - 1],
        later=told[later - 1],
        variants=tuple(_variants(was, now)),
        regions=tuple(_regions(was, now)),
        between=tuple(told[earlier:later]),
    )


def _variants(was: Figures, now: Figures) -> Sequence[Moved]:
    """Every variant that is made: a later version only ever leaves pieces out, so the earlier one has them all."""
    left = {(row.name, size): pieces or 0 for row in now.colours for size, pieces in row.by_size.items()}
    return [
        Moved(row.name, size, pieces, left.get((row.name, size), 0))
        for row in was.colours
        for size, pieces in row.by_size.items()
        if pieces is not None
    ]


def _regions(was: Figures, now: Figures) -> Sequence[tuple[str, int, int]]:
    left = {row.name: row.pieces for row in now.regions}
    return [(row.name, row.pieces, left.get(row.name, 0)) for row in was.regions]
