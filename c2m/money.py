"""Money is an integer of minor units beside an ISO 4217 code; here is its only arithmetic."""

from collections.abc import Sequence

PPM = 1_000_000


def share(amount_minor: int, ppm: int) -> int:
    """The part of an amount that parts-per-million names, rounded half up to the minor unit."""
    return (amount_minor * ppm + PPM // 2) // PPM


def allocate(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Divide a total by weights so that the parts add up to it exactly (largest remainder).

    Raises:
        ValueError: no positive weight, or a negative one.
    """
    if any(weight < 0 for weight in weights) or not sum(weights):
        raise ValueError("weights must be non-negative with a positive sum")
    whole = sum(weights)
    parts = [total_minor * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total_minor * weights[i] % whole), i))
    for i in by_remainder[: total_minor - sum(parts)]:
        parts[i] += 1
    return parts
