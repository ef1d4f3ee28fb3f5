"""A picture that others start from gives way to the colour that a brief asks for."""

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from c2m.design.diffusion.generator import PipelineGenerator
from c2m.design.diffusion.prompts import Prompt, in_a_sentence
from c2m.design.diffusion.starting import in_colour
from c2m.design.drawings import COLOURS, DrawingSpec, draw
from c2m.design.generation import Brief, Generated
from c2m.design.likeness.foreground import lab, weight_of_product

BLACK_TOTE = draw(DrawingSpec("tote", "black", "black"), size=128, seed=1)


def middle_of(image: Image.Image) -> tuple[int, ...]:
    product = np.asarray(image)[weight_of_product(lab(BLACK_TOTE)) > 0.9]
    return tuple(int(value) for value in np.median(product, axis=0))


def test_the_product_takes_the_colour_and_the_ground_stays() -> None:
    made = in_colour(BLACK_TOTE, "blue")
    assert made is not None
    assert all(abs(a - b) <= 12 for a, b in zip(middle_of(made), COLOURS["blue"].rgb, strict=True))
    grounds = (np.asarray(picture, dtype=int)[:20, :20] for picture in (made, BLACK_TOTE))
    assert np.abs(np.subtract(*grounds)).max() <= 6


def test_a_picture_that_has_the_colour_or_shows_no_product_stays_as_it_is() -> None:
    assert in_colour(BLACK_TOTE, "black") is None
    striped = draw(DrawingSpec("tote", "navy", "red", pattern="stripes"), size=128, seed=1)
    assert in_colour(striped, "red") is None
    assert in_colour(Image.new("RGB", (64, 64), (200, 30, 30)), "blue") is None


class Unloaded(PipelineGenerator):
    """Looks at what it would start from, without a model."""

    def pictures(self, prompt: str, *, seeds: list[int], source: Any = None, **_how: Any) -> list[Image.Image]:
        return [source] * len(seeds)

    def _provenance(self, brief: Brief, prompt: Prompt, seed: int) -> dict[str, Any]:
        return {"seed": seed}


def test_pictures_start_from_the_colour_that_is_asked_for_and_say_so_unless_a_strength_was_chosen() -> None:
    generator = Unloaded(side=128)
    brief = Brief("tote", "blue tote", source=BLACK_TOTE)

    def made(brief: Brief) -> Generated:
        [one] = generator.generate(brief, count=1, seed=7, progress=lambda *step: None)
        return one

    assert made(brief).provenance == {"seed": 7, "start_recoloured": "blue"}
    assert np.array_equal(np.asarray(made(brief).image), np.asarray(in_colour(BLACK_TOTE, "blue")))
    for other in (replace(brief, strength=0.5), replace(brief, words="black tote"), replace(brief, words="tote")):
        assert made(other).provenance == {"seed": 7}
        assert made(other).image is BLACK_TOTE
    assert Unloaded(ask=in_a_sentence, side=128)._recoloured(brief, in_a_sentence(brief)) is None
