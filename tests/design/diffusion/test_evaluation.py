import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from c2m.cli import cli
from c2m.design.diffusion.colours import ColourJudge, lab
from c2m.design.diffusion.dataset import SHARD_STREAM, specs_of
from c2m.design.diffusion.evaluation import Bar, _nearest
from c2m.design.diffusion.patterns import PatternJudge, less_steady
from c2m.design.diffusion.recipe import quick
from c2m.design.diffusion.trials import blobs, combination, trials
from c2m.design.drawings import COLOURS, DrawingSpec, draw


def test_trials_are_new_and_each_category_has_as_many():
    tried = trials(quick(), shards=2, seed=1, each=2)
    seen = {combination(spec) for number in (0, 1) for spec in specs_of(quick().seed, SHARD_STREAM, number, count=16)}
    assert len(tried) == 44
    assert not seen & {combination(trial.spec) for trial in tried}
    assert len({trial.spec.category for trial in tried[:22]}) == 22


def test_another_model_gets_other_trials():
    first, same, other = (trials(quick(), shards=1, seed=seed, each=1) for seed in (1, 1, 2))
    assert first == same
    assert first != other


def test_blobs_are_seeded():
    first, same, other = (np.stack(list(blobs(size=32, count=3, seed=seed))) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_lab_of_white_and_black():
    colours = np.array([[255, 255, 255], [0, 0, 0]], dtype=np.uint8)
    assert np.allclose(lab(colours), [[100, 0, 0], [0, 0, 0]], atol=0.1)


@pytest.fixture(scope="module")
def colours():
    return ColourJudge(size=64, seed=1)


def test_a_product_of_one_colour_shows_that_colour_and_no_other(colours):
    picture = np.asarray(draw(DrawingSpec("mug", "red", "white", finish="matte"), size=64, seed=9))
    assert colours.shows_primary(picture, "mug", "red", patterned=False)
    assert not any(colours.shows_primary(picture, "mug", name, patterned=False) for name in COLOURS if name != "red")


def test_stripes_show_both_colours(colours):
    spec = DrawingSpec("tshirt", "navy", "yellow", "stripes")
    picture = np.asarray(draw(spec, size=64, seed=9))
    assert colours.shows_primary(picture, "tshirt", "navy", patterned=True)
    assert colours.shows_secondary(picture, "tshirt", "yellow")
    assert not colours.shows_secondary(picture, "tshirt", "red")


def test_the_direction_of_stripes_is_told_from_drawings_of_other_colours(colours):
    def shown(seed, *pairs):
        names = ("plain", "stripes", "vertical_stripes")
        specs = [DrawingSpec("tote", *pair, name) for pair in pairs for name in names]
        return [(spec, np.asarray(draw(spec, size=64, seed=seed + n))) for n, spec in enumerate(specs)]

    judge = PatternJudge(colours, shown(0, ("red", "white"), ("navy", "yellow"), ("black", "pink")), seed=1)
    asked = shown(50, ("green", "beige"), ("purple", "white"))
    assert judge.patterns(asked) == [spec.pattern for spec, _ in asked]


def test_a_less_steady_hand_draws_the_same_product_otherwise():
    picture = np.asarray(draw(DrawingSpec("tote", "red", "white", "stripes"), size=64, seed=3))
    one, same, other = (less_steady(picture, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == picture.shape
    assert one.dtype == np.uint8
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert np.abs(one.astype(int) - picture).mean() < 20


def test_the_nearest_of_known_rows():
    assert _nearest(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0], [30.0, 40.0]])).tolist() == [5.0]


def test_a_bar_may_be_a_floor_or_a_ceiling():
    assert Bar("shown", 0.9, 0.85).met
    assert not Bar("shown", 0.8, 0.85).met
    assert Bar("seconds", 1.5, 2.0, at_least=False).met
    assert not Bar("seconds", 2.5, 2.0, at_least=False).met


def test_an_untrained_model_misses_the_bars_and_the_command_says_so(trained, tiny_model, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    assert "Not evaluated yet" in (model / "README.md").read_text()
    ran = CliRunner().invoke(
        cli,
        [
            *("imagine", "evaluate", "--quick", "--json", "--record", "--model", str(model)),
            *("--folder", str(tmp_path), "--drawings", str(trained), "--out", str(tmp_path / "sheet.png")),
        ],
    )
    assert isinstance(ran.exception, SystemExit), ran.exception
    assert ran.exit_code == 1
    report = json.loads(ran.stdout)
    assert report["prompts"] == 22
    assert not report["met"]
    assert {bar["name"]: bar["met"] for bar in report["bars"]}["category and typical"] is False
    assert (tmp_path / "sheet.png").stat().st_size > 1000
    assert json.loads((model / "evaluation.json").read_text()) == report
    assert "| category and typical | " in (model / "README.md").read_text()
