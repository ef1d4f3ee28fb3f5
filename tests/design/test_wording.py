"""Words: what belongs to somebody else or is indecent is refused by name; ordinary words that look like it are not."""

import pytest

from c2m.db import Database
from c2m.design import concepts
from c2m.design.models import Concept, ConceptState
from c2m.design.wording import ORDINARY, BrandWord, IndecentWord, WordRefused, _lists, check_words
from c2m.identity.models import Role
from tests.builders import an_organisation
from tests.design.builders import NOON, a_concept, a_concept_draft, count


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a tote like Louis Vuitton", "louis vuitton"),
        ("NIKE 风格运动鞋", "nike"),
        ("耐克风格运动鞋", "耐克"),
        ("耐 克 风格运动鞋", "耐克"),
        ("耐·克运动鞋", "耐克"),
        ("Hermès orange mug", "hermes"),
        ("ｇｕｃｃｉ 包", "gucci"),
        ("N\u200bike socks", "nike"),
        ("N1ke shoes", "nike"),
        ("a gucc1 bag", "gucci"),
        ("@didas socks", "adidas"),
        ("小米手机壳", "小米"),
        ("印着苹果标志的手机壳", "苹果标志"),
        ("phone case with the Apple logo", "apple logo"),
        ("皮卡丘毛绒玩具", "皮卡丘"),
        ("a plush hello  kitty", "hello kitty"),
        ("哆啦A梦 抱枕", "哆啦a梦"),
        ("红色耐克", "耐克"),
        ("H&M style coat", "h&m"),
        ("a Levi's jacket", "levi's"),
    ],
)
def test_somebody_else_s_name_is_refused_and_named(text: str, word: str) -> None:
    with pytest.raises(BrandWord) as refused:
        check_words(text)
    assert refused.value.details["word"] == word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("mug with a nude woman", "nude woman"),
        ("Porn poster on a tee", "porn"),
        ("色情图案T恤", "色情"),
        ("裸 体 抱枕", "裸体"),
        ("情趣内衣", "情趣内衣"),
        ("swastika flag towel", "swastika"),
    ],
)
def test_indecent_words_are_refused_and_named(text: str, word: str) -> None:
    with pytest.raises(IndecentWord) as refused:
        check_words("a fine brief", text)
    assert refused.value.details["word"] == word


@pytest.mark.parametrize(
    "text",
    [
        "",
        "apple green tote bag",
        "苹果绿帆布包",
        "苹果图案抱枕",
        "小米色围巾",
        "nude pink mug",
        "裸色连衣裙",
        "unisex hoodie in Essex grey",
        "同颜色情侣卫衣",
        "红色情侣T恤",
        "粉色情人节马克杯",
        "芭比粉手机壳",
        "a tiffany-blue cup",
        "iPhone case with stripes",
        "striking nikel finish",
        "vans and trucks on a tee",
        "converse with us",
        "a supreme quality puma-striped scarf",
        "三星图案背包",
        "适宜家用的台灯",
        "酒红牛皮托特包",
        "朝北面的窗边椅",
        "double-breasted coat with a breast pocket",
        "adults' rain coat, sizes S to XXXL",
        "红白条纹帆布托特包",
        "性感的黑色连衣裙",
        "a new balance of colours",
    ],
)
def test_ordinary_words_pass(text: str) -> None:
    check_words(text)


def test_the_lists_themselves_are_refused_word_by_word() -> None:
    _, kinds = _lists()
    for word, kind in kinds.items():
        if kind == ORDINARY:
            check_words(word)
        else:
            with pytest.raises(WordRefused):
                check_words(f"一款 {word} ")


@pytest.mark.parametrize("field", ["title", "title_en", "brief"])
def test_a_concept_that_uses_a_brand_is_not_kept(database: Database, field: str) -> None:
    with database.transaction() as session:
        owner = an_organisation(session, Role.MERCHANDISER).id
        with pytest.raises(BrandWord):
            concepts.create_concept(session, a_concept_draft(owner, **{field: "Gucci flask"}), now=NOON)
        assert count(session, Concept) == 0


def test_a_draft_from_before_the_lists_is_not_published(database: Database) -> None:
    with database.transaction() as session:
        concept, _ = a_concept(session, published=False)
        concept.title = "耐克保温杯"
        session.add(concept)
        session.flush()
        with pytest.raises(BrandWord):
            concepts.publish_concept(session, concept, now=NOON)
        assert concept.state is ConceptState.DRAFT
