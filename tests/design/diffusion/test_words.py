import numpy as np
import pytest

from c2m.design.diffusion.captions import PROMPT_TOKENS, Habit, Said, Speaker, described
from c2m.design.diffusion.tokenizer import merges_for, pieces
from c2m.design.diffusion.vocabulary import (
    BACKGROUND_WORDS,
    CATEGORY_WORDS,
    CHOICE_WORDS,
    COLOUR_WORDS,
    FINISH_WORDS,
    PATTERN_WORDS,
    prompt_words,
)
from c2m.design.drawings import (
    BACKGROUNDS,
    CATEGORIES,
    COLOURS,
    FINISHES,
    PATTERNS,
    Choice,
    DrawingSpec,
    random_spec,
)

MERGES = {pair: rank for rank, pair in enumerate(merges_for(prompt_words()))}


@pytest.mark.parametrize(
    ("words", "drawn"),
    [
        (CATEGORY_WORDS, CATEGORIES),
        (COLOUR_WORDS, COLOURS),
        (PATTERN_WORDS, PATTERNS),
        (FINISH_WORDS, FINISHES),
        (BACKGROUND_WORDS, BACKGROUNDS),
    ],
)
def test_whatever_can_be_drawn_can_be_said_in_both_languages(words, drawn):
    assert list(words) == list(drawn)
    assert all(named.en and named.zh for named in words.values())


def test_shapes_are_said_only_of_what_has_them():
    for category, parameters in CHOICE_WORDS.items():
        for parameter, options in parameters.items():
            kind = CATEGORIES[category].shape[parameter]
            assert isinstance(kind, Choice)
            assert set(options) <= set(kind.options)


def test_no_two_colours_share_a_word():
    spoken = [word for words in COLOUR_WORDS.values() for word in words.en]
    assert len(spoken) == len(set(spoken))


@pytest.mark.parametrize("word", prompt_words())
def test_every_prompt_word_is_one_token(word):
    assert pieces(word, MERGES) == [word + "</w>"]


def test_an_unknown_word_is_left_in_pieces():
    assert "".join(pieces("zyx", MERGES)) == "zyx</w>"
    assert len(pieces("zyx", MERGES)) == 3


def test_captions_use_prompt_words_only_and_fit():
    rng = np.random.default_rng(1)
    known = set(prompt_words())
    for _ in range(500):
        words = Speaker(rng).caption(random_spec(rng)).split()
        assert set(words) <= known
        assert len(words) <= PROMPT_TOKENS - 2


def test_the_same_chance_says_the_same():
    spec = random_spec(np.random.default_rng(2))
    said = {Speaker(np.random.default_rng(5)).caption(spec) for _ in range(3)}
    assert len(said) == 1


def test_silence_and_full_speech():
    spec = DrawingSpec("mug", "red", "white", "dots", shape={"handle": "contrast"}, background="sky")
    silent = Habit(0, 0, 0, 0, 0, 0, 0, 0, opening=0)
    assert Speaker(np.random.default_rng(0), silent).caption(spec) == ""
    assert described(spec).usual() == "red and white dotted glazed mug straight body contrast handle sky background"


def test_the_second_colour_of_a_plain_product_is_its_trim():
    assert Said("mug", "red", "white", "plain").usual() == "red plain mug with white trim"
    assert Said("mug", "red", "white", "dotted").usual() == "red and white dotted mug"
