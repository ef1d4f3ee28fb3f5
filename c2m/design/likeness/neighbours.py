"""The pictures nearest to one, among vectors that grow by and by."""

from collections.abc import Hashable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from c2m.design.likeness.features import Vector

K = TypeVar("K", bound=Hashable)
Rows: TypeAlias = npt.NDArray[np.float32]


class Neighbours(Generic[K]):
    """Vectors by key, searched exactly; what is added is found by the next search."""

    def __init__(self) -> None:
        self._keys: list[K] = []
        self._places: dict[K, int] = {}
        # Vectors and their squared lengths, replaced together: whoever searches meanwhile keeps what they began with.
        self._rows: tuple[Rows, Rows] = np.zeros((0, 0), dtype=np.float32), np.zeros(0, dtype=np.float32)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: K) -> bool:
        return key in self._places

    def __getitem__(self, key: K) -> Vector:
        return np.asarray(self._rows[0][self._places[key]])

    def add(self, keys: Sequence[K], vectors: npt.NDArray[np.floating[Any]]) -> None:
        """Take in vectors (rows) of keys that are new."""
        if not keys:
            return
        first = len(self._keys)
        self._keys.extend(keys)
        rows = np.asarray(vectors, dtype=np.float32)
        lengths = np.einsum("ij,ij->i", rows, rows)
        before, their_lengths = self._rows
        whole = np.concatenate([before, rows]) if before.size else rows
        self._rows = whole, np.concatenate([their_lengths, lengths])
        self._places |= {key: first + number for number, key in enumerate(keys)}

    def nearest(self, vector: Vector, count: int) -> list[tuple[K, float]]:
        """The keys nearest to a vector with their distances, nearest first."""
        vectors, lengths = self._rows
        if not len(lengths):
            return []
        apart = lengths - 2 * (vectors @ np.asarray(vector, dtype=np.float32))
        near = np.argpartition(apart, min(count, len(apart)) - 1)[:count]
        near = near[np.argsort(apart[near], kind="stable")]
        own = float(vector @ vector)
        return [(self._keys[place], max(float(apart[place]) + own, 0.0) ** 0.5) for place in near]
