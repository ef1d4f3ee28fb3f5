"""How the search goes about it; what it looks for is in the problem's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Params:
    """The search's dials.

    Args:
        kernel_offers: offers a sheet keeps in the kernel MIP, those of the smallest reduced cost.
        start_offers: offers a sheet starts with in the restricted LP.
        pricing_rounds: how often the restricted LP takes in further offers before its bound is used as it is.
        ruins_per_sheet: tries of ruin and recreate before any MIP, per sheet.
        whole_binaries: a component with at most so many tier binaries is solved as one MIP with all of them.
        neighbourhood_binaries: tier binaries that one neighbourhood of the large neighbourhood search may hold.
        neighbourhood_effort: effort of one neighbourhood.
        neighbourhood_seconds: safety stop of one neighbourhood.
        search: whether MIPs are solved at all; without them the plan comes from greedy, LP and polish alone.
        kernel_effort: effort of one kernel MIP, None for a share of all that is left.
        rounds: how many rounds of improvement at most, None for as many as the stop allows.
    """

    kernel_offers: int = 6
    start_offers: int = 6
    pricing_rounds: int = 8
    ruins_per_sheet: int = 10
    whole_binaries: int = 900
    neighbourhood_binaries: int = 240
    neighbourhood_effort: float = 50.0
    neighbourhood_seconds: float = 2.0
    search: bool = True
    kernel_effort: float | None = None
    rounds: int | None = None


THOROUGH = Params()
QUICK = Params(kernel_offers=3, start_offers=4, pricing_rounds=2, whole_binaries=60, search=False)
