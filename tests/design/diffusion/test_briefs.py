import pytest

from c2m.design.diffusion.briefs import UnknownProduct, understand
from c2m.design.drawings import UnknownName


@pytest.mark.parametrize(
    ("chinese", "english", "prompt"),
    [
        (
            "红白条纹帆布托特包",
            "a red and white striped canvas tote bag",
            "red and white striped canvas tote bag",
        ),
        ("黑色真皮双肩包", "Black leather backpack", "black leather backpack"),
        (
            "墨绿丝绸连衣裙，长袖，白色圆点",
            "olive satin dress with white polka dots and long sleeves",
            "olive and white dotted satin dress long sleeves",
        ),
        ("蓝白青海波茶壶 提梁", "blue and white wavy teapot, top handle", "blue and white wavy teapot top handle"),
        ("白色马克杯，撞色手柄，浅粉背景", "white mug, contrast handle, pink background", None),
    ],
)
def test_a_brief_means_the_same_in_both_languages(chinese, english, prompt):
    assert understand(chinese).prompt == understand(english).prompt
    assert prompt is None or understand(chinese).prompt == prompt


def test_two_colours_in_one_word_are_first_and_second():
    said = understand("红白格子抱枕").attributes
    assert (said["primary"], said["secondary"], said["pattern"]) == ("red", "white", "gingham")


def test_a_shade_of_two_characters_is_one_colour():
    assert understand("粉红手机壳").prompt == "pink phone case"
    assert understand("米白色毛巾").prompt == "white towel"


def test_a_second_colour_without_a_pattern_is_a_trim():
    assert understand("red hoodie with white trim").prompt == "red hoodie with white trim"


def test_what_was_chosen_wins_over_the_words():
    understood = understand("red striped mug", category="tote", attributes={"primary": "blue", "pattern": "dots"})
    assert understood.prompt == "blue dotted tote bag"


def test_words_without_use_are_told():
    assert understand("a cyberpunk dragon mug").ignored == ("cyberpunk", "dragon")
    assert understand("火星风格马克杯").ignored == ("火星风格",)


def test_a_shape_the_product_does_not_have_is_told_and_left_out():
    understood = understand("red mug with long sleeves")
    assert understood.prompt == "red mug"
    assert understood.ignored == ("long sleeves",)


def test_a_shape_only_one_product_has_names_the_product():
    assert understand("棕色小熊").prompt == "brown plush toy bear"


def test_a_word_inside_another_word_is_not_read():
    assert "primary" not in understand("bored mug").attributes


@pytest.mark.parametrize("words", ["", "something red", "红色的东西"])
def test_a_brief_that_names_no_product_is_refused(words):
    with pytest.raises(UnknownProduct, match="tote bag"):
        understand(words)


def test_an_attribute_nobody_registered_is_refused():
    with pytest.raises(UnknownName, match="mauve"):
        understand("mug", attributes={"primary": "mauve"})
