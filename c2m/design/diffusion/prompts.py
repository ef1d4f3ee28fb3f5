"""What a model is asked in words: the embedded one in its own vocabulary, any other in a sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from c2m.design.diffusion.briefs import UnknownProduct, understand
from c2m.design.generation import Brief


@dataclass(frozen=True)
class Prompt:
    """A brief as a model is asked it, the attributes it names, and the words that were left out."""

    text: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


Ask = Callable[[Brief], Prompt]


def in_own_words(brief: Brief) -> Prompt:
    """The prompt for the embedded model, which knows no words but its own.

    Raises:
        UnknownProduct, UnknownName
    """
    understood = understand(brief.words, category=brief.category, attributes=brief.attributes)
    return Prompt(understood.prompt, understood.attributes, understood.ignored)


def in_a_sentence(brief: Brief) -> Prompt:
    """The prompt for any other model: English words as they were written, Chinese ones after what they say in English.

    What was chosen beside the words is said as well.
    """
    chosen = [value.replace("_", " ") for value in brief.attributes.values()]
    try:
        understood = in_own_words(brief)
    except UnknownProduct:
        return Prompt(_sentence(*chosen, brief.words), brief.attributes)
    if brief.words and brief.words.isascii():
        unsaid = [word for word in chosen if word not in brief.words.lower()]
        return Prompt(_sentence(brief.words, *unsaid), understood.attributes)
    return Prompt(_sentence(understood.text, brief.words), understood.attributes)


def _sentence(*parts: str) -> str:
    return ", ".join(["product photograph", *(part for part in parts if part)])
