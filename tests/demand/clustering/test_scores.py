"""B³, pairs and adjusted Rand against figures worked out by hand."""

import pytest

from c2m.demand.clustering.scores import adjusted_rand, b_cubed, pairs

TRUTH = ["a", "a", "a", "b", "b", "c"]
FOUND = [1, 1, 2, 2, 2, 3]


def test_b_cubed_by_hand() -> None:
    marks = b_cubed(TRUTH, FOUND)
    assert marks.precision == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3 + 1) / 6)
    assert marks.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1 + 1) / 6)


def test_pairs_by_hand() -> None:
    marks = pairs(TRUTH, FOUND)
    assert (marks.precision, marks.recall, marks.f1) == (0.5, 0.5, 0.5)


def test_adjusted_rand_by_hand_and_at_its_ends() -> None:
    assert adjusted_rand(TRUTH, FOUND) == pytest.approx((2 - 16 / 15) / (4 - 16 / 15))
    assert adjusted_rand(TRUTH, TRUTH) == 1.0
    assert adjusted_rand([1, 2, 3], [1, 1, 1]) == 0.0
