"""What a text asks for, told apart from everything else it says: kinds of product, and words of looks and make.

Only the lexicon is looked through, so that a search waits for no dictionary to be read.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from c2m.demand.clustering.lexicon import CATEGORY_OF, COLOURS, MEANINGS
from c2m.demand.clustering.reading import HAN, LONGEST_READ

GENERAL = "general"
MOST_NAMED = 16  # words of one text
SHORTEST_LATIN = 3  # clothing sizes are shorter
_APART = re.compile(rf"(?<=[a-z])\s+(?=[{HAN}])")  # T 恤


@dataclass(frozen=True)
class Named:
    """The catalogue's categories that a text names, and all words of the lexicon and colours as they stand in it."""

    categories: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def category(self) -> str:
        """The one that is asked for, which is the first; empty when there is none."""
        return self.categories[0] if self.categories else ""


def named(text: str) -> Named:
    """The categories, materials, patterns and colours that a text names, in the order they stand in."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST_READ]).lower()
    found = list(dict.fromkeys(_pattern().findall(_APART.sub("", plain))))[:MOST_NAMED]
    kinds = [MEANINGS[word] for word in found if MEANINGS.get(word) in CATEGORY_OF]
    categories = dict.fromkeys(CATEGORY_OF[kind] for kind in kinds if CATEGORY_OF[kind] != GENERAL)
    return Named(tuple(categories), tuple(found))


@cache
def _pattern() -> re.Pattern[str]:
    known = sorted({*MEANINGS, *COLOURS.lower().split()}, key=len, reverse=True)
    latin = "|".join(re.escape(word) for word in known if word.isascii() and len(word) >= SHORTEST_LATIN)
    chinese = "|".join(re.escape(word) for word in known if not word.isascii())
    return re.compile(rf"{chinese}|(?<![a-z])(?:{latin})(?![a-z])")
