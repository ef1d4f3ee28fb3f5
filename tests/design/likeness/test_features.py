import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from c2m.design.drawings import DrawingSpec, draw
from c2m.design.likeness import SHAPE_AND_COLOUR, Degree, Degrees, Neighbours, of_a_kind
from c2m.design.likeness.foreground import product_in


def picture(category: str = "mug", colour: str = "red", *, seed: int = 1) -> Image.Image:
    return draw(DrawingSpec(category, colour, colour), size=128, seed=seed)


def apart(a: Image.Image, b: Image.Image) -> float:
    return float(np.linalg.norm(SHAPE_AND_COLOUR.of(a) - SHAPE_AND_COLOUR.of(b)))


def test_the_same_picture_has_the_same_vector_whatever_its_size() -> None:
    mug = picture()
    assert apart(mug, mug) == 0
    assert apart(mug, mug.resize((384, 384), Image.Resampling.BICUBIC)) < apart(mug, picture("tote")) / 3


def test_another_colour_is_nearer_than_another_product() -> None:
    assert 0 < apart(picture(colour="red"), picture(colour="navy")) < apart(picture("mug"), picture("coat"))


def test_of_two_products_of_a_shape_the_one_of_the_colour_is_nearer() -> None:
    assert apart(picture(seed=1), picture(seed=2)) < apart(picture(seed=1), picture(colour="teal", seed=2))


def test_the_product_is_cut_out_of_its_ground_wherever_it_stands() -> None:
    scene = Image.new("RGB", (200, 100), "white")
    ImageDraw.Draw(scene).rectangle((120, 20, 179, 79), fill="navy")
    cut = product_in(scene).cut
    assert all(abs(side - 60) <= 4 for side in cut.size)
    assert cut.getpixel((cut.width // 2, cut.height // 2)) == (0, 0, 128)


def test_a_blank_picture_has_a_vector_too() -> None:
    vector = SHAPE_AND_COLOUR.of(Image.new("RGB", (64, 64), "white"))
    assert np.isfinite(vector).all()
    assert vector.shape == SHAPE_AND_COLOUR.of(picture()).shape


def test_grey_and_transparent_pictures_are_described_as_they_look() -> None:
    assert apart(ImageOps.grayscale(picture()), ImageOps.grayscale(picture()).convert("RGB")) == 0
    assert apart(picture().convert("RGBA"), picture()) == 0


def test_the_nearest_come_first_and_what_is_added_is_found_next_time() -> None:
    known: Neighbours[str] = Neighbours()
    assert known.nearest(np.zeros(2, np.float32), 3) == []
    known.add(["far", "near"], np.array([[3, 4], [0, 1]]))
    assert known.nearest(np.zeros(2, np.float32), 5) == [("near", 1.0), ("far", 5.0)]
    known.add(["nearest"], np.array([[0, 0.5]]))
    assert known.nearest(np.zeros(2, np.float32), 2) == [("nearest", 0.5), ("near", 1.0)]
    assert (len(known), "far" in known, "else" in known) == (3, True, False)


def test_the_nearest_are_those_of_scikit_learn() -> None:
    from sklearn.neighbors import NearestNeighbors

    vectors = np.random.default_rng(3).normal(size=(200, 16)).astype(np.float32)
    known: Neighbours[int] = Neighbours()
    known.add(range(200), vectors)
    distances, places = NearestNeighbors(n_neighbors=7).fit(vectors).kneighbors(vectors[:5])
    for number in range(5):
        keys, lengths = zip(*known.nearest(vectors[number], 7), strict=True)
        assert list(keys) == places[number].tolist()
        assert lengths == pytest.approx(distances[number], abs=2e-3)


def test_a_distance_is_a_degree_and_beyond_the_last_not_alike() -> None:
    degrees = Degrees(very=1.0, alike=1.2, faint=1.4)
    assert [degrees.of(distance) for distance in (1.0, 1.1, 1.3, 1.41)] == [
        Degree.VERY,
        Degree.ALIKE,
        Degree.FAINT,
        None,
    ]


def test_a_scarf_among_bags_does_not_belong_unless_it_is_very_alike() -> None:
    bags = [("tote", Degree.ALIKE)] * 4
    assert of_a_kind([*bags, ("scarf", Degree.FAINT)]) == [True, True, True, True, False]
    assert of_a_kind([("scarf", Degree.VERY), *bags]) == [True] * 5
    assert of_a_kind([("scarf", Degree.FAINT), *bags]) == [True] * 5
    assert of_a_kind([*bags[:3], ("scarf", Degree.FAINT)]) == [True] * 4
    assert of_a_kind([]) == []


def test_edges_between_colours_of_one_lightness_are_seen() -> None:
    scene = Image.new("RGB", (96, 96), (200, 0, 0))
    ImageDraw.Draw(scene).rectangle((30, 30, 65, 65), fill=(0, 102, 0))  # as light as the red around it
    assert apart(scene, ImageOps.grayscale(scene)) > 1
