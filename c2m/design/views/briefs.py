"""A brief as a form: words and chosen attributes, and how it is understood in the reader's language."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from flask_babel import force_locale
from flask_babel import gettext as _
from pydantic import Field

from c2m.design.categories import CATEGORIES as CATALOGUE
from c2m.design.diffusion.briefs import UnknownProduct, understand
from c2m.design.drawings import BACKGROUNDS, CATEGORIES, COLOURS, FINISHES, PATTERNS
from c2m.design.generations import MOST_PICTURES, USUAL_STRENGTH_PCT
from c2m.design.models import Generation, Rendition
from c2m.design.views.blueprint import in_reader_language
from c2m.design.views.sketching import Looks, one_of
from c2m.web.formats import percent
from c2m.web.forms import Submission, Upload, Whole

SHAPED = ("primary", "secondary", "pattern", "finish", "background")
_KNOWN: Mapping[str, Mapping[str, Any]] = {
    "primary": COLOURS,
    "secondary": COLOURS,
    "pattern": PATTERNS,
    "finish": FINISHES,
    "background": BACKGROUNDS,
}
CHINESE = re.compile("[\u4e00-\u9fff]")
Key = Annotated[str, Field(min_length=8, max_length=80)]


class BriefForm(Looks):
    """What a merchandiser asks the studio for; attributes that are chosen win over the words."""

    words: Annotated[str, Field(max_length=500)] = ""
    category: Annotated[str, one_of(CATEGORIES)] | None = None
    finish: Annotated[str, one_of(FINISHES)] | None = None
    background: Annotated[str, one_of(BACKGROUNDS)] | None = None
    count: Annotated[Whole, Field(ge=1, le=MOST_PICTURES)] = 4
    source_id: UUID | None = None
    photograph: Upload | None = None
    strength: Annotated[Whole, Field(ge=1, le=100)] = USUAL_STRENGTH_PCT
    idempotency_key: Key

    @property
    def chosen(self) -> dict[str, str]:
        """The attributes that were chosen, as a brief takes them."""
        looks = {name: getattr(self, name) for name in SHAPED}
        return {name: value for name, value in looks.items() if value}


@dataclass(frozen=True)
class Reading:
    """How a brief is read so far: attributes with their names, what is still open, and words nothing is made of."""

    attributes: list[tuple[str, str]]
    is_complete: bool
    ignored: tuple[str, ...]


def reading_of(form: Submission[BriefForm]) -> Reading | None:
    """How what was entered is understood, also while it is being written; None while there is nothing to read."""
    entered = {name: str(form.entered.get(name) or "") for name in ("words", "category", *SHAPED)}
    chosen = {name: entered[name] for name in SHAPED if entered[name] in _KNOWN[name]}
    category = entered["category"] if entered["category"] in CATEGORIES else ""
    if not (category or chosen or entered["words"].strip()):
        return None
    words = entered["words"][:500]
    try:
        read, is_complete = understand(words, category=category, attributes=chosen), True
    except UnknownProduct:
        stand_in = next(iter(CATEGORIES))  # for the product that is still to be named
        read, is_complete = understand(words, category=stand_in, attributes=chosen), False
    attributes = {name: value for name, value in read.attributes.items() if is_complete or name != "category"}
    return Reading(described(attributes), is_complete, read.ignored)


def described(attributes: Mapping[str, str]) -> list[tuple[str, str]]:
    """Attributes and their values in the reader's language, in their usual order."""
    names = {
        "category": _("Product"),
        "primary": _("Colour"),
        "secondary": _("Second colour"),
        "pattern": _("Pattern"),
        "finish": _("Finish"),
        "background": _("Background"),
    }
    return [(word, value_name(name, attributes[name])) for name, word in names.items() if name in attributes]


def asked_words(generation: Generation, rendition: Rendition) -> str:
    """What a picture was really asked for: the brief's words, or its attributes where these replaced what words say."""
    if generation.words and says(generation.words, generation.category, rendition.attributes):
        return generation.words
    return " · ".join(value for _name, value in described(_looks(generation, rendition)))


def says(words: str, category: str, attributes: Mapping[str, str]) -> bool:
    """Whether a brief's words contradict none of the attributes a picture was asked for with."""
    try:
        read = understand(words, category=category, attributes={}).attributes
    except UnknownProduct:
        return True
    return all(attributes.get(name, value) == value for name, value in read.items() if name in SHAPED)


def in_common(asked: Sequence[tuple[Generation, Rendition]]) -> dict[str, str]:
    """A concept's category and brief as far as all its pictures share them, none of them the background's."""
    shown = [_looks(*one) for one in asked]
    shared = {name: value for name, value in shown[0].items() if all(other.get(name) == value for other in shown)}
    shared.pop("background", None)
    if "primary" not in shared:
        shared.pop("secondary", None)  # which would read as the colour
    words = {asked_words(*one) for one in asked}
    own = words.pop() if words == {asked[0][0].words} else ""
    return {"category": shared.get("category", ""), "brief": _in_both_languages(own, shared)}


def _in_both_languages(own: str, attributes: Mapping[str, str]) -> str:
    """Words of one's own where they are true of all, and a line of attributes in each language still missing."""
    lines = [own] if own else []
    for locale in ("zh", "en"):
        if not own or (locale == "zh") != bool(CHINESE.search(own)):
            with force_locale(locale):
                lines.append(" · ".join(value for _name, value in described(attributes)))
    return "\n".join(line for line in lines if line)


def _looks(generation: Generation, rendition: Rendition) -> dict[str, str]:
    return {"category": generation.category, **rendition.attributes}


def value_name(attribute: str, value: str) -> str:
    """What an attribute's value is called in the reader's language."""
    if attribute == "category":
        return str(_(CATALOGUE[value].name)) if value in CATALOGUE else value
    known = _KNOWN.get(attribute, {})
    return in_reader_language(known[value]) if value in known else value


def options(attribute: str) -> list[tuple[str, str]]:
    """Every value an attribute can have, with its name in the reader's language."""
    known = CATEGORIES if attribute == "category" else _KNOWN[attribute]
    return [(value, value_name(attribute, value)) for value in known]


def strengths() -> list[tuple[int, str]]:
    """How far pictures may go from the one they start from, in percent."""
    steps = [
        (30, _("stays close: colour and surface change")),
        (45, _("keeps shape and place")),
        (USUAL_STRENGTH_PCT, _("usual: keeps the composition")),
        (75, _("takes it as a starting point")),
        (90, _("takes it as a hint")),
    ]
    return [(value, f"{percent(value / 100)} · {words}") for value, words in steps]
