"""Texts that are grouped already, and the place of one more among them, found without looking at all of them."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp

from c2m.demand.clustering.encoding import Encode
from c2m.demand.clustering.grouping import FAINTEST, NEIGHBOURS, TOGETHER, compared, heaviest
from c2m.demand.clustering.reading import Reading, read
from c2m.demand.clustering.similarity import NOTHING, Space, decided, with_meaning

RESTACKED = 1_000  # texts that came later are looked through one by one until there are so many
REFITTED = (
    4_000  # in a pool of fewer texts, rarity is reckoned anew with every twentieth that comes; it takes long in more
)
SHARE = 20
G = TypeVar("G", bound=Hashable)


class Pool:
    """Texts by number, in the order they came.

    In a large pool words that came up since it was made don't count; whoever keeps it makes it anew now and then.
    """

    def __init__(self, texts: Sequence[str], encode: Encode | None = None) -> None:
        self.readings = [read(text) for text in texts]
        self.encode = encode
        self._meant = None if encode is None else list(encode([reading.text for reading in self.readings]))
        self._fit()

    def _fit(self) -> None:
        self._space = Space.of(self.readings)
        rows = self._space.vectors(self.readings or [NOTHING])
        self._vectors = rows if self.readings else rows[:0]
        self._later: list[Any] = []
        self._beside: Any = None  # what came later as one matrix, until more comes
        self._looked_up: tuple[str, Reading, Any] | None = None
        self._understood: tuple[str, Any] | None = None
        self._earlier: Any = None  # meanings of those whose vectors are stacked
        self._postings = heaviest(self._vectors).T.tocsr()

    def __len__(self) -> int:
        return len(self.readings)

    def add(self, text: str) -> int:
        """Take in one more text; its number."""
        reading, vector = self._vector(text)
        self.readings.append(reading)
        self._later.append(vector)
        self._beside = None
        if self._meant is not None:
            self._meant.append(self._meaning(reading))
        if len(self.readings) < REFITTED and len(self._later) * SHARE >= len(self.readings):
            self._fit()
        elif len(self._later) >= RESTACKED:
            self._vectors = sp.vstack([self._vectors, stacked(self._later)]).tocsr()
            self._later = []
            self._postings = heaviest(self._vectors).T.tocsr()
        return len(self.readings) - 1

    def nearest(self, text: str, most: int = NEIGHBOURS) -> list[tuple[int, float]]:
        """The texts most like this one with their similarity, 0 … 1, the most alike first."""
        reading, vector = self._vector(text)
        rough = (heaviest(vector) @ self._postings).tocsr()
        near = rough.indices
        if len(near) > most:
            near = near[np.argpartition(-rough.data, most - 1)[:most]]
        if self._meant and self._vectors.shape[0]:
            if self._earlier is None or len(self._earlier) != self._vectors.shape[0]:
                self._earlier = np.stack(self._meant[: self._vectors.shape[0]])
            meant = self._earlier @ self._meaning(reading)
            near = np.union1d(near, np.argsort(-meant)[:most])
        found = self._compared(reading, vector, self._vectors[near], near.tolist())
        if self._later:
            first = self._vectors.shape[0]
            self._beside = stacked(self._later) if self._beside is None else self._beside
            found += self._compared(reading, vector, self._beside, range(first, first + len(self._later)))
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:most]

    def _vector(self, text: str) -> tuple[Reading, Any]:
        """A text's reading and vector; the last one is kept, for what is looked up is often taken in next."""
        if self._looked_up is None or self._looked_up[0] != text:
            reading = read(text)
            self._looked_up = text, reading, self._space.vector(reading)
        return self._looked_up[1:]

    def _meaning(self, reading: Reading) -> Any:
        """What a text means; the last one is kept."""
        if self._understood is None or self._understood[0] != reading.text:
            assert self.encode is not None  # noqa: S101 - only asked for where there is an encoder
            self._understood = reading.text, self.encode([reading.text])[0]
        return self._understood[1]

    def _compared(self, reading: Reading, vector: Any, rows: Any, numbers: Sequence[int]) -> list[tuple[int, float]]:
        whole = np.zeros(vector.shape[1])
        whole[vector.indices] = vector.data
        cosines = rows @ whole
        if self._meant is not None and len(numbers):
            cosines = with_meaning(cosines, np.stack([self._meant[at] for at in numbers]) @ self._meaning(reading))
        return [
            (number, decided(cosine, reading, self.readings[number]))
            for number, cosine in zip(numbers, cosines.tolist(), strict=True)
            if cosine >= FAINTEST
        ]


def stacked(rows: Sequence[Any]) -> Any:
    """Rows of one width as a matrix: scipy's own way weighs far more than such small rows."""
    indptr = np.cumsum([0, *(row.indptr[-1] for row in rows)])
    parts = (np.concatenate([row.data for row in rows]), np.concatenate([row.indices for row in rows]), indptr)
    return sp.csr_matrix(parts, shape=(len(rows), rows[0].shape[1]))


def place(nearest: Sequence[tuple[G, float]], sizes: Mapping[G, int]) -> G | None:
    """The group a text belongs to, given the groups of its nearest neighbours; None when it begins one of its own.

    The same average as a full run merges by.
    """
    across: dict[G, float] = defaultdict(float)
    for group, like in nearest:
        across[group] += like
    averages = {group: total / compared(1, sizes[group]) for group, total in across.items()}
    best = max(averages, key=lambda group: averages[group], default=None)
    return best if best is not None and averages[best] >= TOGETHER else None
