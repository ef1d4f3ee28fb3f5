"""Long phrases find the category they name: more words lose nothing that fewer words find."""

import csv
from pathlib import Path

import pytest
from sqlmodel import Session

from c2m.db import Database
from c2m.demand.clustering.naming import named
from c2m.demand.marketplace import Search, Sort, found
from c2m.demand.needs import offers_like
from tests.builders import MORNING, a_campaign

PHRASES = list(csv.DictReader(Path(__file__).with_name("long_phrases.csv").open(encoding="utf-8")))
OFFERS = {
    "tote": ("撞色提手托特包", "Contrast-handle tote"),
    "mug": ("手绘蓝花马克杯", "Hand-painted blue mug"),
    "bottle": ("轻量运动水壶", "Lightweight sports bottle"),
    "scarf": ("软糯羊绒感围巾", "Cashmere-feel scarf"),
    "tshirt": ("国潮印花 T 恤", "Guochao print tee"),
    "coat": ("拼色工装外套", "Patchwork work coat"),
    "backpack": ("都市通勤双肩包", "City backpack"),
    "sneaker": ("高帮硫化帆布鞋", "Vulcanised high-top"),
    "umbrella": ("黑胶晴雨伞", "UV-coated umbrella"),
    "plush": ("陪睡小熊", "Bedtime bear"),
    "lamp": ("原木布罩台灯", "Wood and linen lamp"),
    "phone_case": ("磁吸撞色手机壳", "Magnetic two-tone phone case"),
    "cup_holder": ("车载双杯架", "Double cup holder for cars"),
}


def on_offer(session: Session) -> None:
    for category, (title, title_en) in OFFERS.items():
        a_campaign(session, title=title, title_en=title_en, category=category)


def test_every_long_phrase_finds_what_is_offered_of_its_category_first(database: Database) -> None:
    with database.transaction() as session:
        on_offer(session)
        for phrase in PHRASES:
            words, category = phrase["words"], phrase["category"]
            assert offers_like(session, words, now=MORNING)[0].category == category, words
            assert session.execute(found(Search(words=words), now=MORNING)).all()[0].category == category, words


def test_of_a_category_what_says_more_of_the_words_comes_first(database: Database) -> None:
    with database.transaction() as session:
        a_campaign(session, title="帆布托特包", title_en="Canvas tote", category="tote")
        a_campaign(session, title="蓝色条纹帆布托特包", title_en="Blue striped canvas tote", category="tote")
        words = "蓝色条纹帆布托特包，印我们幼儿园的标志"
        for titles in (
            [row.title for row in offers_like(session, words, now=MORNING)],
            [row.title for row in session.execute(found(Search(words=words), now=MORNING))],
        ):
            assert titles == ["蓝色条纹帆布托特包", "帆布托特包"]


def test_an_order_that_was_chosen_is_kept(database: Database) -> None:
    with database.transaction() as session:
        a_campaign(
            session, title="蓝色条纹帆布托特包", title_en="Blue striped canvas tote", category="tote", tiers={5: 40_00}
        )
        a_campaign(session, title="帆布托特包", title_en="Canvas tote", category="tote", tiers={5: 30_00})
        rows = session.execute(found(Search(words="蓝色条纹帆布托特包", sort=Sort.CHEAPEST), now=MORNING))
        assert [row.title for row in rows] == ["帆布托特包", "蓝色条纹帆布托特包"]


def test_words_that_name_no_category_must_all_be_said_as_before(database: Database) -> None:
    with database.transaction() as session:
        on_offer(session)
        assert [row.category for row in session.execute(found(Search(words="Patchwork coat"), now=MORNING))] == ["coat"]
        assert session.execute(found(Search(words="Lightweight nothing"), now=MORNING)).all() == []


@pytest.mark.parametrize(
    ("text", "categories", "words"),
    [
        (
            "蓝色条纹帆布托特包，印我们幼儿园的标志",
            ("tote",),
            ("蓝色", "条纹", "帆布", "托特包", "印", "幼儿园", "标志"),
        ),
        ("XL 的 T 恤", ("tshirt",), ("t恤",)),
        ("something nice", (), ()),
    ],
)
def test_a_text_names_categories_and_looks(text: str, categories: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert named(text).categories == categories
    assert named(text).words == words
