"""What a title or a need says, read for comparison: words in one spelling and one language, model codes, measures."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from c2m.demand.clustering.lexicon import CATEGORY_OF, LONGEST_PHRASE, LONGEST_WORD, MEANINGS, PASSED_OVER

HAN = "\u4e00-\u9fff"
SHORTEST_CODE = 5
LONGEST_JOINED = 14
LONGEST_READ = 1_000  # characters

# Unit → what it is counted in, and how many of that it is.
UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("gb", "g内存"), ("gb", 1)),
    "tb": ("gb", 1024),
    **dict.fromkeys(("ml", "毫升", "cc"), ("ml", 1)),
    **dict.fromkeys(("l", "升", "litre", "litres", "liter", "liters", "ltr", "ltrs"), ("ml", 1000)),
    **dict.fromkeys(("g", "克", "gsm"), ("g", 1)),
    **dict.fromkeys(("kg", "公斤", "千克"), ("g", 1000)),
    "斤": ("g", 500),
    **dict.fromkeys(("cm", "厘米", "公分"), ("mm", 10)),
    **dict.fromkeys(("mm", "毫米"), ("mm", 1)),
    **dict.fromkeys(("inch", "inches", "英寸", "寸", "zoll", '"'), ("inch", 1)),
    "ghz": ("mhz", 1000),
    "mhz": ("mhz", 1),
    **dict.fromkeys(("w", "瓦", "watt", "watts"), ("w", 1)),
    **dict.fromkeys(("mah", "毫安"), ("mah", 1)),
    **{unit: (unit, 1) for unit in ("mb", "mp", "hz", "rpm", "db", "oz")},
}
LIGHTEST_G = 20  # 4g and 5g are networks, not weights
CLOSE = 0.03  # two measures within 3 % of each other are the same

_NUMBER = r"\d+(?:\.\d+)?"
_MEASURE = re.compile(rf"({_NUMBER})\s*({'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})(?![a-z0-9])")
_SIDES = re.compile(rf"({_NUMBER})\s*[x*×]\s*({_NUMBER})\s*(cm|mm|厘米|毫米|公分|inch|寸)")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# How many, for how much, by when: said of this need alone.
_TERMS = re.compile(
    rf"""
    [¥￥$€£]\s*{_NUMBER}(?:\s*[-~–]\s*{_NUMBER})?
    | (?:{_NUMBER}\s*[-~–到至]\s*)?{_NUMBER}\s*(?:元|块钱|块|rmb\b|cny\b|usd\b|yuan\b|dollars?\b|euros?\b)
    | \d{{4}}[-/.年]\d{{1,2}}(?:[-/.月]\d{{1,2}}[日号]?)?
    | \d{{1,2}}月(?:\d{{1,2}}[日号]?|份|底|初|中旬|上旬|下旬)?
    | \d{{1,2}}(?:st|nd|rd|th)?\s+(?:{_MONTHS})[a-z]*\b
    | \b(?:{_MONTHS})[a-z]*\s+\d{{1,2}}(?:st|nd|rd|th)?\b
    | (?:{_NUMBER}\s*[-~–到至]\s*)?\d+\s*[多来]?
      (?:个|只|件|条|双|把|份|顶|块|支|盏|本|张|台|床|对|枚|套)(?![{HAN}]?[套装组])
    | \d+\s*(?:pcs?|pieces?|units?|pairs?|pc)\b
    | (?<=need\s)\d+ | (?<=want\s)\d+ | (?<=order\s)\d+ | (?<=buy\s)\d+ | (?<=about\s)\d+ | (?<=for\s)\d+
    """,
    re.VERBOSE,
)
_TOKEN = re.compile(rf"\d+\.\d+[a-z]*|[{HAN}]+|(?:(?![{HAN}])[^\W_])+")
_HYPHENED = re.compile(r"[a-z]+(?:-[a-z]+)+")
_MIXED = re.compile("|".join(sorted(filter(re.compile(f"[a-z]+[{HAN}]").match, MEANINGS), key=len, reverse=True)))
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_DECIMAL = re.compile(r"(?<=\d),(?=\d)")


@dataclass(frozen=True)
class Reading:
    """A text as it is compared."""

    words: tuple[str, ...]  # in order, one language; codes written apart are joined beside
    kinds: frozenset[str]  # kinds of product of the lexicon
    codes: frozenset[str]  # model numbers: letters and digits mixed
    spellings: frozenset[str]  # every word, and neighbours written as one: where a code may hide
    measures: tuple[tuple[str, float], ...]  # (unit, value)

    @property
    def text(self) -> str:
        """The words in one line, of which character n-grams are taken."""
        return " ".join(self.words)


def read(text: str) -> Reading:
    """A text's words, codes and measures."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST_READ]).lower()
    plain = _DECIMAL.sub(".", _THOUSANDS.sub("", plain))
    plain = _MIXED.sub(lambda match: f" {MEANINGS[match[0]]} ", _TERMS.sub(" ", plain))
    plain = _SIDES.sub(r"\1\3 \2\3", plain)
    measures: list[tuple[str, float]] = []

    def in_one_unit(match: re.Match[str]) -> str:
        unit, each = UNITS[match[2]]
        value = float(match[1]) * each
        if match[2] == "g" and value < LIGHTEST_G:
            return match[0]
        measures.append((unit, value))
        return f" {value:g}{unit} "

    plain = _MEASURE.sub(in_one_unit, plain)
    plain = _HYPHENED.sub(lambda match: f" {MEANINGS.get(match[0], match[0])} ", plain)
    tokens = _TOKEN.findall(plain)
    said = list(_words(tokens))
    raw = [token for token in tokens if not _is_chinese(token)]
    measured = {f"{value:g}{unit}" for unit, value in measures}
    joined = [*_joined(raw, measured, 2), *_joined(raw, measured, 3)]
    return Reading(
        words=tuple(said + joined),
        kinds=frozenset(CATEGORY_OF.keys() & set(said)),
        codes=frozenset(word for word in raw if _is_code(word) and word not in measured),
        spellings=frozenset([*raw, *joined]),
        measures=tuple(sorted(set(measures))),
    )


def _joined(raw: list[str], measured: set[str], parts: int) -> Iterator[str]:
    """Neighbours written as one, where they may be a model number that somebody wrote apart: hdp 1d39x."""
    for at in range(len(raw) - parts + 1):
        run = raw[at : at + parts]
        word = "".join(run)
        known = any(part in measured or part in MEANINGS or part in PASSED_OVER for part in run)
        if not known and len(word) < LONGEST_JOINED and "." not in word and any(sign.isdigit() for sign in word):
            yield word


def _is_code(word: str) -> bool:
    return (
        len(word) >= SHORTEST_CODE
        and "." not in word
        and any(sign.isdigit() for sign in word)
        and any(sign.isalpha() for sign in word)
    )


def _is_chinese(token: str) -> bool:
    return "\u4e00" <= token[0] <= "\u9fff"


def _words(tokens: list[str]) -> Iterator[str]:
    """Words in order, those of the lexicon by their meaning, colours and the wrapping left out."""
    at = 0
    while at < len(tokens):
        if _is_chinese(tokens[at]):
            yield from _chinese(tokens[at])
            at += 1
            continue
        for length in range(min(LONGEST_PHRASE, len(tokens) - at), 0, -1):
            phrase = " ".join(tokens[at : at + length])
            if meaning := MEANINGS.get(phrase):
                yield meaning
                at += length
                break
        else:
            if tokens[at] not in PASSED_OVER:
                yield tokens[at]
            at += 1


def _chinese(run: str) -> Iterator[str]:
    """A run of characters: the lexicon's longest words first, the rest as jieba cuts it."""
    unknown, at = "", 0
    while at < len(run):
        for length in range(min(LONGEST_WORD, len(run) - at), 0, -1):
            word = run[at : at + length]
            if length > 1 or not unknown:
                meaning = MEANINGS.get(word)
                if meaning or word in PASSED_OVER:
                    yield from _cut(unknown)
                    unknown = ""
                    if meaning:
                        yield meaning
                    at += length
                    break
        else:
            unknown += run[at]
            at += 1
    yield from _cut(unknown)


def _cut(run: str) -> Iterator[str]:
    if not run:
        return
    for word in _jieba().cut(run):
        meaning = MEANINGS.get(word)
        if meaning or word not in PASSED_OVER:
            yield meaning or word


@cache
def _jieba() -> Any:
    """jieba's dictionary in memory; its cache file, which anyone who may write to /tmp could plant, is not used."""
    import jieba

    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer
