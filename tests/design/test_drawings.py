"""Product drawings: seeded, true to the colours they name, and drawn for every category and pattern."""

import json

import numpy as np
import pytest
from PIL import Image

from c2m.design.drawings import (
    BACKGROUNDS,
    CATEGORIES,
    COLOURS,
    FINISHES,
    PATTERNS,
    DrawingSpec,
    UnknownName,
    contrast,
    draw,
    random_spec,
)
from c2m.design.drawings.palette import to_linear


def a_spec(category: str = "mug", primary: str = "red", secondary: str = "white", **named: object) -> DrawingSpec:
    return DrawingSpec(category, primary, secondary, **named)  # type: ignore[arg-type]


def pixels(spec: DrawingSpec, size: int = 64, seed: int = 1) -> np.ndarray:
    return np.asarray(draw(spec, size=size, seed=seed), dtype=np.float32)


def product(spec: DrawingSpec, size: int = 128, seed: int = 1) -> np.ndarray:
    """The pixels that change with the primary colour: the product without its background."""
    other = "blue" if spec.primary != "blue" else "red"
    changed = pixels(DrawingSpec(spec.category, other, spec.secondary, background=spec.background), size, seed)
    mine = pixels(spec, size, seed)
    return mine[np.abs(mine - changed).max(axis=2) > 40]


def lab(rgb: np.ndarray) -> np.ndarray:
    matrix = np.array(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)))
    ratio = matrix @ to_linear(np.asarray(rgb, dtype=np.float32) / 255) / np.array((0.9505, 1.0, 1.089))
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array((116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])))


def test_the_same_seed_gives_the_same_pixels() -> None:
    for category in CATEGORIES:
        spec = random_spec(np.random.default_rng(4), category)
        assert draw(spec, size=64, seed=9).tobytes() == draw(spec, size=64, seed=9).tobytes()


def test_another_seed_gives_another_picture() -> None:
    for category in CATEGORIES:
        assert np.abs(pixels(a_spec(category), seed=1) - pixels(a_spec(category), seed=2)).mean() > 0.5


def test_the_seed_does_not_move_the_product_when_the_size_changes() -> None:
    small = pixels(a_spec("plush", "teal"), 128, 3)
    large = draw(a_spec("plush", "teal"), size=256, seed=3).resize((128, 128), Image.Resampling.BOX)
    assert np.abs(small - np.asarray(large, dtype=np.float32)).mean() < 3


@pytest.mark.parametrize("category", CATEGORIES)
def test_another_primary_colour_changes_the_dominant_colour(category: str) -> None:
    red = np.median(product(a_spec(category, "red")), axis=0)
    green = np.median(product(a_spec(category, "green")), axis=0)
    assert np.linalg.norm(lab(red) - lab(green)) > 40


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_dominant_colour_is_nearest_to_the_one_named(category: str) -> None:
    for name in ("red", "green", "yellow", "purple"):
        seen = lab(np.median(product(a_spec(category, name)), axis=0))
        distance = {other: float(np.linalg.norm(seen - lab(np.array(c.rgb)))) for other, c in COLOURS.items()}
        assert min(distance, key=distance.__getitem__) == name


@pytest.mark.parametrize(
    ("category", "size"), [*((category, 64) for category in CATEGORIES), ("tshirt", 256), ("mug", 256), ("chair", 256)]
)
def test_every_pattern_is_drawn_and_seen_on_every_category(category: str, size: int) -> None:
    plain = pixels(a_spec(category, "white", "navy"), size)
    assert plain.shape == (size, size, 3)
    for pattern in PATTERNS:
        picture = pixels(a_spec(category, "white", "navy", pattern=pattern), size)
        assert picture.shape == (size, size, 3)
        seen = (np.abs(picture - plain).max(axis=2) > 40).mean()
        assert (seen > 0.01) == (pattern != "plain"), (pattern, seen)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_shape_parameter_changes_the_drawing(category: str) -> None:
    for name, parameter in CATEGORIES[category].shape.items():
        options = getattr(parameter, "options", None) or (parameter.low, parameter.high)
        drawn = {draw(a_spec(category, shape={name: option}), size=64, seed=2).tobytes() for option in options}
        assert len(drawn) == len(options), name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"category": "spaceship"}, "Unknown category 'spaceship'. Known: tshirt, "),
        ({"primary": "octarine"}, "Unknown colour 'octarine'. Known: white, "),
        ({"secondary": "octarine"}, "Unknown colour 'octarine'. Known: white, "),
        ({"pattern": "zebra"}, "Unknown pattern 'zebra'. Known: plain, "),
        ({"finish": "edible"}, "Unknown finish 'edible'. Known: cotton, "),
        ({"background": "beach"}, "Unknown background 'beach'. Known: studio, "),
        ({"shape": {"wings": 2}}, "Unknown mug shape parameter 'wings'. Known: body, "),
        ({"shape": {"body": "cubic"}}, "Unknown mug body 'cubic'. Known: straight, "),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(wrong: dict[str, object], message: str) -> None:
    named = {"category": "mug", "primary": "red", "secondary": "white"} | wrong
    with pytest.raises(UnknownName) as refusal:
        DrawingSpec(**named)  # type: ignore[arg-type]
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize("value", [0.2, 9.0, float("nan"), "wide"])
def test_a_shape_value_out_of_range_is_refused(value: float | str) -> None:
    with pytest.raises(ValueError, match=r"width is .*, but must lie between 0\.88 and 1\.15"):
        a_spec("mug", shape={"width": value})


@pytest.mark.parametrize("size", [63, 513, 0, -1])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="64 to 512 pixels"):
        draw(a_spec(), size=size, seed=1)


def test_a_specification_completes_its_shape_and_finish_and_cannot_be_edited() -> None:
    spec = a_spec("mug", shape={"width": 0.9})
    assert spec.finish == "glazed"
    assert dict(spec.shape) == {
        "body": "straight",
        "handle": "matching",
        "inside": "matching",
        "width": 0.9,
        "height": 1.0,
    }
    with pytest.raises(TypeError):
        spec.shape["width"] = 1.0  # type: ignore[index]
    assert a_spec("mug", shape={"width": 0.9}) == spec
    assert hash(a_spec("mug", shape={"width": 0.9})) == hash(spec)


def test_random_specifications_are_seeded_valid_and_easy_to_tell_apart() -> None:
    first = [random_spec(np.random.default_rng(seed)) for seed in range(200)]
    again = [random_spec(np.random.default_rng(seed)) for seed in range(200)]
    assert first == again
    assert {spec.category for spec in first} == set(CATEGORIES)
    assert min(contrast(spec.primary, spec.secondary) for spec in first) > 28
    assert random_spec(np.random.default_rng(1), "umbrella").category == "umbrella"
    with pytest.raises(UnknownName):
        random_spec(np.random.default_rng(1), "spaceship")
    json.dumps([dict(spec.shape) for spec in first])


def test_everything_has_a_name_in_both_languages() -> None:
    assert len(CATEGORIES) >= 16
    assert len(COLOURS) == 15
    for registry in (CATEGORIES, COLOURS, PATTERNS, FINISHES, BACKGROUNDS):
        assert len({thing.zh for thing in registry.values()}) == len(registry)
        assert len({thing.en for thing in registry.values()}) == len(registry)
        assert all(name == thing.name for name, thing in registry.items())
        assert all(any("\u4e00" <= letter <= "\u9fff" for letter in thing.zh) for thing in registry.values())


def test_every_category_is_made_of_known_finishes() -> None:
    for category in CATEGORIES.values():
        assert set(category.finishes) <= set(FINISHES)
        pictures = {draw(a_spec(category.name, finish=f), size=64, seed=5).tobytes() for f in category.finishes}
        assert len(pictures) == len(category.finishes)


def test_the_palette_can_be_told_apart() -> None:
    names = list(COLOURS)
    assert min(contrast(a, b) for i, a in enumerate(names) for b in names[:i]) > 18
