"""What a group of needs is about, in words that no single buyer could be known by, and how its figures spread."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from c2m.demand.clustering.lexicon import CATEGORY_OF, NAMES
from c2m.demand.clustering.reading import read

COMMON = 0.3  # of a group's needs say a word before it is typical
SAID_BY = 2  # buyers, before a word that is not of the lexicon is shown to others
MOST_WORDS = 8
IN_TITLE = 4
GENERAL = "general"
ROUND = (1, 2, 5)
RANK = {word: at for at, word in enumerate(NAMES)}  # of words equally common: what it is made of before what is on it
_CONTACT = re.compile(
    r"\S+@\S+|https?://\S+|www\.\S+|(?:\+?\d[\d \-]{5,}\d)|(?:微信|vx|wechat|qq)\s*[:：]?\s*\w+", re.I
)


@dataclass(frozen=True)
class Description:
    """A group's title in both languages, its category, and its typical words, the most common first."""

    title: str
    title_en: str
    category: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Bin:
    """So many values from `low` to below `high`; the last bin holds its end too."""

    low: int
    high: int
    count: int


def described(texts: Sequence[str]) -> Description:
    """What needs have in common, by the words that many of them say."""
    readings = [read(text) for text in texts]
    said: Counter[str] = Counter(word for reading in readings for word in dict.fromkeys(reading.words))
    needed = max(1, round(COMMON * len(texts)))
    ranked = sorted(said.items(), key=lambda pair: (-pair[1], RANK.get(pair[0], len(RANK)), pair[0]))
    typical = [word for word, count in ranked if count >= needed and (word in NAMES or count >= SAID_BY)]
    kinds = [word for word in typical if word in CATEGORY_OF]
    words = tuple((kinds[:1] + [word for word in typical if word not in kinds[:1]])[:MOST_WORDS])
    if not words:
        return Description("", "", GENERAL, ())
    category = CATEGORY_OF[kinds[0]] if kinds else GENERAL
    return Description(_title(words, kinds, 0), _title(words, kinds, 1), category, words)


def word_in(word: str, *, english: bool) -> str:
    """A typical word in a language, where the lexicon knows it."""
    return NAMES.get(word, (word, word))[int(english)]


def category_of(text: str) -> str:
    """The catalogue's category a need names, else the general one."""
    return next((CATEGORY_OF[word] for word in read(text).words if word in CATEGORY_OF), GENERAL)


def without_contacts(text: str) -> str:
    """A need's words with addresses, telephone numbers and accounts struck out."""
    return _CONTACT.sub("***", text)


def histogram(values: Sequence[int], bins: int = 6) -> list[Bin]:
    """How values spread over at most so many bins of one round width."""
    if not values:
        return []
    low, high = min(values), max(values)
    width = next(
        factor * 10**power
        for power in range(20)
        for factor in ROUND
        if high // (factor * 10**power) - low // (factor * 10**power) < bins
    )
    first = low // width * width
    counts = Counter((value - first) // width for value in values)
    return [Bin(first + at * width, first + (at + 1) * width, counts[at]) for at in range(max(counts) + 1)]


def shares(values: Mapping[str, int]) -> list[tuple[str, int, float]]:
    """Names with their count and share of all, the largest first."""
    total = sum(values.values())
    ranked = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(name, count, count / total) for name, count in ranked if total]


def _title(words: Sequence[str], kinds: Sequence[str], language: int) -> str:
    """Qualities before the kind, as both languages say it: 帆布印花托特包, canvas printed tote."""
    kind = [word_in(kinds[0], english=bool(language))] if kinds else []
    likes = [word_in(word, english=bool(language)) for word in words if word not in kinds[:1]][: IN_TITLE - len(kind)]
    if language:
        return " ".join(likes + kind).capitalize()
    joined = ""
    for word in likes + kind:
        joined += (" " if joined and (word[0].isascii() or joined[-1].isascii()) else "") + word
    return joined
