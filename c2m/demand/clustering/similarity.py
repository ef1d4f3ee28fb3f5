"""How alike two readings are: shared words and character n-grams by their rarity, then what decides by itself."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from c2m.demand.clustering.reading import CLOSE, SHORTEST_CODE, Reading

Indices = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]

WORDS = 0.5  # of the similarity; the rest is character n-grams
MEANING = 0.5  # of the similarity where a sentence encoder is installed
NGRAMS = (3, 5)
TINY = 1e-12  # no length of a vector counts as less
SAME_CODE = 0.4  # added where a model number is shared
OTHER_CODE = 0.5  # multiplied where both name a model and not the same one
SAME_KIND = 0.1  # added where both name one kind of product, which decides more than what it is like
OTHER_MEASURE = 0.4  # multiplied where a measure of one kind differs: 64 GB and 128 GB

NOTHING = Reading(
    words=("nothing",), kinds=frozenset(), codes=frozenset(), spellings=frozenset(), measures=()
)  # a space needs a word


def words_of(reading: Reading) -> Sequence[str]:
    """What the word vectors are made of."""
    return reading.words


def text_of(reading: Reading) -> str:
    """What the character n-grams are taken from."""
    return reading.text


@dataclass(frozen=True)
class Space:
    """Vectors of readings, of length one, whose product is the similarity before decisive words are looked at."""

    words: TfidfVectorizer
    signs: TfidfVectorizer

    @classmethod
    def of(cls, readings: Sequence[Reading]) -> Self:
        """The space in which these readings are compared: what is rare among them weighs most."""
        words = TfidfVectorizer(analyzer=words_of, binary=True, dtype=np.float64)
        signs = TfidfVectorizer(
            preprocessor=text_of, lowercase=False, analyzer="char_wb", ngram_range=NGRAMS, sublinear_tf=True
        )
        known = [reading for reading in readings if reading.words] or [NOTHING]
        return cls(words.fit(known), signs.fit(known))

    def vectors(self, readings: Sequence[Reading]) -> Any:
        """One sparse row a reading."""
        parts = (self.words.transform(readings) * WORDS**0.5, self.signs.transform(readings) * (1 - WORDS) ** 0.5)
        return sp.hstack(parts).tocsr()

    def vector(self, reading: Reading) -> Any:
        """The row of one reading: the same as `vectors` says, without what scikit-learn does for any number of them."""
        words = {self.words.vocabulary_.get(word) for word in words_of(reading)} - {None}
        signs = Counter(map(self.signs.vocabulary_.get, self._split(reading)))
        del signs[None]
        offset, word_at, sign_at = len(self.words.vocabulary_), sorted(words), sorted(signs)
        of_words = self.words.idf_[word_at]
        of_signs = (1 + np.log([signs[at] for at in sign_at])) * self.signs.idf_[sign_at] if sign_at else np.empty(0)
        weights = [
            part * (share**0.5 / max(float(np.sqrt((part**2).sum())), TINY))
            for part, share in ((of_words, WORDS), (of_signs, 1 - WORDS))
        ]
        indices = np.array([*word_at, *(offset + at for at in sign_at)], dtype=np.int32)
        shape = (1, offset + len(self.signs.vocabulary_))
        return sp.csr_matrix((np.concatenate(weights), indices, [0, len(indices)]), shape=shape)

    @cached_property
    def _split(self) -> Callable[[Reading], Sequence[str]]:
        found: Callable[[Reading], Sequence[str]] = self.signs.build_analyzer()
        return found


def with_meaning(cosines: Floats, meant: Floats) -> Floats:
    """Similarities of words beside those of what is meant, in equal parts; unlike meanings count as none."""
    return np.asarray((1 - MEANING) * cosines + MEANING * np.maximum(meant, 0.0))


def decided(cosine: float, one: Reading, other: Reading) -> float:
    """The similarity of two readings, 0 … 1, given that of their words: codes and measures decide."""
    if not one.kinds.isdisjoint(other.kinds):
        cosine = min(1.0, cosine + SAME_KIND)
    if one.codes or other.codes:
        agree = _codes_agree(one, other)
        if agree is not None:
            cosine = min(1.0, cosine + SAME_CODE) if agree else cosine * OTHER_CODE
    return cosine * OTHER_MEASURE if _measures_differ(one, other) else cosine


def _codes_agree(one: Reading, other: Reading) -> bool | None:
    """Whether both name the same model; None when one of them names none."""
    if one.codes & other.spellings or other.codes & one.spellings:
        return True
    if not one.codes or not other.codes:
        return None
    return any(_one_in_other(mine, yours) for mine in one.codes for yours in other.codes)


def _one_in_other(mine: str, yours: str) -> bool:
    """KIL18X30 and KIL18X30GB: a country's suffix, or a maker's prefix."""
    short = min(len(mine), len(yours))
    return short >= SHORTEST_CODE and (mine[:short] == yours[:short] or mine in yours or yours in mine)


def _measures_differ(one: Reading, other: Reading) -> bool:
    """Whether they name the same kind of measure and no value of it agrees."""
    mine, yours = dict[str, list[float]](), dict[str, list[float]]()
    for measures, found in ((one.measures, mine), (other.measures, yours)):
        for unit, value in measures:
            found.setdefault(unit, []).append(value)
    return any(
        unit in yours and not any(abs(a - b) <= CLOSE * max(a, b) for a in values for b in yours[unit])
        for unit, values in mine.items()
    )
