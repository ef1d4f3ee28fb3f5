"""Briefs in Chinese or English to what a prompt says: attributes that were chosen first, then the words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from c2m.design.diffusion.captions import SHAPE_PHRASES, Said
from c2m.design.diffusion.vocabulary import (
    BACKGROUND_WORDS,
    CATEGORY_WORDS,
    COLOUR_WORDS,
    FINISH_WORDS,
    PATTERN_WORDS,
    Words,
    choice_words,
    range_words,
)
from c2m.design.drawings.names import look_up
from c2m.errors import N_, Invalid

# What people write, beside the words that prompts are made of.
ENGLISH_ALIASES: Mapping[tuple[str, str], str] = {
    ("category", "tshirt"): "t-shirt|t shirt|t-shirts|tees|shirt|top",
    ("category", "hoodie"): "hoodies|hooded sweatshirt|sweater",
    ("category", "coat"): "coats|jacket|trench coat|trenchcoat",
    ("category", "dress"): "dresses|frock|skirt",
    ("category", "scarf"): "scarves|scarfs",
    ("category", "beanie"): "knitted hat|woolly hat|knit hat|beanies|cap",
    ("category", "sneaker"): "trainers|trainer|shoes|running shoe|running shoes",
    ("category", "tote"): "totes|tote bags|shopper|handbag|bag",
    ("category", "backpack"): "backpacks|knapsack|school bag|schoolbag",
    ("category", "suitcase"): "suitcases|trolley|carry-on",
    ("category", "umbrella"): "umbrellas",
    ("category", "mug"): "mugs|coffee mug|coffee cup|tea cup|teacup",
    ("category", "bottle"): "bottles|water bottle|thermos|thermos flask",
    ("category", "teapot"): "teapots|tea pot",
    ("category", "cup_holder"): "cupholder|cup holders",
    ("category", "cushion"): "cushions|pillows|throw pillow",
    ("category", "plush"): "stuffed toy|stuffed animal|cuddly toy|teddy|plushie|toy",
    ("category", "lamp"): "table lamps|desk lamp|lamps|light",
    ("category", "chair"): "chairs|armchair|dining chair",
    ("category", "phone_case"): "phone cases|iphone case",
    ("primary", "white"): "ivory",
    ("primary", "beige"): "tan|ecru|sand-coloured|nude",
    ("primary", "grey"): "silver|charcoal",
    ("primary", "red"): "scarlet|burgundy|maroon",
    ("primary", "orange"): "tangerine",
    ("primary", "yellow"): "gold|lemon|mustard",
    ("primary", "olive"): "army green|olive green",
    ("primary", "green"): "emerald",
    ("primary", "teal"): "cyan|aqua",
    ("primary", "navy"): "navy blue|dark blue",
    ("primary", "purple"): "lilac|lavender",
    ("primary", "pink"): "fuchsia|magenta",
    ("primary", "brown"): "coffee-coloured|camel",
    ("pattern", "plain"): "unpatterned|single-colour",
    ("pattern", "stripes"): "stripe|horizontal stripes|horizontally striped|breton",
    ("pattern", "vertical_stripes"): "vertically striped|vertical stripe|vertical-striped",
    ("pattern", "pinstripes"): "pinstripe|fine stripes|thin stripes",
    ("pattern", "gingham"): "check|chequered|checkered|checkerboard|vichy",
    ("pattern", "tartan"): "tartans|scottish",
    ("pattern", "dots"): "polka dot|polka dots|polka-dot|spotted|spots|dot",
    ("pattern", "chevron"): "zig-zag|chevrons|herringbone",
    ("pattern", "argyle"): "diamond",
    ("pattern", "floral"): "flower|flowery|blossom",
    ("pattern", "leaves"): "leaf|botanical|foliage",
    ("pattern", "stars"): "star",
    ("pattern", "waves"): "wave|seigaiha",
    ("pattern", "colour_block"): "two-tone|two tone|colour block|color block|colour-block|colour blocked",
    ("finish", "knit"): "woollen|wool|crochet",
    ("finish", "fleece"): "fluffy|terry",
    ("finish", "satin"): "silky",
    ("finish", "glazed"): "ceramic|china",
    ("finish", "stoneware"): "earthenware|clay",
    ("finish", "glossy"): "gloss|lacquered",
    ("finish", "matte"): "matt|frosted",
    ("finish", "metallic"): "metal|steel|brushed metal|stainless steel",
    ("background", "studio"): "white background|studio background",
    ("background", "mist"): "grey background|gray background|mist background",
    ("background", "sand"): "beige background|sand background|warm background",
    ("background", "sky"): "blue background|sky background",
    ("background", "sage"): "green background|sage background",
    ("background", "blush"): "pink background|blush background",
}

# Words that say nothing about the product's looks; everything else that is not understood is told.
FILLERS = frozenset(
    re.findall(
        r"\S+",
        """
        a an the and with in on of for to my our some picture photo image product design please made make want
        background colour color style new coloured colored pattern patterned print printed trim trims detail details
        的 和 与 加 带 款 色 一个 一只 一件 一款 有 是 要 想 我 我们 请 设计 图案 风格 产品 背景 印 上 配 有着 搭配
        个 只 件 条 双 把 材质
        """,
    )
)

# A colour pair in one word: 红白 is red and white.
SHORT_COLOURS: Mapping[str, str] = {
    "白": "white",
    "灰": "grey",
    "黑": "black",
    "红": "red",
    "橙": "orange",
    "橘": "orange",
    "黄": "yellow",
    "绿": "green",
    "青": "teal",
    "蓝": "blue",
    "紫": "purple",
    "粉": "pink",
    "棕": "brown",
    "米": "beige",
}

_HAN = "\u4e00-\u9fff"


class UnknownProduct(Invalid):
    """A brief names no kind of product that the model has learned."""

    sentence = N_("Say which product it is, one of these: %(known)s.")


@dataclass(frozen=True)
class Understood:
    """A brief as a prompt, the attributes it names, and the words it had no use for."""

    prompt: str
    attributes: Mapping[str, str]
    ignored: tuple[str, ...]


@dataclass(frozen=True)
class _Term:
    text: str
    kind: str
    name: str


def understand(words: str, *, category: str = "", attributes: Mapping[str, str] | None = None) -> Understood:
    """The prompt for a brief; what was chosen wins over what the words say.

    `attributes` may name primary, secondary, pattern, finish and background by their registered names.

    Raises:
        UnknownProduct, UnknownName
    """
    found, ignored = _found(words)
    said: dict[str, str] = {}
    for term in found:
        if term.kind == "primary" and said.get("primary", term.name) != term.name:
            said.setdefault("secondary", term.name)
        elif term.kind in _TABLES:
            said.setdefault(term.kind, term.name)
    said.setdefault("category", _implied_category(found))
    said.update((kind, value) for kind, value in {"category": category, **(attributes or {})}.items() if value)
    if said["category"] not in CATEGORY_WORDS:
        raise UnknownProduct(known=", ".join(words.usual for words in CATEGORY_WORDS.values()))
    for kind, name in said.items():
        look_up(kind, name, _TABLES[kind])
    shape, unfitting = _shape(said["category"], found)
    prompt = Said(shape=shape, **{kind: _TABLES[kind][name].usual for kind, name in said.items()}).usual()
    return Understood(prompt, said, (*ignored, *unfitting))


def _implied_category(found: list[_Term]) -> str:
    """The only category that has such a shape, if there is one: a bear is a plush toy."""
    for term in found:
        homes = [category for category in CATEGORY_WORDS if term.kind == "shape" and term.name in _shapes_of(category)]
        if len(homes) == 1:
            return homes[0]
    return ""


def _shape(category: str, found: list[_Term]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Phrases for the shape that the category has, and what was said of a shape that it does not have."""
    known = _shapes_of(category)
    fitting = {term.name: term.text for term in found if term.kind == "shape" and term.name in known}
    asked = dict.fromkeys(term.text for term in found if term.kind == "shape")
    return tuple(fitting)[:SHAPE_PHRASES], tuple(text for text in asked if text not in fitting.values())


def _shapes_of(category: str) -> set[str]:
    ends = (words.usual for _, pair in range_words(category) for words in pair)
    return {words.usual for *_, words in choice_words(category)} | set(ends)


def _found(words: str) -> tuple[list[_Term], tuple[str, ...]]:
    """The terms in the order they stand in, the longest match first, and the words between them."""
    text = words.lower()
    found: list[_Term] = []
    rest: list[str] = []
    end = 0
    for match in _PATTERN.finditer(text):
        rest.append(text[end : match.start()])
        end = match.end()
        found.extend(_terms(match.group()))
    rest.append(text[end:])
    left = (word for part in rest for word in re.findall(rf"[{_HAN}]+|[^\W\d_{_HAN}]+", part))
    return found, tuple(word for word in left if word not in FILLERS)


def _terms(text: str) -> Iterator[_Term]:
    if text in _TERMS:
        # A word may be a finish and part of a category's name at once: 帆布包 is a tote, made of canvas.
        yield from (_Term(text, kind, name) for kind, name in _TERMS[text])
    else:
        yield from (
            _Term(text, "primary", SHORT_COLOURS[character]) for character in text if character in SHORT_COLOURS
        )


_TABLES: Mapping[str, Mapping[str, Words]] = {
    "category": CATEGORY_WORDS,
    "primary": COLOUR_WORDS,
    "secondary": COLOUR_WORDS,
    "pattern": PATTERN_WORDS,
    "finish": FINISH_WORDS,
    "background": BACKGROUND_WORDS,
}


def _lexicon() -> Mapping[str, list[tuple[str, str]]]:
    terms: dict[str, list[tuple[str, str]]] = {}

    def add(text: str, kind: str, name: str) -> None:
        known = terms.setdefault(text.lower(), [])
        if (kind, name) not in known and (kind == "shape" or all(other != kind for other, _ in known)):
            known.append((kind, name))

    for kind in ("category", "primary", "pattern", "finish", "background"):
        for name, words in _TABLES[kind].items():
            # A background's one word ("sand", "sky") means the background only beside that word.
            spoken = words.zh if kind == "background" else (*words.en, *words.zh)
            aliases = ENGLISH_ALIASES.get((kind, name), "")
            for text in (*spoken, *(aliases.split("|") if aliases else ())):
                add(text, kind, name)
    for category in CATEGORY_WORDS:
        shapes = [words for *_, words in choice_words(category)]
        shapes += [words for _, ends in range_words(category) for words in ends]
        for words in shapes:
            for text in (*words.en, *words.zh):
                if text not in terms or all(kind == "shape" for kind, _ in terms[text]):
                    add(text, "shape", words.usual)
    for text, kind, name in (
        ("帆布包", "finish", "canvas"),
        ("帆布袋", "finish", "canvas"),
        ("帆布鞋", "finish", "canvas"),
    ):
        add(text, kind, name)
    return terms


_TERMS = _lexicon()


def _pattern() -> re.Pattern[str]:
    longest = sorted(_TERMS, key=len, reverse=True)
    latin = "|".join(re.escape(text) for text in longest if text.isascii())
    several = "|".join(re.escape(text) for text in longest if not text.isascii() and len(text) > 1)
    pair = f"[{''.join(SHORT_COLOURS)}]{{2}}"
    single = "|".join(text for text in longest if not text.isascii() and len(text) == 1)
    return re.compile(rf"{several}|{pair}|{single}|(?<![a-z])(?:{latin})(?![a-z])")


_PATTERN = _pattern()
