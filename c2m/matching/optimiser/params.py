"""How the search goes about it; what it looks for is in the problem's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Params:
    """The search's dials.

    Args:
        start_picks: prices a sheet starts with in the restricted LP.
        pricing_rounds: how often the restricted LP takes in further prices before its bound is used as it is.
        ruins_per_sheet: tries of ruin and recreate before any MIP, per sheet.
        whole_binaries: a component with at most so many tier binaries worth taking is solved as one MIP.
        kernel_picks: prices a sheet keeps in the kernel MIP, those of the smallest reduced cost.
        neighbourhood_binaries: tier binaries that one neighbourhood of the large neighbourhood search may hold.
        neighbourhood_effort: effort of one neighbourhood.
        neighbourhood_seconds: safety stop of one neighbourhood.
        search: whether MIPs are solved at all; without them the plan comes from greedy, LP, ruin and polish alone.
    """

    start_picks: int = 6
    pricing_rounds: int = 8
    ruins_per_sheet: int = 10
    whole_binaries: int = 900
    kernel_picks: int = 6
    neighbourhood_binaries: int = 120
    neighbourhood_effort: float = 50.0
    neighbourhood_seconds: float = 2.0
    search: bool = True


THOROUGH = Params()
QUICK = Params(start_picks=4, pricing_rounds=2, ruins_per_sheet=2, search=False)
