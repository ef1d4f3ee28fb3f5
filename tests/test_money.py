"""Money is divided without a minor unit lost or made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2m.money import allocate, share


@pytest.mark.parametrize(
    ("amount", "ppm", "part"),
    [(10_000, 20_000, 200), (1, 500_000, 1), (1, 499_999, 0), (999, 1_000_000, 999), (0, 20_000, 0)],
)
def test_a_share_is_rounded_half_up(amount: int, ppm: int, part: int) -> None:
    assert share(amount, ppm) == part


def test_the_largest_remainders_get_what_is_left() -> None:
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(10, [5, 3, 0]) == [6, 4, 0]
    assert allocate(0, [2, 1]) == [0, 0]


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any))
def test_parts_add_up_and_none_is_a_unit_off_its_due(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize("weights", [[], [0, 0], [3, -1]])
def test_there_must_be_something_to_divide_by(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        allocate(100, weights)
