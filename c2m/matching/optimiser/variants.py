"""Colours and sizes: which pieces of a sheet go to which factory."""

from c2m.matching.optimiser.problem import Frozen, Sheet
from c2m.money import allocate


def split_variants(sheet: Sheet, frozen: list[Frozen], quantities: list[int]) -> list[dict[str, int]]:
    """The variants of each quantity in turn, in proportion to what is left of them; the rest stays unserved.

    Accepted allocations that don't name their variants are taken out in proportion as well.
    """
    left = {variant.id: variant.quantity for variant in sheet.variants}
    if not left:
        return [{} for _ in quantities]
    unnamed = 0
    for accepted in frozen:
        unnamed += 0 if accepted.variants else accepted.quantity
        for variant, pieces in accepted.variants.items():
            left[variant] -= pieces
    splits: list[dict[str, int]] = []
    for quantity in [unnamed, *quantities]:
        if not quantity:
            splits.append({})
            continue
        parts = dict(zip(left, allocate(quantity, list(left.values())), strict=True))
        left = {variant: pieces - parts[variant] for variant, pieces in left.items()}
        splits.append({variant: pieces for variant, pieces in parts.items() if pieces})
    return splits[1:]
