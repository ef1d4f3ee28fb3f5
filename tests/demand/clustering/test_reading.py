"""What is read of titles and needs."""

import pytest

from c2m.demand.clustering.reading import read


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        (
            "想定制200个帆布托特包，印logo，预算20元以内，5月20日前",
            "need 200 canvas tote bags printed logo, $3 each, by May 20",
        ),
        ("304不锈钢保温杯 500毫升", "stainless thermos flask 0.5 L"),
        ("红色儿童雨伞30把", "kids umbrellas, blue, 30 pcs"),
    ],
)
def test_a_need_reads_the_same_in_both_languages_without_quantity_budget_date_and_colour(
    chinese: str, english: str
) -> None:
    assert set(read(chinese).words) == set(read(english).words)


def test_measures_come_in_one_unit_and_networks_are_no_weights() -> None:
    assert read("1.5升 64 gb 4g 30厘米").measures == (("gb", 64.0), ("ml", 1500.0), ("mm", 300.0))


def test_both_sides_of_a_rectangle_are_measures() -> None:
    assert read("鼠标垫 80x30cm").measures == (("mm", 300.0), ("mm", 800.0))


def test_a_model_number_written_apart_is_found_written_as_one() -> None:
    assert "hdp1d39x" in read("hoover hdp 1d39x dishwasher").spellings
    assert read("hoover hdp1d39x").codes == {"hdp1d39x"}


def test_words_nobody_listed_are_cut_and_kept() -> None:
    assert read("陶艺拉坯机").words == ("陶艺", "拉坯机")


@pytest.mark.parametrize("text", ["", "   ", "\x00\ufffd", "的的的", "🙂", "—" * 50])
def test_a_text_without_a_product_has_no_words(text: str) -> None:
    assert read(text).words == ()
