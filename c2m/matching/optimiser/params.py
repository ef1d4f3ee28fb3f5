"""How the search goes about it; what it looks for is in the problem's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Params:
    """The search's dials.

    Args:
        pricing_rounds: how often capacity is priced anew before the bound is used as it is.
        ruins_per_sheet: tries of ruin and recreate before any MIP, per sheet.
        moves: whether sheets then shift and swap their lines.
        kernel_picks: prices a sheet keeps in the kernel, those of the smallest reduced cost.
        kernel: whether the kernel is solved as one MIP where it needs no more than `whole_columns`.
        whole_columns: a component whose picks worth taking need at most about so many columns is solved as one MIP.
        neighbourhood_columns: columns of a neighbourhood of the large neighbourhood search, at first.
        patience: neighbourhoods in a row without a better plan after which they grow.
        growth: by how much they grow, at most to `whole_columns`.
        neighbourhood_effort: effort of one neighbourhood.
        neighbourhood_seconds: safety stop of one neighbourhood.
        search: whether MIPs are solved at all; without them the plan comes from greedy, prices, ruin and moves alone.
    """

    pricing_rounds: int = 60
    ruins_per_sheet: int = 10
    moves: bool = True
    kernel_picks: int = 6
    kernel: bool = True
    whole_columns: int = 3000
    neighbourhood_columns: int = 450
    patience: int = 12
    growth: float = 1.25
    neighbourhood_effort: float = 50.0
    neighbourhood_seconds: float = 1.0
    search: bool = True


THOROUGH = Params()
QUICK = Params(pricing_rounds=10, ruins_per_sheet=2, moves=False, search=False)
