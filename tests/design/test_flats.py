"""Technical flats: the drawing and the measurements that a maker gets of a product."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from c2m.design.drawings import CATEGORIES, UnknownName
from c2m.design.drawings.flats import FLATS, drawing, full_sheet, png, svg, tech_flat
from c2m.design.drawings.flats.sheet import Sheet, Words


def measured(category: str, shape: dict[str, float | str] | None = None, size: str = "") -> dict[str, int]:
    return {one.en: one.millimetres for one in tech_flat(category, shape, size=size).measurements}


def test_every_category_that_can_be_drawn_has_a_flat() -> None:
    assert FLATS.keys() == CATEGORIES.keys()


def test_a_t_shirt_in_its_base_size_has_the_measures_of_a_medium_one() -> None:
    assert measured("tshirt") == {
        "Chest, half": 500,
        "Hem, half": 505,
        "Shoulder to shoulder": 570,
        "Neck width": 225,
        "Front neck drop": 90,
        "Body length from neck point": 695,
        "Sleeve length": 280,
        "Sleeve opening, half": 125,
    }


def test_sizes_are_graded_by_each_point_of_measure() -> None:
    chest, *_, sleeve, _ = tech_flat("tshirt").measurements
    assert chest.by_size == {"S": 475, "M": 500, "L": 525, "XL": 550}
    assert sleeve.by_size == {"S": 270, "M": 280, "L": 290, "XL": 300}
    assert measured("tshirt", size="XL")["Chest, half"] == 550


def test_the_shape_that_is_drawn_is_the_shape_that_is_measured() -> None:
    usual, wide = measured("mug"), measured("mug", {"width": 1.1, "height": 0.9})
    assert (usual["Mouth diameter, outer"], usual["Height"]) == (86, 95)
    assert (wide["Mouth diameter, outer"], wide["Height"]) == (94, 86)


def test_cloth_that_is_drawn_folded_is_measured_unfolded() -> None:
    towel = tech_flat("towel")
    length = next(n for n, one in enumerate(towel.measurements) if one.en == "Length, unfolded")
    drawn = abs(towel.lines[length].end[1] - towel.lines[length].start[1])
    assert towel.measurements[length].millimetres == round(2 * drawn / 5) * 5 == 1370


def test_a_towel_is_measured_hanging_however_it_was_pictured() -> None:
    assert measured("towel", {"arrangement": "stack"}) == measured("towel")


@pytest.mark.parametrize("category", sorted(FLATS))
def test_every_dimension_begins_and_ends_at_a_line_of_the_drawing(category: str) -> None:
    flat = tech_flat(category)
    points = np.concatenate([edge for piece in flat.pieces for edge in (*piece.outlines, *piece.lines)])
    span = float((points.max(axis=0) - points.min(axis=0)).max())
    for line, measurement in zip(flat.lines, flat.measurements, strict=True):
        axis = {"left": 1, "right": 1, "above": 0, "below": 0}.get(line.place)
        for end in (line.start, line.end):
            away = points - np.array(end)
            nearest = np.abs(away[:, axis]).min() if axis is not None else _to_edges(flat.pieces, end)
            assert nearest < 0.022 * span, (measurement.en, nearest, span)


def _to_edges(pieces: tuple, end: tuple[float, float]) -> float:  # type: ignore[type-arg]
    found = np.inf
    for piece in pieces:
        for edge in (*piece.outlines, *piece.lines):
            start, step = edge, np.roll(edge, -1, axis=0) - edge
            share = ((np.array(end) - start) * step).sum(axis=1) / ((step**2).sum(axis=1) + 1e-9)
            nearest = start + np.clip(share, 0, 1)[:, None] * step
            found = min(found, float(np.hypot(*(nearest - np.array(end)).T).min()))
    return float(found)


def test_the_sheet_is_lines_on_paper_and_names_every_measure_in_both_languages() -> None:
    sheet = svg(full_sheet(tech_flat("tote"), "帆布 & 周末"))
    shapes = re.sub(r"<text.*?</text>", "", sheet)
    assert set(re.findall(r'fill="([^"]+)"', shapes)) == {"none", "#ffffff"}
    assert "帆布 &amp; 周末" in sheet
    for words in ("托特包  Tote bag", "袋口宽", "Opening width", "E 175", "F 28", "不是照片", "not a photograph"):
        assert words in sheet


def test_the_drawing_alone_carries_letters_and_millimetres_but_no_table() -> None:
    alone = svg(drawing(tech_flat("tote")))
    assert "A 380" in alone
    assert "Opening width" not in alone


def test_the_sheet_comes_as_a_picture_of_the_width_asked_for() -> None:
    with Image.open(io.BytesIO(png(full_sheet(tech_flat("mug")), width=760))) as picture:
        assert (picture.format, picture.size) == ("PNG", (760, 450))
        assert np.asarray(picture.convert("L")).min() < 60


def test_a_picture_of_the_sheet_carries_chinese_words_on_every_machine() -> None:
    def words(text: str) -> Sheet:
        return Sheet(200, 60, (Words((10, 40), text, 30),))

    blank, chinese, other = (png(words(text), width=400) for text in ("", "袋口宽", "袋身高"))
    assert len({blank, chinese, other}) == 3


def test_the_same_flat_is_the_same_file() -> None:
    tech = tech_flat("beanie", {"brim": 1.1})
    assert svg(full_sheet(tech)) == svg(full_sheet(tech_flat("beanie", {"brim": 1.1})))


@pytest.mark.parametrize(
    ("category", "shape", "size"),
    [("spaceship", {}, ""), ("tshirt", {"wings": 1.0}, ""), ("tshirt", {}, "XXL"), ("mug", {}, "M")],
)
def test_what_the_drawings_do_not_know_is_refused(category: str, shape: dict[str, float | str], size: str) -> None:
    with pytest.raises(UnknownName):
        tech_flat(category, shape, size=size)
