"""Words that a brief or a title must not say: indecent ones, and names that belong to somebody else."""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

from c2m.errors import N_, Invalid

LISTS = Path(__file__).with_name("refused_words.toml")
INDECENT, BRANDS, ORDINARY = "indecent", "brands", "ordinary"
_MASKS = str.maketrans("01345$@", "oieassa")
_MASKED = re.compile(r"(?<![a-z0-9$@])(?=[a-z0-9$@]*[a-z])[a-z0-9$@]+")
_HAN = "\u4e00-\u9fff"


class WordRefused(Invalid):
    """Something was asked for, or is to be published, in words that can't be used; `word` is the one.

    `field` names the text it stands in, where there are several.
    """


class IndecentWord(WordRefused):
    sentence = N_("“%(word)s” can't be shown in a market open to everybody; please say it differently.")


class BrandWord(WordRefused):
    sentence = N_("“%(word)s” is somebody's brand or figure; describe its looks without the name.")


_REFUSALS: dict[str, type[WordRefused]] = {INDECENT: IndecentWord, BRANDS: BrandWord}


def check_words(*texts: str, **fields: str) -> None:
    """Refuse texts that say what can't be said here, naming the first such word and, of a named text, its field.

    Raises:
        IndecentWord, BrandWord
    """
    pattern, kinds = _lists()
    for field, text in (*(("", text) for text in texts), *fields.items()):
        plain = _plain(text)
        for match in (*pattern.finditer(plain), *pattern.finditer(_unmasked(plain))):
            if (kind := kinds[match.group()]) in _REFUSALS:
                where = {"field": field} if field else {}
                raise _REFUSALS[kind](word=match.group(), **where)


def _plain(text: str) -> str:
    """Lower case without accents, hidden characters and the spaces that take Chinese words apart."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(char for char in decomposed if unicodedata.category(char) not in ("Mn", "Cf"))
    joined = re.sub(rf"(?<=[{_HAN}])[\s·.\-_*]+(?=[{_HAN}])", "", kept)
    return re.sub(r"\s+", " ", joined)


def _unmasked(plain: str) -> str:
    """Words with the letters that digits and signs stand for: n1ke is Nike."""
    return _MASKED.sub(lambda word: word.group().translate(_MASKS), plain)


@cache
def _lists() -> tuple[re.Pattern[str], dict[str, str]]:
    """One pattern of all words, the longest first, and the list each of them is on."""
    lists = tomllib.loads(LISTS.read_text("utf-8"))
    kinds = {_plain(word): kind for kind in (INDECENT, BRANDS, ORDINARY) for word in lists[kind]}
    longest = sorted(kinds, key=len, reverse=True)
    latin = "|".join(re.escape(word) for word in longest if word.isascii())
    chinese = "|".join(re.escape(word) for word in longest if not word.isascii())
    return re.compile(rf"(?<![a-z0-9])(?:{latin})(?![a-z0-9])|{chinese}"), kinds
