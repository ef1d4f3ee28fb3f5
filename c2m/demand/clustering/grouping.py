"""From texts to groups: a sparse graph of nearest neighbours, merged while the average similarity across stays high."""

import heapq
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from c2m.demand.clustering.encoding import Encode, Meanings
from c2m.demand.clustering.reading import Reading, read
from c2m.demand.clustering.similarity import Indices, Space, decided, with_meaning

NEIGHBOURS = 30
FAINTEST = 0.15  # a similarity below this is no edge
TOGETHER = 0.4  # groups merge while the average similarity across is at least this
HEAVIEST = 24  # a text's rarest features, by which its neighbours are looked up
BLOCK = 2_000

Edge = tuple[int, int, float]
Progress = Callable[[str, float], None]  # what is being done, and the share of it that is done


def groups_of(
    texts: Sequence[str], progress: Progress = lambda _what, _share: None, encode: Encode | None = None
) -> Indices:
    """A group number for each text, from 0 in the order in which groups first appear; with an encoder, by what is
    meant as well."""
    distinct: dict[tuple[Reading, str], int] = {}
    of: list[int] = []
    for at, text in enumerate(texts):
        reading = read(text)
        # Of a text that names no product nothing is known but its letters; without any it is like no other.
        unread = "" if reading.words else text.strip() or str(at)
        of.append(distinct.setdefault((reading, unread), len(distinct)))
        if at % BLOCK == 0:
            progress("reading", at / len(texts))
    readings = [reading for reading, _unread in distinct]
    if encode is not None:
        progress("understanding", 0.0)
    edges = edges_of(readings, progress, None if encode is None else encode([each.text for each in readings]))
    progress("merging", 0.0)
    groups = merged(len(readings), edges)
    return in_order_of_appearance([groups[at] for at in of])


def edges_of(
    readings: Sequence[Reading],
    progress: Progress = lambda _what, _share: None,
    meanings: Meanings | None = None,
) -> list[Edge]:
    """Pairs of near neighbours with their similarity, each pair once."""
    if len(readings) < 2:
        return []
    vectors = Space.of(readings).vectors(readings)
    rough = heaviest(vectors)
    seen: set[int] = set()
    edges: list[Edge] = []
    for start in range(0, len(readings), BLOCK):
        progress("comparing", start / len(readings))
        one, other = _near(rough, start)
        if meanings is not None:
            also = _near_in_meaning(meanings, start)
            one, other = np.concatenate([one, also[0]]), np.concatenate([other, also[1]])
        pairs = np.unique(np.minimum(one, other) * len(readings) + np.maximum(one, other))
        pairs = np.array([pair for pair in pairs.tolist() if pair not in seen], dtype=np.int64)
        seen.update(pairs.tolist())
        one, other = pairs // len(readings), pairs % len(readings)
        cosines = np.asarray(vectors[one].multiply(vectors[other]).sum(axis=1)).ravel()
        if meanings is not None:
            cosines = with_meaning(cosines, np.einsum("ij,ij->i", meanings[one], meanings[other]))
        close = cosines >= FAINTEST
        for me, you, cosine in zip(one[close].tolist(), other[close].tolist(), cosines[close].tolist(), strict=True):
            edges.append((me, you, decided(cosine, readings[me], readings[you])))
    return edges


def _near(rough: Any, start: int) -> tuple[Indices, Indices]:
    """For each row of a block its nearest rows, as pairs of indices."""
    block = (rough[start : start + BLOCK] @ rough.T).tocsr()
    ones, others = [], []
    for row in range(block.shape[0]):
        span = slice(block.indptr[row], block.indptr[row + 1])
        near, like = block.indices[span], block.data[span]
        if len(near) > NEIGHBOURS + 1:
            near = near[np.argpartition(-like, NEIGHBOURS)[: NEIGHBOURS + 1]]
        near = near[near != start + row]
        ones.append(np.full(len(near), start + row, dtype=np.int64))
        others.append(near.astype(np.int64))
    return np.concatenate(ones), np.concatenate(others)


def _near_in_meaning(meanings: Meanings, start: int) -> tuple[Indices, Indices]:
    """For each row of a block those nearest in meaning, as pairs of indices."""
    block = meanings[start : start + BLOCK] @ meanings.T
    most = min(NEIGHBOURS + 1, block.shape[1])
    near = np.argpartition(-block, most - 1, axis=1)[:, :most]
    ones = np.repeat(np.arange(start, start + len(block), dtype=np.int64), most)
    apart = ones != near.ravel()
    return ones[apart], near.ravel().astype(np.int64)[apart]


def heaviest(vectors: Any, most: int = HEAVIEST) -> Any:
    """Rows with all but their heaviest features left out."""
    indptr, kept = [0], []
    for start, end in itertools.pairwise(vectors.indptr.tolist()):
        chosen = np.arange(start, end)
        if end - start > most:
            chosen = start + np.argpartition(-vectors.data[start:end], most)[:most]
        kept.append(chosen)
        indptr.append(indptr[-1] + len(chosen))
    rows = np.concatenate([*kept, np.empty(0, dtype=np.int64)]).astype(np.int64)
    return sp.csr_matrix((vectors.data[rows], vectors.indices[rows], indptr), shape=vectors.shape)


def merged(count: int, edges: Sequence[Edge]) -> list[int]:
    """Which group each belongs to: the closest two groups merge first, until none are close enough.

    The average over all pairs across, where each member has at most so many neighbours that were looked at.
    """
    across: list[dict[int, float]] = [{} for _ in range(count)]
    for one, other, like in edges:
        across[one][other] = across[other][one] = like
    size, version, into = [1] * count, [0] * count, list(range(count))
    heap = [(-like, one, other, 0, 0) for one, other, like in edges if like >= TOGETHER]
    heapq.heapify(heap)
    while heap:
        _like, one, other, seen, other_seen = heapq.heappop(heap)
        if into[one] != one or into[other] != other or version[one] != seen or version[other] != other_seen:
            continue
        if len(across[one]) < len(across[other]):
            one, other = other, one
        into[other] = one
        size[one] += size[other]
        version[one] += 1
        for third, total in across[other].items():
            del across[third][other]
            if third != one:
                across[one][third] = across[third][one] = across[one].get(third, 0.0) + total
        across[other] = {}
        for third, total in across[one].items():
            average = total / compared(size[one], size[third])
            if average >= TOGETHER:
                heapq.heappush(heap, (-average, one, third, version[one], version[third]))
    return [_root(into, at) for at in range(count)]


def compared(one: int, other: int) -> int:
    """How many pairs across two groups can have been looked at."""
    return min(one * other, NEIGHBOURS * min(one, other))


def _root(into: list[int], at: int) -> int:
    while into[at] != at:
        into[at] = into[into[at]]
        at = into[at]
    return at


def in_order_of_appearance(groups: Sequence[int]) -> Indices:
    """The same groups numbered from 0 as they first appear."""
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.int64)
