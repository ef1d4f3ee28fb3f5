"""How right a grouping is beside the true one: B³, pairs, adjusted Rand."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """Precision, recall and their harmonic mean, 0 … 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def b_cubed(truth: Sequence[Hashable], found: Sequence[Hashable]) -> Agreement:
    """For each item: the share of its found group that belongs with it, and of its true group that was found with it.

    Bagga and Baldwin (1998).
    """
    both, true_sizes, found_sizes = _overlaps(truth, found)
    squared = both.data.astype(float) ** 2
    return Agreement(
        float((squared / found_sizes[both.col]).sum() / len(truth)),
        float((squared / true_sizes[both.row]).sum() / len(truth)),
    )


def pairs(truth: Sequence[Hashable], found: Sequence[Hashable]) -> Agreement:
    """Of the pairs put together, how many belong together, and the other way round."""
    both, true_sizes, found_sizes = _overlaps(truth, found)
    hit, put, true = (float((x * (x - 1) / 2).sum()) for x in (both.data.astype(float), found_sizes, true_sizes))
    return Agreement(hit / put if put else 1.0, hit / true if true else 1.0)


def adjusted_rand(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """How far two groupings agree on pairs beyond chance; 1 when they are the same. Hubert and Arabie (1985)."""
    both, rows, columns = _overlaps(one, other)
    hit, first, second = (float((x * (x - 1) / 2).sum()) for x in (both.data.astype(float), rows, columns))
    expected = first * second / (len(one) * (len(one) - 1) / 2) if len(one) > 1 else 0.0
    most = (first + second) / 2
    return 1.0 if most == expected else (hit - expected) / (most - expected)


def _overlaps(one: Sequence[Hashable], other: Sequence[Hashable]) -> tuple[Any, Floats, Floats]:
    rows, columns = (_numbers(labels) for labels in (one, other))
    table = sp.coo_matrix((np.ones(len(rows)), (rows, columns))).tocsr()
    return table.tocoo(), np.asarray(table.sum(axis=1)).ravel(), np.asarray(table.sum(axis=0)).ravel()


def _numbers(labels: Sequence[Hashable]) -> list[int]:
    known: dict[Hashable, int] = {}
    return [known.setdefault(label, len(known)) for label in labels]
