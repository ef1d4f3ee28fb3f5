"""What a drawing is said to show: the usual prompt, and random ones with synonyms and attributes left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from c2m.design.diffusion.vocabulary import (
    BACKGROUND_WORDS,
    CATEGORY_WORDS,
    CHOICE_WORDS,
    COLOUR_WORDS,
    FINISH_WORDS,
    PATTERN_WORDS,
    TRIM_WORDS,
    Words,
    range_words,
)
from c2m.design.drawings import CATEGORIES, Choice, DrawingSpec, Range

PROMPT_TOKENS = 24  # with the two that mark start and end
SHAPE_PHRASES = 4


@dataclass(frozen=True)
class Said:
    """The attributes a prompt names; an empty one is left to chance."""

    category: str = ""
    primary: str = ""
    secondary: str = ""
    pattern: str = ""
    finish: str = ""
    shape: tuple[str, ...] = ()
    background: str = ""

    def usual(self) -> str:
        """The prompt in its usual order and words, which is what briefs become."""
        colours = self.primary
        if self.secondary and self.pattern not in ("", "plain"):
            colours = f"{self.primary} and {self.secondary}" if self.primary else f"with {self.secondary}"
        parts = [colours, self.pattern, self.finish, self.category]
        if self.secondary and self.pattern in ("", "plain"):
            parts.append(f"with {self.secondary} trim")
        return _joined([*parts, *self.shape, self.background and f"{self.background} background"])


@dataclass(frozen=True)
class Habit:
    """How often a random prompt says something, says it by a synonym, or in an unusual order."""

    category: float = 0.97
    primary: float = 0.92
    secondary: float = 0.8
    pattern: float = 0.86
    plain: float = 0.6
    finish: float = 0.5
    shape: float = 0.45
    background: float = 0.55
    synonym: float = 0.25
    usual_order: float = 0.65
    opening: float = 0.15


USUAL = Habit()


@dataclass(frozen=True)
class Speaker:
    """Says what drawings show, in random ways that depend on the generator alone."""

    rng: np.random.Generator
    habit: Habit = field(default=USUAL)

    def caption(self, spec: DrawingSpec) -> str:
        """A prompt for the drawing."""
        habit = self.habit
        spoken = habit.plain if spec.pattern == "plain" else habit.pattern
        said = Said(
            category=self._perhaps(habit.category, CATEGORY_WORDS[spec.category]),
            primary=self._perhaps(habit.primary, COLOUR_WORDS[spec.primary]),
            secondary=self._perhaps(habit.secondary, COLOUR_WORDS[spec.secondary]),
            pattern=self._perhaps(spoken, PATTERN_WORDS[spec.pattern]),
            finish=self._perhaps(habit.finish, FINISH_WORDS[spec.finish]),
            shape=self._shape(spec),
            background=self._perhaps(habit.background, BACKGROUND_WORDS[spec.background]),
        )
        text = said.usual() if self._chance(habit.usual_order) else self._unusual(said)
        return _joined(["a" if self._chance(0.5) else "photo of a", text]) if self._chance(habit.opening) else text

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def _perhaps(self, share: float, words: Words) -> str:
        # Always the same number of draws, so that leaving one thing out doesn't change how the rest is said.
        spoken, by_synonym, which = self.rng.random(3)
        if spoken >= share:
            return ""
        return words.en[int(which * len(words.en))] if by_synonym < self.habit.synonym else words.usual

    def _shape(self, spec: DrawingSpec) -> tuple[str, ...]:
        phrases = [self._perhaps(self.habit.shape, words) for words in shape_words(spec)]
        spoken = [phrase for phrase in phrases if phrase]
        order = self.rng.permutation(len(spoken))[:SHAPE_PHRASES]
        return tuple(spoken[i] for i in order)

    def _unusual(self, said: Said) -> str:
        plain = said.pattern in ("", *PATTERN_WORDS["plain"].en)
        rest = [*said.shape, said.background and f"{said.background} background"]
        order = self.rng.integers(3)
        if plain:
            trim = said.secondary and f"with {said.secondary} {TRIM_WORDS[int(self.rng.integers(len(TRIM_WORDS)))]}"
            front = (
                [said.pattern, said.primary, said.finish, said.category, trim],
                [said.pattern, said.finish, said.category, said.primary and f"in {said.primary}", trim],
                [said.finish, said.primary, said.category, trim, said.pattern],
            )[order]
        else:
            pair = " and ".join(colour for colour in (said.primary, said.secondary) if colour)
            print_ = _joined([said.secondary, said.pattern])
            front = (
                [said.pattern, said.finish, said.category, pair and f"in {pair}"],
                [said.primary, said.finish, said.category, print_ and f"with {print_}"],
                [said.finish, said.category, pair and f"in {pair}", said.pattern],
            )[order]
        return _joined([*front, *rest])


def described(spec: DrawingSpec) -> Said:
    """Everything a prompt can say about the drawing, in the usual words."""
    return Said(
        category=CATEGORY_WORDS[spec.category].usual,
        primary=COLOUR_WORDS[spec.primary].usual,
        secondary=COLOUR_WORDS[spec.secondary].usual,
        pattern=PATTERN_WORDS[spec.pattern].usual,
        finish=FINISH_WORDS[spec.finish].usual,
        shape=tuple(words.usual for words in shape_words(spec))[:SHAPE_PHRASES],
        background=BACKGROUND_WORDS[spec.background].usual,
    )


def shape_words(spec: DrawingSpec) -> list[Words]:
    """Words for the choices of the drawing and for measures in the outer quarters of their range."""
    choices: Mapping[str, Mapping[str, Words]] = CHOICE_WORDS[spec.category]
    measures = dict(range_words(spec.category))
    words = []
    for name, kind in CATEGORIES[spec.category].shape.items():
        value = spec.shape[name]
        if isinstance(kind, Choice):
            named = choices.get(name, {}).get(str(value))
        else:
            named = _end(kind, float(value), measures[name]) if name in measures else None
        if named is not None:
            words.append(named)
    return words


def _end(kind: Range, value: float, ends: tuple[Words, Words]) -> Words | None:
    share = (value - kind.low) / (kind.high - kind.low)
    if 0.25 <= share <= 0.75:
        return None
    return ends[0] if share < 0.25 else ends[1]


def _joined(parts: list[str]) -> str:
    return " ".join(part for part in parts if part)
