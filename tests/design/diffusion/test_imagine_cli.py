import json
import subprocess
import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

from c2m.cli import cli
from c2m.design.wording import WordRefused


def run(*words):
    return CliRunner().invoke(cli, ["imagine", *words])


@pytest.mark.parametrize("brief", ["红白条纹帆布托特包", "a red and white striped canvas tote bag"])
def test_a_brief_alone_makes_pictures(brief, tiny_model, tmp_path):
    ran = run(brief, "--n", "2", "--steps", "2", "--seed", "5", "--out", str(tmp_path), "--model", str(tiny_model))
    assert ran.exit_code == 0, ran.output
    assert "prompt: red and white striped canvas tote bag" in ran.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["concept-5.png", "concept-6.png"]


def test_pictures_of_another_brief_take_no_others_place(tiny_model, tmp_path):
    for brief in ("红色马克杯", "a green mug"):
        ran = run(brief, "--n", "2", "--steps", "1", "--out", str(tmp_path), "--model", str(tiny_model))
        assert ran.exit_code == 0, ran.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "concept-0-2.png",
        "concept-0.png",
        "concept-1-2.png",
        "concept-1.png",
    ]


def test_words_that_were_not_understood_are_told(tiny_model, tmp_path):
    ran = run("dragon mug", "--n", "1", "--steps", "1", "--out", str(tmp_path), "--model", str(tiny_model))
    assert "not understood: dragon" in ran.output


def test_a_picture_to_start_from_is_named_in_what_is_told_and_in_the_file(tiny_model, tmp_path):
    Image.new("RGB", (80, 100), (200, 30, 30)).save(tmp_path / "mine.jpg")
    chosen = ["--source", str(tmp_path / "mine.jpg"), "--strength", "0.5", "--steps", "2", "--n", "1", "--json"]
    ran = run("red mug", *chosen, "--out", str(tmp_path / "out"), "--model", str(tiny_model))
    [told] = json.loads(ran.stdout)["pictures"]
    assert (told["provenance"]["strength"], len(told["provenance"]["source_sha256"])) == (0.5, 64)
    with Image.open(told["file"]) as stored:
        assert json.loads(stored.text["c2m:provenance"]) == told["provenance"]


def test_a_source_that_is_no_picture_is_refused_before_a_model_is_loaded(tmp_path):
    (tmp_path / "mine.svg").write_text("<svg/>")
    ran = run("red mug", "--source", str(tmp_path / "mine.svg"), "--out", str(tmp_path / "out"))
    assert ran.exit_code == 2
    assert "Only PNG, JPEG and WebP" in ran.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--size", "37"], "37 is no multiple of 8."),
        (["--primary", "frogish"], "Unknown primary 'frogish'."),
        (["--out", __file__], "is a file."),
        (["--out", "/proc/nowhere"], "/proc/nowhere: No such file or directory."),
        (["--category", "spaceship"], "'spaceship' is none of: tshirt, hoodie"),
    ],
)
def test_what_cannot_be_made_is_refused_as_the_option_it_was_asked_by(asked, said, tmp_path):
    ran = run("red mug", "--out", str(tmp_path / "out"), *asked)
    assert ran.exit_code == 2
    assert f"Invalid value for {asked[0]}" in ran.output.replace("'", "")
    assert said in ran.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("brief", "word"), [("耐克托特包", "耐克"), ("a naked mug", "naked")])
def test_words_that_the_studio_refuses_are_refused_here_too(brief, word, tiny_model, tmp_path):
    ran = run(brief, "--model", str(tiny_model), "--out", str(tmp_path / "out"))
    assert isinstance(ran.exception, WordRefused)
    assert ran.exception.details == {"word": word}
    assert not (tmp_path / "out").exists()


def test_the_time_to_load_is_told_apart_from_that_of_the_pictures(tiny_model, tmp_path):
    ran = run("red mug", "--n", "1", "--steps", "1", "--json", "--out", str(tmp_path), "--model", str(tiny_model))
    told = json.loads(ran.stdout)
    assert told["loading_seconds"] > 0
    assert [sorted(picture) for picture in told["pictures"]] == [["file", "kind", "provenance", "seconds"]]


def test_the_help_of_the_short_form_says_where_its_options_are():
    assert "c2m imagine picture --help" in " ".join(run("--help").output.split())


def test_a_model_that_is_not_there_is_one_sentence_and_nothing_is_written(tmp_path):
    program = [
        sys.executable,
        "-m",
        "c2m",
        "imagine",
        "red mug",
        "--model",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
    ]
    ran = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"There is no image model at {tmp_path}: model_index.json is missing.\n"
    assert not (tmp_path / "out").exists()


def test_sketches_are_drawn_where_that_is_what_makes_pictures(tmp_path):
    ran = run("navy striped mug", "--model", "sketch", "--n", "1", "--seed", "3", "--out", str(tmp_path))
    assert ran.exit_code == 0, ran.output
    assert [path.name for path in tmp_path.iterdir()] == ["sketch-3.png"]


def test_neither_the_site_nor_the_command_imports_torch_before_a_picture_is_made():
    program = (
        "import sys, c2m.cli, c2m.app, c2m.design.diffusion.generator, c2m.design.diffusion.cli; "
        "heavy = {'torch', 'diffusers', 'transformers'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
