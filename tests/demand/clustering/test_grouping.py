"""Titles and needs in groups: what belongs together, what doesn't, and one more placed among them."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from c2m.demand.clustering.grouping import groups_of
from c2m.demand.clustering.pool import Pool, place
from c2m.demand.clustering.scores import adjusted_rand, b_cubed, pairs

WANTS = Path(__file__).with_name("wants.csv")


@pytest.fixture(scope="module")
def needs() -> tuple[list[str], list[str], list[int]]:
    """Our own needs: texts, true groups, found groups."""
    with WANTS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    texts = [row["text"] for row in rows]
    return texts, [row["group"] for row in rows], [int(group) for group in groups_of(texts)]


def test_our_own_needs_in_two_languages_find_their_groups(needs: tuple[list[str], list[str], list[int]]) -> None:
    texts, truth, found = needs
    assert len(texts) >= 300
    assert b_cubed(truth, found).f1 >= 0.9
    assert pairs(truth, found).f1 >= 0.85


def test_a_fifth_placed_one_by_one_ends_much_like_a_full_run(needs: tuple[list[str], list[str], list[int]]) -> None:
    texts, _truth, full = needs
    known = len(texts) * 4 // 5
    group_of = [int(group) for group in groups_of(texts[:known])]
    pool, sizes = Pool(texts[:known]), Counter(group_of)
    for text in texts[known:]:
        group = place([(group_of[number], like) for number, like in pool.nearest(text)], sizes)
        group_of.append(len(texts) + len(group_of) if group is None else group)
        sizes[group_of[-1]] += 1
        pool.add(text)
    assert adjusted_rand(full, group_of) >= 0.9


def test_one_model_in_many_words_is_one_group_and_another_size_is_another() -> None:
    titles = [
        "apple iphone 8 plus 64gb silver",
        "Apple iPhone 8 Plus 64 GB space grey",
        "apple iphone 8 plus 256gb silver",
        "apple iphone 8 plus 256 gb gold",
        "Hoover HDP 1D39X dishwasher",
        "hoover hdp1d39x full size dishwasher stainless steel",
        "hoover hdp2d62x full size dishwasher stainless steel",
    ]
    assert groups_of(titles).tolist() == [0, 0, 1, 1, 2, 2, 3]


def test_colours_are_variants_of_one_need() -> None:
    assert groups_of(["红色帆布袋 印logo 100个", "blue canvas tote bag printed logo", "儿童雨伞"]).tolist() == [0, 0, 1]


def test_texts_without_words_stand_alone_unless_they_are_equal() -> None:
    assert groups_of(["", "", "???", "???", "mug"]).tolist() == [0, 1, 2, 2, 3]


def test_no_texts_make_no_groups_and_one_makes_one() -> None:
    assert groups_of([]).tolist() == []
    assert groups_of(["mug"]).tolist() == [0]


def test_many_of_a_kind_with_words_of_their_own_stay_together_and_apart_from_others() -> None:
    own = ["cats", "moon", "tigers", "jazz", "ferns", "anchors", "maps", "ducks"]
    totes = [f"canvas tote bag printed logo {one} {other}" for one in own for other in own if one != other]
    kinds, likes, sizes = ("mug", "umbrella", "desk lamp", "towel"), ("ceramic", "cotton", "folding"), ("350ml", "1 kg")
    others = [f"{kind} {like} {size}" for kind in kinds for like in likes for size in sizes]
    groups = groups_of([*totes, *others]).tolist()
    assert len(set(groups[: len(totes)])) <= 3
    assert set(groups[: len(totes)]).isdisjoint(groups[len(totes) :])


def test_an_empty_pool_knows_nothing_near() -> None:
    pool = Pool([])
    assert pool.nearest("canvas tote") == []
    pool.add("canvas tote")
    assert len(pool) == 1


def test_what_was_added_is_found_at_once() -> None:
    pool = Pool(["canvas tote bag", "steel bottle 500ml"])
    number = pool.add("steel bottle 1 L")
    assert pool.nearest("1000ml 不锈钢水壶")[0][0] == number
    assert place(pool.nearest("desk lamp"), {}) is None
